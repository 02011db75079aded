//! Which categories are active on a lane at each instant.

use crate::{Category, Span};

/// The categories that are active at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Active(u16);

impl Active {
    /// Whether nothing is active.
    pub(crate) const fn is_idle(self) -> bool {
        self.0 == 0
    }

    /// Whether a category is active.
    pub(crate) const fn has(self, category: Category) -> bool {
        self.0 >> category.index() & 1 == 1
    }

    /// The first active category in order of attribution.
    pub(crate) fn first(self) -> Option<Category> {
        Category::ALL.get(self.0.trailing_zeros() as usize).copied()
    }

    /// Whether kernels of the forward and backward pass or of the optimizer run.
    pub(crate) const fn computes(self) -> bool {
        self.has(Category::Compute) || self.has(Category::Optimizer)
    }
}

/// Calls `visit(from, to, active)` for consecutive stretches of time, in picoseconds, that
/// cover `0..end` without gaps. The spans must be those of one lane; what lies past the end
/// does not count.
pub(crate) fn sweep<'a>(
    spans: impl Iterator<Item = &'a Span>,
    end: u64,
    mut visit: impl FnMut(u64, u64, Active),
) {
    let mut changes = Vec::new();
    for span in spans {
        let until = span.end.as_picos().min(end);
        if span.start.as_picos() < until {
            changes.push((span.start.as_picos(), span.category, true));
            changes.push((until, span.category, false));
        }
    }
    changes.sort_unstable();
    let mut counts = [0_u32; Category::ALL.len()];
    let mut active = Active(0);
    let mut now = 0;
    for (at, category, begins) in changes {
        if now < at {
            visit(now, at, active);
            now = at;
        }
        let index = category.index();
        counts[index] = if begins {
            counts[index] + 1
        } else {
            counts[index].saturating_sub(1)
        };
        active.0 = active.0 & !(1 << index) | u16::from(counts[index] != 0) << index;
    }
    if now < end {
        visit(now, end, active);
    }
}
