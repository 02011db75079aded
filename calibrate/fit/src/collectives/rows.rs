//! Tables as rows that a model can price.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::{Cluster, ClusterNetwork};
use collective::{Choice, CommShape, shape};
use format::{At, Library, Named, NoFiles};
use profile::{Algorithm, CollectiveKind, CommProfile};
use units::{Bytes, GpuId};

use super::CollectivesError;
use super::places::{Place, Use, place};
use super::tables::{self, Measured};

/// What rows of one table have in common, apart from their sizes.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) kind: CollectiveKind,
    pub(crate) cluster: &'static str,
    pub(crate) nodes: u32,
    pub(crate) ranks: u32,
    pub(crate) shape: CommShape,
    pub(crate) choice: Choice,
    /// The campaign whose launches it waits for: a place in [`Rows::campaigns`].
    pub(crate) campaign: Option<usize>,
    /// The cluster of so many nodes, where domains are several.
    pub(crate) network: Option<Arc<ClusterNetwork>>,
}

/// One size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Places in [`Rows::tables`] and [`Rows::setups`].
    pub(crate) table: usize,
    pub(crate) setup: usize,
    pub(crate) bytes: Bytes,
    pub(crate) micros: f64,
    pub(crate) weight: f64,
}

/// A printed table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) hardware: String,
    pub(crate) using: Use,
}

/// A way of measuring whose launches are slow: what one process takes to launch on every rank.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Campaign {
    /// The source.
    pub(crate) name: String,
    /// How it launches.
    pub(crate) launch: Launch,
    /// Whether it measured grouped sends, each of which the host prepares.
    pub(crate) sends: bool,
}

/// How a collective is launched, as far as it takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Launch {
    /// One process launches on one GPU after the other (`nccl-tests -g`).
    OneProcess,
    /// Through `PyTorch`, a process for each GPU.
    Torch,
}

/// Campaigns that do not launch from a process for each GPU or a CUDA graph, by part of the source.
const CAMPAIGNS: [(&str, Launch); 4] = [
    ("microsoft/superbenchmark", Launch::OneProcess),
    ("VIA-Research/vTrain A100", Launch::OneProcess),
    ("VIA-Research/vTrain V100", Launch::OneProcess),
    ("stas00/ml-engineering", Launch::Torch),
];

/// Everything that was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) tables: Vec<Table>,
    pub(crate) setups: Vec<Setup>,
    pub(crate) sizes: Vec<Row>,
    pub(crate) campaigns: Vec<Campaign>,
    /// Tables that stand for no cluster: name, rows, reason.
    pub(crate) skipped: Vec<(String, usize, &'static str)>,
}

impl Rows {
    /// Reads the tables of a folder, and further ones to compare with.
    pub(crate) fn read(
        folder: &Path,
        extra: &[PathBuf],
        comm: &CommProfile,
    ) -> Result<Self, CollectivesError> {
        let mut rows = Self {
            campaigns: CAMPAIGNS
                .iter()
                .map(|(name, launch)| Campaign {
                    name: (*name).to_owned(),
                    launch: *launch,
                    sends: *name == "microsoft/superbenchmark",
                })
                .collect(),
            ..Self::default()
        };
        let mut places = Places::default();
        for measured in tables::read(folder)? {
            rows.add(&measured, None, &mut places, comm)?;
        }
        let shipped: Vec<String> = rows.tables.iter().map(|table| table.name.clone()).collect();
        for path in extra {
            for measured in tables::printed(path)? {
                let known = |name: &String| measured.table.starts_with(name.as_str());
                if !shipped.iter().any(known) {
                    let using = Use::Compare("not part of the data that is shipped");
                    rows.add(&measured, Some(using), &mut places, comm)?;
                }
            }
        }
        Ok(rows)
    }

    fn add(
        &mut self,
        measured: &Measured,
        using: Option<Use>,
        places: &mut Places,
        comm: &CommProfile,
    ) -> Result<(), CollectivesError> {
        let place = match place(&measured.table, &measured.hardware) {
            Ok(place) => place,
            Err(reason) => {
                self.skip(&measured.table, reason);
                return Ok(());
            }
        };
        let Some(kind) = CollectiveKind::from_name(&measured.kind) else {
            self.skip(&measured.table, "no model of this collective");
            return Ok(());
        };
        let table = self.table(measured, using.unwrap_or(place.using));
        let campaign = (self.campaigns.iter())
            .position(|known| measured.source.starts_with(known.name.as_str()));
        let setup = Setup {
            kind,
            cluster: place.cluster,
            nodes: measured.nodes,
            ranks: measured.ranks,
            shape: places.shape(place, measured, comm)?,
            choice: choice(measured),
            campaign,
            network: places.network(place, measured),
        };
        let same = |known: &Setup| {
            (known.kind, known.cluster, known.shape, known.choice)
                == (setup.kind, setup.cluster, setup.shape, setup.choice)
                && known.campaign == setup.campaign
        };
        let at = self.setups.iter().position(same).unwrap_or_else(|| {
            self.setups.push(setup);
            self.setups.len() - 1
        });
        self.sizes.push(Row {
            table,
            setup: at,
            bytes: Bytes::from_f64(measured.bytes),
            micros: measured.micros,
            weight: measured.weight,
        });
        Ok(())
    }

    fn skip(&mut self, table: &str, reason: &'static str) {
        match self.skipped.iter_mut().find(|known| known.0 == table) {
            Some(known) => known.1 += 1,
            None => self.skipped.push((table.to_owned(), 1, reason)),
        }
    }

    fn table(&mut self, measured: &Measured, using: Use) -> usize {
        let known = self
            .tables
            .iter()
            .rposition(|table| table.name == measured.table);
        known.unwrap_or_else(|| {
            self.tables.push(Table {
                name: measured.table.clone(),
                source: measured.source.clone(),
                hardware: measured.hardware.clone(),
                using,
            });
            self.tables.len() - 1
        })
    }

    /// The rows of a table.
    pub(crate) fn of_table(&self, table: usize) -> Vec<usize> {
        let rows = self.sizes.iter().enumerate();
        rows.filter(|(_, row)| row.table == table)
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether constants are fitted to a row.
    pub(crate) fn is_fitted(&self, row: &Row) -> bool {
        self.tables[row.table].using == Use::Fit && 0.0 < row.weight
    }
}

/// What the row says of how NCCL was told to run.
fn choice(measured: &Measured) -> Choice {
    let is_ring = measured.algorithm == "Ring (NVLS off)"
        || (measured.table == "stas_h200_colls" && measured.algorithm == "Ring");
    Choice {
        algorithm: is_ring.then_some(Algorithm::Ring),
        // NVSwitch adds no integers of 8 bits.
        without_nvls: measured.dtype == "int8",
        ..Choice::default()
    }
}

/// Clusters of the zoo, each built once.
#[derive(Debug, Default)]
struct Places {
    clusters: BTreeMap<(&'static str, Option<&'static str>, u32), Arc<ClusterNetwork>>,
    shapes: BTreeMap<(&'static str, Option<&'static str>, u32, u32), CommShape>,
}

impl Places {
    /// The network of a cluster that was built, where it has several domains.
    fn network(&self, place: Place, measured: &Measured) -> Option<Arc<ClusterNetwork>> {
        let built = self
            .clusters
            .get(&(place.cluster, place.fabric, measured.nodes))?;
        (1 < built.cluster().n_domains()).then(|| Arc::clone(built))
    }

    fn shape(
        &mut self,
        place: Place,
        measured: &Measured,
        comm: &CommProfile,
    ) -> Result<CommShape, CollectivesError> {
        let (nodes, ranks) = (measured.nodes, measured.ranks);
        let key = (place.cluster, place.fabric, nodes, ranks);
        if let Some(known) = self.shapes.get(&key) {
            return Ok(*known);
        }
        let built = match self.clusters.entry((place.cluster, place.fabric, nodes)) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => {
                let cluster = build(place, measured)?;
                empty.insert(Arc::new(ClusterNetwork::new(cluster)))
            }
        };
        let built = built.cluster();
        let per_node = ranks / nodes.max(1);
        let group: Vec<GpuId> = (0..built.n_nodes())
            .flat_map(|node| {
                let gpus = built.gpus_of(units::NodeId::from_index(node));
                gpus.take(per_node as usize).map(GpuId::new)
            })
            .collect();
        let found = shape(built, comm, &group, &[]);
        self.shapes.insert(key, found);
        Ok(found)
    }
}

fn build(place: Place, measured: &Measured) -> Result<Cluster, CollectivesError> {
    let refused = |reason: String| CollectivesError::Cluster {
        hardware: measured.hardware.clone(),
        cluster: place.cluster.to_owned(),
        reason,
    };
    let library = Library {
        files: &NoFiles,
        base: Path::new(""),
    };
    let first = |failures: Vec<format::Failure>| {
        refused(
            failures
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )
    };
    let mut file = library
        .cluster(place.cluster, &At::default())
        .map_err(first)?;
    for nodes in &mut file.nodes {
        nodes.count = measured.nodes;
    }
    if let Some(fabric) = place.fabric {
        file.fabric = Some(Named::Name(fabric.to_owned()));
    }
    let spec = library.complete(&file, &|_| At::default()).map_err(first)?;
    Cluster::build(&spec).map_err(|errors| refused(format!("{errors:?}")))
}
