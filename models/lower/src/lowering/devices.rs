//! The programs of all devices, and the lanes that run them.

use std::collections::BTreeMap;

use plan::classes::Classes;
use task::{LaneSetup, Slot};
use units::{Bytes, ClassId, GpuId, RankId};
use workload::ops::{Axis, Op, ParamCount, StepShards, optimizer_ops, step_cost};

use crate::axes;
use crate::binding::Wire;
use crate::book::Book;
use crate::data_parallel::DataParallel;
use crate::dummies::Dummies;
use crate::epilogue::{Epilogue, Mirrored};
use crate::hop::Hop;
use crate::offload::Copies;
use crate::piece::Piece;
use crate::program::{DeviceInput, device_program};
use crate::site::{HostPace, Site};
use crate::slots::{SlotGroup, Slots};
use crate::spread::sharing;
use crate::step_buffers::StepBuffers;
use crate::writer::Details;

use super::{Inputs, LowerOptions, Lowered};

/// Lanes without groups, and the channel slots of each pipeline device.
pub(super) struct Setups {
    pub(super) lanes: Vec<LaneSetup>,
    pub(super) wires: Vec<Vec<Wire>>,
}

/// What the programs of all devices depend on.
pub(super) struct Devices<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) book: &'a Book,
    pub(super) data: &'a DataParallel,
    pub(super) hop: Hop,
}

impl Devices<'_> {
    /// Writes the programs of all devices, and a lane for each class.
    pub(super) fn programs(
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
        let mut known: BTreeMap<(u32, usize, u64), u32> = BTreeMap::new();
        let mut lanes = Vec::with_capacity(classes.len());
        for (class, members) in (0_u32..).zip(classes.members()) {
            let rank = members[0];
            let gpu = plan.gpu_of(rank);
            let device = plan.ranks().coords(rank).pp;
            let kind = cluster.kind_of(gpu);
            // Hosts are as fast beside a slow GPU, which shifts what of a pass is theirs.
            let speed = cluster.gpu_speed(gpu);
            let key = (device, kind, speed.to_bits());
            let program = *known.entry(key).or_insert_with(|| {
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
                speed,
                groups: Vec::with_capacity(slots.groups().len()),
                channels: Vec::new(),
                resident: self.memory_of(kind, &updates[device as usize]),
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

    pub(super) fn site(&self, gpu: GpuId) -> Site<'_> {
        let Inputs {
            cluster,
            job,
            plan,
            profiles,
            ..
        } = *self.inputs;
        let profile = &profiles[cluster.kind_of(gpu)];
        Site {
            profile,
            data: self.data,
            copies: Copies::new(cluster, plan, gpu, job.precision.params.bytes()),
            host: profile.host().under(plan.degrees().tp, plan.cuda_graphs()),
            pace: HostPace::Negligible,
            speed: cluster.gpu_speed(gpu),
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
        let Inputs {
            job,
            plan,
            framework,
            ..
        } = *self.inputs;
        let mut params = ParamCount::default();
        let mut matrices = Vec::new();
        for piece in self.pieces_on(device) {
            params += piece.ops.params;
            matrices.extend_from_slice(&piece.ops.matrices);
        }
        let mut dummies = Dummies::default();
        dummies.add(&matrices);
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
            dummies: dummies.bytes(job, framework),
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
}

/// The optimizer's step on one device.
pub(super) struct Update {
    pub(super) params: ParamCount,
    ops: Vec<Op>,
    /// Bytes that it moves in memory.
    moved: Bytes,
    /// Bytes of the optimizer's state, before it is cut over ranks.
    pub(super) state: Bytes,
    /// Parameters that one rank updates.
    updated: f64,
    /// Gradients that nobody reads.
    pub(super) dummies: Bytes,
}
