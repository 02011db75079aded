//! How many GPUs a script starts, and of which nodes.

use super::options::Options;
use super::script::Script;
use crate::document::Document;
use crate::error::ImportError;

/// The cluster that is taken where a file names none, as none does.
const CLUSTER: &str = "dgx-h100";
/// The GPUs of its nodes.
const GPUS_PER_NODE: u32 = 8;

/// The GPUs of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct World {
    /// In all; none where the file does not say.
    pub(super) gpus: Option<u32>,
    /// Of each node.
    pub(super) per_node: u32,
}

/// Takes note of what launchers are told besides how many processes there are.
pub(super) fn heard(options: &Options) {
    options.known(&[
        "nnodes",
        "nodes",
        "num-nodes",
        "nproc-per-node",
        "gpus-per-node",
        "num-gpus",
        "node-rank",
        "master-addr",
        "master-port",
        "rdzv-endpoint",
        "rdzv-id",
        "rdzv-backend",
        "no-python",
        "standalone",
        "local-ranks-filter",
    ]);
}

impl World {
    /// What the options of a launcher, or variables by their usual names, say.
    pub(super) fn of(script: &Script, options: &Options) -> Self {
        let variable = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| script.variables.get(*name));
            values.find_map(|value| value.parse::<u32>().ok())
        };
        heard(options);
        let given = |names: [&str; 2]| match options.number::<u32>(names[0]) {
            Ok(None) => options.number::<u32>(names[1]),
            other => other,
        };
        // A launcher in another file says these by variables, which may not be known.
        let nodes = given(["nnodes", "nodes"]).unwrap_or(None);
        let nodes = nodes.or(options.number("num-nodes").unwrap_or(None));
        let per_node = given(["nproc-per-node", "gpus-per-node"]).unwrap_or(None);
        let per_node = per_node.or(options.number("num-gpus").unwrap_or(None));
        let nodes = nodes.or_else(|| variable(&["NNODES", "NUM_NODES", "NODES", "SLURM_NNODES"]));
        let per_node =
            per_node.or_else(|| variable(&["GPUS_PER_NODE", "NPROC_PER_NODE", "NGPU", "GPUS"]));
        let both = nodes.zip(per_node.or(nodes.map(|_| GPUS_PER_NODE)));
        let product = both.and_then(|(nodes, per_node)| nodes.checked_mul(per_node));
        Self {
            gpus: variable(&["WORLD_SIZE"]).or(product),
            per_node: per_node.filter(|gpus| 0 < *gpus).unwrap_or(GPUS_PER_NODE),
        }
    }

    /// The data-parallel degree beside ranks of one replica, where the GPUs are known; a note and
    /// one replica where they are not.
    pub(super) fn replicas(
        self,
        replica: u32,
        producer: &'static str,
        notes: &mut Vec<String>,
    ) -> Result<u32, ImportError> {
        let replica = replica.max(1);
        match self.gpus {
            Some(gpus) if 0 < gpus && gpus.is_multiple_of(replica) => Ok(gpus / replica),
            Some(gpus) => Err(ImportError::Value {
                producer,
                name: "the number of GPUs".to_owned(),
                value: gpus.to_string(),
                expected: "a multiple of tp x pp x cp",
            }),
            None => {
                notes.push(
                    "the file does not say how many GPUs there are: one replica is taken, --set \
                     plan.dp=N takes more"
                        .to_owned(),
                );
                Ok(1)
            }
        }
    }

    /// `[cluster]`: no file says what the nodes are.
    pub(super) fn write(self, ranks: u32, out: &mut Document, notes: &mut Vec<String>) {
        out.set("cluster.name", CLUSTER);
        out.set("cluster.nodes", ranks.div_ceil(self.per_node).max(1));
        notes.push(format!(
            "the file does not say which machines run it: {CLUSTER} is taken, --set \
             cluster.name=NAME takes another"
        ));
    }
}
