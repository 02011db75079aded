//! How far transfers are: the part that every engine shares.
//!
//! All transfers of one path move at one rate, so a path needs no list of remainders: it counts
//! the bytes that a transfer *present all the time* would have moved (`served`), and a transfer
//! that joins at `served = v` ends when `served` reaches `v + bytes`. A change of rate then costs
//! the same however many transfers the path carries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use units::{Seconds, SimTime, TimeOverflow};

use crate::ends::Ends;
use crate::{NetworkError, PathId, Transfer, TransferId};

/// A finish within this many picoseconds is now: float noise must not split an instant.
const NOISE_PICOS: f64 = 1e-3;

/// An end that the clock does not reach.
const BEYOND: u64 = u64::MAX;

/// The value of `served` at which a transfer ends. Ordered as numbers, then by submission.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Target(f64, u64);

impl Eq for Target {}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Target {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// The transfers of one path.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Bytes per second of each transfer.
    rate: f64,
    /// Bytes that a transfer present all the time would have moved until `at`.
    served: f64,
    at: SimTime,
    /// The transfer that ends first, apart from the others so that one alone needs no heap.
    head: Option<Target>,
    rest: BinaryHeap<Reverse<Target>>,
}

/// A transfer in its latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    joins: u64,
    id: u64,
    path: u32,
    bytes: u64,
}

/// Transfers in their latency, transfers under way, and the clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    clock: SimTime,
    submitted: u64,
    waiting: BinaryHeap<Reverse<Waiting>>,
    lanes: Vec<Lane>,
    ends: Ends,
}

impl Progress {
    pub(crate) fn add_path(&mut self, path: PathId) {
        if path.index() == self.lanes.len() {
            self.lanes.push(Lane::default());
            self.ends.grow();
        }
    }

    pub(crate) fn clock(&self) -> SimTime {
        self.clock
    }

    /// Moves the clock forward, with nothing to do on the way.
    pub(crate) fn set_clock(&mut self, to: SimTime) {
        self.clock = to;
    }

    pub(crate) fn check_time(&self, now: SimTime) -> Result<(), NetworkError> {
        if now < self.clock {
            return Err(NetworkError::Past {
                asked: now.as_picos(),
                clock: self.clock.as_picos(),
            });
        }
        Ok(())
    }

    /// Queues a transfer until its latency is over.
    pub(crate) fn submit(
        &mut self,
        now: SimTime,
        transfer: Transfer,
    ) -> Result<TransferId, NetworkError> {
        self.check_time(now)?;
        let id = self.submitted;
        self.submitted += 1;
        self.waiting.push(Reverse(Waiting {
            joins: now.after(transfer.latency)?.as_picos(),
            id,
            path: transfer.path.get(),
            bytes: transfer.bytes.as_u64(),
        }));
        Ok(TransferId::new(id))
    }

    pub(crate) fn next_event(&self) -> Option<SimTime> {
        let joins = self.waiting.peek().map(|Reverse(waiting)| waiting.joins);
        let ends = self.ends.first().map(|(time, _)| time);
        let next = match (joins, ends) {
            (Some(join), Some(end)) => join.min(end),
            (join, end) => join.or(end)?,
        };
        Some(SimTime::from_picos(next))
    }

    /// Ends what is due at `now` on one path, and says which path and whether transfers remain.
    pub(crate) fn pop_end(
        &mut self,
        now: SimTime,
        finished: &mut Vec<TransferId>,
    ) -> Result<Option<(u32, u32)>, NetworkError> {
        let Some((time, path)) = self.ends.first() else {
            return Ok(None);
        };
        if now.as_picos() < time {
            return Ok(None);
        }
        if time == BEYOND {
            return Err(TimeOverflow.into());
        }
        self.settle(path, now);
        let lane = &mut self.lanes[path as usize];
        let reach = lane.served + lane.rate * (NOISE_PICOS * 1e-12);
        let mut ended = 0;
        while let Some(Target(target, id)) = lane.head {
            if ended > 0 && reach < target {
                break;
            }
            finished.push(TransferId::new(id));
            lane.head = lane.rest.pop().map(|Reverse(next)| next);
            ended += 1;
        }
        if lane.head.is_none() {
            lane.rate = 0.0;
            lane.served = 0.0;
        }
        self.predict(path);
        Ok(Some((path, ended)))
    }

    /// Takes the next transfer whose latency is over at `now`. One without bytes is finished.
    pub(crate) fn pop_join(&mut self, now: SimTime, finished: &mut Vec<TransferId>) -> Option<u32> {
        while let Some(&Reverse(waiting)) = self.waiting.peek() {
            if now.as_picos() < waiting.joins {
                return None;
            }
            self.waiting.pop();
            if waiting.bytes > 0 {
                self.join(now, waiting);
                return Some(waiting.path);
            }
            finished.push(TransferId::new(waiting.id));
        }
        None
    }

    fn join(&mut self, now: SimTime, waiting: Waiting) {
        self.settle(waiting.path, now);
        let lane = &mut self.lanes[waiting.path as usize];
        let target = Target(lane.served + waiting.bytes as f64, waiting.id);
        match lane.head {
            Some(head) if head < target => lane.rest.push(Reverse(target)),
            Some(head) => {
                lane.rest.push(Reverse(head));
                lane.head = Some(target);
            }
            None => lane.head = Some(target),
        }
        self.predict(waiting.path);
    }

    /// The rate of each transfer of a path, in bytes per second.
    pub(crate) fn rate(&self, path: PathId) -> f64 {
        self.lanes[path.index()].rate
    }

    /// Gives the transfers of a path another rate from `now` on.
    pub(crate) fn set_rate(&mut self, path: u32, now: SimTime, rate: f64) {
        if self.lanes[path as usize].rate.to_bits() == rate.to_bits() {
            return;
        }
        self.settle(path, now);
        self.lanes[path as usize].rate = rate;
        self.predict(path);
    }

    /// Counts what a path has moved until `now`.
    fn settle(&mut self, path: u32, now: SimTime) {
        let lane = &mut self.lanes[path as usize];
        if lane.rate > 0.0 && lane.rate.is_finite() {
            lane.served += lane.rate * now.since(lane.at).as_secs();
        }
        lane.at = now;
    }

    /// Queues the moment at which the path's first transfer ends at the present rate. That may lie
    /// beyond the range of the clock, as long as the rate rises before.
    fn predict(&mut self, path: u32) {
        let lane = &self.lanes[path as usize];
        match lane.head {
            Some(Target(target, _)) if lane.rate > 0.0 => {
                let picos = (target - lane.served).max(0.0) / lane.rate * 1e12;
                let noise = NOISE_PICOS + picos * 1e-15;
                let end = lane.at.after(Seconds::from_secs((picos - noise) * 1e-12));
                self.ends.set(path, end.map_or(BEYOND, SimTime::as_picos));
            }
            _ => self.ends.remove(path),
        }
    }
}
