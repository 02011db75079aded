//! Load balancing as the flow engine and hosts can do it: which way, and in which pieces.
//!
//! Policies that act packet by packet are one ideal at this level: every way carries a part in
//! proportion to its capacity. Those that act flow by flow pick ways here. Single path with
//! minimal splitting (Addanki, Goyal and Marinos, arXiv 2407.00550) cuts few flows, so that whole
//! pieces load all ways as evenly as spraying would:
//!
//! ```text
//! 5 equal flows between two leaves, 4 spines: each is to carry 5/4
//! equal    4 whole, one cut into 4 quarters                       3 more pieces
//! fewest   laid end to end and cut at every 5/4:  ▏0 ▕ ¼·1▕ ...   3 more pieces, the least
//! ```

use std::collections::BTreeMap;

use cluster::{Sharing, Topology};
use units::math::mix;
use units::{Bytes, LinkId, Seconds};

use crate::program::{Program, Route, Stream, Wait, count};
use crate::split::{Piece, Split, split};
use crate::way::capacities;

/// Which ways flows take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Policy {
    /// By destination, as static routing does.
    #[default]
    Static,
    /// One way for each stream, by a hash.
    Ecmp,
    /// Each stream in so many equal pieces, each with a way by a hash: several queue pairs.
    EcmpK(u32),
    /// One way for each burst, by a hash; a burst ends with a pause of at least that length. A
    /// stream of messages that follow each other is one burst.
    Flowlet(Seconds),
    /// The least loaded way when a stream begins.
    AdaptiveFlow,
    /// All ways at once, in proportion to their capacities.
    Spray,
    /// One way for each piece, with as few pieces as even loads need.
    SinglePath(Split),
}

/// A program whose streams have their ways, and what each stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Balanced {
    /// The streams: pieces of the streams of the program that was balanced.
    pub program: Program,
    /// By stream: the stream of the program that was balanced of which it is a piece.
    pub origin: Vec<u32>,
}

impl Balanced {
    /// How many pieces there are beyond one for each stream.
    pub fn n_extra_pieces(&self, streams: usize) -> usize {
        self.origin.len() - streams
    }
}

/// Gives every stream of a program its way.
///
/// * `seed` — of all hashes.
pub fn balance<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    policy: Policy,
    seed: u64,
) -> Balanced {
    let pieces = match policy {
        Policy::Static => return whole(program, |_, _| Route::Static),
        Policy::Spray => return whole(program, |_, _| Route::Spray),
        Policy::AdaptiveFlow => return whole(program, |_, _| Route::LeastLoaded),
        Policy::Ecmp | Policy::Flowlet(_) => {
            return whole(program, |at, stream| hashed(topology, stream, seed, at, 0));
        }
        Policy::EcmpK(k) => parted(program, k.max(1), |at, stream, part| {
            hashed(topology, stream, seed, at, part)
        }),
        Policy::SinglePath(how) => single_path(topology, program, how),
    };
    assemble(program, &pieces)
}

/// The pieces of each stream: bytes and ways.
type Pieces = Vec<Vec<(Bytes, Route)>>;

fn whole(program: &Program, route: impl Fn(u32, &Stream) -> Route) -> Balanced {
    Balanced {
        program: program.routed(route),
        origin: (0..count(program.streams().len())).collect(),
    }
}

fn parted(program: &Program, k: u32, route: impl Fn(u32, &Stream, u32) -> Route) -> Pieces {
    let streams = (0..).zip(program.streams());
    let pieces = streams.map(|(at, stream)| {
        let bytes = stream.bytes.as_u64();
        let end = |part: u32| bytes * u64::from(part) / u64::from(k);
        let parts = (0..k).map(|part| (Bytes::new(end(part + 1) - end(part)), part));
        let parts = parts.filter(|(part, which)| part.as_u64() > 0 || *which == 0);
        parts
            .map(|(part, which)| (part, route(at, stream, which)))
            .collect()
    });
    pieces.collect()
}

/// A way by a hash of what identifies a connection.
fn hashed<T: Topology + ?Sized>(
    topology: &T,
    stream: &Stream,
    seed: u64,
    at: u32,
    part: u32,
) -> Route {
    let ways = topology.n_ways(stream.src, stream.dst);
    if ways < 2 {
        return Route::Way(0);
    }
    let words = [
        seed,
        u64::from(stream.src.get()) << 32 | u64::from(stream.dst.get()),
        u64::from(at) << 32 | u64::from(part),
    ];
    let hash = words.into_iter().fold(0, |hash, word| mix(hash ^ word));
    Route::Way(below(hash, ways))
}

/// A hash as one of `count` choices.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the product's upper half is below count"
)]
const fn below(hash: u64, count: u32) -> u32 {
    ((hash as u128 * count as u128) >> 64) as u32
}

/// What streams must have in common to be spread together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    access: [u32; 2],
    start: u64,
    steps: u32,
    ways: u32,
}

/// Single path with minimal splitting: streams from one leaf to another are spread together, so
/// that links up and links down are both as evenly loaded as by spraying.
fn single_path<T: Topology + ?Sized>(topology: &T, program: &Program, how: Split) -> Pieces {
    let streams = program.streams();
    let mut order: Vec<(Group, u32)> = Vec::new();
    let mut pieces: Pieces = vec![Vec::new(); streams.len()];
    for (at, stream) in (0..).zip(streams) {
        let (src, dst) = (stream.src, stream.dst);
        let ways = topology.n_ways(src, dst);
        if ways < 2 || !topology.meets(src, dst) {
            pieces[at as usize] = vec![(stream.bytes, Route::Way(0))];
            continue;
        }
        let group = Group {
            access: [src, dst].map(|host| topology.access(host)),
            start: stream.start.as_picos(),
            steps: stream.steps,
            ways,
        };
        order.push((group, at));
    }
    order.sort_unstable();
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        let first = streams[group[0].1 as usize];
        let capacities = capacities(topology, (first.src, first.dst));
        let sizes: Vec<u64> = group
            .iter()
            .map(|(_, at)| streams[*at as usize].bytes.as_u64())
            .collect();
        // Groups begin at different ways, so that what does not come out even is spread, too.
        let offset = group[0].0.access[0].wrapping_add(group[0].0.access[1]);
        for Piece { flow, way, bytes } in split(how, &sizes, &capacities, offset) {
            let stream = group[flow].1 as usize;
            pieces[stream].push((Bytes::new(bytes), Route::Way(way)));
        }
    }
    pieces
}

/// The program of pieces: a piece waits for all pieces of what its stream waits for, and for the
/// step before of its siblings.
fn assemble(program: &Program, pieces: &Pieces) -> Balanced {
    let mut first = vec![0];
    for pieces in pieces {
        first.push(first[first.len() - 1] + count(pieces.len()));
    }
    let range = |stream: u32| first[stream as usize]..first[stream as usize + 1];
    let mut balanced = Balanced {
        program: Program::new(),
        origin: Vec::with_capacity(first[first.len() - 1] as usize),
    };
    for ((at, stream), pieces) in (0..).zip(program.streams()).zip(pieces) {
        let waits = program.waits(at as usize);
        for (own, &(bytes, route)) in range(at).zip(pieces) {
            let others = waits.iter().flat_map(|wait| {
                range(wait.stream).map(|stream| Wait {
                    stream,
                    lag: wait.lag,
                })
            });
            let siblings = range(at).filter(|piece| *piece != own && 1 < stream.steps);
            let siblings = siblings.map(|stream_| Wait {
                stream: stream_,
                lag: stream.window,
            });
            let piece = Stream {
                bytes,
                route,
                ..*stream
            };
            balanced.program.push(piece, others.chain(siblings));
            balanced.origin.push(at);
        }
    }
    balanced
}

/// Streams between the same switches.
struct Bundle {
    /// One of them.
    stream: Stream,
    bytes: f64,
    /// The first and the last link of their first way that belong to no host.
    middle: Option<[LinkId; 2]>,
}

impl Bundle {
    const fn new(stream: Stream) -> Self {
        Self {
            stream,
            bytes: 0.0,
            middle: None,
        }
    }

    /// How many links at both ends of a first way belong to hosts, where that is known.
    fn own_links(&self, links: &[LinkId]) -> Option<[usize; 2]> {
        let [first, last] = self.middle?;
        let first = links.iter().position(|link| *link == first)?;
        let rest = links.iter().rev().position(|link| *link == last)?;
        Some([first, rest])
    }
}

/// What each link would carry of a whole program if every flow was sprayed over all its ways, in
/// proportion to their capacities, in bytes.
pub fn sprayed_loads<T: Topology + ?Sized>(topology: &T, program: &Program) -> Vec<f64> {
    let mut loads = vec![0.0; topology.n_links() as usize];
    let mut links = Vec::new();
    // Beyond the hosts' own links, ways depend on the switches that hosts hang on only.
    let mut between: BTreeMap<[u32; 2], usize> = BTreeMap::new();
    let mut bundles: Vec<Bundle> = Vec::new();
    let mut last = ([u32::MAX; 2], 0);
    for stream in program
        .streams()
        .iter()
        .filter(|stream| stream.src != stream.dst)
    {
        let (src, dst) = (stream.src, stream.dst);
        let bytes = stream.bytes.as_u64() as f64 * f64::from(stream.steps);
        links.clear();
        topology.way(src, dst, 0, &mut links);
        if topology.n_ways(src, dst) < 2 {
            for link in &links {
                loads[link.index()] += bytes;
            }
            continue;
        }
        let access = [src, dst].map(|host| topology.access(host));
        if last.0 != access {
            let known = between.entry(access).or_insert_with(|| {
                bundles.push(Bundle::new(*stream));
                bundles.len() - 1
            });
            last = (access, *known);
        }
        let bundle = &mut bundles[last.1];
        let own = bundle.own_links(&links);
        let [first, rest] = own.unwrap_or_else(|| topology.own_links(src, dst, 0));
        let middle = first..links.len() - rest;
        for link in links[..first].iter().chain(&links[middle.end..]) {
            loads[link.index()] += bytes;
        }
        if let [Some(first), Some(last)] = [links[middle.clone()].first(), links[middle].last()] {
            bundle.middle = Some([*first, *last]);
            bundle.bytes += bytes;
        }
    }
    for Bundle { stream, bytes, .. } in bundles {
        if bytes == 0.0 {
            continue;
        }
        let ends = (stream.src, stream.dst);
        let capacities = capacities(topology, ends);
        let sum: f64 = capacities.iter().sum();
        for (way, capacity) in (0..).zip(&capacities) {
            links.clear();
            topology.way(ends.0, ends.1, way, &mut links);
            let [first, last] = topology.own_links(ends.0, ends.1, way);
            for link in &links[first..links.len() - last] {
                loads[link.index()] += bytes * capacity / sum;
            }
        }
    }
    loads
}

/// The longest time that a link needs for what it carries: the maximum congestion. Fat pipes bound
/// flows one by one and are never full.
pub fn congestion<T: Topology + ?Sized>(topology: &T, loads: &[f64]) -> Seconds {
    let time = |(link, bytes): (u32, &f64)| {
        let wire = topology.wire(LinkId::new(link));
        let is_shared = wire.sharing == Sharing::Shared;
        is_shared.then(|| bytes / wire.rate.as_f64())
    };
    let times = (0..).zip(loads).filter_map(time);
    Seconds::from_secs(times.fold(0.0, f64::max))
}
