//! Hand-made traces. Times are picoseconds.

use trace::{Category, Lane, MemoryKind, MemorySample, NO_INDEX, Span, SpanId, StreamKind, Trace};
use units::{ClassId, LaneId, SimTime};

pub(crate) fn at(picos: u64) -> SimTime {
    SimTime::from_picos(picos)
}

pub(crate) fn lane(index: u32) -> Lane {
    Lane {
        class: ClassId::new(index),
        name: format!("stage {index}"),
        stage: index,
        ranks: vec![2 * index, 2 * index + 1],
        resident: [0; MemoryKind::ALL.len()],
    }
}

pub(crate) fn lanes(n: u32) -> Trace {
    Trace {
        lanes: (0..n).map(lane).collect(),
        ..Trace::default()
    }
}

/// Appends a span of micro-batch 0 and moves the end of the trace.
pub(crate) fn push(
    trace: &mut Trace,
    lane: u32,
    (stream, category): (StreamKind, Category),
    name: &str,
    (start, end): (u64, u64),
    cause: SpanId,
) -> SpanId {
    let name = trace.names.intern(name);
    trace.spans.push(Span {
        lane: LaneId::new(lane),
        stream,
        category,
        name,
        pass: trace::Pass::None,
        start: at(start),
        end: at(end),
        micro_batch: 0,
        stage: lane,
        cause,
        detail: NO_INDEX,
    });
    trace.end = trace.end.max(at(end));
    u32::try_from(trace.spans.len() - 1).expect("fixtures are small")
}

pub(crate) const COMPUTE: (StreamKind, Category) = (StreamKind::Compute, Category::Compute);
pub(crate) const TP: (StreamKind, Category) = (StreamKind::Tp, Category::Tp);
pub(crate) const DP: (StreamKind, Category) = (StreamKind::Dp, Category::Dp);
pub(crate) const PP: (StreamKind, Category) = (StreamKind::Pp, Category::Pp);

/// Two stages, one micro-batch; a message takes 20, a kernel waits 5 for its launch, and a
/// reduction of 30 hides half behind the backward pass of stage 0.
///
/// ```text
/// stage 1        ·······└receive┘·└──forward─┘└──backward─┘ ····················
/// stage 0  └forward┘····································└receive┘└backward┘└tail┘
///                                                                   └dp┘
/// 0        0      100   120 125          225      345     365      465
/// ```
pub(crate) fn two_stages() -> Trace {
    let mut trace = lanes(2);
    let forward = push(&mut trace, 0, COMPUTE, "forward", (0, 100), NO_INDEX);
    let receive = push(&mut trace, 1, PP, "receive", (100, 120), forward);
    let forward = push(&mut trace, 1, COMPUTE, "forward", (125, 225), receive);
    let backward = push(&mut trace, 1, COMPUTE, "backward", (225, 345), forward);
    let receive = push(&mut trace, 0, PP, "receive", (345, 365), backward);
    let backward = push(&mut trace, 0, COMPUTE, "backward", (365, 465), receive);
    push(&mut trace, 0, DP, "reduce", (450, 480), receive);
    let _ = backward;
    trace
}

/// Activations of lane 0 go 0, 5, 8, 2 beside weights of 10; lane 1 holds 3 of logits.
pub(crate) fn with_memory() -> Trace {
    let mut trace = two_stages();
    trace.lanes[0].resident[MemoryKind::Weights.index()] = 10;
    let mut sample = |lane, time, kind, bytes| {
        trace.memory.push(MemorySample {
            lane: LaneId::new(lane),
            time: at(time),
            kind,
            bytes,
        });
    };
    sample(0, 0, MemoryKind::Activations, 5);
    sample(0, 50, MemoryKind::Activations, 8);
    sample(1, 125, MemoryKind::Logits, 3);
    sample(0, 465, MemoryKind::Activations, 2);
    trace
}
