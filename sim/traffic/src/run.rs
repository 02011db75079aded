//! Running a program on the flow engine.

use cluster::Topology;
use network::{Flow, Network, NetworkError, Path, PathId, Share, Transfer, TransferId};
use units::{Bytes, BytesPerSec, SimTime};

use crate::program::{Followers, Program, Route, Stream, count};
use crate::way::Way;

/// When a message was released and when its last byte arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it could go.
    pub released: SimTime,
    /// When its last byte arrived.
    pub finish: SimTime,
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
    /// How many classes of streams that behave alike were simulated in place of all streams.
    pub classes: Option<usize>,
    /// How often rates were solved.
    pub solves: u64,
}

/// Whether the times of single messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The times of every message.
    Messages,
    /// The end and the links only.
    Totals,
}

/// Runs every stream by itself on the flow engine.
///
/// # Errors
///
/// Where simulated time overflows.
pub fn run<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    share: Share,
    keep: Keep,
) -> Result<Outcome, NetworkError> {
    let rates: Vec<BytesPerSec> = (0..topology.n_links())
        .map(|link| topology.wire(units::LinkId::new(link)).rate)
        .collect();
    let mut find = Way::default();
    let ways = |stream: u32, net: &Flow, way: &mut Way| {
        let stream = &program.streams()[stream as usize];
        find.find(topology, stream, &share, |link| net.n_users(link));
        std::mem::swap(way, &mut find);
    };
    Run::new(program, &rates, keep, ways).finish()
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct Live {
    released: u32,
    done: u32,
    /// Which of its waits holds it back, as far as known.
    waits: u32,
    /// The path of its messages under way, one more than its number; 0: none.
    path: u32,
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
    latency: units::Seconds,
    bytes: f64,
    /// The entry of the table of known paths, one more than its place; 0: it belongs to a stream.
    known: u32,
}

/// How many paths are remembered: a power of two.
const KNOWN: usize = 1 << 14;

pub(crate) struct Run<'a, F> {
    program: &'a Program,
    followers: Followers,
    net: Flow,
    ways: F,
    live: Vec<Live>,
    lanes: Vec<Lane>,
    known: Vec<Known>,
    /// Streams that start later, the last one first.
    starts: Vec<(SimTime, u32)>,
    /// By transfer, its stream.
    owners: Vec<u32>,
    /// By stream, where its messages begin.
    first: Vec<u32>,
    way: Way,
    outcome: Outcome,
}

impl<'a, F: FnMut(u32, &Flow, &mut Way)> Run<'a, F> {
    pub(crate) fn new(program: &'a Program, rates: &[BytesPerSec], keep: Keep, ways: F) -> Self {
        let streams = program.streams();
        let later = |(index, stream): (usize, &Stream)| {
            (SimTime::ZERO < stream.start).then(|| (stream.start, count(index)))
        };
        let mut starts: Vec<_> = streams.iter().enumerate().filter_map(later).collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        let mut first = Vec::new();
        let mut times = Vec::new();
        if keep == Keep::Messages {
            let mut next = 0;
            for stream in streams {
                first.push(next);
                next += stream.steps;
            }
            times = vec![Times::default(); next as usize];
        }
        Self {
            program,
            followers: program.followers(),
            // Weights are given path by path.
            net: Flow::new(rates, Share::EQUAL),
            ways,
            live: vec![Live::default(); streams.len()],
            lanes: Vec::new(),
            known: vec![Known::default(); KNOWN],
            starts,
            owners: Vec::new(),
            first,
            way: Way::default(),
            outcome: Outcome {
                times,
                link_bytes: vec![0.0; rates.len()],
                ..Outcome::default()
            },
        }
    }

    /// Runs until every stream has ended.
    pub(crate) fn finish(mut self) -> Result<Outcome, NetworkError> {
        for stream in 0..count(self.live.len()) {
            self.release(SimTime::ZERO, stream)?;
        }
        let mut finished = Vec::new();
        loop {
            let start = self.starts.last().map(|(start, _)| *start);
            let Some(now) = [start, self.net.next_event()].into_iter().flatten().min() else {
                break;
            };
            self.net.advance(now, &mut finished)?;
            for id in finished.drain(..) {
                self.end(now, id)?;
            }
            while let Some(&(_, stream)) = self.starts.last().filter(|(start, _)| *start <= now) {
                self.starts.pop();
                self.release(now, stream)?;
            }
        }
        self.outcome.solves = self.net.solves();
        for path in 0..self.lanes.len() {
            self.count_bytes(count(path));
        }
        Ok(self.outcome)
    }

    /// Releases all steps of a stream that may go.
    fn release(&mut self, now: SimTime, stream: u32) -> Result<(), NetworkError> {
        while self.is_ready(now, stream) {
            let place = stream as usize;
            let Stream {
                src, dst, bytes, ..
            } = self.program.streams()[place];
            let path = self.path(stream)?;
            let lane = &mut self.lanes[path.index()];
            let bytes = if src == dst { Bytes::new(0) } else { bytes };
            lane.bytes += bytes.as_u64() as f64;
            let transfer = Transfer {
                path,
                bytes,
                latency: lane.latency,
            };
            self.net.submit(now, transfer)?;
            self.owners.push(stream);
            let live = &mut self.live[place];
            if let Some(first) = self.first.get(place) {
                self.outcome.times[(first + live.released) as usize].released = now;
            }
            live.released += 1;
            live.waits = 0;
        }
        Ok(())
    }

    fn is_ready(&mut self, now: SimTime, stream: u32) -> bool {
        let place = stream as usize;
        let live = self.live[place];
        let Stream {
            steps,
            window,
            start,
            ..
        } = self.program.streams()[place];
        if live.released == steps || live.done + window <= live.released || now < start {
            return false;
        }
        let waits = self.program.waits(place);
        for (at, wait) in (0..).zip(waits).skip(live.waits as usize) {
            let other = wait.stream as usize;
            let needed = (live.released + 1).saturating_sub(wait.lag);
            if self.live[other].done < needed.min(self.program.streams()[other].steps) {
                self.live[place].waits = at;
                return false;
            }
        }
        self.live[place].waits = count(waits.len());
        true
    }

    /// A message has arrived.
    fn end(&mut self, now: SimTime, id: TransferId) -> Result<(), NetworkError> {
        let stream = self.owners[usize::try_from(id.get()).expect("owners are stored by id")];
        let place = stream as usize;
        let live = &mut self.live[place];
        if let Some(first) = self.first.get(place) {
            self.outcome.times[(first + live.done) as usize].finish = now;
        }
        live.done += 1;
        self.outcome.makespan = now;
        if live.done == self.program.streams()[place].steps {
            self.leave(stream)?;
        }
        self.release(now, stream)?;
        for at in 0..self.followers.of(stream).len() {
            let follower = self.followers.of(stream)[at];
            self.release(now, follower)?;
        }
        Ok(())
    }

    /// The path of a stream's next message.
    fn path(&mut self, stream: u32) -> Result<PathId, NetworkError> {
        let place = stream as usize;
        if let Some(path) = self.live[place].path.checked_sub(1) {
            return Ok(PathId::new(path));
        }
        let Stream {
            src,
            dst,
            steps,
            route,
            ..
        } = self.program.streams()[place];
        let key = Some((src.get(), dst.get(), route));
        let entry = (src.get().wrapping_mul(0x9E37_79B1) ^ dst.get().wrapping_mul(0x85EB_CA77))
            as usize
            & (KNOWN - 1);
        let known = self.known[entry];
        let shares = steps == 1 && route != Route::LeastLoaded;
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
        self.live[place].path = path.get() + 1;
        Ok(path)
    }

    fn new_path(&mut self, stream: u32) -> Result<PathId, NetworkError> {
        (self.ways)(stream, &self.net, &mut self.way);
        let path = Path {
            links: std::mem::take(&mut self.way.links),
            cap: self.way.cap,
        };
        let id = self.net.add_path_weighing(&path, self.way.weight)?;
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
        let Some(path) = self.live[stream as usize].path.checked_sub(1) else {
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
