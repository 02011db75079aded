//! Running work slows other work down.

use trace::Category;

use crate::account::bits;

/// Rates of compute while communication runs on the same GPU.
///
/// Communication kernels hold SMs and move bytes through the same memory, so compute beside
/// them runs at less than its undisturbed rate. The closed form of the estimate uses the same
/// table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contention {
    /// Rate of compute, of 1, while a category is active beside it; by `Category::index`.
    pub compute_beside: [f64; Category::ALL.len()],
}

impl Contention {
    /// Nothing slows anything.
    pub const NONE: Self = Self {
        compute_beside: [1.0; Category::ALL.len()],
    };

    /// Whether compute may be slower beside a category.
    pub(crate) fn slows_beside(&self, category: Category) -> bool {
        self.compute_beside[category.index()] < 1.0
    }

    /// The rate of compute beside the categories that are active, by bit: the least of the
    /// table's entries.
    pub(crate) fn compute_rate(&self, active: u16) -> f64 {
        let beside = bits(active).map(|category| self.compute_beside[category]);
        beside.fold(1.0, f64::min)
    }
}
