//! The shapes that a curve was fitted on.

use crate::{FitSpec, Provenance};

/// A box of shapes, or none where nothing was fitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    low: [f64; 3],
    high: [f64; 3],
    inside: Provenance,
    /// Mean absolute relative error of the fit.
    pub(crate) error: Option<f64>,
}

impl Range {
    /// A curve without a fit.
    pub(crate) const NOMINAL: Self = Self {
        low: [0.0; 3],
        high: [f64::INFINITY; 3],
        inside: Provenance::Nominal,
        error: None,
    };

    /// The box of a fit. The error is the one on rows that were not fitted, where it is known.
    pub(crate) fn of(fit: Option<&FitSpec>) -> Self {
        let Some(fit) = fit else { return Self::NOMINAL };
        let axes = [fit.x, fit.y, fit.z].map(|axis| axis.unwrap_or([0.0, f64::INFINITY]));
        Self {
            low: axes.map(|[low, _]| low),
            high: axes.map(|[_, high]| high),
            inside: Provenance::Interpolated,
            error: Some(fit.held_out.unwrap_or(fit.mape)),
        }
    }

    /// The same box, worth no more than `worst`.
    #[must_use]
    pub(crate) fn at_best(mut self, worst: Provenance) -> Self {
        self.inside = self.inside.max(worst);
        self
    }

    /// The worth of the curve where its shapes are inside the box.
    pub(crate) fn inside(&self) -> Provenance {
        self.inside
    }

    /// The worth of the curve at a shape.
    pub(crate) fn provenance(&self, shape: [f64; 3]) -> Provenance {
        let within = (0..3).all(|axis| (self.low[axis]..=self.high[axis]).contains(&shape[axis]));
        if within {
            self.inside
        } else {
            self.inside.max(Provenance::Extrapolated)
        }
    }
}
