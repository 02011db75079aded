//! Measured rates between nodes, from files.

use std::path::{Path, PathBuf};

use cluster::{Cluster, MeasuredRates};
use format::{Disk, Files as _, Problem, SCENARIO_LIMIT};
use placement::{Bandwidth, PlacementError, Snapshot, parse_snapshots};
use units::{BytesPerSec, NodeId};

/// What parts a file's name from the key of a matrix in it.
const KEY: char = '#';

/// A cluster with its links as they were measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The file, and which of its matrices.
    pub name: String,
    /// The cluster.
    pub cluster: Cluster,
}

/// What is wrong with a file of measured rates.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum BandwidthError {
    #[error("{0}")]
    Read(Problem),
    #[error("{file}: {error}")]
    Parse { file: String, error: PlacementError },
    #[error("{file} has no matrix `{key}`")]
    NoKey {
        file: String,
        key: String,
        keys: Vec<String>,
    },
    #[error("{name} has rates between {servers} servers, but the cluster has {nodes} nodes")]
    Size {
        name: String,
        servers: usize,
        nodes: usize,
    },
}

impl BandwidthError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read(_) => None,
            Self::Parse { error, .. } => error.hint(),
            Self::NoKey { keys, .. } => Some(format!("it has {}", keys.join(", "))),
            Self::Size { servers, .. } => Some(format!(
                "rows and columns are the nodes of the cluster in order: set cluster.nodes = \
                 {servers}, or give the matrix of the nodes that the job gets"
            )),
        }
    }
}

/// A cluster under each of the measurements in a file.
///
/// * `path` — `FILE` for all matrices in it, `FILE#KEY` for those with that `matrix_key`, and
///   `FILE#SOURCE:KEY` for the one of that `source_path`, of which the last part is enough.
///
/// # Errors
///
/// Where the file cannot be read, holds no matrix of that name, or one of another size.
pub fn measured(path: &Path, cluster: &Cluster) -> Result<Vec<Measured>, BandwidthError> {
    let (file, key) = parted(path);
    let shown = file.display().to_string();
    let source = Disk
        .read(&file, SCENARIO_LIMIT)
        .map_err(BandwidthError::Read)?;
    let snapshots = parse_snapshots(&source.text).map_err(|error| BandwidthError::Parse {
        file: shown.clone(),
        error,
    })?;
    let single = snapshots.len() == 1;
    let keys: Vec<String> = snapshots.iter().map(full_key).collect();
    let chosen: Vec<Snapshot> = match &key {
        None => snapshots,
        Some(key) => snapshots
            .into_iter()
            .filter(|one| is_named(one, key))
            .collect(),
    };
    if let (Some(key), true) = (key, chosen.is_empty()) {
        return Err(BandwidthError::NoKey {
            file: shown,
            key,
            keys,
        });
    }
    let name = |one: &Snapshot| {
        if single {
            shown.clone()
        } else {
            format!("{shown}{KEY}{}", full_key(one))
        }
    };
    chosen
        .iter()
        .map(|one| on(cluster, name(one), &one.bandwidth))
        .collect()
}

/// The file and the key that a name asks for; a file that is there under the whole name is meant.
fn parted(path: &Path) -> (PathBuf, Option<String>) {
    let text = path.to_string_lossy();
    match text.rsplit_once(KEY) {
        Some((file, key)) if !path.exists() => (PathBuf::from(file), Some(key.to_owned())),
        _ => (path.to_owned(), None),
    }
}

/// Whether a key names a snapshot: its own key, or behind the source or the last part of its path.
fn is_named(one: &Snapshot, key: &str) -> bool {
    let full = full_key(one);
    one.key == key || full == key || full.ends_with(&format!("/{key}"))
}

/// Which matrix of its file a snapshot is.
fn full_key(one: &Snapshot) -> String {
    if one.source.is_empty() {
        one.key.clone()
    } else {
        format!("{}:{}", one.source, one.key)
    }
}

fn on(cluster: &Cluster, name: String, bandwidth: &Bandwidth) -> Result<Measured, BandwidthError> {
    let (servers, nodes) = (bandwidth.n_servers(), cluster.n_nodes());
    let rate = |from: usize, to: usize| {
        let rate = (from != to).then(|| bandwidth.rate(from, to))?;
        BytesPerSec::new(rate)
    };
    let rates: MeasuredRates = (0..servers)
        .map(|from| (0..servers).map(|to| rate(from, to)).collect())
        .collect();
    match cluster.with_measured(rates) {
        Ok(cluster) => Ok(Measured { name, cluster }),
        Err(_) => Err(BandwidthError::Size {
            name,
            servers,
            nodes,
        }),
    }
}

/// The cluster with every link as slow as in the slowest of its measurements; none without any.
pub(crate) fn slowest(measured: &[Measured]) -> Option<Cluster> {
    let first = &measured.first()?.cluster;
    if measured.len() == 1 {
        return Some(first.clone());
    }
    let n = u32::try_from(first.n_nodes()).ok()?;
    let rate = |from: u32, to: u32| {
        let ends = [from, to].map(NodeId::new);
        let rates = measured.iter();
        rates
            .filter_map(|one| one.cluster.measured_between(ends[0], ends[1]))
            .reduce(BytesPerSec::min)
    };
    let rates = (0..n).map(|from| (0..n).map(|to| rate(from, to)).collect());
    first.with_measured(rates.collect()).ok()
}
