//! Small changes of an order.

use std::ops::Range;

/// A change of an order. The moves of Pipette's annealer are here: swap, reverse, and with
/// [`Move::Rotate`] both moving a segment and migrating one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are places in the order")]
pub enum Move {
    /// Two servers change places.
    Swap { a: usize, b: usize },
    /// The servers of places `from..to` stand in reverse.
    Reverse { from: usize, to: usize },
    /// Places `from..mid` come behind `mid..to`.
    Rotate { from: usize, mid: usize, to: usize },
}

impl Move {
    /// One server leaves its place for another; those between close up.
    pub const fn migrate(place: usize, to: usize) -> Self {
        if place < to {
            Self::Rotate {
                from: place,
                mid: place + 1,
                to: to + 1,
            }
        } else {
            Self::Rotate {
                from: to,
                mid: place,
                to: place + 1,
            }
        }
    }

    /// Whether all places exist and are in order.
    pub const fn is_within(self, n: usize) -> bool {
        match self {
            Self::Swap { a, b } => a < n && b < n,
            Self::Reverse { from, to } => from <= to && to <= n,
            Self::Rotate { from, mid, to } => from <= mid && mid <= to && to <= n,
        }
    }

    /// Makes the change.
    ///
    /// # Panics
    ///
    /// Unless it [is within](Self::is_within) the order.
    #[inline]
    pub fn make(self, order: &mut [u32]) {
        match self {
            Self::Swap { a, b } => order.swap(a, b),
            Self::Reverse { from, to } => order[from..to].reverse(),
            Self::Rotate { from, mid, to } => order[from..to].rotate_left(mid - from),
        }
    }

    /// Takes the change back.
    ///
    /// # Panics
    ///
    /// Unless it [is within](Self::is_within) the order.
    #[inline]
    pub fn unmake(self, order: &mut [u32]) {
        match self {
            Self::Rotate { from, mid, to } => order[from..to].rotate_right(mid - from),
            same => same.make(order),
        }
    }

    /// The runs of groups of `size` places that it changes; the second is empty where one run
    /// holds all. They do not overlap.
    #[inline]
    pub(crate) fn groups(self, size: usize) -> [Range<usize>; 2] {
        match self {
            Self::Swap { a, b } => {
                let (a, b) = (a / size, b / size);
                let second = if a == b { 0..0 } else { b..b + 1 };
                [a..a + 1, second]
            }
            Self::Reverse { from, to } | Self::Rotate { from, to, .. } => {
                [from / size..to.div_ceil(size), 0..0]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_moves_one_server_and_closes_up() {
        let mut order = [0, 1, 2, 3, 4];
        Move::migrate(1, 3).make(&mut order);
        assert_eq!(order, [0, 2, 3, 1, 4]);
        Move::migrate(3, 1).make(&mut order);
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn every_move_can_be_taken_back() {
        for change in [
            Move::Swap { a: 4, b: 1 },
            Move::Reverse { from: 1, to: 4 },
            Move::Rotate {
                from: 0,
                mid: 2,
                to: 5,
            },
        ] {
            let mut order = [0, 1, 2, 3, 4];
            change.make(&mut order);
            assert_ne!(order, [0, 1, 2, 3, 4]);
            change.unmake(&mut order);
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
    }
}
