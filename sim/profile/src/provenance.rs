//! Where a figure comes from.

use serde::{Deserialize, Serialize};
use units::Seconds;

/// How much a figure is worth. Ordered from best to worst, so that a sum takes the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Read in a measured table.
    Measured,
    /// Between the points of a measured table, or from a curve fitted on one.
    Interpolated,
    /// Outside the range of the table or the curve.
    Extrapolated,
    /// From data sheets and a default efficiency: nothing was measured on this device.
    Nominal,
}

impl Provenance {
    /// The word for it, as files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Extrapolated => "extrapolated",
            Self::Nominal => "nominal",
        }
    }
}

/// A duration and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// The duration.
    pub time: Seconds,
    /// Its worth.
    pub provenance: Provenance,
}
