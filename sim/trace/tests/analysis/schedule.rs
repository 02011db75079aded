//! A small list scheduler: random programs to traces that hold to the rules.
//!
//! Tasks come in order; each waits for its stream (kernels and collectives), for the tasks that
//! it depends on, and, as a collective, for all its lanes. The same program with other
//! durations is what a faster run would really do.

use proptest::prelude::*;
use trace::{Category, NO_INDEX, Span, SpanId, StreamKind, Trace};
use units::LaneId;

use crate::fixtures::{at, lanes};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Kernels on one lane.
    Kernel(Category),
    /// A collective of all lanes.
    Collective(StreamKind, Category),
    /// A message to a lane; it starts when what it depends on ends.
    Message,
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    kind: Kind,
    lane: u32,
    time: u64,
    /// Time between release and start.
    gap: u64,
    /// How many tasks back the ones lie that it depends on.
    after: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) n_lanes: u32,
    pub(crate) tasks: Vec<Task>,
}

pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let kind = prop_oneof![
        4 => Just(Kind::Kernel(Category::Compute)),
        1 => Just(Kind::Kernel(Category::Optimizer)),
        2 => Just(Kind::Collective(StreamKind::Tp, Category::Tp)),
        1 => Just(Kind::Collective(StreamKind::Dp, Category::Dp)),
        2 => Just(Kind::Message),
    ];
    let after = prop::collection::vec(1_usize..12, 0..3);
    let gap = prop_oneof![3 => Just(0), 1 => 1_u64..9];
    let task = (kind, 0_u32..4, 0_u64..50, gap, after);
    (1_u32..5, prop::collection::vec(task, 0..120)).prop_map(|(n_lanes, tasks)| {
        let task = |(kind, lane, time, gap, after)| Task {
            kind,
            lane: lane % n_lanes,
            time,
            gap,
            after,
        };
        Program {
            n_lanes,
            tasks: tasks.into_iter().map(task).collect(),
        }
    })
}

/// What a task became on one lane.
struct Done {
    task: usize,
    span: Span,
}

struct Scheduler {
    done: Vec<Done>,
    /// End and index of the latest on each stream of each lane, by lane and stream.
    last: Vec<(u32, StreamKind, usize)>,
}

/// Runs a program in which each task takes `time(category, picoseconds)`.
pub(crate) fn run(program: &Program, time: impl Fn(Category, u64) -> u64) -> Trace {
    let mut scheduler = Scheduler {
        done: Vec::new(),
        last: Vec::new(),
    };
    for (number, task) in program.tasks.iter().enumerate() {
        let (stream, category) = match task.kind {
            Kind::Kernel(category) => (StreamKind::Compute, category),
            Kind::Collective(stream, category) => (stream, category),
            Kind::Message => (StreamKind::Pp, Category::Pp),
        };
        let members = match task.kind {
            Kind::Collective(..) => (0..program.n_lanes).collect(),
            _ => vec![task.lane],
        };
        let gap = if matches!(task.kind, Kind::Message) {
            0
        } else {
            task.gap
        };
        let (released, cause) = scheduler.release(number, task, &members, stream);
        let start = released + gap;
        let end = start + time(category, task.time);
        for lane in members {
            scheduler.push(number, lane, (stream, category), (start, end), cause);
        }
    }
    scheduler.into_trace(program.n_lanes)
}

impl Scheduler {
    /// When everything that a task waits for has ended, and what of it ended last.
    fn release(
        &self,
        number: usize,
        task: &Task,
        members: &[u32],
        stream: StreamKind,
    ) -> (u64, Option<usize>) {
        let named =
            |done: &&(usize, &Done)| task.after.iter().any(|back| done.1.task + back == number);
        let of_stream = self.last.iter().filter(|(lane, of, _)| {
            *of == stream && stream != StreamKind::Pp && members.contains(lane)
        });
        let depends = self
            .done
            .iter()
            .enumerate()
            .filter(|done| named(&done))
            .map(|(at, _)| at);
        of_stream
            .map(|(_, _, at)| *at)
            .chain(depends)
            .map(|at| (self.done[at].span.end.as_picos(), Some(at)))
            .max()
            .unwrap_or((0, None))
    }

    fn push(
        &mut self,
        task: usize,
        lane: u32,
        (stream, category): (StreamKind, Category),
        (start, end): (u64, u64),
        cause: Option<usize>,
    ) {
        let cause = cause.map_or(NO_INDEX, |at| {
            u32::try_from(at).expect("programs are small")
        });
        let lane_id = LaneId::new(lane);
        let (start, end) = (at(start), at(end));
        let micro_batch = u32::try_from(task % 4).expect("less than 4");
        let span = Span {
            lane: lane_id,
            stream,
            category,
            name: 0,
            pass: trace::Pass::None,
            start,
            end,
            micro_batch,
            stage: lane,
            cause,
            detail: NO_INDEX,
        };
        self.last
            .retain(|(of, which, _)| (*of, *which) != (lane, stream));
        self.last.push((lane, stream, self.done.len()));
        self.done.push(Done { task, span });
    }

    /// The spans in the order in which they end.
    fn into_trace(self, n_lanes: u32) -> Trace {
        let mut trace = lanes(n_lanes);
        trace.names.intern("task");
        let mut order: Vec<usize> = (0..self.done.len()).collect();
        order.sort_by_key(|&at| (self.done[at].span.end, at));
        let mut place: Vec<SpanId> = vec![NO_INDEX; order.len()];
        for (id, &at) in (0..).zip(&order) {
            place[at] = id;
        }
        for at in order {
            let mut span = self.done[at].span;
            span.cause = place.get(span.cause as usize).copied().unwrap_or(NO_INDEX);
            trace.end = trace.end.max(span.end);
            trace.spans.push(span);
        }
        trace
    }
}
