//! The smaller sections of a scenario: framework, network, NCCL, settings, faults, prices.

use profile::{Algorithm, AttentionKernel, Protocol};

use crate::error::Problem;
use crate::fields::Fields;
use crate::fitted::Unseen;
use crate::framework::{Choices, choices};
use crate::kind::Limits;
use crate::shape::{boolean, list, number, one_of, table, text, whole, whole_within};
use crate::tree::Value;

mod background;
mod network;
mod workload;

pub use background::Background;
pub(crate) use background::background;
pub(crate) use network::network;
pub use network::{LOAD_BALANCING, Network, TRANSPORTS};
pub(crate) use workload::workload;
pub use workload::{Ends, LinkRates, NetworkWorkload};

/// `[framework]`: whose habits hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Framework {
    /// Its name.
    pub name: Option<String>,
    /// A framework file.
    pub file: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The attention kernel that runs, where it is not the framework's habit.
    pub attention: Option<AttentionKernel>,
    /// Other choices that are not the framework's habit.
    pub choices: Choices,
}

/// The attention kernels that a scenario can name.
pub(crate) const ATTENTION: [(&str, AttentionKernel); 4] = [
    ("unfused", AttentionKernel::Unfused),
    ("flash1", AttentionKernel::Flash1),
    ("flash2", AttentionKernel::Flash2),
    ("flash3", AttentionKernel::Flash3),
];

const KERNEL: &str = "the attention kernel that runs, at most the newest that the GPU has; by default the newest \
                      of the framework";

pub(crate) fn framework(t: &mut Fields<'_, '_>) -> Framework {
    t.exclude("name", "file");
    Framework {
        name: t
            .get("name", "the framework, such as megatron-core", text())
            .optional(),
        file: t.get("file", "a framework file", text()).optional(),
        version: t
            .get(
                "version",
                "its version, where its file tells releases apart; the newest by default",
                text(),
            )
            .optional(),
        attention: t
            .get("attention", KERNEL, one_of(ATTENTION.to_vec()))
            .optional(),
        choices: t
            .get(
                "choices",
                "what the run does otherwise than its framework without being asked",
                table(choices),
            )
            .or_default(),
    }
}

/// `[nccl]`: what is taken out of NCCL's hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nccl {
    /// The only algorithm, as `NCCL_ALGO`.
    pub algorithm: Option<Algorithm>,
    /// The only protocol, as `NCCL_PROTO`.
    pub protocol: Option<Protocol>,
    /// Channels.
    pub channels: Option<u32>,
    /// Queue pairs per connection.
    pub qps: Option<u32>,
    /// Whether switches may reduce (SHARP).
    pub collnet: Option<bool>,
}

pub(crate) fn nccl(t: &mut Fields<'_, '_>) -> Nccl {
    let algorithms = one_of(Algorithm::ALL.map(|a| (a.name(), a)).to_vec());
    let protocols = one_of(Protocol::ALL.map(|p| (p.name(), p)).to_vec());
    Nccl {
        algorithm: t
            .get("algo", "the only algorithm, as NCCL_ALGO", algorithms)
            .optional(),
        protocol: t
            .get("proto", "the only protocol, as NCCL_PROTO", protocols)
            .optional(),
        channels: t
            .get("channels", "parallel rings or trees", whole(1))
            .optional(),
        qps: t
            .get("qps", "queue pairs per connection", whole_within(1, 4096))
            .optional(),
        collnet: t
            .get(
                "collnet",
                "whether switches may reduce (SHARP), default false",
                boolean(),
            )
            .optional(),
    }
}

/// The engines that a scenario can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Closed forms, no events.
    Estimate,
    /// Events, links without contention.
    Analytic,
    /// Events, links shared max-min fairly.
    #[default]
    Flow,
    /// Packets, queues and loss.
    Packet,
}

impl Engine {
    /// Every engine, from fast to faithful.
    pub const ALL: [Self; 4] = [Self::Estimate, Self::Analytic, Self::Flow, Self::Packet];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Estimate => "estimate",
            Self::Analytic => "analytic",
            Self::Flow => "flow",
            Self::Packet => "packet",
        }
    }
}

/// `[settings]`: how the question is answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Which engine.
    pub engine: Option<Engine>,
    /// Seed of every random choice.
    pub seed: Option<u64>,
    /// Relative standard deviation of kernel times.
    pub jitter: Option<f64>,
    /// Whether every rank is simulated by itself.
    pub unfold: Option<bool>,
    /// Names or files of profiles, each in front of those of the zoo.
    pub profiles: Vec<String>,
    /// Which scalars fitted on runs hold: `shipped`, `none`, or a file.
    pub fit: Option<String>,
    /// What of the run stands in for something else, of which no run was fitted.
    pub unseen: Vec<Unseen>,
}

pub(crate) fn settings(t: &mut Fields<'_, '_>) -> Settings {
    let engines = Engine::ALL.map(|engine| (engine.name(), engine)).to_vec();
    let things = Unseen::ALL.map(|thing| (thing.name(), thing)).to_vec();
    Settings {
        engine: t
            .get("engine", "which engine, default flow; see `windtunnel help fidelity`", one_of(engines))
            .optional(),
        seed: t
            .get("seed", "seed of every random choice, default 1", whole(0))
            .optional(),
        jitter: t
            .get(
                "jitter",
                "relative standard deviation of kernel times, default 0",
                number(Limits::within(0.0, 1.0)),
            )
            .optional(),
        unfold: t
            .get(
                "unfold",
                "simulate every rank by itself, where classes of ranks that behave alike would do; default false",
                boolean(),
            )
            .optional(),
        profiles: t
            .get(
                "profiles",
                "profiles in front of those of the zoo: names or files",
                list(text()),
            )
            .or_default(),
        fit: t
            .get(
                "fit",
                "scalars fitted on runs: shipped (default), none (microbenchmarks alone), or a file that `windtunnel calibrate fit` wrote",
                text(),
            )
            .optional(),
        unseen: t
            .get(
                "unseen",
                "what stands in for something that the zoo does not have, so that the interval is wider: model, framework, gpu",
                list(one_of(things)),
            )
            .or_default(),
    }
}

/// One of `[[stragglers]]`: a GPU or a link that is slower than its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Straggler {
    /// A GPU whose kernels take longer.
    Gpu {
        /// Its name, such as `n0g0`.
        name: String,
        /// Its speed over the usual.
        speed: f64,
    },
    /// A link that carries less.
    Link {
        /// Its name, such as `leaf0->spine1`.
        name: String,
        /// Its rate over the usual.
        rate: f64,
    },
}

pub(crate) fn straggler(t: &mut Fields<'_, '_>) -> Straggler {
    t.exclude("gpu", "link");
    let gpu = t
        .get("gpu", "a GPU by name: n<node>g<gpu>, from 0", text())
        .optional();
    let link = t
        .get("link", "a link by name, such as leaf0->spine1", text())
        .optional();
    let share = || {
        number(Limits {
            max: 10.0,
            ..Limits::POSITIVE
        })
    };
    let speed = t
        .get(
            "speed",
            "speed of the GPU over the usual: 0.8 is 20 % slower",
            share(),
        )
        .optional();
    let rate = t
        .get(
            "rate",
            "rate of the link over the usual: 0.5 is half; 0: down in both directions, for links between switches",
            number(Limits {
                max: 10.0,
                ..Limits::at_least(0.0)
            }),
        )
        .optional();
    match (gpu, link) {
        (_, Some(name)) => {
            require(t, "rate", "link", "speed");
            let rate = rate.unwrap_or(1.0);
            Straggler::Link { name, rate }
        }
        (gpu, None) => {
            if gpu.is_none() {
                t.missing("gpu", "a GPU such as \"n0g0\", or `link`");
            }
            require(t, "speed", "gpu", "rate");
            let speed = speed.unwrap_or(1.0);
            Straggler::Gpu {
                name: gpu.unwrap_or_default(),
                speed,
            }
        }
    }
}

/// Where `what` is named, `key` must be given and `foreign` must not.
fn require(t: &mut Fields<'_, '_>, key: &str, what: &str, foreign: &str) {
    if t.has(what) && !t.has(key) {
        t.missing(key, format!("a number: what `{what}` has, over the usual"));
    }
    if t.has(foreign) {
        let problem = Problem::Conflict {
            message: format!("`{foreign}` does not belong to `{what}`"),
            hint: format!("use `{key}`"),
        };
        t.report(foreign, problem);
    }
}

/// `[prices]`: what a run costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// Of one GPU for one hour.
    pub gpu_hour: Option<f64>,
    /// Of one kilowatt-hour.
    pub kwh: Option<f64>,
    /// What the prices are in.
    pub currency: Option<String>,
}

pub(crate) fn prices(t: &mut Fields<'_, '_>) -> Prices {
    let price = || number(Limits::at_least(0.0));
    Prices {
        gpu_hour: t
            .get("gpu_hour", "price of one GPU for one hour", price())
            .optional(),
        kwh: t
            .get("kwh", "price of one kilowatt-hour", price())
            .optional(),
        currency: t
            .get("currency", "what the prices are in, such as USD", text())
            .optional(),
    }
}

/// `[sweep]`: values by field; every combination is a case.
pub type Sweep = Vec<(String, Vec<Value>)>;
