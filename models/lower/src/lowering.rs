//! A plan as programs, lists of fragments and lanes.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::Choice;
use network::Path;
use plan::classes::Classes;
use plan::state::{StateBytes, StateParts, gather_buffers};
use plan::{Plan, Shards};
use profile::{CommProfile, Profile};
use task::{Fragment, LaneSetup, Program, Slot, Work};
use trace::{Detail, MemoryKind};
use units::{Bytes, ClassId, RankId};
use workload::Job;
use workload::ops::{Axis, Op, ParamCount, Sharding, StepShards, optimizer_ops};

use crate::axes;
use crate::binding::{Binder, Binding, Wire};
use crate::book::{Book, book};
use crate::chunk::Hop;
use crate::data_parallel::{DataParallel, Flow};
use crate::fabric::{Fabric, Use, fabric};
use crate::framework::Framework;
use crate::program::{DeviceInput, DeviceProgram, Epilogue, device_program};
use crate::slots::{SlotGroup, Slots, flow, gather_for_pass};
use crate::writer::{Details, Worth};

/// Everything that lowering reads.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Devices and links, degraded where a scenario says so.
    pub cluster: &'a Cluster,
    /// What is trained.
    pub job: &'a Job,
    /// How it is spread.
    pub plan: &'a Plan,
    /// What each kind of GPU achieves, by [`Cluster::kind_of`].
    pub profiles: &'a [Profile],
    /// The constants of collectives.
    pub comm: &'a CommProfile,
    /// The algorithm and protocol that NCCL is told to use.
    pub choice: &'a Choice,
    /// What the framework fuses, pads and issues.
    pub framework: &'a Framework,
}

/// How a plan is lowered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowerOptions {
    /// Whether every rank is a lane of its own.
    pub unfold: bool,
    /// Whether transfers between domains go over the links of the cluster.
    pub links: bool,
    /// Whether to keep the kernels inside steps.
    pub details: bool,
}

/// A plan, ready for the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lowered {
    /// Programs, by device of the pipeline and kind of GPU.
    pub programs: Vec<Program>,
    /// The fragments of each program, in order.
    pub lists: Vec<Vec<Fragment>>,
    /// Worth of the prices of each block, by program.
    pub worth: Vec<Vec<Worth>>,
    /// Lanes, groups, channels and prices.
    pub binding: Binding,
    /// Paths between domains, where asked for.
    pub fabric: Option<Fabric>,
    /// The kernels inside steps, where asked for.
    pub details: Vec<Vec<Detail>>,
    /// Parameters on a rank of each pipeline device.
    pub params: Vec<ParamCount>,
    /// Communicators that a rank takes part in.
    pub n_communicators: u32,
}

impl Lowered {
    /// Paths for the network engine, in the order of their ids.
    pub fn paths(&self) -> &[Path] {
        self.fabric.as_ref().map_or(&[], |fabric| &fabric.paths)
    }
}

/// Lowers a plan.
pub fn lower(inputs: &Inputs<'_>, options: LowerOptions) -> Lowered {
    let Inputs {
        cluster,
        job,
        plan,
        framework,
        ..
    } = *inputs;
    let book = book(cluster, job, plan, framework);
    let coarse = plan.classes(cluster);
    let classes = if options.unfold {
        Classes::singletons(plan.n_ranks())
    } else {
        coarse.clone()
    };
    let mut slots = Slots::new();
    let data = data_parallel(job, plan, &mut slots);
    let hop = hop(job, plan, framework, &book.sharding);
    let mut details = Details::default();
    let mut lowered = Lowered::default();
    let devices = Devices {
        inputs,
        book: &book,
        data: &data,
        hop,
    };
    let setups = devices.programs(&classes, &mut slots, options, &mut details, &mut lowered);
    let uses = uses(&lowered.programs);
    let mut used = vec![false; slots.groups().len()];
    for (slot, _, _) in &uses {
        used[usize::from(*slot)] = true;
    }
    lowered.n_communicators =
        u32::try_from(used.iter().filter(|used| **used).count()).unwrap_or(0) + 1;
    let binder = Binder {
        cluster,
        comm: inputs.comm,
        choice: inputs.choice,
        ranks: plan.ranks(),
        gpu_of: &|rank| plan.gpu_of(rank),
        slots: slots.groups(),
        used: &used,
        lanes_of: &classes,
        shapes_of: &coarse,
        message: hop.bytes.max(Bytes::new(1)),
    };
    lowered.binding = binder.bind(setups.lanes, &setups.wires);
    lowered.fabric = options.links.then(|| {
        let message = hop.bytes.max(Bytes::new(1));
        fabric(
            cluster,
            inputs.comm,
            inputs.choice,
            &mut lowered.binding,
            &uses,
            message,
        )
    });
    lowered.details = details.lists;
    lowered
}

/// Lanes without groups, and the channel slots of each pipeline device.
struct Setups {
    lanes: Vec<LaneSetup>,
    wires: Vec<Vec<Wire>>,
}

struct Devices<'a> {
    inputs: &'a Inputs<'a>,
    book: &'a Book,
    data: &'a DataParallel,
    hop: Hop,
}

impl Devices<'_> {
    fn programs(
        &self,
        classes: &Classes,
        slots: &mut Slots,
        options: LowerOptions,
        details: &mut Details,
        lowered: &mut Lowered,
    ) -> Setups {
        let Inputs { cluster, plan, .. } = *self.inputs;
        let schedule = plan.schedule();
        let pp = plan.degrees().pp;
        let mut wires = vec![Vec::new(); pp as usize];
        let device_ops: Vec<(ParamCount, Vec<Op>)> =
            (0..pp).map(|device| self.step(device)).collect();
        lowered.params = device_ops.iter().map(|(params, _)| *params).collect();
        let mut known: BTreeMap<(u32, usize), u32> = BTreeMap::new();
        let mut lanes = Vec::with_capacity(classes.len());
        for (class, members) in (0_u32..).zip(classes.members()) {
            let rank = members[0];
            let gpu = plan.gpu_of(rank);
            let device = plan.ranks().coords(rank).pp;
            let kind = cluster.kind_of(gpu);
            let program = *known.entry((device, kind)).or_insert_with(|| {
                let (params, step) = &device_ops[device as usize];
                let input = DeviceInput {
                    device,
                    schedule: &schedule,
                    book: self.book,
                    profile: &self.inputs.profiles[kind],
                    data: self.data,
                    hop: self.hop,
                    host_scale: self.host_scale(),
                    step,
                    epilogue: self.epilogue(device, params, slots),
                };
                let written = device_program(&input, options.details.then_some(&mut *details));
                wires[device as usize].clone_from(&written.wires);
                lowered.add(written)
            });
            lanes.push(LaneSetup {
                class: ClassId::new(class),
                program,
                name: self.lane_name(device, members, classes),
                stage: device,
                ranks: members.iter().map(|rank| rank.get()).collect(),
                speed: cluster.gpu_speed(gpu),
                groups: Vec::with_capacity(slots.groups().len()),
                channels: Vec::new(),
                resident: self.resident(kind, &lowered.params[device as usize]),
            });
        }
        Setups { lanes, wires }
    }

    fn lane_name(&self, device: u32, members: &[RankId], classes: &Classes) -> String {
        let stages = self.inputs.plan.degrees().pp as usize;
        if classes.len() <= stages {
            format!("stage {device}")
        } else {
            format!("stage {device}, rank {}", members[0])
        }
    }

    fn host_scale(&self) -> f64 {
        if self.inputs.plan.cuda_graphs() {
            0.0
        } else {
            self.inputs.framework.host_scale
        }
    }

    /// Parameters of a device, and the operators of the optimizer's step on them.
    fn step(&self, device: u32) -> (ParamCount, Vec<Op>) {
        let Inputs { job, plan, .. } = *self.inputs;
        let device_of_stage = plan.device_of_stage();
        let mut params = ParamCount::default();
        let mut matrices = Vec::new();
        let stages = self.book.stages.iter().zip(&device_of_stage);
        for (pieces, _) in stages.filter(|(_, at)| **at == device) {
            for piece in pieces {
                let piece = &self.book.pieces[*piece as usize];
                params += piece.ops.params;
                matrices.extend_from_slice(&piece.ops.matrices);
            }
        }
        let shards = StepShards {
            dense: plan.shards().optimizer,
            expert: plan.expert_shards().optimizer,
        };
        (params, optimizer_ops(job, &matrices, shards))
    }

    fn epilogue(&self, device: u32, params: &ParamCount, slots: &mut Slots) -> Epilogue {
        let Inputs {
            job,
            plan,
            framework,
            ..
        } = *self.inputs;
        let degrees = plan.degrees();
        let grad = |count: u64| Bytes::from_f64(count as f64 * job.grad_dtype.bytes());
        let is_end = device == 0 || device + 1 == degrees.pp;
        let copied = plan.stages().iter().any(|stage| stage.embedding_copy);
        let table = job.model.embedding().map_or(0, |embedding| {
            let rows = self.book.sharding.padded_vocab(embedding.vocab) / u64::from(degrees.tp);
            rows * embedding.width
        });
        Epilogue {
            tied: (copied && is_end && 1 < degrees.pp)
                .then(|| (slots.of(SlotGroup::Ends), grad(table))),
            replicated: (plan.sequence_parallel() && 1 < degrees.tp)
                .then(|| (axes::slot(Axis::Tp), grad(params.replicated))),
            norm: (framework.clips_gradients && 1 < degrees.tp * degrees.pp)
                .then(|| slots.of(SlotGroup::Replica)),
        }
    }

    /// Memory of a rank that the micro-batches do not change.
    fn resident(&self, kind: usize, params: &ParamCount) -> [u64; MemoryKind::ALL.len()] {
        let Inputs {
            job,
            plan,
            profiles,
            ..
        } = *self.inputs;
        let per_param = job.optimizer.resident(job.precision, job.grad_dtype);
        let state = StateBytes::of(params, &per_param).on_gpu(plan).parts();
        let largest = self.book.pieces.iter().map(|piece| {
            let parts = StateBytes::of(&piece.ops.params, &per_param).parts();
            StateParts {
                optimizer: Bytes::ZERO,
                ..parts
            }
        });
        let largest = largest.max_by_key(StateParts::total).unwrap_or_default();
        let constants = profiles[kind].memory();
        let mut resident = [0; MemoryKind::ALL.len()];
        resident[MemoryKind::Weights.index()] = state.weights.as_u64();
        resident[MemoryKind::Gradients.index()] = state.gradients.as_u64();
        resident[MemoryKind::Optimizer.index()] = state.optimizer.as_u64();
        resident[MemoryKind::Workspace.index()] =
            (constants.framework + constants.workspace).as_u64();
        resident[MemoryKind::Communication.index()] = gather_buffers(plan, largest).as_u64();
        resident
    }
}

impl Lowered {
    fn add(&mut self, device: DeviceProgram) -> u32 {
        self.programs.push(device.program);
        self.lists.push(device.list);
        self.worth.push(device.worth);
        u32::try_from(self.programs.len() - 1).unwrap_or(u32::MAX)
    }
}

/// What data parallelism does, from the levels at which state is sharded.
pub(crate) fn data_parallel(job: &Job, plan: &Plan, slots: &mut Slots) -> DataParallel {
    let degrees = plan.degrees();
    let mut set = |axis, n: u32, shards: Shards| {
        let levels = [shards.gradients, shards.optimizer];
        let mut flow: Flow = flow(slots, axis, n, shards.weights, &levels);
        flow.pass = gather_for_pass(slots, axis, n, shards.weights);
        flow
    };
    let dense = set(Axis::Dp, degrees.dense_data(), plan.shards());
    let expert = set(Axis::ExpertDp, plan.expert_data(), plan.expert_shards());
    let overlap = plan.overlap();
    DataParallel {
        dense,
        expert,
        gather_each_pass: 1 < plan.shards().weights,
        keep_after_forward: false,
        reduce_each: 1 < plan.shards().gradients,
        overlap_reduce: overlap.grad_reduce,
        overlap_gather: overlap.param_gather,
        grad_bytes: job.grad_dtype.bytes(),
        param_bytes: job.precision.params.bytes(),
    }
}

/// What one rank sends over a boundary between stages: a micro-batch's hidden states, cut over
/// tensor-parallel ranks where sequences are, or where the framework cuts them.
pub(crate) fn hop(job: &Job, plan: &Plan, framework: &Framework, sharding: &Sharding) -> Hop {
    let tp = u64::from(plan.degrees().tp);
    let width = job.model.hidden() as f64 * job.precision.compute.bytes();
    let whole = Bytes::from_f64(sharding.tokens() as f64 * width);
    if tp == 1 {
        Hop {
            bytes: whole,
            gather: None,
        }
    } else if plan.sequence_parallel() {
        Hop {
            bytes: whole / tp,
            gather: None,
        }
    } else if framework.scatter_gather {
        Hop {
            bytes: whole / tp,
            gather: Some(whole),
        }
    } else {
        Hop {
            bytes: whole,
            gather: None,
        }
    }
}

/// Every distinct collective of the programs.
fn uses(programs: &[Program]) -> Vec<Use> {
    let steps = programs
        .iter()
        .flat_map(|program| &program.blocks)
        .flat_map(|block| &block.steps);
    let mut uses: Vec<(Slot, _, _)> = steps
        .filter_map(|step| match step.work {
            Work::Collective { group, kind, bytes } => Some((group, kind, bytes)),
            _ => None,
        })
        .collect();
    uses.sort_unstable();
    uses.dedup();
    uses
}
