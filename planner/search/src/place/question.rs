//! The time of an iteration as a function of the order of nodes in rows of stages.

use cluster::Cluster;
use placement::{Cost, Iteration, IterationSpec, Links, Worst};
use plan::{Axis, Plan};
use predict::{Estimator, StageCosts};
use units::{Bytes, RankId};

use super::Simulated;
use super::links::links;
use super::seats::Seats;
use crate::{Request, SearchError};

/// The objective of a plan; `None` where all links are alike.
///
/// What rings leave exposed is taken from what the engine says of the plan as it stands.
pub(super) fn question(
    request: &Request<'_>,
    snapshots: &[Cluster],
    simulated: &Simulated,
    seats: &Seats,
) -> Result<Option<Worst<Iteration>>, SearchError> {
    let plan = &simulated.plan;
    let costs = Estimator::new(request.scenario).stage_costs(plan);
    let mut objectives = Vec::new();
    for cluster in snapshots {
        if let Some(links) = links(cluster, &seats.nodes)? {
            let spec = spec(plan, &costs, links, (cluster, seats));
            let exposed = simulated.prediction.breakdown.dp_s;
            objectives.push(with_overlap(spec, exposed)?);
        }
    }
    if objectives.is_empty() {
        return Ok(None);
    }
    Ok(Some(Worst::new(objectives)?))
}

fn spec(
    plan: &Plan,
    costs: &StageCosts,
    links: Links,
    (cluster, seats): (&Cluster, &Seats),
) -> IterationSpec {
    let stages = plan.degrees().pp;
    let rows = seats.nodes.len() as f64 / f64::from(stages);
    let ranks = seats
        .nodes
        .first()
        .map_or(0, |node| cluster.gpus_of(*node).len()) as f64;
    let chunks = f64::from(plan.chunks());
    let [dense, expert] =
        [Axis::Dp, Axis::ExpertDp].map(|axis| rings(plan, cluster, axis, rows, ranks));
    let gradients = costs.dense.iter().zip(&costs.expert);
    IterationSpec {
        links,
        forward: costs.forward.clone(),
        backward: costs.backward.clone(),
        hops: vec![costs.message.scale(ranks * chunks); stages as usize - 1],
        gradients: gradients
            .map(|(d, e)| d.scale(dense) + e.scale(expert))
            .collect(),
        micro_batches: u64::from(plan.n_micro_batches()),
        overlap: 0.0,
    }
}

/// By how much the bytes of a rank have to be multiplied so that a ring of one member a node moves
/// as much over its links as the rings of all ranks do.
///
/// A ring of `N` ranks crosses each of its links between nodes with `2 (N − 1)/N` of its bytes, and
/// as many rings as a node has groups share a link; one of `rows` nodes would with
/// `2 (rows − 1)/rows`.
fn rings(plan: &Plan, cluster: &Cluster, axis: Axis, rows: f64, ranks: f64) -> f64 {
    if rows < 2.0 {
        return 0.0;
    }
    let group = plan.ranks().group(axis, RankId::new(0));
    let node = |rank| cluster.node_of(plan.gpu_of(rank));
    let home = node(RankId::new(0));
    let near = group.iter().filter(|rank| node(*rank) == home).count() as f64;
    let all = group.iter().count() as f64;
    if all <= near {
        return 0.0;
    }
    ranks / near * (1.0 - 1.0 / all) / (1.0 - 1.0 / rows)
}

/// The objective whose rings, in the order of the plan, cost what the engine says at most.
fn with_overlap(mut spec: IterationSpec, exposed: f64) -> Result<Iteration, SearchError> {
    let without = IterationSpec {
        gradients: vec![Bytes::ZERO; spec.gradients.len()],
        ..spec.clone()
    };
    let order: Vec<u32> = (0..).take(spec.links.n_servers()).collect();
    let whole = Iteration::new(spec.clone())?.full(&order);
    let rings = whole - Iteration::new(without)?.full(&order);
    if 0.0 < rings {
        spec.overlap = (1.0 - exposed / rings).clamp(0.0, 1.0);
    }
    Ok(Iteration::new(spec)?)
}
