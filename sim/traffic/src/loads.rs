//! What links carried until when.
//!
//! The flow engine knows the rates of all paths at every moment, so its curves are exact as long as
//! they have few points. The packet engine counts the bytes of links at equal intervals.

use network::Flow;
use network::PathId;
use network::packet::{LinkStats, Samples};
use units::{LinkId, SimTime};

/// Points of all links together at most: beyond, those that lie close to each other are left out.
const MOST: usize = 1 << 22;

/// What a link carried, as bytes until moments; between two of them the rate is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The link, or the first of those that carried the same.
    pub link: LinkId,
    /// How many links carried just that.
    pub count: u32,
    /// These links, ascending.
    pub members: Vec<LinkId>,
    /// Moments and the bytes until then, both ascending.
    pub points: Vec<(SimTime, f64)>,
}

impl Curve {
    /// What one of the links carried in all.
    pub fn bytes(&self) -> f64 {
        self.points.last().map_or(0.0, |(_, bytes)| *bytes)
    }

    /// Stretches of time in which the link carried something, with the rates in bytes per second.
    /// Neighbors whose rates differ by no more than that share are one.
    pub fn stretches(&self, alike: f64) -> Vec<(SimTime, SimTime, f64)> {
        let mut stretches: Vec<(SimTime, SimTime, f64)> = Vec::new();
        for pair in self.points.windows(2) {
            let [(from, before), (to, bytes)] = [pair[0], pair[1]];
            if to <= from || bytes <= before {
                continue;
            }
            let (span, more) = (to.since(from).as_secs(), bytes - before);
            match stretches.last_mut() {
                Some((begin, end, rate))
                    if *end == from && (more / span - *rate).abs() <= alike * *rate =>
                {
                    let length = end.since(*begin).as_secs();
                    *rate = (*rate * length + more) / (length + span);
                    *end = to;
                }
                _ => stretches.push((from, to, more / span)),
            }
        }
        stretches
    }
}

/// A link while a program runs.
#[derive(Clone, Debug, Default)]
struct Line {
    /// Bytes per second, and the most so far.
    rate: f64,
    most: f64,
    /// Bytes until `at`.
    bytes: f64,
    at: SimTime,
    points: Vec<(SimTime, f64)>,
}

impl Line {
    /// Counts what was carried until now.
    fn settle(&mut self, now: SimTime) {
        self.bytes += self.rate * now.since(self.at).as_secs();
        self.at = now;
    }
}

/// What links carry while a program runs on the flow engine.
#[derive(Clone, Debug)]
pub(crate) struct Loads {
    /// By path: bytes per second of all its transfers.
    paths: Vec<f64>,
    links: Vec<Line>,
    n_points: usize,
    /// Points of a link are at least so many picoseconds apart.
    apart: u64,
}

impl Loads {
    pub(crate) fn new(links: usize) -> Self {
        Self {
            paths: Vec::new(),
            links: vec![Line::default(); links],
            n_points: 0,
            apart: 0,
        }
    }

    /// Takes in what a path carries from now on.
    pub(crate) fn change(&mut self, net: &Flow, path: u32, now: SimTime) {
        let id = PathId::new(path);
        let rate = match net.n_transfers(id) {
            0 => 0.0,
            n => f64::from(n) * net.rate(id),
        };
        let place = path as usize;
        if self.paths.len() <= place {
            self.paths.resize(place + 1, 0.0);
        }
        let before = std::mem::replace(&mut self.paths[place], rate);
        if before.to_bits() == rate.to_bits() {
            return;
        }
        for (link, load) in net.links_of(id) {
            let line = &mut self.links[link as usize];
            line.settle(now);
            let last = line.points.last().map(|(time, _)| time.as_picos());
            let is_apart = |last: u64| last + self.apart.max(1) <= now.as_picos();
            if last.is_none_or(is_apart) {
                line.points.push((now, line.bytes));
                self.n_points += 1;
            }
            line.rate += (rate - before) * load;
            line.most = line.most.max(line.rate);
            // What is left of sums that should be zero is none.
            if line.rate < line.most * 1e-9 {
                line.rate = 0.0;
            }
        }
    }

    /// Leaves points out where there are too many.
    pub(crate) fn thin(&mut self, now: SimTime) {
        if self.n_points <= MOST {
            return;
        }
        while MOST / 2 < self.n_points {
            self.apart = (2 * self.apart).max(1 + now.as_picos() / (1 << 16));
            self.n_points = 0;
            for line in &mut self.links {
                let mut last: Option<u64> = None;
                line.points.retain(|(time, _)| {
                    let time = time.as_picos();
                    let keeps = last.is_none_or(|last| last + self.apart <= time);
                    if keeps {
                        last = Some(time);
                    }
                    keeps
                });
                self.n_points += line.points.len();
            }
        }
    }

    /// The curves of links that carried anything.
    pub(crate) fn into_curves(self) -> Vec<Curve> {
        let lines = (0..).zip(self.links);
        let used = lines.filter(|(_, line)| 0.0 < line.bytes);
        let curve = |(link, line): (u32, Line)| {
            let mut points = line.points;
            // The last change was left out if it came soon after another.
            if points.last().is_some_and(|(time, _)| *time < line.at) {
                points.push((line.at, line.bytes));
            }
            Curve {
                link: LinkId::new(link),
                count: 1,
                members: vec![LinkId::new(link)],
                points,
            }
        };
        used.map(curve).collect()
    }
}

/// The curves of links whose bytes were counted from time to time.
pub(crate) fn of_samples(samples: &Samples, links: &[LinkStats], end: SimTime) -> Vec<Curve> {
    let used = (0..).zip(links).filter(|(_, stats)| 0 < stats.bytes);
    let curve = |(link, stats): (u32, &LinkStats)| {
        let taken = samples.of(link).map(|sample| (sample.at, sample.bytes));
        let taken = taken.filter(|(at, _)| *at < end);
        let all = [(SimTime::ZERO, 0)]
            .into_iter()
            .chain(taken)
            .chain([(end, stats.bytes)]);
        let points = all.map(|(at, bytes)| (at, bytes as f64));
        Curve {
            link: LinkId::new(link),
            count: 1,
            members: vec![LinkId::new(link)],
            points: points.collect(),
        }
    };
    used.map(curve).collect()
}
