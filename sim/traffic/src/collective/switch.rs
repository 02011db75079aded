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
    let leg = Leg {
        from: 0,
        to: 0,
        bytes: sum.saturating_add(sum.div_ceil(n)),
        steps,
        window: options.window,
    };
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
    let height = units::math::ceil_log2(domains.len() as u64);
    let (steps, bytes) = options.pieces(share, height + 1);
    let edge = Leg {
        from: 0,
        to: 0,
        bytes,
        steps,
        window: options.window,
    };
    let inside = |members: &[u32]| {
        let m = members.len() as u64;
        let all = u64::from(rails).saturating_mul(bytes);
        Leg {
            bytes: all.saturating_add(all.div_ceil(m)),
            ..edge
        }
    };
    let sums: Vec<Vec<u32>> = (0_u32..)
        .zip(domains)
        .map(|(group, members)| {
            let cargo = |_: usize| Cargo {
                through: Some(Through::Sum(group)),
                ..Cargo::range(0, 2 * rails, steps, true)
            };
            around(draft, members, inside(members), |_| Vec::new(), cargo)
        })
        .collect();
    // By domain and part, after what its sum is there.
    let mut ready: Vec<Vec<Vec<u32>>> = vec![Vec::new(); domains.len()];
    for part in 0..2 * rails {
        let tree = Tree::new(domains.len(), part as usize % 2);
        let head = |members: &Vec<u32>| members[part as usize / 2 % members.len()];
        let heads: Vec<u32> = domains.iter().map(head).collect();
        let mut arrived = sums.clone();
        let mut edges = Edges {
            draft,
            leg: edge,
            part,
        };
        edges.up(&tree, &heads, &mut arrived, &sums);
        edges.down(&tree, &heads, &mut arrived);
        for (ready, arrived) in ready.iter_mut().zip(arrived) {
            ready.push(arrived);
        }
    }
    for (group, (members, ready)) in (0_u32..).zip(domains.iter().zip(&ready)) {
        let own = |place: usize| {
            (0..2 * rails).filter(move |part| *part as usize / 2 % members.len() == place)
        };
        let waits = |place: usize| {
            own(place)
                .flat_map(|part| ready[part as usize].clone())
                .collect()
        };
        let cargo = |place: usize| Cargo {
            parts: Parts::List(own(place).collect()),
            through: Some(Through::Copies(count(domains.len()) + group)),
            ..Cargo::range(0, 0, steps, false)
        };
        around(draft, members, inside(members), waits, cargo);
    }
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
    let leg = |from, to, rails: usize| Leg {
        from,
        to,
        bytes: bytes.saturating_mul(rails as u64),
        steps,
        window: options.window,
    };
    let served = |own: &[u32], place: usize| -> Vec<u32> {
        (0..rails)
            .filter(|rail| *rail as usize % own.len() == place)
            .collect()
    };
    let list = |parts: &[u32], adds: bool| Cargo {
        parts: Parts::List(parts.to_vec()),
        ..Cargo::range(0, 0, steps, adds)
    };
    // By domain and place, what arrives there.
    let mut arrived: Vec<Vec<Vec<u32>>> = Vec::new();
    for own in domains {
        let mut at_places = vec![Vec::new(); own.len()];
        for (place, &to) in own.iter().enumerate() {
            let parts = served(own, place);
            for &from in own.iter().filter(|from| **from != to) {
                let leg = leg(from, to, parts.len());
                at_places[place].push(draft.send(leg, None, || list(&parts, true)));
            }
        }
        arrived.push(at_places);
    }
    let mut barriers = Vec::new();
    for rail in 0..rails {
        let heads = domains.iter().map(|own| own[rail as usize % own.len()]);
        let heads: Vec<u32> = heads.collect();
        let waits = |at: usize| arrived[at][rail as usize % domains[at].len()].clone();
        let cargo = |_: usize| Cargo {
            through: Some(Through::Sum(rail)),
            ..Cargo::range(rail, 1, steps, true)
        };
        let sums = around(draft, &heads, leg(0, 0, 1), waits, cargo);
        // A message to itself takes no time: what waits for it waits for all sums.
        let barrier = Leg {
            bytes: 0,
            ..leg(heads[0], heads[0], 1)
        };
        barriers.push(draft.send(barrier, after(&sums), || list(&[], false)));
    }
    for own in domains {
        for (place, &from) in own.iter().enumerate() {
            let parts = served(own, place);
            let waits: Vec<u32> = parts.iter().map(|rail| barriers[*rail as usize]).collect();
            for &to in own.iter().filter(|to| **to != from) {
                let leg = leg(from, to, parts.len());
                draft.send(leg, after(&waits), || list(&parts, false));
            }
        }
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
