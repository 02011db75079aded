//! Events to come, in order of time and, at one picosecond, of insertion.
//!
//! Events of a packet network lie close ahead: one crossing of a link. So they go into buckets of
//! some 1,000 ps by time, 2,048 of them around a wheel; a bucket is sorted when its turn comes.
//! What lies further ahead, timers mostly, waits in a heap and enters the wheel when its bucket
//! does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Buckets around the wheel.
const BUCKETS: u64 = 2048;
/// The least width of a bucket, as a power of two of picoseconds.
const NARROWEST: u32 = 8;

/// What an event is about. Ids fit 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The first packet on a link reaches its end.
    Arrive,
    /// A link may begin with its next packet.
    Serve,
    /// A link's transmitter stops, by a pause frame.
    Pause,
    /// A link's transmitter goes on.
    Resume,
    /// A flow's timer of lost packets.
    Timeout,
    /// A flow may send again at its rate.
    Paced,
    /// A flow's timer of its rate.
    Rate,
    /// A host may grant the next credit.
    Grant,
    /// A message of no packets arrives.
    Arrival,
    /// A link changes, by the list of changes.
    Change,
    /// Routing learns of changes.
    Reroute,
    /// Queues are sampled.
    Sample,
}

/// Something that happens at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) at: u64,
    pub(super) id: u32,
    pub(super) kind: Kind,
}

/// The queue of events.
#[derive(Clone, Debug)]
pub(super) struct Wheel {
    /// The width of a bucket, as a power of two of picoseconds.
    shift: u32,
    buckets: Vec<Vec<Event>>,
    /// One bit for each bucket that holds something.
    occupied: Vec<u64>,
    /// The bucket whose turn it is, counted from the start of time.
    turn: u64,
    /// Its events in order, and how many are done.
    current: Vec<Event>,
    done: usize,
    /// Beyond the wheel, with the number of insertion.
    far: BinaryHeap<Reverse<(u64, u64, Event)>>,
    inserted: u64,
}

impl Wheel {
    /// An empty queue whose wheel reaches at least `ahead` picoseconds.
    pub(super) fn new(ahead: u64) -> Self {
        let width = (ahead / (BUCKETS - 1) + 1).next_power_of_two();
        Self {
            shift: width.trailing_zeros().max(NARROWEST),
            buckets: vec![Vec::new(); index(BUCKETS)],
            occupied: vec![0; index(BUCKETS / 64)],
            turn: 0,
            current: Vec::new(),
            done: 0,
            far: BinaryHeap::new(),
            inserted: 0,
        }
    }

    /// Inserts an event, not before the last one that was taken out.
    #[inline]
    pub(super) fn push(&mut self, at: u64, kind: Kind, id: u32) {
        let event = Event { at, id, kind };
        let bucket = at >> self.shift;
        if bucket <= self.turn {
            let waiting = &self.current[self.done..];
            let place = waiting.iter().rposition(|other| other.at <= at);
            self.current
                .insert(self.done + place.map_or(0, |place| place + 1), event);
        } else if bucket < self.turn + BUCKETS {
            self.file(bucket, event);
        } else {
            self.inserted += 1;
            self.far.push(Reverse((at, self.inserted, event)));
        }
    }

    /// Whether no event is to come.
    pub(super) fn is_empty(&self) -> bool {
        let in_turn = self.done < self.current.len();
        !in_turn && self.far.is_empty() && self.occupied.iter().all(|word| *word == 0)
    }

    /// The moment of the next event.
    pub(super) fn next(&self) -> Option<u64> {
        if let Some(event) = self.current.get(self.done) {
            return Some(event.at);
        }
        if let Some(bucket) = self.next_bucket() {
            let events = &self.buckets[index(bucket % BUCKETS)];
            return events.iter().map(|event| event.at).min();
        }
        self.far.peek().map(|Reverse(far)| far.0)
    }

    /// Takes the next event out, unless it lies after `to`.
    #[inline]
    pub(super) fn pop(&mut self, to: u64) -> Option<Event> {
        loop {
            if let Some(&event) = self.current.get(self.done) {
                let due = event.at <= to;
                self.done += usize::from(due);
                return due.then_some(event);
            }
            self.turn_to(to)?;
        }
    }

    /// Moves on to the next bucket with events, unless it lies after `to`.
    fn turn_to(&mut self, to: u64) -> Option<()> {
        let far = || self.far.peek().map(|Reverse(far)| far.0 >> self.shift);
        let bucket = self.next_bucket().or_else(far)?;
        if to >> self.shift < bucket {
            return None;
        }
        self.turn = bucket;
        while let Some(&Reverse((at, _, event))) = self.far.peek() {
            if self.turn + BUCKETS <= at >> self.shift {
                break;
            }
            self.far.pop();
            self.file(at >> self.shift, event);
        }
        let slot = index(bucket % BUCKETS);
        self.current.clear();
        self.done = 0;
        std::mem::swap(&mut self.current, &mut self.buckets[slot]);
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        self.current.sort_by_key(|event| event.at);
        Some(())
    }

    #[inline]
    fn file(&mut self, bucket: u64, event: Event) {
        let slot = index(bucket % BUCKETS);
        self.buckets[slot].push(event);
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// The next bucket on the wheel with events.
    fn next_bucket(&self) -> Option<u64> {
        let first = self.turn + 1;
        let slot = index(first % BUCKETS);
        let words = self.occupied.len();
        let head = self.occupied[slot / 64] >> (slot % 64);
        if head != 0 {
            return Some(first + u64::from(head.trailing_zeros()));
        }
        let mut ahead = 64 - (slot as u64 % 64);
        for step in 1..=words {
            let word = self.occupied[(slot / 64 + step) % words];
            if word != 0 {
                return Some(first + ahead + u64::from(word.trailing_zeros()));
            }
            ahead += 64;
        }
        None
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "callers pass numbers of buckets on the wheel"
)]
const fn index(bucket: u64) -> usize {
    bucket as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;
    use rand_pcg::rand_core::{Rng, SeedableRng};

    #[test]
    fn events_come_in_order_of_time_and_then_of_insertion() {
        let mut rng = Pcg32::seed_from_u64(7);
        let mut wheel = Wheel::new(1_300_000);
        let (mut clock, mut pushed) = (0, 0);
        let mut last = (0, 0);
        for _ in 0..20_000 {
            for _ in 0..rng.next_u32() % 3 {
                let range = [1, 900, 5_000_000, 90_000_000][(rng.next_u32() % 4) as usize];
                let at = clock + u64::from(rng.next_u32()) % range;
                wheel.push(at, Kind::Arrive, pushed);
                pushed += 1;
            }
            assert_eq!(
                wheel.next().is_none(),
                wheel.clone().pop(u64::MAX).is_none()
            );
            let next = wheel.next();
            if let Some(event) = wheel.pop(u64::MAX) {
                assert_eq!(next, Some(event.at));
                assert!(last < (event.at, event.id + 1), "{last:?} before {event:?}");
                last = (event.at, event.id + 1);
                clock = event.at;
            }
        }
        assert!(15_000 < pushed);
    }

    #[test]
    fn nothing_comes_out_before_its_time() {
        let mut wheel = Wheel::new(1_300_000);
        wheel.push(5_000_000_000, Kind::Rate, 1);
        wheel.push(700, Kind::Rate, 2);
        assert_eq!(wheel.pop(699), None);
        assert_eq!(wheel.pop(700).map(|event| event.id), Some(2));
        assert_eq!(wheel.pop(4_999_999_999), None);
        assert_eq!(wheel.next(), Some(5_000_000_000));
        wheel.push(900, Kind::Rate, 3);
        assert_eq!(wheel.pop(u64::MAX).map(|event| event.id), Some(3));
        assert_eq!(wheel.pop(u64::MAX).map(|event| event.id), Some(1));
    }
}
