//! Routes as the flow engine takes them: links with loads, a latency and a weight.

use cluster::{Sharing, Topology, Wire};
use network::Share;
use units::{HostId, LinkId, Seconds};

use crate::program::{Route, Stream};

/// A stream's way through the links that it shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// Links with the part of the stream that crosses each.
    pub(crate) links: Vec<(u32, f64)>,
    /// Until the first byte arrives.
    pub(crate) latency: Seconds,
    /// The inverse of the share of links that it gets beside others.
    pub(crate) penalty: f64,
    /// The way that was taken last.
    chosen: u32,
    scratch: Vec<LinkId>,
}

impl Way {
    /// Finds the way of a stream; where it is [`Route::LeastLoaded`], by the loads of links.
    pub(crate) fn find<T: Topology + ?Sized>(
        &mut self,
        topology: &T,
        wires: &[Wire],
        stream: &Stream,
        share: &Share,
        load: impl Fn(u32) -> u32,
    ) {
        self.latency = Seconds::ZERO;
        self.links.clear();
        let (src, dst) = (stream.src, stream.dst);
        match stream.route {
            _ if src == dst => {}
            Route::Static => {
                let way = topology.static_way(src, dst);
                self.take(topology, wires, (src, dst), way, 1.0);
            }
            Route::Way(way) => self.take(topology, wires, (src, dst), way, 1.0),
            Route::LeastLoaded => {
                let way = self.least_loaded(topology, (src, dst), load);
                self.take(topology, wires, (src, dst), way, 1.0);
            }
            Route::Spray => self.spray(topology, wires, (src, dst)),
        }
        let fat = |(link, _): &(u32, f64)| wires[*link as usize].sharing == Sharing::FatPipe;
        if share.rtt && self.links.iter().any(fat) && stream.route != Route::Spray {
            // Which flows stop first on a fat pipe may hang on the last bit.
            self.latency = topology.latency(src, dst, self.chosen);
        }
        self.penalty = self.penalty_of(wires, share);
        self.latency = share.latency(self.latency);
    }

    /// Adds a way with a part of the stream on it.
    fn take<T: Topology + ?Sized>(
        &mut self,
        topology: &T,
        wires: &[Wire],
        (src, dst): (HostId, HostId),
        way: u32,
        part: f64,
    ) {
        self.chosen = way;
        self.scratch.clear();
        topology.way(src, dst, way, &mut self.scratch);
        let mut latency = Seconds::ZERO;
        for &link in &self.scratch {
            let wire = wires[link.index()];
            latency += wire.latency;
            let known = self
                .links
                .iter_mut()
                .find(|(other, _)| *other == link.get());
            match known {
                Some((_, load)) => *load += part,
                None => self.links.push((link.get(), part)),
            }
        }
        self.latency = if self.latency < latency {
            latency
        } else {
            self.latency
        };
    }

    /// All ways, each with a part in proportion to its narrowest link.
    fn spray<T: Topology + ?Sized>(
        &mut self,
        topology: &T,
        wires: &[Wire],
        ends: (HostId, HostId),
    ) {
        let parts = capacities(topology, ends);
        let sum: f64 = parts.iter().sum();
        for (way, part) in (0..).zip(&parts) {
            self.take(topology, wires, ends, way, part / sum);
        }
        // Links that all ways cross carry the whole stream, without the noise of the sum.
        for (_, load) in &mut self.links {
            if (*load - 1.0).abs() < 1e-9 {
                *load = 1.0;
            }
        }
    }

    fn least_loaded<T: Topology + ?Sized>(
        &mut self,
        topology: &T,
        (src, dst): (HostId, HostId),
        load: impl Fn(u32) -> u32,
    ) -> u32 {
        let mut best = (f64::INFINITY, 0);
        for way in 0..topology.n_ways(src, dst) {
            self.scratch.clear();
            topology.way(src, dst, way, &mut self.scratch);
            let flows = |link: &LinkId| {
                f64::from(load(link.get()) + 1) / topology.wire(*link).rate.as_f64()
            };
            // The sum breaks ties of the fullest link, which is often the one at the end.
            let fullest = self.scratch.iter().map(flows).fold(0.0, f64::max);
            let sum: f64 = self.scratch.iter().map(flows).sum();
            let cost = fullest + sum * 1e-3;
            if cost < best.0 {
                best = (cost, way);
            }
        }
        best.1
    }

    fn penalty_of(&self, wires: &[Wire], share: &Share) -> f64 {
        let rates = self
            .links
            .iter()
            .map(|(link, _)| wires[*link as usize].rate);
        share.penalty(self.latency, rates)
    }
}

/// Every link of a topology.
pub(crate) fn all_wires<T: Topology + ?Sized>(topology: &T) -> Vec<Wire> {
    let links = (0..topology.n_links()).map(LinkId::new);
    links.map(|link| topology.wire(link)).collect()
}

/// The shared links that a stream crosses, each with the part of the stream that crosses it. A
/// stream that is to take the least loaded way finds all links idle.
pub fn crossed<T: Topology + ?Sized>(topology: &T, stream: &Stream) -> Vec<(LinkId, f64)> {
    let mut way = Way::default();
    way.find(topology, &all_wires(topology), stream, &Share::EQUAL, |_| 0);
    let links = way.links.into_iter();
    links
        .map(|(link, part)| (LinkId::new(link), part))
        .collect()
}

/// The capacity of each way between two hosts, in bytes per second: its narrowest link.
pub(crate) fn capacities<T: Topology + ?Sized>(
    topology: &T,
    (src, dst): (HostId, HostId),
) -> Vec<f64> {
    let mut links = Vec::new();
    let capacity = |way| {
        links.clear();
        topology.way(src, dst, way, &mut links);
        // The links of the hosts bound all ways alike.
        let [first, last] = topology.own_links(src, dst, way);
        let rates = links[first..links.len() - last]
            .iter()
            .map(|&link| topology.wire(link).rate.as_f64());
        rates.fold(f64::INFINITY, f64::min).min(f64::MAX)
    };
    (0..topology.n_ways(src, dst)).map(capacity).collect()
}
