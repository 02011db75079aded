//! The arguments of `calibrate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::complete::clusters;

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
  windtunnel calibrate fit --only collectives --nccl-tests all_reduce.log alltoall.log
  --cluster my-cluster.toml --output .

Without --output and --report nothing is written. --output DIR writes below DIR and nowhere else:
profiles/ and fitted/ for predictions to read, fit/ with what a fit is worth on runs and peaks that
were left out. One case differs, the one that renews what the program comes with: with
--output scenarios in its own checkout, these last tables go to calibrate/data/fit.

With --nccl-tests the profile of the cluster's network is written below DIR/profiles. The cluster
file names it, collectives = \"profiles/...\": see docs/calibrating-a-fabric.md.

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

    /// Fit the network of a cluster of your own to what nccl-tests printed on it: these logs. The
    /// tables of --data are not fitted then
    #[arg(
        long,
        value_name = "LOG",
        num_args = 1..,
        requires = "cluster",
        conflicts_with_all = ["extra", "report"],
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) nccl_tests: Vec<PathBuf>,

    /// The cluster that --nccl-tests ran on: a cluster file, or a cluster of the zoo
    #[arg(long, value_name = "CLUSTER", requires = "nccl_tests", add = ArgValueCompleter::new(clusters))]
    pub(crate) cluster: Option<String>,

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
