//! All orders of few servers.

use units::{Control, Interrupted};

use crate::Cost;

/// Servers of which all orders are tried: 40,320, some tenths of a second.
const MOST: usize = 8;
/// Orders between two looks at the control.
const BATCH: u64 = 256;

/// The cheapest of all orders, the known one where none is cheaper; `None` for many servers
/// (Heap's algorithm, Computer Journal 6(3), 1963).
pub(crate) fn all_orders<C: Cost>(
    cost: &C,
    known: &[u32],
    control: &Control,
) -> Result<Option<Vec<u32>>, Interrupted> {
    if MOST < known.len() {
        return Ok(None);
    }
    let (mut best, mut least) = (known.to_vec(), cost.full(known));
    let mut order = known.to_vec();
    let mut counters = vec![0; order.len()];
    let (mut at, mut tried) = (0, 0_u64);
    while at < order.len() {
        if at <= counters[at] {
            counters[at] = 0;
            at += 1;
            continue;
        }
        let other = if at.is_multiple_of(2) {
            0
        } else {
            counters[at]
        };
        order.swap(other, at);
        let found = cost.full(&order);
        if found < least {
            (least, best) = (found, order.clone());
        }
        counters[at] += 1;
        at = 0;
        tried += 1;
        if tried.is_multiple_of(BATCH) && control.is_cancelled() {
            return Err(Interrupted);
        }
    }
    Ok(Some(best))
}
