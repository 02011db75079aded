//! The vocabulary spread over all devices, as passes of its own.
//!
//! A base schedule leaves a gap between the last stage's forward and backward pass, one
//! repetition of its building block for each barrier; the passes of the output layer go into
//! that gap on every device, those of the input embedding one repetition before the first
//! stage's forward pass and after its backward pass.
//!
//! A pass that waits for another device holds up everything behind it on its own. Where it stood
//! at the very moment at which its input arrives if backward passes take twice as long as forward
//! passes, any other ratio would make it wait: with all-reduces of tensor parallelism, the same in
//! both directions, the forward pass is longer than that and the pipeline would lose a tenth of
//! its time. So these passes stand [`MARGIN`] later, in the middle of their gap.
//!
//! Source: Yeung, Qi, Lin and Wan, "Balancing Pipeline Parallelism with Vocabulary
//! Parallelism", `MLSys` 2025, section 5.

use super::building_block::v_half_ahead;
use super::{
    Action, ActionKind, Costs, PassCosts, Schedule, Vocabulary, count, one_f_one_b_ahead, replay,
};

/// 1F1B with the vocabulary over all devices. At most `p + 2` micro-batches in flight on
/// device 0 with two barriers, `p + 1` with one.
pub fn vocabulary_one_f_one_b(
    n_devices: u32,
    n_micro_batches: u32,
    vocabulary: Vocabulary,
) -> Schedule {
    let base = one_f_one_b_ahead(n_devices, n_micro_batches, gap(vocabulary));
    let costs = Costs::uniform(base.n_stages(), PassCosts::whole(1, 2));
    insert(&base, &costs, 3, vocabulary)
}

/// V-Half with the vocabulary over all devices.
pub fn vocabulary_v_half(n_devices: u32, n_micro_batches: u32, vocabulary: Vocabulary) -> Schedule {
    let base = v_half_ahead(n_devices, n_micro_batches, gap(vocabulary));
    let costs = Costs::uniform(base.n_stages(), PassCosts::split(1, 1, 1));
    insert(&base, &costs, 6, vocabulary)
}

/// Repetitions between the last forward and backward pass: one for each barrier.
const fn gap(vocabulary: Vocabulary) -> u32 {
    match vocabulary {
        Vocabulary::TwoBarriers => 2,
        Vocabulary::OneBarrier => 1,
    }
}

/// How long after its input is there a vocabulary pass stands, in units of a forward pass. It may
/// stand up to one unit later, behind a backward pass, and then has one left to its barrier's end.
const MARGIN: i64 = 1;

/// Puts the passes where the base schedule's own times say. All that a pass needs stands at an
/// earlier time, or at the same time and sorted before it, so no order can deadlock.
fn insert(base: &Schedule, costs: &Costs, interval: i64, vocabulary: Vocabulary) -> Schedule {
    let times = Times::of(base, costs);
    let n = base.n_micro_batches();
    let lists: Vec<Vec<Action>> = (0..base.n_devices())
        .map(|device| {
            let own = base
                .range(device)
                .map(|at| (times.starts[at], 1, base.all_actions()[at]));
            let passes = (0..n).flat_map(|k| {
                vocabulary_passes(
                    count(device),
                    k,
                    times.of_micro_batch(k),
                    interval,
                    vocabulary,
                )
            });
            let mut list: Vec<_> = own.chain(passes).collect();
            list.sort_unstable();
            list.into_iter().map(|(_, _, action)| action).collect()
        })
        .collect();
    Schedule::unchecked(base.device_of_stage().to_vec(), n, &lists).with_vocabulary(vocabulary)
}

/// The four passes of a micro-batch on one device, with their times; class 0 sorts before the
/// passes of stages that start at the same time.
fn vocabulary_passes(
    device: u32,
    k: u32,
    at: MicroBatchTimes,
    interval: i64,
    vocabulary: Vocabulary,
) -> [(i64, u8, Action); 4] {
    let statistics = (at.last_forward_end + MARGIN).min(at.last_backward);
    let gradient = match vocabulary {
        Vocabulary::TwoBarriers => {
            let due = (at.last_backward - interval + MARGIN).max(statistics);
            due.min(at.last_backward)
        }
        Vocabulary::OneBarrier => at.last_backward + MARGIN,
    };
    [
        (at.first_forward - interval, ActionKind::EmbeddingForward),
        (statistics, ActionKind::VocabularyForward),
        (gradient, ActionKind::VocabularyBackward),
        // Nothing waits for it.
        (
            at.first_backward_end + interval,
            ActionKind::EmbeddingBackward,
        ),
    ]
    .map(|(time, kind)| (time, 0, Action::new(kind, device, k)))
}

/// When a micro-batch passes the ends of the pipeline.
#[derive(Clone, Copy)]
struct MicroBatchTimes {
    first_forward: i64,
    last_forward_end: i64,
    last_backward: i64,
    first_backward_end: i64,
}

struct Times {
    starts: Vec<i64>,
    micro_batches: Vec<MicroBatchTimes>,
}

impl Times {
    fn of(base: &Schedule, costs: &Costs) -> Self {
        let run = replay(base, costs).expect("a few units a pass stay within the clock");
        let signed = |time: u64| i64::try_from(time).expect("a few units a pass stay small");
        let zero = MicroBatchTimes {
            first_forward: 0,
            last_forward_end: 0,
            last_backward: 0,
            first_backward_end: 0,
        };
        let mut micro_batches = vec![zero; base.n_micro_batches() as usize];
        let last = count(base.n_stages()) - 1;
        for (at, action) in base.all_actions().iter().enumerate() {
            let times = &mut micro_batches[action.micro_batch as usize];
            let (start, end) = (signed(run.starts[at]), signed(run.ends[at]));
            if action.kind == ActionKind::Forward && action.stage == 0 {
                times.first_forward = start;
            }
            if action.kind == ActionKind::Forward && action.stage == last {
                times.last_forward_end = end;
            }
            if action.kind.gives_gradient() && action.stage == last {
                times.last_backward = start;
            }
            if action.kind.gives_gradient() && action.stage == 0 {
                times.first_backward_end = end;
            }
        }
        Self {
            starts: run.starts.into_iter().map(signed).collect(),
            micro_batches,
        }
    }

    fn of_micro_batch(&self, k: u32) -> MicroBatchTimes {
        self.micro_batches[k as usize]
    }
}
