//! The arguments of `simulate` and `explain`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::{OverArgs, TrafficArgs};
use crate::complete::scenarios;

pub(super) const SIMULATE_EXAMPLES: &str = "\
Examples:
  windtunnel simulate scenarios/cases/llama3-70b-dgx-h100
  windtunnel simulate scenario.toml --trace run.json.gz
  windtunnel simulate scenario.toml --engine packet --links links.csv --trace run.json.gz
  windtunnel simulate scenario.toml --set plan.tp=4 --set cluster.nodes=32 --json
  windtunnel simulate --fabric hosts --collective ring --bytes '64 MiB'
  windtunnel simulate --fabric platform.xml --flows flows.csv --share cm02 --json
  windtunnel simulate --fabric hosts --collective permutation --bytes '4 MiB' --engine packet --transport uec";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  windtunnel explain scenarios/cases/llama3-70b-dgx-h100
  windtunnel explain run.wtt
  windtunnel explain workload.toml --engine packet --transport dcqcn-gbn
  windtunnel explain --fabric hosts --collective alltoall --bytes '1 MiB'";

/// A scenario with what is laid over it, or a network workload from options alone.
#[derive(Args, Clone, Debug)]
pub(crate) struct WorkArgs {
    /// A scenario file, a folder with scenario.toml, or - for standard input; `explain` takes
    /// timelines in .wtt, too
    #[arg(
        value_name = "SCENARIO",
        add = ArgValueCompleter::new(scenarios),
        required_unless_present = "fabric",
        conflicts_with = "fabric"
    )]
    pub(crate) scenario: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) over: OverArgs,

    #[command(flatten)]
    pub(crate) traffic: TrafficArgs,
}

/// Simulate one training iteration of a scenario, or traffic on a network.
#[derive(Args, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,

    /// Write the timeline: .json.gz or .json for Perfetto, .wtt for `windtunnel explain`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) trace: Option<PathBuf>,

    /// Show so many of the busiest links in the timeline for Perfetto, in the engines flow and
    /// packet; 16 by default
    #[arg(long, value_name = "N", requires = "trace")]
    pub(crate) trace_links: Option<u32>,

    /// Write what every link carried when, and for whom, as CSV: engines flow and packet
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) links: Option<PathBuf>,

    /// Write the result to a file instead of standard output; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,

    /// Print the scenario with the origin of every value, and stop
    #[arg(long, conflicts_with_all = ["trace", "links", "output", "explain"])]
    pub(crate) print_scenario: bool,

    /// Print the pipeline schedule as CSV in the form of torch.distributed.pipelining, a row a
    /// device, and stop; `plan.schedule_file` reads it
    #[arg(long, conflicts_with_all = ["trace", "links", "explain", "print_scenario"])]
    pub(crate) print_schedule: bool,

    /// Add what binds (limits) the run, in ten lines
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Say in ten lines what binds a run: a scenario, or a timeline that ends in .wtt.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}
