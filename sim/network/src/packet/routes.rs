//! Routes as one table of links, so that a packet finds its next link by one look.
//!
//! The way from a host to another has three parts: links before the ways branch, the links of the
//! way, links after the ways have joined. The parts in the middle are stored once for each pair
//! of access switches:
//!
//! ```text
//! head of the sender       middle of a way          tail of the receiver
//! [host up, TURN]   then   [leaf up, spine down, JUMP]   then   [host down, END]
//! ```

use std::collections::HashMap;

use cluster::Topology;
use units::{HostId, LinkId};

/// The packet has arrived.
pub(super) const END: u32 = u32::MAX;
/// Ways branch here: go on at the packet's `then`, and then at the receiver's tail.
pub(super) const TURN: u32 = u32::MAX - 1;
/// Go on at the packet's `then`.
pub(super) const JUMP: u32 = u32::MAX - 2;
/// Numbers of links lie below.
const LINKS: u32 = u32::MAX - 3;

/// The equal ways between two access switches.
#[derive(Clone, Debug)]
pub(super) struct WaySet {
    /// Where the middle of each way stands in the table; empty where there is one way without.
    pub(super) starts: Vec<u32>,
    /// How many ways the topology has: more than `starts` where some leave over another NIC than
    /// the first way, which a message cannot.
    asked: u32,
    /// The ways that routing uses.
    pub(super) live: Vec<u32>,
    /// The ways in the order of ideal spraying.
    pub(super) schedule: Vec<u32>,
}

/// The ways from one host to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    /// The set of ways in the middle.
    pub(super) set: u32,
    /// Where the links of the sender stand.
    pub(super) head: u32,
    /// Where the links of the receiver stand.
    pub(super) tail: u32,
}

/// All routes in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    pub(super) table: Vec<u32>,
    pub(super) sets: Vec<WaySet>,
    /// Sets by access switches of both ends: for looking up only, never iterated.
    known: HashMap<[u32; 2], Vec<u32>>,
    /// Heads by sending host and tails by receiving host, as last used.
    heads: HashMap<u32, u32>,
    tails: HashMap<u32, u32>,
}

impl Routes {
    /// The ways from one host to another; `None` where there is no way. Equal hosts have a way
    /// without links.
    pub(super) fn side(&mut self, net: &impl Topology, from: HostId, to: HostId) -> Option<Side> {
        let n_ways = net.n_ways(from, to);
        if n_ways == 0 {
            return None;
        }
        let way = |way| {
            let mut links = Vec::new();
            net.way(from, to, way, &mut links);
            links.iter().map(|link: &LinkId| link.get()).collect()
        };
        let ends: [Vec<u32>; 2] = [way(0), way(n_ways - 1)];
        let key = [net.access(from), net.access(to)];
        if let Some(side) = self.known_side(key, n_ways, &ends, [from, to]) {
            return Some(side);
        }
        let ways = (0..n_ways).map(way);
        let ways: Vec<Vec<u32>> = ways
            .take_while(|links| links.first() == ends[0].first())
            .collect();
        let n_head = common(&ways, |links| Box::new(links.iter()));
        let n_tail = common(&ways, |links| Box::new(links.iter().rev()));
        let shortest = ways.iter().map(Vec::len).min().unwrap_or(0);
        let n_tail = n_tail.min(shortest - n_head);
        let set = self.add_set(&ways, n_ways, [n_head, n_tail]);
        self.known.entry(key).or_default().push(set);
        Some(self.ends(set, &ends[0], [n_head, n_tail], [from, to]))
    }

    /// A set that was stored for the same access switches and fits this pair of hosts.
    fn known_side(
        &mut self,
        key: [u32; 2],
        n_ways: u32,
        ends: &[Vec<u32>; 2],
        hosts: [HostId; 2],
    ) -> Option<Side> {
        let sets = self.known.get(&key)?;
        let fit = sets.iter().find_map(|&set| {
            let stored = &self.sets[set as usize];
            if stored.asked != n_ways {
                return None;
            }
            let whole = stored.starts.len() == n_ways as usize;
            let first = self.middle(stored.starts[0]);
            let last = self.middle(*stored.starts.last()?);
            let at = match first.first() {
                Some(link) => ends[0].iter().position(|other| other == link)?,
                None if n_ways == 1 => ends[0].len(),
                None => return None,
            };
            let rest = ends[0].len().checked_sub(at + first.len())?;
            let fits = |links: &[u32], middle: &[u32]| {
                links.len() == at + middle.len() + rest && links[at..at + middle.len()] == *middle
            };
            let all = fits(&ends[0], first) && (!whole || fits(&ends[1], last));
            all.then_some((set, [at, rest]))
        });
        let (set, lens) = fit?;
        Some(self.ends(set, &ends[0], lens, hosts))
    }

    /// The links of a way's middle.
    pub(super) fn middle(&self, start: u32) -> &[u32] {
        let links = &self.table[start as usize..];
        let end = links.iter().position(|&link| LINKS < link);
        &links[..end.unwrap_or(links.len())]
    }

    fn add_set(&mut self, ways: &[Vec<u32>], asked: u32, ends: [usize; 2]) -> u32 {
        let [n_head, n_tail] = ends;
        let starts = ways.iter().map(|links| {
            let start = place(self.table.len());
            let middle = &links[n_head..links.len() - n_tail];
            self.table.extend(middle);
            self.table.push(JUMP);
            start
        });
        let starts: Vec<u32> = starts.collect();
        let all: Vec<u32> = (0..place(starts.len())).collect();
        self.sets.push(WaySet {
            starts,
            asked,
            live: all.clone(),
            schedule: all,
        });
        place(self.sets.len() - 1)
    }

    fn ends(&mut self, set: u32, way: &[u32], lens: [usize; 2], hosts: [HostId; 2]) -> Side {
        let (head, tail) = (&way[..lens[0]], &way[way.len() - lens[1]..]);
        let single = self.sets[set as usize].starts.len() == 1 && tail.is_empty();
        let close = if single { END } else { TURN };
        let stored = self.heads.get(&hosts[0].get()).copied();
        let head = self.store(stored, head, close);
        self.heads.insert(hosts[0].get(), head);
        let stored = self.tails.get(&hosts[1].get()).copied();
        let tail = self.store(stored, tail, END);
        self.tails.insert(hosts[1].get(), tail);
        Side { set, head, tail }
    }

    /// The place of those links with that end: the one given if it has them, else a new one.
    fn store(&mut self, stored: Option<u32>, links: &[u32], close: u32) -> u32 {
        let same = |&at: &u32| {
            let there = &self.table[at as usize..];
            there.starts_with(links) && there.get(links.len()) == Some(&close)
        };
        if let Some(at) = stored.filter(same) {
            return at;
        }
        let at = place(self.table.len());
        self.table.extend(links);
        self.table.push(close);
        at
    }

    /// The links of a way.
    pub(super) fn links(&self, side: Side, way: usize) -> impl Iterator<Item = u32> + '_ {
        let start = self.sets[side.set as usize].starts.get(way).copied();
        let parts = [Some(side.head), start, Some(side.tail)];
        let parts = parts.into_iter().flatten();
        parts.flat_map(|part| self.middle(part).iter().copied())
    }

    /// The first link of a way; [`END`] where there is none.
    #[inline]
    pub(super) fn first(&self, side: Side) -> u32 {
        self.table[side.head as usize]
    }
}

/// How many links all ways have in common from one end, short of a whole way unless it is the
/// only one.
fn common<'w>(
    ways: &'w [Vec<u32>],
    from: impl Fn(&'w [u32]) -> Box<dyn Iterator<Item = &'w u32> + 'w>,
) -> usize {
    let same = |other: &'w Vec<u32>| {
        let pairs = from(&ways[0]).zip(from(other));
        pairs.take_while(|(a, b)| a == b).count()
    };
    ways.iter().map(same).min().unwrap_or(0)
}

fn place(index: usize) -> u32 {
    u32::try_from(index).expect("a table of routes has fewer than 2³² links")
}
