//! The time of an iteration where nodes hold several stages, or stages several nodes.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use placement::{Curve, Group, Layout, LayoutSpec, Links, Message, PipelineLayout, Worst};
use plan::{Axis, Plan};
use predict::{Estimator, Scenario, StageCosts};
use units::{Bytes, BytesPerSec, RankId};
use workload::ops::CpMethod;

use super::links::links;
use super::seats::Seats;
use crate::{Request, SearchError};

/// Rates at which the closed form is asked what passes and gradients take.
const SAMPLES: u32 = 9;

/// The objective of a plan; `None` where all links are alike.
pub(super) fn layout(
    request: &Request<'_>,
    snapshots: &[Cluster],
    plan: &Plan,
    seats: &Seats,
) -> Result<Option<Worst<Layout>>, SearchError> {
    let mut measured: Vec<Links> = Vec::new();
    for cluster in snapshots {
        measured.extend(links(cluster, &seats.nodes)?);
    }
    if measured.is_empty() {
        return Ok(None);
    }
    let range = range(&measured);
    let curves = Curves::of(request.scenario, plan, range);
    let places = Places::of(&request.scenario.cluster, seats);
    let pipelines = pipelines(plan, &places, &curves.costs);
    let rings = rings(plan, &places);
    let objective = |links: Links| {
        Layout::new(LayoutSpec {
            links,
            kinds: seats.kinds.clone(),
            pipelines: pipelines.clone(),
            forward: curves.forward.clone(),
            backward: curves.backward.clone(),
            rings: rings.clone(),
            sums: curves.sums.clone(),
            micro_batches: u64::from(plan.n_micro_batches()),
        })
    };
    let all: Result<Vec<Layout>, _> = measured.into_iter().map(objective).collect();
    Ok(Some(Worst::new(all?)?))
}

/// Seconds a byte of the fastest and the slowest link.
fn range(measured: &[Links]) -> [f64; 2] {
    let all = measured.iter().map(Links::extremes);
    all.fold([f64::INFINITY, 0.0], |known, one| {
        [known[0].min(one[0]), known[1].max(one[1])]
    })
}

/// What the closed form says where all links between nodes are alike, by how fast they are.
struct Curves {
    costs: StageCosts,
    forward: Vec<Curve>,
    backward: Vec<Curve>,
    sums: Vec<Curve>,
}

impl Curves {
    fn of(scenario: &Scenario, plan: &Plan, [fastest, slowest]: [f64; 2]) -> Self {
        let alike = slowest <= fastest * (1.0 + 1e-9);
        let last = if alike { 0 } else { SAMPLES - 1 };
        let step = (slowest - fastest) / f64::from(last.max(1));
        let samples: Vec<(StageCosts, f64)> = (0..=last)
            .map(|at| {
                sample(
                    scenario,
                    plan,
                    (!alike).then(|| fastest + f64::from(at) * step),
                )
            })
            .collect();
        let curve = |of: &dyn Fn(&(StageCosts, f64)) -> f64| {
            let seconds: Vec<f64> = samples.iter().map(of).collect();
            Curve::new([fastest, slowest], &seconds)
        };
        let costs = samples[0].0.clone();
        let stages = 0..costs.forward.len();
        let bytes = |stage: usize| costs.dense[stage].as_f64() + costs.expert[stage].as_f64();
        let most = stages.clone().map(bytes).fold(f64::MIN_POSITIVE, f64::max);
        let sums = curve(&|sample| sample.1);
        let times = |of: &dyn Fn(&StageCosts, usize) -> f64| -> Vec<Curve> {
            let stages = stages.clone();
            stages
                .map(|stage| curve(&|sample| of(&sample.0, stage)))
                .collect()
        };
        Self {
            forward: times(&|costs, stage| costs.forward[stage].as_secs()),
            backward: times(&|costs, stage| costs.backward[stage].as_secs()),
            sums: stages
                .map(|stage| sums.clone().scale(bytes(stage) / most))
                .collect(),
            costs,
        }
    }
}

/// Stages' costs, and seconds that data parallelism leaves exposed, where every link between nodes
/// takes so many seconds a byte; without them where they are as they are.
fn sample(scenario: &Scenario, plan: &Plan, per_byte: Option<f64>) -> (StageCosts, f64) {
    let rate = per_byte.and_then(|per_byte| BytesPerSec::new(1.0 / per_byte));
    let cluster = rate.and_then(|rate| {
        let n = scenario.cluster.n_nodes();
        let row = |from: usize| (0..n).map(|to| (from != to).then_some(rate)).collect();
        scenario
            .cluster
            .with_measured((0..n).map(row).collect())
            .ok()
    });
    let mut scenario = scenario.clone();
    scenario.cluster = cluster.unwrap_or(scenario.cluster);
    let mut estimator = Estimator::new(&scenario);
    let costs = estimator.stage_costs(plan);
    (costs, estimator.estimate(plan).breakdown.dp_s)
}

/// The place of every GPU's node.
struct Places<'a> {
    cluster: &'a Cluster,
    of_node: BTreeMap<units::NodeId, u32>,
}

impl<'a> Places<'a> {
    fn of(cluster: &'a Cluster, seats: &Seats) -> Self {
        Self {
            cluster,
            of_node: seats.nodes.iter().copied().zip(0..).collect(),
        }
    }

    /// The place of a rank.
    fn rank(&self, plan: &Plan, rank: RankId) -> u32 {
        self.of_node[&self.cluster.node_of(plan.gpu_of(rank))]
    }

    /// Places of ranks, each once, in the order in which the ranks meet them.
    fn ranks(&self, plan: &Plan, ranks: impl Iterator<Item = RankId>) -> Vec<u32> {
        let mut places: Vec<u32> = Vec::new();
        for place in ranks.map(|rank| self.rank(plan, rank)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

/// The pipelines of a plan that differ in their places.
fn pipelines(plan: &Plan, places: &Places<'_>, costs: &StageCosts) -> Vec<PipelineLayout> {
    let (stages, replicas) = (plan.degrees().pp as usize, plan.degrees().dp as usize);
    let empty = PipelineLayout {
        inside: vec![Group::default(); stages],
        hops: vec![Vec::new(); stages - 1],
    };
    let mut all = vec![empty; replicas];
    for axis in [Axis::Tp, Axis::Cp, Axis::Ep, Axis::Etp, Axis::EpEtp] {
        inside(plan, places, axis, &mut all);
    }
    let (messages, loads) = messages(plan, places);
    let bytes = costs.message.scale(f64::from(plan.chunks()));
    for (replica, stage, from, to) in messages {
        let load = loads[&(stage, from, to)];
        all[replica].hops[stage].push(Message {
            from,
            to,
            bytes: Bytes::from_f64(bytes.as_f64() * load),
        });
    }
    all.sort();
    all.dedup();
    all
}

/// Adds who talks to whom over an axis inside passes.
fn inside(plan: &Plan, places: &Places<'_>, axis: Axis, all: &mut [PipelineLayout]) {
    let in_pairs = match axis {
        Axis::Ep | Axis::EpEtp => true,
        Axis::Cp => plan.cp_method() == CpMethod::AllToAll,
        _ => false,
    };
    for ranks in plan.ranks().groups(axis) {
        let met = places.ranks(plan, ranks.iter());
        if met.len() < 2 {
            continue;
        }
        let mut group = Group::default();
        if in_pairs {
            group.all_pairs(&met);
        } else {
            group.ring(&met);
        }
        let coords = ranks.iter().map(|rank| plan.ranks().coords(rank));
        let stages: BTreeSet<(usize, usize)> = coords
            .map(|coord| (coord.dp as usize, coord.pp as usize))
            .collect();
        for (replica, stage) in stages {
            all[replica].inside[stage].merge(&group);
        }
    }
}

/// A replica, a stage, and the places of ranks that send to the next stage and get from it.
type Sent = (usize, usize, u32, u32);

/// Ranks that send, by stage and the places of both ends.
type Loads = BTreeMap<(usize, u32, u32), f64>;

/// Who sends to another place, and how many ranks do so at the same time, of all replicas.
fn messages(plan: &Plan, places: &Places<'_>) -> (BTreeSet<Sent>, Loads) {
    let (mut sent, mut loads) = (BTreeSet::new(), Loads::new());
    let ranks = plan.ranks();
    for rank in ranks.all() {
        let coord = ranks.coords(rank);
        if coord.pp + 1 == plan.degrees().pp {
            continue;
        }
        let next = ranks.at_stage(rank, coord.pp + 1);
        let [from, to] = [rank, next].map(|rank| places.rank(plan, rank));
        if from != to {
            let stage = coord.pp as usize;
            sent.insert((coord.dp as usize, stage, from, to));
            *loads.entry((stage, from, to)).or_default() += 1.0;
        }
    }
    (sent, loads)
}

/// Who sums gradients with whom, by stage.
fn rings(plan: &Plan, places: &Places<'_>) -> Vec<Group> {
    let mut rings = vec![Group::default(); plan.degrees().pp as usize];
    for axis in [Axis::Dp, Axis::ExpertDp] {
        for ranks in plan.ranks().groups(axis) {
            let stage = plan.ranks().coords(ranks.first()).pp as usize;
            let met = places.ranks(plan, ranks.iter());
            rings[stage].ring(&met);
        }
    }
    rings
}
