//! Overlap and sequence parallelism of leading plans, every setting that the framework has.

use predict::Estimator;
use rayon::prelude::*;
use units::Control;

use plan::PlanField;

use crate::choice::{Choice, Switches, TpChoice};
use crate::evaluate::{Evaluated, Found, checked, evaluated};
use crate::excluded::Reason;
use crate::space::Space;

/// Plans whose switches are varied.
const LEADERS: usize = 64;

/// Adds the variants of the fastest plans, and counts those of the others.
pub(crate) fn vary(
    space: &Space<'_>,
    leading: &mut Vec<Evaluated>,
    margin: f64,
    found: &mut Found,
    control: &Control,
) {
    leading.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.choice.cmp(&b.choice)));
    let (leaders, others) = leading.split_at(LEADERS.min(leading.len()));
    let rest = others.iter().map(|plan| variants(space, &plan.choice).len() as u64);
    found.tally.add(Reason::SwitchesOfOthers, rest.sum());
    if control.is_cancelled() {
        return;
    }
    let more: Vec<Vec<Evaluated>> = leaders
        .par_iter()
        .map(|leader| {
            let mut estimator = Estimator::new(space.scenario);
            let variants = variants(space, &leader.choice);
            let plans = variants.iter().filter_map(|choice| {
                let plan = checked(space, choice).ok()?;
                Some(evaluated(*choice, &estimator.estimate(&plan), margin))
            });
            plans.collect()
        })
        .collect();
    for plan in more.into_iter().flatten() {
        found.plans.push(plan);
        if plan.fits {
            leading.push(plan);
        } else {
            found.tally.add(Reason::Memory, 1);
        }
    }
}

/// The other settings of a plan's switches.
fn variants(space: &Space<'_>, choice: &Choice) -> Vec<Choice> {
    let own = choice.switches;
    let overlaps = space.scenario.framework.overlaps;
    let frees = |field| !space.fixed.contains(&field);
    let degrees = choice.degrees;
    let flip = |varies: bool, on: bool| if varies { vec![on, !on] } else { vec![on] };
    let overlap = frees(PlanField::Overlap);
    let data = overlap && 1 < degrees.dp * degrees.cp;
    let sp = flip(frees(PlanField::Sp) && own.sp, own.sp);
    let reduce = flip(data && overlaps.grad_reduce, own.grad_reduce);
    let gather = flip(data && overlaps.param_gather, own.param_gather);
    let p2p = flip(overlap && overlaps.p2p && 1 < degrees.pp, own.p2p);
    let ep = flip(overlap && 1 < degrees.ep, own.ep);
    let tp = if overlap && overlaps.tp && 1 < degrees.tp {
        vec![own.tp, TpChoice::None, TpChoice::Chunked]
    } else {
        vec![own.tp]
    };
    let mut all = Vec::new();
    for sp in sp {
        for grad_reduce in &reduce {
            for param_gather in &gather {
                for p2p in &p2p {
                    for ep in &ep {
                        all.extend(tp.iter().map(|tp| Switches {
                            sp,
                            grad_reduce: *grad_reduce,
                            param_gather: *param_gather,
                            p2p: *p2p,
                            ep: *ep,
                            tp: *tp,
                        }));
                    }
                }
            }
        }
    }
    let others = all.into_iter().filter(|switches| *switches != own);
    others.map(|switches| Choice { switches, ..*choice }).collect()
}
