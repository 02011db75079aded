//! From what a scenario file says to the values that a prediction is asked of: names are looked
//! up, files read, and everything is checked against everything else.

use std::path::Path;
use std::sync::Arc;

use cluster::{Cluster, ClusterError, Fault};
use collective::Choice;
use plan::Plan;
use predict::{Assumed, Scenario};
use profile::{CommProfile, Profile};
use workload::{Job, Model, ModelError, Override};

use crate::error::{Failure, Problem, push};
use crate::hardware::{self, ClusterFile};
use crate::library::{At, Library};
use crate::model_section::ModelSection;
use crate::plan_files;
use crate::reference::is_path;
use crate::scenario::{ClusterSection, NodeCount, ScenarioSpec};
use crate::sections::{Engine, Straggler};
use crate::source::{Place, Source};
use crate::tree::{Table, parse};
use crate::zoo::Shelf;

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
    let mut resolver = Resolver {
        spec,
        document,
        library,
        failures: Vec::new(),
        warnings: Vec::new(),
        assumed: Vec::new(),
    };
    let scenario = resolver.scenario(name);
    match scenario {
        Some(scenario) if resolver.failures.is_empty() => Ok(Resolved {
            scenario,
            warnings: resolver.warnings,
        }),
        _ => Err(resolver.failures),
    }
}

struct Resolver<'a> {
    spec: &'a ScenarioSpec,
    document: &'a Table,
    library: &'a Library<'a>,
    failures: Vec<Failure>,
    warnings: Vec<String>,
    assumed: Vec<Assumed>,
}

impl Resolver<'_> {
    fn scenario(&mut self, name: &str) -> Option<Scenario> {
        self.refuse_what_is_not_built();
        let cluster = self.cluster();
        let job = self.job();
        let framework = self.framework();
        let settings = self.settings();
        if let (Some(cluster), Some(job)) = (&cluster, &job) {
            self.check_formats(cluster, job);
        }
        let (cluster, job) = (cluster?, job?);
        let plan = self.plan(&job, &cluster);
        let (profiles, comm) = self.profiles(&cluster)?;
        self.warn_of_idle_fields();
        Some(Scenario {
            name: name.to_owned(),
            cluster,
            job,
            plan: plan?,
            profiles,
            comm,
            framework: framework?,
            settings: settings?,
            prices: self.prices(),
            assumptions: std::mem::take(&mut self.assumed),
        })
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
            self.not_yet(
                "workload",
                "a network workload",
                "remove [workload], or give [training]",
            );
        }
        if self.spec.sweep.is_some() {
            self.not_yet(
                "sweep",
                "a sweep",
                "remove [sweep], and vary fields with --set",
            );
        }
        if self.spec.settings.engine == Some(Engine::Packet) {
            let hint = "use engine = \"flow\", which shares links max-min fairly";
            self.not_yet("settings.engine", "the packet engine", hint);
        }
    }

    fn not_yet(&mut self, field: &str, what: &str, hint: &str) {
        let (what, hint) = (what.to_owned(), hint.to_owned());
        self.fail(field, Problem::NotYet { what, hint });
    }
}

/// The cluster.
impl Resolver<'_> {
    fn cluster(&mut self) -> Option<Cluster> {
        let section = self.spec.cluster.clone().unwrap_or_default();
        let base = self.base_cluster(&section)?;
        let file = self.changed(base.file, &section)?;
        let (document, own) = (self.document, &base.document);
        // What the scenario does not say itself stands in the cluster's own file.
        let at = |field: &str| {
            let head = field.split(['.', '[']).next().unwrap_or(field);
            let is_ours = document
                .place(&format!("cluster.{head}"))
                .filter(|place| own.is_none() || document.place("cluster").as_ref() != Some(place));
            let elsewhere = || own.as_ref().and_then(|own| own.place(field));
            At {
                field: format!("cluster.{field}"),
                place: is_ours
                    .and_then(|_| document.place(&format!("cluster.{field}")))
                    .or_else(elsewhere)
                    .or_else(|| document.place("cluster")),
            }
        };
        let library = Library {
            files: self.library.files,
            base: base.folder.as_deref().unwrap_or(self.library.base),
        };
        let spec = match library.complete(&file, &at) {
            Ok(spec) => spec,
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        };
        match Cluster::build(&spec) {
            Ok(cluster) => self.degraded(cluster),
            Err(errors) => {
                self.keep(
                    errors
                        .iter()
                        .map(|error| refused(error, &at(&error.field())))
                        .collect(),
                );
                None
            }
        }
    }

    /// The cluster that the section starts from.
    fn base_cluster(&mut self, section: &ClusterSection) -> Option<Base> {
        let (key, name) = match (&section.name, &section.file) {
            (Some(name), _) => ("cluster.name", name),
            (None, Some(file)) => ("cluster.file", file),
            (None, None) => return Some(Base::default()),
        };
        let at = self.at(key);
        let source = if section.name.is_none() && !is_path(name) {
            let limit = crate::files::SCENARIO_LIMIT;
            let read = self.library.files.read(&self.library.path(name), limit);
            read.map_err(|problem| vec![at.failure(problem)])
        } else {
            self.library.open(Shelf::Clusters, name, &at)
        };
        let read = source.and_then(|source| {
            let file = crate::library::read_source(&source, &hardware::cluster)?;
            Ok((file, parse(&source)?))
        });
        match read {
            Ok((file, document)) => Some(Base {
                file,
                folder: is_path(name)
                    .then(|| self.library.path(name))
                    .and_then(|path| path.parent().map(Path::to_owned)),
                document: Some(document),
            }),
            Err(failures) => {
                self.keep(failures);
                None
            }
        }
    }

    /// The cluster's file with what the section says otherwise.
    fn changed(&mut self, mut file: ClusterFile, section: &ClusterSection) -> Option<ClusterFile> {
        match &section.nodes {
            None => {}
            Some(NodeCount::Kinds(nodes)) => file.nodes.clone_from(nodes),
            Some(NodeCount::Of(count)) => match file.nodes.as_mut_slice() {
                [only] => only.count = *count,
                kinds => {
                    let message = match kinds.len() {
                        0 => "`cluster.nodes` is a number, but no cluster is named".to_owned(),
                        n => format!(
                            "`cluster.nodes` is a number, but the cluster has {n} kinds of nodes"
                        ),
                    };
                    let hint = "list the nodes as [[cluster.nodes]] with kind and count".to_owned();
                    self.fail("cluster.nodes", Problem::Conflict { message, hint });
                    return None;
                }
            },
        }
        if let Some(fabric) = &section.fabric {
            file.fabric = Some(fabric.clone());
        }
        file.gpus.splice(0..0, section.gpus.iter().cloned());
        if file.name.is_empty() {
            "own".clone_into(&mut file.name);
        }
        Some(file)
    }

    /// The cluster with its slow GPUs and links.
    fn degraded(&mut self, cluster: Cluster) -> Option<Cluster> {
        let mut degraded = cluster;
        let mut fails = false;
        for (index, straggler) in self.spec.stragglers.iter().enumerate() {
            let (key, fault) = fault(straggler);
            match degraded.degraded(&[fault]) {
                Ok(slower) => degraded = slower,
                Err(errors) => {
                    fails = true;
                    for error in &errors {
                        let hint = straggler_hint(error, &degraded);
                        self.refuse(&format!("stragglers[{index}].{key}"), error, hint);
                    }
                }
            }
        }
        (!fails).then_some(degraded)
    }
}

/// The cluster that a section starts from, where its file stands, and its document.
#[derive(Default)]
struct Base {
    file: ClusterFile,
    folder: Option<std::path::PathBuf>,
    document: Option<Table>,
}

fn fault(straggler: &Straggler) -> (&'static str, Fault) {
    match straggler {
        Straggler::Gpu { name, speed } => {
            let (gpu, speed) = (name.clone(), *speed);
            ("gpu", Fault::SlowGpu { gpu, speed })
        }
        Straggler::Link { name, rate } if *rate == 0.0 => {
            let link = name.clone();
            ("link", Fault::DeadLink { link })
        }
        Straggler::Link { name, rate } => {
            let (link, rate) = (name.clone(), *rate);
            ("link", Fault::SlowLink { link, rate })
        }
    }
}

fn straggler_hint(error: &ClusterError, cluster: &Cluster) -> Option<String> {
    match error {
        ClusterError::UnknownGpuName { .. } => {
            let last = cluster.n_gpus().checked_sub(1)?;
            let name = cluster.gpu_name(units::GpuId::from_index(last));
            Some(format!("GPUs are named from n0g0 to {name}"))
        }
        error => error.hint(),
    }
}

fn refused(error: &ClusterError, at: &At) -> Failure {
    at.failure(Problem::Refused {
        message: error.to_string(),
        hint: error.hint(),
    })
}

/// The job.
impl Resolver<'_> {
    fn job(&mut self) -> Option<Job> {
        let model = self.model();
        let training = self.spec.training.clone()?;
        for (field, value) in &training.taken {
            self.assume(&format!("training.{field}"), value, "the usual choice");
        }
        match training.job.check(model?) {
            Ok(job) => Some(job),
            Err(errors) => {
                for error in errors {
                    self.refuse(&format!("training.{}", error.field()), &error, error.hint());
                }
                None
            }
        }
    }

    fn model(&mut self) -> Option<Model> {
        match self.spec.model.as_ref()? {
            ModelSection::Config { name, overrides } => self.config(name, overrides),
            ModelSection::Megatron(spec) => {
                let mut spec = (**spec).clone();
                spec.tp = u64::from(self.spec.plan.spec.tp.unwrap_or(1));
                self.described(Model::from_megatron(&spec), "model.megatron")
            }
            ModelSection::Measured(table) => {
                self.described(Model::from_layer_table(table), "model.measured")
            }
        }
    }

    /// A model that the scenario describes itself.
    fn described(&mut self, model: Result<Model, ModelError>, section: &str) -> Option<Model> {
        match model {
            Ok(model) => {
                self.note(&model, "not given");
                Some(model)
            }
            Err(error) => {
                let field = error.field().map_or_else(
                    || section.to_owned(),
                    |field| match field.strip_prefix("layers[") {
                        Some(row) if section.ends_with("measured") => format!("{section}[{row}"),
                        _ => format!("{section}.{field}"),
                    },
                );
                self.refuse(&field, &error, error.hint());
                None
            }
        }
    }

    fn note(&mut self, model: &Model, reason: &str) {
        for note in model.notes() {
            self.assume(&format!("model.{}", note.field), &note.taken, reason);
        }
    }

    fn config(&mut self, name: &str, overrides: &[Override]) -> Option<Model> {
        let source = match self
            .library
            .open(Shelf::Models, name, &self.at("model.config"))
        {
            Ok(source) => source,
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        };
        match Model::from_config_json_with(&source.text, overrides) {
            Ok(model) => {
                self.note(&model, "not in its config.json");
                Some(model.with_name(model_name(name)))
            }
            Err(error) => {
                self.config_error(&error, &source, overrides);
                None
            }
        }
    }

    /// Points to the override at fault, else into the `config.json`.
    fn config_error(&mut self, error: &ModelError, source: &Arc<Source>, overrides: &[Override]) {
        let field = error.field().unwrap_or_default();
        let is_ours = overrides.iter().any(|one| one.field == field);
        let path = if is_ours {
            format!("model.{field}")
        } else {
            "model.config".to_owned()
        };
        let place = if is_ours {
            self.document.place(&path)
        } else {
            json_place(error, source)
        };
        let failure = Failure {
            problem: Problem::Refused {
                message: error.to_string(),
                hint: error.hint(),
            },
            place: place.or_else(|| self.document.place(&path)),
            field: path,
        };
        push(&mut self.failures, failure);
    }

    /// Products in a format that a GPU cannot multiply.
    fn check_formats(&mut self, cluster: &Cluster, job: &Job) {
        for dtype in [job.precision.compute, job.precision.gemm()] {
            let unable = cluster.kinds().iter().find(|gpu| gpu.peak(dtype).is_none());
            if let Some(gpu) = unable {
                let able: Vec<&str> = gpu.peaks.iter().map(|(dtype, _)| dtype.name()).collect();
                let message = format!("{} has no matrix arithmetic in {dtype}", gpu.name);
                let hint = format!("it has {}", able.join(", "));
                self.refuse("training.precision", &message, Some(hint));
                return;
            }
        }
    }
}

/// The name of a model for reports: of the zoo, else of the folder or file.
fn model_name(name: &str) -> String {
    let path = Path::new(name);
    let stem = path
        .file_stem()
        .map_or_else(|| name.into(), |stem| stem.to_string_lossy());
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .map(|folder| folder.to_string_lossy());
    match folder {
        Some(folder) if stem == "config" => folder.into_owned(),
        _ if is_path(name) => stem.into_owned(),
        _ => name.to_owned(),
    }
}

/// Where a `config.json` is wrong: at the line of a syntax error, else at the key of the field.
fn json_place(error: &ModelError, source: &Arc<Source>) -> Option<Place> {
    if let ModelError::NotJson { line, column, .. } = error {
        let before: usize = source
            .text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let at = before + column.saturating_sub(1);
        return Some(Place::new(source, at..at + 1));
    }
    let field = error.field()?;
    let key = format!("\"{}\"", field.rsplit('.').next().unwrap_or(field));
    let at = source.text.find(&key)?;
    Some(Place::new(source, at..at + key.len()))
}

/// Plan, framework, settings, profiles.
impl Resolver<'_> {
    fn plan(&mut self, job: &Job, cluster: &Cluster) -> Option<Plan> {
        let at = |field: &str| At {
            field: field.to_owned(),
            place: self.document.place(field),
        };
        let spec = match plan_files::read(&self.spec.plan, cluster, self.library, &at) {
            Ok(spec) => spec,
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
                Some(checked.plan)
            }
            Err(errors) => {
                for error in errors {
                    self.refuse(&format!("plan.{}", error.field()), &error, error.hint());
                }
                None
            }
        }
    }

    fn framework(&mut self) -> Option<&'static lower::Framework> {
        let Some(name) = &self.spec.framework.name else {
            self.assume("framework.name", lower::NEUTRAL.name, lower::NEUTRAL.source);
            return Some(&lower::NEUTRAL);
        };
        let found = lower::framework(name);
        if found.is_none() {
            let problem = Problem::UnknownName {
                what: "framework",
                name: name.clone(),
                known: lower::framework_names().map(str::to_owned).collect(),
            };
            self.fail("framework.name", problem);
        }
        found
    }

    fn settings(&mut self) -> Option<predict::Settings> {
        let settings = &self.spec.settings;
        let engine = match settings.engine {
            None | Some(Engine::Flow) => predict::Engine::Flow,
            Some(Engine::Analytic) => predict::Engine::Analytic,
            Some(Engine::Estimate) => predict::Engine::Estimate,
            Some(Engine::Packet) => return None,
        };
        let nccl = &self.spec.nccl;
        Some(predict::Settings {
            engine,
            seed: settings.seed.unwrap_or(1),
            jitter: settings.jitter.unwrap_or(0.0),
            unfold: false,
            choice: Choice {
                algorithm: nccl.algorithm,
                protocol: nccl.protocol,
                collnet: nccl.collnet.unwrap_or(false),
            },
        })
    }

    fn prices(&self) -> predict::Prices {
        let prices = self.spec.prices.clone().unwrap_or_default();
        predict::Prices {
            gpu_hour: prices.gpu_hour,
            kwh: prices.kwh,
            currency: prices.currency,
        }
    }

    /// A profile for each kind of GPU: the user's, the zoo's, else from the data sheet.
    fn profiles(&mut self, cluster: &Cluster) -> Option<(Vec<Profile>, CommProfile)> {
        let mut own = Vec::new();
        let mut comm = CommProfile::nccl();
        for (index, name) in self.spec.settings.profiles.iter().enumerate() {
            let at = self.at(&format!("settings.profiles[{index}]"));
            match self.library.profile(name, &at) {
                Ok(file) => {
                    comm = file
                        .comm
                        .map_or_else(|| comm.clone(), |over| comm.clone().with(over));
                    own.extend(file.gpu.map(|spec| (spec, at)));
                }
                Err(failures) => self.keep(failures),
            }
        }
        for (spec, _) in &own {
            if !cluster.kinds().iter().any(|gpu| is_for(spec, &gpu.name)) {
                let (name, gpu) = (&spec.name, &spec.gpu);
                self.warnings.push(format!(
                    "profile {name:?} is of {gpu:?}, which the cluster does not have"
                ));
            }
        }
        let mut profiles = Vec::new();
        for gpu in cluster.kinds() {
            let named = own.iter().find(|(spec, _)| is_for(spec, &gpu.name));
            let (spec, at) = match named {
                Some((spec, at)) => (Some(spec.clone()), at.clone()),
                None => (self.shipped(&gpu.name), At::default()),
            };
            let Some(spec) = spec else {
                let reason = "no profile of this GPU: its data sheet with usual efficiencies";
                self.assume(
                    "settings.profiles",
                    &format!("{} (nominal)", gpu.name),
                    reason,
                );
                profiles.push(Profile::nominal(gpu));
                continue;
            };
            match Profile::build(&spec, gpu) {
                Ok(profile) => profiles.push(profile),
                Err(errors) => self.keep(
                    errors
                        .iter()
                        .map(|error| {
                            at.failure(Problem::Refused {
                                message: format!("profile {:?}: {error}", spec.name),
                                hint: error.hint(),
                            })
                        })
                        .collect(),
                ),
            }
        }
        (profiles.len() == cluster.kinds().len()).then_some((profiles, comm))
    }

    fn shipped(&self, gpu: &str) -> Option<profile::ProfileSpec> {
        let name = self.library.profile_of(gpu)?;
        self.library.profile(name, &At::default()).ok()?.gpu
    }

    /// Fields that the engine of this scenario never looks at.
    fn warn_of_idle_fields(&mut self) {
        let (network, nccl) = (&self.spec.network, &self.spec.nccl);
        let given = [
            (
                "network.load_balancing",
                network.load_balancing.is_some_and(|name| name != "ecmp"),
            ),
            (
                "network.transport",
                network.transport.is_some_and(|name| name != "ideal"),
            ),
            ("network.buffer", network.buffer.is_some()),
            ("network.ecn", network.ecn.is_some()),
            ("network.pfc", network.pfc.is_some()),
            ("network.trimming", network.trimming.is_some()),
            ("nccl.channels", nccl.channels.is_some()),
            ("nccl.qps", nccl.qps.is_some()),
        ];
        for (field, _) in given.into_iter().filter(|(_, given)| *given) {
            self.warnings.push(format!(
                "`{field}` has no effect: this engine sees no packets"
            ));
        }
    }
}

/// Whether a profile holds for a GPU: measured on it, or on one with the same chip.
fn is_for(spec: &profile::ProfileSpec, gpu: &str) -> bool {
    let same = |name: &String| name.eq_ignore_ascii_case(gpu);
    same(&spec.gpu) || spec.relatives.iter().any(same)
}
