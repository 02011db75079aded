//! The command line, defined once: parsing, help and completions come from here.

mod calibrate;
mod collective;
mod gui;
mod launch;
mod plan;
mod schema;
mod simulate;
mod sweep;
mod traffic;
mod validate;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::complete::{assignments, scenarios};
use crate::topics::Topic;

pub(crate) use calibrate::{CalibrateArgs, CalibrateCommand, FitArgs, FitPart};
pub(crate) use collective::CollectiveArgs;
pub(crate) use gui::GuiArgs;
pub(crate) use launch::{Becomes, ExportArgs, ExportFor, ImportArgs};
pub(crate) use plan::PlanArgs;
pub(crate) use schema::SchemaArgs;
pub(crate) use simulate::{ExplainArgs, SimulateArgs, WorkArgs};
pub(crate) use sweep::SweepArgs;
use traffic::TrafficArgs;
pub(crate) use validate::ValidateArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The examples of the short help, which also stands alone where no command is given.
pub(crate) const EXAMPLES: &str = "\
Examples:
  windtunnel plan scenarios/cases/llama3-70b-dgx-h100
  windtunnel simulate scenario.toml --set cluster.nodes=32 --json
  windtunnel explain scenario.toml";

/// Predicts how large models train on GPU clusters: time, memory, where the time goes.
#[derive(Debug, Parser)]
#[command(
    name = "windtunnel",
    version = crate::version::LONG,
    styles = STYLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXAMPLES,
    after_long_help = crate::topics::after_long_help(),
    arg_required_else_help = false
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct OutputArgs {
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print the result alone: no warnings, no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say more: -v reasons and sources, -vv also timings
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Color the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Print long text at once, not through $PAGER
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,

    /// Show no progress
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,

    /// Threads to use; never changes a result
    #[arg(long, global = true, value_name = "N", env = "WINDTUNNEL_THREADS")]
    pub(crate) threads: Option<std::num::NonZeroU32>,
}

/// When to color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the best parallel configuration of a job, or load balancing of a network workload
    #[command(after_help = plan::PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Simulate one training iteration of a scenario, or traffic on a network
    #[command(after_help = simulate::SIMULATE_EXAMPLES)]
    Simulate(SimulateArgs),
    /// Say in ten lines what binds (limits) a run, and what would help most
    #[command(after_help = simulate::EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Run a scenario for every combination of the values in its [sweep]: one CSV row a case
    #[command(after_help = sweep::SWEEP_EXAMPLES)]
    Sweep(SweepArgs),
    /// Write the files that start a plan: for Megatron-LM, Slurm, ..., NCCL, flow tables, SimGrid
    #[command(after_help = launch::EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Read arguments, configurations and jobs of other programs into a scenario
    #[command(after_help = launch::IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Print the table that nccl-tests would print for a cluster
    #[command(after_help = collective::COLLECTIVE_EXAMPLES)]
    Collective(CollectiveArgs),
    /// Predict every row of tables of measured runs, and say how far off the predictions are
    #[command(after_help = validate::VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Make profiles from measurements
    Calibrate(CalibrateArgs),
    /// Open the window, or make pictures of its views without a display
    #[command(after_help = gui::GUI_EXAMPLES)]
    Gui(GuiArgs),
    /// Print the JSON Schema of a scenario or another file: every field with its meaning
    #[command(after_help = schema::SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
    /// Print completions for a shell
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completions(CompletionArgs),
    /// Write manual pages into a folder
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
    /// Print help: of a command, or about units, scenario, fidelity
    Help(HelpArgs),
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  windtunnel completions bash > ~/.local/share/bash-completion/completions/windtunnel
  windtunnel completions fish > ~/.config/fish/completions/windtunnel.fish

The script asks windtunnel itself, so that fields of --set, their values, names of models
and clusters, and cases are completed too.";

const MAN_EXAMPLES: &str = "\
Examples:
  windtunnel man ~/.local/share/man/man1";

/// Which scenario, and what of it is overridden.
#[derive(Args, Clone, Debug)]
pub(crate) struct ScenarioArgs {
    /// A scenario file, a folder with scenario.toml, or - for standard input
    #[arg(value_name = "SCENARIO", add = ArgValueCompleter::new(scenarios))]
    pub(crate) scenario: PathBuf,

    #[command(flatten)]
    pub(crate) over: OverArgs,
}

/// What is laid over a scenario.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OverArgs {
    /// Set a field of the scenario, such as cluster.nodes=32; can be given several times
    #[arg(long, value_name = "FIELD=VALUE", add = ArgValueCompleter::new(assignments))]
    pub(crate) set: Vec<String>,

    /// Seed of every random choice, such as jitter
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// How faithfully to simulate: see `windtunnel help fidelity`
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<Engine>,

    /// Simulate every GPU by itself, where one would stand for all that behave alike; slower
    #[arg(long)]
    pub(crate) unfold: bool,
}

/// The engines that a scenario can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Closed formulas, for searches
    Estimate,
    /// Events; messages do not slow each other down
    Analytic,
    /// Events; messages share links fairly
    Flow,
    /// Packets, queues and loss
    Packet,
}

impl Engine {
    /// The name as scenarios write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Estimate => "estimate",
            Self::Analytic => "analytic",
            Self::Flow => "flow",
            Self::Packet => "packet",
        }
    }
}

/// Print completions for a shell.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompletionArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Write manual pages into a folder.
#[derive(Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// The folder; made where it is missing
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// Replace pages that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// Print help.
#[derive(Args, Clone, Debug)]
pub(crate) struct HelpArgs {
    /// A command or a topic: units, scenario, fidelity
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: Option<String>,
}

impl HelpArgs {
    /// The topic, where the word names one.
    pub(crate) fn as_topic(&self) -> Option<Topic> {
        self.topic.as_deref().and_then(Topic::from_name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_option_lacks_help_and_no_two_short_flags_are_alike() {
        let cli = Cli::command();
        for command in cli.get_subcommands().chain([&cli]) {
            let mut shorts = BTreeSet::new();
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} has no help", arg.get_id());
                if let Some(short) = arg.get_short() {
                    assert!(shorts.insert(short), "-{short} is given twice");
                }
            }
            assert!(
                command.get_about().is_some(),
                "{} has no help",
                command.get_name()
            );
        }
    }

    #[test]
    fn commands_of_the_contract_are_there() {
        let cli = Cli::command();
        let names: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).collect();
        for name in [
            "plan",
            "simulate",
            "explain",
            "collective",
            "sweep",
            "validate",
            "schema",
            "completions",
            "gui",
        ] {
            assert!(names.contains(&name));
        }
    }
}
