//! Robust least squares in logarithms, with a prior for every parameter.
//!
//! The parameters are positive and are moved in their logarithm `θ = ln p`. A row's residual is
//! `r = ln(predicted / measured)`, and
//!
//! ```text
//! cost(θ) = Σ w · ρ((r / σ)²) + Σ ((θ − θ₀) / s)²,     ρ(z) = 2 (√(1 + z) − 1)
//! ```
//!
//! with the noise `σ` of a row, its weight `w`, and the prior `p₀` with its standard deviation
//! `s` in logarithms. `ρ` is the soft-L1 loss (Charbonnier et al., "Deterministic edge-preserving
//! regularization", IEEE Trans. Image Process. 6(2), 1997): rows far off pull with constant
//! force. Minimised by Levenberg's and Marquardt's damped steps on iteratively reweighted rows;
//! derivatives are differences. Sums run in the order of the rows, so equal input gives equal bits.

use units::math::{exp, ln};

use crate::matrix::Symmetric;

/// A positive parameter and what is believed of it before any row is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// What tables of parameters call it.
    pub name: String,
    /// The most likely value.
    pub prior: f64,
    /// Standard deviation of its natural logarithm: 0.1 = about 10 %.
    pub log_sd: f64,
}

impl Parameter {
    /// A parameter with its prior.
    pub fn new(name: impl Into<String>, prior: f64, log_sd: f64) -> Self {
        Self {
            name: name.into(),
            prior,
            log_sd,
        }
    }
}

/// Something with parameters that predicts rows.
pub trait Model {
    /// Natural logarithm of predicted over measured, for each of the rows asked for.
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64>;

    /// The rows that a parameter can change, in rising order.
    fn rows_of(&self, parameter: usize) -> Vec<usize>;

    /// What each row counts: 1, less for copies. As many as there are rows.
    fn weights(&self) -> &[f64];
}

/// How a fit is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Standard deviation of a row's residual that is expected of a good model.
    pub noise: f64,
    /// Steps at the most.
    pub steps: u32,
    /// Step of the difference that stands for a derivative, in logarithms.
    pub difference: f64,
    /// Share of the cost by which a step has to lower it for another one to follow.
    pub settled: f64,
    /// Whether slopes are measured at the end, for intervals and for fits without rows.
    pub final_slopes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            noise: 0.05,
            steps: 30,
            difference: 0.01,
            settled: 3e-4,
            final_slopes: true,
        }
    }
}

/// Parameters that fit, and what is needed to say how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The values, in the order of the parameters.
    pub values: Vec<f64>,
    /// Standard deviations of their logarithms, from curvature and priors.
    pub log_sd: Vec<f64>,
    /// Residuals of all rows at these values.
    pub residuals: Vec<f64>,
    /// Derivatives of residuals by the logarithms of parameters: for each row, parameter and slope.
    pub slopes: Vec<Vec<(usize, f64)>>,
    /// The cost at these values.
    pub cost: f64,
    /// Steps that were taken.
    pub steps: u32,
}

/// The values with the least cost, starting from the priors.
pub fn fit(model: &dyn Model, parameters: &[Parameter], options: &Options) -> Fit {
    let start: Vec<f64> = parameters.iter().map(|known| known.prior).collect();
    fit_from(model, parameters, &start, options)
}

/// The values with the least cost, starting from others than the priors.
pub fn fit_from(
    model: &dyn Model,
    parameters: &[Parameter],
    start: &[f64],
    options: &Options,
) -> Fit {
    let all: Vec<usize> = (0..model.weights().len()).collect();
    let affected: Vec<Vec<usize>> = (0..parameters.len()).map(|p| model.rows_of(p)).collect();
    let theta: Vec<f64> = start.iter().map(|value| ln(*value)).collect();
    let residuals = model.log_errors(&exped(&theta), &all);
    let fresh = |theta: &[f64], residuals: &[f64]| {
        differences(model, theta, residuals, &affected, options.difference)
    };
    let slopes = fresh(&theta, &residuals);
    let mut search = Search::new(parameters, options, model.weights().to_vec());
    search.stand(theta, residuals, slopes);
    let (mut age, mut steps) = (0, 0);
    while steps < options.steps {
        steps += 1;
        let evaluate =
            |_: &Search<'_>, next: &[f64], _: &[f64]| model.log_errors(&exped(next), &all);
        let Some(gain) = search.advance(&evaluate) else {
            // Slopes that have aged may point the wrong way.
            if age == 0 {
                break;
            }
            search.slopes = fresh(&search.theta, &search.residuals);
            (age, search.damping) = (0, DAMPING);
            continue;
        };
        age += 1;
        let settled = gain < options.settled * (1.0 + search.cost);
        if settled && age <= 1 {
            break;
        }
        if settled || OLDEST <= age {
            search.slopes = fresh(&search.theta, &search.residuals);
            age = 0;
        }
    }
    if 0 < age && options.final_slopes {
        search.slopes = fresh(&search.theta, &search.residuals);
    }
    let system = Normal::new(
        &search.residuals,
        &search.slopes,
        &search.weights,
        options.noise,
    );
    Fit {
        values: exped(&search.theta),
        log_sd: system.log_sd(parameters),
        residuals: search.residuals,
        slopes: search.slopes,
        cost: search.cost,
        steps,
    }
}

impl Fit {
    /// The values of a fit without some rows.
    ///
    /// Starts where the whole fit stands, with its slopes, and takes damped steps on the rows that
    /// are left until one gains little; slopes follow by the secant update. Rows whose prediction a step
    /// moves by less than 0.05 % are taken as linear, all others are predicted anew.
    ///
    /// * `left_out` — rows that do not count.
    pub fn without(
        &self,
        model: &dyn Model,
        parameters: &[Parameter],
        options: &Options,
        left_out: &[usize],
    ) -> Vec<f64> {
        let mut weights = model.weights().to_vec();
        for row in left_out {
            weights[*row] = 0.0;
        }
        let search = self.descend(
            model,
            parameters,
            options,
            weights,
            (&self.values, &self.residuals),
        );
        exped(&search.theta)
    }

    /// A fit of a model that differs from the fitted one in a part, or that starts from other
    /// values: steps as in [`Self::without`], from where every row is predicted anew.
    pub fn again(
        &self,
        model: &dyn Model,
        parameters: &[Parameter],
        options: &Options,
        start: &[f64],
    ) -> Again {
        let all: Vec<usize> = (0..model.weights().len()).collect();
        let before = model.log_errors(start, &all);
        let weights = model.weights().to_vec();
        let search = self.descend(model, parameters, options, weights, (start, &before));
        Again {
            before,
            after: search.residuals,
        }
    }

    fn descend<'a>(
        &self,
        model: &dyn Model,
        parameters: &'a [Parameter],
        options: &Options,
        weights: Vec<f64>,
        (start, residuals): (&[f64], &[f64]),
    ) -> Search<'a> {
        let mut search = Search::new(parameters, options, weights);
        search.tries = REFIT_TRIES;
        let theta = start.iter().map(|value| ln(*value)).collect();
        search.stand(theta, residuals.to_vec(), self.slopes.clone());
        let evaluate = |search: &Search<'_>, next: &[f64], step: &[f64]| {
            let mut residuals = search.expected(step);
            let moved: Vec<usize> = (0..residuals.len())
                .filter(|row| {
                    let by = residuals[*row] - search.residuals[*row];
                    0.0 < search.weights[*row] && LINEAR < by.abs()
                })
                .collect();
            let found = model.log_errors(&exped(next), &moved);
            for (row, error) in moved.iter().zip(found) {
                residuals[*row] = error;
            }
            residuals
        };
        for _ in 0..REFIT_STEPS {
            let Some(gain) = search.advance(&evaluate) else {
                break;
            };
            if gain < REFIT_SETTLED * options.settled * (1.0 + search.cost) {
                break;
            }
        }
        search
    }
}

/// Residuals of all rows before and behind a fit that was made once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// At the values that it started from.
    pub before: Vec<f64>,
    /// At the values that it found.
    pub after: Vec<f64>,
}

/// Where a search for the least cost stands.
struct Search<'a> {
    parameters: &'a [Parameter],
    noise: f64,
    weights: Vec<f64>,
    prior: Vec<f64>,
    theta: Vec<f64>,
    residuals: Vec<f64>,
    slopes: Vec<Vec<(usize, f64)>>,
    cost: f64,
    damping: f64,
    /// Lengths of a step that are tried.
    tries: u32,
}

/// Residuals at a place, given the step that leads there.
type Evaluate<'e> = dyn Fn(&Search<'_>, &[f64], &[f64]) -> Vec<f64> + 'e;

impl<'a> Search<'a> {
    fn new(parameters: &'a [Parameter], options: &Options, weights: Vec<f64>) -> Self {
        Self {
            parameters,
            noise: options.noise,
            weights,
            prior: parameters.iter().map(|known| ln(known.prior)).collect(),
            theta: Vec::new(),
            residuals: Vec::new(),
            slopes: Vec::new(),
            cost: 0.0,
            damping: DAMPING,
            tries: TRIES,
        }
    }

    /// Starts from a place.
    fn stand(&mut self, theta: Vec<f64>, residuals: Vec<f64>, slopes: Vec<Vec<(usize, f64)>>) {
        self.cost = self.cost_of(&residuals, &theta);
        (self.theta, self.residuals, self.slopes) = (theta, residuals, slopes);
    }

    /// Takes a step that lowers the cost, and corrects the slopes by what it changed. Returns by
    /// how much; nothing where no step lowers it.
    fn advance(&mut self, evaluate: &Evaluate<'_>) -> Option<f64> {
        let system = Normal::new(&self.residuals, &self.slopes, &self.weights, self.noise);
        for _ in 0..self.tries {
            let step = system.step(&self.theta, &self.prior, self.parameters, self.damping);
            let pairs = self.theta.iter().zip(&step);
            let next: Vec<f64> = pairs.map(|(old, by)| old + by).collect();
            let found = evaluate(self, &next, &step);
            let then = self.cost_of(&found, &next);
            if then < self.cost {
                let gain = self.cost - then;
                secant(&mut self.slopes, &step, &self.residuals, &found);
                (self.theta, self.residuals, self.cost) = (next, found, then);
                self.damping = f64::max(self.damping / 5.0, 1e-9);
                return Some(gain);
            }
            self.damping *= 8.0;
        }
        None
    }

    /// Residuals behind a step, if they were linear.
    fn expected(&self, step: &[f64]) -> Vec<f64> {
        let rows = self.residuals.iter().zip(&self.slopes);
        rows.map(|(at, slopes)| {
            let change: f64 = slopes.iter().map(|(p, slope)| slope * step[*p]).sum();
            at + change
        })
        .collect()
    }

    fn cost_of(&self, residuals: &[f64], theta: &[f64]) -> f64 {
        let rows: f64 = (residuals.iter().zip(&self.weights))
            .map(|(r, weight)| {
                let z = (r / self.noise) * (r / self.noise);
                weight * 2.0 * ((1.0 + z).sqrt() - 1.0)
            })
            .sum();
        let priors: f64 = (theta.iter().zip(&self.prior).zip(self.parameters))
            .map(|((at, prior), known)| {
                let off = (at - prior) / known.log_sd;
                off * off
            })
            .sum();
        rows + priors
    }
}

/// Damping of the first step.
const DAMPING: f64 = 1e-3;
/// Lengths of a step that are tried.
const TRIES: u32 = 4;
/// The same of a fit without some rows.
const REFIT_TRIES: u32 = 2;
/// Steps after which slopes are measured again.
const OLDEST: u32 = 4;
/// Steps of a fit without some rows, at the most.
const REFIT_STEPS: u32 = 8;
/// Share of [`Options::settled`] at which such a fit ends.
const REFIT_SETTLED: f64 = 0.2;
/// Change of a residual up to which it is taken as linear.
const LINEAR: f64 = 5e-4;

/// Corrects slopes by what a step really changed: Broyden's update, row by row, among the
/// parameters that a row has (Broyden, Math. Comp. 19, 1965; sparse: Schubert, 1970).
fn secant(slopes: &mut [Vec<(usize, f64)>], step: &[f64], before: &[f64], after: &[f64]) {
    for (row, slopes) in slopes.iter_mut().enumerate() {
        let length: f64 = slopes.iter().map(|(p, _)| step[*p] * step[*p]).sum();
        if length < 1e-12 {
            continue;
        }
        let expected: f64 = slopes.iter().map(|(p, slope)| slope * step[*p]).sum();
        let off = (after[row] - before[row] - expected) / length;
        for (parameter, slope) in slopes {
            *slope += off * step[*parameter];
        }
    }
}

fn exped(theta: &[f64]) -> Vec<f64> {
    theta.iter().map(|value| exp(*value)).collect()
}

fn differences(
    model: &dyn Model,
    theta: &[f64],
    residuals: &[f64],
    affected: &[Vec<usize>],
    step: f64,
) -> Vec<Vec<(usize, f64)>> {
    let mut slopes = vec![Vec::new(); residuals.len()];
    for (parameter, rows) in affected.iter().enumerate() {
        if rows.is_empty() {
            continue;
        }
        let mut moved = theta.to_vec();
        moved[parameter] += step;
        let there = model.log_errors(&exped(&moved), rows);
        for (row, then) in rows.iter().zip(there) {
            let slope = (then - residuals[*row]) / step;
            if slope != 0.0 && slope.is_finite() {
                slopes[*row].push((parameter, slope));
            }
        }
    }
    slopes
}

/// The normal equations of reweighted rows.
struct Normal {
    matrix: Symmetric,
    gradient: Vec<f64>,
}

impl Normal {
    fn new(residuals: &[f64], slopes: &[Vec<(usize, f64)>], weights: &[f64], noise: f64) -> Self {
        let last = slopes.iter().flatten().map(|(parameter, _)| parameter + 1);
        let n = last.max().unwrap_or(0);
        let mut matrix = Symmetric::zero(n);
        let mut gradient = vec![0.0; n];
        for (row, slopes) in slopes.iter().enumerate() {
            if weights[row] <= 0.0 {
                continue;
            }
            let z = (residuals[row] / noise) * (residuals[row] / noise);
            let weight = weights[row] / (noise * noise * (1.0 + z).sqrt());
            for (a, slope_a) in slopes {
                gradient[*a] += weight * slope_a * residuals[row];
                for (b, slope_b) in slopes {
                    matrix.add(*a, *b, weight * slope_a * slope_b);
                }
            }
        }
        Self { matrix, gradient }
    }

    /// The matrix over all parameters, with priors and damping.
    fn whole(&self, parameters: &[Parameter], damping: f64) -> Symmetric {
        let n = parameters.len();
        let known = self.gradient.len();
        let mut whole = Symmetric::zero(n);
        for (a, parameter) in parameters.iter().enumerate() {
            let precision = 1.0 / (parameter.log_sd * parameter.log_sd);
            let data = if a < known { self.matrix.at(a, a) } else { 0.0 };
            whole.add(a, a, precision + damping * (precision + data));
            if a < known {
                for b in 0..known {
                    whole.add(a, b, self.matrix.at(a, b));
                }
            }
        }
        whole
    }

    fn step(
        &self,
        theta: &[f64],
        prior: &[f64],
        parameters: &[Parameter],
        damping: f64,
    ) -> Vec<f64> {
        let pull = (theta.iter().zip(prior).zip(parameters)).enumerate();
        let right: Vec<f64> = pull
            .map(|(at, ((theta, prior), known))| {
                let data = self.gradient.get(at).copied().unwrap_or(0.0);
                -(data + (theta - prior) / (known.log_sd * known.log_sd))
            })
            .collect();
        let whole = self.whole(parameters, damping);
        whole
            .solve(&right)
            .unwrap_or_else(|| vec![0.0; theta.len()])
    }

    fn log_sd(&self, parameters: &[Parameter]) -> Vec<f64> {
        let variances = self.whole(parameters, 0.0).inverse_diagonal();
        let prior = || parameters.iter().map(|known| known.log_sd).collect();
        variances.map_or_else(prior, |all| all.into_iter().map(f64::sqrt).collect())
    }
}

#[cfg(test)]
mod tests;
