//! Layers spread by what they cost: of leading plans, the split whose slowest device is fastest
//! joins those that only count layers.

mod moved;

use std::collections::BTreeSet;

use plan::{Plan, PlanField, ScheduleKind};
use predict::{Estimator, LayerCosts, PieceCost};
use rayon::prelude::*;
use solve::{LayerCost, PartitionSpec, partition};
use units::{Bytes, Control};

use crate::choice::{Choice, RecomputeChoice, SplitChoice};
use crate::counts::LayerCounts;
use crate::evaluate::{Evaluated, Found, checked, evaluated, sort_by_time};
use crate::excluded::Reason;
use crate::space::Space;
use moved::{may_move, moved};

/// Plans whose layers are spread anew.
const LEADERS: usize = 64;

/// Adds the fastest plans with balanced layers, and counts those that are not tried.
pub(crate) fn balance(
    space: &Space<'_>,
    leading: &mut Vec<Evaluated>,
    margin: f64,
    found: &mut Found,
    control: &Control,
) {
    sort_by_time(leading);
    let families = families(space, leading);
    let mut tried = 0;
    if !control.is_cancelled() {
        let more: Vec<Option<Evaluated>> = families[..LEADERS.min(families.len())]
            .par_iter()
            .map_init(
                || Estimator::new(space.scenario),
                |estimator, leader| {
                    if may_move(space, &leader.choice) {
                        moved(space, estimator, leader, margin)
                    } else {
                        balanced(space, estimator, leader, margin)
                    }
                },
            )
            .collect();
        tried = found.admit(more.into_iter().flatten(), leading);
    }
    let rest = families.len() as u64 - tried;
    found.tally.add(Reason::OtherSplits, rest);
}

/// The first of plans in a row that differ in their splits alone, where a split may be chosen.
fn families(space: &Space<'_>, leading: &[Evaluated]) -> Vec<Evaluated> {
    let mut seen = BTreeSet::new();
    let plans = (leading.iter()).filter(|plan| may_spread(space, &plan.choice));
    let firsts = plans.filter(|plan| {
        seen.insert(Choice {
            split: SplitChoice::Even,
            ..plan.choice
        })
    });
    firsts.copied().collect()
}

/// Whether a plan is one of those whose layers are spread by their costs.
pub(crate) fn may_spread(space: &Space<'_>, choice: &Choice) -> bool {
    !space.fixed.contains(&PlanField::LayerSplit)
        && 1 < choice.degrees.pp
        && !matches!(choice.recompute, RecomputeChoice::Layers(_))
        && (is_regular(choice) || may_move(space, choice))
}

/// Whether stages lie on devices in turn.
const fn is_regular(choice: &Choice) -> bool {
    matches!(
        choice.schedule,
        ScheduleKind::OneFOneB | ScheduleKind::Interleaved | ScheduleKind::ZbH1
    )
}

/// A plan with balanced layers, where that is another split than counting gives.
fn balanced<'s>(
    space: &Space<'s>,
    estimator: &mut Estimator<'s>,
    leader: &Evaluated,
    margin: f64,
) -> Option<Evaluated> {
    let plan = checked(space, &leader.choice).ok()?;
    let costs = estimator.layer_costs(&plan);
    let spec = question(
        &plan,
        &costs,
        leader,
        estimator.estimate(&plan).device_memory,
        margin,
    )?;
    let counts = partition(&spec).ok()?.counts;
    if is_known(space, &leader.choice, &counts) {
        return None;
    }
    let split = SplitChoice::Balanced(LayerCounts::new(&counts)?);
    let choice = Choice {
        split,
        ..leader.choice
    };
    let plan = checked(space, &choice).ok()?;
    Some(evaluated(choice, &estimator.estimate(&plan), margin))
}

/// Whether a split that only counts layers gives the same.
fn is_known(space: &Space<'_>, choice: &Choice, counts: &[u32]) -> bool {
    let splits = space.pipelines(choice.degrees).into_iter();
    let alike = splits.filter(|(kind, vp, _)| (*kind, *vp) == (choice.schedule, choice.vp));
    alike
        .filter_map(|(.., split)| checked(space, &Choice { split, ..*choice }).ok())
        .any(|plan| counts_of(&plan) == counts)
}

fn counts_of(plan: &Plan) -> Vec<u32> {
    let lens = plan.stages().iter().map(|stage| stage.layers.len());
    lens.map(|len| u32::try_from(len).unwrap_or(u32::MAX))
        .collect()
}

/// The question for the split. Layers may take what the leader leaves beside its own.
fn question(
    plan: &Plan,
    costs: &LayerCosts,
    leader: &Evaluated,
    device: Bytes,
    margin: f64,
) -> Option<PartitionSpec> {
    let in_flight = costs.in_flight.as_ref()?;
    let pp = plan.degrees().pp as usize;
    let mut spec = PartitionSpec {
        layers: costs.layers.iter().map(cost).collect(),
        first: cost(&costs.embedding),
        last: cost(&costs.head),
        limits: vec![Bytes::ZERO; pp],
        chunks: plan.chunks() as usize,
        in_flight: in_flight.iter().copied().map(f64::from).collect(),
        rules: Vec::new(),
    };
    let beside = leader.used.saturating_sub(fullest(&spec, &counts_of(plan)));
    let limit = device.scale(1.0 / (1.0 + margin));
    spec.limits = vec![limit.saturating_sub(beside); pp];
    Some(spec)
}

fn cost(piece: &PieceCost) -> LayerCost {
    LayerCost {
        time: piece.time,
        fixed: piece.state,
        in_flight: piece.kept,
    }
}

/// What layers take of the fullest device under a split.
fn fullest(spec: &PartitionSpec, counts: &[u32]) -> Bytes {
    let pp = spec.limits.len();
    let mut devices = vec![Bytes::ZERO; pp];
    let mut layers = spec.layers.iter();
    for (stage, (count, in_flight)) in counts.iter().zip(&spec.in_flight).enumerate() {
        let mut add = |cost: &LayerCost| {
            devices[stage % pp] += cost.fixed + cost.in_flight.scale(*in_flight);
        };
        layers.by_ref().take(*count as usize).for_each(&mut add);
        if stage == 0 {
            add(&spec.first);
        }
        if stage + 1 == spec.in_flight.len() {
            add(&spec.last);
        }
    }
    devices.into_iter().max().unwrap_or_default()
}
