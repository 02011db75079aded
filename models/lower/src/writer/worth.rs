//! What the price of a kernel is worth.

use profile::Provenance;
use units::Seconds;

/// Seconds of kernels by the worth of their price, for the report's list of assumptions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worth {
    /// Seconds by [`Provenance`], in its order.
    pub secs: [f64; 4],
}

impl Worth {
    pub(super) fn add(&mut self, provenance: Provenance, time: Seconds) {
        let index = match provenance {
            Provenance::Measured => 0,
            Provenance::Interpolated => 1,
            Provenance::Extrapolated => 2,
            Provenance::Nominal => 3,
        };
        self.secs[index] += time.as_secs();
    }
}

impl std::ops::AddAssign for Worth {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in self.secs.iter_mut().zip(other.secs) {
            *sum += more;
        }
    }
}
