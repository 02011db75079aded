//! Accounts and the trace.

use network::Network;
use task::Step;
use trace::{Category, Link, MemorySample, NO_INDEX, Span, SpanId, StreamKind};
use units::{LaneId, SimTime};

use crate::lane::Place;
use crate::message::Message;
use crate::simulation::{Simulation, index};
use crate::{Driver, EngineError};

impl<D: Driver, N: Network> Simulation<'_, D, N> {
    pub(crate) fn begin(&mut self, lane: u32, step: &Step) -> Result<(), EngineError> {
        self.activate(lane, step.category)?;
        self.memory_taken(lane, step);
        Ok(())
    }

    pub(crate) fn end(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        span: SpanId,
    ) -> Result<(), EngineError> {
        self.deactivate(lane, step.category)?;
        self.memory_freed(lane, step);
        let state = &mut self.lanes[lane as usize];
        state.mark_done(place, step, &self.code);
        state.vacate(step.stream.index());
        self.touched.push((lane, span));
        Ok(())
    }

    /// Counts the time of a lane for a category from now on; a running kernel may slow down.
    pub(crate) fn activate(&mut self, lane: u32, category: Category) -> Result<(), EngineError> {
        self.lanes[lane as usize].account.begin(category, self.now);
        self.reprice_beside(lane, category)
    }

    /// The reverse of [`Simulation::activate`].
    pub(crate) fn deactivate(&mut self, lane: u32, category: Category) -> Result<(), EngineError> {
        self.lanes[lane as usize].account.end(category, self.now);
        self.reprice_beside(lane, category)
    }

    pub(crate) fn memory_taken(&mut self, lane: u32, step: &Step) {
        if self.lanes[lane as usize]
            .account
            .take(&step.memory, self.now)
        {
            self.sample_memory(lane, step);
        }
    }

    pub(crate) fn memory_freed(&mut self, lane: u32, step: &Step) {
        if self.lanes[lane as usize].account.free(&step.memory) {
            self.sample_memory(lane, step);
        }
    }

    pub(crate) fn sample_memory(&mut self, lane: u32, step: &Step) {
        let Some(trace) = &mut self.trace else { return };
        for effect in &step.memory {
            let resident = self.setup.lanes[lane as usize].resident[effect.kind.index()];
            let bytes = self.lanes[lane as usize].account.level(effect.kind) - resident;
            let (time, kind) = (self.now, effect.kind);
            trace.memory.push(MemorySample {
                lane: LaneId::new(lane),
                time,
                kind,
                bytes,
            });
        }
    }

    pub(crate) fn record(
        &mut self,
        lane: u32,
        place: Place,
        step: &Step,
        start: SimTime,
        cause: SpanId,
    ) -> SpanId {
        let Some(trace) = &mut self.trace else {
            return self.link(step.category, start, cause);
        };
        let fragment = self.lanes[lane as usize].fragment(place);
        let name = trace.names.intern(&step.name);
        trace.spans.push(Span {
            lane: LaneId::new(lane),
            stream: step.stream,
            category: step.category,
            pass: step.pass,
            name,
            start,
            end: self.now,
            micro_batch: fragment.micro_batch,
            stage: fragment.stage,
            cause,
            detail: step.detail,
        });
        index(trace.spans.len() - 1)
    }

    pub(crate) fn record_message(&mut self, lane: u32, message: &Message) -> SpanId {
        let Message {
            number: micro_batch,
            started: start,
            cause,
            pass,
            ..
        } = *message;
        let Some(trace) = &mut self.trace else {
            return self.link(Category::Pp, start, cause);
        };
        let name = trace.names.intern("receive");
        trace.spans.push(Span {
            lane: LaneId::new(lane),
            stream: StreamKind::Pp,
            category: Category::Pp,
            pass,
            name,
            start,
            end: self.now,
            micro_batch,
            stage: NO_INDEX,
            cause,
            detail: NO_INDEX,
        });
        index(trace.spans.len() - 1)
    }

    /// Keeps of a span that ends now what leads to its cause, where that is asked for.
    fn link(&mut self, category: Category, start: SimTime, cause: SpanId) -> SpanId {
        let Some(causes) = &mut self.causes else {
            return NO_INDEX;
        };
        causes.push(Link {
            start,
            end: self.now,
            cause,
            category,
        });
        causes.last_id().unwrap_or(NO_INDEX)
    }
}
