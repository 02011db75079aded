//! A point of a search's space as a scenario would give it.

use ::plan::Plan;
use search::Choice;

use crate::complete::complete_scenario;
use crate::open::Opened;
use crate::plan::Planned;

/// The fields of a plan with their values, as a scenario would give them; degrees of 1 that most plans
/// have are left out.
pub fn plan_fields(choice: &Choice) -> Vec<(&'static str, String)> {
    let degrees = choice.degrees;
    let mut fields = vec![
        ("tp", degrees.tp.to_string()),
        ("pp", degrees.pp.to_string()),
    ];
    let mut some = |name, value: u32| {
        if 1 < value {
            fields.push((name, value.to_string()));
        }
    };
    some("vp", choice.vp);
    some("cp", degrees.cp);
    some("ep", degrees.ep);
    if 1 < degrees.ep {
        some("etp", degrees.etp);
    }
    fields.push(("dp", degrees.dp.to_string()));
    fields.push(("micro_batch", choice.micro_batch.to_string()));
    fields.push(("schedule", choice.schedule.name().to_owned()));
    fields.push(("layer_split", choice.split.words()));
    fields.push(("recompute", choice.recompute.words()));
    fields.push(("shard", choice.shard.words()));
    let switches = choice.switches;
    let on = [
        ("sp", switches.sp),
        ("overlap.grad_reduce", switches.grad_reduce),
        ("overlap.param_gather", switches.param_gather),
        ("overlap.p2p", switches.p2p),
        ("overlap.ep", switches.ep),
    ];
    fields.extend(on.map(|(name, on)| (name, on.to_string())));
    fields.push(("overlap.tp", switches.tp.words().to_owned()));
    fields.push(("offload", choice.offload.words().to_owned()));
    fields
}

impl Planned {
    /// A point of the searched space as a scenario, whether it was simulated or not; none where the plan's
    /// checks refuse it.
    ///
    /// * `opened` — the scenario that was searched.
    pub fn scenario_with(&self, opened: &Opened, choice: &Choice) -> Option<String> {
        let spec = choice.spec(&self.planning.given, &self.planning.fixed);
        let scenario = &self.planning.scenario;
        let checked = Plan::check(&spec, &scenario.job, &scenario.cluster).ok()?;
        Some(complete_scenario(opened, &checked.plan))
    }
}
