//! Routes that a file lists.

use std::collections::HashMap;

use units::LinkId;

/// A route between two members of a zone.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) links: Box<[LinkId]>,
    /// Where it leaves the one zone and enters the other, as points, if it connects zones.
    pub(super) gateways: Option<[u32; 2]>,
}

/// The listed routes of a zone by the places of their ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    by_ends: HashMap<(u32, u32), Edge>,
}

impl Edges {
    pub(super) fn get(&self, from: u32, to: u32) -> Option<&Edge> {
        self.by_ends.get(&(from, to))
    }

    /// Adds a route; `false` where there is one already.
    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) -> bool {
        match self.by_ends.entry((from, to)) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(edge);
                true
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_ends.is_empty()
    }
}
