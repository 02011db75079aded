//! Every rank ends with what it must: messages are carried out symbolically, in any order that
//! the program's waits and windows allow.

mod layouts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use layouts::{Purpose, purpose};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use traffic::{
    Cargo, Kind, Options, Program, Ranks, Through, collective, collective_over,
    collective_with_cargo, streams_at_most,
};
use units::Bytes;

/// A piece of data, by part, chunk and the NIC of nodes with several.
type Key = (u32, u32, u32);
/// The ranks whose data were added up, a bit each.
type Sum = u64;
/// What a rank has.
type Buffer = BTreeMap<Key, Sum>;

/// A run in which any message may be the next.
struct Run<'a> {
    program: &'a Program,
    cargo: &'a [Cargo],
    rank_of: BTreeMap<u32, usize>,
    buffers: Vec<Buffer>,
    released: Vec<u32>,
    done: Vec<u32>,
    under_way: Vec<VecDeque<Buffer>>,
    /// What a switch holds of a step, and for whom.
    switches: BTreeMap<(u32, Through, u32), Vec<(Buffer, usize)>>,
    groups: BTreeMap<(u32, Through), usize>,
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, cargo: &'a [Cargo], ranks: &Ranks, buffers: Vec<Buffer>) -> Self {
        let n = program.streams().len();
        assert_eq!(n, cargo.len());
        let mut groups = BTreeMap::new();
        for cargo in cargo {
            if let Some(through) = cargo.through {
                *groups.entry((cargo.lane, through)).or_insert(0) += 1;
            }
        }
        Self {
            program,
            cargo,
            rank_of: (program.streams().iter())
                .flat_map(|stream| [stream.src, stream.dst])
                .map(|host| (host.get(), ranks.rank_of(host).expect("a rank") as usize))
                .collect(),
            buffers,
            released: vec![0; n],
            done: vec![0; n],
            under_way: vec![VecDeque::new(); n],
            switches: BTreeMap::new(),
            groups,
        }
    }

    fn may_go(&self, at: usize) -> bool {
        let stream = self.program.streams()[at];
        let next = self.released[at];
        let waits = self.program.waits(at).iter().all(|wait| {
            let other = wait.stream as usize;
            let needed = (next + 1).saturating_sub(wait.lag);
            needed.min(self.program.streams()[other].steps) <= self.done[other]
        });
        next < stream.steps && next < self.done[at] + stream.window && waits
    }

    fn release(&mut self, at: usize) {
        let stream = self.program.streams()[at];
        let (step, cargo) = (self.released[at], &self.cargo[at]);
        let from = &self.buffers[self.rank_of[&stream.src.get()]];
        let key = |part| (part, cargo.chunk_of(step), cargo.lane);
        let parts = cargo.parts_of(step).into_iter();
        let message = parts.map(|part| {
            let sum = from.get(&key(part));
            (
                key(part),
                *sum.unwrap_or_else(|| panic!("{stream:?} has no {part}")),
            )
        });
        let message = message.collect();
        self.under_way[at].push_back(message);
        self.released[at] += 1;
    }

    fn deliver(&mut self, at: usize) {
        let message = self.under_way[at].pop_front().expect("under way");
        let to = self.rank_of[&self.program.streams()[at].dst.get()];
        let (step, cargo) = (self.done[at], &self.cargo[at]);
        self.done[at] += 1;
        match cargo.through {
            Some(through) => {
                let held = self
                    .switches
                    .entry((cargo.lane, through, step))
                    .or_default();
                held.push((message, to));
                if held.len() == self.groups[&(cargo.lane, through)] {
                    let held = std::mem::take(held);
                    self.switch(through, &held);
                }
            }
            None if step < cargo.adds => {
                for (key, sum) in message {
                    let own = self.buffers[to].entry(key).or_insert(0);
                    assert_eq!(*own & sum, 0, "{key:?} is added twice at {to}");
                    *own |= sum;
                }
            }
            None => self.buffers[to].extend(message),
        }
    }

    fn switch(&mut self, through: Through, held: &[(Buffer, usize)]) {
        let mut all = Buffer::new();
        for (key, sum) in held.iter().flat_map(|(message, _)| message) {
            let total = all.entry(*key).or_insert(0);
            match through {
                Through::Sum(_) => {
                    assert_eq!(*total & sum, 0, "{key:?} is added twice in a switch");
                    *total |= sum;
                }
                Through::Copies(_) => *total = *sum,
            }
        }
        for (_, to) in held {
            self.buffers[*to].extend(all.iter().map(|(key, sum)| (*key, *sum)));
        }
    }

    fn finish(mut self, seed: u64) -> Vec<Buffer> {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let n = self.done.len();
        loop {
            let start = rng.random_range(0..n.max(1));
            let mut turns = (0..n).map(|at| (start + at) % n);
            let prefer_sends = rng.random_bool(0.5);
            let sends = |at: &usize| self.may_go(*at);
            let arrives = |at: &usize| !self.under_way[*at].is_empty();
            let first = if prefer_sends {
                turns.clone().find(sends).map(|at| (at, true))
            } else {
                turns.clone().find(arrives).map(|at| (at, false))
            };
            let next = first
                .or_else(|| turns.clone().find(sends).map(|at| (at, true)))
                .or_else(|| turns.find(arrives).map(|at| (at, false)));
            match next {
                Some((at, true)) => self.release(at),
                Some((at, false)) => self.deliver(at),
                None => break,
            }
        }
        for (stream, done) in self.program.streams().iter().zip(&self.done) {
            assert_eq!(stream.steps, *done, "{stream:?} never ends");
        }
        self.buffers
    }
}

fn keys(program: &Program, cargo: &[Cargo]) -> BTreeSet<Key> {
    let of = |(stream, cargo): (&traffic::Stream, &Cargo)| {
        let key = |step| {
            let chunk = cargo.chunk_of(step);
            cargo
                .parts_of(step)
                .into_iter()
                .map(move |part| (part, chunk, cargo.lane))
                .collect::<Vec<_>>()
        };
        (0..stream.steps).flat_map(key).collect::<Vec<_>>()
    };
    program.streams().iter().zip(cargo).flat_map(of).collect()
}

/// What a rank has before, and what it must have after.
fn ends(purpose: Purpose, n: u32, rank: u32, keys: &BTreeSet<Key>, shift: u32) -> [Buffer; 2] {
    let all: Sum = (1 << n) - 1;
    let own: Sum = 1 << rank;
    let root = rank == 0;
    let pick = |wanted: &dyn Fn(Key) -> Option<Sum>| -> Buffer {
        keys.iter()
            .filter_map(|&key| Some((key, wanted(key)?)))
            .collect()
    };
    let when = |is: bool, sum: Sum| is.then_some(sum);
    match purpose {
        Purpose::AllReduce => [pick(&|_| Some(own)), pick(&|_| Some(all))],
        // Every channel has a part for each rank.
        Purpose::AllGather => [
            pick(&|(part, ..)| when(part % n == rank, own)),
            pick(&|(part, ..)| Some(1 << (part % n))),
        ],
        Purpose::ReduceScatter => [
            pick(&|_| Some(own)),
            pick(&|(part, ..)| when(part % n == rank, all)),
        ],
        Purpose::Broadcast => [pick(&|_| when(root, 1)), pick(&|_| Some(1))],
        Purpose::Reduce => [pick(&|_| Some(own)), pick(&|_| when(root, all))],
        Purpose::Gather => [
            pick(&|(part, ..)| when(part == rank, own)),
            pick(&|(part, ..)| when(root, 1 << part)),
        ],
        Purpose::Scatter => [
            pick(&|_| when(root, 1)),
            pick(&|(part, ..)| when(part == rank, 1)),
        ],
        Purpose::AllToAll => [
            pick(&|(part, ..)| when(part / n == rank, own)),
            pick(&|(part, ..)| when(part % n == rank, 1 << (part / n))),
        ],
        Purpose::Shift => {
            let from = (rank + n - shift) % n;
            [
                pick(&|(part, ..)| when(part == rank, own)),
                pick(&|(part, ..)| when(part == from, 1 << from)),
            ]
        }
    }
}

fn check_ends(kind: Kind, ranks: &Ranks, options: &Options, seed: u64) {
    let (program, cargo) = collective_with_cargo(kind, ranks, Bytes::new(40_000), options);
    let keys = keys(&program, &cargo);
    let shift = if kind == Kind::SendRecv {
        1
    } else {
        ranks.n() / 2
    };
    let ends = |rank| ends(purpose(kind), ranks.n(), rank, &keys, shift);
    let before = (0..ranks.n()).map(|rank| ends(rank)[0].clone()).collect();
    let after = Run::new(&program, &cargo, ranks, before).finish(seed);
    for (rank, has) in (0..).zip(after) {
        for (key, sum) in &ends(rank)[1] {
            let name = kind.name();
            let place = (rank, ranks.domains());
            assert_eq!(has.get(key), Some(sum), "{name}: {key:?} at {place:?}");
        }
    }
}

#[test]
fn every_rank_ends_with_what_it_must() {
    for kind in Kind::ALL {
        for ranks in layouts::all() {
            for (seed, options) in (0..).zip(layouts::options()) {
                check_ends(kind, &ranks, &options, seed);
            }
        }
    }
}

#[test]
fn the_same_holds_over_the_nics_of_nodes() {
    for kind in Kind::ALL {
        for (seed, options) in (0..).zip(layouts::options()) {
            for nodes in [2, 3, 4] {
                check_ends(kind, &layouts::dgx_nodes(nodes), &options, seed);
            }
        }
    }
}

#[test]
fn channels_enter_and_leave_nodes_by_all_nics() {
    let ranks = layouts::dgx_gpus(3);
    let options = Options::new(profile::Protocol::Simple, 16);
    for kind in [
        Kind::Ring,
        Kind::RingChannels,
        Kind::DoubleTree,
        Kind::AllGather,
        Kind::ReduceScatter,
        Kind::Broadcast,
        Kind::Reduce,
    ] {
        let program = collective_over(kind, &ranks, Bytes::new(3 << 20), &options);
        let rank = |host| ranks.rank_of(host).expect("a rank");
        // By node and place, what is sent to other nodes and received from them.
        let mut between: [BTreeMap<(u32, u32), u64>; 2] = Default::default();
        for stream in program.streams() {
            let places = [stream.src, stream.dst].map(|host| ranks.place(rank(host)));
            if places[0].0 != places[1].0 {
                for (sum, place) in between.iter_mut().zip(places) {
                    let bytes = stream.bytes.as_u64() * u64::from(stream.steps);
                    *sum.entry(place).or_insert(0) += bytes;
                }
            }
        }
        for way in between {
            let [least, most] = [way.values().min(), way.values().max()];
            // Of a chain, the last node sends nothing where the first NIC is the root's.
            assert!(16 <= way.len(), "{}: {way:?}", kind.name());
            if matches!(kind, Kind::Ring | Kind::RingChannels | Kind::AllGather) {
                assert_eq!(least, most, "{}", kind.name());
            }
        }
    }
}

fn sent(program: &Program) -> u64 {
    let streams = program.streams().iter();
    let of = |stream: &traffic::Stream| stream.bytes.as_u64() * u64::from(stream.steps);
    streams.map(of).sum()
}

#[test]
fn no_byte_is_sent_that_need_not_be() {
    // Divisible by everything that sizes are divided by.
    let size: u64 = 2 * 2 * 3 * 4 * 5 * 7 * 11 * 13 * 3 * 1024;
    for kind in Kind::ALL {
        for n in 2..=13 {
            let hosts = layouts::hosts(n);
            let program = collective(kind, &hosts, Bytes::new(size));
            let n = u64::from(n);
            let expected = match purpose(kind) {
                Purpose::AllReduce if kind == Kind::CollNet => n * size,
                Purpose::AllReduce => 2 * (n - 1) * size,
                Purpose::AllToAll => n * (n - 1) * size,
                Purpose::AllGather
                | Purpose::ReduceScatter
                | Purpose::Broadcast
                | Purpose::Reduce => (n - 1) * size,
                Purpose::Gather | Purpose::Scatter => (n - 1) * size / n,
                Purpose::Shift => n * size,
            };
            let sent = sent(&program) as f64;
            let off = sent / expected as f64 - 1.0;
            assert!((0.0..1e-3).contains(&off), "{} of {n}: {off}", kind.name());
        }
    }
}

#[test]
fn the_switch_of_a_domain_gets_all_data_once_and_returns_the_sum_once() {
    let ranks = layouts::domains(&[8]);
    let size = 8 << 20;
    let (program, _) =
        collective_with_cargo(Kind::Nvls, &ranks, Bytes::new(size), &Options::default());
    // Each of eight also sends the eighth of the sum that it has read.
    assert_eq!(sent(&program), 9 * size);
}

#[test]
fn a_rank_alone_sends_nothing() {
    for kind in Kind::ALL {
        let program = collective(kind, &layouts::hosts(1), Bytes::new(100));
        assert_eq!(program.n_messages(), 0, "{}", kind.name());
        let program = collective(kind, &[], Bytes::new(100));
        assert_eq!(program.n_messages(), 0, "{}", kind.name());
    }
}

#[test]
fn the_bound_on_streams_holds() {
    let bytes = Bytes::new(1 << 20);
    for kind in Kind::ALL {
        for ranks in layouts::all() {
            for options in layouts::options() {
                let most = streams_at_most(kind, &ranks, bytes, &options);
                let program = collective_over(kind, &ranks, bytes, &options);
                let made = program.streams().len() as u64;
                assert!(made <= most, "{}: {made} of {most}", kind.name());
            }
        }
    }
}

#[test]
fn options_out_of_bounds_count_as_the_nearest_bound() {
    let ranks = layouts::domains(&[2, 2]);
    let with = |channels, chunk, window| {
        let options = Options {
            channels,
            chunk,
            window,
            ..Options::default()
        };
        collective_over(Kind::DoubleTree, &ranks, Bytes::new(100), &options)
    };
    assert_eq!(with(0, 0, 0), with(1, 1, 1));
    assert_eq!(with(u32::MAX, 7, 1), with(64, 7, 1));
}
