//! Where the links of a platform meet: read from the ways of messages.
//!
//! A platform names links and routes, no places. Of two links that follow each other on a way the
//! first ends where the second begins; the first link of a way begins at the sender, the last ends at
//! the receiver.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cluster::zones::Platform;
use cluster::{Direction, Topology as _};
use units::{HostId, LinkId};

/// Pairs of hosts whose ways are looked at, at most.
const PAIRS: usize = 16_384;
/// Ways of a pair that are looked at, at most.
const WAYS: u32 = 16;

/// Places and the links between them. Places below the number of hosts are hosts.
#[derive(Debug)]
pub(super) struct Junctions {
    n_hosts: u32,
    /// Of each place, one that is the same and has a smaller number; itself where there is none.
    same: Vec<u32>,
    ends: BTreeMap<LinkId, [u32; 2]>,
    shared: BTreeSet<LinkId>,
}

impl Junctions {
    /// Reads the ways of the messages of some hosts.
    ///
    /// * `n_hosts` — hosts that are looked at, the first ones.
    /// * `pairs` — senders and receivers of the workload.
    pub(super) fn new(
        platform: &Platform,
        n_hosts: u32,
        pairs: impl Iterator<Item = (HostId, HostId)>,
    ) -> Self {
        let mut junctions = Self {
            n_hosts,
            same: (0..n_hosts).collect(),
            ends: BTreeMap::new(),
            shared: BTreeSet::new(),
        };
        let mut links = Vec::new();
        for (from, to) in looked_at(n_hosts, pairs) {
            for way in 0..platform.n_ways(from, to).min(WAYS) {
                links.clear();
                platform.way(from, to, way, &mut links);
                junctions.cross(platform, [from.get(), to.get()], &links);
            }
        }
        junctions.tie(platform);
        junctions
    }

    /// Both ends of each link that a way crosses.
    pub(super) fn links(&self) -> impl Iterator<Item = (LinkId, [u32; 2])> {
        let links = self.ends.iter();
        links.map(|(link, ends)| (*link, ends.map(|end| self.find(end))))
    }

    /// How many links away from a host each place is.
    pub(super) fn depths(&self) -> BTreeMap<u32, u32> {
        let mut beside: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (_, [a, b]) in self.links() {
            beside.entry(a).or_default().push(b);
            beside.entry(b).or_default().push(a);
        }
        let mut depths: BTreeMap<u32, u32> = (0..self.n_hosts).map(|host| (host, 0)).collect();
        let mut waiting: VecDeque<u32> = (0..self.n_hosts).collect();
        while let Some(place) = waiting.pop_front() {
            let depth = depths.get(&place).copied().unwrap_or(0) + 1;
            for next in beside.get(&place).into_iter().flatten() {
                if !depths.contains_key(next) {
                    depths.insert(*next, depth);
                    waiting.push_back(*next);
                }
            }
        }
        depths
    }

    fn find(&self, mut place: u32) -> u32 {
        while let Some(same) = self.same.get(place as usize).filter(|same| **same != place) {
            place = *same;
        }
        place
    }

    fn fresh(&mut self) -> u32 {
        let place = u32::try_from(self.same.len()).unwrap_or(u32::MAX);
        self.same.push(place);
        place
    }

    /// Two places are one, unless both are hosts: a bus between several is drawn between the first
    /// two.
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        if low != high && self.n_hosts <= high {
            self.same[high as usize] = low;
        }
    }

    fn cross(&mut self, platform: &Platform, [from, to]: [u32; 2], way: &[LinkId]) {
        let mut at = from;
        for (place, link) in way.iter().enumerate() {
            let last = place + 1 == way.len();
            let Some([a, b]) = self.ends.get(link).copied() else {
                let next = if last { to } else { self.fresh() };
                self.ends.insert(*link, [at, next]);
                if platform.wire_name(*link).direction == Direction::Both {
                    self.shared.insert(*link);
                }
                at = next;
                continue;
            };
            // A link that both directions share may be crossed backwards.
            let (a, b) = (self.find(a), self.find(b));
            let backwards = self.shared.contains(link)
                && a != b
                && (self.find(at) == b || (last && self.find(to) == a));
            let (begin, end) = if backwards { (b, a) } else { (a, b) };
            self.join(at, begin);
            at = end;
            if last {
                self.join(at, to);
            }
        }
    }

    /// Both directions of a cable lie between the same places.
    fn tie(&mut self, platform: &Platform) {
        let mut cables: BTreeMap<String, LinkId> = BTreeMap::new();
        let links: Vec<LinkId> = self.ends.keys().copied().collect();
        for link in links {
            if self.shared.contains(&link) {
                continue;
            }
            let name = platform.wire_name(link).name;
            let Some(other) = cables.insert(name, link) else {
                continue;
            };
            if let (Some([a, b]), Some([c, d])) = (self.ends.get(&other), self.ends.get(&link)) {
                let ([a, b], [c, d]) = ([*a, *b], [*c, *d]);
                self.join(a, d);
                self.join(b, c);
            }
        }
    }
}

/// The pairs whose ways are looked at: all of few hosts; else those of the workload, and of each host
/// some others near and far.
fn looked_at(
    n_hosts: u32,
    pairs: impl Iterator<Item = (HostId, HostId)>,
) -> BTreeSet<(HostId, HostId)> {
    let seen = |host: &HostId| host.get() < n_hosts;
    let of_workload = pairs.filter(|(a, b)| a != b && seen(a) && seen(b));
    let mut all: BTreeSet<(HostId, HostId)> = of_workload.take(PAIRS).collect();
    let few = u64::from(n_hosts).pow(2) <= PAIRS as u64;
    let steps: Vec<u32> = if few {
        (1..n_hosts.max(1)).collect()
    } else {
        let steps = (0..32).map(|power| 1_u32 << power);
        steps.take_while(|step| *step < n_hosts).collect()
    };
    for step in steps {
        for host in 0..n_hosts {
            if 2 * PAIRS <= all.len() {
                return all;
            }
            let other = (host + step) % n_hosts;
            all.insert((HostId::new(host), HostId::new(other)));
            all.insert((HostId::new(other), HostId::new(host)));
        }
    }
    all
}
