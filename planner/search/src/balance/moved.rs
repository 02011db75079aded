//! Layers moved one by one, where costs by layer do not tell the best split: on GPUs that differ, and
//! under schedules whose stages fold back, so that a device has an early and a late one.

use plan::ScheduleKind;
use predict::Estimator;

use super::counts_of;
use crate::choice::{Choice, SplitChoice};
use crate::counts::LayerCounts;
use crate::evaluate::{Evaluated, checked, evaluated};
use crate::space::Space;

/// Virtual stages up to which every move of a layer is tried.
const MOST_STAGES: u32 = 16;
/// Moves in a row.
const STEPS: usize = 24;
/// What a move must gain, as a share.
const GAINS: f64 = 1e-3;

/// Whether layers of a plan are moved one by one.
pub(super) fn may_move(space: &Space<'_>, choice: &Choice) -> bool {
    let folds = matches!(choice.schedule, ScheduleKind::ZbV | ScheduleKind::VHalf);
    (folds || !space.alike) && choice.degrees.pp * choice.vp <= MOST_STAGES
}

/// The plan with the split to which single moves lead, each the best there is; none where none gains.
pub(super) fn moved<'s>(
    space: &Space<'s>,
    estimator: &mut Estimator<'s>,
    leader: &Evaluated,
    margin: f64,
) -> Option<Evaluated> {
    let mut counts = counts_of(&checked(space, &leader.choice).ok()?);
    let mut best = *leader;
    for _ in 0..STEPS {
        let mut next: Option<(Evaluated, Vec<u32>)> = None;
        for (from, to) in pairs(counts.len()).filter(|(from, _)| 0 < counts[*from]) {
            let mut other = counts.clone();
            other[from] -= 1;
            other[to] += 1;
            let Some(split) = LayerCounts::new(&other) else {
                continue;
            };
            let choice = Choice {
                split: SplitChoice::Balanced(split),
                ..leader.choice
            };
            let Ok(plan) = checked(space, &choice) else {
                continue;
            };
            let plan = evaluated(choice, &estimator.estimate(&plan), margin);
            let record = next
                .as_ref()
                .map_or(best.time * (1.0 - GAINS), |next| next.0.time);
            if plan.fits && plan.time < record {
                next = Some((plan, other));
            }
        }
        let Some((plan, other)) = next else { break };
        (best, counts) = (plan, other);
    }
    (best != *leader).then_some(best)
}

/// Every two different places.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let all = (0..n).flat_map(move |from| (0..n).map(move |to| (from, to)));
    all.filter(|(from, to)| from != to)
}
