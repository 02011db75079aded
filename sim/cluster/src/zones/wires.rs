//! The links of a platform: those that the file lists, and blocks of those of regular clusters.

use std::collections::HashMap;
use std::sync::Arc;

use units::LinkId;

use crate::topology::{Direction, Wire};

/// A link that the file lists.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: Arc<str>,
    pub(super) direction: Direction,
    pub(super) wire: Wire,
}

/// Where the links of one block are described.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// In the list, from this place on.
    Listed(usize),
    /// By the regular cluster that is this zone.
    Zone(u32),
}

/// Links by number, and listed ones by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Wires {
    listed: Vec<Listed>,
    /// First link of each block.
    blocks: Vec<(u32, Source)>,
    len: u32,
    by_name: HashMap<Arc<str>, LinkId>,
    /// The upward link of cables that are split by direction; the downward one is the next.
    split: HashMap<Arc<str>, LinkId>,
}

impl Wires {
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The block of a link, and the link's place in it.
    pub(super) fn find(&self, link: LinkId) -> (Source, u32) {
        let block = self
            .blocks
            .partition_point(|&(first, _)| first <= link.get());
        let (first, source) = self.blocks[block - 1];
        (source, link.get() - first)
    }

    pub(super) fn listed(&self, start: usize, place: u32) -> &Listed {
        &self.listed[start + place as usize]
    }

    /// Adds a listed link; `None` where the name is taken.
    pub(super) fn add(&mut self, name: &str, direction: Direction, wire: Wire) -> Option<LinkId> {
        let full: Arc<str> = full_name(name, direction).into();
        if self.by_name.contains_key(&full) {
            return None;
        }
        if !matches!(self.blocks.last(), Some((_, Source::Listed(_)))) {
            self.blocks
                .push((self.len, Source::Listed(self.listed.len())));
        }
        let link = LinkId::new(self.len);
        self.len += 1;
        self.listed.push(Listed {
            name: name.into(),
            direction,
            wire,
        });
        self.by_name.insert(full, link);
        if direction == Direction::Up {
            self.split.insert(name.into(), link);
        }
        Some(link)
    }

    /// Adds a block of links that a zone describes.
    pub(super) fn add_block(&mut self, zone: u32, len: u32) -> LinkId {
        let first = LinkId::new(self.len);
        self.blocks.push((self.len, Source::Zone(zone)));
        self.len += len;
        first
    }

    pub(super) fn named(&self, full: &str) -> Option<LinkId> {
        self.by_name.get(full).copied()
    }

    /// The upward link of a split cable.
    pub(super) fn split(&self, name: &str) -> Option<LinkId> {
        self.split.get(name).copied()
    }
}

/// The name of a link as `SimGrid` spells it.
pub(super) fn full_name(cable: &str, direction: Direction) -> String {
    match direction {
        Direction::Both => cable.to_owned(),
        Direction::Up => format!("{cable}_UP"),
        Direction::Down => format!("{cable}_DOWN"),
    }
}
