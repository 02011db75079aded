//! Small jobs and clusters, lowered and run on the engine.

use cluster::{Cluster, ClusterSpec, example};
use collective::Choice;
use engine::{LaneTotals, Lists, Options, Run, run};
use lower::{Framework, Inputs, LowerOptions, Lowered, NEUTRAL, Prices, lower};
use network::Analytic;
use plan::{Plan, PlanSpec, ScheduleKind};
use profile::{CollectiveKind, CommProfile, KernelScales, Profile};
use task::{Slot, Work};
use trace::MemoryKind;
use units::{Bytes, Control};
use workload::{
    AttentionSpec, DenseSpec, Embedding, Ffn, Head, Job, JobSpec, Layer, Mixer, Model, ModelSpec,
    NormKind, Norms, Stack,
};

/// A job on a cluster under a plan.
pub(crate) struct Case {
    pub(crate) cluster: Cluster,
    pub(crate) job: Job,
    pub(crate) plan: Plan,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) comm: CommProfile,
    pub(crate) framework: Framework,
}

/// A layer of attention and a dense part between pre-norms.
pub(crate) fn layer(hidden: u64) -> Layer {
    Layer {
        hidden,
        stack: Stack::Main,
        mixer: Some(Mixer::Attention(AttentionSpec::rotary(
            hidden / 128,
            hidden / 128,
            128,
        ))),
        cross: None,
        ffn: Some(Ffn::Dense(DenseSpec::swiglu(4 * hidden))),
        norms: Norms::PRE_RMS,
        parallel: false,
        measured: None,
    }
}

/// A model of `layers` equal layers.
pub(crate) fn model(layer: &Layer, layers: usize, vocab: u64, tied: bool) -> Model {
    let spec = ModelSpec {
        name: "test".to_owned(),
        family: "test".to_owned(),
        hidden: layer.hidden,
        layers: vec![layer.clone(); layers],
        embedding: Some(Embedding::words(vocab, layer.hidden)),
        final_norm: Some(NormKind::Rms),
        head: Some(Head {
            vocab,
            tied,
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp: Vec::new(),
        max_positions: None,
        notes: Vec::new(),
    };
    Model::build(spec).expect("a sound model")
}

/// So many layers of width 2,048 with 32,768 words, in sequences of 4,096 tokens.
pub(crate) fn job(layers: usize, batch: u64) -> Job {
    let model = model(&layer(2_048), layers, 32_768, false);
    JobSpec::new(batch, 4_096)
        .check(model)
        .expect("a sound job")
}

/// The first `gpus` GPUs of DGX H100.
pub(crate) fn gpus(gpus: u32) -> Cluster {
    let mut spec = nodes(gpus.div_ceil(8));
    for group in &mut spec.groups {
        group.gpus_used = (gpus < 8).then_some(gpus);
    }
    Cluster::build(&spec).expect("a sound cluster")
}

pub(crate) fn nodes(nodes: u32) -> ClusterSpec {
    example::dgx_h100s(nodes)
}

impl Case {
    pub(crate) fn new(job: Job, cluster: Cluster, spec: &PlanSpec) -> Self {
        let plan = Plan::check(spec, &job, &cluster)
            .expect("a plan that fits")
            .plan;
        Self {
            profiles: cluster.kinds().iter().map(Profile::nominal).collect(),
            comm: CommProfile::nccl(),
            framework: NEUTRAL,
            cluster,
            job,
            plan,
        }
    }

    /// Takes the host's time away.
    pub(crate) fn without_host(&mut self) {
        let none = KernelScales {
            host: 0.0,
            ..KernelScales::ONE
        };
        for profile in &mut self.profiles {
            *profile = profile.clone().scaled(&none);
        }
    }

    pub(crate) fn lowered(&self) -> Lowered {
        self.lowered_with(LowerOptions::default())
    }

    pub(crate) fn lowered_with(&self, options: LowerOptions) -> Lowered {
        let inputs = Inputs {
            cluster: &self.cluster,
            job: &self.job,
            plan: &self.plan,
            profiles: &self.profiles,
            comm: &self.comm,
            choice: &Choice::default(),
            framework: &self.framework,
        };
        lower(&inputs, options)
    }

    /// Runs the iteration without contention.
    pub(crate) fn run(&self) -> Run {
        simulate(&self.lowered(), &self.comm, false)
    }

    /// The time of an iteration in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.run().end.as_seconds().as_secs()
    }

    /// Bytes of every collective of a rank of that device in an iteration, in order.
    pub(crate) fn volumes(&self, device: u32) -> Vec<Volume> {
        let lowered = self.lowered();
        let lanes = &lowered.binding.lanes.lanes;
        let lane = lanes.iter().find(|lane| lane.stage == device);
        volumes(
            &lowered,
            lane.expect("every device has a lane").program as usize,
        )
    }
}

/// All collectives of one kind over one slot: their number and the sum of their sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) slot: Slot,
    pub(crate) kind: CollectiveKind,
    pub(crate) count: u64,
    pub(crate) bytes: Bytes,
}

fn volumes(lowered: &Lowered, program: usize) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for fragment in &lowered.lists[program] {
        let block = &lowered.programs[program].blocks[fragment.block as usize];
        for step in &block.steps {
            let Work::Collective { group, kind, bytes } = step.work else {
                continue;
            };
            let known = volumes
                .iter_mut()
                .find(|v| (v.name.as_str(), v.slot, v.kind) == (step.name.as_str(), group, kind));
            match known {
                Some(volume) => {
                    volume.count += 1;
                    volume.bytes += bytes;
                }
                None => volumes.push(Volume {
                    name: step.name.clone(),
                    slot: group,
                    kind,
                    count: 1,
                    bytes,
                }),
            }
        }
    }
    volumes
}

/// Runs lowered programs.
pub(crate) fn simulate(lowered: &Lowered, comm: &CommProfile, record: bool) -> Run {
    let lanes = &lowered.binding.lanes;
    let lists = lanes.lanes.iter().map(|lane| lane.program).collect();
    let mut driver = Lists::new(&lowered.lists, lists);
    let prices = Prices {
        binding: &lowered.binding,
        comm,
        choice: &Choice::default(),
        fabric: None,
    };
    let options = Options {
        window: lowered.window,
        record,
        ..Options::default()
    };
    let mut network = Analytic::new(&[]);
    let control = Control::new();
    run(
        &lowered.programs,
        lanes,
        &mut driver,
        &mut network,
        &prices,
        &options,
        &control,
    )
    .expect("no deadlock")
}

/// A pipeline of `pp` devices and nothing else, a sequence a micro-batch.
pub(crate) fn pipeline(pp: u32, schedule: ScheduleKind) -> PlanSpec {
    PlanSpec {
        pp: Some(pp),
        micro_batch: Some(1),
        schedule: Some(schedule),
        vp: (schedule == ScheduleKind::Interleaved).then_some(2),
        ..PlanSpec::default()
    }
}

/// A lane's peak of one kind of memory at the moment of its largest sum.
pub(crate) fn at_peak(lane: &LaneTotals, kind: MemoryKind) -> Bytes {
    lane.peak.by_kind[kind.index()]
}

/// The highest level of one kind of memory on the first lane, without what is resident.
pub(crate) fn highest(case: &Case, kind: MemoryKind) -> Bytes {
    let run = simulate(&case.lowered(), &case.comm, true);
    let samples = run.trace.expect("it was recorded").memory.into_iter();
    let own = samples.filter(|sample| sample.lane.index() == 0 && sample.kind == kind);
    Bytes::new(own.map(|sample| sample.bytes).max().unwrap_or(0))
}
