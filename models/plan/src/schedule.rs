//! A pipeline schedule is data: for each device an ordered list of passes.
//!
//! ```text
//! device 0: 0F0 0F1 0B0 0F2 0B1 0B2        <stage><kind><micro-batch>
//! device 1: 1F0 1B0 1F1 1B1 1F2 1B2
//! ```
//!
//! Nothing here knows how long a pass takes: the generators give orders, [`Schedule::check`]
//! refuses an order that cannot run, [`replay`] runs one with given durations, and
//! [`Schedule::to_csv`] writes the form that `torch.distributed.pipelining` reads. Deliberately
//! absent: sends and receives, which follow from [`Schedule::needs`] and the placement.

mod action;
mod building_block;
mod check;
mod closed_form;
mod costs;
mod csv;
mod dual_pipe;
mod error;
mod gpipe;
mod in_flight;
mod interleaved;
mod interleaved_form;
mod kind;
mod layout;
mod one_f_one_b;
mod replay;
mod v_shape;
mod vocabulary;
mod zero_bubble;

pub use action::{Action, ActionKind};
pub use building_block::{v_half, v_min};
pub use closed_form::{ClosedFormScratch, one_f_one_b_rate, one_f_one_b_time};
pub use costs::{Costs, PassCosts, VocabularyCosts};
pub use csv::{CsvError, CsvProblem};
pub use dual_pipe::{dual_pipe, dual_pipe_v};
pub use error::ScheduleError;
pub use gpipe::{forward_only, gpipe};
pub use in_flight::{InFlight, in_flight, peak_level};
pub use interleaved::{accepts_groups, interleaved, interleaved_in_groups, interleaved_in_pairs};
pub use interleaved_form::interleaved_time;
pub use kind::{ScheduleKind, ScheduleRefusal};
pub use one_f_one_b::{one_f_one_b, one_f_one_b_ahead};
pub use replay::{Replay, Scratch, makespan, replay};
pub use v_shape::zb_v;
pub use vocabulary::{vocabulary_one_f_one_b, vocabulary_v_half};
pub use zero_bubble::{zb_h1, zb_h2};

/// Where the barriers of vocabulary parallelism stand.
///
/// Source: Yeung, Qi, Lin and Wan, "Balancing Pipeline Parallelism with Vocabulary
/// Parallelism", `MLSys` 2025, algorithms 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vocabulary {
    /// Algorithm 1: the gradient passes wait for all softmax statistics, the last stage's
    /// backward pass for all gradient passes.
    TwoBarriers,
    /// Algorithm 2: the last stage's backward pass waits for all statistics passes, which
    /// already hold unscaled input gradients; the gradient passes may come at any later time.
    OneBarrier,
}

/// What must have ended before a pass may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// That forward pass.
    Forward {
        /// Its stage.
        stage: u32,
    },
    /// The gradient that flows out of that stage, by whichever pass gives it.
    Gradient {
        /// The stage whose input gradient is needed.
        stage: u32,
    },
    /// The vocabulary passes of that kind on every device.
    Every(ActionKind),
}

/// A pipeline schedule.
///
/// ```
/// use plan::schedule::{Costs, PassCosts, Schedule, one_f_one_b, replay};
///
/// let schedule = one_f_one_b(2, 3);
/// let run = replay(&schedule, &Costs::uniform(2, PassCosts::whole(1, 2))).unwrap();
/// assert_eq!(run.makespan, (3 + 1) * 3);
/// assert_eq!(run.in_flight, [2, 1]);
/// assert_eq!(Schedule::from_csv(&schedule.to_csv()), Ok(schedule));
/// ```
///
/// Invariant: `actions` hold the devices one after the other, and each
/// stage lies on an existing device. That the order can run is for [`Schedule::check`] to say;
/// what [`Schedule::from_lists`] or a generator returns has passed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    n_micro_batches: u32,
    device_of_stage: Vec<u32>,
    actions: Vec<Action>,
    starts: Vec<usize>,
    vocabulary: Option<Vocabulary>,
    /// Positions among all actions of forward passes that run with the pass behind them.
    pairs: Vec<u32>,
    /// Whether the second half of the stages are copies of the first, for the second half of the
    /// micro-batches.
    two_directions: bool,
}

impl Schedule {
    /// A schedule from one list of actions a device.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] names the first offending action, as [`Schedule::check`] does.
    pub fn from_lists(
        device_of_stage: Vec<u32>,
        n_micro_batches: u32,
        lists: &[Vec<Action>],
    ) -> Result<Self, ScheduleError> {
        let schedule = Self::unchecked(device_of_stage, n_micro_batches, lists);
        schedule.check()?;
        Ok(schedule)
    }

    /// A schedule that its generator is known to order well.
    fn unchecked(device_of_stage: Vec<u32>, n_micro_batches: u32, lists: &[Vec<Action>]) -> Self {
        let mut starts = vec![0];
        let mut actions = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in lists {
            actions.extend_from_slice(list);
            starts.push(actions.len());
        }
        Self {
            n_micro_batches,
            device_of_stage,
            actions,
            starts,
            vocabulary: None,
            pairs: Vec::new(),
            two_directions: false,
        }
    }

    /// The same lists with pairs, given by the position of their forward pass on each device.
    fn with_pairs(mut self, pairs: Vec<Vec<u32>>) -> Self {
        let starts = self.starts.iter().map(|start| count(*start));
        let pairs = starts.zip(pairs);
        self.pairs = pairs
            .flat_map(|(start, own)| own.into_iter().map(move |at| start + at))
            .collect();
        self
    }

    /// The same lists, of two copies of the model's stages.
    fn in_two_directions(mut self) -> Self {
        self.two_directions = true;
        self
    }

    /// Whether a forward pass runs at the same time as the backward pass behind it.
    ///
    /// * `at` — its place among [`Schedule::all_actions`].
    pub fn is_pair(&self, at: usize) -> bool {
        self.pairs.binary_search(&count(at)).is_ok()
    }

    /// Whether any passes run in pairs.
    pub fn has_pairs(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Virtual stages of the model: half of all where the schedule runs in two directions and
    /// every device holds copies of two.
    pub fn n_model_stages(&self) -> usize {
        self.n_stages() / if self.two_directions { 2 } else { 1 }
    }

    /// Whether micro-batches run in two directions, each through copies of its own.
    pub fn is_two_directional(&self) -> bool {
        self.two_directions
    }

    /// The virtual stages that a micro-batch passes.
    pub fn stages_of_micro_batch(&self, k: u32) -> std::ops::Range<u32> {
        let n = count(self.n_model_stages());
        let second = self.two_directions && self.n_micro_batches / 2 <= k;
        if second { n..2 * n } else { 0..n }
    }

    /// The same lists with vocabulary passes that wait as that algorithm says.
    fn with_vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = Some(vocabulary);
        self
    }

    /// The number of devices in the pipeline.
    pub fn n_devices(&self) -> usize {
        self.starts.len() - 1
    }

    /// The devices, counted from 0.
    pub fn devices(&self) -> std::ops::Range<usize> {
        0..self.n_devices()
    }

    /// The number of virtual stages.
    pub fn n_stages(&self) -> usize {
        self.device_of_stage.len()
    }

    /// The number of micro-batches in an iteration.
    pub fn n_micro_batches(&self) -> u32 {
        self.n_micro_batches
    }

    /// The device of every virtual stage.
    pub fn device_of_stage(&self) -> &[u32] {
        &self.device_of_stage
    }

    /// The virtual stages of a device, in the order of the layers.
    pub fn stages_of(&self, device: usize) -> impl Iterator<Item = u32> + '_ {
        (0u32..)
            .zip(&self.device_of_stage)
            .filter(move |(_, at)| **at as usize == device)
            .map(|(stage, _)| stage)
    }

    /// What a device does, in order.
    pub fn actions(&self, device: usize) -> &[Action] {
        &self.actions[self.starts[device]..self.starts[device + 1]]
    }

    /// The actions of all devices, one device after the other.
    pub fn all_actions(&self) -> &[Action] {
        &self.actions
    }

    /// Where a device's actions stand among [`Schedule::all_actions`].
    pub fn range(&self, device: usize) -> std::ops::Range<usize> {
        self.starts[device]..self.starts[device + 1]
    }

    /// How the vocabulary is spread over the devices, where it is.
    pub fn vocabulary(&self) -> Option<Vocabulary> {
        self.vocabulary
    }

    /// Whether the schedule has no backward pass.
    pub fn is_forward_only(&self) -> bool {
        !self
            .actions
            .iter()
            .any(|action| action.kind.gives_gradient())
    }

    /// What a pass waits for, of its own micro-batch; passes before it on its device apart.
    pub fn needs(&self, action: Action) -> [Option<Need>; 2] {
        let Action { kind, stage, .. } = action;
        let n = count(self.n_model_stages());
        let last = n - 1;
        match kind {
            ActionKind::Forward if stage.is_multiple_of(n) => [
                self.vocabulary
                    .map(|_| Need::Every(ActionKind::EmbeddingForward)),
                None,
            ],
            ActionKind::Forward => [Some(Need::Forward { stage: stage - 1 }), None],
            ActionKind::Backward | ActionKind::InputGrad => [
                Some(Need::Forward { stage }),
                if (stage + 1).is_multiple_of(n) {
                    self.vocabulary
                        .map(|vocabulary| Need::Every(vocabulary.last_barrier()))
                } else {
                    Some(Need::Gradient { stage: stage + 1 })
                },
            ],
            ActionKind::WeightGrad => [Some(Need::Gradient { stage }), None],
            ActionKind::VocabularyForward => [Some(Need::Forward { stage: last }), None],
            ActionKind::VocabularyBackward => {
                [Some(Need::Every(ActionKind::VocabularyForward)), None]
            }
            ActionKind::EmbeddingForward => [None, None],
            ActionKind::EmbeddingBackward => [Some(Need::Gradient { stage: 0 }), None],
        }
    }
}

impl Vocabulary {
    /// The passes that the last stage's backward pass waits for.
    const fn last_barrier(self) -> ActionKind {
        match self {
            Self::TwoBarriers => ActionKind::VocabularyBackward,
            Self::OneBarrier => ActionKind::VocabularyForward,
        }
    }
}

/// A number of devices, stages or passes as actions count them.
fn count(n: usize) -> u32 {
    u32::try_from(n).expect("no schedule holds 2³² of anything")
}

/// Stage `i` on device `i mod p`: plain and interleaved pipelines.
fn looped_placement(n_devices: u32, n_chunks: u32) -> Vec<u32> {
    (0..n_devices * n_chunks)
        .map(|stage| stage % n_devices)
        .collect()
}

/// Stages `i` and `2p − 1 − i` on device `i`: V-shaped pipelines.
fn v_placement(n_devices: u32) -> Vec<u32> {
    (0..n_devices).chain((0..n_devices).rev()).collect()
}
