//! The command line, defined once: parsing, help and completions come from here.

mod launch;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use session::Layout;

use crate::complete::{assignments, clusters, collectives, scenarios};
use crate::topics::Topic;

pub(crate) use launch::{ExportArgs, ImportArgs};

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
    /// Find the best parallel configuration of a job on a cluster
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Simulate one training iteration of a scenario
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateArgs),
    /// Say in ten lines what binds (limits) a run, and what would help most
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Write the files that start a plan: for Megatron-LM, torchrun, Slurm, DeepSpeed, ...
    #[command(after_help = launch::EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Read arguments, configurations and jobs of other programs into a scenario
    #[command(after_help = launch::IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Print the table that nccl-tests would print for a cluster
    #[command(after_help = COLLECTIVE_EXAMPLES)]
    Collective(CollectiveArgs),
    /// Predict every row of tables of measured runs, and say how far off the predictions are
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Make profiles from measurements
    Calibrate(CalibrateArgs),
    /// Print the JSON Schema of a scenario or another file: every field with its meaning
    #[command(after_help = SCHEMA_EXAMPLES)]
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

const PLAN_EXAMPLES: &str = "\
Examples:
  windtunnel plan scenarios/cases/llama3-70b-dgx-h100
  windtunnel plan scenario.toml --fix schedule,micro_batch --table plans.csv
  windtunnel plan scenario.toml --why-not tp=16
  windtunnel plan scenario.toml --json > plan.json

The scenario's [plan] is only compared with, but for the fields that `fixed` or --fix name.
Exit status 3 says that no plan fits; what would make one fit is printed.";

const SIMULATE_EXAMPLES: &str = "\
Examples:
  windtunnel simulate scenarios/cases/llama3-70b-dgx-h100
  windtunnel simulate scenario.toml --trace run.json.gz
  windtunnel simulate scenario.toml --set plan.tp=4 --set cluster.nodes=32 --json";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  windtunnel explain scenarios/cases/llama3-70b-dgx-h100
  windtunnel explain run.wtt";

const COLLECTIVE_EXAMPLES: &str = "\
Examples:
  windtunnel collective all_reduce --cluster dgx-h100 --nodes 16 --bytes 8:8G
  windtunnel collective alltoall --cluster p5 --nodes 4 --bytes 1M:1G --datatype half
  windtunnel collective all_gather --cluster my-cluster.toml --bytes 64M:1G -i 64M --json";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  windtunnel validate calibrate/data/runs/training_runs.csv
  windtunnel validate my-runs.csv --worst 20
  windtunnel validate my-runs.csv --row 17 > row17.toml && windtunnel simulate row17.toml
  windtunnel validate my-runs.csv --max-mape 15% --json
  windtunnel validate calibrate/data/runs/*.csv --report out/

Columns are those of calibrate/data/runs/training_runs.csv; `gpu` and `gbs` are needed, and what
is empty is inferred by named rules, which --row and --worst print.";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  windtunnel schema > scenario.schema.json
  windtunnel schema cluster";

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
    /// Packets, queues and loss (not in this build)
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

/// Find the best parallel configuration of a job on a cluster.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanArgs {
    /// A scenario file, a folder with scenario.toml, or - for standard input
    #[arg(value_name = "SCENARIO", add = ArgValueCompleter::new(scenarios))]
    pub(crate) scenario: PathBuf,

    /// Set a field of the scenario, such as cluster.nodes=32; can be given several times
    #[arg(long, value_name = "FIELD=VALUE", add = ArgValueCompleter::new(assignments))]
    pub(crate) set: Vec<String>,

    /// Keep these fields of the scenario's plan, such as schedule,tp; can be given several times
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

    /// The engine of the shortlist, after the closed form looked at all plans
    #[arg(long, value_name = "ENGINE", default_value = "analytic")]
    pub(crate) engine: Engine,

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

/// Predict every row of tables of measured runs from its configuration alone, and compare.
#[derive(Args, Clone, Debug)]
pub(crate) struct ValidateArgs {
    /// Tables of measured runs (CSV, one row a run)
    #[arg(value_name = "RUNS.csv", required = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) tables: Vec<PathBuf>,

    /// A further table, such as one that cannot be published; can be given several times
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) extra: Vec<PathBuf>,

    /// Explain the N rows that are furthest off: where their time goes, what was inferred
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with = "row")]
    pub(crate) worst: Option<usize>,

    /// Print the scenario that a row became, ready for `simulate`, and stop; N is its `row_id`, or
    /// its line where the table has none
    #[arg(long, value_name = "N")]
    pub(crate) row: Option<String>,

    /// Fail (exit status 1) where the mean error of a group is larger, such as 15%
    #[arg(long, value_name = "PERCENT", value_parser = share, conflicts_with = "row")]
    pub(crate) max_mape: Option<f64>,

    /// Write the accuracy report into a folder: accuracy.md, and figures in accuracy/
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "row")]
    pub(crate) report: Option<PathBuf>,

    /// Where a fit left what it knows of groups that it left out; the report prints it. Default
    /// calibrate/data/fit, where it is there
    #[arg(
        long,
        value_name = "DIR",
        requires = "report",
        value_hint = clap::ValueHint::DirPath
    )]
    pub(crate) fit: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long, requires = "report")]
    pub(crate) force: bool,

    /// How faithfully to simulate: see `windtunnel help fidelity`
    #[arg(long, value_name = "ENGINE", default_value = "estimate")]
    pub(crate) engine: Engine,

    /// Seed of every random choice
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// A share: `15%`, or `0.15`.
fn share(text: &str) -> Result<f64, String> {
    let trimmed = text.trim();
    let (digits, unit) = match trimmed.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (trimmed, 1.0),
    };
    let value = digits
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() && 0.0 <= *value);
    match value {
        Some(value) if unit > 1.0 || value <= 1.0 => Ok(value / unit),
        Some(value) => Err(format!(
            "write {value}% for {value} percent, or {} as a share",
            value / 100.0
        )),
        None => Err("expected a share such as 15% or 0.15".to_owned()),
    }
}

/// Make profiles from measurements.
#[derive(Args, Clone, Debug)]
pub(crate) struct CalibrateArgs {
    #[command(subcommand)]
    pub(crate) command: CalibrateCommand,
}

/// What calibration does.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CalibrateCommand {
    /// Fit profiles on tables of measurements, and print their errors on rows that were left out
    #[command(after_help = FIT_EXAMPLES)]
    Fit(FitArgs),
}

const FIT_EXAMPLES: &str = "\
Examples:
  windtunnel calibrate fit --only kernels
  windtunnel calibrate fit --output trial
  windtunnel calibrate fit --only runs --extra my-runs.csv --output my-scenarios
  windtunnel calibrate fit --only kernels --only collectives --output scenarios --report docs

Without --output and --report nothing is written. --output DIR writes below DIR and nowhere else:
profiles/ and fitted/ for predictions to read, fit/ with what a fit is worth on runs and peaks that
were left out. One case differs, the one that renews what the program comes with: with
--output scenarios in its own checkout, these last tables go to calibrate/data/fit.

The same tables give the same bytes, whatever the number of threads.";

/// Fit profiles on tables of measurements.
#[derive(Args, Clone, Debug)]
pub(crate) struct FitArgs {
    /// Fit these parts alone; can be given several times
    #[arg(long, value_name = "PART")]
    pub(crate) only: Vec<FitPart>,

    /// The folder with the tables
    #[arg(long, value_name = "DIR", default_value = "calibrate/data", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data: PathBuf,

    /// Write what was fitted below this folder, in place of what is there: profiles into profiles/,
    /// scalars into fitted/, errors of left-out runs and peaks into fit/
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,

    /// A further table of runs, which are fitted, or of collectives, which are compared; such as one
    /// that cannot be published; can be given several times. With it calibrate/data is not written
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) extra: Vec<PathBuf>,

    /// Write errors of kernels and collectives into this folder: kernels-and-collectives.md
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "extra")]
    pub(crate) report: Option<PathBuf>,

    /// Do not measure what each part and scalar buys, which takes a third of the time of a fit on
    /// runs
    #[arg(long)]
    pub(crate) no_ablation: bool,
}

/// The parts of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FitPart {
    /// Profiles of GPUs, from tables of kernels
    Kernels,
    /// Constants of collectives, from tables of nccl-tests
    Collectives,
    /// Scalars of frameworks, GPUs and sites, from measured runs
    Runs,
    /// Constants of memory, from measured peaks
    Memory,
}

impl FitPart {
    /// Every part, in the order in which they are fitted.
    pub(crate) const ALL: [Self; 4] = [Self::Kernels, Self::Collectives, Self::Runs, Self::Memory];
}

/// Print the JSON Schema of a kind of file.
#[derive(Args, Clone, Debug)]
pub(crate) struct SchemaArgs {
    /// Which kind of file
    #[arg(value_name = "FILE", default_value = "scenario")]
    pub(crate) file: SchemaFile,
}

/// The kinds of files that are TOML of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaFile {
    /// A run: model, cluster, training, plan
    Scenario,
    /// Nodes and what connects them
    Cluster,
    /// The data sheet of a GPU
    Gpu,
    /// A kind of node
    Node,
    /// A fabric between nodes
    Fabric,
    /// What a GPU or a network achieves
    Profile,
    /// What a training framework does without being asked
    Framework,
}

impl SchemaFile {
    /// What the file describes.
    pub(crate) const fn layout(self) -> Layout {
        match self {
            Self::Scenario => Layout::Scenario,
            Self::Cluster => Layout::Cluster,
            Self::Gpu => Layout::Gpu,
            Self::Node => Layout::Node,
            Self::Fabric => Layout::Fabric,
            Self::Profile => Layout::Profile,
            Self::Framework => Layout::Framework,
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

/// Commands that the contract names and this build does not have.
const NOT_YET: [&str; 2] = ["sweep", "gui"];

/// Options of `simulate` for network workloads, which this build does not have.
const NOT_YET_OPTIONS: [&str; 5] = [
    "--fabric",
    "--flows",
    "--collective",
    "--bytes",
    "--no-flows",
];

/// What to say where a command or an option is known but not in this build.
pub(crate) fn not_yet(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if let Some(command) = named(ContextKind::InvalidSubcommand) {
        return NOT_YET
            .contains(&command)
            .then(|| format!("the command `{command}`"));
    }
    if error.kind() != clap::error::ErrorKind::UnknownArgument {
        return None;
    }
    let option = named(ContextKind::InvalidArg)?;
    let name = option.split(['=', ' ']).next().unwrap_or(option);
    let is_known = NOT_YET_OPTIONS.contains(&name);
    is_known.then(|| format!("a network workload (`{name}`)"))
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
    fn shares_are_read_in_percent_or_as_fractions() {
        assert!((share("15%").unwrap() - 0.15).abs() < 1e-12);
        assert!((share("15 %").unwrap() - 0.15).abs() < 1e-12);
        assert!((share("0.15").unwrap() - 0.15).abs() < 1e-12);
        assert_eq!(
            share("15").unwrap_err(),
            "write 15% for 15 percent, or 0.15 as a share"
        );
        assert!(share("-1%").is_err() && share("many").is_err());
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
    fn commands_of_the_contract_are_there_or_known_to_be_missing() {
        let cli = Cli::command();
        let names: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).collect();
        for name in [
            "plan",
            "simulate",
            "explain",
            "collective",
            "validate",
            "schema",
            "completions",
        ] {
            assert!(names.contains(&name));
        }
        assert!(NOT_YET.iter().all(|name| !names.contains(name)));
    }
}
