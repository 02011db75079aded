//! A group of ranks, as arithmetic.

use units::RankId;

/// An ordered group of ranks, as arithmetic: two nested progressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    pub(crate) first: u32,
    /// Size and stride of the progression with the smaller stride.
    pub(crate) inner: (u32, u32),
    pub(crate) outer: (u32, u32),
}

impl Group {
    /// How many ranks.
    pub const fn len(&self) -> u32 {
        self.inner.0 * self.outer.0
    }

    /// Never: a rank is in its own group.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The lowest rank.
    pub const fn first(&self) -> RankId {
        RankId::new(self.first)
    }

    /// The rank at a place in the group.
    pub const fn get(&self, index: u32) -> RankId {
        let (inner, outer) = (index % self.inner.0, index / self.inner.0);
        RankId::new(self.first + inner * self.inner.1 + outer * self.outer.1)
    }

    /// The ranks, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RankId> + use<> {
        let group = *self;
        (0..self.len()).map(move |index| group.get(index))
    }

    /// The place of a rank in the group, where it is in it.
    pub fn position(&self, rank: RankId) -> Option<u32> {
        let offset = rank.get().checked_sub(self.first)?;
        let outer = (offset / self.outer.1).min(self.outer.0 - 1);
        let inner = (offset - outer * self.outer.1) / self.inner.1;
        let index = outer * self.inner.0 + inner;
        (inner < self.inner.0 && self.get(index) == rank).then_some(index)
    }

    /// The part of the group with a rank that shards something: blocks of `size` ranks in a
    /// row. `size` must divide the group.
    pub fn shard(&self, rank: RankId, size: u32) -> Vec<RankId> {
        let block = self.position(rank).unwrap_or(0) / size.max(1);
        let end = ((block + 1) * size).min(self.len());
        (block * size..end).map(|index| self.get(index)).collect()
    }

    /// The ranks that hold the same shard as a rank, one of each block of `size` ranks.
    pub fn replicas(&self, rank: RankId, size: u32) -> Vec<RankId> {
        let offset = self.position(rank).unwrap_or(0) % size.max(1);
        let blocks = self.len() / size.max(1);
        (0..blocks)
            .map(|block| self.get(block * size + offset))
            .collect()
    }
}
