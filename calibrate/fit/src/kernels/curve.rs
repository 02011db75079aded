//! A curve of a profile as a model with constants: the profile's own formulas, fitted and
//! cross-validated.
//!
//! The prediction of a row is [`Profile::alone`] of its kernels, so that what is fitted is what a
//! simulation computes. A row may have been timed with memory-bound kernels around it, such as the
//! quantization of inputs: their bytes take a fitted factor, which no profile keeps.

use cluster::GpuSpec;
use profile::{Kernel, Profile, ProfileSpec};
use units::math::{exp, ln};

use crate::least_squares::{Fit, Model, Options, Parameter, fit, fit_from};

/// A measured kernel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// What ran: the first as measured alone, the others behind it.
    pub(crate) kernels: Vec<Kernel>,
    /// Bytes moved by kernels that were timed along.
    pub(crate) extra_bytes: f64,
    /// Measured time in microseconds.
    pub(crate) us: f64,
    /// Rows of one group are left out together.
    pub(crate) group: u64,
}

impl Row {
    /// A kernel that was timed by itself.
    pub(crate) fn alone(kernel: Kernel, us: f64, group: u64) -> Self {
        Self {
            kernels: vec![kernel],
            extra_bytes: 0.0,
            us,
            group,
        }
    }

    /// Whether it is long enough for the host and the launch not to matter.
    pub(crate) fn is_large(&self) -> bool {
        300.0 <= self.us
    }
}

/// What puts the value of a constant into a file.
type Put = Box<dyn Fn(&mut ProfileSpec, f64) + Send + Sync>;

/// Which rows a constant can change.
type Touches = Box<dyn Fn(&Row) -> bool + Send + Sync>;

/// A constant of a curve.
pub(crate) struct Knob {
    parameter: Parameter,
    /// Decimals that the file keeps.
    decimals: u32,
    put: Put,
    touches: Option<Touches>,
}

impl Knob {
    /// A constant with its prior; `decimals` is what the file keeps of it.
    pub(crate) fn new(
        name: &str,
        (prior, log_sd): (f64, f64),
        decimals: u32,
        put: impl Fn(&mut ProfileSpec, f64) + Send + Sync + 'static,
    ) -> Self {
        Self {
            parameter: Parameter::new(name, prior, log_sd),
            decimals,
            put: Box::new(put),
            touches: None,
        }
    }

    /// The same constant, for some rows only.
    pub(crate) fn only_for(
        mut self,
        touches: impl Fn(&Row) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.touches = Some(Box::new(touches));
        self
    }

    fn rounded(&self, value: f64) -> f64 {
        let scale = f64::from(10_u32.pow(self.decimals));
        (value * scale).round() / scale
    }
}

/// A curve with open constants.
pub(crate) struct Form {
    /// The file without the constants.
    pub(crate) template: ProfileSpec,
    /// Its constants.
    pub(crate) knobs: Vec<Knob>,
    /// The constant that is the factor of the bytes moved along.
    pub(crate) extra: Option<usize>,
}

impl Form {
    /// The file with these constants.
    pub(crate) fn spec(&self, values: &[f64]) -> ProfileSpec {
        let mut spec = self.template.clone();
        for (knob, value) in self.knobs.iter().zip(values) {
            (knob.put)(&mut spec, *value);
        }
        spec
    }

    /// The constants as the file keeps them.
    fn rounded(&self, values: &[f64]) -> Vec<f64> {
        let pairs = self.knobs.iter().zip(values);
        pairs.map(|(knob, value)| knob.rounded(*value)).collect()
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.knobs
            .iter()
            .map(|knob| knob.parameter.clone())
            .collect()
    }
}

/// A form, its data sheet and rows, as least squares sees them.
struct Problem<'a> {
    form: &'a Form,
    gpu: &'a GpuSpec,
    rows: &'a [Row],
    weights: Vec<f64>,
}

impl Model for Problem<'_> {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let curve = Curve::new(self.form, self.gpu, values);
        let error = |at: &usize| ln(curve.micros(&self.rows[*at]) / self.rows[*at].us);
        rows.iter().map(error).collect()
    }

    fn rows_of(&self, parameter: usize) -> Vec<usize> {
        let touches = self.form.knobs[parameter].touches.as_ref();
        let is_changed = |at: &usize| touches.is_none_or(|touches| touches(&self.rows[*at]));
        (0..self.rows.len()).filter(is_changed).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

/// A form with its constants: what predicts rows.
pub(crate) struct Curve {
    profile: Profile,
    /// Microseconds a byte of the kernels timed along.
    extra: f64,
}

impl Curve {
    /// The curve of these constants.
    ///
    /// # Panics
    ///
    /// Where a form leaves its range: its `put` has to clamp.
    pub(crate) fn new(form: &Form, gpu: &GpuSpec, values: &[f64]) -> Self {
        let factor = form.extra.map_or(0.0, |at| values[at]);
        Self {
            profile: Profile::build(&form.spec(values), gpu).expect("forms clamp their constants"),
            extra: factor * 1e6 / gpu.bandwidth.as_f64(),
        }
    }

    /// The predicted time of a row in microseconds.
    pub(crate) fn micros(&self, row: &Row) -> f64 {
        let parts = row.kernels.iter().enumerate();
        let times = parts.map(|(at, kernel)| {
            let timed = if at == 0 {
                self.profile.alone(kernel)
            } else {
                self.profile.time(kernel)
            };
            timed.time.as_micros()
        });
        times.sum::<f64>() + self.extra * row.extra_bytes
    }
}

/// Errors of a curve on rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Errors {
    n: usize,
    absolute: f64,
    signed: f64,
}

impl Errors {
    /// Of those rows.
    pub(crate) fn of<'a>(curve: &Curve, rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut errors = Self::default();
        for row in rows {
            let error = curve.micros(row) / row.us - 1.0;
            errors.n += 1;
            errors.absolute += error.abs();
            errors.signed += error;
        }
        errors
    }

    fn and(self, other: Self) -> Self {
        Self {
            n: self.n + other.n,
            absolute: self.absolute + other.absolute,
            signed: self.signed + other.signed,
        }
    }

    /// Mean absolute relative error; 0 of no rows.
    pub(crate) fn mape(&self) -> f64 {
        self.absolute / self.n.max(1) as f64
    }

    /// Mean relative error; 0 of no rows.
    pub(crate) fn bias(&self) -> f64 {
        self.signed / self.n.max(1) as f64
    }
}

/// The constants that fit the rows best, rounded as the file keeps them, and the fit.
pub(crate) fn constants(form: &Form, gpu: &GpuSpec, rows: &[Row]) -> (Vec<f64>, Fit) {
    let parameters = form.parameters();
    let found = fit(&problem(form, gpu, rows), &parameters, &Options::default());
    (form.rounded(&found.values), found)
}

/// The same, starting from values that are close already.
pub(crate) fn constants_from(
    form: &Form,
    gpu: &GpuSpec,
    rows: &[Row],
    start: &[f64],
) -> (Vec<f64>, Fit) {
    let (parameters, options) = (form.parameters(), Options::default());
    let found = fit_from(&problem(form, gpu, rows), &parameters, start, &options);
    (form.rounded(&found.values), found)
}

fn problem<'a>(form: &'a Form, gpu: &'a GpuSpec, rows: &'a [Row]) -> Problem<'a> {
    Problem {
        form,
        gpu,
        rows,
        weights: vec![1.0; rows.len()],
    }
}

/// Which groups are left out, and how many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folds {
    /// All groups but the first and the last, so that no curve is asked beyond its data.
    Interior(usize),
    /// All groups.
    All(usize),
}

impl Folds {
    /// The groups that each fold leaves out: every so many-th.
    pub(crate) fn of(self, rows: &[Row]) -> Vec<Vec<u64>> {
        let mut groups: Vec<u64> = rows.iter().map(|row| row.group).collect();
        groups.sort_unstable();
        groups.dedup();
        let (n, groups) = match self {
            Self::Interior(n) if 2 < groups.len() => (n, &groups[1..groups.len() - 1]),
            Self::Interior(n) | Self::All(n) => (n, &groups[..]),
        };
        let n = n.min(groups.len());
        let fold = |first: usize| groups.iter().skip(first).step_by(n).copied().collect();
        (0..n).map(fold).collect()
    }
}

/// What cross-validation found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CrossValidated {
    /// Errors on rows that were not fitted.
    pub(crate) all: Errors,
    /// The same of rows above 0.3 ms.
    pub(crate) large: Errors,
    /// The constants of each fold.
    pub(crate) values: Vec<Vec<f64>>,
}

/// From rows to the constants and the curve that they make.
pub(crate) type Refit<'a> = dyn Fn(&[Row]) -> (Vec<f64>, Curve) + 'a;

/// Fits without each fold in turn, and predicts it.
pub(crate) fn cross_validate(rows: &[Row], folds: Folds, refit: &Refit<'_>) -> CrossValidated {
    let mut found = CrossValidated::default();
    for out in folds.of(rows) {
        let is_out = |row: &&Row| out.binary_search(&row.group).is_ok();
        let kept: Vec<Row> = rows.iter().filter(|row| !is_out(row)).cloned().collect();
        let (values, curve) = refit(&kept);
        let unseen = || rows.iter().filter(is_out);
        found.all = found.all.and(Errors::of(&curve, unseen()));
        let large = unseen().filter(|row| row.is_large());
        found.large = found.large.and(Errors::of(&curve, large));
        found.values.push(values);
    }
    found
}

/// A constant of a curve with its 90 % interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// Its key in the profile.
    pub name: String,
    /// Its value, as the profile keeps it.
    pub value: f64,
    /// The low end: of the fit's curvature, or the lowest of the fits without a fold.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

/// Standard deviations to either side of a 90 % interval.
const NINETY: f64 = 1.645;

/// The constants of a form with their intervals.
pub(crate) fn intervals(
    form: &Form,
    values: &[f64],
    fit: &Fit,
    folds: &[Vec<f64>],
) -> Vec<Constant> {
    let constant = |(at, knob): (usize, &Knob)| {
        let value = values[at];
        let spread = exp(NINETY * fit.log_sd[at]);
        let others = folds.iter().map(|fold| fold[at]);
        Constant {
            name: knob.parameter.name.clone(),
            value,
            low: others.clone().fold(value / spread, f64::min),
            high: others.fold(value * spread, f64::max),
        }
    };
    form.knobs.iter().enumerate().map(constant).collect()
}
