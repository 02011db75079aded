//! One operator of a block on one GPU, and the ordered lists of them.

use profile::{CollectiveKind, Gemm, Kernel};
use units::{Bytes, Flops, Seconds};

use super::region::Region;
use crate::optimizer::Matrix;

/// A group of ranks that communicate with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Tensor parallel: shards of one matrix.
    Tp,
    /// Context parallel: shards of one sequence.
    Cp,
    /// Expert parallel: the experts of one layer.
    Ep,
    /// Tensor parallel inside an expert.
    Etp,
    /// Expert parallel and tensor parallel inside experts together, the group over which the
    /// all-gather dispatcher runs.
    EpEtp,
    /// Data parallel, dense parameters.
    Dp,
    /// Data parallel, expert parameters.
    ExpertDp,
    /// Pipeline stages.
    Pp,
}

/// Names an operator that runs on a communication stream beside later operators, inside one
/// block. A ring takes one for each step, forward and backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// What may run beside an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// Nothing: the next operator waits for it.
    None,
    /// It is launched and left alone: only an operator whose `waits` names the slot, and the end
    /// of the list, wait for it. Communication of one axis still keeps its order.
    Async(Slot),
    /// It is cut into that many parts, each of which feeds a part of the **next** operator: an
    /// all-gather into its product.
    Feeds(u32),
    /// It is cut into that many parts, each of which drains a part of the **previous** operator:
    /// a product into its reduce-scatter.
    Drains(u32),
}

/// What an operator asks of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// A kernel on the GPU.
    Kernel(Kernel),
    /// A collective over the ranks of an axis.
    Collective {
        /// Over which group.
        axis: Axis,
        /// Which one.
        kind: CollectiveKind,
        /// Its size in nccl-tests' sense: the whole buffer, for an all-to-all what one rank
        /// sends in all.
        bytes: Bytes,
    },
    /// A step of a ring: each rank sends to its neighbors on the axis, both ways at once.
    Shift {
        /// Over which group.
        axis: Axis,
        /// What goes to the next rank.
        forward: Bytes,
        /// What goes the other way, `back_hops` ranks back.
        back: Bytes,
        /// How far `back` travels; 0 where nothing does.
        back_hops: u32,
    },
    /// A duration that was measured as a whole.
    Measured(Seconds),
}

/// In which of the three passes an operator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// From inputs to outputs.
    Forward,
    /// From output gradients to input gradients.
    InputGrad,
    /// From output gradients and inputs to weight gradients.
    WeightGrad,
}

/// One operator of a block on one GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Op {
    /// What it is, for traces: the same name forward and backward.
    pub name: &'static str,
    /// In which pass it runs.
    pub phase: Phase,
    /// What it asks of the machine.
    pub work: Work,
    /// What a forward operator keeps until its backward pass: the outputs, masks and statistics
    /// that some backward operator needs, each tensor counted once. A recomputation of `region`
    /// drops exactly this. For a weight gradient: the inputs and output gradients that a split
    /// backward pass holds until it runs.
    pub saved: Bytes,
    /// What it needs beside its inputs and kept outputs while it runs, counted where large.
    pub workspace: Bytes,
    /// Which part of the block it belongs to.
    pub region: Region,
    /// What may run beside it.
    pub overlap: Overlap,
    /// The asynchronous operator whose result it needs.
    pub waits: Option<Slot>,
}

impl Op {
    /// Floating-point operations; 0 for what is not a kernel.
    pub fn flops(&self) -> Flops {
        match &self.work {
            Work::Kernel(kernel) => kernel.flops(),
            _ => Flops::ZERO,
        }
    }

    /// The matrix product, where it is one.
    pub const fn gemm(&self) -> Option<&Gemm> {
        match &self.work {
            Work::Kernel(Kernel::Gemm(gemm)) => Some(gemm),
            _ => None,
        }
    }
}

/// Parameters of a block that live on one GPU, by what happens to their gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParamCount {
    /// Parameters reduced over the data-parallel group: sharded by tp, or the same on its ranks.
    pub dense: u64,
    /// Parameters of routed experts, reduced over the expert data-parallel group.
    pub expert: u64,
    /// Those of `dense` that are the same on all tensor-parallel ranks. With sequence parallelism
    /// their gradients are summed over tp once an iteration.
    pub replicated: u64,
    /// Those of `dense` that receive a gradient.
    pub dense_trained: u64,
    /// Those of `expert` that receive a gradient.
    pub expert_trained: u64,
}

impl ParamCount {
    /// All parameters on the GPU.
    pub const fn total(&self) -> u64 {
        self.dense + self.expert
    }

    /// Parameters with a gradient and optimizer state.
    pub const fn trained(&self) -> u64 {
        self.dense_trained + self.expert_trained
    }
}

impl std::ops::AddAssign for ParamCount {
    fn add_assign(&mut self, other: Self) {
        self.dense += other.dense;
        self.expert += other.expert;
        self.replicated += other.replicated;
        self.dense_trained += other.dense_trained;
        self.expert_trained += other.expert_trained;
    }
}

/// The operators of one block on one GPU, in the order in which a framework issues them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockOps {
    /// From the block's input to its output.
    pub forward: Vec<Op>,
    /// From the gradient of the output to the gradient of the input.
    pub input_grad: Vec<Op>,
    /// Weight gradients, in the order in which [`backward`](Self::backward) reaches them.
    pub weight_grad: Vec<Op>,
    /// What runs once an iteration, before the first micro-batch: casts of weights to fp8.
    pub once: Vec<Op>,
    /// The block's input, kept until its backward pass whatever is recomputed.
    pub input: Bytes,
    /// Parameters on this GPU.
    pub params: ParamCount,
    /// Copies of weights in the recipe's format, one for each orientation, kept through an
    /// iteration beside the weights.
    pub copies: Bytes,
    /// Their tensors on this GPU, for optimizers that know matrices.
    pub matrices: Vec<Matrix>,
    /// For each weight gradient, how many of `input_grad` stand before it in a joint pass.
    pub(super) joint: Vec<u16>,
}

impl BlockOps {
    /// The joint backward pass: each weight gradient right behind its input gradient, so that
    /// asynchronous collectives of the input gradient run beside it.
    pub fn backward(&self) -> impl Iterator<Item = &Op> {
        let mut inputs = self.input_grad.iter().enumerate().peekable();
        let mut weights = self.joint.iter().zip(&self.weight_grad).peekable();
        std::iter::from_fn(move || {
            let next = inputs.peek().map_or(usize::MAX, |(position, _)| *position);
            if weights
                .peek()
                .is_some_and(|(at, _)| usize::from(**at) <= next)
            {
                weights.next().map(|(_, op)| op)
            } else {
                inputs.next().map(|(_, op)| op)
            }
        })
    }

    /// Bytes kept from the forward pass until the backward pass when nothing is recomputed.
    pub fn saved(&self) -> Bytes {
        self.input + self.forward.iter().map(|op| op.saved).sum()
    }

    /// Bytes that a split backward pass holds between input and weight gradients.
    pub fn held(&self) -> Bytes {
        self.weight_grad.iter().map(|op| op.saved).sum()
    }

    /// The largest workspace of any operator.
    pub fn workspace(&self) -> Bytes {
        let all = self
            .forward
            .iter()
            .chain(&self.input_grad)
            .chain(&self.weight_grad);
        all.map(|op| op.workspace).max().unwrap_or_default()
    }

    /// Floating-point operations of a list of operators.
    pub fn flops<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Flops {
        ops.into_iter().map(Op::flops).sum()
    }

    /// Puts the operators of another block behind these: one stage piece after the other. The
    /// backward lists of `next` come first, and both inputs are kept.
    #[must_use]
    pub fn then(mut self, mut next: Self) -> Self {
        let offset = u16::try_from(next.input_grad.len()).unwrap_or(u16::MAX);
        let slots = self.slots();
        for op in next
            .forward
            .iter_mut()
            .chain(&mut next.input_grad)
            .chain(&mut next.weight_grad)
        {
            op.renumber(slots);
        }
        self.forward.append(&mut next.forward);
        next.input_grad.append(&mut self.input_grad);
        next.weight_grad.append(&mut self.weight_grad);
        next.joint.extend(self.joint.iter().map(|at| at + offset));
        self.once.append(&mut next.once);
        self.matrices.append(&mut next.matrices);
        self.params += next.params;
        Self {
            forward: self.forward,
            once: self.once,
            input: self.input + next.input,
            params: self.params,
            copies: self.copies + next.copies,
            matrices: self.matrices,
            ..next
        }
    }

    /// One more than the largest slot in use.
    fn slots(&self) -> u16 {
        let all = self
            .forward
            .iter()
            .chain(&self.input_grad)
            .chain(&self.weight_grad);
        all.filter_map(|op| match op.overlap {
            Overlap::Async(slot) => Some(slot.0.saturating_add(1)),
            _ => None,
        })
        .max()
        .unwrap_or(0)
    }
}

impl Op {
    /// Moves the slots that the operator names by `offset`.
    fn renumber(&mut self, offset: u16) {
        if let Overlap::Async(slot) = &mut self.overlap {
            slot.0 = slot.0.saturating_add(offset);
        }
        if let Some(slot) = &mut self.waits {
            slot.0 = slot.0.saturating_add(offset);
        }
    }
}
