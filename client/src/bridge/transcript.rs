//! Saving all that was said in a conversation, into a file for the person.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::rc::Rc;

use async_channel::{Sender, TrySendError};
use parlor_ui::slint::ComponentHandle;
use parlor_ui::{App, RoomView, StatusView, Words};

use super::text::shared;
use super::{Bridge, clock, on};
use crate::conversations::ConversationId;
use crate::place::PlaceId;
use crate::session::{Action, Line, Told};
use crate::transcript::{Form, Transcript};

/// Pages that wait for the disk: one that falls so far behind does not answer.
const WAITING: usize = 256;

/// A transcript under way; one at a time.
pub(super) struct Saving {
    pub(super) of: ConversationId,
    lines: usize,
    write: Sender<Write>,
}

enum Write {
    Lines(Vec<Line>),
    /// These were all that are to be had.
    End(Told),
}

/// What came of it: where, how many lines, and whether they are all; nothing, if it was taken back.
type Written = io::Result<Option<(PathBuf, usize, Told)>>;

impl Bridge {
    pub(super) fn listen_to_transcript(self: &Rc<Self>, window: &App) {
        let view = window.global::<RoomView>();
        on!(self, view, on_save_transcript, |this, json| {
            this.save_transcript(if json { Form::Json } else { Form::Text });
        });
        on!(self, view, on_cancel_saving, |this| this.cancel_saving());
    }

    fn save_transcript(self: &Rc<Self>, form: Form) {
        let Some(window) = self.window.upgrade() else { return };
        let called = {
            let state = self.state.borrow();
            let Some(current) = state.conversations.current().filter(|_| state.saving.is_none()) else {
                return;
            };
            let name = current.short_name(&state.naming()).to_owned();
            let today = clock::now().to_string();
            (current.id.clone(), format!("{name} {}", today.split('T').next().unwrap_or_default()))
        };
        let (of, called) = called;
        let folder = self.folder.downloads(&self.state.borrow().settings.file_folder);
        let (write, todo) = async_channel::bounded::<Write>(WAITING);
        let work = move || -> Written {
            let mut transcript = Transcript::begin(&folder, &called, form)?;
            let mut count = 0;
            while let Ok(next) = todo.recv_blocking() {
                match next {
                    Write::Lines(lines) => {
                        count += lines.len();
                        if let Err(error) = transcript.add(&lines) {
                            transcript.discard();
                            return Err(error);
                        }
                    }
                    Write::End(told) => return transcript.end().map(|path| Some((path, count, told))),
                }
            }
            transcript.discard();
            Ok(None)
        };
        let weak = Rc::downgrade(self);
        let watch = async move {
            let written = smol::unblock(work).await;
            let Some(bridge) = weak.upgrade() else { return };
            let Some(window) = bridge.window.upgrade() else { return };
            bridge.written(&window, written);
        };
        self.tasks.spawn(watch).detach();
        self.state.borrow_mut().saving = Some(Saving { of: of.clone(), lines: 0, write });
        self.show_saving(&window);
        self.act(&of.place, Action::Transcript { key: of.key });
    }

    fn cancel_saving(&self) {
        let Some(window) = self.window.upgrade() else { return };
        let saving = self.state.borrow_mut().saving.take();
        if let Some(saving) = saving {
            self.act(&saving.of.place, Action::NoTranscript);
        }
        self.show_saving(&window);
    }

    /// The next lines of it.
    pub(super) fn transcript(&self, window: &App, of: &ConversationId, lines: Vec<Line>, end: Option<Told>) {
        let taken = {
            let mut state = self.state.borrow_mut();
            let Some(saving) = state.saving.as_mut().filter(|saving| saving.of == *of) else { return };
            saving.lines += lines.len();
            let taken = saving.write.try_send(Write::Lines(lines)).and_then(|()| match end {
                Some(told) => saving.write.try_send(Write::End(told)),
                None => Ok(()),
            });
            if end.is_some() {
                state.saving = None;
            }
            taken
        };
        match taken {
            Err(TrySendError::Full(_)) => {
                self.cancel_saving();
                self.not_saved(window, &ErrorKind::TimedOut.into());
            }
            // It could not be written, which is said by then.
            Err(TrySendError::Closed(_)) => self.cancel_saving(),
            Ok(()) => self.show_saving(window),
        }
    }

    /// A place is left: what came of it so far is what there is.
    pub(super) fn end_saving(&self, place: &PlaceId) {
        let of = self.state.borrow().saving.as_ref().map(|saving| saving.of.clone());
        if let (Some(of), Some(window)) = (of.filter(|of| of.place == *place), self.window.upgrade()) {
            self.transcript(&window, &of, Vec::new(), Some(Told::InPart));
        }
    }

    /// It is on the disk, or cannot be; nothing, if it was taken back.
    fn written(&self, window: &App, written: Written) {
        let words = window.global::<Words>();
        match written {
            Ok(None) => {}
            Ok(Some((path, lines, told))) => {
                let (lines, path) =
                    (i32::try_from(lines).unwrap_or(i32::MAX), shared(&path.display().to_string()));
                window.global::<StatusView>().set_notice(match told {
                    Told::Whole => words.invoke_saved(lines, path),
                    Told::InPart => words.invoke_saved_in_part(path),
                });
            }
            Err(error) => self.not_saved(window, &error),
        }
    }

    fn not_saved(&self, window: &App, error: &io::Error) {
        let sentence = window.global::<Words>().invoke_not_saved(shared(&error.to_string()));
        window.global::<StatusView>().set_notice(sentence);
    }

    fn show_saving(&self, window: &App) {
        let lines = self.state.borrow().saving.as_ref().map(|saving| saving.lines);
        let sentence = lines
            .map(|lines| window.global::<Words>().invoke_saving(i32::try_from(lines).unwrap_or(i32::MAX)));
        window.global::<RoomView>().set_saving(sentence.unwrap_or_default());
    }
}
