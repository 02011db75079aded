//! Kernels and delays: work whose end is known unless its rate changes.

use network::Network;
use task::Step;
use trace::{Category, SpanId};
use units::Seconds;

use crate::lane::{Compute, Delay, Place};
use crate::queue::Event;
use crate::simulation::Simulation;
use crate::{Driver, EngineError};

impl<D: Driver, N: Network> Simulation<'_, D, N> {
    pub(crate) fn start_compute(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        time: Seconds,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        self.begin(lane, step)?;
        let factor = self
            .jitter
            .as_mut()
            .map_or(1.0, |jitter| jitter.factor(lane as usize));
        let state = &mut self.lanes[lane as usize];
        let left_secs = time.as_secs() * factor / state.speed;
        let rate = self.options.contention.compute_rate(state.account.active());
        let compute = Compute {
            place,
            started: self.now,
            cause,
            left_secs,
            rate,
            since: self.now,
        };
        state.compute = Some(compute);
        self.predict_end(lane, left_secs / rate)
    }

    /// A category began or ended beside a running kernel: its rate may change.
    pub(crate) fn reprice_beside(
        &mut self,
        lane: u32,
        category: Category,
    ) -> Result<(), EngineError> {
        if self.options.contention.slows_beside(category) {
            self.reprice(lane)
        } else {
            Ok(())
        }
    }

    fn reprice(&mut self, lane: u32) -> Result<(), EngineError> {
        let state = &mut self.lanes[lane as usize];
        let Some(compute) = &mut state.compute else {
            return Ok(());
        };
        let rate = self.options.contention.compute_rate(state.account.active());
        if rate.to_bits() == compute.rate.to_bits() {
            return Ok(());
        }
        let elapsed = self.now.since(compute.since).as_secs();
        compute.left_secs = (compute.left_secs - elapsed * compute.rate).max(0.0);
        compute.rate = rate;
        compute.since = self.now;
        let left_secs = compute.left_secs / rate;
        self.predict_end(lane, left_secs)
    }

    /// Queues the end of the kernel that a lane runs, in place of any end queued before.
    fn predict_end(&mut self, lane: u32, left_secs: f64) -> Result<(), EngineError> {
        let version = &mut self.lanes[lane as usize].version;
        *version += 1;
        let version = *version;
        let at = self.now.after(Seconds::from_secs(left_secs))?;
        self.queue.push(at, Event::Compute { lane, version });
        Ok(())
    }

    pub(crate) fn compute_ended(&mut self, lane: u32) -> Result<(), EngineError> {
        let Some(compute) = self.lanes[lane as usize].compute.take() else {
            return Ok(());
        };
        let step = self.step(lane, compute.place);
        let span = self.record(lane, compute.place, step, compute.started, compute.cause);
        self.end(lane, compute.place, step, span)
    }

    pub(crate) fn start_delay(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        time: Seconds,
        cause: SpanId,
    ) -> Result<(), EngineError> {
        self.begin(lane, step)?;
        let started = self.now;
        self.lanes[lane as usize].delays.push(Delay {
            place,
            started,
            cause,
        });
        let at = started.after(time)?;
        let (fragment, step) = place;
        self.queue.push(
            at,
            Event::Delay {
                lane,
                fragment,
                step,
            },
        );
        Ok(())
    }

    pub(crate) fn delay_ended(&mut self, lane: u32, place: Place) -> Result<(), EngineError> {
        let delays = &mut self.lanes[lane as usize].delays;
        let Some(at) = delays.iter().position(|delay| delay.place == place) else {
            return Ok(());
        };
        let delay = delays.swap_remove(at);
        let step = self.step(lane, place);
        let span = self.record(lane, place, step, delay.started, delay.cause);
        self.end(lane, place, step, span)
    }
}
