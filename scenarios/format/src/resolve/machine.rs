//! The cluster, with its slow parts.

use std::path::{Path, PathBuf};

use cluster::{Cluster, ClusterError, ClusterSpec, Fault};
use units::GpuId;

use super::Resolver;
use crate::error::{Failure, Problem};
use crate::hardware::{self, ClusterFile, Nodes};
use crate::library::{At, Library, read_source};
use crate::reference::{Named, is_path};
use crate::scenario::{self, ClusterSection, MEASURED_RATES, NodeCount};
use crate::sections::Straggler;
use crate::tree::{Table, parse};
use crate::zoo::Shelf;

/// A cluster that was described.
pub(super) struct Described {
    pub(super) spec: ClusterSpec,
    /// The document of the cluster's own file, where it has one.
    own: Option<Table>,
}

/// Where a field of the cluster stands: what the scenario does not say itself stands in the
/// cluster's own file.
fn cluster_at(document: &Table, own: Option<&Table>, field: &str) -> At {
    let head = field.split(['.', '[']).next().unwrap_or(field);
    let is_ours = document
        .place(&format!("cluster.{head}"))
        .filter(|place| own.is_none() || document.place("cluster").as_ref() != Some(place));
    let elsewhere = || own.and_then(|own| own.place(field));
    At {
        field: format!("cluster.{field}"),
        place: is_ours
            .and_then(|_| document.place(&format!("cluster.{field}")))
            .or_else(elsewhere)
            .or_else(|| document.place("cluster")),
    }
}

impl Resolver<'_> {
    pub(super) fn cluster(&mut self) -> Option<Cluster> {
        let Described { spec, own } = self.described_cluster()?;
        match Cluster::build(&spec) {
            Ok(cluster) => self.degraded(cluster),
            Err(errors) => {
                let document = self.document;
                let is_measured = self.spec.cluster.as_ref();
                let is_measured = is_measured.is_some_and(|section| section.measured.is_some());
                let at = |field: &str| cluster_at(document, own.as_ref(), field);
                let failures = errors.iter().map(|error| match error {
                    ClusterError::MeasuredRows { .. } | ClusterError::MeasuredColumns { .. }
                        if is_measured =>
                    {
                        // The key alone: rows are long.
                        let place = document.key_place(&format!("cluster.{MEASURED_RATES}"));
                        refused(
                            error,
                            &At {
                                place,
                                ..at(MEASURED_RATES)
                            },
                        )
                    }
                    error => refused(error, &at(&error.field())),
                });
                self.keep(failures.collect());
                None
            }
        }
    }

    /// The cluster as its files and the section describe it, before it is built.
    pub(super) fn described_cluster(&mut self) -> Option<Described> {
        if self.is_broken("cluster") {
            let section = self.readable("cluster", &scenario::cluster)?;
            self.base_cluster(&section);
            return None;
        }
        let section = self.spec.cluster.clone()?;
        let base = self.base_cluster(&section)?;
        let file = self.changed(base.file, &section)?;
        let (document, own) = (self.document, base.document);
        let at = |field: &str| cluster_at(document, own.as_ref(), field);
        let library = Library {
            files: self.library.files,
            base: base.folder.as_deref().unwrap_or(self.library.base),
        };
        match library.collectives(&file, &at("collectives")) {
            Ok(measured) => self.measured = measured,
            Err(failures) => self.keep(failures),
        }
        match library.complete(&file, &at) {
            Ok(mut spec) => {
                spec.scale_network(section.scale.link_rate, section.scale.link_latency);
                if let Some(rates) = &section.measured {
                    spec.fabric.measured = (!rates.is_empty()).then(|| rates.clone());
                }
                Some(Described { spec, own })
            }
            Err(failures) => {
                self.keep(failures);
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
            let file = read_source(&source, &hardware::cluster)?;
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
            file.name = nodes_in_words(&file.nodes);
        }
        Some(file)
    }

    /// The cluster with its slow GPUs and links.
    fn degraded(&mut self, cluster: Cluster) -> Option<Cluster> {
        let mut degraded = cluster;
        let mut fails = false;
        if self.is_broken("stragglers") {
            return Some(degraded);
        }
        for (index, straggler) in self.spec.stragglers.iter().enumerate() {
            let (key, fault) = fault(straggler);
            let is_same = |one: &Straggler| {
                matches!((one, straggler),
                (Straggler::Gpu { name: a, .. }, Straggler::Gpu { name: b, .. }) if a == b)
            };
            if self.spec.stragglers[..index].iter().any(is_same) {
                fails = true;
                let hint = "keep one of its entries".to_owned();
                let field = format!("stragglers[{index}].{key}");
                self.refuse(&field, &"the GPU is listed twice", Some(hint));
                continue;
            }
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
    folder: Option<PathBuf>,
    document: Option<Table>,
}

/// What a cluster without a name is called: `3 x p3.8xlarge, 1 x g4dn.12xlarge`.
fn nodes_in_words(nodes: &[Nodes]) -> String {
    let words = nodes.iter().map(|nodes| {
        let kind = match &nodes.kind {
            Named::Name(name) => name,
            Named::Inline(node) => &node.name,
        };
        format!("{} x {kind}", nodes.count)
    });
    words.collect::<Vec<_>>().join(", ")
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
            let name = cluster.gpu_name(GpuId::from_index(last));
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
