//! GPUs, nodes, fabrics and clusters.

mod fabric;
mod gpu;
mod graph;
mod node;
mod scale_up;

use cluster::{FabricSpec, GpuSpec, NodeSpec};

use crate::error::Problem;
use crate::fields::Fields;
use crate::reference::{Named, named};
use crate::shape::{list, table, text, whole};

pub use fabric::fabric;
pub use gpu::gpu;
pub use node::node;

/// The version of scenario and hardware files that is read.
pub const SCHEMA: u32 = 1;

/// A cluster as its file says it: nodes and fabric may be names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterFile {
    /// What the report calls it.
    pub name: String,
    /// The nodes.
    pub nodes: Vec<Nodes>,
    /// What connects them.
    pub fabric: Option<Named<FabricSpec>>,
    /// Data sheets beside those of the zoo.
    pub gpus: Vec<GpuSpec>,
    /// A profile with the constants of collectives that were measured on it.
    pub collectives: Option<String>,
    /// Where the figures are from.
    pub source: String,
    /// What is uncertain.
    pub notes: String,
}

/// Nodes of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Their kind.
    pub kind: Named<NodeSpec>,
    /// How many.
    pub count: u32,
    /// GPUs used in each of them, default all.
    pub gpus: Option<u32>,
    /// Nodes of each scale-up domain that are used, default all that share one.
    pub domain_nodes: Option<u32>,
}

/// A cluster file.
pub fn cluster(t: &mut Fields<'_, '_>) -> ClusterFile {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    ClusterFile {
        name,
        nodes: t
            .get("nodes", "nodes by kind", list(table(nodes)))
            .required(),
        fabric: t.get("fabric", FABRIC, named(fabric)).optional(),
        gpus: t.get("gpus", GPUS, list(table(gpu))).or_default(),
        collectives: t.get("collectives", COLLECTIVES, text()).optional(),
        source,
        notes,
    }
}

pub(crate) const FABRIC: &str = "what connects the nodes: a name, a file or a table";
pub(crate) const COLLECTIVES: &str = "profile with the constants of collectives that were measured on it, as \
     `windtunnel calibrate fit` writes it: a file, from the folder of this one";
pub(crate) const GPUS: &str = "data sheets beside those of the zoo";

pub(crate) fn nodes(t: &mut Fields<'_, '_>) -> Nodes {
    Nodes {
        kind: t
            .get("kind", "a name, a file or a table", named(node))
            .required(),
        count: t.get("count", "nodes of that kind", whole(1)).required(),
        gpus: t
            .get("gpus", "GPUs used in each of them, default all", whole(1))
            .optional(),
        domain_nodes: t
            .get(
                "domain_nodes",
                "nodes used of each scale-up domain (trays of an NVL72 rack), default all of it",
                whole(1),
            )
            .optional(),
    }
}

/// The keys that every file of the zoo has besides its own.
#[derive(Clone, Debug, Default, PartialEq)]
struct Header {
    name: String,
    source: String,
    notes: String,
}

fn header(t: &mut Fields<'_, '_>) -> Header {
    schema(t);
    t.get("aliases", "further names", list(text())).optional();
    Header {
        name: t.get("name", "what others call it", text()).required(),
        source: t
            .get("source", "where the figures are from", text())
            .or(String::new()),
        notes: t
            .get("notes", "what is uncertain", text())
            .or(String::new()),
    }
}

/// Reads `schema` and refuses a newer one.
pub(crate) fn schema(t: &mut Fields<'_, '_>) -> u32 {
    let schema = t
        .get("schema", "version of this format", whole::<u32>(1))
        .or(SCHEMA);
    if SCHEMA < schema {
        let problem = Problem::NewerSchema {
            found: i64::from(schema),
            supported: SCHEMA,
        };
        t.report("schema", problem);
    }
    schema
}
