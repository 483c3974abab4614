//! TOPIC.

use crate::hub::delivery::event::What;
use crate::hub::state::limits::MAX_TOPIC;
use crate::hub::state::room::{RoomId, Topic};
use crate::hub::{ConnectionId, Hub, Line};
use crate::protocol::Numeric::*;

impl Hub {
    pub(crate) fn topic(&mut self, id: ConnectionId, name: &str, topic: Option<&str>) {
        let Some(topic) = topic else {
            let visible = self.rooms.find(name).filter(|room| self.sees(id, *room));
            return match visible {
                Some(room) if self.rooms.get(room).is_some_and(|room| room.topic.is_none()) => {
                    self.reply(id, RPL_NOTOPIC, format!("{name} :No topic is set"));
                }
                Some(room) => self.show_topic(id, room),
                None => self.no_such_room(id, name),
            };
        };
        let Some(room) = self.joined_room(id, name) else { return };
        let by_operators = self.rooms.get(room).is_some_and(|room| room.flags.topic_by_operators);
        if by_operators && !self.is_operator(id, room) {
            return self.operator_needed(id, name);
        }
        if topic.len() > MAX_TOPIC {
            return self.too_long(id);
        }
        let (setter, at) = (self.source(id).prefix, self.now.wall);
        let Some(state) = self.rooms.get_mut(room) else { return };
        let name = state.name.to_string();
        state.topic = (!topic.is_empty()).then(|| Topic { text: topic.into(), setter, at });
        let event = self.event(id, What::Topic { room: &name, text: topic });
        self.happens(id, room, &name, &event);
        self.changed(room);
        self.tell(id, &event);
    }

    pub(crate) fn show_topic(&mut self, id: ConnectionId, room: RoomId) {
        for line in self.topic_lines(id, room) {
            self.send_reply(id, line);
        }
    }

    /// RPL_TOPIC and RPL_TOPICWHOTIME; nothing without a topic.
    pub(crate) fn topic_lines(&self, id: ConnectionId, room: RoomId) -> Vec<Line> {
        let Some(room) = self.rooms.get(room) else { return Vec::new() };
        let (Some(topic), name) = (&room.topic, &room.name) else { return Vec::new() };
        let (text, setter, at) = (&topic.text, &topic.setter, topic.at.seconds());
        vec![
            self.numeric_line(id, RPL_TOPIC, format_args!("{name} :{text}")),
            self.numeric_line(id, RPL_TOPICWHOTIME, format_args!("{name} {setter} {at}")),
        ]
    }
}
