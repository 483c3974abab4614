//! One event to many readers: written once for each form.

use crate::hub::delivery::event::Event;
use crate::hub::delivery::form::Form;
use crate::hub::delivery::output::Line;
use crate::hub::delivery::output::Output;
use crate::hub::delivery::{Delivery, Reader};
use crate::hub::state::ConnectionId;
use crate::hub::state::room::Seat;

/// An event on its way: written at most once for each form.
pub(crate) struct Fanout<'a> {
    event: &'a Event<'a>,
    lines: [Option<Option<Line>>; Form::COUNT],
}

impl<'a> Fanout<'a> {
    pub(crate) fn new(event: &'a Event<'a>) -> Fanout<'a> {
        Fanout { event, lines: Default::default() }
    }

    /// The line for readers of this form; `None` if they are not told.
    pub(crate) fn line(&mut self, form: Form) -> Option<Line> {
        let cell = self.lines.get_mut(form.index()?)?;
        cell.get_or_insert_with(|| self.event.line(form)).clone()
    }
}

impl<P> Delivery<P> {
    /// Sends an event to whom it is for of the people in these seats.
    pub(crate) fn fan_out<'s>(
        &mut self,
        seats: impl IntoIterator<Item = &'s Seat>,
        event: &Event<'_>,
        mut to: impl FnMut(&Seat, &Reader<P>) -> bool,
    ) {
        let mut fanout = Fanout::new(event);
        for seat in seats {
            let Some(reader) = self.readers.get(seat.member.slot as usize) else { continue };
            if to(seat, reader)
                && let Some(line) = fanout.line(reader.form)
            {
                self.out.push(Output::Line { to: seat.member, line });
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
        let mut fanout = Fanout::new(event);
        for seat in seats {
            let Some(reader) = self.readers.get_mut(seat.member.slot as usize) else { continue };
            if reader.mark != self.epoch
                && seat.member != except
                && to(reader)
                && let Some(line) = fanout.line(reader.form)
            {
                reader.mark = self.epoch;
                self.out.push(Output::Line { to: seat.member, line });
            }
        }
    }
}
