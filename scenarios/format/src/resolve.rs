//! From what a scenario file says to the values that a prediction is asked of: names are looked
//! up, files read, and everything is checked against everything else.

mod background;
mod habits;
mod idle;
mod idle_traffic;
mod job;
mod machine;
mod network;
mod partial;
mod planning;
mod prices;
mod traffic;

pub use idle_traffic::{Search, idle_in_traffic};
pub use network::{Rules, how_cut, marks_reversed, policy, queue_pairs, rules, usual_balancing};
pub use traffic::{describe_cluster, resolve_measured};

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::Cluster;
use collective::Choice;
use plan::{Plan, PlanError};
use predict::{Assumed, Scenario};
use profile::{CommProfile, Profile};
use workload::Job;

use crate::error::{Failure, Problem, push};
use crate::fields::Fields;
use crate::framework::Habits;
use crate::library::{At, Library};
use crate::plan_files;
use crate::scenario::{ScenarioSpec, draft};
use crate::sections::Engine;
use crate::tree::{Table, Value};

use idle::{idle_fields, stand_in};

pub use planning::{Planning, resolve_planning};

/// A scenario that can be simulated.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The scenario.
    pub scenario: Scenario,
    /// What is suspicious but no error.
    pub warnings: Vec<String>,
}

/// Looks up and checks everything that a scenario names.
///
/// * `name` — what reports call it.
/// * `document` — where errors point to.
///
/// # Errors
///
/// Everything that is wrong, as far as one error does not hide another.
pub fn resolve(
    name: &str,
    spec: &ScenarioSpec,
    document: &Table,
    library: &Library<'_>,
) -> Result<Resolved, Vec<Failure>> {
    Resolver::new(spec, document, library).resolved(name)
}

/// As [`resolve`], on a cluster that was built already.
///
/// * `cluster` — what the scenario's own `[cluster]` describes, with its slow parts.
///
/// # Errors
///
/// As [`resolve`].
pub fn resolve_on(
    name: &str,
    spec: &ScenarioSpec,
    document: &Table,
    library: &Library<'_>,
    cluster: &Cluster,
) -> Result<Resolved, Vec<Failure>> {
    let mut resolver = Resolver::new(spec, document, library);
    // For the constants of collectives that its file names; building it is what takes long.
    drop(resolver.described_cluster());
    resolver.shared = Some(cluster.clone());
    resolver.resolved(name)
}

/// Reads a document as a scenario. Where something is wrong with its fields, the names, files and
/// numbers of the sections without fault are looked at, too, so that one error hides no other.
///
/// # Errors
///
/// Everything that is wrong with the document; what is wrong with the names of a document without
/// such errors, [`resolve`] says.
pub fn read_whole_scenario(
    document: &Table,
    library: &Library<'_>,
) -> Result<ScenarioSpec, Vec<Failure>> {
    let (spec, failures) = draft(document);
    if failures.is_empty() {
        return Ok(spec);
    }
    let is_newer = |failure: &Failure| matches!(failure.problem, Problem::NewerSchema { .. });
    if failures.iter().any(is_newer) {
        return Err(failures);
    }
    let mut resolver = Resolver::new(&spec, document, library);
    resolver.broken = failures.iter().map(section_of).collect();
    resolver.failures = failures;
    if spec.workload.is_some() {
        resolver.cluster();
    } else {
        resolver.scenario("");
    }
    Err(resolver.failures)
}

/// The section of a scenario in which a failure is.
fn section_of(failure: &Failure) -> String {
    let section = failure.field.split(['.', '[']).next();
    section.unwrap_or_default().to_owned()
}

struct Resolver<'a> {
    spec: &'a ScenarioSpec,
    document: &'a Table,
    library: &'a Library<'a>,
    /// Sections whose values cannot be trusted, because some of them could not be read.
    broken: BTreeSet<String>,
    failures: Vec<Failure>,
    plan_errors: Vec<PlanError>,
    warnings: Vec<String>,
    assumed: Vec<Assumed>,
    /// What a planner wants to know of `[plan]`; none where the plan is to run.
    given: Option<planning::Given>,
    /// The cluster of another job, in place of the scenario's own.
    shared: Option<Cluster>,
    /// The constants of collectives that the cluster's own file names.
    measured: Option<CommProfile>,
}

impl<'a> Resolver<'a> {
    fn new(spec: &'a ScenarioSpec, document: &'a Table, library: &'a Library<'a>) -> Self {
        Self {
            spec,
            document,
            library,
            broken: BTreeSet::new(),
            failures: Vec::new(),
            plan_errors: Vec::new(),
            warnings: Vec::new(),
            assumed: Vec::new(),
            given: None,
            shared: None,
            measured: None,
        }
    }

    /// The scenario with what is suspicious, or everything that is wrong.
    fn resolved(mut self, name: &str) -> Result<Resolved, Vec<Failure>> {
        match self.scenario(name) {
            Some(scenario) if self.failures.is_empty() => Ok(Resolved {
                scenario,
                warnings: self.warnings,
            }),
            _ => Err(self.failures),
        }
    }

    fn is_broken(&self, section: &str) -> bool {
        self.broken.contains(section)
    }

    /// What can be read of a broken section, whose errors were told already.
    fn readable<T>(&self, section: &str, read: &dyn Fn(&mut Fields<'_, '_>) -> T) -> Option<T> {
        let node = self.document.get(section)?;
        let Value::Table(table) = &node.value else {
            return None;
        };
        let (place, mut told) = (Some(node.place.clone()), Vec::new());
        Some(Fields::read(table, place, section, &mut told, read))
    }
}

impl Resolver<'_> {
    fn scenario(&mut self, name: &str) -> Option<Scenario> {
        self.refuse_what_is_not_built();
        let shared = self.shared.clone();
        let cluster = shared.or_else(|| self.cluster());
        let model = self.model();
        let job = self.job(model.as_ref());
        let habits = self.habits(cluster.as_ref());
        self.note_offers(habits.as_ref());
        let settings = self.settings();
        let prices = cluster.as_ref().and_then(|cluster| {
            self.check_formats(cluster);
            self.profiles(cluster)
        });
        let plan = match (&job, &cluster) {
            (Some(job), Some(cluster)) if self.given.is_some() => self.stand_in(job, cluster),
            (Some(job), Some(cluster)) => self.plan(job, cluster, habits.as_ref()),
            _ => self.plan_in_part(model.as_ref(), cluster.as_ref()),
        };
        self.refuse_plan();
        self.warn_of_idle_fields();
        let (profiles, comm) = prices?;
        let habits = habits?;
        let on_its_host = |profile: Profile| {
            let host = habits.host(profile.host());
            let memory = habits.memory(*profile.memory());
            profile.with_host(host).with_memory(memory)
        };
        let scenario = Scenario {
            name: name.to_owned(),
            cluster: cluster?,
            job: job?,
            plan: plan?,
            profiles: profiles.into_iter().map(on_its_host).collect(),
            comm,
            framework: Arc::new(habits.framework.clone()),
            settings,
            prices: self.prices(),
            assumptions: std::mem::take(&mut self.assumed),
            beside: Vec::new(),
        };
        let (scales, spread) = self.fitted(&habits, &scenario.cluster)?;
        let scales = self.faster(scales);
        let mut scenario = scenario.scaled(&scales);
        scenario.settings.spread = spread;
        self.background(&mut scenario);
        Some(scenario)
    }

    fn at(&self, field: &str) -> At {
        At {
            field: field.to_owned(),
            place: self.document.place(field),
        }
    }

    fn fail(&mut self, field: &str, problem: Problem) {
        let failure = self.at(field).failure(problem);
        push(&mut self.failures, failure);
    }

    fn keep(&mut self, failures: Vec<Failure>) {
        for failure in failures {
            push(&mut self.failures, failure);
        }
    }

    fn refuse(&mut self, field: &str, message: &dyn std::fmt::Display, hint: Option<String>) {
        let message = message.to_string();
        self.fail(field, Problem::Refused { message, hint });
    }

    fn assume(&mut self, field: &str, value: &str, reason: &str) {
        self.assumed.push(Assumed {
            field: field.to_owned(),
            value: value.to_owned(),
            reason: reason.to_owned(),
        });
    }

    fn refuse_what_is_not_built(&mut self) {
        if self.spec.workload.is_some() {
            let message = "the scenario is a network workload, not a training iteration".to_owned();
            let hint =
                "`windtunnel simulate`, `explain`, `plan` and `sweep` take it as it is".to_owned();
            self.fail("workload", Problem::Conflict { message, hint });
        }
        if self.spec.sweep.is_some() && self.given.is_none() {
            let sweep = "`sweep` has no effect here: `windtunnel sweep` runs all its cases";
            self.warnings.push(sweep.to_owned());
        }
    }
}

/// Plan, framework, settings, profiles.
impl Resolver<'_> {
    fn plan(&mut self, job: &Job, cluster: &Cluster, habits: Option<&Habits>) -> Option<Plan> {
        if self.is_broken("plan") {
            return None;
        }
        let at = |field: &str| self.at(field);
        let spec = match plan_files::read(&self.spec.plan, cluster, self.library, &at) {
            Ok(spec) => match habits {
                Some(habits) => self.with_habits(spec, habits, cluster),
                None => spec,
            },
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        };
        match Plan::check(&spec, job, cluster) {
            Ok(checked) => {
                for one in &checked.assumptions {
                    self.assume(&format!("plan.{}", one.field), &one.value, one.reason);
                }
                self.fits_into_passes(checked.plan)
            }
            Err(errors) => {
                self.plan_errors.extend(errors.iter().cloned());
                // Degrees that do not fit the cluster keep the rest of a plan from being checked.
                if errors.iter().any(|error| error.field() == "dp") {
                    self.plan_in_part(Some(&job.model), None);
                }
                None
            }
        }
    }

    /// A pass of a stage numbers its steps in 16 bits: enough for every model that is trained, but
    /// not for every number that can be written.
    fn fits_into_passes(&mut self, plan: Plan) -> Option<Plan> {
        // Kernels between two messages are one step, and each turn of a ring has a few of its own.
        let per_layer = 32 + 4 * plan.degrees().cp as usize;
        let most = usize::from(u16::MAX) / per_layer;
        let layers = plan.stages().iter().map(|stage| stage.layers.len());
        let layers = layers.max().unwrap_or(0);
        if layers <= most {
            return Some(plan);
        }
        let message = format!("a stage has {layers} layers, but at most {most} can be simulated");
        let hint = "spread them over more stages with `pp` and `vp`".to_owned();
        self.refuse("plan.pp", &message, Some(hint));
        None
    }

    /// Reports what is wrong with the plan: errors about one degree have one hint.
    fn refuse_plan(&mut self) {
        let errors = std::mem::take(&mut self.plan_errors);
        for (error, hint) in errors.iter().zip(PlanError::hints(&errors)) {
            let field = self.given_degree(error.field());
            self.refuse(&format!("plan.{field}"), error, hint);
        }
    }

    /// The field to point to: where `dp` itself is absent, a degree that was given.
    fn given_degree(&self, field: &'static str) -> &'static str {
        let spec = &self.spec.plan.spec;
        if field != "dp" || spec.dp.is_some() {
            return field;
        }
        let degrees = [("pp", spec.pp), ("tp", spec.tp), ("cp", spec.cp)];
        let given = degrees.into_iter().find(|(_, degree)| degree.is_some());
        given.map_or(field, |(field, _)| field)
    }

    fn settings(&mut self) -> predict::Settings {
        let settings = &self.spec.settings;
        if settings.engine.is_none() {
            self.assume(
                "settings.engine",
                Engine::Flow.name(),
                "the most faithful engine there is",
            );
        }
        if settings.seed.is_none() {
            self.assume("settings.seed", "1", "any number gives equal results again");
        }
        let engine = match settings.engine {
            None | Some(Engine::Flow) => predict::Engine::Flow,
            Some(Engine::Analytic) => predict::Engine::Analytic,
            Some(Engine::Estimate) => predict::Engine::Estimate,
            Some(Engine::Packet) => predict::Engine::Packet,
        };
        let fabric = self.fabric();
        let settings = &self.spec.settings;
        let nccl = &self.spec.nccl;
        predict::Settings {
            engine,
            seed: settings.seed.unwrap_or(1),
            jitter: settings.jitter.unwrap_or(0.0),
            unfold: settings.unfold.unwrap_or(false),
            choice: Choice {
                algorithm: nccl.algorithm,
                protocol: nccl.protocol,
                collnet: nccl.collnet.unwrap_or(false),
                ..Choice::default()
            },
            fabric,
            // What was fitted says it, once cluster and framework are known.
            spread: None,
        }
    }

    fn prices(&self) -> predict::Prices {
        let prices = self.spec.prices.clone().unwrap_or_default();
        predict::Prices {
            gpu_hour: prices.gpu_hour,
            kwh: prices.kwh,
            currency: prices.currency,
        }
    }

    /// What happens between NICs, for engines of flows and of packets.
    fn fabric(&mut self) -> predict::Fabric {
        let (network, nccl) = (&self.spec.network, &self.spec.nccl);
        let seed = self.spec.settings.seed.unwrap_or(1);
        let mut assumed = Vec::new();
        let mut fabric = predict::Fabric {
            policy: rules(Engine::Flow, network, nccl, seed, &mut Vec::new()).policy(),
            ..predict::Fabric::default()
        };
        let packets = rules(Engine::Packet, network, nccl, seed, &mut assumed);
        if let Rules::Packet { config, .. } = packets {
            fabric.packets = config;
        }
        if self.spec.settings.engine == Some(Engine::Packet) {
            if let Some((field, message, hint)) = marks_reversed(network, &fabric.packets) {
                self.refuse(field, &message, Some(hint));
            }
            self.assumed.append(&mut assumed);
        }
        fabric
    }

    /// Fields that nothing of this scenario looks at.
    fn warn_of_idle_fields(&mut self) {
        for (field, reason) in idle_fields(self.spec) {
            self.warnings
                .push(format!("`{field}` has no effect: {reason}"));
        }
        if matches!(self.spec.settings.engine, None | Some(Engine::Flow)) {
            self.warnings.extend(stand_in(&self.spec.network));
        }
    }
}
