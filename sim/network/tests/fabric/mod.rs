//! The leaf-spine fabric and the workloads on which other simulators were run.

use network::{Flow, Network, Path, PathId, Share, Transfer, TransferId};
use units::{Bytes, BytesPerSec, Seconds, SimTime};

/// Hosts under leaves under spines, one link up and one down between neighbors, everything at one
/// rate, 1 µs a link; the spine is the destination modulo the number of spines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafSpine {
    pub(crate) per_leaf: u32,
    pub(crate) leaves: u32,
    pub(crate) spines: u32,
}

impl LeafSpine {
    pub(crate) const fn hosts(self) -> u32 {
        self.per_leaf * self.leaves
    }

    pub(crate) const fn links(self) -> u32 {
        2 * self.hosts() + 2 * self.leaves * self.spines
    }

    pub(crate) fn route(self, from: u32, to: u32) -> Vec<u32> {
        let (hosts, spine) = (self.hosts(), to % self.spines);
        let (leaf, last) = (from / self.per_leaf, to / self.per_leaf);
        let up = |leaf: u32| 2 * hosts + leaf * self.spines + spine;
        let down = |leaf: u32| up(leaf) + self.leaves * self.spines;
        if leaf == last {
            vec![from, hosts + to]
        } else {
            vec![from, up(leaf), down(last), hosts + to]
        }
    }

    /// The network at 100 Gbit/s, with weights by latency as `SimGrid`'s CM02 has them.
    pub(crate) fn network(self, share: Share) -> Flow {
        let n = self.links() as usize;
        let rate = BytesPerSec::from_gbits(100.0).expect("positive");
        Flow::with_latencies(&vec![rate; n], &vec![Seconds::from_micros(1.0); n], share)
    }
}

/// Paths by pair of hosts, made when first asked for.
#[derive(Debug)]
pub(crate) struct Pairs {
    fabric: LeafSpine,
    paths: Vec<Option<PathId>>,
}

impl Pairs {
    pub(crate) fn new(fabric: LeafSpine) -> Self {
        let hosts = fabric.hosts() as usize;
        Self {
            fabric,
            paths: vec![None; hosts * hosts],
        }
    }

    pub(crate) fn transfer(&mut self, net: &mut Flow, from: u32, to: u32, bytes: u64) -> Transfer {
        let route = self.fabric.route(from, to);
        let latency = Seconds::from_micros(route.len() as f64);
        let place = (from * self.fabric.hosts() + to) as usize;
        let path = *self.paths[place]
            .get_or_insert_with(|| net.add_path(&Path::over(route)).expect("links exist"));
        Transfer {
            path,
            bytes: Bytes::new(bytes),
            latency,
        }
    }
}

/// Runs until nothing is under way, and returns the end.
pub(crate) fn drain(net: &mut Flow) -> SimTime {
    let mut finished = Vec::new();
    while let Some(next) = net.next_event() {
        net.advance(next, &mut finished).expect("in range");
    }
    net.now()
}

/// Host i sends to (i + H/2) mod H.
pub(crate) fn permutation(fabric: LeafSpine, bytes: u64) -> SimTime {
    let mut net = fabric.network(Share::CM02);
    let mut pairs = Pairs::new(fabric);
    let hosts = fabric.hosts();
    for host in 0..hosts {
        let transfer = pairs.transfer(&mut net, host, (host + hosts / 2) % hosts, bytes);
        net.submit(SimTime::ZERO, transfer).expect("in range");
    }
    drain(&mut net)
}

/// Every host sends `bytes` to every other.
pub(crate) fn all_to_all(fabric: LeafSpine, bytes: u64) -> SimTime {
    let mut net = fabric.network(Share::CM02);
    let mut pairs = Pairs::new(fabric);
    let hosts = fabric.hosts();
    for host in 0..hosts {
        for step in 1..hosts {
            let transfer = pairs.transfer(&mut net, host, (host + step) % hosts, bytes);
            net.submit(SimTime::ZERO, transfer).expect("in range");
        }
    }
    drain(&mut net)
}

/// A ring all-reduce: 2(H−1) steps of `bytes/H`; a host sends its next part when it has sent the
/// last one and received its predecessor's.
pub(crate) fn ring(fabric: LeafSpine, bytes: u64) -> SimTime {
    let mut net = fabric.network(Share::CM02);
    let mut pairs = Pairs::new(fabric);
    let hosts = fabric.hosts();
    let hops: Vec<Transfer> = (0..hosts)
        .map(|host| {
            let part = bytes.div_ceil(u64::from(hosts));
            pairs.transfer(&mut net, host, (host + 1) % hosts, part)
        })
        .collect();
    let steps = 2 * (hosts - 1);
    let mut done = vec![0; hosts as usize];
    let mut started = vec![1; hosts as usize];
    // Transfer ids count up from 0, so a list of senders finds the sender of each.
    let mut senders: Vec<usize> = (0..hops.len()).collect();
    for &hop in &hops {
        net.submit(SimTime::ZERO, hop).expect("in range");
    }
    let mut finished: Vec<TransferId> = Vec::new();
    while let Some(next) = net.next_event() {
        net.advance(next, &mut finished).expect("in range");
        for id in finished.drain(..) {
            let sender = senders[usize::try_from(id.get()).expect("small")];
            done[sender] += 1;
            for host in [sender, (sender + 1) % hops.len()] {
                let before = (host + hops.len() - 1) % hops.len();
                let ready = done[host].min(done[before]);
                if started[host] == ready && ready < steps {
                    started[host] += 1;
                    senders.push(host);
                    net.submit(next, hops[host]).expect("in range");
                }
            }
        }
    }
    net.now()
}

/// Random pairs at load 0.6: the end, and the mean completion time in seconds.
///
/// The draws are those of the linear congruential generator with Knuth's constants, seeded with
/// Marsaglia's xorshift seed, in the order source, offset of the destination, size, start.
pub(crate) fn random(fabric: LeafSpine, flows: u64, share: Share) -> (SimTime, f64) {
    let hosts = fabric.hosts();
    let mut net = fabric.network(share);
    let mut pairs = Pairs::new(fabric);
    let mut state = 88_172_645_463_325_252_u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 32).expect("32 bits")
    };
    let horizon = flows as f64 * (65_536.0 + 2_097_152.0) * 8.0 / (f64::from(hosts) * 100e9 * 0.6);
    let mut list: Vec<(SimTime, u32, u32, u64)> = (0..flows)
        .map(|_| {
            let from = draw() % hosts;
            let to = (from + 1 + draw() % (hosts - 1)) % hosts;
            let bytes = 65_536 + u64::from(draw() % 4_194_304);
            let start = Seconds::from_secs(f64::from(draw()) / 4_294_967_296.0 * horizon);
            (
                SimTime::ZERO.after(start).expect("in range"),
                from,
                to,
                bytes,
            )
        })
        .collect();
    list.sort_unstable();
    let mut finished = Vec::new();
    let mut total = 0.0;
    let mut next_flow = 0;
    loop {
        let start = list.get(next_flow).map(|flow| flow.0);
        let Some(moment) = [start, net.next_event()].into_iter().flatten().min() else {
            return (net.now(), total / flows as f64);
        };
        while let Some(&(_, from, to, bytes)) = list.get(next_flow).filter(|flow| flow.0 == moment)
        {
            let transfer = pairs.transfer(&mut net, from, to, bytes);
            net.submit(moment, transfer).expect("in range");
            next_flow += 1;
        }
        net.advance(moment, &mut finished).expect("in range");
        for id in finished.drain(..) {
            let start = list[usize::try_from(id.get()).expect("small")].0;
            total += moment.since(start).as_secs();
        }
    }
}
