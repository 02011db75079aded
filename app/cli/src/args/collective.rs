//! The arguments of `collective`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::complete::{clusters, collectives};

pub(super) const COLLECTIVE_EXAMPLES: &str = "\
Examples:
  windtunnel collective all_reduce --cluster dgx-h100 --nodes 16 --bytes 8:8G
  windtunnel collective alltoall --cluster p5 --nodes 4 --bytes 1M:1G --datatype half
  windtunnel collective all_gather --cluster my-cluster.toml --bytes 64M:1G -i 64M --json";

/// Print the table that nccl-tests would print for a cluster.
#[derive(Args, Clone, Debug)]
pub(crate) struct CollectiveArgs {
    /// `all_reduce`, `all_gather`, `reduce_scatter`, `alltoall`, `broadcast`, `reduce`, `sendrecv`,
    /// `gather` or `scatter`
    #[arg(value_name = "KIND", add = ArgValueCompleter::new(collectives))]
    pub(crate) kind: String,

    /// A cluster of the zoo, or the path of a cluster file
    #[arg(long, value_name = "CLUSTER", add = ArgValueCompleter::new(clusters))]
    pub(crate) cluster: String,

    /// Nodes; default all of the cluster's file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) nodes: Option<u32>,

    /// GPUs used of each node; default all
    #[arg(long, value_name = "N")]
    pub(crate) gpus_per_node: Option<u32>,

    /// Sizes, MIN:MAX or one, default 8:8G; K, M and G are 2^10, 2^20 and 2^30 bytes
    #[arg(short = 'b', long, alias = "minbytes", value_name = "MIN:MAX")]
    pub(crate) bytes: Option<String>,

    /// The largest size, where --bytes says only the smallest
    #[arg(short = 'e', long, alias = "maxbytes", value_name = "MAX")]
    pub(crate) max_bytes: Option<String>,

    /// From one size to the next, times this; default 2, where nccl-tests without -f adds 1 MiB
    #[arg(
        short = 'f',
        long,
        alias = "stepfactor",
        value_name = "N",
        conflicts_with = "step_bytes"
    )]
    pub(crate) step_factor: Option<u64>,

    /// From one size to the next, plus this
    #[arg(short = 'i', long, alias = "stepbytes", value_name = "SIZE")]
    pub(crate) step_bytes: Option<String>,

    /// Type of the elements: float, half, bfloat16, double, int8, ...
    #[arg(short = 'd', long, value_name = "TYPE", default_value = "float")]
    pub(crate) datatype: String,

    /// Only this algorithm, as `NCCL_ALGO` names it: ring, tree, nvls, nvls-tree, pat
    #[arg(long, value_name = "ALGORITHM")]
    pub(crate) algo: Option<String>,

    /// Only this protocol, as `NCCL_PROTO` names it: ll, ll128, simple
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) proto: Option<String>,
}
