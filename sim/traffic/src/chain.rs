//! The chain of messages that ends last: what the time of a run was spent on.
//!
//! From the message that arrived last, back to the message whose arrival released it, and so on to
//! one that nothing released. The time of each is cut into its latency, the time that its bytes
//! take over the narrowest link of its way alone, and the rest: other messages on the same links,
//! and with packets also queues, headers and what was sent again.

use cluster::Topology;
use network::Share;
use units::{HostId, Seconds, SimTime};

use crate::program::{Program, Stream};
use crate::schedule::Times;
use crate::way::{Way, all_wires};

/// Messages one after the other, and what their times were spent on. The parts sum to the end of
/// the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chain {
    /// How many messages.
    pub n_messages: u32,
    /// The sender of the first message and the receiver of the last one; none in a run without any.
    pub ends: Option<[HostId; 2]>,
    /// Until the first message was released.
    pub before: Seconds,
    /// Latencies: Σ over messages of Σ over the links of a way.
    pub latency: Seconds,
    /// Σ over messages of bytes over the rate of the narrowest link.
    pub alone: Seconds,
    /// What is left.
    pub shared: Seconds,
}

/// The chain of messages that ended last.
///
/// * `times` — of all messages, stream after stream.
/// * `share` — how transfers share links: it can lengthen latencies.
pub fn chain<T: Topology + ?Sized>(
    topology: &T,
    program: &Program,
    times: &[Times],
    share: &Share,
) -> Chain {
    let first = program.first_messages();
    let mut last: Option<usize> = None;
    for (at, one) in times.iter().enumerate() {
        if last.is_none_or(|last| times[last].finish < one.finish) {
            last = Some(at);
        }
    }
    let (wires, mut way) = (all_wires(topology), Way::default());
    let mut chain = Chain::default();
    while let Some(at) = last {
        let place = first.partition_point(|first| *first <= at) - 1;
        let stream = &program.streams()[place];
        way.find(topology, &wires, stream, share, |_| 0);
        let rates = way.links.iter().map(|(link, part)| {
            let rate = wires[*link as usize].rate;
            rate.as_f64() / part
        });
        let narrowest = rates.fold(f64::INFINITY, f64::min);
        chain.add(stream, &times[at], way.latency, narrowest);
        last = releaser(program, &first, times, place, at);
        if last.is_none() {
            chain.before = times[at].released.since(SimTime::ZERO);
        }
    }
    chain
}

impl Chain {
    /// Adds a message in front.
    fn add(&mut self, stream: &Stream, times: &Times, latency: Seconds, narrowest: f64) {
        let span = times.finish.since(times.released);
        let latency = latency.min(span);
        let alone = if stream.src == stream.dst {
            Seconds::ZERO
        } else {
            Seconds::from_secs(stream.bytes.as_f64() / narrowest)
        };
        let alone = alone.min(span - latency);
        self.latency += latency;
        self.alone += alone;
        self.shared += span - latency - alone;
        self.n_messages += 1;
        let last = self.ends.map_or(stream.dst, |[_, last]| last);
        self.ends = Some([stream.src, last]);
    }
}

/// The message whose arrival released another one.
fn releaser(
    program: &Program,
    first: &[usize],
    times: &[Times],
    place: usize,
    at: usize,
) -> Option<usize> {
    let stream = &program.streams()[place];
    let (step, released) = (at - first[place], times[at].released);
    let own = step
        .checked_sub(stream.window as usize)
        .map(|before| first[place] + before);
    let others = program.waits(place).iter().filter_map(|wait| {
        let other = wait.stream as usize;
        let steps = program.streams()[other].steps as usize;
        let done = (step + 1).saturating_sub(wait.lag as usize).min(steps);
        Some(first[other] + done.checked_sub(1)?)
    });
    others
        .chain(own)
        .find(|&before| times[before].finish == released && before != at)
}
