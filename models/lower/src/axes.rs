//! Which stream, category and slot the communication of an axis uses.

use task::Slot;
use trace::{Category, StreamKind};
use workload::ops::Axis;

/// Slots of the groups that every lane binds, in this order.
pub(crate) const GROUPS: [Axis; 8] = [
    Axis::Tp,
    Axis::Cp,
    Axis::Ep,
    Axis::Etp,
    Axis::EpEtp,
    Axis::Dp,
    Axis::ExpertDp,
    Axis::Pp,
];

/// The slot of an axis.
pub(crate) const fn slot(axis: Axis) -> Slot {
    match axis {
        Axis::Tp => 0,
        Axis::Cp => 1,
        Axis::Ep => 2,
        Axis::Etp => 3,
        Axis::EpEtp => 4,
        Axis::Dp => 5,
        Axis::ExpertDp => 6,
        Axis::Pp => 7,
    }
}

/// Where the communication of an axis runs and what it counts for.
pub(crate) const fn stream(axis: Axis) -> (StreamKind, Category) {
    match axis {
        Axis::Tp | Axis::Etp => (StreamKind::Tp, Category::Tp),
        Axis::Cp => (StreamKind::Cp, Category::Cp),
        Axis::Ep | Axis::EpEtp => (StreamKind::Ep, Category::Ep),
        Axis::Dp | Axis::ExpertDp => (StreamKind::Dp, Category::Dp),
        // The barriers of vocabulary parallelism run over the pipeline's ranks.
        Axis::Pp => (StreamKind::Pp, Category::Pp),
    }
}
