//! What runs beside the job on its cluster.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cluster::Cluster;
use predict::{Beside, Repeated, Scenario};
use profile::CollectiveKind;
use units::{GpuId, Seconds};

use super::Resolver;
use crate::error::Problem;
use crate::files::{SCENARIO_FILE, SCENARIO_LIMIT};
use crate::library::Library;
use crate::scenario::draft;
use crate::sections::Background;
use crate::tree::parse;

impl Resolver<'_> {
    /// Adds what `[[background]]` says to a scenario.
    pub(super) fn background(&mut self, scenario: &mut Scenario) {
        if self.spec.background.is_empty() || self.is_broken("background") {
            return;
        }
        let reason = match scenario.settings.engine {
            _ if self.given.is_some() => Some("plans are compared without it"),
            predict::Engine::Flow | predict::Engine::Packet => None,
            _ => Some("this engine knows no links that jobs could share"),
        };
        if let Some(reason) = reason {
            self.warnings
                .push(format!("`background` has no effect: {reason}"));
            return;
        }
        let mut taken: BTreeSet<GpuId> = gpus(scenario).collect();
        for (index, entry) in self.spec.background.iter().enumerate() {
            let beside = match &entry.scenario {
                Some(file) => self
                    .other_job(index, entry, file, scenario, &mut taken)
                    .map(|job| Beside::Job(Box::new(job))),
                None => self
                    .collective(index, entry, &scenario.cluster)
                    .map(Beside::Collective),
            };
            scenario.beside.extend(beside);
        }
    }

    /// Another job on the cluster of a scenario.
    fn other_job(
        &mut self,
        index: usize,
        entry: &Background,
        file: &str,
        scenario: &Scenario,
        taken: &mut BTreeSet<GpuId>,
    ) -> Option<Scenario> {
        let mut other = self.other(index, file, &scenario.cluster)?;
        let first = entry.first_gpu.unwrap_or(0);
        let field = format!("background[{index}].first_gpu");
        let n_gpus = u32::try_from(scenario.cluster.n_gpus()).unwrap_or(u32::MAX);
        let Some(plan) = other.plan.clone().starting_at(first, n_gpus) else {
            let ranks = other.plan.n_ranks();
            let message =
                format!("{ranks} ranks from GPU {first} on do not fit the cluster's {n_gpus} GPUs");
            let hint = "begin further in front, or give the other job a smaller `plan.dp`";
            self.refuse(&field, &message, Some(hint.to_owned()));
            return None;
        };
        other.plan = plan;
        if let Some(gpu) = gpus(&other).find(|gpu| taken.contains(gpu)) {
            let name = scenario.cluster.gpu_name(gpu);
            let message = format!("GPU {name} belongs to two jobs");
            let hint = "let both jobs give `plan.dp`, and `first_gpu` lie behind the others";
            self.refuse(&field, &message, Some(hint.to_owned()));
            return None;
        }
        taken.extend(gpus(&other));
        Some(other)
    }

    /// Reads and resolves another scenario on a cluster that is given.
    fn other(&mut self, index: usize, file: &str, cluster: &Cluster) -> Option<Scenario> {
        let at = self.at(&format!("background[{index}].scenario"));
        let mut path: PathBuf = self.library.path(file);
        let files = self.library.files;
        let read = match files.read(&path, SCENARIO_LIMIT) {
            Err(Problem::IsFolder { .. }) => {
                path.push(SCENARIO_FILE);
                files.read(&path, SCENARIO_LIMIT)
            }
            read => read,
        };
        let parsed = read
            .map_err(|problem| vec![at.failure(problem)])
            .and_then(|source| parse(&source));
        let document = match parsed {
            Ok(document) => document,
            Err(failures) => {
                self.keep(failures);
                return None;
            }
        };
        let (spec, failures) = draft(&document);
        if !failures.is_empty() {
            self.keep(failures);
            return None;
        }
        if !spec.background.is_empty() {
            let message = format!("{file} has a background of its own");
            let hint = "list what runs beside both in one file".to_owned();
            self.refuse(&at.field, &message, Some(hint));
            return None;
        }
        let library = Library {
            files,
            base: path.parent().unwrap_or(self.library.base),
        };
        let mut resolver = Resolver::new(&spec, &document, &library);
        resolver.shared = Some(cluster.clone());
        resolver.measured.clone_from(&self.measured);
        let name = path.file_stem().and_then(|name| name.to_str());
        let scenario = resolver.scenario(name.unwrap_or(file));
        let failures = std::mem::take(&mut resolver.failures);
        if failures.is_empty() {
            return scenario;
        }
        self.keep(failures);
        None
    }

    fn collective(
        &mut self,
        index: usize,
        entry: &Background,
        cluster: &Cluster,
    ) -> Option<Repeated> {
        let name = entry.collective.as_deref()?;
        let field = |key| format!("background[{index}].{key}");
        let kind = match name {
            "ring" => Some(CollectiveKind::AllReduce),
            name => CollectiveKind::from_name(name),
        };
        let Some(kind) = kind else {
            let names = CollectiveKind::ALL.map(CollectiveKind::name).join(", ");
            let message = format!("there is no collective `{name}`");
            let hint = Some(format!("one of {names}"));
            self.refuse(&field("collective"), &message, hint);
            return None;
        };
        let gpus = match ends(&entry.ends, cluster) {
            Ok(gpus) => gpus,
            Err(end) => {
                let message = format!("`{end}` is no node, GPU or range of the cluster");
                let hint = Some("such as \"n2\", \"n2g0\", \"n2-n3\" or \"n2g0-n3g7\"".to_owned());
                self.refuse(&field("ends"), &message, hint);
                return None;
            }
        };
        let bytes = entry.bytes.filter(|bytes| 0 < bytes.as_u64());
        let (Some(bytes), 2..) = (bytes, gpus.len()) else {
            let message = "a collective needs two GPUs and a byte at least";
            self.refuse(&field("bytes"), &message, None);
            return None;
        };
        Some(Repeated {
            name: name.to_owned(),
            gpus,
            kind,
            bytes,
            every: entry.every.unwrap_or(Seconds::ZERO),
        })
    }
}

/// The GPUs of a job.
fn gpus(scenario: &Scenario) -> impl Iterator<Item = GpuId> + '_ {
    let ranks = scenario.plan.ranks().all();
    ranks.map(|rank| scenario.plan.gpu_of(rank))
}

/// The GPUs that a list of names stands for, each once and in order; all where it is empty.
fn ends(names: &[String], cluster: &Cluster) -> Result<Vec<GpuId>, String> {
    if names.is_empty() {
        return Ok(cluster.gpus().collect());
    }
    let mut gpus = BTreeSet::new();
    for name in names {
        let of = |name: &str| -> Option<[u32; 2]> {
            if let Some(gpu) = cluster.gpu_named(name) {
                return Some([gpu.get(), gpu.get() + 1]);
            }
            let node = cluster.gpus_of(cluster.node_named(name)?);
            Some([node.start, node.end])
        };
        let range = match name.split_once('-') {
            Some((from, to)) => of(from).zip(of(to)).map(|(from, to)| [from[0], to[1]]),
            None => of(name),
        };
        let [from, to] = range
            .filter(|[from, to]| from < to)
            .ok_or_else(|| name.clone())?;
        gpus.extend((from..to).map(GpuId::new));
    }
    Ok(gpus.into_iter().collect())
}
