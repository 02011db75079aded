//! What network workloads run on: hosts, links, and the equal ways between two hosts.
//!
//! A topology answers by computing: no path is stored by pair, so that 100,000 hosts need no
//! table. Between two hosts there are `n_ways` ways of equal cost, numbered from 0 in the order
//! in which the choices on the way branch: ways that share their first links have consecutive
//! numbers.
//!
//! ```text
//! host ── access ── leaf ──┬─ spine 0 ─┬── leaf ── access ── host      way 0
//!                          ├─ spine 1 ─┤                              way 1
//!                          └─ spine s ─┘                              way s
//! ```

use units::{BytesPerSec, HostId, LinkId, Seconds};

/// How transfers that meet on a link divide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// They divide its rate.
    Shared,
    /// Each may have its whole rate: a bound on every transfer by itself.
    FatPipe,
}

/// A link as a topology's ways cross it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    /// How much it carries.
    pub rate: BytesPerSec,
    /// How long a first byte takes.
    pub latency: Seconds,
    /// How transfers divide it.
    pub sharing: Sharing,
}

/// Which way traffic goes over a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Both ways share one link.
    Both,
    /// Away from where the cable's name begins.
    Up,
    /// Towards it.
    Down,
}

impl Direction {
    /// The direction as results print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What a link is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireName {
    /// Of the cable.
    pub name: String,
    /// Of the link in it.
    pub direction: Direction,
}

/// Hosts, links and ways.
///
/// Invariants: links are numbered from 0 without gaps; `way(from, to, w)` of a `w` below
/// `n_ways(from, to)` is the same whenever it is asked; ways whose first links are the same have
/// consecutive numbers. Two pairs of hosts that meet over switches ([`Topology::meets`]) and have
/// equal [`Topology::access`] on both sides have equally many ways, and ways of the same number
/// cross the same links but for those that belong to the hosts ([`Topology::own_links`]): mostly
/// the first and the last one.
pub trait Topology {
    /// How many hosts there are.
    fn n_hosts(&self) -> u32;

    /// The name of a host.
    fn host_name(&self, host: HostId) -> String;

    /// The host of that name.
    fn host_named(&self, name: &str) -> Option<HostId>;

    /// How many links there are.
    fn n_links(&self) -> u32;

    /// What a link is.
    fn wire(&self, link: LinkId) -> Wire;

    /// What a link is called.
    fn wire_name(&self, link: LinkId) -> WireName;

    /// The switch, or group of switches, that a host hangs on, as a number of its own kind.
    fn access(&self, host: HostId) -> u32;

    /// How many ways of equal cost lead from one host to another: 0 where none does, 1 where
    /// both are the same.
    fn n_ways(&self, from: HostId, to: HostId) -> u32;

    /// The way that static routing by destination takes.
    fn static_way(&self, from: HostId, to: HostId) -> u32;

    /// Appends the links of a way; nothing where both hosts are the same and none loops back.
    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>);

    /// Whether the ways between two hosts lead over switches that others use, too: not inside a
    /// host, nor inside a domain of GPUs.
    fn meets(&self, from: HostId, to: HostId) -> bool {
        from != to
    }

    /// How many links at the beginning and at the end of a way belong to the hosts: those to the
    /// first switch of the network and from the last. All of them count as the beginning where the
    /// hosts do not meet over switches.
    fn own_links(&self, from: HostId, to: HostId, way: u32) -> [usize; 2] {
        let mut links = Vec::new();
        self.way(from, to, way, &mut links);
        match links.len() {
            n if self.meets(from, to) && 1 < n => [1, 1],
            n => [n, 0],
        }
    }

    /// How long a first byte takes over a way.
    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        let mut links = Vec::new();
        self.way(from, to, way, &mut links);
        links.iter().map(|&link| self.wire(link).latency).sum()
    }
}

impl<T: Topology + ?Sized> Topology for &T {
    fn n_hosts(&self) -> u32 {
        (**self).n_hosts()
    }

    fn host_name(&self, host: HostId) -> String {
        (**self).host_name(host)
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        (**self).host_named(name)
    }

    fn n_links(&self) -> u32 {
        (**self).n_links()
    }

    fn wire(&self, link: LinkId) -> Wire {
        (**self).wire(link)
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        (**self).wire_name(link)
    }

    fn access(&self, host: HostId) -> u32 {
        (**self).access(host)
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        (**self).n_ways(from, to)
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        (**self).static_way(from, to)
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        (**self).way(from, to, way, out);
    }

    fn meets(&self, from: HostId, to: HostId) -> bool {
        (**self).meets(from, to)
    }

    fn own_links(&self, from: HostId, to: HostId, way: u32) -> [usize; 2] {
        (**self).own_links(from, to, way)
    }

    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        (**self).latency(from, to, way)
    }
}
