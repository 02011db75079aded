//! A made-up run: all forward passes through a pipeline, then all backward passes.

use trace::{
    Category, Detail, Lane, MemoryKind, MemorySample, NO_INDEX, Pass, Span, SpanId, StreamKind,
    Trace,
};
use units::{ClassId, LaneId, Seconds, SimTime};

/// How large the run is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) stages: u32,
    pub(crate) ranks: u32,
    pub(crate) micro_batches: u32,
    pub(crate) layers: u32,
}

pub(crate) const SMALL: Size = Size {
    stages: 2,
    ranks: 2,
    micro_batches: 2,
    layers: 2,
};

const LAYER: u64 = 2_500_500;
const REDUCE: u64 = 700_250;
const MESSAGE: u64 = 300_125;

/// A kernel and a reduction per layer, a message between stages, and at the end a reduction of
/// gradients and an optimizer step. Times are picoseconds.
pub(crate) fn pipeline(size: Size) -> Trace {
    let mut run = Run::new(size);
    for micro_batch in 0..size.micro_batches {
        for stage in 0..size.stages {
            run.pass(micro_batch, stage, stage.checked_sub(1));
            run.remember(stage, u64::from(micro_batch + 1) * 1_000);
        }
    }
    run.pass = Pass::Backward;
    for micro_batch in (0..size.micro_batches).rev() {
        for stage in (0..size.stages).rev() {
            run.pass(
                micro_batch,
                stage,
                (stage + 1 < size.stages).then_some(stage + 1),
            );
            run.remember(stage, u64::from(micro_batch) * 1_000);
        }
    }
    run.pass = Pass::Optimizer;
    for stage in 0..size.stages {
        let dp = (StreamKind::Dp, Category::Dp);
        run.span(stage, dp, "grad reduce-scatter", 5_000_000, None);
        run.free(stage);
        run.span(
            stage,
            (StreamKind::Compute, Category::Optimizer),
            "adam",
            3_000_000,
            None,
        );
    }
    run.finish()
}

struct Run {
    size: Size,
    trace: Trace,
    /// By stage: the moment up to which it has worked, the span that ended then.
    now: Vec<(u64, SpanId)>,
    pass: Pass,
}

impl Run {
    fn new(size: Size) -> Self {
        let lane = |stage: u32| Lane {
            class: ClassId::new(stage),
            name: format!("stage {stage}"),
            stage,
            ranks: (stage * size.ranks..(stage + 1) * size.ranks).collect(),
            resident: [5_000, 0, 0, 0, 0, 0, 0],
        };
        let kernel = |name: &str, secs| Detail {
            name: name.to_owned(),
            time: Seconds::from_secs(secs),
        };
        let trace = Trace {
            lanes: (0..size.stages).map(lane).collect(),
            details: vec![vec![
                kernel("qkv", 1e-6),
                kernel("attention", 0.5e-6),
                kernel("mlp", 0.7e-6),
            ]],
            ..Trace::default()
        };
        Self {
            size,
            trace,
            now: vec![(0, NO_INDEX); size.stages as usize],
            pass: Pass::Forward,
        }
    }

    fn span(
        &mut self,
        stage: u32,
        (stream, category): (StreamKind, Category),
        name: &str,
        time: u64,
        micro_batch: Option<u32>,
    ) {
        let name = self.trace.names.intern(name);
        let (start, cause) = self.now[stage as usize];
        let end = start + time;
        let id = u32::try_from(self.trace.spans.len()).expect("the run is small");
        self.trace.spans.push(Span {
            lane: LaneId::new(stage),
            stream,
            category,
            name,
            pass: self.pass,
            start: SimTime::from_picos(start),
            end: SimTime::from_picos(end),
            micro_batch: micro_batch.unwrap_or(NO_INDEX),
            stage: micro_batch.map_or(NO_INDEX, |_| stage),
            cause,
            detail: if category == Category::Compute && time != 0 {
                0
            } else {
                NO_INDEX
            },
        });
        self.now[stage as usize] = (end, id);
    }

    fn pass(&mut self, micro_batch: u32, stage: u32, from: Option<u32>) {
        let sent = from.map(|from| self.now[from as usize]);
        let own = self.now[stage as usize];
        if let Some(sent) = sent {
            self.now[stage as usize] = sent;
            self.span(
                stage,
                (StreamKind::Pp, Category::Pp),
                "receive",
                MESSAGE,
                Some(micro_batch),
            );
            if self.now[stage as usize].0 < own.0 {
                self.now[stage as usize] = own;
            }
        }
        for _ in 0..self.size.layers {
            let compute = (StreamKind::Compute, Category::Compute);
            self.span(stage, compute, "layer", LAYER, Some(micro_batch));
            self.span(
                stage,
                (StreamKind::Tp, Category::Tp),
                "tp all-reduce",
                REDUCE,
                Some(micro_batch),
            );
        }
        self.span(
            stage,
            (StreamKind::Compute, Category::Compute),
            "host",
            0,
            Some(micro_batch),
        );
    }

    fn remember(&mut self, stage: u32, bytes: u64) {
        self.trace.memory.push(MemorySample {
            lane: LaneId::new(stage),
            time: SimTime::from_picos(self.now[stage as usize].0),
            kind: MemoryKind::Activations,
            bytes,
        });
    }

    fn free(&mut self, stage: u32) {
        self.remember(stage, 0);
    }

    /// The spans in the order in which they end, the samples in order of time.
    fn finish(mut self) -> Trace {
        let mut order: Vec<usize> = (0..self.trace.spans.len()).collect();
        order.sort_by_key(|&at| (self.trace.spans[at].end, at));
        let mut place = vec![NO_INDEX; order.len()];
        for (id, &at) in (0..).zip(&order) {
            place[at] = id;
        }
        let old = std::mem::take(&mut self.trace.spans);
        for at in order {
            let mut span = old[at];
            span.cause = place.get(span.cause as usize).copied().unwrap_or(NO_INDEX);
            self.trace.end = self.trace.end.max(span.end);
            self.trace.spans.push(span);
        }
        self.trace.memory.sort_by_key(|sample| sample.time);
        self.trace
    }
}
