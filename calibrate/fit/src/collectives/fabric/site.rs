//! The cluster on which logs were measured.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use cluster::Cluster;
use collective::{Choice, CommShape, shape};
use format::{At, ClusterFile, Disk, Library, Named, is_path};
use formats::nccl_tests::Table;
use profile::{CollectiveKind, CommProfile, NetworkComm};
use units::{Bytes, GpuId, NodeId};

use super::super::CollectivesError;
use super::super::error::LogFault;
use super::super::tables::Measured;

/// What rows of one collective on so many ranks have in common.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) kind: CollectiveKind,
    pub(super) nodes: u32,
    pub(super) shape: CommShape,
    pub(super) choice: Choice,
}

/// One size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// A place in [`Rows::setups`].
    pub(super) setup: usize,
    pub(super) bytes: Bytes,
    pub(super) micros: f64,
    /// 0 for stalls.
    pub(super) weight: f64,
}

/// What the logs hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) setups: Vec<Setup>,
    pub(super) sizes: Vec<Row>,
}

impl Rows {
    /// Whether something was measured inside a domain.
    pub(super) fn has_domains(&self) -> bool {
        self.setups.iter().any(|setup| setup.shape.domains < 2)
    }
}

/// A cluster with one kind of nodes, of any number.
#[derive(Debug)]
pub(super) struct Site {
    /// As it was named.
    name: String,
    file: ClusterFile,
    folder: PathBuf,
    whole: Cluster,
    gpus_per_node: u32,
}

impl Site {
    pub(super) fn read(name: &str) -> Result<Self, CollectivesError> {
        let library = Library {
            files: &Disk,
            base: Path::new(""),
        };
        let file = library.cluster(name, &At::default());
        let mut file = file.map_err(|failures| refused(name, first(&failures)))?;
        // What an earlier fit wrote is not part of this one.
        file.collectives = None;
        let [only] = &mut file.nodes[..] else {
            let kinds = file.nodes.len();
            return Err(refused(name, format!("it has {kinds} kinds of nodes")));
        };
        let count = only.count;
        let folder = Path::new(name).parent().filter(|_| is_path(name));
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        let whole = build(name, &file, &folder, count)?;
        let gpus = whole.gpus_of(NodeId::new(0)).len();
        Ok(Self {
            name: name.to_owned(),
            file,
            folder,
            gpus_per_node: u32::try_from(gpus).unwrap_or(u32::MAX),
            whole,
        })
    }

    /// What the cluster is called.
    pub(super) fn cluster(&self) -> &str {
        self.whole.name()
    }

    /// What keeps a table from being one of this cluster.
    pub(super) fn check(&self, table: &Table) -> Option<LogFault> {
        let (nodes, ranks) = (table.nodes.unwrap_or(1).max(1), table.ranks.unwrap_or(0));
        let most = u32::try_from(self.whole.n_nodes()).unwrap_or(u32::MAX);
        // A file of the zoo stands for any number of nodes.
        if most < nodes && is_path(&self.name) {
            return Some(LogFault::Nodes { nodes, most });
        }
        if ranks % nodes != 0 {
            return Some(LogFault::Uneven { ranks, nodes });
        }
        if self.gpus_per_node < ranks / nodes {
            let (ranks, most) = (ranks / nodes, self.gpus_per_node);
            return Some(LogFault::Ranks { ranks, most });
        }
        let kind = table.collective.as_deref().unwrap_or_default();
        if CollectiveKind::from_name(kind).is_none() {
            let kind = kind.to_owned();
            return Some(LogFault::Kind { kind });
        }
        self.check_gpu(table.gpu.as_deref()?)
    }

    /// A GPU of another name than the cluster's: its first word must be one of the driver's.
    fn check_gpu(&self, found: &str) -> Option<LogFault> {
        let gpu = self.whole.kinds().first()?;
        let model = gpu.name.split('-').next().unwrap_or_default();
        let other = found.to_lowercase();
        let same = other
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word == model.to_lowercase());
        (!same && !found.is_empty()).then(|| LogFault::Gpu {
            found: found.to_owned(),
            expected: gpu.name.clone(),
        })
    }

    /// Whether tables of this network come with the program.
    pub(super) fn is_known(&self) -> bool {
        self.known(format::fitted_comm()).is_some()
    }

    /// The place of an entry that is of this network and no other.
    fn known(&self, comm: &CommProfile) -> Option<usize> {
        if let Some(name) = self.whole.network() {
            return comm.network_named(name);
        }
        let at = usize::from(comm.network_of(None, self.whole.fabric_name()));
        (!comm.network[at].fabrics.is_empty()).then_some(at)
    }

    /// The constants from which the fit starts, and the place of the network's among them: its own,
    /// else those of the network that stands for all.
    pub(super) fn base(&self) -> (CommProfile, usize) {
        let comm = format::fitted_comm();
        if let Some(at) = self.known(comm) {
            return (comm.clone(), at);
        }
        let (network, fabric) = (self.whole.network(), self.whole.fabric_name());
        let like = comm.network_of(network, fabric);
        let entry = NetworkComm {
            name: network.unwrap_or(fabric).to_owned(),
            fabrics: vec![fabric.to_lowercase()],
            ..comm.network[usize::from(like)].clone()
        };
        let over = CommProfile {
            tuning: comm.tuning.clone(),
            scale_up: Vec::new(),
            network: vec![entry],
        };
        (comm.clone().with(over), 0)
    }

    /// Rows of this cluster. Sizes that stalled count nothing.
    pub(super) fn rows(
        &self,
        measured: &[Measured],
        comm: &CommProfile,
    ) -> Result<Rows, CollectivesError> {
        let mut rows = Rows::default();
        let mut shapes: BTreeMap<[u32; 2], CommShape> = BTreeMap::new();
        for measured in measured {
            let Some(kind) = CollectiveKind::from_name(&measured.kind) else {
                continue;
            };
            let key = [measured.nodes, measured.ranks];
            let shape = match shapes.entry(key) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(empty) => *empty.insert(self.shape(key, comm)?),
            };
            let choice = Choice {
                without_nvls: measured.dtype.contains("int8") || measured.dtype.contains("f8"),
                ..Choice::default()
            };
            let same =
                |known: &Setup| (known.kind, known.shape, known.choice) == (kind, shape, choice);
            let setup = rows.setups.iter().position(same).unwrap_or_else(|| {
                rows.setups.push(Setup {
                    kind,
                    nodes: measured.nodes,
                    shape,
                    choice,
                });
                rows.setups.len() - 1
            });
            rows.sizes.push(Row {
                setup,
                bytes: Bytes::from_f64(measured.bytes),
                micros: measured.micros,
                weight: measured.weight,
            });
        }
        Ok(rows)
    }

    fn shape(
        &self,
        [nodes, ranks]: [u32; 2],
        comm: &CommProfile,
    ) -> Result<CommShape, CollectivesError> {
        let cluster = build(&self.name, &self.file, &self.folder, nodes)?;
        let per_node = (ranks / nodes.max(1)) as usize;
        let of_node = |node| {
            let gpus = cluster.gpus_of(NodeId::from_index(node));
            gpus.take(per_node).map(GpuId::new)
        };
        let group: Vec<GpuId> = (0..cluster.n_nodes()).flat_map(of_node).collect();
        Ok(shape(&cluster, comm, &group, &[]))
    }
}

fn build(
    name: &str,
    file: &ClusterFile,
    folder: &Path,
    nodes: u32,
) -> Result<Cluster, CollectivesError> {
    let library = Library {
        files: &Disk,
        base: folder,
    };
    let mut file = file.clone();
    for kind in &mut file.nodes {
        kind.count = nodes;
    }
    if 1 < nodes && file.fabric.is_none() {
        file.fabric = Some(Named::Name("nonblocking".to_owned()));
    }
    let spec = library.complete(&file, &|_| At::default());
    let spec = spec.map_err(|failures| refused(name, first(&failures)))?;
    Cluster::build(&spec).map_err(|errors| {
        let error = errors.first().map(ToString::to_string);
        refused(name, error.unwrap_or_default())
    })
}

fn first(failures: &[format::Failure]) -> String {
    failures
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn refused(cluster: &str, reason: String) -> CollectivesError {
    CollectivesError::Site {
        cluster: cluster.to_owned(),
        reason,
    }
}
