//! The worst of several objectives: orders that stay good when links drift.

use units::{Control, Interrupted};

use crate::exact::all_orders;
use crate::pipette::larger;
use crate::{Cost, Move, PlacementError, Walk};

/// The largest of several objectives, such as one over several snapshots of the same links.
#[derive(Clone, Debug)]
pub struct Worst<C> {
    costs: Vec<C>,
}

impl<C: Cost> Worst<C> {
    /// The worst of these.
    ///
    /// # Errors
    ///
    /// [`PlacementError::Differ`] where they are over different numbers of servers, and
    /// [`PlacementError::Length`] where there are none.
    pub fn new(costs: Vec<C>) -> Result<Self, PlacementError> {
        let Some(first) = costs.first() else {
            return Err(PlacementError::Length {
                field: "objectives",
                given: 0,
                needed: 1,
            });
        };
        let n = first.n_servers();
        if costs.iter().any(|cost| cost.n_servers() != n) {
            let field = "servers";
            return Err(PlacementError::Differ { field });
        }
        Ok(Self { costs })
    }

    /// The objectives.
    pub fn costs(&self) -> &[C] {
        &self.costs
    }
}

impl<C: Cost> Cost for Worst<C> {
    type Walk<'a>
        = WorstWalk<C::Walk<'a>>
    where
        C: 'a;

    fn n_servers(&self) -> usize {
        self.costs[0].n_servers()
    }

    fn full(&self, order: &[u32]) -> f64 {
        self.costs
            .iter()
            .map(|cost| cost.full(order))
            .fold(0.0, larger)
    }

    fn walk(&self, order: &[u32]) -> Self::Walk<'_> {
        let walks: Vec<_> = self.costs.iter().map(|cost| cost.walk(order)).collect();
        let cost = walks.iter().map(Walk::cost).fold(0.0, larger);
        WorstWalk { walks, cost }
    }

    /// No order is better in the worst case than the best one is in any case.
    fn bound(&self) -> f64 {
        self.costs.iter().map(Cost::bound).fold(0.0, larger)
    }

    fn exact(&self, known: &[u32], control: &Control) -> Result<Option<Vec<u32>>, Interrupted> {
        match self.costs.as_slice() {
            [only] => only.exact(known, control),
            _ => all_orders(self, known, control),
        }
    }
}

/// An order under [`Worst`].
#[derive(Clone, Debug)]
pub struct WorstWalk<W> {
    walks: Vec<W>,
    cost: f64,
}

impl<W: Walk> Walk for WorstWalk<W> {
    fn order(&self) -> &[u32] {
        self.walks[0].order()
    }

    fn cost(&self) -> f64 {
        self.cost
    }

    fn delta(&mut self, change: Move) -> f64 {
        let after = |walk: &mut W| walk.cost() + walk.delta(change);
        self.walks.iter_mut().map(after).fold(0.0, larger) - self.cost
    }

    fn apply(&mut self, change: Move) {
        for walk in &mut self.walks {
            walk.apply(change);
        }
        self.cost = self.walks.iter().map(Walk::cost).fold(0.0, larger);
    }
}
