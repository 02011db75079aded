//! Zones and what stands in them.

use std::sync::Arc;

use units::HostId;

use super::edge::{Edge, Edges};
use super::regular::Regular;
use super::shortest::{Dijkstra, Floyd};
use super::star::Star;

/// What a point of the platform is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Host(HostId),
    Router,
    Zone(u32),
}

/// A point between which routes lead: a host, a router, or a zone as a whole.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) name: Arc<str>,
    /// The zone that it is a member of; none for the outermost zone.
    pub(super) zone: Option<u32>,
    /// Its place among the zone's members.
    pub(super) place: u32,
    pub(super) what: What,
    /// Whether a route between zones names it.
    pub(super) gateway: bool,
}

/// How a zone routes.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Nothing,
    Full(Edges),
    Floyd(Floyd),
    Dijkstra(Dijkstra),
    Star(Star),
    Regular(Box<Regular>),
}

impl Kind {
    /// The routing as files name it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "None",
            Self::Full(_) => "Full",
            Self::Floyd(_) => "Floyd",
            Self::Dijkstra(_) => "Dijkstra",
            Self::Star(_) | Self::Regular(_) => "Cluster",
        }
    }

    /// The route between two members that the file lists as such.
    pub(super) fn edge(&self, from: u32, to: u32) -> Option<&Edge> {
        match self {
            Self::Full(edges) => edges.get(from, to),
            Self::Floyd(floyd) => floyd.edges.get(from, to),
            Self::Dijkstra(dijkstra) => dijkstra.edges.get(from, to),
            Self::Nothing | Self::Star(_) | Self::Regular(_) => None,
        }
    }
}

/// A zone.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) point: u32,
    pub(super) parent: Option<u32>,
    pub(super) depth: u32,
    /// How many members it has.
    pub(super) members: u32,
    /// Whether its members are zones.
    pub(super) holds_zones: bool,
    pub(super) kind: Kind,
    /// Routes that replace those of the rule, by the points of their ends.
    pub(super) bypasses: Edges,
}
