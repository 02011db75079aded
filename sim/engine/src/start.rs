//! Which steps start, and when.

use network::Network;
use task::{Program, Step, Work};
use trace::{SpanId, StreamKind};
use units::LaneId;

use crate::lane::Place;
use crate::queue::Event;
use crate::rendezvous::Joined;
use crate::simulation::Simulation;
use crate::{Driver, EngineError};

impl<'a, D: Driver, N: Network> Simulation<'a, D, N> {
    pub(crate) fn start_what_is_ready(&mut self) -> Result<(), EngineError> {
        while let Some((lane, cause)) = self.touched.pop() {
            self.refill(lane)?;
            while self.start_one_round(lane, cause)? {
                self.refill(lane)?;
            }
        }
        Ok(())
    }

    /// Lets ended fragments go and asks for new ones, until the window is full of work.
    pub(crate) fn refill(&mut self, lane: u32) -> Result<(), EngineError> {
        loop {
            self.load(lane)?;
            // A fragment without steps has ended as soon as it is there.
            let Some(fragment) = self.lanes[lane as usize].retire() else {
                return Ok(());
            };
            self.driver.finished(LaneId::new(lane), &fragment, self.now);
        }
    }

    fn load(&mut self, lane: u32) -> Result<(), EngineError> {
        let state = &mut self.lanes[lane as usize];
        let setup = &self.setup.lanes[lane as usize];
        let program = &self.programs[setup.program as usize];
        while !state.exhausted && state.n_open() < self.options.window.max(1) {
            let Some(fragment) = self.driver.next(LaneId::new(lane), self.now) else {
                state.exhausted = true;
                break;
            };
            let block = program.blocks.get(fragment.block as usize).ok_or_else(|| {
                EngineError::UnknownBlock {
                    lane: setup.name.clone(),
                    block: fragment.block,
                    n_blocks: program.blocks.len(),
                }
            })?;
            state.load(fragment, block);
        }
        Ok(())
    }

    pub(crate) fn start_one_round(
        &mut self,
        lane: u32,
        cause: SpanId,
    ) -> Result<bool, EngineError> {
        let mut any = false;
        let mut at = 0;
        while at < self.lanes[lane as usize].messages.len() {
            let place = self.lanes[lane as usize].messages[at];
            let step = self.step(lane, place);
            if self.lanes[lane as usize].is_ready(place, step) {
                self.lanes[lane as usize].messages.remove(at);
                self.start_message(lane, place, step, cause)?;
                any = true;
            } else {
                at += 1;
            }
        }
        for stream in 0..StreamKind::ALL.len() {
            let state = &self.lanes[lane as usize];
            if state.streams[stream].running.is_some() {
                continue;
            }
            let Some(&place) = state.streams[stream].queue.front() else {
                continue;
            };
            let step = self.step(lane, place);
            if self.lanes[lane as usize].is_ready(place, step) {
                let stream = &mut self.lanes[lane as usize].streams[stream];
                stream.queue.pop_front();
                stream.running = Some((self.now, cause));
                self.start(lane, place, step, cause)?;
                any = true;
            }
        }
        Ok(any)
    }

    pub(crate) fn step(&self, lane: u32, place: Place) -> &'a Step {
        let block = self.lanes[lane as usize].fragment(place).block;
        let program: &'a Program = &self.programs[self.setup.lanes[lane as usize].program as usize];
        &program.blocks[block as usize].steps[usize::from(place.1)]
    }

    pub(crate) fn start(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        match step.work {
            Work::Compute(time) => self.start_compute(lane, place, step, time, cause),
            Work::Delay(time) => {
                self.begin(lane, step);
                let at = self.now.after(time)?;
                self.queue.push(
                    at,
                    Event::Delay {
                        lane,
                        fragment: place.0,
                        step: place.1,
                    },
                );
                Ok(())
            }
            Work::Collective { group, .. } => {
                let group = self.setup.lanes[lane as usize].groups[usize::from(group)].get();
                self.join(group, Joined { lane, place }, cause)
            }
            Work::Send { .. } | Work::Receive { .. } => Ok(()),
        }
    }
}
