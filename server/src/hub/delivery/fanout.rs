//! One event to many readers: written once for each form, and what follows each other for the same
//! people goes to each of them in one piece.
//!
//! The lines of a room stand in blocks, one for each form of its readers. What somebody has yet to
//! be sent is a piece of a block; the next line of the room makes that piece longer, so the second
//! line of a room costs its readers next to nothing. A sender hears nothing of its own lines: it gets
//! two pieces. [`Delivery::drain`] ends all blocks.

use std::rc::Rc;

use crate::hub::delivery::event::Event;
use crate::hub::delivery::form::Form;
use crate::hub::delivery::lines::{Line, Lines};
use crate::hub::delivery::output::Output;
use crate::hub::delivery::{Delivery, Reader};
use crate::hub::state::ConnectionId;
use crate::hub::state::room::{RoomId, Seat};

/// Bytes of a block; then another one is begun.
const MAX_BLOCK: usize = 64 * 1024;
/// Blocks that are looked through for that of a room: where more rooms than these are talked in at
/// the same moment, lines stand in more blocks than they had to.
const LOOKED_THROUGH: usize = 16;

/// Lines of one room for one form, one after the other.
#[derive(Debug)]
struct Block {
    /// `None`: of one event alone.
    room: Option<RoomId>,
    form: Form,
    text: String,
}

/// A piece of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Piece {
    block: u32,
    start: u32,
    end: u32,
}

/// What is to be done, in order.
#[derive(Debug)]
enum Queued {
    Output(Output),
    Piece(ConnectionId, Piece),
}

/// What the hub wants done since the last [`drain`](Delivery::drain).
#[derive(Debug, Default)]
pub(super) struct Outputs {
    queued: Vec<Queued>,
    blocks: Vec<Block>,
    /// Whose last piece is not queued yet, by place.
    growing: Vec<u32>,
    /// Bytes in the blocks.
    bytes: usize,
}

impl Outputs {
    /// Queues what concerns no connection's lines.
    pub(super) fn push(&mut self, output: Output) {
        self.queued.push(Queued::Output(output));
    }

    /// Writes an event for a form, where others of the room are likely to follow.
    fn write(&mut self, event: &Event<'_>, room: Option<RoomId>, form: Form) -> Option<Piece> {
        let last = self.blocks.len().saturating_sub(LOOKED_THROUGH);
        let fits = |block: &Block| block.room == room && block.form == form && block.text.len() < MAX_BLOCK;
        // Raw clients take what comes at once for one message.
        let found = match (room, form) {
            (None, _) | (_, Form::Raw(_)) => None,
            _ => self.blocks.iter().skip(last).rposition(fits).map(|at| last + at),
        };
        let number = found.unwrap_or_else(|| {
            self.blocks.push(Block { room, form, text: String::with_capacity(160) });
            self.blocks.len() - 1
        });
        let text = &mut self.blocks.get_mut(number)?.text;
        let start = text.len();
        if !event.write(form, text) {
            return None;
        }
        self.bytes += text.len() - start;
        Some(Piece { block: number as u32, start: start as u32, end: text.len() as u32 })
    }
}

/// An event on its way: written at most once for each form.
struct Written {
    pieces: [Option<Option<Piece>>; Form::COUNT],
}

impl Default for Written {
    fn default() -> Written {
        Written { pieces: [None; Form::COUNT] }
    }
}

impl Written {
    fn piece(&mut self, form: Form, write: impl FnOnce() -> Option<Piece>) -> Option<Piece> {
        *self.pieces.get_mut(form.index()?)?.get_or_insert_with(write)
    }
}

impl<P> Delivery<P> {
    /// Sends an event to whom it is for of the people in these seats. `room`: that of the seats, if
    /// nearly all of them are told.
    pub(crate) fn fan_out<'s>(
        &mut self,
        room: Option<RoomId>,
        seats: impl IntoIterator<Item = &'s Seat>,
        event: &Event<'_>,
        mut to: impl FnMut(&Seat, &Reader<P>) -> bool,
    ) {
        let mut written = Written::default();
        let Delivery { readers, outputs, .. } = self;
        for seat in seats {
            let Some(reader) = readers.get_mut(seat.member.slot as usize) else { continue };
            if to(seat, reader)
                && let Some(piece) = written.piece(reader.form, || outputs.write(event, room, reader.form))
            {
                reader.add(seat.member, piece, outputs);
            }
        }
    }

    /// As [`fan_out`](Self::fan_out), but once to each, however many of the seats somebody has.
    pub(crate) fn fan_out_once<'s>(
        &mut self,
        seats: impl IntoIterator<Item = &'s Seat>,
        event: &Event<'_>,
        except: ConnectionId,
        to: impl Fn(&Reader<P>) -> bool,
    ) {
        self.epoch = self.epoch.wrapping_add(1);
        let mut written = Written::default();
        let Delivery { readers, outputs, epoch, .. } = self;
        for seat in seats {
            let Some(reader) = readers.get_mut(seat.member.slot as usize) else { continue };
            if reader.mark != *epoch && seat.member != except && to(reader) {
                reader.mark = *epoch;
                if let Some(piece) = written.piece(reader.form, || outputs.write(event, None, reader.form)) {
                    reader.add(seat.member, piece, outputs);
                }
            }
        }
    }

    /// Whether the last event that went to everybody [once](Self::fan_out_once) went to this one.
    pub(crate) fn was_told(&self, id: ConnectionId) -> bool {
        self.readers.get(id.slot as usize).is_some_and(|reader| reader.mark == self.epoch)
    }

    /// Queues a line for one connection.
    pub(super) fn line(&mut self, to: ConnectionId, line: Line) {
        self.outputs.bytes += line.len();
        self.queue_for(to, Output::Lines { to, lines: line.into() });
    }

    /// Queues something behind what a connection was sent before.
    pub(super) fn queue_for(&mut self, id: ConnectionId, output: Output) {
        if let Some(reader) = self.readers.get_mut(id.slot as usize) {
            reader.end_piece(id.slot, &mut self.outputs);
        }
        self.outputs.queued.push(Queued::Output(output));
    }

    /// Bytes that are to be sent since the last [`drain`](Self::drain).
    pub(crate) fn bytes(&self) -> usize {
        self.outputs.bytes
    }

    /// What is to be done since the last call, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Output> {
        let Delivery { readers, outputs, .. } = self;
        let mut growing = std::mem::take(&mut outputs.growing);
        for slot in growing.drain(..) {
            if let Some(reader) = readers.get_mut(slot as usize) {
                reader.end_piece(slot, outputs);
            }
        }
        outputs.growing = growing;
        outputs.bytes = 0;
        let blocks = outputs.blocks.drain(..);
        let blocks: Vec<Rc<[u8]>> = blocks.map(|block| block.text.into_bytes().into()).collect();
        outputs.queued.drain(..).filter_map(move |queued| match queued {
            Queued::Output(output) => Some(output),
            Queued::Piece(to, Piece { block, start, end }) => {
                let block = Rc::clone(blocks.get(block as usize)?);
                Some(Output::Lines { to, lines: Lines::new(block, start..end) })
            }
        })
    }
}

impl<P> Reader<P> {
    /// Adds a piece to what this reader gets.
    fn add(&mut self, to: ConnectionId, piece: Piece, outputs: &mut Outputs) {
        if self.piece.block == piece.block && self.piece.end == piece.start && self.piece.end > 0 {
            self.piece.end = piece.end;
            return;
        }
        if self.piece == Piece::default() {
            outputs.growing.push(to.slot);
        } else {
            outputs.queued.push(Queued::Piece(to, self.piece));
        }
        self.piece = piece;
    }

    /// Queues the piece that grew until now.
    fn end_piece(&mut self, slot: u32, outputs: &mut Outputs) {
        let piece = std::mem::take(&mut self.piece);
        if piece != Piece::default() {
            let id = ConnectionId { slot, generation: self.generation };
            outputs.queued.push(Queued::Piece(id, piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::HashMap;

    use super::*;
    use crate::hub::delivery::echo::Storage;
    use crate::hub::delivery::event::What;
    use crate::hub::delivery::form::Irc;
    use crate::hub::delivery::queue::Order;
    use crate::hub::state::member::{RawKind, Source};
    use crate::hub::state::room::{Rank, Rooms};
    use crate::protocol::command::Verb;
    use crate::protocol::{Capabilities, MsgId, RoomName, time::UnixMillis};

    const IRC: Form =
        Form::Irc(Irc { time: false, tags: false, extended_join: false, account: false, multiline: false });

    fn id(slot: u32) -> ConnectionId {
        ConnectionId { slot, generation: 1 }
    }

    /// A room of readers of these forms.
    fn room_of(forms: &[Form]) -> (Delivery<()>, Rooms, RoomId) {
        let (mut delivery, mut rooms) = (Delivery::new("here", Storage::Memory), Rooms::default());
        let room = rooms.create(RoomName::parse("#a").unwrap(), UnixMillis(1), false);
        for (slot, form) in forms.iter().enumerate() {
            delivery.open(id(slot as u32));
            delivery.set_form(id(slot as u32), Capabilities::default(), *form);
            rooms.get_mut(room).unwrap().sit(id(slot as u32), Rank::NONE);
        }
        (delivery, rooms, room)
    }

    fn say(delivery: &mut Delivery<()>, (rooms, room): (&Rooms, RoomId), by: u32, text: &str) {
        let from = Source {
            nick: "x".into(),
            prefix: "x".into(),
            account: None,
            author: Default::default(),
            bot: false,
        };
        let what = What::Message { verb: Verb::Privmsg, target: "#a", text, private: false };
        let event = Event {
            id: MsgId::default(),
            from: Cow::Owned(from),
            tags: "",
            what,
            volatile: false,
            batch: "",
        };
        let seats = rooms.get(room).unwrap().seats();
        delivery.fan_out(Some(room), seats, &event, |seat, _| seat.member != id(by));
    }

    /// What everybody is sent, a text for each piece.
    fn sent(delivery: &mut Delivery<()>) -> HashMap<u32, Vec<String>> {
        let mut sent: HashMap<u32, Vec<String>> = HashMap::new();
        for output in delivery.drain() {
            let (slot, text) = match output {
                Output::Lines { to, lines } => (to.slot, String::from_utf8_lossy(&lines).into_owned()),
                Output::Close { id } => (id.slot, "closed".into()),
                _ => continue,
            };
            sent.entry(slot).or_default().push(text.replace(":x PRIVMSG #a :", "").replace("\r\n", ";"));
        }
        sent
    }

    #[test]
    fn what_follows_each_other_is_one_piece_but_for_its_sender() {
        let (mut delivery, rooms, room) = room_of(&[IRC, IRC, IRC]);
        for (by, text) in [(0, "1"), (0, "2"), (1, "3"), (0, "4"), (1, "5")] {
            say(&mut delivery, (&rooms, room), by, text);
        }
        assert!(delivery.bytes() > 0);
        let expected = [(0, vec!["3;", "5;"]), (1, vec!["1;2;", "4;"]), (2, vec!["1;2;3;4;5;"])];
        let expected = expected.map(|(slot, pieces)| (slot, pieces.into_iter().map(String::from).collect()));
        assert_eq!(sent(&mut delivery), HashMap::from(expected));
        assert_eq!((delivery.bytes(), sent(&mut delivery).len()), (0, 0));
    }

    #[test]
    fn what_goes_to_one_connection_keeps_its_place_between_lines_of_the_room() {
        let (mut delivery, rooms, room) = room_of(&[IRC, IRC]);
        say(&mut delivery, (&rooms, room), 1, "1");
        delivery.send(id(0), Line::from(&b"own;"[..]), Order::Reply);
        say(&mut delivery, (&rooms, room), 1, "2");
        delivery.close(id(0));
        delivery.output(Output::Close { id: id(0) });
        say(&mut delivery, (&rooms, room), 1, "3");
        assert_eq!(sent(&mut delivery)[&0], ["1;", "own;", "2;", "closed"]);
    }

    #[test]
    fn each_form_has_its_own_bytes_and_raw_clients_get_messages_one_by_one() {
        let (mut delivery, rooms, room) =
            room_of(&[IRC, Form::Plain, Form::Raw(RawKind::Bare), Form::Silent]);
        say(&mut delivery, (&rooms, room), 9, "1");
        say(&mut delivery, (&rooms, room), 9, "2");
        let sent = sent(&mut delivery);
        assert_eq!(sent[&0], ["1;2;"]);
        assert_eq!(sent[&1], ["<x> 1\n<x> 2\n"]);
        assert_eq!(sent[&2], ["x: 1\n", "x: 2\n"]);
        assert!(!sent.contains_key(&3));
    }

    #[test]
    fn a_block_has_a_bound_and_nothing_is_lost_at_it() {
        let (mut delivery, rooms, room) = room_of(&[IRC, IRC]);
        let text = "y".repeat(400);
        for _ in 0..1000 {
            say(&mut delivery, (&rooms, room), 1, &text);
        }
        let pieces = &sent(&mut delivery)[&0];
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= MAX_BLOCK + 512));
        assert_eq!(pieces.concat(), format!("{text};").repeat(1000));
    }
}
