//! All-reduces between domains, simulated step by step on the flow engine with fitted constants.

use cluster::ClusterNetwork;
use network::Share;
use profile::{CollectiveKind, CommProfile};
use traffic::{
    Asked, Keep, Kind, Policy, Ranks, Wishes, balance, choose, collective_over, reached, run_folded,
};
use units::math::ln;
use units::{Control, HostId, SimTime};

use super::model::CommModel;
use super::rows::{Row, Setup};

/// Natural logarithms of simulated over measured time, for rows that the engine can run as they
/// were measured; not a number for others.
pub(crate) fn log_errors(model: &CommModel<'_>, values: &[f64], rows: &[usize]) -> Vec<f64> {
    let (comm, _) = model.constants(values);
    let error = |at: &usize| {
        let row = &model.rows.sizes[*at];
        let micros = micros(&model.rows.setups[row.setup], row, &comm);
        micros.map_or(f64::NAN, |micros| ln(micros / row.micros))
    };
    rows.iter().map(error).collect()
}

fn micros(setup: &Setup, row: &Row, comm: &CommProfile) -> Option<f64> {
    let network = setup.network.as_ref()?;
    if setup.kind != CollectiveKind::AllReduce {
        return None;
    }
    let per_node = setup.ranks / setup.nodes.max(1);
    let gpus = u32::try_from(network.cluster().n_gpus()).ok()? / setup.nodes.max(1);
    let first = |node: u32| network.n_nodes() + node * gpus;
    let hosts: Vec<HostId> = (0..setup.nodes)
        .flat_map(|node| first(node)..first(node) + per_node)
        .map(HostId::new)
        .collect();
    let ranks = Ranks::of_cluster(network, &hosts);
    let wishes = Wishes::default();
    let kind = Kind::AllReduce;
    let asked = Asked {
        kind: Some(kind),
        bytes: row.bytes,
        ranks: &ranks,
        wishes: &wishes,
    };
    let found = reached(network, comm, &asked)?;
    let fabric = ClusterNetwork::clone(network).reaching(found.reach);
    let start = SimTime::ZERO.after(found.start).ok()?;
    let choice = choose(kind, &ranks, row.bytes, &wishes);
    let program = collective_over(choice.kind, &ranks, row.bytes, &choice.options);
    let program = program.delayed(|_| start);
    let program = balance(&fabric, &program, Policy::Static, 1).program;
    let control = Control::new();
    let outcome = run_folded(&fabric, &program, Share::EQUAL, Keep::Totals, &control).ok()?;
    Some(outcome.makespan.as_seconds().as_micros())
}
