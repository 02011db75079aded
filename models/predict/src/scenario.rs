//! What a prediction is asked of: everything parsed and checked, nothing computed.

use std::sync::Arc;

use cluster::Cluster;
use collective::Choice;
use lower::{AxisScales, Framework, Inputs, ScaleKey, Scales};
use network::packet::{Balancing, Config, Transport};
use plan::Plan;
use profile::{CollectiveKind, CommProfile, Profile};
use traffic::Policy;
use units::{Bytes, GpuId, Seconds};
use workload::Job;

use crate::prediction::Assumed;

/// Which engine answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// Closed forms of schedule and collectives, no events.
    Estimate,
    /// Events; collectives and messages cost what they cost alone.
    Analytic,
    /// Events; what leaves a scale-up domain shares links max-min fairly.
    #[default]
    Flow,
    /// Events; what leaves a scale-up domain goes as packets, with queues and transports.
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

/// What happens between NICs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fabric {
    /// Which ways hosts choose for what they send.
    pub policy: Policy,
    /// Transport, queues and load balancing of packets.
    pub packets: Config,
}

impl Default for Fabric {
    /// Static routing, and packets that nothing is lost of.
    fn default() -> Self {
        Self {
            policy: Policy::Static,
            packets: Config::new(Transport::Ideal, Balancing::SinglePath),
        }
    }
}

/// How the question is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Which engine.
    pub engine: Engine,
    /// The seed of every random choice.
    pub seed: u64,
    /// Relative standard deviation of kernel times.
    pub jitter: f64,
    /// Whether every rank is simulated by itself, where classes would do.
    pub unfold: bool,
    /// The algorithm and protocol that NCCL is told to use.
    pub choice: Choice,
    /// What happens between NICs.
    pub fabric: Fabric,
    /// From the answer to its 10th and 90th percentile, as a natural logarithm; none where no fit
    /// says it.
    pub spread: Option<f64>,
}

/// What a run costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// Of one GPU for one hour.
    pub gpu_hour: Option<f64>,
    /// Of one kilowatt-hour.
    pub kwh: Option<f64>,
    /// What the prices are in.
    pub currency: Option<String>,
}

/// What runs beside a scenario on its cluster.
#[derive(Clone, Debug)]
pub enum Beside {
    /// Another training job on GPUs of its own, iteration after iteration.
    Job(Box<Scenario>),
    /// A collective, again and again.
    Collective(Repeated),
}

/// A collective that begins anew after a pause.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// What reports call it.
    pub name: String,
    /// Who takes part, in order.
    pub gpus: Vec<GpuId>,
    /// The operation.
    pub kind: CollectiveKind,
    /// Its size, as nccl-tests counts it.
    pub bytes: Bytes,
    /// From one start to the next.
    pub every: Seconds,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What reports call it.
    pub name: String,
    /// Devices and links, degraded where the scenario says so.
    pub cluster: Cluster,
    /// What is trained.
    pub job: Job,
    /// How it is spread.
    pub plan: Plan,
    /// What each kind of GPU achieves, by [`Cluster::kind_of`].
    pub profiles: Vec<Profile>,
    /// The constants of collectives.
    pub comm: CommProfile,
    /// What the framework fuses, pads and issues.
    pub framework: Arc<Framework>,
    /// How the question is answered.
    pub settings: Settings,
    /// What a run costs.
    pub prices: Prices,
    /// What was not given and what was taken for it.
    pub assumptions: Vec<Assumed>,
    /// What runs beside it on the same cluster.
    pub beside: Vec<Beside>,
}

impl Beside {
    /// What reports call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Job(other) => &other.name,
            Self::Collective(of) => &of.name,
        }
    }
}

impl Scenario {
    /// What reports call a job, by its place: first the scenario itself, then what is beside it.
    pub fn job_name(&self, job: u32) -> &str {
        let other = job.checked_sub(1);
        let other = other.and_then(|other| self.beside.get(other as usize));
        other.map_or(&self.name, Beside::name)
    }

    /// Whether all GPUs are of one kind and speed.
    pub fn is_uniform(&self) -> bool {
        let cluster = &self.cluster;
        let full = |gpu| cluster.gpu_speed(gpu).to_bits() == 1.0_f64.to_bits();
        cluster.kinds().len() == 1 && cluster.gpus().all(full)
    }

    /// What lowering reads of it.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            cluster: &self.cluster,
            job: &self.job,
            plan: &self.plan,
            profiles: &self.profiles,
            comm: &self.comm,
            choice: &self.settings.choice,
            framework: &self.framework,
        }
    }

    /// The same scenario with its times scaled, on top of what was scaled before. This is the one
    /// place where scalars enter: profiles and framework carry them from here.
    ///
    /// * `scales` — for each kind of GPU, in the order of [`Self::profiles`]. Where kinds differ,
    ///   collectives take the slower of their multipliers, since groups may span kinds.
    #[must_use]
    pub fn scaled(mut self, scales: &[Scales]) -> Self {
        self.scale(scales);
        self
    }

    /// As [`Self::scaled`], in place.
    pub fn scale(&mut self, scales: &[Scales]) {
        for (profile, by) in self.profiles.iter_mut().zip(scales) {
            let own = profile.clone().scaled(&by.kernels());
            *profile = own.exposing(by.exposed());
        }
        let axes = scales.iter().map(Scales::axes);
        let axes = axes.reduce(AxisScales::max).unwrap_or(AxisScales::ONE);
        let more = scales.iter().map(|by| by[ScaleKey::DpExposed]);
        let more = more.fold(0.0, f64::max);
        if axes != AxisScales::ONE || 0.0 < more {
            let framework = Arc::make_mut(&mut self.framework);
            framework.axes = framework.axes.times(axes);
            framework.dp_exposed += more * (1.0 - framework.dp_exposed);
        }
    }
}
