//! Shapes of the groups of a plan, and the prices of collectives over them.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use collective::{Choice, CommShape, Priced, regular_shape, shape};
use engine::{Phase, Pricing};
use lower::{AXIS_SLOTS, AxisScales};
use plan::Plan;
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, GpuId, RankId};
use workload::ops::Axis;

/// Shapes of groups, kept from plan to plan.
#[derive(Clone, Debug, Default)]
pub(super) struct ShapeCache {
    /// By size, second and last member of groups on GPUs in rank order that begin with the first:
    /// groups of plans are at most two nested progressions, which these three and the degree of
    /// the inner one tell apart.
    known: BTreeMap<[u32; 4], CommShape>,
    /// The same of whole axes, whose groups all GPUs share out, and whether their groups differ.
    axes: BTreeMap<[u32; 4], (CommShape, bool)>,
    /// Of two GPUs, and how many others send at the same time.
    pairs: BTreeMap<([GpuId; 2], u32), CommShape>,
}

impl ShapeCache {
    /// The shape of a group. Groups of equal strides look like all groups of their axis; of others
    /// only the one at hand is looked at, without siblings.
    ///
    /// * `inner` — ranks with the smallest stride, where the group is two nested progressions.
    pub(super) fn of(
        &mut self,
        cluster: &Cluster,
        comm: &CommProfile,
        plan: &Plan,
        ranks: &[RankId],
        inner: u32,
    ) -> CommShape {
        let gpu = |rank: &RankId| plan.gpu_of(*rank);
        let in_order = is_in_place(plan, ranks.iter().copied());
        let size = u32::try_from(ranks.len()).unwrap_or(u32::MAX);
        let second = ranks.get(1).map_or(0, |rank| rank.get());
        let last = ranks.last().map_or(0, |rank| rank.get());
        if !in_order {
            return computed(cluster, comm, &ranks.iter().map(gpu).collect::<Vec<_>>());
        }
        *self
            .known
            .entry([size, second, last, inner])
            .or_insert_with(|| computed(cluster, comm, &ranks.iter().map(gpu).collect::<Vec<_>>()))
    }
}

impl ShapeCache {
    /// The shape of the groups of an axis, and whether some are spread over more scale-up domains
    /// than others: then the shape is that of one spread widest.
    fn axis(
        &mut self,
        cluster: &Cluster,
        comm: &CommProfile,
        plan: &Plan,
        axis: Axis,
    ) -> (CommShape, bool) {
        let group = plan.ranks().group(axis, RankId::new(0));
        let in_order = is_in_place(plan, group.iter());
        let size = group.len();
        let second = if 1 < size { group.get(1).get() } else { 0 };
        let key = [size, second, group.get(size - 1).get(), plan.n_ranks()];
        if let Some(known) = self.axes.get(&key).filter(|_| in_order) {
            return *known;
        }
        let ranks: Vec<RankId> = group.iter().collect();
        let found = widest(cluster, comm, plan, axis).map_or_else(
            || (self.of(cluster, comm, plan, &ranks, 0), false),
            |shape| (shape, true),
        );
        if in_order {
            self.axes.insert(key, found);
        }
        found
    }

    /// The shape of two GPUs of neighboring stages that send to each other.
    ///
    /// * `others` — the pairs of the same stages that send at about the same time.
    pub(super) fn pair(
        &mut self,
        cluster: &Cluster,
        comm: &CommProfile,
        gpus: [GpuId; 2],
        others: impl ExactSizeIterator<Item = [GpuId; 2]>,
    ) -> CommShape {
        let n = u32::try_from(others.len()).unwrap_or(u32::MAX);
        let key = (gpus, n);
        *self.pairs.entry(key).or_insert_with(|| {
            let others: Vec<Vec<GpuId>> = others.map(|pair| pair.to_vec()).collect();
            shape(cluster, comm, &gpus, &others)
        })
    }
}

/// Whether ranks lie on the GPUs of their numbers.
fn is_in_place(plan: &Plan, mut ranks: impl Iterator<Item = RankId>) -> bool {
    plan.rank_gpus().is_none() || ranks.all(|rank| plan.gpu_of(rank).get() == rank.get())
}

/// The shape of a group spread over the most domains beside its neighbors; none where all groups
/// of the axis are spread over as many.
fn widest(cluster: &Cluster, comm: &CommProfile, plan: &Plan, axis: Axis) -> Option<CommShape> {
    let counts = plan.ranks().groups(axis);
    let (least, widest) = counts.fold((usize::MAX, 0), |(least, most), group| {
        let n = n_domains(cluster, plan, &group);
        (least.min(n), most.max(n))
    });
    if widest <= least {
        return None;
    }
    let gpus = |group: &plan::Group| -> Vec<GpuId> {
        group.iter().map(|rank| plan.gpu_of(rank)).collect()
    };
    let groups: Vec<Vec<GpuId>> = plan
        .ranks()
        .groups(axis)
        .map(|group| gpus(&group))
        .collect();
    let spread = |group: &Vec<GpuId>| {
        let domains: BTreeSet<u32> = group.iter().map(|gpu| cluster.domain_of(*gpu)).collect();
        domains.len()
    };
    let (at, group) = groups
        .iter()
        .enumerate()
        .find(|(_, group)| spread(group) == widest)?;
    let stride = plan.ranks().group(axis, RankId::new(0)).get(1).index();
    let near = (at + 1).saturating_sub(stride)..(at + stride).min(groups.len());
    let others: Vec<Vec<GpuId>> = near
        .filter(|other| *other != at)
        .map(|other| groups[other].clone())
        .collect();
    Some(shape(cluster, comm, group, &others))
}

/// Scale-up domains over which a group is spread: counted in passing where they come in order, as
/// they mostly do.
fn n_domains(cluster: &Cluster, plan: &Plan, group: &plan::Group) -> usize {
    let domains = || {
        let gpus = group.iter().map(|rank| plan.gpu_of(rank));
        gpus.map(|gpu| cluster.domain_of(gpu))
    };
    let (mut n, mut last) = (0, None);
    for domain in domains() {
        match last {
            Some(before) if domain == before => continue,
            Some(before) if domain < before => return domains().collect::<BTreeSet<_>>().len(),
            _ => n += 1,
        }
        last = Some(domain);
    }
    n
}

fn computed(cluster: &Cluster, comm: &CommProfile, gpus: &[GpuId]) -> CommShape {
    let first = gpus.first().map_or(0, |gpu| gpu.get());
    let stride = gpus
        .get(1)
        .map_or(1, |second| second.get().saturating_sub(first));
    let even = gpus
        .windows(2)
        .all(|pair| pair[0].get() + stride == pair[1].get());
    if even && 0 < stride && gpus.len() * stride as usize <= cluster.n_gpus() {
        return regular_shape(cluster, comm, gpus.len(), stride as usize);
    }
    shape(cluster, comm, gpus, &[])
}

/// The shapes of a plan's axes, by slot, and how to price collectives over them.
#[derive(Clone, Debug)]
pub(super) struct Shapes<'a> {
    pub(super) of_slot: [CommShape; AXIS_SLOTS.len()],
    /// Whether groups of some axis are spread over more domains than others of it.
    pub(super) differ: bool,
    pub(super) comm: &'a CommProfile,
    pub(super) choice: &'a Choice,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(
        cache: &mut ShapeCache,
        cluster: &Cluster,
        comm: &'a CommProfile,
        (choice, axes): (&'a Choice, AxisScales),
        plan: &Plan,
    ) -> Self {
        let mut differ = false;
        let of_slot = AXIS_SLOTS.map(|axis| {
            let (shape, uneven) = cache.axis(cluster, comm, plan, axis);
            differ |= uneven;
            shape.at_pace(axes.of(axis)).with_skew(axes.skew_of(axis))
        });
        Self {
            of_slot,
            differ,
            comm,
            choice,
        }
    }

    /// Seconds of a collective over an axis.
    pub(super) fn time(&self, axis: Axis, kind: CollectiveKind, bytes: Bytes) -> f64 {
        self.time_on(
            &self.of_slot[usize::from(lower::axis_slot(axis))],
            kind,
            bytes,
        )
    }

    /// Seconds of a message between the ends of a shape, and how many of them are latency.
    pub(super) fn send(&self, shape: &CommShape, bytes: Bytes) -> [f64; 2] {
        let kind = CollectiveKind::SendRecv;
        let cost = Priced::new(kind, shape, self.comm, self.choice).time(bytes);
        [cost.time.as_secs(), cost.latency.as_secs()]
    }

    /// A kind of collective over a shape, priced for any size.
    pub(super) fn priced(&self, shape: &CommShape, kind: CollectiveKind) -> Priced<'a> {
        Priced::new(kind, shape, self.comm, self.choice)
    }

    /// Seconds of a collective over a shape.
    pub(super) fn time_on(&self, shape: &CommShape, kind: CollectiveKind, bytes: Bytes) -> f64 {
        Priced::new(kind, shape, self.comm, self.choice)
            .time(bytes)
            .time
            .as_secs()
    }
}

impl Pricing for Shapes<'_> {
    fn phases(&self, price: u32, kind: CollectiveKind, bytes: Bytes) -> Vec<Phase> {
        let shape = &self.of_slot[price as usize];
        let delay = Priced::new(kind, shape, self.comm, self.choice)
            .time(bytes)
            .time;
        vec![Phase {
            delay,
            transfers: Vec::new(),
        }]
    }
}
