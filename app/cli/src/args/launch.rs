//! `export` and `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use session::{Consumer, NetworkConsumer, Producer, Tool};

use super::{OverArgs, ScenarioArgs};
use crate::complete::{assignments, scenarios};

pub(super) const EXPORT_EXAMPLES: &str = "\
Examples:
  windtunnel export scenarios/cases/llama3-70b-dgx-h100 --to slurm
  windtunnel export scenario.toml --to megatron --output launch
  windtunnel plan scenario.toml --json > plans.json
  windtunnel export plans.json --rank 1 --to slurm --output launch
  windtunnel export workload.toml --to flow-table --output ways

nccl takes training and network workloads; flow-table, simgrid, htsim and chakra take network
workloads, the others training.
Without --output the files are shown, each behind a line with its name. What a consumer cannot
express is refused, or is a warning here and a comment in the files.";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  windtunnel import --from megatron train.sh
  windtunnel import --from megatron train.sh --set cluster.name=p5 --output scenario.toml
  windtunnel import --from torchtitan run.sh | windtunnel simulate -
  windtunnel import --from deepspeed ds_config.json --set model.config=llama3-8b
  nvidia-smi topo -m | windtunnel import --from nvidia-smi - --gpu h200 --output cluster.toml
  windtunnel import --from ibnetdiscover fabric.txt --node dgx-h100 --output cluster.toml
  windtunnel import --from chakra trace.0.et --gpus-per-node 8 --output flows.csv
  windtunnel import --from simgrid platform.xml --output scenario.toml

Launch files become a scenario; topologies become a cluster file, on which collective, simulate and
the cluster of a scenario run; traces become a list of flows; a SimGrid platform becomes a scenario
of a network workload on it. Nothing of a script is run: variables that it assigns are put in their
places. What a file does not say, and what of it was ignored, is told on standard error.";

/// Write the files that start a plan.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExportArgs {
    /// A scenario, a prediction (`simulate --json`) or plans (`plan --json`); - is standard input
    #[arg(value_name = "PLAN", add = ArgValueCompleter::new(scenarios))]
    pub(crate) plan: PathBuf,

    /// Who reads the files; torchrun and slurm start the program of the scenario's framework
    #[arg(long, value_name = "CONSUMER")]
    pub(crate) to: ExportTo,

    /// Which of the plans of `plan --json`, from 0; default the best
    #[arg(long, value_name = "K")]
    pub(crate) rank: Option<usize>,

    /// The version of the consumer, such as 0.2 for torchtitan's TOML files; default the newest
    #[arg(long, value_name = "VERSION")]
    pub(crate) for_version: Option<String>,

    /// Write the files into this folder, which is made where it is missing
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Set a field of the scenario, such as cluster.nodes=32; can be given several times
    #[arg(long, value_name = "FIELD=VALUE", add = ArgValueCompleter::new(assignments))]
    pub(crate) set: Vec<String>,
}

impl ExportArgs {
    /// The scenario, and what of it is overridden.
    pub(crate) fn scenario(&self) -> ScenarioArgs {
        ScenarioArgs {
            scenario: self.plan.clone(),
            over: OverArgs {
                set: self.set.clone(),
                ..OverArgs::default()
            },
        }
    }
}

/// Read a file of another program into a scenario, a cluster file or a list of flows.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportArgs {
    /// The file; - is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    pub(crate) file: PathBuf,

    /// Who reads or wrote the file
    #[arg(long, value_name = "PRODUCER")]
    pub(crate) from: ImportFrom,

    /// Set a field of the scenario, such as cluster.name=p5; can be given several times
    #[arg(long, value_name = "FIELD=VALUE", add = ArgValueCompleter::new(assignments))]
    pub(crate) set: Vec<String>,

    /// The GPU of a topology that does not name it, such as h200
    #[arg(long, value_name = "NAME")]
    pub(crate) gpu: Option<String>,

    /// The kind of node on a fabric, such as dgx-h100
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,

    /// How many nodes there are, of a file that tells of one
    #[arg(long, value_name = "N")]
    pub(crate) nodes: Option<std::num::NonZeroU32>,

    /// The rate of a NIC, such as "400 Gbit/s"
    #[arg(long, value_name = "RATE")]
    pub(crate) nic_rate: Option<String>,

    /// Ranks of a trace on one node: their hosts are n0g0, n0g1 and so on instead of n0, n1
    #[arg(long, value_name = "N")]
    pub(crate) gpus_per_node: Option<std::num::NonZeroU32>,

    /// Write the result to a file instead of standard output; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Replace a file that is there already
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

/// Who reads the file that is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFrom {
    /// Arguments of Megatron-LM: a script, or a file of arguments
    Megatron,
    /// torchtitan's flags in a script, or its TOML file
    Torchtitan,
    /// DeepSpeed's JSON
    Deepspeed,
    /// A job for sbatch
    Slurm,
    /// The table of nvidia-smi topo -m
    NvidiaSmi,
    /// NCCL's XML: a topology, or the channels on it
    Nccl,
    /// The output of ibnetdiscover
    Ibnetdiscover,
    /// Slurm's topology.conf or topology.yaml
    SlurmTopology,
    /// ASTRA-sim's network in YAML
    AstraSim,
    /// Chakra execution traces: NAME.0.et with those of the other ranks beside it, or their folder
    Chakra,
    /// A SimGrid platform in XML
    Simgrid,
}

/// What a file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// A scenario.
    Scenario(Producer),
    /// A cluster file.
    Cluster(Tool),
    /// A list of flows.
    Flows,
    /// A scenario of a network workload on it.
    Workload,
}

impl ImportFrom {
    /// What such a file becomes.
    pub(crate) const fn becomes(self) -> Becomes {
        match self {
            Self::Megatron => Becomes::Scenario(Producer::Megatron),
            Self::Torchtitan => Becomes::Scenario(Producer::Torchtitan),
            Self::Deepspeed => Becomes::Scenario(Producer::DeepSpeed),
            Self::Slurm => Becomes::Scenario(Producer::Slurm),
            Self::NvidiaSmi => Becomes::Cluster(Tool::NvidiaSmi),
            Self::Nccl => Becomes::Cluster(Tool::Nccl),
            Self::Ibnetdiscover => Becomes::Cluster(Tool::Ibnetdiscover),
            Self::SlurmTopology => Becomes::Cluster(Tool::SlurmTopology),
            Self::AstraSim => Becomes::Cluster(Tool::AstraSim),
            Self::Chakra => Becomes::Flows,
            Self::Simgrid => Becomes::Workload,
        }
    }

    /// The name as `--from` has it.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Who reads launch files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportTo {
    /// Megatron-LM's arguments, started by torchrun
    Megatron,
    /// Scripts for torchrun
    Torchrun,
    /// A job for Slurm that places every rank
    Slurm,
    /// DeepSpeed's JSON and Megatron-DeepSpeed's arguments
    Deepspeed,
    /// torchtitan's flags, or TOML for versions before 0.3
    Torchtitan,
    /// Overrides of a recipe of Megatron-Bridge (NeMo)
    Nemo,
    /// NCCL's environment: queue pairs, channels, algorithms
    Nccl,
    /// The way of every piece of every flow, as CSV
    FlowTable,
    /// A platform of SimGrid, and a list of flows
    Simgrid,
    /// A fat tree and a connection matrix of htsim
    Htsim,
    /// Chakra execution traces, one a rank
    Chakra,
}

/// What the files are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportFor {
    /// They start training.
    Training(Consumer),
    /// They carry a network workload, or what is chosen for one.
    Network(NetworkConsumer),
}

impl ExportTo {
    /// The consumer of that name.
    pub(crate) const fn consumer(self) -> ExportFor {
        use ExportFor::{Network, Training};
        match self {
            Self::Megatron => Training(Consumer::Megatron),
            Self::Torchrun => Training(Consumer::Torchrun),
            Self::Slurm => Training(Consumer::Slurm),
            Self::Deepspeed => Training(Consumer::DeepSpeed),
            Self::Torchtitan => Training(Consumer::Torchtitan),
            Self::Nemo => Training(Consumer::Nemo),
            Self::Nccl => Network(NetworkConsumer::Nccl),
            Self::FlowTable => Network(NetworkConsumer::FlowTable),
            Self::Simgrid => Network(NetworkConsumer::SimGrid),
            Self::Htsim => Network(NetworkConsumer::Htsim),
            Self::Chakra => Network(NetworkConsumer::Chakra),
        }
    }
}
