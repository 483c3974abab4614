//! A server of the cluster is gone, and with it all of its members: one netsplit for those who stay (IRCv3 netsplit).

use crate::hub::Hub;
use crate::hub::delivery::event::What;
use crate::hub::delivery::output::Output;
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::Speaker;
use crate::hub::state::room::RoomId;
use crate::protocol::Capability;
use crate::protocol::tag::{BATCH, batch::NETSPLIT};

impl Hub {
    /// Takes the members of a server out of everything.
    pub(super) fn split(&mut self, server: u32) {
        if self.state.is_this_server(server) {
            // Its members hear of it otherwise, from whoever began it.
            return;
        }
        let gone = self.state.members_of(server);
        if gone.is_empty() {
            return;
        }
        // Two names of servers, as programs expect it.
        let name = format!("server{server}.{}", self.state.settings.name);
        let reason = format!("{} {name}", self.state.settings.name);
        let batch = self.delivery.next_batch();
        let batched = self.readers_of_batches(&gone);
        let begin = self.server_line(format_args!("BATCH +{batch} {NETSPLIT} {reason}"));
        batched.iter().for_each(|id| self.delivery.send(*id, begin.clone(), Order::News));
        let tag = format!("{BATCH}={batch}");
        for id in &gone {
            self.quit_in_batch(*id, &reason, &tag);
        }
        let end = self.server_line(format_args!("BATCH -{batch}"));
        batched.iter().for_each(|id| self.delivery.send(*id, end.clone(), Order::News));
        let rest = self.state.population.registered;
        self.delivery.output(Output::Warn(format!(
            "cluster: {name} is gone, and with it {} members; {rest} are left",
            gone.len()
        )));
    }

    /// Those of here who share a room with one of these, and asked for batches.
    fn readers_of_batches(&self, gone: &[ConnectionId]) -> Vec<ConnectionId> {
        let mut rooms: Vec<RoomId> = Vec::new();
        for room in gone.iter().flat_map(|id| self.state.rooms_of(*id)) {
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        self.state.all_who(|id, member| {
            let reads = member.speaker == Speaker::Irc && member.has(Capability::Batch) && !id.is_remote();
            reads && member.rooms.iter().any(|place| rooms.contains(&place.room))
        })
    }

    fn quit_in_batch(&mut self, id: ConnectionId, reason: &str, tag: &str) {
        let what = || What::Quit { reason };
        let event = self.event(id, what());
        let batches = Capability::Batch;
        let mut tagged = self.event_beside(Some(id), what());
        (tagged.id, tagged.batch) = (event.id, tag);
        self.tell_neighbours(id, &tagged, |caps| caps.has(batches));
        self.tell_neighbours(id, &event, |caps| !caps.has(batches));
        self.record_everywhere(id, &event);
        self.narrate("", &event);
        self.go_without_a_word(id);
    }
}
