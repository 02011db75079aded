//! From classes of ranks to lanes, groups, channels and prices.
//!
//! The engine simulates one lane for each class. A group of ranks becomes the set of its
//! members' lanes; groups with the same set are one group of lanes. That is sound since classes
//! are equitable: every member of a class sees the same classes in each of its groups.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::{Choice, CommShape, Priced};
use plan::classes::Classes;
use plan::ranks::Ranks;
use profile::{CollectiveKind, CommProfile};
use task::{Channel, Group, LaneSetup, Lanes, SendPrice};
use units::{Bytes, BytesPerSec, ClassId, GpuId, GroupId, LaneId, RankId};

use crate::fabric::TrafficKind;
use crate::scales::AxisScales;
use crate::slots::SlotGroup;

/// What the groups of one price share: their shape, and who they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// What of the group matters to costs.
    pub shape: CommShape,
    /// The slot.
    pub slot: u16,
    /// What its traffic is for.
    pub kind: TrafficKind,
    /// Every physical group that runs at this price at the same time, by its GPUs in order of
    /// rank. The first one stands for all.
    pub groups: Vec<Vec<GpuId>>,
}

/// A pair of lanes between which messages go.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What of the pair matters to costs.
    pub shape: CommShape,
    /// The channels that use it, indices into [`Lanes::channels`].
    pub channels: Vec<u32>,
    /// Every physical pair that uses it at the same time.
    pub pairs: Vec<[GpuId; 2]>,
}

/// The lanes of a run and the prices of their communication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binding {
    /// Lanes, groups and channels.
    pub lanes: Lanes,
    /// The price of each group, by [`Group::price`].
    pub prices: Vec<Price>,
    /// Routes between stages.
    pub routes: Vec<Route>,
}

/// One channel slot of a device's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    /// The device at the other end.
    pub(crate) other: u32,
    /// The virtual stage in front of the boundary.
    pub(crate) boundary: u32,
    /// Whether activations go over it; gradients otherwise.
    pub(crate) forward: bool,
    /// Whether this device sends.
    pub(crate) sends: bool,
}

/// What binding reads.
pub(crate) struct Binder<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) comm: &'a CommProfile,
    pub(crate) choice: &'a Choice,
    pub(crate) axes: AxisScales,
    pub(crate) ranks: &'a Ranks,
    pub(crate) gpu_of: &'a dyn Fn(RankId) -> GpuId,
    pub(crate) slots: &'a [SlotGroup],
    /// Slots that some program uses.
    pub(crate) used: &'a [bool],
    /// The classes that are simulated.
    pub(crate) lanes_of: &'a Classes,
    /// The coarsest classes: groups that look alike in them share a shape.
    pub(crate) shapes_of: &'a Classes,
    /// Bytes of the usual message, for the latency and rate of channels.
    pub(crate) message: Bytes,
}

/// The physical groups of one group of lanes, by rank.
type Members = BTreeMap<GroupId, Vec<Vec<RankId>>>;

impl Binder<'_> {
    /// Binds the slots of every lane. `setups` come without groups and channels; `wires` are the
    /// channel slots of each device's program.
    pub(crate) fn bind(&self, mut setups: Vec<LaneSetup>, wires: &[Vec<Wire>]) -> Binding {
        let mut binding = Binding::default();
        for slot in 0..self.slots.len() {
            self.bind_slot(slot, &mut setups, &mut binding);
        }
        self.bind_channels(&mut setups, wires, &mut binding);
        binding.lanes.lanes = setups;
        binding
    }

    fn bind_slot(&self, slot: usize, setups: &mut [LaneSetup], binding: &mut Binding) {
        let mut group_of_lane = vec![GroupId::default(); setups.len()];
        if self.used[slot] {
            let members = self.group_lanes(slot, &mut group_of_lane, binding);
            self.price(slot, &members, binding);
        }
        for (setup, group) in setups.iter_mut().zip(group_of_lane) {
            setup.groups.push(group);
        }
    }

    /// Maps every physical group of a slot to a group of lanes.
    fn group_lanes(
        &self,
        slot: usize,
        group_of_lane: &mut [GroupId],
        binding: &mut Binding,
    ) -> Members {
        let mut known: BTreeMap<Vec<LaneId>, GroupId> = BTreeMap::new();
        let mut members = Members::new();
        let mut seen = vec![false; self.ranks.len() as usize];
        for rank in self.ranks.all() {
            if seen[rank.index()] {
                continue;
            }
            let ranks = self.slots[slot].ranks(self.ranks, rank);
            // Ranks of other stages than its ends are in no group of two devices.
            if ranks.first() != Some(&rank) {
                continue;
            }
            for member in &ranks {
                seen[member.index()] = true;
            }
            let mut lanes: Vec<LaneId> = ranks.iter().map(|rank| self.lane(*rank)).collect();
            lanes.sort_unstable();
            lanes.dedup();
            let id = *known.entry(lanes).or_insert_with_key(|lanes| {
                let id = GroupId::from_index(binding.lanes.groups.len());
                for lane in lanes {
                    group_of_lane[lane.index()] = id;
                }
                binding.lanes.groups.push(Group {
                    members: lanes.clone(),
                    price: id.get(),
                });
                id
            });
            members.entry(id).or_default().push(ranks);
        }
        members
    }

    /// Prices the groups of one slot. Those of one stage run together, so they are siblings.
    fn price(&self, slot: usize, members: &Members, binding: &mut Binding) {
        let mut shapes: BTreeMap<Vec<ClassId>, CommShape> = BTreeMap::new();
        let mut by_stage: BTreeMap<Option<u32>, Vec<Vec<GpuId>>> = BTreeMap::new();
        for group in members.values().flatten() {
            by_stage
                .entry(self.stage_of(group))
                .or_default()
                .push(self.gpus(group));
        }
        for groups in members.values() {
            let Some(first) = groups.first() else {
                continue;
            };
            let shape = *shapes.entry(self.signature(first)).or_insert_with(|| {
                let own = self.gpus(first);
                let stage = by_stage
                    .get(&self.stage_of(first))
                    .map_or(&[][..], Vec::as_slice);
                let siblings: Vec<Vec<GpuId>> = stage
                    .iter()
                    .filter(|other| **other != own)
                    .cloned()
                    .collect();
                collective::shape(self.cluster, self.comm, &own, &siblings)
                    .at_pace(self.axes.of_group(self.slots[slot]))
                    .with_skew(self.axes.skew_of_group(self.slots[slot]))
            });
            let groups = groups.iter().map(|group| self.gpus(group)).collect();
            let kind = self.slots[slot].traffic();
            let slot = u16::try_from(slot).unwrap_or(u16::MAX);
            binding.prices.push(Price {
                shape,
                slot,
                kind,
                groups,
            });
        }
    }

    fn bind_channels(&self, setups: &mut [LaneSetup], wires: &[Vec<Wire>], binding: &mut Binding) {
        let mut known: BTreeMap<(LaneId, LaneId, u32, bool), u32> = BTreeMap::new();
        let mut routes: BTreeMap<(LaneId, LaneId), usize> = BTreeMap::new();
        let mut shapes: BTreeMap<[ClassId; 2], CommShape> = BTreeMap::new();
        let mut ranks_of_stage = vec![Vec::new(); wires.len()];
        for rank in self.ranks.all() {
            if let Some(stage) = ranks_of_stage.get_mut(self.ranks.coords(rank).pp as usize) {
                stage.push(rank);
            }
        }
        for (lane, setup) in (0_u32..).map(LaneId::new).zip(setups.iter_mut()) {
            let Some(wires) = wires.get(setup.stage as usize) else {
                continue;
            };
            for wire in wires {
                let own = RankId::new(setup.ranks[0]);
                let other = self.lane(self.ranks.at_stage(own, wire.other));
                let (from, to) = if wire.sends {
                    (lane, other)
                } else {
                    (other, lane)
                };
                let key = (from, to, wire.boundary, wire.forward);
                let channel = *known.entry(key).or_insert_with(|| {
                    let channels = &mut binding.lanes.channels;
                    let route = *routes.entry((from, to)).or_insert_with(|| {
                        let route = self.route(from, to, &ranks_of_stage, &mut shapes);
                        binding.routes.push(route);
                        binding.routes.len() - 1
                    });
                    let route = &mut binding.routes[route];
                    let price = self.send_price(&route.shape);
                    channels.push(Channel { from, to, price });
                    let channel = u32::try_from(channels.len() - 1).unwrap_or(u32::MAX);
                    route.channels.push(channel);
                    channel
                });
                setup.channels.push(channel);
            }
        }
    }

    fn route(
        &self,
        from: LaneId,
        to: LaneId,
        ranks_of_stage: &[Vec<RankId>],
        shapes: &mut BTreeMap<[ClassId; 2], CommShape>,
    ) -> Route {
        let senders = &self.lanes_of.members()[from.index()];
        let receiver = self.ranks.coords(self.lanes_of.members()[to.index()][0]).pp;
        let pairs: Vec<[GpuId; 2]> = senders
            .iter()
            .map(|rank| self.pair(*rank, receiver))
            .collect();
        let one = senders[0];
        let key = [
            self.shapes_of.of(one),
            self.shapes_of.of(self.ranks.at_stage(one, receiver)),
        ];
        let shape = *shapes.entry(key).or_insert_with(|| {
            // All pairs of the two stages send at about the same time.
            let stage = &ranks_of_stage[self.ranks.coords(one).pp as usize];
            let own = self.pair(one, receiver);
            let siblings: Vec<[GpuId; 2]> = (stage.iter())
                .filter(|rank| **rank != one)
                .map(|rank| self.pair(*rank, receiver))
                .collect();
            collective::pair_shape(self.cluster, self.comm, own, &siblings).at_pace(self.axes.pp)
        });
        Route {
            shape,
            channels: Vec::new(),
            pairs,
        }
    }

    fn send_price(&self, shape: &CommShape) -> SendPrice {
        let kind = CollectiveKind::SendRecv;
        let cost = Priced::new(kind, shape, self.comm, self.choice).time(self.message);
        let transfer = (cost.time - cost.latency).as_secs();
        let rate = BytesPerSec::new(self.message.as_f64() / transfer);
        SendPrice {
            latency: cost.latency,
            rate,
            path: None,
        }
    }

    fn pair(&self, rank: RankId, stage: u32) -> [GpuId; 2] {
        [
            (self.gpu_of)(rank),
            (self.gpu_of)(self.ranks.at_stage(rank, stage)),
        ]
    }

    fn lane(&self, rank: RankId) -> LaneId {
        LaneId::new(self.lanes_of.of(rank).get())
    }

    fn gpus(&self, ranks: &[RankId]) -> Vec<GpuId> {
        ranks.iter().map(|rank| (self.gpu_of)(*rank)).collect()
    }

    fn signature(&self, ranks: &[RankId]) -> Vec<ClassId> {
        let mut classes: Vec<ClassId> = ranks.iter().map(|rank| self.shapes_of.of(*rank)).collect();
        classes.sort_unstable();
        classes
    }

    /// The stage of a group, where all its ranks have one.
    fn stage_of(&self, ranks: &[RankId]) -> Option<u32> {
        let stage = |rank: &RankId| self.ranks.coords(*rank).pp;
        let first = stage(ranks.first()?);
        ranks
            .iter()
            .all(|rank| stage(rank) == first)
            .then_some(first)
    }
}
