//! Which steps start, and when.

use network::Network;
use task::{Step, Work};
use trace::SpanId;
use units::LaneId;

use crate::account::bits;
use crate::code::{MESSAGES, Wakes};
use crate::lane::Place;
use crate::rendezvous::Joined;
use crate::simulation::Simulation;
use crate::{Driver, EngineError};

impl<'a, D: Driver, N: Network> Simulation<'a, D, N> {
    pub(crate) fn start_what_is_ready(&mut self) -> Result<(), EngineError> {
        while let Some((lane, cause)) = self.touched.pop() {
            loop {
                self.refill(lane)?;
                // A send ends where it starts, which may wake more.
                let awake = self.lanes[lane as usize].take_awake();
                if awake == 0 {
                    break;
                }
                if awake & MESSAGES != 0 {
                    self.start_messages(lane, cause)?;
                }
                self.start_streams(lane, awake & !MESSAGES, cause)?;
            }
        }
        Ok(())
    }

    /// Lets ended fragments go and asks for new ones, until the window is full of work.
    fn refill(&mut self, lane: u32) -> Result<(), EngineError> {
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
        if state.exhausted
            && state.is_idle()
            && self.driver.begins_anew(LaneId::new(lane), self.now)
        {
            state.begin_anew();
        }
        while !state.exhausted && state.n_holding() < self.options.window.max(1) {
            let Some(fragment) = self.driver.next(LaneId::new(lane), self.now) else {
                state.exhausted = true;
                break;
            };
            let block = self.code.find(state.program, fragment.block);
            let block = block.ok_or_else(|| EngineError::UnknownBlock {
                lane: self.setup.lanes[lane as usize].name.clone(),
                block: fragment.block,
                n_blocks: self.programs[state.program as usize].blocks.len(),
            })?;
            state.load(fragment, block, &self.code);
        }
        Ok(())
    }

    /// Starts the sends and receives of a lane that are ready.
    fn start_messages(&mut self, lane: u32, cause: SpanId) -> Result<(), EngineError> {
        let (stirred, all) = self.lanes[lane as usize].take_stirred();
        let mut at = 0;
        while let Some(&place) = self.lanes[lane as usize].messages.get(at) {
            let state = &self.lanes[lane as usize];
            // A signal that is raised meanwhile stirs all of them.
            if !all && !state.all_are_stirred() && !stirred.contains(&place.0) {
                at += 1;
                continue;
            }
            let step = self.step(lane, place);
            if self.lanes[lane as usize].is_ready(place, step) {
                self.lanes[lane as usize].messages.remove(at);
                self.start_message(lane, place, step, cause)?;
            } else {
                at += 1;
            }
        }
        self.lanes[lane as usize].settle(stirred);
        Ok(())
    }

    /// Starts what is next and ready on some streams of a lane.
    fn start_streams(
        &mut self,
        lane: u32,
        streams: Wakes,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        for stream in bits(streams) {
            let Some(place) = self.lanes[lane as usize].head(stream, &self.code) else {
                continue;
            };
            let step = self.step(lane, place);
            if self.lanes[lane as usize].is_ready(place, step) {
                self.lanes[lane as usize].occupy(stream);
                self.start(lane, place, step, cause)?;
            }
        }
        Ok(())
    }

    pub(crate) fn step(&self, lane: u32, place: Place) -> &'a Step {
        let block = self.lanes[lane as usize].block(place);
        &self.code.block(block).steps[usize::from(place.1)]
    }

    fn start(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        match step.work {
            Work::Compute(time) => self.start_compute(lane, place, step, time, cause),
            Work::Delay(time) => self.start_delay(lane, place, step, time, cause),
            Work::Collective { group, .. } => {
                let group = self.setup.lanes[lane as usize].groups[usize::from(group)].get();
                self.join(group, Joined { lane, place }, cause)
            }
            Work::Send { .. } | Work::Receive { .. } => Ok(()),
        }
    }
}
