//! Files between people: those of the conversation on the screen, and what a person does with them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use async_channel::Sender;
use parlor_ui::slint::{ComponentHandle, Image, SharedString};
use parlor_ui::{App, FileKind as Icon, FileRow, FileState, FilesView, Panel, Screen, Shell, Words};
use smol::Task;

use super::text::shared;
use super::{Bridge, chooser, drawing, on, rows};
use crate::conversations::ConversationId;
use crate::dcc::{
    FileId, Files, Full, RUNNING, Say, Source, State as Stage, Transfer, Who, address_to_tell, begun,
};
use crate::file_name::{FileKind, kind, size_in_words};
use crate::path::typed;
use crate::place::PlaceId;
use crate::session::{Action, Dcc, Key, Kind, Status};

/// Offers that wait for the disk; more are not heard.
const HEARD: usize = 64;

/// Files that come and go.
#[derive(Default)]
pub(super) struct Transfers {
    files: Files,
    /// What waits until the person has agreed that their address is seen; no more than may be under way, later ones are
    /// left out.
    asked: Vec<(Who, Source)>,
    /// The desktop asks which file.
    choosing: Option<Task<()>>,
    /// Offers, until the disk has been asked.
    hear: Option<Sender<(Who, Dcc)>>,
    /// Pictures that are shown; each is gone with its file.
    drawn: HashMap<FileId, Image>,
}

impl Bridge {
    pub(super) fn listen_to_files(self: &Rc<Self>, window: &App) {
        let view = window.global::<FilesView>();
        let file = |id: i32| FileId(u64::try_from(id).unwrap_or_default());
        on!(self, view, on_choose, |this| this.current().into_iter().for_each(|id| this.choose_file(id)));
        on!(self, view, on_answer, |this, yes| this.answer_address(yes));
        on!(self, view, on_save, |this, id, go_on| this.save_file(file(id), go_on));
        on!(self, view, on_cancel, |this, id| this.cancel_file(file(id)));
        on!(self, view, on_again, |this, id| this.send_again(file(id)));
        on!(self, view, on_show_folder, |this, id| this.show_folder(file(id)));
        on!(self, view, on_draw, |this, id, on| this.draw(file(id), on));
        self.hear_of_files();
        let (news, weak) = (self.state.borrow().transfers.files.news.clone(), Rc::downgrade(self));
        let watch = async move {
            while let Ok((id, told)) = news.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                let Some(window) = bridge.window.upgrade() else { return };
                if bridge.state.borrow_mut().transfers.files.told(id, told) {
                    bridge.show_files(&window);
                }
            }
        };
        self.tasks.spawn(watch).detach();
    }

    /// Somebody's program says something of a file. What has come of one that is offered the disk knows, and that may
    /// take its time; nothing else waits for it.
    pub(super) fn heard_of_file(&self, at: ConversationId, key: Key, nick: String, dcc: Dcc) {
        let who = Who { at, key, nick };
        if !matches!(dcc, Dcc::Send { .. }) {
            return self.heard_dcc(who, dcc, None);
        }
        let hear = self.state.borrow().transfers.hear.clone();
        if hear.is_some_and(|hear| hear.try_send((who, dcc)).is_err()) {
            log::warn!("the disk is too slow for all files that are offered");
        }
    }

    /// Looks after that, one after the other.
    fn hear_of_files(self: &Rc<Self>) {
        let (hear, heard) = async_channel::bounded(HEARD);
        self.state.borrow_mut().transfers.hear = Some(hear);
        let weak = Rc::downgrade(self);
        let listen = async move {
            while let Ok((who, dcc)) = heard.recv().await {
                let Some(bridge) = weak.upgrade() else { return };
                let folder = bridge.folder.clone();
                let named = bridge.state.borrow().settings.file_folder.clone();
                let ask = move || (begun(&folder.downloads(&named), &dcc), dcc);
                let (begun, dcc) = smol::unblock(ask).await;
                bridge.heard_dcc(who, dcc, begun);
            }
        };
        self.tasks.spawn(listen).detach();
    }

    fn heard_dcc(&self, who: Who, dcc: Dcc, begun: Option<u64>) {
        let say = {
            let mut state = self.state.borrow_mut();
            let here = state.places.get(&who.at.place).is_some_and(|place| place.here);
            state.transfers.files.heard(who, dcc, here, begun)
        };
        self.say_of_file(say);
        self.window.upgrade().iter().for_each(|window| self.show_files(window));
    }

    fn say_of_file(&self, say: Option<Say>) {
        if let Some(Say { to, dcc }) = say {
            self.act(&to.at.place, Action::Dcc { nick: to.nick, dcc });
        }
    }

    /// Our address, as others at the place of a conversation are told it.
    fn own_address(&self, at: &ConversationId) -> std::net::IpAddr {
        let state = self.state.borrow();
        address_to_tell(state.places.get(&at.place).and_then(|place| place.own))
    }

    fn save_file(&self, id: FileId, go_on: bool) {
        let Some(window) = self.window.upgrade() else { return };
        let at = self.state.borrow().transfers.files.get(id).map(|file| file.who.at.clone());
        let Some(at) = at else { return };
        let own = self.own_address(&at);
        let saved = {
            let mut state = self.state.borrow_mut();
            let folder = self.folder.downloads(&state.settings.file_folder);
            state.transfers.files.save(id, &folder, go_on, own)
        };
        self.under_way(&window, saved);
    }

    fn under_way(&self, window: &App, begun: Result<Option<Say>, Full>) {
        match begun {
            Ok(say) => self.say_of_file(say),
            Err(Full) => self.notice(window, window.global::<Words>().invoke_files_under_way()),
        }
        self.show_files(window);
    }

    fn cancel_file(&self, id: FileId) {
        let Some(window) = self.window.upgrade() else { return };
        let say = self.state.borrow_mut().transfers.files.cancel(id);
        self.say_of_file(say);
        self.show_files(&window);
    }

    /// Which file for that person. A question that is asked anew is the only one.
    fn choose_file(self: &Rc<Self>, id: ConversationId) {
        let Some(window) = self.window.upgrade() else { return };
        let title = window.global::<Words>().invoke_send_a_file().to_string();
        let weak = Rc::downgrade(self);
        let choose = async move {
            let chosen = chooser::choose(&title).await;
            let Some(bridge) = weak.upgrade() else { return };
            let Some(window) = bridge.window.upgrade() else { return };
            match chosen {
                Ok(Some(path)) => bridge.send_file(id, path),
                Ok(None) => {}
                Err(error) => {
                    log::debug!("nobody lets choose a file: {error}");
                    bridge.notice(&window, window.global::<Words>().invoke_no_chooser());
                }
            }
        };
        let choosing = self.tasks.spawn(choose);
        self.state.borrow_mut().transfers.choosing = Some(choosing);
    }

    /// `/send`, with a file or to choose one.
    pub(super) fn send_typed(self: &Rc<Self>, id: ConversationId, path: &str) {
        if path.is_empty() {
            return self.choose_file(id);
        }
        let home = etcetera::home_dir().unwrap_or_default();
        self.send_file(id, typed(path, &home));
    }

    /// A file was dropped onto the window: for the person who is seen there, and for nobody else.
    pub(super) fn dropped(self: &Rc<Self>, path: PathBuf) {
        let Some(window) = self.window.upgrade() else { return };
        let shell = window.global::<Shell>();
        let covered =
            matches!(shell.get_panel(), Panel::Settings | Panel::About | Panel::Keys | Panel::Invite);
        if shell.get_screen() == Screen::Room
            && !covered
            && let Some(id) = self.current()
        {
            self.send_file(id, path);
        }
    }

    pub(super) fn send_file(self: &Rc<Self>, id: ConversationId, path: PathBuf) {
        let Some(window) = self.window.upgrade() else { return };
        let words = window.global::<Words>();
        let who = {
            let state = self.state.borrow();
            let person = state.conversations.get(&id).filter(|open| open.kind == Kind::Person);
            let Some(person) = person else {
                return self.notice(&window, words.invoke_files_to_people());
            };
            let connected = state.places.get(&id.place).and_then(|place| place.status.as_ref());
            if !matches!(connected, Some(Status::Connected { .. })) {
                return self.notice(&window, words.invoke_not_connected());
            }
            Who { key: id.key.clone(), nick: person.name.clone(), at: id }
        };
        let weak = Rc::downgrade(self);
        let open = async move {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let source = smol::unblock(move || Source::open(&path)).await;
            let Some(bridge) = weak.upgrade() else { return };
            let Some(window) = bridge.window.upgrade() else { return };
            match source {
                Ok(source) if bridge.state.borrow().settings.address_shown => {
                    bridge.offer_file(&window, who, source);
                }
                Ok(source) => bridge.ask_address(&window, who, source),
                Err(failure) => {
                    let words = window.global::<Words>();
                    let why = super::phrases::failure(&words, &failure);
                    bridge.notice(&window, words.invoke_file_not_sent(shared(&name), why));
                }
            }
        };
        self.tasks.spawn(open).detach();
    }

    fn offer_file(&self, window: &App, who: Who, source: Source) {
        let own = self.own_address(&who.at);
        let offered = {
            let mut state = self.state.borrow_mut();
            let passive = state.settings.calls_out;
            state.transfers.files.offer(who, source, own, passive)
        };
        self.under_way(window, offered);
    }

    /// The first time ever: the other one will see where we are.
    fn ask_address(&self, window: &App, who: Who, source: Source) {
        let full = {
            let asked = &mut self.state.borrow_mut().transfers.asked;
            let full = asked.len() >= RUNNING;
            if !full {
                asked.push((who, source));
            }
            full
        };
        self.under_way(window, if full { Err(Full) } else { Ok(None) });
    }

    fn answer_address(&self, yes: bool) {
        let Some(window) = self.window.upgrade() else { return };
        let current = self.current();
        let asked: Vec<(Who, Source)> = {
            let asked = &mut self.state.borrow_mut().transfers.asked;
            // Who agrees, agrees for all that wait; who does not, for this one.
            let answered = |who: &Who| yes || Some(&who.at) == current.as_ref();
            let (answered, open) = std::mem::take(asked).into_iter().partition(|(who, _)| answered(who));
            *asked = open;
            answered
        };
        if yes && !asked.is_empty() {
            self.state.borrow_mut().settings.address_shown = true;
            self.keep_settings();
            asked.into_iter().for_each(|(who, source)| self.offer_file(&window, who, source));
        }
        self.show_files(&window);
    }

    fn send_again(self: &Rc<Self>, id: FileId) {
        let file = {
            let state = self.state.borrow();
            let file = state.transfers.files.get(id).filter(|file| file.outgoing);
            file.and_then(|file| Some((file.who.at.clone(), file.path.clone()?)))
        };
        if let Some((at, path)) = file {
            self.send_file(at, path);
        }
    }

    /// The folder, never the file: nothing is opened by us.
    fn show_folder(&self, id: FileId) {
        let state = self.state.borrow();
        let file = state.transfers.files.get(id).and_then(|file| file.path.as_ref());
        if let Some(folder) = file.and_then(|path| path.parent())
            && let Err(error) = webbrowser::open(&folder.display().to_string())
        {
            log::warn!("the folder does not open: {error}");
        }
    }

    fn draw(self: &Rc<Self>, id: FileId, on: bool) {
        let Some(window) = self.window.upgrade() else { return };
        if !on {
            self.state.borrow_mut().transfers.drawn.remove(&id);
            return self.show_files(&window);
        }
        let path = {
            let state = self.state.borrow();
            state.transfers.files.get(id).filter(|file| is_showable(file)).and_then(|file| file.path.clone())
        };
        let (Some(path), weak) = (path, Rc::downgrade(self)) else { return };
        let draw = async move {
            let small = smol::unblock(move || drawing::small(&path)).await;
            let Some(bridge) = weak.upgrade() else { return };
            let Some(window) = bridge.window.upgrade() else { return };
            match small {
                Some(small) => {
                    bridge.state.borrow_mut().transfers.drawn.insert(id, Image::from_rgba8(small));
                    bridge.show_files(&window);
                }
                None => bridge.notice(&window, window.global::<Words>().invoke_picture_not_shown()),
            }
        };
        self.tasks.spawn(draw).detach();
    }

    /// A person has another name.
    pub(super) fn rename_files(&self, from: &ConversationId, to: &ConversationId, nick: &str) {
        let transfers = &mut self.state.borrow_mut().transfers;
        transfers.files.renamed(from, to, nick);
        for (who, _) in transfers.asked.iter_mut().filter(|(who, _)| who.at == *from) {
            *who = Who { at: to.clone(), key: to.key.clone(), nick: nick.into() };
        }
    }

    pub(super) fn forget_files(&self, at: &ConversationId) {
        let transfers = &mut self.state.borrow_mut().transfers;
        transfers.files.closed(at);
        transfers.asked.retain(|(who, _)| who.at != *at);
    }

    /// A place is left: nothing goes on that nobody would see.
    pub(super) fn leave_files(&self, place: &PlaceId) {
        let transfers = &mut self.state.borrow_mut().transfers;
        transfers.files.left(place);
        transfers.asked.retain(|(who, _)| who.at.place != *place);
    }

    /// Those of the conversation on the screen.
    pub(super) fn show_files(&self, window: &App) {
        let mut state = self.state.borrow_mut();
        let super::state::State { transfers, conversations, places, .. } = &mut *state;
        let Transfers { files, asked, drawn, .. } = transfers;
        drawn.retain(|id, _| files.get(*id).is_some());
        let (view, words) = (window.global::<FilesView>(), window.global::<Words>());
        let current = conversations.current().map(|current| &current.id);
        let here = files.iter().rev().filter(|file| Some(&file.who.at) == current);
        let rows: Vec<FileRow> = here.map(|file| row(&words, file, drawn.get(&file.id))).collect();
        let question = asked.iter().find(|(who, _)| Some(&who.at) == current).map(|(who, source)| {
            let own = address_to_tell(places.get(&who.at.place).and_then(|place| place.own)).to_string();
            words.invoke_file_address_shown(shared(&who.nick), shared(&own), shared(&source.name))
        });
        view.set_question(question.unwrap_or_default());
        rows::show(&view.get_files(), rows, |row| row.id, |rows| view.set_files(rows));
    }
}

fn is_showable(file: &Transfer) -> bool {
    file.state == Stage::Done && !file.outgoing && drawing::is_drawable(&file.name)
}

fn row(words: &Words<'_>, file: &Transfer, drawn: Option<&Image>) -> FileRow {
    let (state, progress) = match file.state {
        Stage::Offered { .. } => (FileState::Offered, 0.0),
        Stage::Waiting => (FileState::Waiting, 0.0),
        Stage::Running { done, .. } => (FileState::Running, done as f32 / file.size.max(1) as f32),
        Stage::Done => (FileState::Done, 1.0),
        Stage::Failed(_) => (FileState::Failed, 0.0),
    };
    FileRow {
        id: i32::try_from(file.id.0).unwrap_or(i32::MAX),
        kind: match kind(&file.name) {
            FileKind::Picture => Icon::Picture,
            FileKind::Sound => Icon::Sound,
            FileKind::Film => Icon::Film,
            FileKind::Text => Icon::Text,
            FileKind::Archive => Icon::Archive,
            FileKind::Program => Icon::Program,
            FileKind::Other => Icon::Other,
        },
        name: shared(&file.name),
        detail: detail(words, file),
        state,
        outgoing: file.outgoing,
        progress,
        begun: matches!(file.state, Stage::Offered { begun: Some(_) }),
        showable: is_showable(file),
        shown: drawn.is_some(),
        drawn: drawn.cloned().unwrap_or_default(),
    }
}

/// How large, from whom, how far; or why not.
fn detail(words: &Words<'_>, file: &Transfer) -> SharedString {
    let in_words = |bytes: u64| shared(&size_in_words(bytes));
    let (size, nick) = (in_words(file.size), shared(&file.who.nick));
    match &file.state {
        Stage::Offered { begun: Some(begun) } => words.invoke_file_begun(size, nick, in_words(*begun)),
        Stage::Offered { begun: None } if kind(&file.name) == FileKind::Program => {
            words.invoke_file_program(size, nick)
        }
        Stage::Offered { begun: None } => words.invoke_file_from(size, nick),
        Stage::Waiting if file.outgoing => words.invoke_file_waiting(size, nick),
        Stage::Waiting => words.invoke_file_connecting(size),
        Stage::Running { done, rate } => {
            let (done_words, rate_words) = (in_words(*done), in_words(*rate));
            match file.size.saturating_sub(*done).checked_div(*rate) {
                None => words.invoke_file_moving(done_words, size, rate_words),
                Some(left) => {
                    let left = time_left(words, left);
                    words.invoke_file_moving_left(done_words, size, rate_words, left)
                }
            }
        }
        Stage::Done if file.outgoing => words.invoke_file_arrived(size, nick),
        Stage::Done => {
            let folder = file.path.as_ref().and_then(|path| path.parent());
            let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
            words.invoke_file_saved(size, shared(&folder))
        }
        Stage::Failed(failure) => {
            let why = super::phrases::failure(words, failure);
            if file.can_go_on() { words.invoke_file_ask_again(why, nick) } else { why }
        }
    }
}

fn time_left(words: &Words<'_>, seconds: u64) -> SharedString {
    let rounded = |unit: u64| i32::try_from(seconds.div_ceil(unit)).unwrap_or(i32::MAX);
    match seconds {
        0..100 => words.invoke_seconds(rounded(1).max(1)),
        100..6_000 => words.invoke_minutes(rounded(60)),
        _ => words.invoke_hours(rounded(3_600)),
    }
}
