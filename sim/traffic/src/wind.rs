//! Winding: flows that follow each other as the steps of streams.
//!
//! A list of flows says a collective message by message: step `k` of a ring over `H` hosts is `H`
//! flows, each after the one before it on its own link and the one before that arrived at its
//! sender. Streams say the same with one entry for each link, so that what is alike is found among
//! `H` streams instead of `2 H (H − 1)` flows:
//!
//! ```text
//! flows    a0  b0   a1(a0 b0)  b1(b0 a0)   a2(a1 b1)  b2(b1 a1)
//! streams  a: 3 steps, after b with a lag of 1    b: 3 steps, after a with a lag of 1
//! ```
//!
//! The streams of a wound program release every message exactly when the flows would.

use crate::program::{Program, Route, Stream, Wait, count};

/// Fewer flows than this are not worth winding.
const FEW: usize = 256;

/// Streams have to be at least so many times fewer than flows.
const SHORTER: usize = 4;

/// The most streams that one stream may wait for: one bit of a word each.
const MOST_WAITS: usize = 64;

/// A program of streams that does what a program of single messages does.
#[derive(Debug)]
pub(crate) struct Wound {
    pub(crate) program: Program,
    /// By message of the program that was wound: its place among the messages of this one.
    pub(crate) places: Vec<u32>,
}

/// Winds a program of single messages; `None` where they do not follow each other in one pattern.
pub(crate) fn wind(program: &Program) -> Option<Wound> {
    let streams = program.streams();
    let single = |stream: &Stream| stream.steps == 1 && stream.route != Route::LeastLoaded;
    if streams.len() < FEW || !streams.iter().all(single) {
        return None;
    }
    let chains = Chains::find(program)?;
    let waits = chains.waits(program)?;
    if !chains.follow(program, &waits) {
        return None;
    }
    let mut wound = Program::new();
    let mut first = Vec::with_capacity(chains.heads.len());
    let mut messages = 0;
    for ((&head, &steps), waits) in chains.heads.iter().zip(&chains.steps).zip(waits) {
        first.push(messages);
        messages += steps;
        let stream = Stream {
            steps,
            window: 1,
            ..streams[head as usize]
        };
        wound.push(stream, waits);
    }
    let of = chains.of.iter();
    let places = of.map(|&(chain, step)| first[chain as usize] + step);
    Some(Wound {
        program: wound,
        places: places.collect(),
    })
}

/// Messages of one pair of hosts and one size, each after the one before it.
struct Chains {
    /// By message: its chain and its step there.
    of: Vec<(u32, u32)>,
    /// By chain: its first message.
    heads: Vec<u32>,
    /// By chain: how many messages it has.
    steps: Vec<u32>,
}

impl Chains {
    /// Follows messages back to the first of their chain; `None` where chains are short, or a
    /// message waits for a later one.
    fn find(program: &Program) -> Option<Self> {
        let streams = program.streams();
        let limit = streams.len() / SHORTER;
        let mut chains = Self {
            of: Vec::with_capacity(streams.len()),
            heads: Vec::new(),
            steps: Vec::new(),
        };
        for (message, stream) in streams.iter().enumerate() {
            let mut before = None;
            for wait in program.waits(message) {
                let &(chain, step) = chains.of.get(wait.stream as usize)?;
                let head = &streams[chains.heads[chain as usize] as usize];
                let extends = step + 1 == chains.steps[chain as usize];
                if extends && before.is_none() && continues(head, stream) {
                    before = Some(chain);
                }
            }
            let chain = if let Some(chain) = before {
                chain
            } else {
                if chains.heads.len() == limit {
                    return None;
                }
                chains.heads.push(count(message));
                chains.steps.push(0);
                count(chains.heads.len() - 1)
            };
            let steps = &mut chains.steps[chain as usize];
            chains.of.push((chain, *steps));
            *steps += 1;
        }
        Some(chains)
    }

    /// By message, what it waits for as a chain with a lag, its own left out; `None` for a later
    /// step of another chain.
    fn waits_of<'a>(
        &'a self,
        program: &'a Program,
        message: usize,
    ) -> impl Iterator<Item = Option<Wait>> + 'a {
        let (own, step) = self.of[message];
        let others = program.waits(message).iter();
        let others = others.map(|wait| self.of[wait.stream as usize]);
        others
            .filter(move |(chain, _)| *chain != own)
            .map(move |(stream, before)| {
                let lag = step.checked_sub(before)?;
                Some(Wait { stream, lag })
            })
    }

    /// By chain, what any of its messages waits for.
    fn waits(&self, program: &Program) -> Option<Vec<Vec<Wait>>> {
        let mut waits: Vec<Vec<Wait>> = vec![Vec::new(); self.heads.len()];
        for (message, (chain, _)) in self.of.iter().enumerate() {
            let all = &mut waits[*chain as usize];
            for wait in self.waits_of(program, message) {
                let wait = wait?;
                if !all.contains(&wait) {
                    all.push(wait);
                }
            }
            if MOST_WAITS < all.len() {
                return None;
            }
        }
        Some(waits)
    }

    /// Whether every message waits for all that its chain waits for, as far as it is there.
    fn follow(&self, program: &Program, waits: &[Vec<Wait>]) -> bool {
        let follows = |(message, &(chain, step)): (usize, &(u32, u32))| {
            let all = &waits[chain as usize];
            let bit = |wait: Wait| all.iter().position(|other| *other == wait);
            let found = self.waits_of(program, message).flatten().filter_map(bit);
            let found = found.fold(0_u64, |bits, bit| bits | 1 << bit);
            let there = |wait: &&Wait| {
                let steps = self.steps[wait.stream as usize];
                step.checked_sub(wait.lag)
                    .is_some_and(|before| before < steps)
            };
            found.count_ones() as usize == all.iter().filter(there).count()
        };
        self.of.iter().enumerate().all(follows)
    }
}

/// Whether a message can be a later step of a stream that begins with `head`.
fn continues(head: &Stream, message: &Stream) -> bool {
    let as_head = Stream {
        start: head.start,
        ..*message
    };
    message.start <= head.start && as_head == *head
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cluster::{Cluster, ClusterNetwork, example};
    use network::Share;
    use units::{Bytes, Control, HostId, SimTime};

    use super::*;
    use crate::{Flow, Flows, Keep, run, run_folded};

    const HOSTS: u32 = 8;

    /// A ring of so many steps as flows; `skips` leaves out what one of them waits for.
    fn ring(steps: u32, skips: Option<usize>) -> Program {
        let (mut flows, mut after) = (Vec::new(), Vec::new());
        for step in 0..steps {
            for host in 0..HOSTS {
                flows.push(Flow {
                    src: HostId::new(host),
                    dst: HostId::new((host + 1) % HOSTS),
                    bytes: Bytes::new(1 << 20),
                    start: SimTime::ZERO,
                });
                let before = |host| (step.wrapping_sub(1)) * HOSTS + host;
                after.push(if step == 0 {
                    Vec::new()
                } else {
                    vec![before(host), before((host + HOSTS - 1) % HOSTS)]
                });
            }
        }
        if let Some(flow) = skips {
            after[flow].pop();
        }
        Program::from(&Flows::new(flows, &after).unwrap())
    }

    #[test]
    fn a_ring_of_flows_is_a_stream_a_host() {
        let wound = wind(&ring(40, None)).unwrap();
        assert_eq!(wound.program.streams().len(), HOSTS as usize);
        for host in 0..HOSTS {
            let stream = (host + HOSTS - 1) % HOSTS;
            assert_eq!(
                wound.program.waits(host as usize),
                [Wait { stream, lag: 1 }]
            );
        }
        assert_eq!(wound.places[usize::try_from(HOSTS).unwrap()], 1);
    }

    #[test]
    fn a_flow_that_does_not_wait_as_the_others_keeps_all_apart() {
        assert!(wind(&ring(40, Some(100))).is_none());
    }

    #[test]
    fn chains_of_different_lengths_wait_as_far_as_they_go() {
        // The last host stops early: nobody waits for steps that it does not have.
        let whole = ring(40, None);
        let keep: Vec<usize> = (0..320).filter(|at| at % 8 != 7 || *at < 160).collect();
        let mut flows = Vec::new();
        let mut after = Vec::new();
        for &at in &keep {
            let stream = whole.streams()[at];
            flows.push(Flow {
                src: stream.src,
                dst: stream.dst,
                bytes: stream.bytes,
                start: stream.start,
            });
            let waits = whole.waits(at).iter();
            let waits = waits.filter_map(|wait| keep.binary_search(&(wait.stream as usize)).ok());
            after.push(waits.map(count).collect());
        }
        let program = Program::from(&Flows::new(flows, &after).unwrap());
        let wound = wind(&program).unwrap();
        assert_eq!(wound.program.streams()[7].steps, 20);
        same_times(&program);
    }

    #[test]
    fn wound_flows_end_when_single_ones_do() {
        same_times(&ring(40, None));
    }

    /// Streams of random lengths and waits, as flows step by step.
    fn random(seed: u64) -> Program {
        let mut state = seed;
        let mut draw = |below: u32| {
            state = units::math::mix(state);
            u32::try_from(state >> 33).unwrap() % below
        };
        let chains: Vec<(u32, u32)> = (0..12).map(|_| (draw(HOSTS), 30 + draw(30))).collect();
        // Without a lag only for earlier streams.
        let waits: Vec<Vec<(usize, u32)>> = (0..12)
            .map(|own| {
                let waits = (0..draw(4)).map(|_| {
                    let other = draw(12) as usize;
                    (other, draw(3) + u32::from(own <= other))
                });
                let mut waits: Vec<_> = waits.filter(|(other, _)| *other != own).collect();
                waits.sort_unstable();
                waits.dedup();
                waits
            })
            .collect();
        let (mut flows, mut after) = (Vec::new(), Vec::new());
        let mut numbers = BTreeMap::new();
        for step in 0..60 {
            for (own, &(src, _)) in chains.iter().enumerate().filter(|(_, it)| step < it.1) {
                let own_before = step.checked_sub(1).map(|before| (own, before));
                let others = waits[own].iter();
                let others =
                    others.filter_map(|&(other, lag)| Some((other, step.checked_sub(lag)?)));
                let before = own_before.into_iter().chain(others);
                after.push(before.filter_map(|it| numbers.get(&it).copied()).collect());
                numbers.insert((own, step), count(flows.len()));
                flows.push(Flow {
                    src: HostId::new(src),
                    dst: HostId::new((src + 1 + count(own) % (HOSTS - 1)) % HOSTS),
                    bytes: Bytes::new((1 << 16) * (own as u64 + 1)),
                    start: SimTime::ZERO,
                });
            }
        }
        Program::from(&Flows::new(flows, &after).unwrap())
    }

    #[test]
    fn random_streams_end_alike_as_flows_and_wound() {
        for seed in 0..100 {
            let program = random(seed);
            assert_eq!(
                wind(&program).unwrap().program.streams().len(),
                12,
                "{seed}"
            );
            same_times(&program);
        }
    }

    fn same_times(program: &Program) {
        let network = ClusterNetwork::new(Cluster::build(&example::dgx_h100s(HOSTS)).unwrap());
        assert!(HOSTS <= network.n_nodes());
        let control = Control::new();
        let keep = Keep::Messages;
        let single = run(&network, program, Share::EQUAL, keep, &control).unwrap();
        let wound = run_folded(&network, program, Share::EQUAL, keep, &control).unwrap();
        assert_eq!(single.makespan, wound.makespan);
        assert_eq!(single.times, wound.times);
        for (a, b) in single.link_bytes.iter().zip(&wound.link_bytes) {
            assert!((a - b).abs() <= a * 1e-12, "{a} {b}");
        }
    }
}
