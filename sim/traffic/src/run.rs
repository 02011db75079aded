//! Running a program on the flow engine.
//!
//! Of the messages of a stream that are under way one moves at a time, the others wait behind it
//! while their latency passes: a connection is first in, first out.

use std::collections::VecDeque;

use cluster::{Sharing, Topology, Wire};
use network::packet::PacketError;
use network::{Flow, Network, NetworkError, Path, PathId, Share, Transfer, TransferId};
use units::{Bytes, BytesPerSec, Control, Interrupted, Seconds, SimTime};

use crate::loads::{Curve, Loads};
use crate::program::{Program, Route, Stream, count};
use crate::schedule::{Keep, Schedule, Times};
use crate::way::{Way, all_wires};

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum RunError {
    #[error(transparent)]
    Flow(#[from] NetworkError),
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error("nothing moves any more, but {streams} streams have not ended")]
    Unfinished { streams: usize },
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RunError {
    /// What to change in the scenario, where we can tell.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Packet(error) => error.hint(),
            _ => None,
        }
    }
}

/// A run ends when every message has arrived.
pub(crate) fn check_all_arrived(schedule: &Schedule<'_>) -> Result<(), RunError> {
    match schedule.n_held_back() {
        0 => Ok(()),
        streams => Err(RunError::Unfinished { streams }),
    }
}

/// What a run of a program found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// When the last byte of all arrived.
    pub makespan: SimTime,
    /// By message, stream after stream; empty where they were not asked for.
    pub times: Vec<Times>,
    /// What each link carried, in bytes.
    pub link_bytes: Vec<f64>,
    /// The same over time, of links that carried anything; empty where it was not asked for.
    pub curves: Vec<Curve>,
    /// How many classes of streams that behave alike were simulated in place of all streams.
    pub classes: Option<usize>,
    /// How often rates were solved.
    pub solves: u64,
}

/// Runs every stream by itself on the flow engine.
///
/// # Errors
///
/// Where simulated time overflows, or the run is cancelled.
pub fn run<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    share: Share,
    keep: Keep,
    control: &Control,
) -> Result<Outcome, RunError> {
    let wires = all_wires(topology);
    let mut find = Way::default();
    let ways = |stream: u32, loads: &[u32], way: &mut Way| {
        let stream = &program.streams()[stream as usize];
        let load = |link: u32| loads.get(link as usize).copied().unwrap_or(0);
        find.find(topology, &wires, stream, &share, load);
        std::mem::swap(way, &mut find);
    };
    Run::new(program, &wires, keep, ways)?.finish(control)
}

/// A path that streams of one step share, by the hosts and the way.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    key: Option<(u32, u32, Route)>,
    path: u32,
    users: u32,
}

/// A path of the engine, and what a transfer over it needs to know.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    latency: Seconds,
    bytes: f64,
    /// The entry of the table of known paths, one more than its place; 0: it belongs to a stream.
    known: u32,
}

/// Messages of a stream that are under way.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// Whether one moves.
    moving: bool,
    /// When those behind it were released.
    behind: VecDeque<SimTime>,
}

/// A queue for each stream, if any may have several messages under way.
fn queues(program: &Program) -> Vec<Queue> {
    let streams = program.streams();
    let several = streams.iter().any(|stream| 1 < stream.window);
    vec![Queue::default(); if several { streams.len() } else { 0 }]
}

/// How many paths are remembered at most: a power of two.
const KNOWN: usize = 1 << 14;

/// A table of known paths with room for those of so many streams.
fn known(streams: usize) -> Vec<Known> {
    vec![Known::default(); (2 * streams).next_power_of_two().min(KNOWN)]
}

/// The place of a transfer's owner.
fn index_of(id: TransferId) -> usize {
    usize::try_from(id.get()).expect("owners are stored by id")
}

/// A run on the flow engine; `F` finds the way of a stream.
pub(crate) struct Run<'a, F> {
    schedule: Schedule<'a>,
    net: Flow,
    ways: F,
    /// By stream, the path of its messages, one more than its number; 0: none yet.
    paths: Vec<u32>,
    lanes: Vec<Lane>,
    /// Paths that streams share; empty where every stream has a path of its own.
    known: Vec<Known>,
    /// By transfer, its stream.
    owners: Vec<u32>,
    /// By stream; empty where none may have several messages under way.
    queues: Vec<Queue>,
    way: Way,
    /// Flows by link, where some choose their ways by it.
    loads: Option<Vec<u32>>,
    /// What links carry over time, where that is kept.
    curves: Option<Loads>,
    outcome: Outcome,
}

impl<'a, F: FnMut(u32, &[u32], &mut Way)> Run<'a, F> {
    pub(crate) fn new(
        program: &'a Program,
        wires: &[Wire],
        keep: Keep,
        ways: F,
    ) -> Result<Self, NetworkError> {
        let rates: Vec<BytesPerSec> = wires.iter().map(|wire| wire.rate).collect();
        let streams = program.streams().iter();
        let follows = streams
            .into_iter()
            .any(|stream| stream.route == Route::LeastLoaded);
        // Weights are given path by path.
        let mut net = Flow::new(&rates, Share::EQUAL);
        for (link, _) in (0..)
            .zip(wires)
            .filter(|(_, wire)| wire.sharing == Sharing::FatPipe)
        {
            net.make_fat(link)?;
        }
        Ok(Self {
            schedule: Schedule::new(program, keep),
            net,
            ways,
            paths: vec![0; program.streams().len()],
            lanes: Vec::new(),
            known: known(program.streams().len()),
            owners: Vec::new(),
            queues: queues(program),
            way: Way::default(),
            outcome: Outcome {
                link_bytes: vec![0.0; wires.len()],
                ..Outcome::default()
            },
            curves: keep.has_loads().then(|| Loads::new(wires.len())),
            loads: follows.then(|| vec![0; wires.len()]),
        })
    }

    /// Gives every stream a path of its own, as streams need that stand for several: the ends alone
    /// do not say what they load.
    pub(crate) fn with_own_paths(mut self) -> Self {
        self.known = Vec::new();
        self
    }

    /// Runs until every stream has ended.
    pub(crate) fn finish(mut self, control: &Control) -> Result<Outcome, RunError> {
        self.submit(SimTime::ZERO)?;
        let mut finished = Vec::new();
        loop {
            let next = [self.schedule.next_start(), self.net.next_event()];
            let Some(now) = next.into_iter().flatten().min() else {
                break;
            };
            control.check()?;
            self.net.advance(now, &mut finished)?;
            self.note(now, &finished);
            for id in finished.drain(..) {
                self.end(now, id)?;
            }
            self.schedule.start(now);
            self.submit(now)?;
        }
        self.outcome.solves = self.net.solves();
        for path in 0..self.lanes.len() {
            self.count_bytes(count(path));
        }
        check_all_arrived(&self.schedule)?;
        self.outcome.times = self.schedule.into_times();
        self.outcome.curves = self.curves.map_or_else(Vec::new, Loads::into_curves);
        Ok(self.outcome)
    }

    /// Notes what links carry from now on.
    fn note(&mut self, now: SimTime, finished: &[TransferId]) {
        let Some(curves) = &mut self.curves else {
            return;
        };
        for &id in finished {
            let stream = self.owners[index_of(id)];
            if let Some(path) = self.paths[stream as usize].checked_sub(1) {
                curves.change(&self.net, path, now);
            }
        }
        for &path in self.net.solved() {
            curves.change(&self.net, path, now);
        }
        curves.thin(now);
    }

    /// Sends what is ready.
    fn submit(&mut self, now: SimTime) -> Result<(), NetworkError> {
        for at in 0..self.schedule.ready.len() {
            let stream = self.schedule.ready[at];
            if let Some(queue) = self.queues.get_mut(stream as usize) {
                if queue.moving {
                    queue.behind.push_back(now);
                    continue;
                }
                queue.moving = true;
            }
            self.send(now, stream, now)?;
        }
        self.schedule.ready.clear();
        Ok(())
    }

    /// Sends a message that was released then.
    fn send(&mut self, now: SimTime, stream: u32, released: SimTime) -> Result<(), NetworkError> {
        let path = self.path(stream)?;
        let Stream {
            src, dst, bytes, ..
        } = self.schedule.stream(stream);
        let lane = &mut self.lanes[path.index()];
        let bytes = if src == dst { Bytes::new(0) } else { bytes };
        lane.bytes += bytes.as_u64() as f64;
        let mut latency = lane.latency;
        if released < now {
            let left = latency.as_secs() - now.since(released).as_secs();
            latency = Seconds::from_secs(left.max(0.0));
        }
        let transfer = Transfer {
            path,
            bytes,
            latency,
        };
        self.net.submit(now, transfer)?;
        self.owners.push(stream);
        Ok(())
    }

    /// A message has arrived.
    fn end(&mut self, now: SimTime, id: TransferId) -> Result<(), NetworkError> {
        let stream = self.owners[index_of(id)];
        self.outcome.makespan = now;
        if let Some(queue) = self.queues.get_mut(stream as usize) {
            match queue.behind.pop_front() {
                Some(released) => self.send(now, stream, released)?,
                None => queue.moving = false,
            }
        }
        if self.schedule.end(now, stream) {
            self.leave(stream)?;
        }
        Ok(())
    }

    /// The path of a stream's next message.
    fn path(&mut self, stream: u32) -> Result<PathId, NetworkError> {
        let place = stream as usize;
        if let Some(path) = self.paths[place].checked_sub(1) {
            return Ok(PathId::new(path));
        }
        let Stream {
            src,
            dst,
            steps,
            route,
            ..
        } = self.schedule.stream(stream);
        let key = Some((src.get(), dst.get(), route));
        let entry = (src.get().wrapping_mul(0x9E37_79B1) ^ dst.get().wrapping_mul(0x85EB_CA77))
            as usize
            & self.known.len().wrapping_sub(1);
        let known = self.known.get(entry).copied().unwrap_or_default();
        let shares = steps == 1 && route != Route::LeastLoaded && !self.known.is_empty();
        let path = if shares && known.key == key {
            self.known[entry].users += 1;
            PathId::new(known.path)
        } else {
            if shares && known.users == 0 && known.key.is_some() {
                self.forget(known.path)?;
            }
            let path = self.new_path(stream)?;
            if shares && known.users == 0 {
                self.known[entry] = Known {
                    key,
                    path: path.get(),
                    users: 1,
                };
                self.lanes[path.index()].known = count(entry + 1);
            }
            path
        };
        self.paths[place] = path.get() + 1;
        Ok(path)
    }

    fn new_path(&mut self, stream: u32) -> Result<PathId, NetworkError> {
        (self.ways)(stream, self.loads.as_deref().unwrap_or(&[]), &mut self.way);
        if let Some(loads) = &mut self.loads {
            for (link, _) in &self.way.links {
                loads[*link as usize] += 1;
            }
        }
        let path = Path {
            links: std::mem::take(&mut self.way.links),
            cap: None,
        };
        let id = self.net.add_path_of_penalty(&path, self.way.penalty)?;
        self.way.links = path.links;
        if self.lanes.len() <= id.index() {
            self.lanes.resize(id.index() + 1, Lane::default());
        }
        self.lanes[id.index()] = Lane {
            latency: self.way.latency,
            ..Lane::default()
        };
        Ok(id)
    }

    /// A stream has ended and gives its path back.
    fn leave(&mut self, stream: u32) -> Result<(), NetworkError> {
        let Some(path) = self.paths[stream as usize].checked_sub(1) else {
            return Ok(());
        };
        match self.lanes[path as usize].known.checked_sub(1) {
            Some(entry) => self.known[entry as usize].users -= 1,
            None => self.forget(path)?,
        }
        Ok(())
    }

    fn forget(&mut self, path: u32) -> Result<(), NetworkError> {
        self.count_bytes(path);
        if let Some(loads) = &mut self.loads {
            for (link, _) in self.net.links_of(PathId::new(path)) {
                loads[link as usize] -= 1;
            }
        }
        self.net.remove_path(PathId::new(path))
    }

    /// Adds what a path has carried to its links.
    fn count_bytes(&mut self, path: u32) {
        let bytes = std::mem::take(&mut self.lanes[path as usize].bytes);
        if bytes > 0.0 {
            for (link, load) in self.net.links_of(PathId::new(path)) {
                self.outcome.link_bytes[link as usize] += bytes * load;
            }
        }
    }
}
