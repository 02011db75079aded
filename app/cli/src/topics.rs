//! Help topics: what a reader of the options would ask next.

use crate::exit::Exit;

/// A topic of `windtunnel help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// How quantities are written.
    Units,
    /// What a scenario file holds.
    Scenario,
    /// Which engine says what.
    Fidelity,
}

impl Topic {
    /// Every topic.
    pub(crate) const ALL: [Self; 3] = [Self::Units, Self::Scenario, Self::Fidelity];

    /// The word that names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Scenario => "scenario",
            Self::Fidelity => "fidelity",
        }
    }

    /// The topic of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// Its text.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Units => UNITS,
            Self::Scenario => SCENARIO,
            Self::Fidelity => FIDELITY,
        }
    }
}

/// What stands behind the options of the long help.
pub(crate) fn after_long_help() -> String {
    let examples = crate::args::EXAMPLES;
    let exit = Exit::help();
    format!(
        "{examples}\n\nTopics:\n  windtunnel help units | scenario | fidelity\n\n{PRECEDENCE}\n\n{exit}"
    )
}

const PRECEDENCE: &str = "\
Precedence of values, highest first:
  flags, --set FIELD=VALUE, environment (WINDTUNNEL_CLUSTER_NODES=32), the scenario,
  the user's settings ($XDG_CONFIG_HOME/windtunnel/config.toml), defaults.
  `windtunnel simulate SCENARIO --print-scenario` prints where each value is from.";

const UNITS: &str = "\
Units

Rates, sizes and durations are strings with a unit. Every rate is one direction.

  size      \"80 GiB\", \"24 GB\", \"64 MiB\"    GB is 10^9 bytes, GiB 2^30; k to E
  rate      \"400 Gbit/s\", \"50 GB/s\"             bits and bytes are told apart
  duration  \"3.5 us\", \"250 ns\", \"2 ms\", \"1 s\"

A number without quotes is taken in bytes, bytes per second or seconds. A string
without a unit is an error.

FLOP counts take a multiply-add as two. Peaks are dense, without sparsity. MFU
(model FLOPs utilization) is the model's own operations, without recomputation,
over the dense peak in the format of activations (bf16 or fp16), also where
products run in fewer bits.";

const SCENARIO: &str = "\
A scenario

  schema = 1
  [model]
  config = \"llama3-70b\"      # a name of the zoo, or a Hugging Face config.json
  layers = 12                # any field of the model can be overridden
  [cluster]
  name = \"dgx-h100\"          # a name of the zoo, or file = \"my-cluster.toml\"
  nodes = 16
  [training]
  global_batch = 1024        # sequences
  seq_len = 8192             # tokens
  precision = \"bf16\"
  [plan]
  tp = 8                     # an absent degree is 1; dp fills the GPUs
  pp = 4
  micro_batch = 1
  schedule = \"1f1b\"
  recompute = \"selective\"
  [settings]
  engine = \"flow\"
  seed = 1
  [[background]]             # beside the job on its cluster: flow and packet
  collective = \"alltoall\"  # or scenario = \"other.toml\", first_gpu = 64
  bytes = \"64 MiB\"
  ends = [\"n8-n15\"]        # nodes, GPUs (\"n8g0\") and ranges; absent: all GPUs
  every = \"10 ms\"

A network workload is traffic alone:

  schema = 1
  [workload]                 # instead of [model], [training] and [plan]
  collective = \"alltoall\"  # or flows = \"flows.csv\"
  bytes = \"64 KiB\"
  [cluster]                  # or fabric = \"platform.xml\" in [workload]
  name = \"hosts\"
  nodes = 16
  [network]
  load_balancing = \"ecmp\"  # singlepath, spray, reps, ...
  transport = \"uec\"        # of the packet engine; buffer, ecn, pfc, window, ...
  [settings]
  engine = \"packet\"        # or flow
  [sweep]                    # `windtunnel sweep` prints a row a combination
  \"network.load_balancing\" = [\"ecmp\", \"spray\"]

`windtunnel schema` prints every field with its meaning, as JSON Schema. What a
scenario does not say is assumed, and every report lists the assumptions.

A file path in a scenario starts from the folder of the scenario.";

const FIDELITY: &str = "\
Engines, from fast to faithful

  estimate  closed forms of schedule and collectives, no events: for searches
  analytic  events; collectives by latency and bandwidth of their path alone
  flow      events; links are shared max-min fairly between all transfers
  packet    packets, queues, ECN, loss between NICs; closed forms inside NVLink
            domains, as in flow; up to some hundred GPUs for whole iterations

All engines price kernels from the same profiles and collectives from the same
constants. They agree where their assumptions hold: one flow on an idle path, a
ring on a fabric with full bisection.

What a figure is worth, as every report says:

  measured      this shape was measured on this GPU
  interpolated  a curve fitted to measurements, inside their range
  extrapolated  the same curve outside that range, or on a related GPU
  nominal       from the data sheet and usual efficiencies, not measured";
