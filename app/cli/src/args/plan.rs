//! The arguments of `plan`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::Engine;
use crate::complete::{assignments, scenarios};

pub(super) const PLAN_EXAMPLES: &str = "\
Examples:
  windtunnel plan scenarios/cases/llama3-70b-dgx-h100
  windtunnel plan scenario.toml --fix schedule,micro_batch --table plans.csv
  windtunnel plan scenario.toml --why-not tp=16
  windtunnel plan scenario.toml --json > plan.json
  windtunnel plan workload.toml --set settings.engine=packet

The scenario's [plan] is only compared with, but for the fields that `fixed` or --fix name. Of a
scenario with [workload] the load balancing is planned: policy, splits and queue pairs.
Exit status 3 says that no plan fits; what would make one fit is printed.";

/// Find the best parallel configuration of a job on a cluster, or the best load balancing of a
/// network workload.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArgs {
    /// A scenario file, a folder with scenario.toml, or - for standard input
    #[arg(value_name = "SCENARIO", add = ArgValueCompleter::new(scenarios))]
    pub(crate) scenario: PathBuf,

    /// Set a field of the scenario, such as cluster.nodes=32; can be given several times
    #[arg(long, value_name = "FIELD=VALUE", add = ArgValueCompleter::new(assignments))]
    pub(crate) set: Vec<String>,

    /// Keep these fields of the scenario's plan, such as schedule,tp; of a network workload
    /// `load_balancing`, `split` or `qps`; can be given several times
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(crate) fix: Vec<String>,

    /// Say why no plan with this value is recommended, such as tp=16; can be given several times
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) why_not: Vec<String>,

    /// Rates between nodes as they were measured, and order the nodes of the best plans by them:
    /// rows of MB/s, or a table with `matrix_key`, `host_row`, `host_col` and `MBps`. FILE#KEY takes one
    /// matrix of several; with several, the order is best in the worst of them
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) bandwidth: Vec<PathBuf>,

    /// Add what Megatron's heuristic, AMP and Pipette would choose, and what the engine says of it
    #[arg(long, conflicts_with = "why_not")]
    pub(crate) baselines: bool,

    /// The engine of the shortlist, after the closed form looked at all plans, default analytic; of
    /// a network workload flow or packet, default that of the scenario
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<Engine>,

    /// Stop after so many seconds with the best plan so far
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time_limit: Option<u64>,

    /// Write every plan that was evaluated, as CSV; as Parquet where FILE ends in .parquet, in builds
    /// with the feature `parquet`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) table: Option<PathBuf>,

    /// Write the result to a file instead of standard output; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,

    /// Seed of every random choice, such as jitter
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}
