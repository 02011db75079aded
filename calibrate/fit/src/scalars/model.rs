//! Runs as a model with parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use format::fitted::{FittedFile, Setting};
use lower::Scales;
use predict::Estimator;
use units::Control;
use units::math::ln;

use super::ablation::Part;
use super::{FitRow, Free};
use crate::least_squares::Model;

/// Rows and the scalars that are free.
#[derive(Debug)]
pub struct Runs<'a> {
    /// The rows.
    pub rows: &'a [FitRow],
    /// The scalars.
    pub free: &'a [Free],
    weights: Vec<f64>,
    /// For each row, kind of GPU: the scalars that hold.
    holding: Vec<Vec<Vec<usize>>>,
    threads: usize,
    off: Option<Part>,
}

impl<'a> Runs<'a> {
    /// A model of some rows.
    ///
    /// * `threads` — that evaluate rows; the results do not depend on them.
    pub fn new(rows: &'a [FitRow], free: &'a [Free], threads: usize) -> Self {
        let holding = rows.iter().map(|row| holding(row, free)).collect();
        Self {
            rows,
            free,
            weights: rows.iter().map(|row| row.weight).collect(),
            holding,
            threads: threads.max(1),
            off: None,
        }
    }

    /// The same with a part of the model switched off.
    pub(super) fn without_part(&self, part: Part) -> Self {
        Self {
            weights: self.weights.clone(),
            holding: self.holding.clone(),
            off: Some(part),
            ..*self
        }
    }

    /// Seconds of an iteration of a row.
    pub fn predict(&self, values: &[f64], row: usize) -> f64 {
        let fit = &self.rows[row];
        let scales: Vec<Scales> = self.holding[row]
            .iter()
            .map(|holding| {
                let scales = holding
                    .iter()
                    .map(|at| self.free[*at].fitted(values[*at], 0.0, 0));
                let file = FittedFile {
                    scales: scales.collect(),
                    ..FittedFile::default()
                };
                let mut scales = file.all();
                if let Some(part) = self.off {
                    part.silence(&mut scales);
                }
                scales
            })
            .collect();
        let Ok(mut scenario) = fit.scenario.lock() else {
            return f64::NAN;
        };
        scenario.profiles.clone_from(&fit.profiles);
        scenario.framework = Arc::clone(&fit.framework);
        scenario.scale(&scales);
        if let Some(part) = self.off {
            part.remove(&mut scenario);
        }
        let mut estimator = Estimator::new(&scenario);
        let estimate = estimator.rehearsed(&scenario.plan, &Control::new());
        estimate.map_or(f64::NAN, |estimate| {
            self.off
                .map_or(estimate.iteration_time_s, |part| part.left_of(&estimate))
        })
    }

    /// Seconds of an iteration of some rows.
    pub fn predict_all(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        if self.threads == 1 || rows.len() < 8 {
            return rows.iter().map(|row| self.predict(values, *row)).collect();
        }
        // Rows cost a few or many milliseconds: each thread takes the next one that is left.
        let next = AtomicUsize::new(0);
        let work = || {
            let mut own = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(row) = rows.get(at) else {
                    return own;
                };
                own.push((at, self.predict(values, *row)));
            }
        };
        let mut times = vec![0.0; rows.len()];
        let found: Vec<Vec<(usize, f64)>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let all = handles.into_iter();
            all.map(|handle| handle.join().unwrap_or_default())
                .collect()
        });
        for (at, time) in found.into_iter().flatten() {
            times[at] = time;
        }
        times
    }
}

fn holding(row: &FitRow, free: &[Free]) -> Vec<Vec<usize>> {
    let name = row.framework.name.to_string();
    let frameworks = [name.as_str()];
    let file = FittedFile {
        scales: free.iter().map(|free| free.fitted(1.0, 0.0, 0)).collect(),
        ..FittedFile::default()
    };
    let Ok(scenario) = row.scenario.lock() else {
        return Vec::new();
    };
    let kinds = scenario.cluster.kinds();
    (kinds.iter().zip(&row.nodes))
        .map(|(gpu, node)| {
            let setting = Setting {
                frameworks: &frameworks,
                version: row.version.as_deref(),
                node,
            };
            file.holding(&setting, gpu)
        })
        .collect()
}

/// Error of a row that cannot be predicted, as a natural logarithm: values that lead there are bad.
const UNPREDICTED: f64 = 1.0;

impl Model for Runs<'_> {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let times = self.predict_all(values, rows);
        let errors = rows
            .iter()
            .zip(times)
            .map(|(row, time)| ln(time / self.rows[*row].measured));
        errors
            .map(|error| {
                if error.is_finite() {
                    error
                } else {
                    UNPREDICTED
                }
            })
            .collect()
    }

    fn rows_of(&self, parameter: usize) -> Vec<usize> {
        let holds = |row: &usize| {
            self.holding[*row]
                .iter()
                .flatten()
                .any(|at| *at == parameter)
        };
        (0..self.rows.len()).filter(holds).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}
