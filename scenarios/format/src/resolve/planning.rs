//! What a planner starts from: everything but the plan.

use cluster::Cluster;
use plan::{Offers, Plan, PlanField, PlanSpec};
use predict::Scenario;
use workload::Job;

use super::Resolver;
use crate::error::{Failure, Problem};
use crate::framework::Habits;
use crate::library::Library;
use crate::plan_files;
use crate::scenario::ScenarioSpec;
use crate::tree::Table;

/// A scenario whose plan is to be found.
#[derive(Clone, Debug)]
pub struct Planning {
    /// The scenario, with a plan on one GPU in place of the one that is to be found.
    pub scenario: Scenario,
    /// `[plan]` as the scenario gives it, which need not fit.
    pub given: PlanSpec,
    /// The fields that the answer must keep, in the order of [`PlanField::ALL`].
    pub fixed: Vec<PlanField>,
    /// What the framework can run.
    pub offers: Offers,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
}

/// What a resolver finds out about `[plan]` for a planner.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    spec: PlanSpec,
    offers: Offers,
}

/// As [`resolve`](super::resolve), for a planner: `[plan]` may hold what does not fit, or nothing.
///
/// * `fixed` — fields to keep besides those that `plan.fixed` names.
///
/// # Errors
///
/// Everything that is wrong apart from what the planner chooses.
pub fn resolve_planning(
    name: &str,
    spec: &ScenarioSpec,
    document: &Table,
    library: &Library<'_>,
    fixed: &[PlanField],
) -> Result<Planning, Vec<Failure>> {
    let mut resolver = Resolver::new(spec, document, library);
    resolver.given = Some(Given::default());
    let fixed = resolver.fixed(fixed);
    let scenario = resolver.scenario(name);
    let given = resolver.given.take().unwrap_or_default();
    match scenario {
        Some(scenario) if resolver.failures.is_empty() => Ok(Planning {
            scenario,
            given: given.spec,
            offers: given.offers,
            fixed,
            warnings: resolver.warnings,
        }),
        _ => Err(resolver.failures),
    }
}

impl Resolver<'_> {
    /// The fields to keep.
    fn fixed(&mut self, more: &[PlanField]) -> Vec<PlanField> {
        let mut fixed = more.to_vec();
        for name in &self.spec.plan.fixed {
            match PlanField::from_name(name) {
                Some(field) => fixed.push(field),
                None => self.unknown_field(name),
            }
        }
        fixed.sort_unstable();
        fixed.dedup();
        fixed
    }

    fn unknown_field(&mut self, name: &str) {
        let names = PlanField::ALL.map(PlanField::name);
        let message = format!("fixed names `{name}`, which is no field of a plan");
        let hint = format!("a plan has {}", names.join(", "));
        self.fail(
            "plan.fixed",
            Problem::Refused {
                message,
                hint: Some(hint),
            },
        );
    }

    /// Remembers what the framework can run, where a planner asks.
    pub(super) fn note_offers(&mut self, habits: Option<&Habits>) {
        if let (Some(given), Some(habits)) = (&mut self.given, habits) {
            given.offers.clone_from(&habits.offers);
        }
    }

    /// Reads what the plan says without asking whether it fits, and stands in with a plan that
    /// always does: one GPU, one sequence at a time.
    pub(super) fn stand_in(&mut self, job: &Job, cluster: &Cluster) -> Option<Plan> {
        if self.is_broken("plan") {
            return None;
        }
        let at = |field: &str| self.at(field);
        match plan_files::read(&self.spec.plan, cluster, self.library, &at) {
            Ok(spec) => {
                if let Some(given) = &mut self.given {
                    given.spec = spec;
                }
            }
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        }
        let one = PlanSpec {
            dp: Some(1),
            ..PlanSpec::default()
        };
        let checked = Plan::check(&one, job, cluster);
        checked
            .map(|checked| checked.plan)
            .map_err(|errors| self.plan_errors.extend(errors))
            .ok()
    }
}
