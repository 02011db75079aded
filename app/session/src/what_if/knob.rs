//! What can be turned, and how far.

use format::tree::Value;
use format::{NodeCount, Scale, Straggler};

use super::Tuning;
use crate::draft::{find, typed};
use crate::open::Opened;
use crate::simulate::Ready;

/// Something that can be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knob {
    /// The number of nodes. Replicas that are given follow it.
    Nodes,
    /// The rate of links between nodes, over what is known of it.
    LinkRate,
    /// The latency between nodes, over what is known of it.
    LinkLatency,
    /// The speed of all kernels, over what is known of it.
    GpuSpeed,
    /// Sequences of an iteration.
    GlobalBatch,
    /// Tokens of a sequence.
    SeqLen,
    /// The speed of one GPU over that of its kind: the first that the scenario names as slow, else
    /// the first of the cluster.
    Straggler,
}

impl Knob {
    /// Every knob.
    pub const ALL: [Self; 7] = [
        Self::Nodes,
        Self::LinkRate,
        Self::LinkLatency,
        Self::GpuSpeed,
        Self::GlobalBatch,
        Self::SeqLen,
        Self::Straggler,
    ];

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Nodes => "Nodes",
            Self::LinkRate => "Link rate",
            Self::LinkLatency => "Link latency",
            Self::GpuSpeed => "GPU speed",
            Self::GlobalBatch => "Global batch",
            Self::SeqLen => "Sequence length",
            Self::Straggler => "Speed of one GPU",
        }
    }

    /// What its value counts.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::LinkRate | Self::LinkLatency | Self::GpuSpeed => "times what is known",
            Self::GlobalBatch => "sequences",
            Self::SeqLen => "tokens",
            Self::Straggler => "times the usual speed",
        }
    }

    /// What it stands for, in a sentence.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Nodes => {
                "Nodes of the cluster. Replicas follow; tensor and pipeline degrees stay."
            }
            Self::LinkRate => {
                "Rates of NICs and of all links between nodes. Links inside a node stay."
            }
            Self::LinkLatency => "What a message between nodes takes before its first byte.",
            Self::GpuSpeed => "Speed of all kernels. Launches, the host and links stay.",
            Self::GlobalBatch => "Sequences of one iteration over all replicas.",
            Self::SeqLen => "Tokens of a sequence.",
            Self::Straggler => "One GPU that is slower or faster than all others of its kind.",
        }
    }

    /// The field that it sets.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Nodes => "cluster.nodes",
            Self::LinkRate => "cluster.scale.link_rate",
            Self::LinkLatency => "cluster.scale.link_latency",
            Self::GpuSpeed => "cluster.scale.gpu_speed",
            Self::GlobalBatch => "training.global_batch",
            Self::SeqLen => "training.seq_len",
            Self::Straggler => "stragglers",
        }
    }

    /// Whether its values are whole numbers.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Nodes | Self::GlobalBatch | Self::SeqLen)
    }

    /// The fields that a value sets, as people type them.
    pub(super) fn edits(self, opened: &Opened, value: f64) -> Vec<(String, String)> {
        let plain = |field: &str, value: f64| (field.to_owned(), number(value, self.is_whole()));
        match self {
            Self::Nodes => {
                let mut edits = vec![plain(self.field(), value)];
                let (now, dp) = (nodes(opened), opened.spec.plan.spec.dp);
                if let (Some(now), Some(dp)) = (now, dp) {
                    let replicas = f64::from(dp) * value / f64::from(now);
                    edits.push(("plan.dp".to_owned(), number(replicas, true)));
                }
                edits
            }
            Self::Straggler => vec![slow(opened, value)],
            knob => vec![plain(knob.field(), value)],
        }
    }
}

/// A number as TOML, whole where it must be.
fn number(value: f64, is_whole: bool) -> String {
    if is_whole {
        format!("{:.0}", value.round())
    } else {
        format!("{value}")
    }
}

/// The nodes of the scenario, where a number says it.
fn nodes(opened: &Opened) -> Option<u32> {
    match opened.spec.cluster.as_ref()?.nodes {
        Some(NodeCount::Of(nodes)) => Some(nodes),
        _ => None,
    }
}

/// The place and the speed of the first GPU that the scenario names as slow.
fn slow_gpu(opened: &Opened) -> Option<(usize, f64)> {
    let mut all = opened.spec.stragglers.iter().enumerate();
    all.find_map(|(at, one)| match one {
        Straggler::Gpu { speed, .. } => Some((at, *speed)),
        Straggler::Link { .. } => None,
    })
}

/// The edit that gives one GPU a speed.
fn slow(opened: &Opened, speed: f64) -> (String, String) {
    if let Some((at, _)) = slow_gpu(opened) {
        return (format!("stragglers.{at}.speed"), number(speed, false));
    }
    let one = format!("{{ gpu = \"n0g0\", speed = {speed} }}");
    let others = match find(&opened.document, "stragglers") {
        Some(Value::Array(items)) => items.iter().map(|item| typed(&item.value)).collect(),
        _ => Vec::new(),
    };
    let all: Vec<String> = others.into_iter().chain([one]).collect();
    ("stragglers".to_owned(), format!("[{}]", all.join(", ")))
}

/// A knob as a scenario has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Which one.
    pub knob: Knob,
    /// Where it stands.
    pub value: f64,
    /// The least value that is offered.
    pub min: f64,
    /// The largest value that is offered.
    pub max: f64,
    /// Values at which a slider rests, ascending; the scenario's own is among them.
    pub steps: Vec<f64>,
    /// Why it cannot be turned; none where it can.
    pub fixed: Option<&'static str>,
}

/// Every knob as a scenario has it. Steps of nodes and of the batch are those that make a plan;
/// whether it fits is for the answer to say. Other numbers of nodes are tried, which takes some
/// milliseconds each: ask once for a scenario.
pub fn settings(opened: &Opened, ready: &Ready) -> Vec<Setting> {
    let scenario = &ready.scenario;
    let degrees = scenario.plan.degrees();
    let scale = opened
        .spec
        .cluster
        .as_ref()
        .map_or_else(Scale::default, |c| c.scale);
    let cluster = &scenario.cluster;
    let several = 1 < cluster.n_nodes();
    // Interleaved schedules take whole rounds of micro-batches over the stages.
    let rounds = if 1 < scenario.plan.chunks() {
        degrees.pp
    } else {
        1
    };
    let of_round = scenario.plan.micro_batch() * u64::from(rounds);
    let alone = (!several).then_some("there is one node");
    let shares = [
        0.25, 0.5, 0.75, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0,
    ];
    let factor = |knob, value: f64, fixed| {
        setting(knob, value, shares.iter().map(|share| share * value), fixed)
    };
    Knob::ALL
        .into_iter()
        .map(|knob| match knob {
            Knob::Nodes => {
                let now = cluster.n_nodes();
                // So many nodes hold one replica, or a part that nodes share evenly.
                let of_replica =
                    u64::from(degrees.tp) * u64::from(degrees.pp) * u64::from(degrees.cp);
                let per_node = (cluster.n_gpus() / now.max(1)).max(1) as u64;
                let unit = (of_replica / gcd(of_replica, per_node)).max(1);
                let fixed = nodes(opened)
                    .is_none()
                    .then_some("the scenario gives no single number of nodes");
                let steps = multiples(now as u64, unit).filter(|nodes| {
                    let replicas = f64::from(degrees.dp) * nodes / now as f64;
                    (scenario.job.global_batch as f64 / (replicas * of_round as f64)).fract() == 0.0
                });
                // Groups that share states may not divide other numbers of replicas.
                let is_plan = |nodes: &f64| {
                    let tuned = Tuning::default().with(knob, *nodes).on(opened);
                    tuned.is_ok_and(|tuned| tuned.ready().is_ok())
                };
                let steps = steps.filter(is_plan);
                setting(knob, now as f64, steps, fixed)
            }
            Knob::LinkRate => factor(knob, scale.link_rate, alone),
            Knob::LinkLatency => factor(knob, scale.link_latency, alone),
            Knob::GpuSpeed => factor(knob, scale.gpu_speed, None),
            Knob::GlobalBatch => {
                let unit = u64::from(degrees.dp) * of_round;
                let now = scenario.job.global_batch;
                setting(knob, now as f64, multiples(now, unit.max(1)), None)
            }
            Knob::SeqLen => {
                let unit = 2 * u64::from(degrees.tp) * u64::from(degrees.cp);
                let now = scenario.job.seq_len;
                setting(knob, now as f64, multiples(now, unit.max(1)), None)
            }
            Knob::Straggler => {
                let value = slow_gpu(opened).map_or(1.0, |(_, speed)| speed);
                let speeds = (5..=20).map(|twentieth| f64::from(twentieth) / 20.0);
                setting(knob, value, speeds, None)
            }
        })
        .collect()
}

/// A setting with its value among its steps.
fn setting(
    knob: Knob,
    value: f64,
    steps: impl Iterator<Item = f64>,
    fixed: Option<&'static str>,
) -> Setting {
    let mut steps: Vec<f64> = steps.chain([value]).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let alone = (steps.len() < 2).then_some("no other value makes a plan with these degrees");
    Setting {
        knob,
        value,
        min: steps.first().copied().unwrap_or(value),
        max: steps.last().copied().unwrap_or(value),
        steps,
        fixed: fixed.or(alone),
    }
}

/// Multiples of a unit around a value, from an eighth to eight times of it, not too many.
fn multiples(now: u64, unit: u64) -> impl Iterator<Item = f64> {
    let shares = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64,
    ];
    let near = shares
        .into_iter()
        .map(move |eighths| now * eighths / 8 / unit * unit);
    near.filter(|value| 0 < *value).map(|value| value as f64)
}

const fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
