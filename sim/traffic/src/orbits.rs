//! Folding: streams that behave alike are simulated once.
//!
//! Streams, links and the waits between streams form a graph. A partition of it is *equitable* if
//! members of one class meet equally many members of every other class. Max-min fairness and the
//! order of releases cannot tell members of such a class apart, so that one stream with loads
//! stands for all of them (`network::fold` says it for flows that start together).
//!
//! The coarsest such partition is found by color refinement on hashes: a stream's color takes in
//! the sum of the colors of its links and of what it waits for, a link's color the sum of those of
//! its streams, until no round adds a class (Weisfeiler and Leman, 1968; with hashes as in
//! Shervashidze et al., *J. Mach. Learn. Res.* 12, 2011). Colors have 64 bits: that two classes
//! among a million colors are merged by chance has a probability of 10⁻⁷.

use std::collections::BTreeMap;

use cluster::{Sharing, Topology, Wire};
use network::Share;
use units::math::mix;
use units::{Control, LinkId};

use crate::program::{Program, Route, Stream, Wait, count};
use crate::run::{Outcome, Run, RunError};
use crate::schedule::{Keep, Times};
use crate::way::{Way, all_wires};
use crate::wind::wind;

/// Fewer streams than this are not worth folding.
const FEW: usize = 32;

/// More rounds of refinement than this mean that classes come apart one by one, which is worth it
/// where streams have many steps only.
const ROUNDS: u64 = 24;

/// What a round costs for a stream, in messages simulated one by one: about a quarter.
const ROUNDS_A_MESSAGE: u64 = 4;

/// A program in which one stream stands for all that behave alike.
#[derive(Debug)]
struct Folded {
    program: Program,
    /// By class.
    ways: Vec<Way>,
    wires: Vec<Wire>,
    /// By stream and by link: its class.
    class_of: Vec<u32>,
    link_class: Vec<u32>,
    /// By class of links: how many there are, and the first.
    link_members: Vec<u32>,
    link_heads: Vec<u32>,
}

/// Runs a program on the flow engine, with streams that behave alike as one.
///
/// # Errors
///
/// Where simulated time overflows, or the run is cancelled.
pub fn run_folded<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    share: Share,
    keep: Keep,
    control: &Control,
) -> Result<Outcome, RunError> {
    let Some(wound) = wind(program) else {
        return run_classes(topology, program, share, keep, control);
    };
    let mut outcome = run_classes(topology, &wound.program, share, keep, control)?;
    if keep.has_messages() {
        let times = |&place: &u32| outcome.times[place as usize];
        outcome.times = wound.places.iter().map(times).collect();
    }
    Ok(outcome)
}

fn run_classes<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    share: Share,
    keep: Keep,
    control: &Control,
) -> Result<Outcome, RunError> {
    let Some(folded) = fold(topology, program, &share) else {
        return crate::run(topology, program, share, keep, control);
    };
    let ways = |class: u32, _: &[u32], way: &mut Way| way.clone_from(&folded.ways[class as usize]);
    let run = Run::new(&folded.program, &folded.wires, keep, ways)?.with_own_paths();
    let outcome = run.finish(control)?;
    Ok(unfold(program, &folded, outcome))
}

/// The outcome of all streams from that of their classes.
fn unfold(program: &Program, folded: &Folded, outcome: Outcome) -> Outcome {
    let first = folded.program.first_messages();
    let mut times: Vec<Times> = Vec::new();
    if !outcome.times.is_empty() {
        for &class in &folded.class_of {
            let class = class as usize;
            times.extend_from_slice(&outcome.times[first[class]..first[class + 1]]);
        }
    }
    debug_assert!(times.is_empty() || times.len() as u64 == program.n_messages());
    let bytes = |&class: &u32| match class {
        u32::MAX => 0.0,
        class => outcome.link_bytes[class as usize],
    };
    let link_bytes = folded.link_class.iter().map(bytes).collect();
    let mut curves = outcome.curves;
    let mut members: BTreeMap<u32, Vec<LinkId>> = BTreeMap::new();
    if !curves.is_empty() {
        for (link, &class) in (0..).zip(&folded.link_class) {
            members.entry(class).or_default().push(LinkId::new(link));
        }
    }
    for curve in &mut curves {
        let class = curve.link.index();
        curve.members = members.remove(&curve.link.get()).unwrap_or_default();
        curve.link = LinkId::new(folded.link_heads[class]);
        curve.count = folded.link_members[class];
    }
    Outcome {
        link_bytes,
        times,
        classes: Some(folded.program.streams().len()),
        curves,
        ..outcome
    }
}

/// Folds a program; `None` where little is alike.
fn fold<T: Topology + ?Sized>(topology: &T, program: &Program, share: &Share) -> Option<Folded> {
    let streams = program.streams();
    let fixed = |stream: &Stream| stream.route != Route::LeastLoaded;
    if streams.len() < FEW || !streams.iter().all(fixed) {
        return None;
    }
    let graph = Graph::new(topology, program, share)?;
    let colors = graph.refine(program)?;
    Some(quotient(topology, program, share, &graph, &colors))
}

/// What of a stream must be equal for all of a class, as a hash.
fn own_color(stream: &Stream, way: &Way, waits: usize) -> u64 {
    let words = [
        stream.bytes.as_u64(),
        u64::from(stream.steps) << 32 | u64::from(stream.window),
        stream.start.as_picos(),
        way.latency.as_secs().to_bits(),
        way.penalty.to_bits(),
        waits as u64,
        way.links.len() as u64,
    ];
    words.into_iter().fold(0, |hash, word| mix(hash ^ word))
}

/// Streams with the links that they cross.
struct Graph {
    /// Where the links of a stream begin; one more than there are streams.
    first: Vec<u32>,
    links: Vec<u32>,
    /// By crossing; empty where all are 1.
    loads: Vec<f64>,
    streams: Vec<u64>,
    wires: Vec<u64>,
    all: Vec<Wire>,
}

/// Colors of streams and links, in which equal means alike.
struct Colors {
    streams: Vec<u64>,
    links: Vec<u64>,
}

impl Graph {
    /// Finds the ways of all streams; `None` where most of them differ by themselves.
    fn new<T: Topology + ?Sized>(topology: &T, program: &Program, share: &Share) -> Option<Self> {
        let streams = program.streams();
        let mut graph = Self {
            first: vec![0],
            links: Vec::with_capacity(streams.len() * 4),
            loads: Vec::new(),
            streams: Vec::with_capacity(streams.len()),
            wires: Vec::new(),
            all: all_wires(topology),
        };
        let mut way = Way::default();
        let mut distinct = Distinct::new(streams.len() / 2);
        let depths = depths(program);
        for (index, stream) in streams.iter().enumerate() {
            way.find(topology, &graph.all, stream, share, |_| 0);
            let color = own_color(stream, &way, program.waits(index).len());
            let color = mix(color ^ u64::from(depths[index]));
            if !distinct.add(color) {
                return None;
            }
            graph.streams.push(color);
            let plain = way
                .links
                .iter()
                .all(|(_, load)| load.to_bits() == 1.0_f64.to_bits());
            if !plain && graph.loads.is_empty() {
                graph.loads.resize(graph.links.len(), 1.0);
            }
            if !plain || !graph.loads.is_empty() {
                graph.loads.extend(way.links.iter().map(|(_, load)| *load));
            }
            graph.links.extend(way.links.iter().map(|(link, _)| *link));
            graph.first.push(count(graph.links.len()));
        }
        let wire = |wire: &Wire| {
            let fat = u64::from(wire.sharing == Sharing::FatPipe);
            mix(wire.rate.as_f64().to_bits() ^ mix(fat))
        };
        graph.wires = graph.all.iter().map(wire).collect();
        Some(graph)
    }

    fn crossings(&self, stream: usize) -> impl Iterator<Item = (usize, u64)> + '_ {
        let range = self.first[stream] as usize..self.first[stream + 1] as usize;
        range.map(|at| {
            let load = self.loads.get(at).map_or(0, |load| load.to_bits());
            (self.links[at] as usize, load)
        })
    }

    /// Refines colors until no round adds a class; `None` where most streams are alone.
    fn refine(&self, program: &Program) -> Option<Colors> {
        let n = self.streams.len();
        let mut colors = Colors {
            streams: self.streams.clone(),
            links: self.wires.clone(),
        };
        let mut classes = 0;
        let messages = program.n_messages() / n.max(1) as u64;
        for _ in 0..ROUNDS.max(messages / ROUNDS_A_MESSAGE) {
            let mut links = vec![0_u64; colors.links.len()];
            for (stream, &color) in colors.streams.iter().enumerate() {
                for (link, load) in self.crossings(stream) {
                    links[link] = links[link].wrapping_add(mix(color ^ load));
                }
            }
            for (color, sum) in colors.links.iter_mut().zip(links) {
                *color = mix(*color ^ mix(sum));
            }
            let mut distinct = Distinct::new(n / 2);
            let mut streams = Vec::with_capacity(n);
            for (stream, &color) in colors.streams.iter().enumerate() {
                let crossed = self.crossings(stream);
                let links = crossed.map(|(link, load)| mix(colors.links[link] ^ load));
                let links = links.fold(0, u64::wrapping_add);
                let waits = program.waits(stream).iter().map(|wait| {
                    mix(colors.streams[wait.stream as usize] ^ mix(u64::from(wait.lag) + 1))
                });
                let waits = waits.fold(0, u64::wrapping_add);
                let color = mix(color ^ mix(links) ^ mix(waits.wrapping_add(1)).rotate_left(17));
                if !distinct.add(color) {
                    return None;
                }
                streams.push(color);
            }
            colors.streams = streams;
            let found = distinct.len() + distinct_of(&colors.links);
            if found == classes {
                return Some(colors);
            }
            classes = found;
        }
        None
    }
}

/// How many streams each has to wait for one after the other, as far as it waits for earlier ones:
/// what refinement would need as many rounds to find.
fn depths(program: &Program) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(program.streams().len());
    for stream in 0..program.streams().len() {
        let waits = program.waits(stream).iter().filter(|wait| wait.lag == 0);
        let before = waits.filter_map(|wait| depths.get(wait.stream as usize));
        depths.push(before.max().map_or(0, |depth| depth + 1));
    }
    depths
}

fn distinct_of(colors: &[u64]) -> usize {
    let mut distinct = Distinct::new(usize::MAX);
    for &color in colors {
        distinct.add(color);
    }
    distinct.len()
}

/// The program of classes.
fn quotient<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    share: &Share,
    graph: &Graph,
    colors: &Colors,
) -> Folded {
    let used = used_links(graph, colors.links.len());
    let (link_class, link_members, link_heads) = numbered(&colors.links, |link| used[link]);
    let (class_of, members, heads) = numbered(&colors.streams, |_| true);
    let mut folded = Folded {
        program: Program::new(),
        ways: Vec::new(),
        wires: link_heads
            .iter()
            .map(|&link| graph.all[link as usize])
            .collect(),
        class_of,
        link_class,
        link_members,
        link_heads,
    };
    for (&head, &members) in heads.iter().zip(&members) {
        let stream = program.streams()[head as usize];
        let mut way = Way::default();
        way.find(topology, &graph.all, &stream, share, |_| 0);
        let mut links: Vec<(u32, f64)> = Vec::new();
        for &(link, load) in &way.links {
            let class = folded.link_class[link as usize];
            let load = f64::from(members) * load / f64::from(folded.link_members[class as usize]);
            match links.iter_mut().find(|(other, _)| *other == class) {
                Some((_, sum)) => *sum += load,
                None => links.push((class, load)),
            }
        }
        way.links = links;
        folded.ways.push(way);
        let mut waits: Vec<Wait> = program.waits(head as usize).to_vec();
        for wait in &mut waits {
            wait.stream = folded.class_of[wait.stream as usize];
        }
        waits.sort_unstable();
        waits.dedup();
        folded.program.push(stream, waits);
    }
    folded
}

fn used_links(graph: &Graph, links: usize) -> Vec<bool> {
    let mut used = vec![false; links];
    for &link in &graph.links {
        used[link as usize] = true;
    }
    used
}

/// Classes in the order of their first members: the class of each, how many members each has, and
/// the first of them. What is left out has the class `u32::MAX`.
fn numbered(colors: &[u64], take: impl Fn(usize) -> bool) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut class_of = vec![u32::MAX; colors.len()];
    let (mut members, mut heads): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut known: BTreeMap<u64, u32> = BTreeMap::new();
    // Neighbors are mostly of one class.
    let mut last = (0, u32::MAX);
    for (at, &color) in colors.iter().enumerate().filter(|(at, _)| take(*at)) {
        if last.1 == u32::MAX || last.0 != color {
            let class = *known.entry(color).or_insert_with(|| {
                members.push(0);
                heads.push(count(at));
                count(heads.len() - 1)
            });
            last = (color, class);
        }
        class_of[at] = last.1;
        members[last.1 as usize] += 1;
    }
    (class_of, members, heads)
}

/// A set of colors of limited size.
struct Distinct {
    slots: Vec<u64>,
    len: usize,
    limit: usize,
}

impl Distinct {
    fn new(limit: usize) -> Self {
        Self {
            slots: vec![0; 64],
            len: 0,
            limit,
        }
    }

    fn len(&self) -> usize {
        self.len
    }

    /// Adds a color; whether the set is still within its limit.
    fn add(&mut self, color: u64) -> bool {
        if !insert(&mut self.slots, color) {
            return true;
        }
        self.len += 1;
        if self.slots.len() < 2 * self.len {
            let mut larger = vec![0; 4 * self.slots.len()];
            for &color in self.slots.iter().filter(|color| **color != 0) {
                insert(&mut larger, color);
            }
            self.slots = larger;
        }
        self.len <= self.limit
    }
}

/// Whether a color was new in an open-addressed table; 0 marks an empty slot.
fn insert(slots: &mut [u64], color: u64) -> bool {
    let color = color.max(1);
    let mask = slots.len() - 1;
    let mut at = usize::try_from(color >> 32).unwrap_or(0) & mask;
    while slots[at] != 0 {
        if slots[at] == color {
            return false;
        }
        at = (at + 1) & mask;
    }
    slots[at] = color;
    true
}
