//! The rows that are furthest off, with where their predicted time goes.

use predict::{Assumed, Breakdown};
use units::Bytes;

use crate::row::{Compared, Row};

/// A row whose prediction is far off.
#[derive(Clone, Debug)]
pub struct Worst {
    /// The row.
    pub row: Row,
    /// The quantity that is far off.
    pub compared: Compared,
    /// Where the predicted time goes.
    pub breakdown: Breakdown,
    /// The predicted peak of the framework's allocator.
    pub peak_allocated_bytes: Bytes,
    /// What the scenario itself leaves to defaults.
    pub defaults: Vec<Assumed>,
}

/// The places of the rows that are furthest off with the quantity that is, the worst first.
/// Rows outside every group are left out.
///
/// * `counts` — which quantities of which rows count.
pub fn furthest_off(
    rows: &[Row],
    counts: impl Fn(&Row, &Compared) -> bool,
) -> Vec<(usize, &Compared)> {
    let mut all: Vec<(f64, usize, &Compared)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let compared = row.compared.iter();
        let compared = compared.filter(|one| row.apart.is_none() && counts(row, one));
        all.extend(compared.filter_map(|one| Some((one.error()?.abs(), at, one))));
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, at, one)| (at, one)).collect()
}
