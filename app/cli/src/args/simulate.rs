//! The arguments of `simulate` and `explain`.

use std::path::PathBuf;

use clap::Args;

use super::ScenarioArgs;

pub(super) const SIMULATE_EXAMPLES: &str = "\
Examples:
  windtunnel simulate scenarios/cases/llama3-70b-dgx-h100
  windtunnel simulate scenario.toml --trace run.json.gz
  windtunnel simulate scenario.toml --set plan.tp=4 --set cluster.nodes=32 --json";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  windtunnel explain scenarios/cases/llama3-70b-dgx-h100
  windtunnel explain run.wtt";

/// Simulate one training iteration of a scenario.
#[derive(Args, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,

    /// Write the timeline: .json.gz or .json for Perfetto, .wtt for `windtunnel explain`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) trace: Option<PathBuf>,

    /// Write the result to a file instead of standard output; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,

    /// Print the scenario with the origin of every value, and stop
    #[arg(long, conflicts_with_all = ["trace", "explain"])]
    pub(crate) print_scenario: bool,

    /// Print the pipeline schedule as CSV in the form of torch.distributed.pipelining, a row a
    /// device, and stop; `plan.schedule_file` reads it
    #[arg(long, conflicts_with_all = ["trace", "explain", "print_scenario"])]
    pub(crate) print_schedule: bool,

    /// Add what binds (limits) the run, in ten lines
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Say in ten lines what binds a run: a scenario, or a timeline that ends in .wtt.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
}
