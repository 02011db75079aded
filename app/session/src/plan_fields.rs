//! A point of a search's space as a scenario would give it.

use ::plan::{Plan, PlanField};
use predict::{Prediction, formulas};
use rayon::prelude::*;
use search::Choice;
use units::Control;

use crate::complete::complete_scenario;
use crate::open::Opened;
use crate::plan::Planned;

/// What stands for the value of a field that a search keeps, where the plan's point does not hold it.
pub const KEPT: &str = "as given";

/// Fields whose values stand in no point of the space while a search keeps them.
const HELD: [PlanField; 6] = [
    PlanField::LayerSplit,
    PlanField::Recompute,
    PlanField::Shard,
    PlanField::Sp,
    PlanField::Overlap,
    PlanField::Offload,
];

/// The fields of a plan with their values, as a scenario would give them; degrees of 1 that most plans
/// have are left out.
///
/// * `fixed` — the fields that the search kept.
pub fn plan_fields(choice: &Choice, fixed: &[PlanField]) -> Vec<(&'static str, String)> {
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
    for (name, value) in &mut fields {
        let field = PlanField::from_name(name);
        if field.is_some_and(|field| HELD.contains(&field) && fixed.contains(&field)) {
            KEPT.clone_into(value);
        }
    }
    fields
}

impl Planned {
    /// What formulas say of points of the searched space; none where the plan's checks refuse one, or the
    /// work was stopped before it. On every core.
    pub fn formulas_of(&self, choices: &[Choice], control: &Control) -> Vec<Option<Prediction>> {
        let of = |choice: &Choice| {
            if control.is_cancelled() {
                return None;
            }
            let mut scenario = self.planning.scenario.clone();
            let spec = choice.spec(&self.planning.given, &self.planning.fixed);
            let checked = Plan::check(&spec, &scenario.job, &scenario.cluster).ok()?;
            scenario.plan = checked.plan;
            formulas(&scenario).ok()
        };
        choices.par_iter().map(of).collect()
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Engine};

    #[test]
    fn fields_that_a_search_keeps_say_so_and_any_point_is_a_scenario() {
        let draft = Draft::example("llama3-8b-dgx-h100").unwrap();
        let opened = draft.open().unwrap();
        let fixed = [PlanField::Shard, PlanField::Overlap];
        let planning = opened.planning(&fixed).unwrap();
        let control = Control::new();
        let planned = opened
            .plan(planning, Engine::Estimate, &[], &control)
            .unwrap();
        let best = &planned.answer.plans[0].evaluated.choice;
        let fields = plan_fields(best, &planned.planning.fixed);
        let value = |name| fields.iter().find(|(known, _)| *known == name).unwrap();
        assert_eq!(value("shard").1, KEPT);
        assert_eq!(value("overlap.tp").1, KEPT);
        assert_ne!(value("recompute").1, KEPT);
        let text = planned.scenario_with(&opened, best).unwrap();
        assert_eq!(text, planned.scenario_of(&opened, 0));
        assert!(draft.with_text(text).open().unwrap().ready().is_ok());
    }
}
