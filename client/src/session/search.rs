//! Finding lines: in the server's history where it can search (`soju.im/search`), else here.

use std::collections::HashSet;

use parlor_server::protocol::Capability;
use parlor_server::protocol::message::escape;

use super::event::{Event, Found};
use super::line::{Line, LineId};
use super::page::{PageLine, Query};
use super::{Key, Session, UnixMillis};

/// Lines of one page of results.
const PAGE: usize = 50;

/// The search under way.
#[derive(Debug)]
pub(super) struct Search {
    key: Key,
    text: String,
    /// The server looks for it.
    remote: bool,
    first: bool,
    /// Only what was said before is of interest.
    before: Option<UnixMillis>,
    /// What was told already: by msgid, or here by id.
    told: HashSet<String>,
    here: HashSet<LineId>,
}

impl Session {
    pub(super) fn find(&mut self, key: &Key, text: &str) {
        let key = self.known(key).unwrap_or_else(Key::server);
        let remote = self.is_ready()
            && self.caps.has(Capability::Search)
            && self.conversations.get(&key).is_some_and(|conversation| conversation.joined)
            && self.is_room(&key);
        let (told, here) = Default::default();
        self.search =
            Some(Search { key, text: text.to_owned(), remote, first: true, before: None, told, here });
        self.questions.retain(|question| question.query != Query::Search);
        self.find_on();
    }

    pub(super) fn find_more(&mut self, key: &Key) {
        let key = self.known(key);
        let under_way = self.questions.iter().any(|question| question.query == Query::Search);
        if self.search.as_ref().is_some_and(|search| Some(&search.key) == key.as_ref()) && !under_way {
            self.find_on();
        }
    }

    fn find_on(&mut self) {
        let Some(search) = &self.search else { return };
        let key = search.key.clone();
        if search.text.trim().is_empty() || !search.remote || !self.is_ready() {
            return self.find_locally(&key);
        }
        let Some(name) = self.conversations.get(&key).map(|conversation| escape(&conversation.name)) else {
            return self.find_locally(&key);
        };
        // Bounds are by time: those of the same millisecond come again, and are dropped.
        let before = search.before.map_or_else(String::new, |at| format!(";before={}", UnixMillis(at.0 + 1)));
        let text = escape(search.text.trim());
        let line = format!("SEARCH in={name};text={text}{before};limit={PAGE}");
        if !self.ask_history(&key, Query::Search, None, &line) {
            self.find_locally(&key);
        }
    }

    /// A page of results has come.
    pub(super) fn found(&mut self, key: &Key, page: Vec<PageLine>) {
        let page: Vec<Line> = page.into_iter().map(|entry| self.dress(key, entry.line)).collect();
        let Some(search) = self.search.as_mut().filter(|search| search.key == *key) else { return };
        let full = page.len() >= PAGE;
        let mut lines: Vec<Line> = page;
        lines.sort_by_key(|line| std::cmp::Reverse((line.at().0, line.position())));
        search.before = lines.last().map(Line::at).or(search.before);
        lines.retain(|line| {
            let name = line.msgid().map_or_else(|| format!("{} {}", line.at(), line.text()), Into::into);
            search.told.insert(name)
        });
        let log = self.conversations.get(key).map(|conversation| &conversation.log);
        for line in &mut lines {
            let here = log.and_then(|log| log.get(log.by_msgid(&line.msgid()?)?));
            *line = here.unwrap_or(line).clone();
        }
        let more = full && !lines.is_empty();
        lines.retain(|line| line.deleted().is_none());
        let (text, first) = (search.text.clone(), std::mem::take(&mut search.first));
        self.tell(Event::Found(Found { key: key.clone(), text, lines, first, more, local: false }));
    }

    /// The next page of what is here.
    pub(super) fn find_locally(&mut self, key: &Key) {
        let Some(search) = self.search.as_mut().filter(|search| search.key == *key) else { return };
        search.remote = false;
        let words: Vec<String> = search.text.split_whitespace().map(str::to_lowercase).collect();
        let has = |line: &&Line| {
            let text = format!("{} {}", line.from(), line.text()).to_lowercase();
            !words.is_empty() && words.iter().all(|word| text.contains(word))
        };
        let log = self.conversations.get(key).map(|conversation| &conversation.log);
        let talk = log
            .into_iter()
            .flat_map(|log| log.iter().rev())
            .filter(|line| line.is_talk() && line.deleted().is_none());
        let untold = talk.filter(|line| {
            !search.here.contains(&line.id()) && line.msgid().is_none_or(|id| !search.told.contains(&*id))
        });
        let mut lines: Vec<Line> = untold.filter(has).take(PAGE + 1).cloned().collect();
        let more = lines.len() > PAGE;
        lines.truncate(PAGE);
        search.here.extend(lines.iter().map(Line::id));
        let (text, first) = (search.text.clone(), std::mem::take(&mut search.first));
        self.tell(Event::Found(Found { key: key.clone(), text, lines, first, more, local: true }));
    }
}
