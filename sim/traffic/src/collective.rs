//! Collectives as programs: who sends what to whom, after what.
//!
//! `n` hosts in the order given, `S` bytes.
//!
//! | kind | streams |
//! |---|---|
//! | `ring` | all-reduce: each host to the next, 2 (n − 1) steps of ⌈S/n⌉, each after the one before it arrived |
//! | `all_gather`, `reduce_scatter` | the same in n − 1 steps; `S` is the size of the whole buffer |
//! | `alltoall` | every ordered pair at once, `S` each |
//! | `permutation` | host i to i + n/2, `S` each |
//! | `sendrecv` | host i to i + 1, `S` each |

use units::{Bytes, HostId};

use crate::program::{Program, Stream, Wait, count};

/// A collective that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All-reduce over a ring.
    Ring,
    /// Gather everybody's part at everybody over a ring.
    AllGather,
    /// Reduce everybody's part at its owner over a ring.
    ReduceScatter,
    /// Every ordered pair.
    AllToAll,
    /// Everybody to the host half way round.
    Permutation,
    /// Everybody to the next.
    SendRecv,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Ring,
        Self::AllGather,
        Self::ReduceScatter,
        Self::AllToAll,
        Self::Permutation,
        Self::SendRecv,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::AllGather => "all_gather",
            Self::ReduceScatter => "reduce_scatter",
            Self::AllToAll => "alltoall",
            Self::Permutation => "permutation",
            Self::SendRecv => "sendrecv",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A collective over hosts.
pub fn collective(kind: Kind, hosts: &[HostId], bytes: Bytes) -> Program {
    let n = count(hosts.len());
    match kind {
        Kind::Ring => ring(
            hosts,
            bytes.as_u64().div_ceil(u64::from(n.max(1))),
            2 * n.saturating_sub(1),
        ),
        Kind::AllGather | Kind::ReduceScatter => ring(
            hosts,
            bytes.as_u64().div_ceil(u64::from(n.max(1))),
            n.saturating_sub(1),
        ),
        Kind::AllToAll => all_to_all(hosts, bytes),
        Kind::Permutation => shifted(hosts, bytes, hosts.len() / 2),
        Kind::SendRecv => shifted(hosts, bytes, 1),
    }
}

/// Steps around a ring: a host's next step goes when its last one has arrived and it has its
/// predecessor's.
fn ring(hosts: &[HostId], part: u64, steps: u32) -> Program {
    let n = hosts.len();
    let mut program = Program::new();
    for (at, &src) in hosts.iter().enumerate() {
        let stream = Stream {
            steps,
            ..Stream::message(src, hosts[(at + 1) % n], Bytes::new(part))
        };
        let before = Wait {
            stream: count((at + n - 1) % n),
            lag: 1,
        };
        program.push(stream, (0 < steps).then_some(before));
    }
    program
}

fn all_to_all(hosts: &[HostId], bytes: Bytes) -> Program {
    let n = hosts.len();
    let mut program = Program::new();
    for (at, &src) in hosts.iter().enumerate() {
        for step in 1..n {
            program.push(Stream::message(src, hosts[(at + step) % n], bytes), None);
        }
    }
    program
}

fn shifted(hosts: &[HostId], bytes: Bytes, by: usize) -> Program {
    let n = hosts.len();
    let mut program = Program::new();
    for (at, &src) in hosts
        .iter()
        .enumerate()
        .filter(|_| !by.is_multiple_of(n.max(1)))
    {
        program.push(Stream::message(src, hosts[(at + by) % n], bytes), None);
    }
    program
}
