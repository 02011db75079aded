//! The best order that can be found, and how good it is.

use units::{Control, Interrupted, Seconds};

use crate::anneal::anneal;
use crate::{Cost, Effort, PlacementError, Progress};

/// Rounding of sums that are added in different orders, relative.
pub(crate) const ROUNDING: f64 = 1e-12;

/// An order of servers, and how good it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// The server of every place.
    pub order: Vec<u32>,
    /// What it costs.
    pub cost: Seconds,
    /// What the given order costs.
    pub given: Seconds,
    /// What every order costs at least; the cost itself where it is proven.
    pub bound: Seconds,
    /// Orders that were looked at.
    pub evaluations: u64,
    /// Whether the search was stopped before its end.
    pub partial: bool,
}

impl Placement {
    /// How much better an order could be at most, relative to the bound; 0 where it is proven.
    pub fn gap(&self) -> f64 {
        if self.is_proven() || self.bound <= Seconds::ZERO {
            0.0
        } else {
            self.cost / self.bound - 1.0
        }
    }

    /// Whether no order is better, but for rounding of sums.
    pub fn is_proven(&self) -> bool {
        self.cost.as_secs() <= self.bound.as_secs() * (1.0 + ROUNDING)
    }
}

/// Finds an order.
///
/// The given one is the answer where the bound shows that none is better, as on links that are all
/// equal. Otherwise the best of the annealing runs is, unless it can be proven or bettered
/// exactly. Equal arguments give equal answers on any number of threads, of which it uses those of
/// the current rayon pool. A cancelled control gives the best so far. `progress` is called
/// whenever a restart ends, from its thread.
///
/// # Errors
///
/// [`PlacementError::Order`] unless the given order names every server once.
///
/// ```
/// use placement::{Effort, Pipette, PipetteSpec, Spread, generated, place};
/// use units::{Bytes, Control};
///
/// let cost = Pipette::new(&PipetteSpec {
///     bandwidth: generated(8, &Spread::infiniband_200g(), 1)?,
///     pp: 4,
///     hop: Bytes::new(50_331_648),
///     gradients: Bytes::new(1_000_000_000),
/// })?;
/// let given: Vec<u32> = (0..8).collect();
/// let effort = Effort { restarts: 2, steps: 10_000, seed: 1 };
/// let found = place(&cost, &given, &effort, &Control::new(), &|_| {})?;
/// assert!(found.is_proven() && found.cost < found.given);
/// # Ok::<(), placement::PlacementError>(())
/// ```
pub fn place<C: Cost>(
    cost: &C,
    given: &[u32],
    effort: &Effort,
    control: &Control,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Placement, PlacementError> {
    check(given, cost.n_servers())?;
    let costs = Seconds::from_secs(cost.full(given));
    let mut best = Placement {
        order: given.to_vec(),
        cost: costs,
        given: costs,
        bound: Seconds::from_secs(cost.bound()),
        evaluations: 1,
        partial: false,
    };
    if best.is_proven() {
        return Ok(best);
    }
    let found = anneal(cost, given, effort, control, progress);
    best.evaluations += found.evaluations;
    best.partial = found.partial;
    (best.order, best.cost) = (found.order, Seconds::from_secs(found.cost));
    if !best.is_proven() {
        match cost.exact(&best.order, control) {
            Ok(Some(order)) => prove(cost, &mut best, order),
            Ok(None) => {}
            Err(Interrupted) => best.partial = true,
        }
    }
    Ok(best)
}

/// Takes an order that none undercuts, but keeps the one found where they cost the same.
fn prove<C: Cost>(cost: &C, best: &mut Placement, order: Vec<u32>) {
    let proven = Seconds::from_secs(cost.full(&order));
    if proven < best.cost {
        (best.order, best.cost) = (order, proven);
    }
    best.bound = best.cost;
}

fn check(order: &[u32], servers: usize) -> Result<(), PlacementError> {
    let mut seen = vec![false; servers];
    for server in order {
        if let Some(seen) = seen.get_mut(*server as usize) {
            *seen = true;
        }
    }
    if order.len() == servers && seen.iter().all(|seen| *seen) {
        return Ok(());
    }
    let given = order.len();
    Err(PlacementError::Order { given, servers })
}
