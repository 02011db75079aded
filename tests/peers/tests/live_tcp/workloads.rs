//! Who sends how much to whom. Sizes differ so that predicted ends fall into groups far apart.

use traffic::{Flow, Flows};
use units::{Bytes, HostId, SimTime};

/// Every host sends to one and receives from one. On their leaf's only link up to the spine of
/// their receivers two flows of leaf 0 meet, and two of leaf 1; those of leaf 2 are alone.
pub(crate) fn permutation() -> Flows {
    let flows = [
        (0, 2, 3_000),
        (1, 4, 15_000),
        (2, 1, 3_000),
        (3, 5, 15_000),
        (4, 3, 1_000),
        (5, 0, 6_000),
    ];
    Flows::new(flows.map(flow).to_vec(), &[]).expect("no cycle")
}

/// All send to host 0 and share its link, one from its own leaf.
pub(crate) fn incast() -> Flows {
    let flows = [
        (1, 0, 4_000),
        (2, 0, 1_000),
        (3, 0, 20_000),
        (4, 0, 4_000),
        (5, 0, 1_000),
    ];
    Flows::new(flows.map(flow).to_vec(), &[]).expect("no cycle")
}

/// Three rounds of a ring over all hosts: in each a host passes on what it had received in the
/// round before, as in a collective; rounds grow so that they can be told apart.
pub(crate) fn ring() -> Flows {
    let hosts = 6;
    let rounds = [2_000, 6_000, 15_000];
    let list = rounds.iter().flat_map(|&size| {
        let next = move |host| flow((host, (host + 1) % hosts, size));
        (0..hosts).map(next)
    });
    let before = |place: u32| match place.checked_sub(hosts) {
        None => Vec::new(),
        Some(same) => vec![same / hosts * hosts + (same + hosts - 1) % hosts],
    };
    let after: Vec<_> = (0..hosts * 3).map(before).collect();
    Flows::new(list.collect(), &after).expect("no cycle")
}

/// Kilobytes from one host to another.
fn flow((src, dst, kilobytes): (u32, u32, u64)) -> Flow {
    Flow {
        src: HostId::new(src),
        dst: HostId::new(dst),
        bytes: Bytes::new(kilobytes * 1000),
        start: SimTime::ZERO,
    }
}
