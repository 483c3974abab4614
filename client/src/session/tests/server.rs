//! A scripted server with a disk that lags behind, for one session.

use std::collections::VecDeque;

use super::*;

/// A line in the order of the server.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) msgid: String,
    pub(super) at: u64,
    pub(super) nick: String,
    pub(super) text: String,
    pub(super) token: Option<String>,
}

impl Stored {
    fn wire(&self, batch: &str) -> String {
        let token = self.token.as_ref().map(|token| format!(";+parlor/id={token}")).unwrap_or_default();
        let (time, nick) = (UnixMillis(self.at), &self.nick);
        format!(
            "@{batch}msgid={};time={time}{token} :{nick}!u@host.test PRIVMSG #lobby :{}",
            self.msgid, self.text
        )
    }
}

pub(super) struct Server {
    /// Msgids are sorted, tokens known, receipts wait for the disk: our kind.
    pub(super) ours: bool,
    pub(super) lines: Vec<Stored>,
    /// So many of them are on disk.
    pub(super) committed: usize,
    boot: u64,
    count: u64,
    pub(super) joined: bool,
    nick: String,
    /// On the way to the session.
    pub(super) out: VecDeque<String>,
    /// Replies that wait until so many lines are on disk.
    held: VecDeque<(usize, String)>,
    batches: u32,
    /// Every question for history.
    pub(super) asked: Vec<String>,
    pub(super) limit: usize,
    /// JOIN has no msgid, as one that is told again after a resume may.
    pub(super) bare_join: bool,
}

impl Server {
    pub(super) fn new(ours: bool) -> Server {
        Server {
            ours,
            lines: Vec::new(),
            committed: 0,
            boot: 256,
            count: 0,
            joined: false,
            nick: "me".into(),
            out: VecDeque::new(),
            held: VecDeque::new(),
            batches: 0,
            asked: Vec::new(),
            limit: 100,
            bare_join: false,
        }
    }

    fn stamp(&mut self) -> (String, u64) {
        self.count += 1;
        let at = START + self.count * 10;
        if self.ours {
            (format!("{:08x}{at:011x}{:04x}", self.boot, 0), at)
        } else {
            // In no order at all.
            (format!("{:x}-z", self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15)), at)
        }
    }

    /// Somebody says something; a token that is known says nothing again.
    pub(super) fn say(&mut self, nick: &str, text: &str, token: Option<&str>) -> usize {
        let known = |line: &Stored| self.ours && token.is_some() && line.token.as_deref() == token;
        if let Some(at) = self.lines.iter().position(known) {
            return at;
        }
        let (msgid, at) = self.stamp();
        let token = token.map(str::to_owned);
        self.lines.push(Stored { msgid, at, nick: nick.into(), text: text.into(), token });
        if !self.ours {
            self.committed = self.lines.len();
        }
        let at = self.lines.len() - 1;
        if self.joined && nick != self.nick {
            let wire = self.lines[at].wire("");
            self.out.push_back(wire);
        }
        at
    }

    pub(super) fn commit(&mut self, up_to: usize) {
        self.committed = self.committed.max(up_to.min(self.lines.len()));
        while let Some((needs, _)) = self.held.front()
            && *needs <= self.committed
        {
            self.out.extend(self.held.pop_front().map(|(_, line)| line));
        }
    }

    fn reply(&mut self, needs: usize, line: String) {
        if self.held.is_empty() && needs <= self.committed {
            self.out.push_back(line);
        } else {
            self.held.push_back((needs, line));
        }
    }

    /// The connection is gone.
    pub(super) fn hang_up(&mut self) {
        self.joined = false;
        self.out.clear();
        self.held.clear();
    }

    /// What was not on disk is gone too; those lines.
    pub(super) fn crash(&mut self) -> Vec<Stored> {
        self.hang_up();
        self.boot += 256;
        self.lines.split_off(self.committed)
    }

    fn caps(&self) -> String {
        // Without labels: the simulation has the real hub, which knows them.
        let caps = OURS.replace("labeled-response ", "");
        format!("{caps} draft/chathistory draft/event-playback soju.im/search")
    }

    /// What a session sent.
    pub(super) fn take(&mut self, line: &str) {
        let (tags, rest) = match line.strip_prefix('@').and_then(|line| line.split_once(' ')) {
            Some((tags, rest)) => (tags, rest),
            None => ("", line),
        };
        let words: Vec<&str> = rest.split(' ').collect();
        let nick = self.nick.clone();
        match words[0] {
            "CAP" if words[1] == "LS" => self.reply(0, format!(":s.test CAP * LS :{}", self.caps())),
            "CAP" if words[1] == "REQ" => {
                let list = rest.split_once(" :").expect("a list").1;
                self.reply(0, format!(":s.test CAP * ACK :{list}"));
            }
            "CAP" => {
                let sorted = if self.ours { "parlor/MSGID=sorted " } else { "" };
                self.reply(0, format!(":s.test 001 {nick} :Welcome {nick}!u@host.test"));
                let limit = self.limit;
                self.reply(0, format!(":s.test 005 {nick} SAFERATE CHATHISTORY={limit} MSGREFTYPES=msgid,timestamp {sorted}:are supported"));
                self.reply(0, format!(":s.test 422 {nick} :No MOTD"));
            }
            "JOIN" => {
                let (msgid, at) = self.stamp();
                self.joined = true;
                let time = UnixMillis(at);
                let tags =
                    if self.bare_join { String::new() } else { format!("@msgid={msgid};time={time} ") };
                self.reply(0, format!("{tags}:{nick}!u@host.test JOIN #lobby"));
                self.reply(0, format!(":s.test 353 {nick} = #lobby :{nick} @bob"));
                self.reply(0, format!(":s.test 366 {nick} #lobby :End"));
            }
            "PING" => {
                let needs = self.lines.len();
                self.reply(needs, format!(":s.test PONG s.test {}", words[1]));
            }
            "PRIVMSG" => {
                let token = tags.strip_prefix("+parlor/id=").expect("our tag");
                let text = rest.split_once(" :").expect("a text").1;
                let at = self.say(&nick, text, Some(token));
                let wire = self.lines[at].wire("");
                self.reply(at + 1, wire);
            }
            "CHATHISTORY" => self.history(rest, &words),
            "SEARCH" => self.search(words[1]),
            _ => {}
        }
    }

    fn history(&mut self, line: &str, words: &[&str]) {
        self.asked.push(line.to_owned());
        let limit: usize = words[words.len() - 1].parse().expect("a limit");
        assert!(limit <= self.limit, "{line}");
        let msgid = words[3].strip_prefix("msgid=").unwrap_or_default().to_owned();
        let found = self.lines.iter().position(|line| line.msgid == msgid);
        let (before, after) = match found {
            Some(at) => (at, at + 1),
            // By its position.
            None if self.ours => {
                let at = self.lines.iter().filter(|line| line.msgid < msgid).count();
                (at, at)
            }
            None if words[3].starts_with("timestamp=") => {
                let time = words[3].trim_start_matches("timestamp=");
                let at = self.lines.iter().filter(|line| *UnixMillis(line.at).to_string() <= *time).count();
                (at, at)
            }
            None if words[1] != "LATEST" => {
                let fail = format!(":s.test FAIL CHATHISTORY INVALID_PARAMS {} #lobby :Unknown", words[1]);
                return self.reply(self.lines.len(), fail);
            }
            None => (0, 0),
        };
        let all = self.lines.len();
        let (from, to) = match words[1] {
            "LATEST" => (all.saturating_sub(limit), all),
            "AFTER" => (after, all.min(after + limit)),
            "BEFORE" => (before.saturating_sub(limit), before),
            "AROUND" => (before.saturating_sub(limit / 2), all.min(before + limit - limit / 2)),
            other => panic!("{other}?"),
        };
        let page: Vec<Stored> = self.lines[from..to].to_vec();
        self.batch("chathistory #lobby", &page);
    }

    fn search(&mut self, attributes: &str) {
        self.asked.push(attributes.to_owned());
        let get =
            |name: &str| attributes.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let text = get("text").expect("a text").replace("\\s", " ");
        let before = get("before").map(str::to_owned);
        let limit: usize = get("limit").expect("a limit").parse().expect("a number");
        let fits = |line: &&Stored| {
            line.text.contains(&text)
                && before.as_ref().is_none_or(|before| UnixMillis(line.at).to_string() < *before)
        };
        let page: Vec<Stored> = self.lines.iter().rev().filter(fits).take(limit).cloned().collect();
        self.batch("soju.im/search", &page);
    }

    fn batch(&mut self, what: &str, page: &[Stored]) {
        self.batches += 1;
        let (number, needs) = (self.batches, self.lines.len());
        self.reply(needs, format!(":s.test BATCH +{number} {what}"));
        for line in page {
            self.reply(needs, line.wire(&format!("batch={number};")));
        }
        self.reply(needs, format!(":s.test BATCH -{number}"));
    }
}

/// A session and its server.
pub(super) struct Pair {
    pub(super) world: World,
    pub(super) server: Server,
}

impl Pair {
    pub(super) fn new(ours: bool) -> Pair {
        Pair { world: World::new(profile("me")), server: Server::new(ours) }
    }

    /// Those lines that the session sent arrive.
    pub(super) fn carry_up(&mut self) {
        if let Some(call) = std::mem::take(&mut self.world.calls).pop() {
            self.server.hang_up();
            self.world.sent.clear();
            if call == "connect" {
                self.world.give(Input::Connected(Login::default()));
            }
        }
        for line in std::mem::take(&mut self.world.sent) {
            self.server.take(&line);
        }
    }

    /// So many lines arrive at the session.
    pub(super) fn carry_down(&mut self, count: usize) {
        for _ in 0..count {
            let Some(line) = self.server.out.pop_front() else { return };
            self.world.server(&line);
        }
    }

    pub(super) fn cut(&mut self) {
        self.server.hang_up();
        self.world.sent.clear();
        self.world.give(Input::Lost(GONE));
    }

    /// Everything arrives, and all is on disk.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.carry_up();
            self.server.commit(usize::MAX);
            self.carry_down(usize::MAX);
            let waiting = matches!(self.world.screen.status, Some(Status::Reconnecting { .. }));
            if waiting {
                self.world.seconds(61);
            }
            if !waiting
                && self.world.sent.is_empty()
                && self.world.calls.is_empty()
                && self.server.out.is_empty()
            {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    pub(super) fn lobby(&self) -> &[Line] {
        self.world.screen.lines("#lobby")
    }

    pub(super) fn gaps(&self) -> Vec<(usize, Delivery)> {
        let gaps = self.lobby().iter().enumerate().filter(|(_, line)| line.kind() == LineKind::Gap);
        gaps.map(|(at, line)| (at, line.state())).collect()
    }

    /// The timeline has what the server has, in its order.
    pub(super) fn assert_same(&self, what: &str) {
        let ours: Vec<(String, &str)> = self
            .lobby()
            .iter()
            .filter(|line| line.is_talk())
            .map(|line| (line.msgid().unwrap_or_default().into_owned(), line.text()))
            .collect();
        let theirs: Vec<(String, &str)> =
            self.server.lines.iter().map(|line| (line.msgid.clone(), &*line.text)).collect();
        if ours != theirs {
            let at = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
            panic!(
                "{what}: {} lines, not {}; from {at} on {:?} not {:?}",
                ours.len(),
                theirs.len(),
                ours.iter().skip(at).take(4).collect::<Vec<_>>(),
                theirs.iter().skip(at).take(4).collect::<Vec<_>>()
            );
        }
    }

    pub(super) fn older_until_the_top(&mut self) {
        for _ in 0..1000 {
            let Some((at, _)) = self.gaps().first().copied() else { return };
            let gap = self.lobby()[at].id();
            self.world.act(Action::Fill { key: Key::new("#lobby"), gap });
            self.settle();
        }
        panic!(
            "there is no top: {:?} {:?}",
            self.gaps(),
            self.server.asked.iter().rev().take(8).collect::<Vec<_>>()
        );
    }
}
