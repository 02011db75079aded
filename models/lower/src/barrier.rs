//! Barriers between the devices of a pipeline, where the vocabulary is spread over them, and what
//! one device shares with all.

use std::collections::BTreeMap;

use plan::schedule::{Action, ActionKind, Need, Schedule};
use task::{Block, Signal, Step, Work};
use trace::{Category, StreamKind};
use units::Seconds;

/// Raised when the barrier behind a pass of that kind is over.
pub(crate) const fn signal(kind: ActionKind) -> u16 {
    match kind {
        ActionKind::EmbeddingForward => 2,
        ActionKind::VocabularyForward => 3,
        _ => 4,
    }
}

/// Raised when the last stage's forward pass, and when the first stage's backward pass is over:
/// what they leave is shared with all devices, whatever kernels this device runs next.
pub(crate) const SHARED: [u16; 2] = [5, 6];

/// Barriers of a spread vocabulary, as passes of one device wait for them.
#[derive(Debug, Default)]
pub(crate) struct Barriers {
    /// How many passes of that kind came before and with a micro-batch's.
    passed: BTreeMap<(ActionKind, u32), u32>,
    count: BTreeMap<ActionKind, u32>,
    /// How many states and gradients the device had left for all with a micro-batch's.
    left: [BTreeMap<u32, u32>; 2],
}

impl Barriers {
    /// Blocks that hold the kernels back until the barriers that an action needs are over.
    pub(crate) fn before(&self, schedule: &Schedule, action: Action) -> Vec<Block> {
        let mut blocks = Vec::new();
        for need in schedule.needs(action).into_iter().flatten() {
            let Need::Every(kind) = need else { continue };
            let Some(&count) = self.passed.get(&(kind, action.micro_batch)) else {
                continue;
            };
            let work = Work::Delay(Seconds::ZERO);
            let (stream, category) = (StreamKind::Compute, Category::Pp);
            let mut step = Step::new("await", stream, category, work, Vec::new());
            step.wait = Some(Signal {
                id: signal(kind),
                count,
            });
            blocks.push(Block {
                name: "await".to_owned(),
                steps: vec![step],
            });
        }
        blocks
    }

    /// How often the signal of [`SHARED`] has been raised when what an action needs of this device
    /// is there; none where that lies on another device.
    pub(crate) fn left(&self, action: Action) -> Option<Signal> {
        let end = match action.kind {
            ActionKind::VocabularyForward => 0,
            ActionKind::EmbeddingBackward => 1,
            _ => return None,
        };
        let count = *self.left[end].get(&action.micro_batch)?;
        let id = SHARED[end];
        Some(Signal { id, count })
    }

    /// Counts an action.
    pub(crate) fn behind(&mut self, schedule: &Schedule, action: Action) {
        let is_last = action.stage as usize + 1 == schedule.n_stages();
        let ends = [
            action.kind == ActionKind::Forward && is_last,
            action.kind.gives_gradient() && action.stage == 0,
        ];
        for (left, _) in self.left.iter_mut().zip(ends).filter(|(_, ends)| *ends) {
            let count = u32::try_from(left.len() + 1).unwrap_or(u32::MAX);
            left.insert(action.micro_batch, count);
        }
        if action.kind.is_vocabulary() {
            let count = self.count.entry(action.kind).or_default();
            *count += 1;
            self.passed
                .insert((action.kind, action.micro_batch), *count);
        }
    }
}

/// Whether all devices run their vocabulary passes in the same order, so that barriers can
/// follow each other on one stream.
pub(crate) fn in_one_order(schedule: &Schedule) -> bool {
    let order = |device: usize| {
        let actions = schedule.actions(device).iter();
        let passes = actions.filter(|action| action.kind.is_vocabulary());
        passes.map(|action| (action.kind, action.micro_batch))
    };
    schedule.devices().all(|device| order(device).eq(order(0)))
}

#[cfg(test)]
mod tests {
    use plan::ScheduleKind;

    use super::*;

    #[test]
    fn generators_order_barriers_alike_and_files_need_not() {
        for kind in ScheduleKind::ALL {
            let schedule = kind
                .generate(4, kind.fixed_chunks().unwrap_or(1), 8)
                .unwrap();
            assert!(in_one_order(&schedule), "{kind:?}");
        }
        let csv = ScheduleKind::Vocab1.generate(2, 1, 4).unwrap().to_csv();
        let swapped: Vec<Schedule> = (0..40).filter_map(|at| swap(&csv, at)).collect();
        assert!(swapped.iter().any(|schedule| !in_one_order(schedule)));
    }

    /// The schedule with two neighbors on its last device swapped, where that can run.
    fn swap(csv: &str, at: usize) -> Option<Schedule> {
        let mut lines: Vec<&str> = csv.lines().collect();
        let mut cells: Vec<&str> = lines.pop()?.split(',').filter(|c| !c.is_empty()).collect();
        if cells.len() < at + 2 {
            return None;
        }
        cells.swap(at, at + 1);
        let last = cells.join(",");
        lines.push(&last);
        Schedule::from_csv(&lines.join("\n")).ok()
    }

    #[test]
    fn a_pass_waits_for_as_many_barriers_as_passes_came_before_its_own() {
        let schedule = ScheduleKind::Vocab2.generate(2, 1, 3).unwrap();
        let mut barriers = Barriers::default();
        let mut waits = Vec::new();
        for action in schedule.actions(1) {
            for block in barriers.before(&schedule, *action) {
                waits.extend(block.steps[0].wait);
            }
            barriers.behind(&schedule, *action);
        }
        let counts: Vec<u32> = waits.iter().map(|signal| signal.count).collect();
        // The last stage's backward passes, and the weight gradients of the output layer.
        assert_eq!(counts, [1, 1, 2, 2, 3, 3]);
        let id = signal(ActionKind::VocabularyForward);
        assert!(waits.iter().all(|signal| signal.id == id));
    }
}
