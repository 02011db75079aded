//! What an order costs.

use units::{Control, Interrupted};

use crate::Move;

/// An objective over orders of servers; smaller is better. An order names every server once, and
/// the server at index `i` takes place `i`.
pub trait Cost: Sync {
    /// The cost of one order, kept while the order changes bit by bit.
    type Walk<'a>: Walk
    where
        Self: 'a;

    /// How many servers and places there are.
    fn n_servers(&self) -> usize;

    /// The cost of an order, in seconds.
    ///
    /// # Panics
    ///
    /// May panic if the order does not name every server once.
    fn full(&self, order: &[u32]) -> f64;

    /// Starts from an order.
    ///
    /// # Panics
    ///
    /// May panic if the order does not name every server once.
    fn walk(&self, order: &[u32]) -> Self::Walk<'_>;

    /// A cost that no order undercuts, in seconds.
    fn bound(&self) -> f64;

    /// An order that no other undercuts, where that can be proved; `None` where the problem is too
    /// large or of a kind that is not known how to prove. `known` is a good order to start from.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] through the control.
    fn exact(&self, known: &[u32], control: &Control) -> Result<Option<Vec<u32>>, Interrupted> {
        let _ = (known, control);
        Ok(None)
    }
}

/// An order and its cost, changed by moves.
pub trait Walk {
    /// The order as it stands.
    fn order(&self) -> &[u32];

    /// Its cost, in seconds: the same bits as [`Cost::full`].
    fn cost(&self) -> f64;

    /// How much a move would add to the cost, in seconds; nothing changes.
    ///
    /// # Panics
    ///
    /// Unless the move [is within](Move::is_within) the order.
    fn delta(&mut self, change: Move) -> f64;

    /// Makes a move.
    ///
    /// # Panics
    ///
    /// Unless the move [is within](Move::is_within) the order.
    fn apply(&mut self, change: Move);
}
