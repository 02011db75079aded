//! All-reduce in switches: data go up once and the sum comes down once.
//!
//! A topology has no messages that end in a switch. What a rank gives to a switch and what the
//! switch gives to its neighbor are one message from the one to the other, which loads just the
//! link up of the first and the link down of the second: over a ring of ranks, every link once in
//! each direction. Between leaves it loads one link up and one down for each leaf, as a tree of
//! switches that adds does. What is abstracted: the switches' own work, the spine at which such a
//! tree ends, and that links down wait for links up: only what follows a sum waits for all of it.
//!
//! ```text
//! 0 ──up──▶ switch ──down──▶ 1 ──up──▶ switch ──down──▶ 2 ──▶ …
//! ```

use units::math::ceil_log2;

use super::draft::{Cargo, Draft, Leg, Parts, Through, after};
use super::options::Options;
use super::tree::{Edges, Tree};
use crate::program::count;

/// All-reduce in the switch of one domain: each rank sends its data, and as the one that reads
/// `1/n` of the sum, that part for all: `S (n + 1)/n` in each direction.
///
/// Over several domains, [`nvls_tree`].
pub(super) fn nvls(draft: &mut Draft<'_>, size: u64, options: &Options) {
    if draft.ranks.domains().len() > 1 {
        return nvls_tree(draft, size, options);
    }
    let members: Vec<u32> = (0..draft.n()).collect();
    // All channels move at once.
    let share = size.div_ceil(u64::from(options.channels));
    let (steps, bytes) = options.pieces(share, 1);
    let n = u64::from(draft.n());
    let sum = bytes.saturating_mul(u64::from(options.channels));
    let leg = leg(sum.saturating_add(sum.div_ceil(n)), steps, options);
    let cargo = |_: usize| Cargo {
        through: Some(Through::Sum(0)),
        ..Cargo::range(0, 1, steps, true)
    };
    around(draft, &members, leg, |_| Vec::new(), cargo);
}

/// Sums in the switches of domains, over two trees for each rail between them, and back.
///
/// Up to the switch goes all of a rank's data, down its rail's part; on the way back it is the
/// other way round. Both ways are taken to carry half of that sum in each direction.
pub(super) fn nvls_tree(draft: &mut Draft<'_>, size: u64, options: &Options) {
    let domains = draft.ranks.domains();
    let rails = draft.ranks.widest();
    let share = size.div_ceil(2 * u64::from(rails));
    let (steps, bytes) = options.pieces(share, ceil_log2(domains.len() as u64) + 1);
    let edge = leg(bytes, steps, options);
    let inside = |members: &[u32]| {
        let all = bytes.saturating_mul(u64::from(rails));
        let own = all.div_ceil(members.len() as u64);
        leg(all.saturating_add(own), steps, options)
    };
    let sum = |draft: &mut Draft<'_>, (group, members): (u32, &Vec<u32>)| {
        let cargo = |_: usize| Cargo {
            through: Some(Through::Sum(group)),
            ..Cargo::range(0, 2 * rails, steps, true)
        };
        around(draft, members, inside(members), |_| Vec::new(), cargo)
    };
    let sums = (0..).zip(domains).map(|domain| sum(draft, domain));
    let sums: Vec<Vec<u32>> = sums.collect();
    // By part and domain, after what the sum is there.
    let ready: Vec<Vec<Vec<u32>>> = (0..2 * rails)
        .map(|part| over_tree(draft, edge, part, &sums))
        .collect();
    for (domain, members) in domains.iter().enumerate() {
        let waits = |place: usize| {
            let parts = rails_of(members, place, rails).flat_map(|rail| [2 * rail, 2 * rail + 1]);
            parts
                .flat_map(|part| ready[part as usize][domain].clone())
                .collect()
        };
        let cargo = |place: usize| Cargo {
            through: Some(Through::Copies(count(domain))),
            ..list(
                rails_of(members, place, rails).flat_map(|rail| [2 * rail, 2 * rail + 1]),
                steps,
            )
        };
        around(draft, members, inside(members), waits, cargo);
    }
}

/// A part over one of the two trees between the ranks of its rail, up after the sums of domains
/// and down; by domain, after what the sum of all is there.
fn over_tree(draft: &mut Draft<'_>, leg: Leg, part: u32, sums: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let domains = draft.ranks.domains();
    let tree = Tree::new(domains.len(), part as usize % 2);
    let heads: Vec<u32> = domains.iter().map(|own| on_rail(own, part / 2)).collect();
    let mut arrived = sums.to_vec();
    let mut edges = Edges { draft, leg, part };
    edges.up(&tree, &heads, &mut arrived, sums);
    edges.down(&tree, &heads, &mut arrived);
    arrived
}

/// Sums in the switches of the network (SHARP): each rank adds up its rail's part of its domain,
/// sends that to the switches and gives the sum to its domain (NCCL's `CollNet` direct).
///
/// In one domain, [`nvls`].
pub(super) fn collnet(draft: &mut Draft<'_>, size: u64, options: &Options) {
    let domains = draft.ranks.domains();
    if domains.len() < 2 {
        return nvls(draft, size, options);
    }
    let rails = draft.ranks.widest();
    let (steps, bytes) = options.pieces(size.div_ceil(u64::from(rails)), 2);
    let leg = leg(bytes, steps, options);
    // By domain and place, what arrives there.
    let mut arrived: Vec<Vec<Vec<u32>>> = Vec::new();
    for own in domains {
        let to = (0..own.len()).map(|place| to_rail(draft, own, place, leg));
        arrived.push(to.collect());
    }
    let mut all_summed = Vec::new();
    for rail in 0..rails {
        let heads: Vec<u32> = domains.iter().map(|own| on_rail(own, rail)).collect();
        let waits = |at: usize| arrived[at][rail as usize % domains[at].len()].clone();
        let cargo = |_: usize| Cargo {
            through: Some(Through::Sum(rail)),
            ..Cargo::range(rail, 1, steps, true)
        };
        let sums = around(draft, &heads, leg, waits, cargo);
        // A message to itself takes no time: what waits for it waits for all sums.
        let barrier = Leg {
            from: heads[0],
            to: heads[0],
            bytes: 0,
            ..leg
        };
        all_summed.push(draft.send(barrier, after(&sums), || Cargo::range(0, 0, steps, false)));
    }
    for own in domains {
        for place in 0..own.len() {
            from_rail(draft, own, place, leg, &all_summed);
        }
    }
}

/// The parts of a rank's rails, from all others of its domain.
fn to_rail(draft: &mut Draft<'_>, own: &[u32], place: usize, leg: Leg) -> Vec<u32> {
    let rails = draft.ranks.widest();
    let n_parts = rails_of(own, place, rails).count() as u64;
    let send = |&from: &u32| {
        let leg = Leg {
            from,
            to: own[place],
            bytes: leg.bytes.saturating_mul(n_parts),
            ..leg
        };
        draft.send(leg, None, || Cargo {
            adds: leg.steps,
            ..list(rails_of(own, place, rails), leg.steps)
        })
    };
    let others = own.iter().filter(|from| **from != own[place]);
    others.map(send).collect()
}

/// The sums of a rank's rails, to all others of its domain.
fn from_rail(draft: &mut Draft<'_>, own: &[u32], place: usize, leg: Leg, all_summed: &[u32]) {
    let rails = draft.ranks.widest();
    let waits: Vec<u32> = rails_of(own, place, rails)
        .map(|rail| all_summed[rail as usize])
        .collect();
    for &to in own.iter().filter(|to| **to != own[place]) {
        let leg = Leg {
            from: own[place],
            to,
            bytes: leg.bytes.saturating_mul(waits.len() as u64),
            ..leg
        };
        let cargo = || list(rails_of(own, place, rails), leg.steps);
        draft.send(leg, after(&waits), cargo);
    }
}

/// The rank of a domain on a rail.
fn on_rail(own: &[u32], rail: u32) -> u32 {
    own[rail as usize % own.len()]
}

/// The rails on which the rank at a place stands.
fn rails_of(own: &[u32], place: usize, rails: u32) -> impl Iterator<Item = u32> + use<> {
    let n = own.len();
    (0..rails).filter(move |rail| *rail as usize % n == place)
}

fn leg(bytes: u64, steps: u32, options: &Options) -> Leg {
    Leg {
        from: 0,
        to: 0,
        bytes,
        steps,
        window: options.window,
    }
}

/// Chunks of parts that replace what the receiver has.
fn list(parts: impl Iterator<Item = u32>, chunks: u32) -> Cargo {
    Cargo {
        parts: Parts::List(parts.collect()),
        ..Cargo::range(0, 0, chunks, false)
    }
}

/// A message from each member to the next one, through their switch.
fn around(
    draft: &mut Draft<'_>,
    members: &[u32],
    leg: Leg,
    waits: impl Fn(usize) -> Vec<u32>,
    cargo: impl Fn(usize) -> Cargo,
) -> Vec<u32> {
    let n = members.len();
    if n < 2 {
        return Vec::new();
    }
    let send = |place: usize| {
        let leg = Leg {
            from: members[place],
            to: members[(place + 1) % n],
            ..leg
        };
        draft.send(leg, after(&waits(place)), || cargo(place))
    };
    (0..n).map(send).collect()
}
