//! Runs made by hand.

use std::sync::Arc;

use timeline::{Placement, Timeline};
use trace::{
    Category, Detail, Lane, LinkStretch, LinkTrack, MemoryKind, MemorySample, NO_INDEX, Pass, Span,
    SpanId, StreamKind, Trace,
};
use units::{BytesPerSec, ClassId, LaneId, Seconds, SimTime};

/// A microsecond in picoseconds.
pub(crate) const US: u64 = 1_000_000;

pub(crate) fn at(picos: u64) -> SimTime {
    SimTime::from_picos(picos)
}

fn lane(index: u32) -> Lane {
    Lane {
        class: ClassId::new(index),
        name: format!("stage {index}"),
        stage: index,
        ranks: (8 * index..8 * index + 8).collect(),
        resident: [20 << 30, 10 << 30, 15 << 30, 0, 0, 0, 0],
    }
}

/// Writes spans down as they are made; the trace sorts them in the end.
#[derive(Default)]
struct Draft {
    trace: Trace,
    /// The cause of each span, by its place in the draft.
    drafted: Vec<Span>,
}

struct Work {
    lane: u32,
    stream: StreamKind,
    category: Category,
    pass: Pass,
    name: &'static str,
    micro_batch: u32,
}

impl Draft {
    fn push(&mut self, work: &Work, (start, length): (u64, u64), cause: SpanId) -> SpanId {
        let name = self.trace.names.intern(work.name);
        self.drafted.push(Span {
            lane: LaneId::new(work.lane),
            stream: work.stream,
            category: work.category,
            name,
            pass: work.pass,
            start: at(start),
            end: at(start + length),
            micro_batch: work.micro_batch,
            stage: work.lane,
            cause,
            detail: if work.stream == StreamKind::Compute {
                0
            } else {
                NO_INDEX
            },
        });
        u32::try_from(self.drafted.len() - 1).expect("drafts are short")
    }

    fn end_of(&self, id: SpanId) -> u64 {
        let span = self.drafted.get(id as usize);
        span.map_or(0, |span| span.end.as_picos())
    }

    /// Spans in the order in which they ended, as traces have them.
    fn finish(mut self) -> Trace {
        let mut order: Vec<usize> = (0..self.drafted.len()).collect();
        order.sort_by_key(|&at| (self.drafted[at].end, at));
        let mut place = vec![0; order.len()];
        for (id, &at) in (0..).zip(&order) {
            place[at] = id;
        }
        for &at in &order {
            let mut span = self.drafted[at];
            span.cause = place.get(span.cause as usize).copied().unwrap_or(NO_INDEX);
            self.trace.end = self.trace.end.max(span.end);
            self.trace.spans.push(span);
        }
        self.trace.memory.sort_by_key(|sample| sample.time);
        self.trace.details = vec![vec![
            detail("attention", 30e-6),
            detail("mlp", 50e-6),
            detail("layer norm", 4e-6),
        ]];
        self.trace.check().expect("drafts keep the rules");
        self.trace
    }
}

fn detail(name: &str, secs: f64) -> Detail {
    Detail {
        name: name.to_owned(),
        time: Seconds::from_secs(secs),
    }
}

/// A pipeline that runs all forward passes, then all backward passes, each pass in kernels with a
/// tensor-parallel reduction behind each, then reduces gradients and steps.
pub(crate) fn pipeline(stages: u32, micro_batches: u32, layers: u32) -> Trace {
    let mut draft = Draft::default();
    draft.trace.lanes = (0..stages).map(lane).collect();
    let mut free = vec![0; stages as usize];
    let mut last = vec![NO_INDEX; stages as usize];
    for backward in [false, true] {
        for micro_batch in 0..micro_batches {
            let mut message = NO_INDEX;
            for step in 0..stages {
                let lane = if backward { stages - 1 - step } else { step };
                let place = lane as usize;
                let cause = if free[place] < draft.end_of(message) {
                    message
                } else {
                    last[place]
                };
                let start = free[place].max(draft.end_of(message));
                let (end, id) = pass(
                    &mut draft,
                    (lane, micro_batch, layers),
                    backward,
                    (start, cause),
                );
                (free[place], last[place]) = (end, id);
                memory(
                    &mut draft,
                    lane,
                    end,
                    (micro_batch, micro_batches),
                    backward,
                );
                let work = Work {
                    lane,
                    stream: StreamKind::Pp,
                    category: Category::Pp,
                    pass: if backward {
                        Pass::Backward
                    } else {
                        Pass::Forward
                    },
                    name: "send",
                    micro_batch,
                };
                if step + 1 < stages {
                    message = draft.push(&work, (end, 25 * US), id);
                }
            }
        }
    }
    for lane in 0..stages {
        let (start, cause) = (free[lane as usize], last[lane as usize]);
        let work = |stream, category, pass, name| Work {
            lane,
            stream,
            category,
            pass,
            name,
            micro_batch: NO_INDEX,
        };
        let reduce = work(StreamKind::Dp, Category::Dp, Pass::None, "reduce gradients");
        let reduced = draft.push(&reduce, (start, 300 * US), cause);
        let adam = work(
            StreamKind::Compute,
            Category::Optimizer,
            Pass::Optimizer,
            "adam",
        );
        draft.push(&adam, (start + 300 * US, 120 * US), reduced);
    }
    links(&mut draft);
    draft.finish()
}

/// One pass of one micro-batch on one lane; its end and its last span.
fn pass(
    draft: &mut Draft,
    (lane, micro_batch, layers): (u32, u32, u32),
    backward: bool,
    (mut now, mut cause): (u64, SpanId),
) -> (u64, SpanId) {
    let kernel = if backward { 150 * US } else { 80 * US };
    let pass = if backward {
        Pass::Backward
    } else {
        Pass::Forward
    };
    for layer in 0..layers {
        let compute = Work {
            lane,
            stream: StreamKind::Compute,
            category: Category::Compute,
            pass,
            name: if layer % 2 == 0 { "attention" } else { "mlp" },
            micro_batch,
        };
        let longer = u64::from(layer % 3) * 7 * US;
        cause = draft.push(&compute, (now, kernel + longer), cause);
        now += kernel + longer;
        let reduce = Work {
            stream: StreamKind::Tp,
            category: Category::Tp,
            name: "all-reduce",
            ..compute
        };
        cause = draft.push(&reduce, (now, 20 * US), cause);
        now += 20 * US;
    }
    (now, cause)
}

fn memory(draft: &mut Draft, lane: u32, end: u64, (done, all): (u32, u32), backward: bool) {
    let held = if backward { all - done - 1 } else { done + 1 };
    draft.trace.memory.push(MemorySample {
        lane: LaneId::new(lane),
        time: at(end),
        kind: MemoryKind::Activations,
        bytes: (u64::from(held) * 3) << 30,
    });
}

fn links(draft: &mut Draft) {
    let end = draft.drafted.iter().map(|span| span.end.as_picos()).max();
    let n = (end.unwrap_or(0) / (300 * US)).min(12);
    for name in ["leaf0->spine0 up", "spine0->leaf0 down"] {
        let stretches: Vec<_> = (0..n)
            .map(|n| LinkStretch {
                from: at(n * 300 * US),
                to: at(n * 300 * US + 120 * US),
                kind: 0,
                rate: 4e9 * (1 + n) as f64,
            })
            .collect();
        let rate = BytesPerSec::from_gbits(400.0).expect("it is positive");
        let kinds = vec!["pp".to_owned()];
        let track = LinkTrack::new(name.to_owned(), (1, rate), kinds, &stretches, 1_000);
        draft.trace.links.push(track);
    }
}

/// A lane on which a reduction runs while the host issues, both longer than a column, and more kernels
/// than columns follow.
pub(crate) fn two_at_once() -> Trace {
    let mut draft = Draft::default();
    draft.trace.lanes = vec![lane(0)];
    let mut push = |stream, category, name, ends| {
        let work = Work {
            lane: 0,
            stream,
            category,
            pass: Pass::Forward,
            name,
            micro_batch: 0,
        };
        draft.push(&work, ends, NO_INDEX)
    };
    push(StreamKind::Dp, Category::Dp, "reduce", (100 * US, 100 * US));
    push(StreamKind::Offload, Category::Other, "issue", (0, 400 * US));
    for at in 0..3_000 {
        let ends = (400 * US + at * US / 10, US / 20);
        push(StreamKind::Compute, Category::Compute, "kernel", ends);
    }
    draft.finish()
}

/// Four stages of eight ranks.
pub(crate) fn four_stages() -> Arc<Timeline> {
    timeline(pipeline(4, 6, 2))
}

pub(crate) fn timeline(trace: Trace) -> Arc<Timeline> {
    let placement = Placement {
        node_of_rank: (0..64).map(|rank| rank / 16).collect(),
        replica_of_rank: (0..64).map(|rank| rank % 2).collect(),
        memory_limit: Some(80 << 30),
    };
    Arc::new(Timeline::new(Arc::new(trace), placement))
}
