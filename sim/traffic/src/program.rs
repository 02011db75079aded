//! A workload as streams: the form in which it runs.
//!
//! A stream is a sequence of equal messages from one host to another, its *steps*. Step `k` is
//! released when the stream may have it under way (at most `window` steps are) and when every
//! stream that it waits for has ended its step `k − lag`. A list of flows is a program whose
//! streams have one step; a ring all-reduce over `H` hosts has `H` streams of `2 (H − 1)` steps,
//! each waiting for the stream before it with a lag of 1.

use units::{Bytes, HostId, SimTime};

use crate::flows::{FlowId, Flows};

/// The way that a stream takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// That of static routing by destination.
    Static,
    /// One of the equal ways between its hosts.
    Way(u32),
    /// All ways at once, each in proportion to its capacity.
    Spray,
    /// The way with the fewest flows on its fullest link when a step is released.
    LeastLoaded,
}

/// A sequence of equal messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The sender.
    pub src: HostId,
    /// The receiver.
    pub dst: HostId,
    /// The payload of one step.
    pub bytes: Bytes,
    /// How many messages.
    pub steps: u32,
    /// How many may be under way at once, at least 1.
    pub window: u32,
    /// The earliest release of the first.
    pub start: SimTime,
    /// The way.
    pub route: Route,
}

impl Stream {
    /// One message that may go at once, by static routing.
    pub const fn message(src: HostId, dst: HostId, bytes: Bytes) -> Self {
        Self {
            src,
            dst,
            bytes,
            steps: 1,
            window: 1,
            start: SimTime::ZERO,
            route: Route::Static,
        }
    }
}

/// What a step waits for: step `k` for step `k − lag` of that stream, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wait {
    /// The other stream, by its place.
    pub stream: u32,
    /// How many steps it may be behind.
    pub lag: u32,
}

/// Streams and what they wait for. Made from flows or by [`crate::collective`]; a stream waits
/// without a lag only in programs without cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    streams: Vec<Stream>,
    /// Where what a stream waits for begins; one more than there are streams.
    first: Vec<u32>,
    waits: Vec<Wait>,
}

impl Program {
    /// No streams.
    pub fn new() -> Self {
        Self {
            first: vec![0],
            ..Self::default()
        }
    }

    /// Streams that wait for nothing.
    pub fn of(streams: impl IntoIterator<Item = Stream>) -> Self {
        let mut program = Self::new();
        for stream in streams {
            program.push(stream, None);
        }
        program
    }

    /// Adds a stream that waits for streams, earlier or later ones.
    pub(crate) fn push(&mut self, stream: Stream, waits: impl IntoIterator<Item = Wait>) {
        self.streams.push(stream);
        self.waits.extend(waits);
        self.first.push(count(self.waits.len()));
    }

    /// The program with streams of each host that start later by a time of its own.
    #[must_use]
    pub fn delayed(&self, late: impl Fn(HostId) -> SimTime) -> Self {
        let mut delayed = self.clone();
        for stream in &mut delayed.streams {
            let by = late(stream.src).since(SimTime::ZERO);
            stream.start = stream.start.after(by).unwrap_or(stream.start);
        }
        delayed
    }

    /// The program with ways for its streams.
    pub(crate) fn routed(&self, route: impl Fn(u32, &Stream) -> Route) -> Self {
        let mut routed = self.clone();
        for (at, stream) in (0..).zip(&mut routed.streams) {
            stream.route = route(at, stream);
        }
        routed
    }

    /// The streams.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// What a stream waits for.
    pub fn waits(&self, stream: usize) -> &[Wait] {
        &self.waits[self.first[stream] as usize..self.first[stream + 1] as usize]
    }

    /// By stream, where its messages begin among all; one more than there are streams.
    pub fn first_messages(&self) -> Vec<usize> {
        let mut first = vec![0];
        for stream in &self.streams {
            first.push(first[first.len() - 1] + stream.steps as usize);
        }
        first
    }

    /// Messages of all streams.
    pub fn n_messages(&self) -> u64 {
        self.streams
            .iter()
            .map(|stream| u64::from(stream.steps))
            .sum()
    }

    /// By stream, the streams that wait for it.
    pub(crate) fn followers(&self) -> Followers {
        let mut first = vec![0_u32; self.streams.len() + 1];
        for wait in &self.waits {
            first[wait.stream as usize + 1] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut next = first.clone();
        let mut streams = vec![0; self.waits.len()];
        for stream in 0..self.streams.len() {
            for wait in self.waits(stream) {
                let place = &mut next[wait.stream as usize];
                streams[*place as usize] = count(stream);
                *place += 1;
            }
        }
        Followers { first, streams }
    }
}

impl From<&Flows> for Program {
    fn from(flows: &Flows) -> Self {
        let mut program = Self::new();
        program.streams.reserve(flows.len());
        program.first.reserve(flows.len());
        for (id, flow) in flows.iter() {
            let stream = Stream {
                start: flow.start,
                ..Stream::message(flow.src, flow.dst, flow.bytes)
            };
            let after = |&stream: &u32| Wait { stream, lag: 0 };
            program.push(stream, flows.after(FlowId::new(id.get())).iter().map(after));
        }
        program
    }
}

/// By stream, the streams that wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Followers {
    first: Vec<u32>,
    streams: Vec<u32>,
}

impl Followers {
    pub(crate) fn of(&self, stream: u32) -> &[u32] {
        let [from, to] = [stream as usize, stream as usize + 1].map(|at| self.first[at] as usize);
        &self.streams[from..to]
    }
}

/// A number of streams or waits.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).expect("no workload holds 2³² streams")
}
