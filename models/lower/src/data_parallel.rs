//! What data parallelism adds to the blocks of a chunk.

use plan::{Plan, Shards};
use profile::CollectiveKind;
use task::{Slot, Step, Work};
use trace::{Category, StreamKind};
use units::Bytes;
use workload::Job;
use workload::ops::Axis;

use crate::framework::{Framework, Reshard};
use crate::slots::{Slots, flow, gather_for_pass};

/// One collective of a sequence, for a payload of one byte a parameter element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// The slot of its group.
    pub slot: Slot,
    /// The operation.
    pub kind: CollectiveKind,
    /// Its size (nccl-tests' sense) over the size of the whole buffer on the rank.
    pub share: f64,
}

/// How one set of parameters travels: dense ones or those of routed experts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// Collectives that sum its gradients, in order.
    pub reduce: Vec<Stage>,
    /// How many of them run after every micro-batch where gradients are kept in shards; the
    /// others sum over ranks that keep the same shard, once an iteration.
    pub each: usize,
    /// Collectives that bring its parameters back after the optimizer step, in order.
    pub gather: Vec<Stage>,
    /// Collectives that bring its parameters in front of a pass, where weights are sharded.
    pub pass: Vec<Stage>,
}

/// When gradients are summed and parameters gathered.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switch is a flag of a framework"
)]
pub struct DataParallel {
    /// Parameters outside routed experts.
    pub dense: Flow,
    /// Parameters of routed experts.
    pub expert: Flow,
    /// Weights are sharded: gathered before each pass, freed after it (`ZeRO`-3, FSDP).
    pub gather_each_pass: bool,
    /// Weights stay gathered between the forward and the backward pass.
    pub keep_after_forward: bool,
    /// Weights are gathered once, stay until the last backward pass of the iteration, and
    /// gradients are summed behind that one alone.
    pub gather_once: bool,
    /// Gradients are reduced after every micro-batch, since their sum is kept in shards.
    pub reduce_each: bool,
    /// Reduction runs beside the backward pass.
    pub overlap_reduce: bool,
    /// Gathering after the optimizer step runs beside the next forward pass.
    pub overlap_gather: bool,
    /// Share of what is reduced beside the backward pass that is waited for nevertheless: it
    /// comes behind the passes. Only where gradients are summed once an iteration.
    pub exposed: f64,
    /// Bytes of a gradient element on the wire.
    pub grad_bytes: f64,
    /// Bytes of a parameter element on the wire.
    pub param_bytes: f64,
}

/// Which collectives of a sum of gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those after every micro-batch.
    Each,
    /// Those once an iteration.
    Rest,
    /// Both, one after the other.
    All,
}

impl Part {
    fn of(self, flow: &Flow) -> &[Stage] {
        match self {
            Self::Each => &flow.reduce[..flow.each],
            Self::Rest => &flow.reduce[flow.each..],
            Self::All => &flow.reduce,
        }
    }
}

impl DataParallel {
    /// Whether parameters that the optimizer left in shards arrive beside the first forward
    /// passes.
    pub(crate) const fn gathers_beside(&self) -> bool {
        self.overlap_gather && !self.gather_each_pass
    }

    /// Whether gathered weights stay beyond their forward pass.
    pub(crate) const fn keeps_weights(&self) -> bool {
        self.keep_after_forward || self.gather_once
    }

    /// What runs behind a backward pass.
    ///
    /// * `last` — whether it is the last one that adds to its gradients.
    pub(crate) fn behind(&self, last: bool) -> Option<Part> {
        if last && self.overlap_reduce {
            return Some(Part::All);
        }
        self.reduce_each.then_some(Part::Each)
    }

    /// What is left behind the last backward pass of all.
    pub(crate) fn left(&self) -> Option<Part> {
        match (self.overlap_reduce, self.reduce_each) {
            (true, _) => None,
            (false, true) => Some(Part::Rest),
            (false, false) => Some(Part::All),
        }
    }

    /// The steps that sum the gradients of so many trained parameters, but for what is exposed.
    pub(crate) fn reduce_steps(&self, part: Part, dense: u64, expert: u64) -> Vec<Step> {
        self.sum_steps(part, dense, expert, 1.0 - self.exposed)
    }

    /// The steps that sum what is exposed of these gradients.
    pub(crate) fn exposed_steps(&self, dense: u64, expert: u64) -> Vec<Step> {
        self.sum_steps(Part::All, dense, expert, self.exposed)
    }

    fn sum_steps(&self, part: Part, dense: u64, expert: u64, share: f64) -> Vec<Step> {
        let mut steps = Vec::new();
        let width = self.grad_bytes * share;
        append(
            &mut steps,
            "grad-reduce",
            part.of(&self.dense),
            dense,
            width,
        );
        append(
            &mut steps,
            "expert-grad-reduce",
            part.of(&self.expert),
            expert,
            width,
        );
        steps
    }

    /// The steps that gather so many parameters in front of a pass.
    pub(crate) fn pass_steps(&self, dense: u64, expert: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        append(
            &mut steps,
            "weight-gather",
            &self.dense.pass,
            dense,
            self.param_bytes,
        );
        append(
            &mut steps,
            "expert-weight-gather",
            &self.expert.pass,
            expert,
            self.param_bytes,
        );
        steps
    }

    /// The steps that gather so many parameters after the optimizer step.
    pub(crate) fn gather_steps(&self, dense: u64, expert: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        append(
            &mut steps,
            "param-gather",
            &self.dense.gather,
            dense,
            self.param_bytes,
        );
        append(
            &mut steps,
            "expert-param-gather",
            &self.expert.gather,
            expert,
            self.param_bytes,
        );
        steps
    }
}

fn append(steps: &mut Vec<Step>, name: &str, flow: &[Stage], params: u64, width: f64) {
    for stage in flow {
        let bytes = Bytes::from_f64(params as f64 * width * stage.share);
        if bytes == Bytes::ZERO {
            continue;
        }
        let work = Work::Collective {
            group: stage.slot,
            kind: stage.kind,
            bytes,
        };
        steps.push(Step::new(
            name,
            StreamKind::Dp,
            Category::Dp,
            work,
            Vec::new(),
        ));
    }
}

/// What data parallelism does, from the levels at which state is sharded.
pub(crate) fn data_parallel(
    job: &Job,
    plan: &Plan,
    framework: &Framework,
    slots: &mut Slots,
) -> DataParallel {
    let degrees = plan.degrees();
    let mut set = |axis, n: u32, shards: Shards| {
        let mut flow: Flow = flow(slots, axis, n, shards);
        flow.pass = gather_for_pass(slots, axis, n, shards.weights);
        flow
    };
    let dense = set(Axis::Dp, degrees.dense_data(), plan.shards());
    let expert = set(Axis::ExpertDp, plan.expert_data(), plan.expert_shards());
    let overlap = plan.overlap();
    let sharded = 1 < plan.shards().weights;
    let gather_once = sharded && framework.reshard == Reshard::UnlessPipelined && 1 < degrees.pp;
    let reduce_each = 1 < plan.shards().gradients && !gather_once;
    let once = !sharded && !reduce_each;
    let exposed = if once { framework.dp_exposed } else { 0.0 };
    let overlap_reduce = overlap.grad_reduce && exposed < 1.0;
    DataParallel {
        dense,
        expert,
        exposed: if overlap_reduce { exposed } else { 0.0 },
        gather_each_pass: sharded,
        keep_after_forward: sharded && framework.reshard == Reshard::AfterBackward,
        gather_once,
        reduce_each,
        overlap_reduce,
        overlap_gather: overlap.param_gather,
        grad_bytes: job.grad_dtype.bytes(),
        param_bytes: job.precision.params.bytes(),
    }
}
