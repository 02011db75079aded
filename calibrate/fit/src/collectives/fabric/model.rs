//! Predictions of a site's rows by factors on constants.

use std::cell::OnceCell;

use collective::Priced;
use profile::{CollectiveKind, CommProfile};
use units::math::ln;

use super::knobs::{Knob, RATE_NAME, Target};
use super::site::{Row, Rows, Setup};
use crate::least_squares::{self, Fit, Model, Options, Parameter};

/// Kinds whose constants are fitted; others are compared.
const FITTED: [CollectiveKind; 6] = [
    CollectiveKind::AllReduce,
    CollectiveKind::AllGather,
    CollectiveKind::ReduceScatter,
    CollectiveKind::AllToAll,
    CollectiveKind::Broadcast,
    CollectiveKind::Reduce,
];

/// Factors on the rate of the network from which a search starts, the prior first.
const RATES: [f64; 3] = [1.0, 0.6, 0.3];

/// Rows and the constants that price them.
#[derive(Clone, Debug)]
pub(super) struct FabricModel<'a> {
    pub(super) rows: &'a Rows,
    pub(super) knobs: &'a [Knob],
    pub(super) base: &'a CommProfile,
    /// The entries that are fitted: a place in [`CommProfile::scale_up`], and one in
    /// [`CommProfile::network`].
    pub(super) entries: [usize; 2],
    weights: Vec<f64>,
}

impl<'a> FabricModel<'a> {
    pub(super) fn new(
        rows: &'a Rows,
        base: &'a CommProfile,
        knobs: &'a [Knob],
        entries: [usize; 2],
    ) -> Self {
        let mut model = Self {
            rows,
            knobs,
            base,
            entries,
            weights: Vec::new(),
        };
        let weight = |row: &Row| {
            let setup = &rows.setups[row.setup];
            let is_fitted =
                FITTED.contains(&setup.kind) && (setup.shape.domains > 1 || model.fits_inside());
            if is_fitted { row.weight } else { 0.0 }
        };
        model.weights = rows.sizes.iter().map(weight).collect();
        model
    }

    /// Whether constants inside domains are fitted.
    pub(super) fn fits_inside(&self) -> bool {
        let targets = self.knobs.iter().map(|knob| knob.target);
        targets
            .into_iter()
            .any(|target| matches!(target, Target::Inside(_)))
    }

    /// The same without some rows.
    pub(super) fn without(&self, left_out: &[usize]) -> Self {
        let mut model = self.clone();
        for &row in left_out {
            model.weights[row] = 0.0;
        }
        model
    }

    pub(super) fn is_fitted(&self, row: usize) -> bool {
        0.0 < self.weights[row]
    }

    pub(super) fn setup(&self, row: usize) -> &Setup {
        &self.rows.setups[self.rows.sizes[row].setup]
    }

    /// Rows that constants are fitted to.
    pub(super) fn fitted(&self) -> Vec<usize> {
        (0..self.weights.len())
            .filter(|row| self.is_fitted(*row))
            .collect()
    }

    pub(super) fn is_between(&self, row: usize) -> bool {
        self.setup(row).shape.domains > 1
    }

    pub(super) fn has_network_rows(&self) -> bool {
        self.fitted().into_iter().any(|row| self.is_between(row))
    }

    /// Constants times factors.
    pub(super) fn constants(&self, values: &[f64]) -> CommProfile {
        let mut comm = self.base.clone();
        let [inside, between] = self.entries;
        for (knob, &by) in self.knobs.iter().zip(values) {
            match knob.target {
                Target::Between(scale) => {
                    if let Some(own) = &mut comm.network[between].reached {
                        scale(own, by);
                    }
                }
                Target::Pairs(scale) => scale(&mut comm.network[between], by),
                Target::Inside(scale) => {
                    if let Some(own) = &mut comm.scale_up[inside].reached {
                        scale(own, by);
                    }
                }
            }
        }
        comm
    }

    /// The constants with the least cost.
    ///
    /// Where the inside of a domain is what binds, a little less of a network's rate changes
    /// nothing, and a search from the prior would leave it there: so it starts from slow networks,
    /// too.
    pub(super) fn fit(&self, known: &[Parameter], options: &Options) -> Fit {
        let from = |rate: f64| {
            let start = known.iter().map(|known| {
                if known.name == RATE_NAME {
                    rate
                } else {
                    known.prior
                }
            });
            let start: Vec<f64> = start.collect();
            least_squares::fit_from(self, known, &start, options)
        };
        let [first, others @ ..] = RATES.map(from);
        let better = |best: Fit, next: Fit| if next.cost < best.cost { next } else { best };
        others.into_iter().fold(first, better)
    }

    /// Natural logarithms of predicted over measured.
    pub(super) fn log_errors_of(&self, values: &[f64]) -> Vec<f64> {
        let all: Vec<usize> = (0..self.rows.sizes.len()).collect();
        self.log_errors(values, &all)
    }
}

impl Model for FabricModel<'_> {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let comm = self.constants(values);
        let priced: Vec<OnceCell<Priced<'_>>> = vec![OnceCell::new(); self.rows.setups.len()];
        let error = |&at: &usize| {
            let row = &self.rows.sizes[at];
            let setup = self.setup(at);
            let priced = priced[row.setup]
                .get_or_init(|| Priced::new(setup.kind, &setup.shape, &comm, &setup.choice));
            ln(priced.time(row.bytes).time.as_micros() / row.micros)
        };
        rows.iter().map(error).collect()
    }

    fn rows_of(&self, parameter: usize) -> Vec<usize> {
        let is_pairs = |row: usize| self.setup(row).kind == CollectiveKind::AllToAll;
        let is_touched = |row: &usize| match self.knobs[parameter].target {
            Target::Between(_) => self.is_between(*row) && !is_pairs(*row),
            Target::Pairs(_) => self.is_between(*row) && is_pairs(*row),
            Target::Inside(_) => true,
        };
        self.fitted().into_iter().filter(is_touched).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}
