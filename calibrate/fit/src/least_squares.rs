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
    let prior: Vec<f64> = parameters.iter().map(|known| ln(known.prior)).collect();
    let weights = model.weights();
    let all: Vec<usize> = (0..weights.len()).collect();
    let affected: Vec<Vec<usize>> = (0..parameters.len()).map(|p| model.rows_of(p)).collect();
    let mut theta: Vec<f64> = start.iter().map(|value| ln(*value)).collect();
    let mut residuals = model.log_errors(&exped(&theta), &all);
    let mut cost = total_cost(
        &residuals,
        weights,
        &theta,
        &prior,
        parameters,
        options.noise,
    );
    let fresh = |theta: &[f64], residuals: &[f64]| {
        differences(model, theta, residuals, &affected, options.difference)
    };
    let mut slopes = fresh(&theta, &residuals);
    let (mut damping, mut age, mut steps) = (1e-3, 0, 0);
    while steps < options.steps {
        steps += 1;
        let system = Normal::new(&residuals, &slopes, weights, options.noise, &[]);
        let mut moved = None;
        for _ in 0..TRIES {
            let step = system.step(&theta, &prior, parameters, damping);
            let next: Vec<f64> = theta.iter().zip(&step).map(|(old, by)| old + by).collect();
            let found = model.log_errors(&exped(&next), &all);
            let then = total_cost(&found, weights, &next, &prior, parameters, options.noise);
            if then < cost {
                moved = Some((step, next, found, then));
                damping = f64::max(damping / 5.0, 1e-9);
                break;
            }
            damping *= 8.0;
        }
        let Some((step, next, found, then)) = moved else {
            // Slopes that have aged may point the wrong way.
            if age == 0 {
                break;
            }
            (slopes, age, damping) = (fresh(&theta, &residuals), 0, 1e-3);
            continue;
        };
        let gain = cost - then;
        secant(&mut slopes, &step, &residuals, &found);
        (theta, residuals, cost, age) = (next, found, then, age + 1);
        let settled = gain < options.settled * (1.0 + cost);
        if settled && age <= 1 {
            break;
        }
        if settled || OLDEST <= age {
            (slopes, age) = (fresh(&theta, &residuals), 0);
        }
    }
    if 0 < age && options.final_slopes {
        slopes = fresh(&theta, &residuals);
    }
    let system = Normal::new(&residuals, &slopes, weights, options.noise, &[]);
    Fit {
        values: exped(&theta),
        log_sd: system.log_sd(parameters),
        residuals,
        slopes,
        cost,
        steps,
    }
}

impl Fit {
    /// The values that a fit without some rows would have found.
    ///
    /// The residuals are taken as linear in the logarithms of parameters around the whole fit,
    /// with rows reweighted until that settles: a Gauss-Newton refit with the slopes of the whole
    /// fit.
    ///
    /// * `left_out` — rows that do not count.
    pub fn without(
        &self,
        weights: &[f64],
        parameters: &[Parameter],
        options: &Options,
        left_out: &[usize],
    ) -> Vec<f64> {
        let prior: Vec<f64> = parameters.iter().map(|known| ln(known.prior)).collect();
        let start: Vec<f64> = self.values.iter().map(|value| ln(*value)).collect();
        let mut theta = start.clone();
        for _ in 0..8 {
            let moved: Vec<f64> = theta
                .iter()
                .zip(&start)
                .map(|(new, old)| new - old)
                .collect();
            let residuals: Vec<f64> = (self.residuals.iter().zip(&self.slopes))
                .map(|(at, slopes)| {
                    let change: f64 = slopes.iter().map(|(p, slope)| slope * moved[*p]).sum();
                    at + change
                })
                .collect();
            let system = Normal::new(&residuals, &self.slopes, weights, options.noise, left_out);
            let step = system.step(&theta, &prior, parameters, 0.0);
            for (at, by) in theta.iter_mut().zip(&step) {
                *at += by;
            }
        }
        exped(&theta)
    }
}

/// Lengths of a step that are tried.
const TRIES: u32 = 4;
/// Steps after which slopes are measured again.
const OLDEST: u32 = 4;

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

fn total_cost(
    residuals: &[f64],
    weights: &[f64],
    theta: &[f64],
    prior: &[f64],
    parameters: &[Parameter],
    noise: f64,
) -> f64 {
    let rows: f64 = (residuals.iter().zip(weights))
        .map(|(r, weight)| {
            let z = (r / noise) * (r / noise);
            weight * 2.0 * ((1.0 + z).sqrt() - 1.0)
        })
        .sum();
    let priors: f64 = (theta.iter().zip(prior).zip(parameters))
        .map(|((at, prior), known)| {
            let off = (at - prior) / known.log_sd;
            off * off
        })
        .sum();
    rows + priors
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
    fn new(
        residuals: &[f64],
        slopes: &[Vec<(usize, f64)>],
        weights: &[f64],
        noise: f64,
        left_out: &[usize],
    ) -> Self {
        let last = slopes.iter().flatten().map(|(parameter, _)| parameter + 1);
        let n = last.max().unwrap_or(0);
        let mut matrix = Symmetric::zero(n);
        let mut gradient = vec![0.0; n];
        let mut out = vec![false; residuals.len()];
        for row in left_out {
            out[*row] = true;
        }
        for (row, slopes) in slopes.iter().enumerate() {
            if out[row] {
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
