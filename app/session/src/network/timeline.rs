//! A network workload as a timeline: its messages on lanes of their senders, and its busiest links.

use std::collections::BTreeMap;

use ::traffic::{Keep, Times};
use cluster::Topology as _;
use trace::{Category, Lane, MemoryKind, NO_INDEX, Pass, Span, SpanId, StreamKind, Trace};
use units::{ClassId, HostId, LaneId};

use super::{NetworkAnswer, Traffic};

/// Messages that become spans at most.
const MOST: u64 = 100_000;

impl Traffic {
    /// What a run keeps for [`Traffic::timeline`].
    pub fn keep_for_timeline(&self) -> Keep {
        if self.program.n_messages() <= MOST {
            Keep::MessagesAndLoads
        } else {
            Keep::Loads
        }
    }

    /// A timeline: a span for each message on the lane of its sender, unless there are too many, and
    /// so many of the busiest links. The lanes have no ranks.
    pub fn timeline(&self, answer: &NetworkAnswer, most: usize) -> Trace {
        let mut trace = self.link_trace(answer, most);
        let n = self.program.n_messages();
        if n <= MOST && answer.messages.times.len() as u64 == n {
            self.add_messages(&answer.messages.times, &mut trace);
        }
        trace
    }

    fn add_messages(&self, times: &[Times], trace: &mut Trace) {
        let lanes = self.senders(trace);
        let first = self.program.first_messages();
        let streams = self.program.streams().iter().enumerate();
        let messages =
            streams.flat_map(|(at, stream)| (0..stream.steps).map(move |step| (at, step)));
        let mut order: Vec<(usize, (usize, u32))> = messages.enumerate().collect();
        order.sort_by_key(|(message, _)| (times[*message].finish, times[*message].released));
        let mut span_of: Vec<SpanId> = vec![NO_INDEX; times.len()];
        for (span, (message, _)) in (0..).zip(&order) {
            span_of[*message] = span;
        }
        for (own, (message, (at, step))) in (0..).zip(order) {
            let stream = &self.program.streams()[at];
            let cause = self.cause(times, &first, (at, step));
            let cause = cause.map_or(NO_INDEX, |cause| span_of[cause]);
            let name = format!("to {}", self.fabric.host_name(stream.dst));
            let times = &times[message];
            trace.spans.push(Span {
                lane: lanes.get(&stream.src).copied().unwrap_or(LaneId::new(0)),
                stream: StreamKind::Host,
                category: Category::Other,
                pass: Pass::None,
                name: trace.names.intern(&name),
                start: times.released,
                end: times.finish.max(times.released),
                micro_batch: NO_INDEX,
                stage: NO_INDEX,
                cause: if cause < own { cause } else { NO_INDEX },
                detail: NO_INDEX,
            });
        }
    }

    /// A lane for each host that sends.
    fn senders(&self, trace: &mut Trace) -> BTreeMap<HostId, LaneId> {
        let streams = self.program.streams().iter();
        let mut lanes: BTreeMap<HostId, LaneId> =
            streams.map(|stream| (stream.src, LaneId::new(0))).collect();
        for (at, (host, lane)) in (0..).zip(&mut lanes) {
            *lane = LaneId::new(at);
            trace.lanes.push(Lane {
                class: ClassId::new(at),
                name: self.fabric.host_name(*host),
                stage: 0,
                ranks: Vec::new(),
                resident: [0; MemoryKind::ALL.len()],
            });
        }
        lanes
    }

    /// The message that released a message last: the one before it in its stream, or one that its
    /// stream waits for.
    fn cause(&self, times: &[Times], first: &[usize], (at, step): (usize, u32)) -> Option<usize> {
        let own = &self.program.streams()[at];
        let released = times[first[at] + step as usize].released;
        let before = step.checked_sub(own.window).map(|step| (at, step));
        let waits = self.program.waits(at).iter().filter_map(|wait| {
            let (stream, step) = (wait.stream as usize, step.checked_sub(wait.lag)?);
            let steps = self.program.streams()[stream].steps;
            (step < steps).then_some((stream, step))
        });
        let messages = before.into_iter().chain(waits);
        let messages = messages.map(|(stream, step)| first[stream] + step as usize);
        messages
            .filter(|message| times[*message].finish <= released)
            .max_by_key(|message| times[*message].finish)
    }
}

#[cfg(test)]
mod tests {
    use units::Control;

    use crate::Draft;

    #[test]
    fn every_message_is_a_span_of_its_sender_and_the_last_one_ends_the_run() {
        let draft = Draft::example("spray-vs-singlepath").unwrap();
        let traffic = draft.open().unwrap().traffic().unwrap();
        let answer = traffic
            .run(traffic.keep_for_timeline(), &Control::new())
            .unwrap();
        let trace = traffic.timeline(&answer, 64);
        trace.check().unwrap();
        assert_eq!(trace.spans.len() as u64, traffic.program.n_messages());
        assert_eq!(trace.end, answer.makespan);
        assert_eq!(trace.spans.last().unwrap().end, answer.makespan);
        assert_eq!(trace.lanes.len(), 64);
        assert_eq!(trace.lanes[3].name, "n3");
        assert!(!trace.links.is_empty());
    }

    #[test]
    fn a_step_of_a_ring_follows_what_its_sender_received() {
        let draft = Draft::example("spray-vs-singlepath").unwrap();
        let draft = draft.set("settings.engine", "flow").unwrap();
        let draft = draft.set("workload.collective", "ring").unwrap();
        let traffic = draft.open().unwrap().traffic().unwrap();
        let answer = traffic
            .run(traffic.keep_for_timeline(), &Control::new())
            .unwrap();
        let trace = traffic.timeline(&answer, 64);
        trace.check().unwrap();
        let path = trace::critical_path(&trace);
        assert!(60 < path.segments.len(), "{}", path.segments.len());
        assert!(path.waiting.as_picos() * 10 < trace.end.as_picos());
    }
}
