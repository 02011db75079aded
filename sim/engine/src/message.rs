//! Point-to-point messages: in order on each channel, numbered by micro-batch.

use std::collections::VecDeque;

use network::Network;
use task::{Step, Work};
use trace::{Category, NO_INDEX, Pass, SpanId};
use units::{Bytes, Seconds, SimTime};

use crate::lane::Place;
use crate::queue::Event;
use crate::simulation::{Owner, Simulation};
use crate::{Driver, EngineError};

/// A message on its way or arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
    pub(crate) started: SimTime,
    /// The sender's step that produced it.
    pub(crate) cause: SpanId,
    /// The sender's pass.
    pub(crate) pass: Pass,
    /// The span of its reception, once it has arrived.
    pub(crate) arrived: Option<SpanId>,
}

/// The state of a channel.
#[derive(Debug, Default)]
pub(crate) struct ChannelState {
    /// Messages that wait for the one before them to leave; the first is on its way where a
    /// network engine carries it.
    pub(crate) leaving: VecDeque<Message>,
    /// The moment at which the last byte of the latest message has left, on channels without
    /// a network path.
    pub(crate) free_at: SimTime,
    /// Messages past their last byte, until somebody has received them.
    pub(crate) travelling: Vec<Message>,
    /// Receives that came before their message.
    pub(crate) waiting: Vec<(u32, Place)>,
}

impl Message {
    const fn is(&self, number: u32) -> bool {
        self.number == number
    }
}

impl ChannelState {
    /// Takes a receive that waits for a message.
    pub(crate) fn take_waiting(&mut self, number: u32) -> Option<Place> {
        let at = self
            .waiting
            .iter()
            .position(|(waits_for, _)| *waits_for == number)?;
        Some(self.waiting.swap_remove(at).1)
    }

    /// Takes a message that has arrived; gives the span of its reception.
    pub(crate) fn take_arrived(&mut self, number: u32) -> Option<SpanId> {
        let at = self
            .travelling
            .iter()
            .position(|message| message.is(number) && message.arrived.is_some())?;
        Some(self.travelling.swap_remove(at).arrived.unwrap_or(NO_INDEX))
    }
}

impl<D: Driver, N: Network> Simulation<'_, D, N> {
    pub(crate) fn start_message(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        let number = self.lanes[lane as usize].fragment(place).micro_batch;
        let channels = &self.setup.lanes[lane as usize].channels;
        match step.work {
            Work::Send { channel, bytes } => {
                let message = Message {
                    number,
                    bytes,
                    started: self.now,
                    cause,
                    pass: step.pass,
                    arrived: None,
                };
                let channel = channels[usize::from(channel)];
                self.lanes[lane as usize]
                    .account
                    .take(&step.memory, self.now);
                self.lanes[lane as usize].mark_done(place, step, &self.code);
                self.lanes[lane as usize].account.free(&step.memory);
                self.send(channel, message)
            }
            Work::Receive { channel } => {
                let channel = channels[usize::from(channel)];
                self.memory_taken(lane, step);
                match self.channels[channel as usize].take_arrived(number) {
                    Some(span) => self.received(lane, place, step, span),
                    None => self.channels[channel as usize]
                        .waiting
                        .push((number, place)),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn send(&mut self, channel: u32, message: Message) -> Result<(), EngineError> {
        let link = self.setup.channels[channel as usize];
        self.activate(link.to.get(), Category::Pp)?;
        let state = &mut self.channels[channel as usize];
        if let Some(path) = link.price.path {
            state.leaving.push_back(message);
            if state.leaving.len() == 1 {
                self.submit(path, message.bytes, Owner::Channel(channel))?;
            }
            return Ok(());
        }
        let start = self.now.max(state.free_at);
        let time = link
            .price
            .rate
            .map_or(Seconds::ZERO, |rate| message.bytes / rate);
        state.free_at = start.after(time)?;
        state.travelling.push(message);
        let at = state.free_at.after(link.price.latency)?;
        self.queue.push(
            at,
            Event::Arrive {
                channel,
                message: message.number,
            },
        );
        Ok(())
    }

    pub(crate) fn arrived(&mut self, channel: u32, number: u32) -> Result<(), EngineError> {
        let to = self.setup.channels[channel as usize].to.get();
        let mut travelling = self.channels[channel as usize].travelling.iter();
        let found = travelling.position(|message| message.is(number) && message.arrived.is_none());
        let Some(at) = found else { return Ok(()) };
        let message = self.channels[channel as usize].travelling[at];
        self.deactivate(to, Category::Pp)?;
        let span = self.record_message(to, &message);
        let state = &mut self.channels[channel as usize];
        if let Some(place) = state.take_waiting(number) {
            state.travelling.swap_remove(at);
            let step = self.step(to, place);
            self.received(to, place, step, span);
        } else {
            state.travelling[at].arrived = Some(span);
        }
        Ok(())
    }

    pub(crate) fn received(&mut self, lane: u32, place: Place, step: &Step, span: SpanId) {
        self.memory_freed(lane, step);
        self.lanes[lane as usize].mark_done(place, step, &self.code);
        self.touched.push((lane, span));
    }
}
