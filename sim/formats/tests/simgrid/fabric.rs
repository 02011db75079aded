//! Flows of a file over a platform, by the flow engine.

use std::collections::{BTreeMap, BTreeSet};

use cluster::zones::Platform;
use cluster::{Sharing, Topology};
use network::{Flow, Network, Path, PathId, Share, Transfer};
use units::{Bytes, BytesPerSec, HostId, LinkId, Seconds, SimTime};

/// A line of a list of flows.
struct Line {
    ends: [HostId; 2],
    bytes: u64,
    start: SimTime,
    after: Vec<usize>,
}

fn lines(csv: &str, platform: &Platform) -> Vec<Line> {
    let lines = csv.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let host = |name: &str| platform.host_named(name).expect("a host");
        let start = Seconds::from_secs(cells[4].parse().expect("seconds"));
        let after = cells[5].split(';').filter(|id| !id.is_empty());
        Line {
            ends: [host(cells[1]), host(cells[2])],
            bytes: cells[3].parse().expect("bytes"),
            start: SimTime::ZERO.after(start).expect("in range"),
            after: after.map(|id| id.parse().expect("an id")).collect(),
        }
    });
    lines.collect()
}

/// A link that bounds each flow by itself has room for all.
fn room(platform: &Platform, link: LinkId) -> BytesPerSec {
    let wire = platform.wire(link);
    match wire.sharing {
        Sharing::Shared => wire.rate,
        Sharing::FatPipe => BytesPerSec::new(1e30).expect("positive"),
    }
}

fn path(platform: &Platform, [from, to]: [HostId; 2]) -> (Path, Seconds) {
    let route = platform.route(from, to).expect("the hosts are connected");
    let wires = || route.iter().map(|&link| platform.wire(link));
    let own = wires().filter(|wire| wire.sharing == Sharing::FatPipe);
    let mut path = Path::over(route.iter().map(|link| link.get()));
    path.cap = own
        .map(|wire| wire.rate)
        .min_by(|a, b| a.as_f64().total_cmp(&b.as_f64()));
    (path, wires().map(|wire| wire.latency).sum())
}

/// When each flow ends, in seconds.
pub(crate) fn finish_times(platform: &Platform, csv: &str, share: Share) -> Vec<f64> {
    let flows = lines(csv, platform);
    let links = || (0..platform.n_links()).map(LinkId::new);
    let rates: Vec<_> = links().map(|link| room(platform, link)).collect();
    let latencies: Vec<_> = links().map(|link| platform.wire(link).latency).collect();
    let mut net = Flow::with_latencies(&rates, &latencies, share);
    let mut paths: BTreeMap<[HostId; 2], (PathId, Seconds)> = BTreeMap::new();
    let mut waits: Vec<usize> = flows.iter().map(|line| line.after.len()).collect();
    let mut ready: Vec<SimTime> = flows.iter().map(|line| line.start).collect();
    let mut due: BTreeSet<(SimTime, usize)> = BTreeSet::new();
    due.extend(
        (0..flows.len())
            .filter(|&at| waits[at] == 0)
            .map(|at| (ready[at], at)),
    );
    let (mut of_transfer, mut ends) = (Vec::new(), vec![f64::NAN; flows.len()]);
    loop {
        let release = due.first().map(|&(at, _)| at);
        let event = net.next_event();
        let Some(now) = [release, event].into_iter().flatten().min() else {
            return ends;
        };
        let mut finished = Vec::new();
        net.advance(now, &mut finished).expect("in range");
        let mut done: Vec<usize> = Vec::new();
        done.extend(
            finished
                .iter()
                .map(|id| of_transfer[usize::try_from(id.get()).expect("small")]),
        );
        while let Some(&(at, flow)) = due.first().filter(|&&(at, _)| at <= now) {
            due.remove(&(at, flow));
            let line = &flows[flow];
            if line.ends[0] == line.ends[1] {
                done.push(flow);
                continue;
            }
            let &mut (path, latency) = paths.entry(line.ends).or_insert_with(|| {
                let (path, latency) = path(platform, line.ends);
                (net.add_path(&path).expect("known links"), latency)
            });
            let bytes = Bytes::new(line.bytes);
            let transfer = Transfer {
                path,
                bytes,
                latency,
            };
            net.submit(now, transfer).expect("in range");
            of_transfer.push(flow);
        }
        for flow in done {
            ends[flow] = now.as_seconds().as_secs();
            let followers = (0..flows.len()).filter(|&other| flows[other].after.contains(&flow));
            for follower in followers {
                ready[follower] = ready[follower].max(now);
                waits[follower] -= 1;
                if waits[follower] == 0 {
                    due.insert((ready[follower], follower));
                }
            }
        }
    }
}
