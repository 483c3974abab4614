//! What is typed: drafts, completion, what was sent before, a long paste.

use std::rc::Rc;

use parlor_ui::slint::{ComponentHandle, ModelRc, SharedString, VecModel};
use parlor_ui::{App, CommandHelp, Completion, ComposerView, TimelineView, Words};

use super::text::shared;
use super::{Bridge, on, phrases};
use crate::session::{Action, Key, Session};

/// More lines than this are sent only when the person says so.
const LINES_UNASKED: usize = 3;
/// Sent texts that the arrow brings back.
const MAX_SENT: usize = 50;

/// A completion under way: each further Tab gives the next name.
pub(super) struct Completing {
    before: String,
    after: String,
    names: Vec<String>,
    at: usize,
    shown: String,
}

impl Bridge {
    pub(super) fn listen_to_composer(self: &Rc<Self>, window: &App) {
        on!(self, window.global::<ComposerView>(), on_send, |this| this.send());
        on!(self, window.global::<ComposerView>(), on_draft_edited, |this| this.draft_edited());
        on!(self, window.global::<ComposerView>(), on_complete, |this, text, cursor, backward| this
            .complete(&text, cursor, backward));
        on!(self, window.global::<ComposerView>(), on_previous_sent, |this| this.sent_before(true));
        on!(self, window.global::<ComposerView>(), on_next_sent, |this| this.sent_before(false));
        on!(self, window.global::<ComposerView>(), on_pick_command, |this, index| this.pick_command(index));
        on!(self, window.global::<ComposerView>(), on_confirm_paste, |this| this.confirm_paste());
        on!(self, window.global::<ComposerView>(), on_cancel_paste, |this| this.cancel_paste());
    }

    fn send(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let count = window
            .global::<ComposerView>()
            .get_draft()
            .lines()
            .filter(|line| !line.trim().is_empty())
            .count();
        if count > LINES_UNASKED {
            window.global::<ComposerView>().set_paste_lines(count as i32);
            return window.global::<ComposerView>().set_paste_question(true);
        }
        self.send_now(&window);
    }

    fn send_now(self: &Rc<Self>, window: &App) {
        let text = window.global::<ComposerView>().get_draft().trim_end().to_owned();
        let Some(to) = self.current_key() else { return };
        if text.trim().is_empty() {
            return;
        }
        let one_line = !text.contains('\n');
        if one_line && let Some(key) = asks_to_go(&text) {
            self.go(window, key);
        }
        self.act(if one_line && text.starts_with('/') {
            Action::Command { at: to, line: text.clone() }
        } else {
            Action::Say { to, text: text.clone() }
        });
        {
            let mut state = self.state.borrow_mut();
            state.sent.push(text);
            if state.sent.len() > MAX_SENT {
                state.sent.remove(0);
            }
            state.sent_at = state.sent.len();
            state.completing = None;
        }
        window.global::<ComposerView>().set_draft(SharedString::default());
        window.global::<ComposerView>().set_commands(ModelRc::default());
        window.global::<TimelineView>().set_stick(true);
        window.global::<TimelineView>().set_below_count(0);
        self.leave_draft();
        self.keep_soon();
    }

    fn confirm_paste(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        window.global::<ComposerView>().set_paste_question(false);
        self.send_now(&window);
    }

    fn cancel_paste(&self) {
        if let Some(window) = self.window.upgrade() {
            window.global::<ComposerView>().set_paste_question(false);
        }
    }

    fn draft_edited(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        window.global::<ComposerView>().set_commands(ModelRc::new(VecModel::from(commands_for(
            &window.global::<Words>(),
            &window.global::<ComposerView>().get_draft(),
        ))));
        self.keep_soon();
    }

    /// `/help`: the list that a slash shows.
    pub(super) fn show_commands(self: &Rc<Self>, window: &App) {
        if window.global::<ComposerView>().get_draft().is_empty() {
            window.global::<ComposerView>().set_draft("/".into());
            self.draft_edited();
        }
    }

    fn pick_command(self: &Rc<Self>, index: i32) {
        let Some(window) = self.window.upgrade() else { return };
        let commands = commands_for(&window.global::<Words>(), &window.global::<ComposerView>().get_draft());
        let picked = usize::try_from(index).ok().and_then(|i| commands.into_iter().nth(i));
        if let Some(CommandHelp { name, .. }) = picked {
            let word = name.split(' ').next().unwrap_or_default();
            window.global::<ComposerView>().set_draft(shared(&format!("{word} ")));
            self.draft_edited();
        }
    }

    /// Tab: the name that the word before the cursor begins, then the next one.
    fn complete(&self, text: &str, cursor: i32, backward: bool) -> Completion {
        let cursor = usize::try_from(cursor).unwrap_or_default().min(text.len());
        let cursor = text.floor_char_boundary(cursor);
        let mut state = self.state.borrow_mut();
        let going_on = state.completing.as_ref().is_some_and(|completing| completing.shown == text);
        if !going_on {
            let start = text[..cursor].rfind(char::is_whitespace).map_or(0, |at| at + 1);
            let word = text[start..cursor].trim_start_matches('@').to_lowercase();
            let mut names: Vec<String> = state.current().map_or_else(Vec::new, |current| {
                let people = current.people.iter().filter(|person| !person.me);
                people.map(|person| person.name.to_string()).collect()
            });
            names.retain(|name| !word.is_empty() && name.to_lowercase().starts_with(&word));
            names.sort_by_key(|name| name.to_lowercase());
            let (before, after) = (text[..start].to_owned(), text[cursor..].to_owned());
            state.completing =
                Some(Completing { before, after, names, at: usize::MAX, shown: String::new() });
        }
        let unchanged = Completion { text: shared(text), cursor: cursor as i32 };
        let Some(completing) = state.completing.as_mut().filter(|completing| !completing.names.is_empty())
        else {
            return unchanged;
        };
        let count = completing.names.len();
        completing.at = match (completing.at, backward) {
            (usize::MAX, false) => 0,
            (usize::MAX, true) | (0, true) => count - 1,
            (at, true) => at - 1,
            (at, false) => (at + 1) % count,
        };
        let Some(name) = completing.names.get(completing.at) else { return unchanged };
        let tail = if completing.before.is_empty() { ": " } else { " " };
        let head = format!("{}{name}{tail}", completing.before);
        completing.shown = format!("{head}{}", completing.after);
        Completion { text: shared(&completing.shown), cursor: head.len() as i32 }
    }

    /// Up and Down: what was sent before, and back to nothing.
    fn sent_before(&self, earlier: bool) -> SharedString {
        let mut state = self.state.borrow_mut();
        let at =
            if earlier { state.sent_at.saturating_sub(1) } else { (state.sent_at + 1).min(state.sent.len()) };
        state.sent_at = at;
        shared(state.sent.get(at).map_or("", String::as_str))
    }

    /// Keeps what is typed in the conversation on the screen.
    pub(super) fn leave_draft(&self) {
        let (Some(window), Some(key)) = (self.window.upgrade(), self.current_key()) else { return };
        let draft = window.global::<ComposerView>().get_draft();
        let mut state = self.state.borrow_mut();
        let place = state.draft_place(&key);
        if draft.trim().is_empty() {
            state.drafts.texts.remove(&place);
        } else {
            state.drafts.texts.insert(place, draft.into());
        }
    }

    pub(super) fn restore_draft(&self, window: &App, key: &Key) {
        let draft = {
            let state = self.state.borrow();
            state.drafts.texts.get(&state.draft_place(key)).cloned().unwrap_or_default()
        };
        window.global::<ComposerView>().set_draft(shared(&draft));
        window.global::<ComposerView>().set_commands(ModelRc::default());
    }
}

impl super::State {
    /// Under which name a draft is kept: drafts of two servers do not meet.
    fn draft_place(&self, key: &Key) -> String {
        let address = self.place.as_ref().map(crate::place::Place::address).unwrap_or_default();
        format!("{address} {key}")
    }
}

/// The conversation that a command opens, which the person then wants to see.
fn asks_to_go(line: &str) -> Option<Key> {
    let mut words = line.split_whitespace();
    match (words.next()?, words.next()?) {
        ("/join" | "/j", room) if room.starts_with('#') => Some(Key::new(room)),
        ("/join" | "/j", room) => Some(Key::new(&format!("#{room}"))),
        ("/query" | "/q", name) => Some(Key::new(name)),
        _ => None,
    }
}

/// The commands that begin with what is typed after a slash.
fn commands_for(words: &Words<'_>, draft: &str) -> Vec<CommandHelp> {
    if !draft.starts_with('/') || draft.starts_with("//") || draft.contains([' ', '\n']) {
        return Vec::new();
    }
    let fits = |(name, _): &&(&str, &str)| name.split(' ').next().is_some_and(|word| word.starts_with(draft));
    let row = |(name, help): &(&str, &str)| CommandHelp {
        name: shared(name),
        help: phrases::help(words, name, help),
    };
    Session::commands().iter().filter(fits).map(row).collect()
}
