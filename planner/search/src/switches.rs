//! Overlap and sequence parallelism of leading plans: each switch that the framework has is tried by
//! itself, and again on what was best.

use plan::PlanField;
use predict::Estimator;
use rayon::prelude::*;
use units::Control;

use crate::choice::{Choice, Switches, TpChoice};
use crate::evaluate::{Evaluated, Found, checked, evaluated, sort_by_time};
use crate::excluded::Reason;
use crate::space::Space;

/// Plans whose switches are varied.
const LEADERS: usize = 48;
/// Rounds of single changes.
const ROUNDS: usize = 2;

/// Adds the variants of the fastest plans, and counts the settings that are not tried.
pub(crate) fn vary(
    space: &Space<'_>,
    leading: &mut Vec<Evaluated>,
    margin: f64,
    found: &mut Found,
    control: &Control,
) {
    sort_by_time(leading);
    let settings = leading.iter().map(|plan| settings(space, &plan.choice));
    let all: u64 = settings.map(|settings| settings - 1).sum();
    let mut tried = 0;
    if !control.is_cancelled() {
        let leaders = &leading[..LEADERS.min(leading.len())];
        let more: Vec<Vec<Evaluated>> = leaders
            .par_iter()
            .map_init(
                || Estimator::new(space.scenario),
                |estimator, leader| climb(space, estimator, leader, margin),
            )
            .collect();
        tried = found.admit(more.into_iter().flatten(), leading);
    }
    found.tally.add(Reason::OtherSwitches, all - tried);
}

/// The variants that are tried of a plan.
fn climb(
    space: &Space<'_>,
    estimator: &mut Estimator<'_>,
    leader: &Evaluated,
    margin: f64,
) -> Vec<Evaluated> {
    let mut all = vec![*leader];
    let mut best = *leader;
    for _ in 0..ROUNDS {
        let from = best;
        for switches in neighbors(space, &from.choice) {
            let choice = Choice {
                switches,
                ..from.choice
            };
            if all.iter().any(|known| known.choice == choice) {
                continue;
            }
            let Ok(plan) = checked(space, &choice) else {
                continue;
            };
            let plan = evaluated(choice, &estimator.estimate(&plan), margin);
            all.push(plan);
            if plan.fits && plan.time < best.time {
                best = plan;
            }
        }
        if best == from {
            break;
        }
    }
    all.split_off(1)
}

/// Which switches of a plan may be turned.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
struct Free {
    sp: bool,
    grad_reduce: bool,
    param_gather: bool,
    p2p: bool,
    ep: bool,
    tp: bool,
}

impl Free {
    fn of(space: &Space<'_>, choice: &Choice) -> Self {
        let overlaps = space.scenario.framework.overlaps;
        let frees = |field| !space.fixed.contains(&field);
        let degrees = choice.degrees;
        let overlap = frees(PlanField::Overlap);
        let data = overlap && 1 < degrees.dp * degrees.cp;
        let tp = 1 < degrees.tp;
        Self {
            sp: frees(PlanField::Sp) && tp && space.offers.sequence_parallel,
            grad_reduce: data && overlaps.grad_reduce,
            param_gather: data && overlaps.param_gather,
            p2p: overlap && overlaps.p2p && 1 < degrees.pp,
            ep: overlap && 1 < degrees.ep,
            tp: overlap && tp && overlaps.tp,
        }
    }
}

/// Settings of a plan's switches.
fn settings(space: &Space<'_>, choice: &Choice) -> u64 {
    let free = Free::of(space, choice);
    let two = [
        free.sp,
        free.grad_reduce,
        free.param_gather,
        free.p2p,
        free.ep,
    ];
    let twos = two.into_iter().filter(|free| *free).count();
    (1 << twos) * if free.tp { 3 } else { 1 }
}

/// Settings that differ in one switch.
fn neighbors(space: &Space<'_>, choice: &Choice) -> Vec<Switches> {
    let (free, own) = (Free::of(space, choice), choice.switches);
    let flips = [
        (free.sp, Switches { sp: !own.sp, ..own }),
        (
            free.grad_reduce,
            Switches {
                grad_reduce: !own.grad_reduce,
                ..own
            },
        ),
        (
            free.param_gather,
            Switches {
                param_gather: !own.param_gather,
                ..own
            },
        ),
        (
            free.p2p,
            Switches {
                p2p: !own.p2p,
                ..own
            },
        ),
        (free.ep, Switches { ep: !own.ep, ..own }),
    ];
    let modes = [TpChoice::None, TpChoice::Backward, TpChoice::Chunked];
    let modes = modes.map(|tp| (free.tp && tp != own.tp, Switches { tp, ..own }));
    let all = flips.into_iter().chain(modes);
    all.filter(|(free, _)| *free)
        .map(|(_, switches)| switches)
        .collect()
}
