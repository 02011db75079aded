//! Programs: blocks of steps.

use profile::CollectiveKind;
use trace::{Category, DetailId, MemoryKind, Pass, StreamKind};
use units::{Bytes, Seconds};

/// Index of a block in its program.
pub type BlockId = u32;
/// Index of a step in its block.
pub type StepId = u16;
/// Index of a communicator or channel among those that a lane binds.
pub type Slot = u16;

/// What every rank of a class can run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The blocks; fragments name them by index.
    pub blocks: Vec<Block>,
    /// How many signals steps refer to.
    pub n_signals: u16,
}

/// A list of steps that one action of a schedule runs.
///
/// Invariant: a step comes after the steps of its block that it waits for, and steps of one
/// stream other than [`StreamKind::Pp`] run in the order of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// A name for people: `forward`, `backward`, `optimizer`.
    pub name: String,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One piece of work on one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// A name for people.
    pub name: String,
    /// Where it runs. Steps on [`StreamKind::Pp`] do not wait for each other.
    pub stream: StreamKind,
    /// What its time counts for.
    pub category: Category,
    /// What it does.
    pub work: Work,
    /// Steps of the same block that must have ended, all with smaller indices.
    pub after: Vec<StepId>,
    /// A signal that must have been raised before.
    pub wait: Option<Signal>,
    /// A signal that it raises when it ends.
    pub raise: Option<u16>,
    /// What it does to memory.
    pub memory: Vec<MemoryEffect>,
    /// The kernels inside, for traces.
    pub detail: DetailId,
    /// The pass that it belongs to, for traces.
    pub pass: Pass,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// Kernels for that long on an undisturbed GPU at nominal speed.
    Compute(Seconds),
    /// A collective over the group in a slot; it starts when every lane of the group has come
    /// to it. Size in nccl-tests' sense.
    Collective {
        /// The slot of the group.
        group: Slot,
        /// The operation.
        kind: CollectiveKind,
        /// Its size.
        bytes: Bytes,
    },
    /// Sends the message with the fragment's micro-batch as its number; does not block.
    Send {
        /// The slot of the channel.
        channel: Slot,
        /// Its size.
        bytes: Bytes,
    },
    /// Ends when the message with the fragment's micro-batch as its number has arrived.
    Receive {
        /// The slot of the channel.
        channel: Slot,
    },
    /// Time on a copy engine or on the host that no other work disturbs.
    Delay(Seconds),
}

/// A signal of a lane and how often it must have been raised since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Which signal.
    pub id: u16,
    /// How often.
    pub count: u32,
}

/// A change of memory that goes with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryEffect {
    /// The kind of memory.
    pub kind: MemoryKind,
    /// What happens.
    pub effect: Effect,
    /// How much.
    pub bytes: Bytes,
}

/// When memory is taken or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Taken when the step starts.
    Take,
    /// Given back when the step ends.
    Free,
    /// Taken when the step starts and given back when it ends.
    Borrow,
}

/// One execution of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The block.
    pub block: BlockId,
    /// The micro-batch, which numbers its messages.
    pub micro_batch: u32,
    /// The virtual stage, for traces.
    pub stage: u32,
}

impl Step {
    /// Kernels on the compute stream, after the given steps.
    pub fn compute(name: impl Into<String>, time: Seconds, after: Vec<StepId>) -> Self {
        Self::new(
            name,
            StreamKind::Compute,
            Category::Compute,
            Work::Compute(time),
            after,
        )
    }

    /// A step without signals, memory effects and details.
    pub fn new(
        name: impl Into<String>,
        stream: StreamKind,
        category: Category,
        work: Work,
        after: Vec<StepId>,
    ) -> Self {
        Self {
            name: name.into(),
            stream,
            category,
            work,
            after,
            wait: None,
            raise: None,
            memory: Vec::new(),
            detail: trace::NO_INDEX,
            pass: Pass::None,
        }
    }
}

impl Block {
    /// Appends a step and returns its index.
    ///
    /// # Panics
    ///
    /// If the block holds 65,536 steps: lowering splits long chunks before that.
    pub fn push(&mut self, step: Step) -> StepId {
        let id = StepId::try_from(self.steps.len()).expect("lowering keeps blocks below 2¹⁶ steps");
        debug_assert!(
            step.after.iter().all(|&before| before < id),
            "a step waits for a later one"
        );
        self.steps.push(step);
        id
    }
}
