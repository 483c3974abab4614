//! MONITOR: being told when people come and go (IRCv3 monitor).

use crate::hub::Hub;
use crate::hub::command::{Done, names, need};
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_WATCHED;
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, Message, Nick};

pub(super) fn monitor(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let verb = need(message, 0)?;
    let targets = names(message.params.get(1).copied().unwrap_or_default());
    match verb {
        "+" => hub.watch(id, &targets.collect::<Vec<_>>()),
        "-" => {
            for target in targets {
                let folded = Folded::new(target);
                let Some(member) = hub.state.member_mut(id) else { return Ok(()) };
                let gone: Vec<_> = member.watched.extract_if(.., |(name, _)| *name == folded).collect();
                hub.state.unwatch(id, gone);
            }
        }
        "C" | "c" => {
            let all = hub.state.member_mut(id).map(|member| std::mem::take(&mut member.watched));
            hub.state.unwatch(id, all.unwrap_or_default());
        }
        "L" | "l" => {
            let names = hub.watched_by(id);
            if !names.is_empty() {
                hub.reply_packed(id, RPL_MONLIST, ":", &names, ',');
            }
            hub.reply(id, RPL_ENDOFMONLIST, ":End of MONITOR list");
        }
        "S" | "s" => {
            let names = hub.watched_by(id);
            hub.show_watched(id, &names);
        }
        _ => hub.reply(id, ERR_UNKNOWNCOMMAND, "MONITOR :It knows + - C L S"),
    }
    Ok(())
}

impl Hub {
    fn watched_by(&self, id: ConnectionId) -> Vec<String> {
        self.state
            .member(id)
            .map_or_else(Vec::new, |m| m.watched.iter().map(|(_, name)| name.to_string()).collect())
    }

    fn watch(&mut self, id: ConnectionId, targets: &[&str]) {
        let mut added = Vec::new();
        for (i, target) in targets.iter().enumerate() {
            let Ok(nick) = Nick::parse(target) else { continue };
            let folded = nick.fold();
            let Some(member) = self.state.member_mut(id) else { return };
            if member.watched.iter().any(|(name, _)| *name == folded) {
                continue;
            }
            if member.watched.len() >= MAX_WATCHED {
                let rest = targets[i..].join(",");
                self.reply(id, ERR_MONLISTFULL, format!("{MAX_WATCHED} {rest} :Monitor list is full"));
                break;
            }
            member.watched.push((folded.clone(), nick.as_str().into()));
            self.state.watchers.entry(folded).or_default().push(id);
            added.push(nick.to_string());
        }
        self.show_watched(id, &added);
    }

    fn show_watched(&mut self, id: ConnectionId, names: &[String]) {
        let (mut here, mut away) = (Vec::new(), Vec::new());
        for name in names {
            match self.state.find(name).and_then(|other| self.state.member(other)) {
                Some(other) => here.push(other.prefix()),
                None => away.push(name.clone()),
            }
        }
        if !here.is_empty() {
            self.reply_packed(id, RPL_MONONLINE, ":", &here, ',');
        }
        if !away.is_empty() {
            self.reply_packed(id, RPL_MONOFFLINE, ":", &away, ',');
        }
    }

    /// Tells those who watch that somebody came.
    pub(crate) fn watched_came(&mut self, id: ConnectionId) {
        let Some(member) = self.state.member(id) else { return };
        let (Some(folded), prefix) = (member.nick.as_ref().map(Nick::fold), member.prefix()) else { return };
        for watcher in self.state.watchers.get(&folded).cloned().unwrap_or_default() {
            let line = self.numeric_line(watcher, RPL_MONONLINE, format_args!(":{prefix}"));
            self.delivery.send(watcher, line, Order::News);
        }
    }

    /// Tells those who watch that a name is gone.
    pub(crate) fn watched_left(&mut self, folded: &Folded, name: &str) {
        for watcher in self.state.watchers.get(folded).cloned().unwrap_or_default() {
            let line = self.numeric_line(watcher, RPL_MONOFFLINE, format_args!(":{name}"));
            self.delivery.send(watcher, line, Order::News);
        }
    }
}
