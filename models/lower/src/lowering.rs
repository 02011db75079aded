//! A plan as programs, lists of fragments and lanes.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::Choice;
use network::Path;
use plan::classes::Classes;
use plan::schedule::Schedule;
use plan::state::StateBytes;
use plan::{Assumption, Offload, Plan};
use profile::{CommProfile, Profile};
use task::{Fragment, LaneSetup, Program, Slot, Work};
use trace::{Detail, MemoryKind};
use units::{Bytes, ClassId, DType, GpuId, RankId};
use workload::ops::{Axis, Op, ParamCount, StepShards, optimizer_ops, step_cost};
use workload::{Job, Resident};

use crate::axes;
use crate::binding::{Binder, Binding, Wire};
use crate::book::{Book, book};
use crate::data_parallel::{DataParallel, data_parallel};
use crate::departure;
use crate::epilogue::{Epilogue, Mirrored};
use crate::fabric::{Fabric, Use, fabric};
use crate::framework::Framework;
use crate::hop::{Hop, hop};
use crate::notes::notes;
use crate::offload::Copies;
use crate::outside;
use crate::piece::Piece;
use crate::program::{DeviceInput, DeviceProgram, device_program};
use crate::site::{Site, host_cost};
use crate::slots::{SlotGroup, Slots};
use crate::spread::sharing;
use crate::step_buffers::{StepBuffers, pass_gradients};
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
    /// What the optimizer's step takes on a rank of each pipeline device besides the state.
    pub step_buffers: Vec<StepBuffers>,
    /// Communicators that a rank takes part in.
    pub n_communicators: u32,
    /// Fragments that a lane holds at a time: what runs beside kernels may last that long.
    pub window: usize,
    /// Whether what leaves the GPUs finds room in their nodes, as far as these name it.
    pub outside_fits: bool,
    /// What of the plan was simplified, and how.
    pub notes: Vec<Assumption>,
}

/// Fragments that a lane holds at a time. A communication stream may fall that many passes
/// behind the kernels before they wait, as a framework's host runs ahead of its GPU. Gathers of
/// sharded weights run one piece ahead whatever it is: each waits for the end of the last piece
/// but one ([`crate::load`]), as FSDP's do.
const WINDOW: usize = 8;

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
    let data = data_parallel(job, plan, framework, &mut slots);
    let hop = hop(job, plan, framework, &book.sharding);
    let mut details = Details::default();
    let mut lowered = Lowered {
        window: WINDOW,
        notes: notes(inputs),
        ..Lowered::default()
    };
    let devices = Devices {
        inputs,
        book: &book,
        data: &data,
        hop,
    };
    let setups = devices.programs(&classes, &mut slots, options, &mut details, &mut lowered);
    let uses = uses(&lowered.programs);
    let mut in_use = vec![false; slots.groups().len()];
    for (slot, _, _) in &uses {
        in_use[usize::from(*slot)] = true;
    }
    lowered.n_communicators =
        u32::try_from(in_use.iter().filter(|used| **used).count()).unwrap_or(0) + 1;
    let binder = Binder {
        cluster,
        comm: inputs.comm,
        choice: inputs.choice,
        ranks: plan.ranks(),
        gpu_of: &|rank| plan.gpu_of(rank),
        slots: slots.groups(),
        used: &in_use,
        lanes_of: &classes,
        shapes_of: &coarse,
        message: hop.bytes.max(Bytes::new(1)),
    };
    lowered.binding = binder.bind(setups.lanes, &setups.wires);
    departure::fill(&mut lowered.programs, &lowered.binding.lanes);
    lowered.fabric = options.links.then(|| {
        let message = hop.bytes.max(Bytes::new(1));
        fabric(
            cluster,
            inputs.comm,
            *inputs.choice,
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
        let updates: Vec<Update> = (0..pp).map(|device| self.update(device)).collect();
        lowered.params = updates.iter().map(|update| update.params).collect();
        lowered.step_buffers = self.step_buffers(&lowered.params);
        let overflow = self.overflow(&schedule, &updates);
        lowered.outside_fits = overflow.is_none();
        lowered.notes.extend(overflow);
        let mut known: BTreeMap<(u32, usize), u32> = BTreeMap::new();
        let mut lanes = Vec::with_capacity(classes.len());
        for (class, members) in (0_u32..).zip(classes.members()) {
            let rank = members[0];
            let gpu = plan.gpu_of(rank);
            let device = plan.ranks().coords(rank).pp;
            let kind = cluster.kind_of(gpu);
            let program = *known.entry((device, kind)).or_insert_with(|| {
                let update = &updates[device as usize];
                let input = DeviceInput {
                    device,
                    schedule: &schedule,
                    book: self.book,
                    site: self.site(gpu),
                    hop: self.hop,
                    sharing: sharing(plan, slots),
                    step: &update.ops,
                    epilogue: self.epilogue(device, update, slots),
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
                resident: self.resident(kind, &updates[device as usize]),
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

    fn site(&self, gpu: GpuId) -> Site<'_> {
        let Inputs {
            cluster,
            job,
            plan,
            profiles,
            framework,
            ..
        } = *self.inputs;
        let profile = &profiles[cluster.kind_of(gpu)];
        Site {
            profile,
            data: self.data,
            copies: Copies::new(cluster, plan, gpu, job.precision.params.bytes()),
            host: host_cost(profile, framework.host_scale, plan.cuda_graphs()),
            overlap_p2p: plan.overlap().p2p,
        }
    }

    /// Everything that a device holds: its stages, and its part of a spread vocabulary.
    fn pieces_on(&self, device: u32) -> Vec<&Piece> {
        let stages = (0_u32..).zip(self.inputs.plan.device_of_stage());
        let own = stages.filter(|(_, at)| *at == device);
        let own = own.flat_map(|(stage, _)| self.book.pieces_of(stage));
        own.chain(self.book.shared()).collect()
    }

    /// The optimizer's step on a device.
    fn update(&self, device: u32) -> Update {
        let Inputs { job, plan, .. } = *self.inputs;
        let mut params = ParamCount::default();
        let mut matrices = Vec::new();
        for piece in self.pieces_on(device) {
            params += piece.ops.params;
            matrices.extend_from_slice(&piece.ops.matrices);
        }
        let shards = plan.step_shards();
        Update {
            ops: optimizer_ops(job, &matrices, shards),
            moved: step_cost(job, &matrices, shards).moved,
            state: step_cost(
                job,
                &matrices,
                StepShards {
                    dense: 1,
                    expert: 1,
                },
            )
            .state,
            updated: params.dense_trained as f64 / f64::from(shards.dense)
                + params.expert_trained as f64 / f64::from(shards.expert),
            params,
        }
    }

    fn step_buffers(&self, params: &[ParamCount]) -> Vec<StepBuffers> {
        let Inputs {
            job,
            plan,
            framework,
            ..
        } = *self.inputs;
        let of = |on: &ParamCount| StepBuffers::of(job, plan, framework, on);
        params.iter().map(of).collect()
    }

    fn epilogue(&self, device: u32, update: &Update, slots: &mut Slots) -> Epilogue {
        let Inputs {
            job,
            plan,
            framework,
            ..
        } = *self.inputs;
        let degrees = plan.degrees();
        let grad = |count: u64| Bytes::from_f64(count as f64 * job.grad_dtype.bytes());
        let replicated = grad(update.params.replicated);
        Epilogue {
            tied: self.tied(device, slots),
            mirrored: self.mirrored(device, update, slots),
            replicated: (plan.sequence_parallel() && 1 < degrees.tp && replicated != Bytes::ZERO)
                .then(|| (axes::slot(Axis::Tp), replicated)),
            norm: (framework.clips_gradients && 1 < degrees.tp * degrees.pp)
                .then(|| slots.of(SlotGroup::Replica)),
            updated: update.updated,
            moved: update.moved,
        }
    }

    /// In two directions: what a device and its mirror, which holds the same stages, exchange.
    fn mirrored(&self, device: u32, update: &Update, slots: &mut Slots) -> Option<Mirrored> {
        let Inputs { job, plan, .. } = *self.inputs;
        let mirror = plan.degrees().pp - 1 - device;
        if !plan.is_two_directional() || mirror == device {
            return None;
        }
        let group = SlotGroup::Devices([device.min(mirror), device.max(mirror)]);
        let (dense, expert) = (plan.shards(), plan.expert_shards());
        let values = update.params.dense_trained as f64 / f64::from(dense.optimizer)
            + update.params.expert_trained as f64 / f64::from(expert.optimizer);
        let bytes = |each: f64| Bytes::from_f64(values * each);
        Some(Mirrored {
            slot: slots.of(group),
            gradients: bytes(job.grad_dtype.bytes()),
            halves: plan
                .shares_step_of_copies()
                .then(|| bytes(job.precision.params.bytes())),
        })
    }

    /// The group of both copies of tied embeddings, and the bytes of the table's gradient.
    fn tied(&self, device: u32, slots: &mut Slots) -> Option<(Slot, Bytes)> {
        let Inputs { job, plan, .. } = *self.inputs;
        let embedding = job.model.embedding()?;
        let copied = plan.stages().iter().any(|stage| stage.embedding_copy);
        let stages = plan.device_of_stage();
        let ends = [*stages.first()?, *stages.last()?];
        if !copied || !ends.contains(&device) || ends[0] == ends[1] {
            return None;
        }
        let degrees = plan.degrees();
        let group = if ends == [0, degrees.pp - 1] {
            SlotGroup::Ends
        } else {
            SlotGroup::Devices(ends)
        };
        let rows = self.book.sharding.padded_vocab(embedding.vocab) / u64::from(degrees.tp);
        let bytes = (rows * embedding.width) as f64 * job.grad_dtype.bytes();
        Some((slots.of(group), Bytes::from_f64(bytes)))
    }

    /// What leaves the GPUs and finds no room in their nodes.
    fn overflow(&self, schedule: &Schedule, updates: &[Update]) -> Option<Assumption> {
        let Inputs {
            cluster, job, plan, ..
        } = *self.inputs;
        if plan.offload() == Offload::NONE {
            return None;
        }
        let copies = self.site(plan.gpu_of(RankId::new(0))).copies;
        let leaving = |stage| {
            let pieces = self.book.pieces_of(stage);
            pieces.map(|piece| copies.leaving(piece)).sum()
        };
        let of_device = |(device, update): (usize, &Update)| {
            let state = StateBytes::of(
                &update.params,
                &resident_bytes(job, update.state, &update.params),
            );
            let (whole, here) = (state.on_rank(plan).total(), state.on_gpu(plan).total());
            whole.saturating_sub(here) + outside::activations(schedule, device, leaving)
        };
        let on_rank: Vec<Bytes> = updates.iter().enumerate().map(of_device).collect();
        outside::overflow(cluster, plan, &on_rank)
    }

    /// Memory of a rank that the micro-batches do not change.
    fn resident(&self, kind: usize, device: &Update) -> [u64; MemoryKind::ALL.len()] {
        let Inputs {
            job,
            plan,
            profiles,
            framework,
            ..
        } = *self.inputs;
        let state = StateBytes::of(
            &device.params,
            &resident_bytes(job, device.state, &device.params),
        );
        let own = state.on_gpu(plan).parts();
        let constants = profiles[kind].memory();
        let mut resident = [0; MemoryKind::ALL.len()];
        resident[MemoryKind::Weights.index()] = own.weights.as_u64();
        let apart = pass_gradients(job, framework, &device.params);
        resident[MemoryKind::Gradients.index()] = (own.gradients + apart).as_u64();
        resident[MemoryKind::Optimizer.index()] = own.optimizer.as_u64();
        resident[MemoryKind::Workspace.index()] =
            (constants.framework + constants.workspace).as_u64();
        if self.data.gather_once {
            // Gradients stay whole until the last backward pass.
            let whole = state.parts().gradients;
            resident[MemoryKind::Communication.index()] = whole.as_u64();
        }
        resident
    }
}

/// The optimizer's step on one device.
struct Update {
    params: ParamCount,
    ops: Vec<Op>,
    /// Bytes that it moves in memory.
    moved: Bytes,
    /// Bytes of the optimizer's state, before it is cut over ranks.
    state: Bytes,
    /// Parameters that one rank updates.
    updated: f64,
}

/// Bytes a parameter of weights, gradients and states: optimizers that know matrices hold other
/// states for each, which are spread evenly here.
pub(crate) fn resident_bytes(job: &Job, state: Bytes, params: &ParamCount) -> Resident {
    let by_value = job.optimizer.resident(job.precision, job.grad_dtype);
    if params.trained() == 0 {
        return by_value;
    }
    let main = job.precision.main_params.map_or(0.0, DType::bytes);
    Resident {
        optimizer: main + state.as_f64() / params.trained() as f64,
        ..by_value
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
