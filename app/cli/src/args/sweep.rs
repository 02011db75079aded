//! The arguments of `sweep`.

use std::path::PathBuf;

use clap::Args;

use super::ScenarioArgs;

pub(super) const SWEEP_EXAMPLES: &str = "\
Examples:
  windtunnel sweep scenarios/cases/spray-vs-singlepath > study.csv
  windtunnel sweep scenario.toml --set 'sweep={\"plan.tp\"=[1,2,4,8]}' --json";

/// Run a scenario for every combination of the values in its section `sweep`.
#[derive(Args, Clone, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,

    /// Write the rows to a file instead of standard output; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace a file that is there already
    #[arg(long)]
    pub(crate) force: bool,
}
