//! What each part of the model buys: the error with it switched off, and refitted without it.

use std::collections::BTreeMap;

use lower::{ScaleKey, Scales};
use predict::{Estimate, Scenario};
use profile::Interference;
use units::math::exp;

use super::{Free, Runs, Source, source_of};
use crate::least_squares::{Again, Fit, Options, Parameter};

/// A part of the model, or a scalar, on the rows of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Ablation {
    /// The rows.
    pub source: Source,
    /// Whether a part takes no time, or a scalar is what it is without any fit.
    pub kind: &'static str,
    /// The part or the scalar.
    pub part: String,
    /// Mean error with everything fitted.
    pub full: f64,
    /// With the part switched off, all else as it was.
    pub off: f64,
    /// With the part switched off and all else fitted again, in a few steps from where it was.
    pub refit: f64,
}

/// A part of the model that can be switched off: what it stands for then takes no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything that a scalar scales.
    Scaled(ScaleKey, &'static str),
    /// What stages of a pipeline wait for each other.
    Bubble,
    /// What communication takes from kernels beside it.
    Interference,
}

impl Part {
    /// Every part.
    const ALL: [Self; 14] = [
        Self::Bubble,
        Self::Scaled(ScaleKey::Host, "host time"),
        Self::Scaled(ScaleKey::Launch, "gaps between kernels"),
        Self::Scaled(ScaleKey::Stream, "memory-bound kernels"),
        Self::Scaled(ScaleKey::Head, "memory-bound kernels of the loss"),
        Self::Scaled(ScaleKey::MoeTraffic, "memory-bound kernels of experts"),
        Self::Scaled(ScaleKey::Optimizer, "optimizer"),
        Self::Scaled(ScaleKey::Scan, "state-space scans"),
        Self::Scaled(ScaleKey::Tp, "collectives of tensor parallelism"),
        Self::Scaled(ScaleKey::Cp, "collectives of context parallelism"),
        Self::Scaled(ScaleKey::Ep, "collectives of expert parallelism"),
        Self::Scaled(ScaleKey::Dp, "collectives of data parallelism"),
        Self::Scaled(ScaleKey::Pp, "messages between stages"),
        Self::Interference,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Scaled(_, name) => name,
            Self::Bubble => "bubble",
            Self::Interference => "what communication takes from kernels",
        }
    }

    /// Switches the part off in scalars that hold for a kind of GPU.
    pub(super) fn silence(self, scales: &mut Scales) {
        if let Self::Scaled(key, _) = self {
            scales[key] = NOTHING;
            if key == ScaleKey::Tp {
                scales[ScaleKey::TpSkew] = 0.0;
            }
        }
    }

    /// Switches the part off in a scenario.
    pub(super) fn remove(self, scenario: &mut Scenario) {
        if self == Self::Interference {
            for profile in &mut scenario.profiles {
                *profile = profile.clone().with_interference(Interference::NONE);
            }
        }
    }

    /// Seconds of an iteration without the part.
    pub(super) fn left_of(self, estimate: &Estimate) -> f64 {
        match self {
            Self::Bubble => estimate.iteration_time_s - estimate.breakdown.bubble_s,
            _ => estimate.iteration_time_s,
        }
    }
}

/// In place of 0, of which some forms divide.
const NOTHING: f64 = 1e-6;

/// Switches every part off in turn, then sets every scalar back to what it is without a fit.
pub(super) fn ablate(
    runs: &Runs<'_>,
    whole: &Fit,
    parameters: &[Parameter],
    options: &Options,
) -> Vec<Ablation> {
    let full = by_source(runs, &whole.residuals);
    let mut found = Vec::new();
    let mut note = |kind, part: &str, again: &Again| {
        let refit = by_source(runs, &again.after);
        for (source, off) in by_source(runs, &again.before) {
            let full = full.get(&source).copied().unwrap_or(0.0);
            if UNTOUCHED < (off - full).abs() {
                found.push(Ablation {
                    source,
                    kind,
                    part: part.to_owned(),
                    full,
                    off,
                    refit: refit.get(&source).copied().unwrap_or(0.0),
                });
            }
        }
    };
    for part in Part::ALL {
        let without = runs.without_part(part);
        note(
            "part",
            part.name(),
            &whole.again(&without, parameters, options, &whole.values),
        );
    }
    let mut keys: Vec<&str> = runs.free.iter().map(|free| free.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let mut values = whole.values.clone();
        let mut held = parameters.to_vec();
        for (at, free) in runs.free.iter().enumerate() {
            if free.key == key {
                values[at] = neutral(free);
                held[at].prior = neutral(free);
                held[at].log_sd = 1e-6;
            }
        }
        note("scalar", key, &whole.again(runs, &held, options, &values));
    }
    found.sort_by(|a, b| (a.source, a.kind, &a.part).cmp(&(b.source, b.kind, &b.part)));
    found
}

/// Change of a mean error below which a part does not touch a source.
const UNTOUCHED: f64 = 5e-6;

fn neutral(free: &Free) -> f64 {
    if free.is_added() { 1e-9 } else { 1.0 }
}

/// Mean error by source.
fn by_source(runs: &Runs<'_>, residuals: &[f64]) -> BTreeMap<Source, f64> {
    let mut sums: BTreeMap<Source, (f64, usize)> = BTreeMap::new();
    for (row, residual) in runs.rows.iter().zip(residuals) {
        if row.contradicts {
            continue;
        }
        let sum = sums.entry(source_of(row)).or_default();
        sum.0 += (exp(*residual) - 1.0).abs();
        sum.1 += 1;
    }
    sums.into_iter()
        .map(|(source, (sum, n))| (source, sum / n as f64))
        .collect()
}
