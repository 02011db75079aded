//! The same workload for other simulators.

use std::io;
use std::sync::Arc;

use ::network::Share;
use cluster::Topology as _;
use format::{Failure, Straggler, describe_cluster};
use formats::flows_csv::{self, FlowIds};
use formats::htsim::{self, Fires, HtsimError};
use formats::{chakra as traces, simgrid as platforms};
use traffic::{Flow, FlowId, Flows, FlowsError, Keep, Program, RunError, run_folded};
use units::{Control, HostId};

use super::{NetworkBundle, NetworkFile};
use crate::Opened;
use crate::network::Traffic;
use crate::network::fabric::Fabric;

/// `platform.xml` and `flows.csv`.
pub(super) fn simgrid(
    opened: &Opened,
    traffic: &Arc<Traffic>,
) -> Result<NetworkBundle, Vec<Failure>> {
    let (flows, told) = nearest(opened, traffic)?;
    let hosts = hosts(&flows);
    let mut platform = Vec::new();
    let form = platforms::write(&mut platform, &traffic.fabric, &hosts).map_err(|error| {
        let message = format!("the fabric as a platform of SimGrid: {error}");
        vec![opened.refused("workload", message, error.hint())]
    })?;
    let mut warnings = static_alone(opened, "SimGrid");
    warnings.extend(told);
    if form == platforms::Form::FatTree {
        warnings
            .push("the platform is one fat tree, whose links have names of their own".to_owned());
    }
    let ids = ids(opened, traffic, &flows)?;
    let traffic = Arc::clone(traffic);
    let list = NetworkFile::new("flows.csv", move |out| {
        flows_csv::write(out, &flows, &ids, |host| traffic.fabric.host_name(host))
    });
    Ok(NetworkBundle {
        files: vec![NetworkFile::text("platform.xml", platform), list],
        warnings,
    })
}

/// `fabric.topo` and `flows.cm`.
pub(super) fn htsim(
    opened: &Opened,
    traffic: &Arc<Traffic>,
) -> Result<NetworkBundle, Vec<Failure>> {
    let Fabric::Cluster(cluster) = &traffic.fabric else {
        let message = "a platform of SimGrid cannot be written for htsim".to_owned();
        let hint = "give the fabric as a cluster".to_owned();
        return Err(vec![opened.refused("workload.fabric", message, Some(hint))]);
    };
    if (opened.spec.stragglers.iter()).any(|one| matches!(one, Straggler::Link { .. })) {
        let message = "slow and failed links cannot be written for htsim".to_owned();
        return Err(vec![opened.refused("stragglers", message, None)]);
    }
    let topology = fabric(opened)?;
    let nodes = cluster.n_nodes();
    let (mut flows, told) = nearest(opened, traffic)?;
    let mut loosened = None;
    let tried = match htsim::write_flows(io::sink(), &flows, nodes, Fires::default()) {
        Err(HtsimError::TwoTriggers { .. }) => {
            flows = without_own(traffic, &flows)
                .map_err(|error| vec![opened.refused("workload", error.to_string(), None)])?;
            loosened = Some(
                "a step waits for what its sender receives, and not for its step before: flows of \
                 htsim fire one trigger",
            );
            htsim::write_flows(io::sink(), &flows, nodes, Fires::default())
        }
        tried => tried,
    };
    tried.map_err(|error| {
        let message = format!("the flows for htsim: {error}");
        let hint = "--to simgrid and --to chakra take other lists".to_owned();
        vec![opened.refused("workload", message, Some(hint))]
    })?;
    let mut warnings = vec![
        "htsim counts flows from 1 and nodes from 0: flow i of this list is id i + 1".to_owned(),
        "transport and load balancing are options of htsim's command line".to_owned(),
    ];
    warnings.extend(loosened.map(str::to_owned));
    warnings.extend(told);
    let mut waits = (0..).take(flows.len()).map(FlowId::new);
    if waits.any(|flow| !flows.after(flow).is_empty()) {
        let text = "in htsim a flow that waits begins when the sender of the other has its last \
                    acknowledgement, not when its last byte arrives";
        warnings.push(text.to_owned());
    }
    let matrix = NetworkFile::new("flows.cm", move |out| {
        htsim::write_flows(out, &flows, nodes, Fires::default()).map_err(io::Error::other)
    });
    Ok(NetworkBundle {
        files: vec![NetworkFile::text("fabric.topo", topology), matrix],
        warnings,
    })
}

/// The flows of a program, where steps that wait for other streams do not wait for their own.
fn without_own(traffic: &Traffic, flows: &Flows) -> Result<Flows, FlowsError> {
    let streams = traffic.program.streams().iter().enumerate();
    let mut stream_of = Vec::with_capacity(flows.len());
    for (at, stream) in streams {
        stream_of.extend((0..stream.steps).map(|_| at));
    }
    rewired(
        flows,
        |flow| flow,
        |id, after| {
            let own = stream_of[id.index()];
            let is_other = |before: &u32| stream_of[*before as usize] != own;
            if after.iter().any(is_other) {
                after.iter().copied().filter(is_other).collect()
            } else {
                after.to_vec()
            }
        },
    )
}

/// The fabric as a fat tree of htsim.
fn fabric(opened: &Opened) -> Result<String, Vec<Failure>> {
    let workload = opened.spec.workload.clone().unwrap_or_default();
    let spec = opened.with_fabric(&workload);
    let described = describe_cluster(&spec, &opened.document, &opened.library())?;
    let refused = |message| vec![opened.refused("workload", message, None)];
    let described =
        described.ok_or_else(|| refused("a network workload needs a fabric".to_owned()))?;
    htsim::write_topology(&described)
        .map_err(|error| refused(format!("the fabric for htsim: {error}")))
}

/// `rank.0.et` and so on.
pub(super) fn chakra(
    opened: &Opened,
    traffic: &Arc<Traffic>,
) -> Result<NetworkBundle, Vec<Failure>> {
    let refused =
        |message: String, hint: Option<String>| vec![opened.refused("workload", message, hint)];
    let (flows, told) = nearest(opened, traffic)?;
    let Some((first, ranks)) = ranks(traffic, &flows) else {
        let message = "the flows end at nodes and at GPUs, and a trace has one kind of rank";
        return Err(refused(message.to_owned(), None));
    };
    let flows = shifted(&flows, first).map_err(|error| refused(error.to_string(), None))?;
    let files = traces::write_flows(&flows, ranks).map_err(|error| {
        let hint = "flows of one rank may wait for what that rank sends or receives".to_owned();
        refused(error.to_string(), Some(hint))
    })?;
    let files = files.into_iter().enumerate();
    let mut warnings = vec!["a trace says nothing of the fabric and its load balancing".to_owned()];
    warnings.extend(told);
    Ok(NetworkBundle {
        files: files
            .map(|(rank, bytes)| NetworkFile::binary(&format!("rank.{rank}.et"), bytes))
            .collect(),
        warnings,
    })
}

/// The host that is rank 0, and how many ranks there are: all nodes, or all GPUs.
fn ranks(traffic: &Traffic, flows: &Flows) -> Option<(u32, u32)> {
    let all = traffic.fabric.n_hosts();
    let Fabric::Cluster(cluster) = &traffic.fabric else {
        return Some((0, all));
    };
    let nodes = cluster.n_nodes();
    let ends = || flows.iter().flat_map(|(_, flow)| [flow.src, flow.dst]);
    let are_nodes = ends().all(|host| host.get() < nodes);
    let are_gpus = ends().all(|host| nodes <= host.get());
    match (are_nodes, are_gpus) {
        (true, _) => Some((0, nodes)),
        (false, true) => Some((nodes, all - nodes)),
        (false, false) => None,
    }
}

/// Flows between hosts that count from another.
fn shifted(flows: &Flows, first: u32) -> Result<Flows, FlowsError> {
    let rank = |host: HostId| HostId::new(host.get() - first);
    let shift = |flow: Flow| Flow {
        src: rank(flow.src),
        dst: rank(flow.dst),
        ..flow
    };
    rewired(flows, shift, |_, after| after.to_vec())
}

/// Flows, each changed, with others to wait for.
fn rewired(
    flows: &Flows,
    change: impl Fn(Flow) -> Flow,
    waits: impl Fn(FlowId, &[u32]) -> Vec<u32>,
) -> Result<Flows, FlowsError> {
    let list = flows.iter().map(|(_, flow)| change(flow)).collect();
    let (mut first, mut after) = (vec![0], Vec::new());
    for (id, _) in flows.iter() {
        after.extend(waits(id, flows.after(id)));
        first.push(u32::try_from(after.len()).unwrap_or(u32::MAX));
    }
    Flows::from_lists(list, first, after)
}

/// The workload as a list of flows.
fn flows(opened: &Opened, traffic: &Traffic) -> Result<Flows, Vec<Failure>> {
    let flows = traffic.program.to_flows();
    flows.map_err(|error| vec![opened.refused("workload", error.to_string(), None)])
}

/// The hosts at the ends of flows, in their order.
fn hosts(flows: &Flows) -> Vec<HostId> {
    let ends = flows.iter().flat_map(|(_, flow)| [flow.src, flow.dst]);
    let mut hosts: Vec<HostId> = ends.collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// The ids of the flows: those of the workload, with the step where streams have several.
fn ids(opened: &Opened, traffic: &Traffic, flows: &Flows) -> Result<FlowIds, Vec<Failure>> {
    if let Some(ids) = &traffic.ids {
        return Ok(ids.clone());
    }
    let streams = traffic.program.streams();
    if streams.len() == flows.len() {
        let count = u32::try_from(flows.len()).unwrap_or(u32::MAX);
        return Ok(FlowIds::counted(count));
    }
    let steps = streams
        .iter()
        .enumerate()
        .flat_map(|(at, stream)| (0..stream.steps).map(move |step| format!("{at}.{step}")));
    FlowIds::named(steps).ok_or_else(|| {
        let message = "the ids of the flows take more room than a list of flows has".to_owned();
        vec![opened.refused("workload", message, None)]
    })
}

/// The flows of a workload, and what is said where they take another time than it.
///
/// Messages that a connection has under way at once go one after the other while their latencies
/// pass together, which no list of flows can say: as flows they share. So as many are under way at
/// once as bring the list nearest to the time of the workload.
fn nearest(opened: &Opened, traffic: &Traffic) -> Result<(Flows, Option<String>), Vec<Failure>> {
    let flows = flows(opened, traffic)?;
    let streams = traffic.program.streams().iter();
    let overlapping = streams.filter(|stream| 1 < stream.window && 1 < stream.steps);
    let Some(most) = overlapping.map(|stream| stream.window).max() else {
        return Ok((flows, None));
    };
    let text = "messages of a connection go one after the other while their latencies pass \
                together, and flows that are under way at once share";
    if MOST_TRIED < flows.len() {
        return Ok((flows, Some(format!("{text}: the list can take longer"))));
    }
    let takes = |program: &Program| -> Result<f64, RunError> {
        let (fabric, control) = (&traffic.fabric, Control::new());
        let outcome = run_folded(fabric, program, Share::EQUAL, Keep::Totals, &control)?;
        Ok(outcome.makespan.as_picos() as f64 * 1e-6)
    };
    let refused = |message: String| vec![opened.refused("workload", message, None)];
    let own = takes(&traffic.program).map_err(|error| refused(error.to_string()))?;
    let mut best: Option<(f64, Flows)> = None;
    for window in [1, 2, 4, 8].into_iter().filter(|window| *window <= most) {
        let tried =
            narrowed(traffic, &flows, window).map_err(|error| refused(error.to_string()))?;
        let took = takes(&Program::from(&tried)).map_err(|error| refused(error.to_string()))?;
        if best
            .as_ref()
            .is_none_or(|(best, _)| (took - own).abs() < (best - own).abs())
        {
            best = Some((took, tried));
        }
    }
    let (listed, flows) = best.unwrap_or((own, flows));
    let more = (listed / own - 1.0) * 100.0;
    let told = (SAME < more.abs()).then(|| {
        format!(
            "{text}: by routes of destination the list takes {listed:.3} us in place of {own:.3} us \
             ({more:+.2} %)"
        )
    });
    Ok((flows, told))
}

/// Flows up to which forms of a workload are run to compare them: some seconds.
const MOST_TRIED: usize = 1 << 18;

/// A difference that counts as none, in percent.
const SAME: f64 = 1e-4;

/// The flows of a program with at most so many of a stream under way at once.
fn narrowed(traffic: &Traffic, flows: &Flows, most: u32) -> Result<Flows, FlowsError> {
    let mut places = Vec::with_capacity(flows.len());
    for stream in traffic.program.streams() {
        let begin = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let window = stream.window.clamp(1, most);
        places.extend((0..stream.steps).map(|step| (begin, step, window)));
    }
    rewired(
        flows,
        |flow| flow,
        |id, after| {
            let (begin, step, window) = places[id.index()];
            let own = begin..begin + step;
            let others = after.iter().copied().filter(|before| !own.contains(before));
            let before = step.checked_sub(window).map(|step| begin + step);
            let mut waits: Vec<u32> = others.chain(before).collect();
            waits.sort_unstable();
            waits
        },
    )
}

/// What is said where only the workload carries over.
fn static_alone(opened: &Opened, what: &str) -> Vec<String> {
    let policy = opened.spec.network.load_balancing;
    let policy = policy.filter(|policy| *policy != "static");
    let warning = policy.map(|policy| {
        format!("{what} takes the routes of its own fabric: load balancing {policy} is not in it")
    });
    warning.into_iter().collect()
}
