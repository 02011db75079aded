//! What can be said of a plan while its model, its job or its cluster is not known.
//!
//! What is missing is replaced by two stand-ins that have no number in common. An error that the
//! plan has with both is one of the plan and of what is known: messages show the numbers that they
//! are about, so an error that comes from a stand-in differs between the two.

use std::path::Path;

use cluster::Cluster;
use plan::{Plan, PlanError, PlanSpec};
use workload::{Job, JobSpec, Model};

use super::Resolver;
use crate::files::NoFiles;
use crate::hardware::{ClusterFile, Nodes};
use crate::library::{At, Library};
use crate::plan_files;
use crate::reference::Named;
use crate::zoo::Shelf;

/// Models of the zoo without a common number of layers, heads, groups or widths; one has experts.
const MODELS: [&str; 2] = ["llama3-70b", "qwen3-30b-a3b"];
/// Sequences of an iteration, and tokens of a sequence.
const BATCHES: [[u64; 2]; 2] = [[5040, 10_080], [7560, 15_120]];
/// GPUs of a stand-in, for degrees beyond all reason.
const MOST_GPUS: [u64; 2] = [1 << 14, 3 << 13];

impl Resolver<'_> {
    /// Reports what is wrong with the plan whatever the job and, where it is absent, the model
    /// and the cluster. There is never a plan.
    pub(super) fn plan_in_part(
        &mut self,
        model: Option<&Model>,
        cluster: Option<&Cluster>,
    ) -> Option<Plan> {
        if self.is_broken("plan") {
            return None;
        }
        let one = self.errors_with(0, model, cluster)?;
        let other = self.errors_with(1, model, cluster)?;
        let shared: Vec<PlanError> = one.into_iter().filter(|one| other.contains(one)).collect();
        self.plan_errors.extend(shared.iter().cloned());
        // Degrees that do not fit the cluster keep the rest of a plan from being checked.
        if cluster.is_some() && shared.iter().any(|error| error.field() == "dp") {
            return self.plan_in_part(model, None);
        }
        None
    }

    /// What is wrong with the plan where that stand-in replaces what is missing.
    fn errors_with(
        &mut self,
        stand_in: usize,
        model: Option<&Model>,
        cluster: Option<&Cluster>,
    ) -> Option<Vec<PlanError>> {
        let job = self.job_of(
            model.cloned().or_else(|| stand_in_model(stand_in))?,
            stand_in,
        )?;
        let built;
        let cluster = if let Some(cluster) = cluster {
            cluster
        } else {
            built = stand_in_cluster(&self.spec.plan.spec, stand_in)?;
            &built
        };
        let mut section = self.spec.plan.clone();
        // Its names are those of the cluster that there is not.
        section.rank_order_file = None;
        let at = |field: &str| self.at(field);
        match plan_files::read(&section, cluster, self.library, &at) {
            Ok(spec) => Some(Plan::check(&spec, &job, cluster).err().unwrap_or_default()),
            Err(failures) => {
                self.keep(failures);
                None
            }
        }
    }

    /// The job of the scenario with that model, else a stand-in.
    fn job_of(&self, model: Model, stand_in: usize) -> Option<Job> {
        let own = self.spec.training.as_ref();
        let own = own.filter(|_| !self.is_broken("training"));
        let checked = own.and_then(|own| own.job.clone().check(model.clone()).ok());
        let [global_batch, seq_len] = BATCHES[stand_in];
        checked.or_else(|| JobSpec::new(global_batch, seq_len).check(model).ok())
    }
}

/// A model of the zoo.
pub(super) fn stand_in_model(stand_in: usize) -> Option<Model> {
    let source = Shelf::Models.open(MODELS[stand_in]).ok()?;
    Model::read_config_json(&source.text, &[]).ok()
}

/// A cluster with as many GPUs as the degrees need, or twice as many.
fn stand_in_cluster(plan: &PlanSpec, stand_in: usize) -> Option<Cluster> {
    let degree = |degree: Option<u32>| u64::from(degree.unwrap_or(1).max(1));
    let experts = degree(plan.ep).saturating_mul(degree(plan.etp));
    let data = plan.dp.map_or(experts, u64::from).max(1);
    let gpus = [plan.tp, plan.pp, plan.cp].into_iter().map(degree);
    let gpus = gpus.fold(data, u64::saturating_mul);
    let gpus = gpus
        .saturating_mul(stand_in as u64 + 1)
        .min(MOST_GPUS[stand_in]);
    let file = ClusterFile {
        name: "a stand-in".to_owned(),
        nodes: vec![Nodes {
            kind: Named::Name("host-100g".to_owned()),
            count: u32::try_from(gpus).ok()?,
            gpus: None,
            domain_nodes: None,
        }],
        fabric: Some(Named::Name("nonblocking".to_owned())),
        ..ClusterFile::default()
    };
    let zoo = Library {
        files: &NoFiles,
        base: Path::new(""),
    };
    let spec = zoo.complete(&file, &|_| At::default()).ok()?;
    Cluster::build(&spec).ok()
}
