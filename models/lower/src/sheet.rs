//! One piece alone: the blocks that closed forms are made of.
//!
//! The estimate runs each of them once, keeps the durations, and adds. So it reads the same
//! operators, prices and overlaps as the engines do.

use plan::Plan;
use profile::{HostCost, Profile};
use task::{Block, Slot};
use units::{Bytes, Seconds};
use workload::Job;
use workload::ops::{Axis, Op, StepShards, step_cost};

use crate::axes;
use crate::data_parallel::{DataParallel, data_parallel};
use crate::framework::Framework;
use crate::piece::Piece;
use crate::site::{HostPart, host_time};
use crate::slots::{SlotGroup, Slots};
use crate::writer::{Worth, Writer};

/// Which pass of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassKind {
    /// From inputs to outputs.
    Forward,
    /// Both gradients, with what is recomputed before them.
    Backward,
    /// The input gradient, with what is recomputed before it.
    InputGrad,
    /// The weight gradient.
    WeightGrad,
}

/// One pass of one piece, alone on its GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LonePass {
    /// Its steps; collectives name the slots of axes.
    pub block: Block,
    /// Worth of its prices.
    pub worth: Worth,
    /// What the host needs to issue it, without what a micro-batch costs besides; half of that
    /// for a whole backward pass, which counts two passes.
    pub host: Seconds,
}

/// The steps of one pass of a piece, issued by a host that is what the plan leaves of it.
pub fn lone_pass(profile: &Profile, host: &HostCost, piece: &Piece, pass: PassKind) -> LonePass {
    let mut w = Writer::new("piece", profile, None);
    let replays = matches!(pass, PassKind::Backward | PassKind::InputGrad);
    if replays {
        w.write(&piece.replay);
    }
    match pass {
        PassKind::Forward => w.write(&piece.ops.forward),
        PassKind::Backward => w.write(piece.ops.backward()),
        PassKind::InputGrad => w.write(&piece.ops.input_grad),
        PassKind::WeightGrad => w.write(&piece.ops.weight_grad),
    };
    let passes = if pass == PassKind::Backward { 2.0 } else { 1.0 };
    let part = HostPart {
        passes,
        replays,
        micro_batch: 0.0,
    };
    let host = host_time(host, &[piece], w.launched(), part);
    let (block, worth) = w.finish();
    LonePass {
        block,
        worth,
        host: host / passes,
    }
}

/// The steps of a list of operators that belongs to no piece: the optimizer's.
pub fn lone_ops(profile: &Profile, ops: &[Op]) -> Block {
    let mut w = Writer::new("operators", profile, None);
    w.write(ops);
    w.finish().0
}

/// The slot that the collectives of an axis name.
pub const fn axis_slot(axis: Axis) -> Slot {
    axes::slot(axis)
}

/// The axes by slot.
pub const AXIS_SLOTS: [Axis; 8] = axes::GROUPS;

/// What data parallelism does under a plan, and the groups that its slots name.
pub fn data_flows(job: &Job, plan: &Plan, framework: &Framework) -> (DataParallel, Vec<SlotGroup>) {
    let mut slots = Slots::new();
    let data = data_parallel(job, plan, framework, &mut slots);
    (data, slots.groups().to_vec())
}

/// Bytes of the optimizer's state for the matrices of a piece, before it is cut over ranks.
pub fn state_of(job: &Job, piece: &Piece) -> Bytes {
    let whole = StepShards {
        dense: 1,
        expert: 1,
    };
    step_cost(job, &piece.ops.matrices, whole).state
}
