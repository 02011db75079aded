//! Fits whose answers are known.

use units::math::ln;

use super::{Fit, Model, Options, Parameter, fit};

/// `t = a + b · x`, measured at some `x`.
struct Line {
    rows: Vec<(f64, f64)>,
    weights: Vec<f64>,
}

impl Line {
    fn of(rows: &[(f64, f64)]) -> Self {
        Self {
            rows: rows.to_vec(),
            weights: vec![1.0; rows.len()],
        }
    }
}

impl Model for Line {
    fn log_errors(&self, values: &[f64], rows: &[usize]) -> Vec<f64> {
        let error = |row: &usize| {
            let (x, measured) = self.rows[*row];
            ln((values[0] + values[1] * x) / measured)
        };
        rows.iter().map(error).collect()
    }

    fn rows_of(&self, _: usize) -> Vec<usize> {
        (0..self.rows.len()).collect()
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

fn wide() -> [Parameter; 2] {
    [
        Parameter::new("start", 1.0, 3.0),
        Parameter::new("slope", 1.0, 3.0),
    ]
}

fn found(line: &Line) -> Fit {
    fit(line, &wide(), &Options::default())
}

#[test]
fn exact_rows_give_back_their_line() {
    let rows = [1.0, 2.0, 5.0, 20.0, 100.0].map(|x| (x, 3.0 + 0.5 * x));
    let fit = found(&Line::of(&rows));
    assert!((fit.values[0] - 3.0).abs() < 0.02, "{fit:?}");
    assert!((fit.values[1] - 0.5).abs() < 0.005, "{fit:?}");
}

#[test]
fn one_row_far_off_hardly_moves_the_line() {
    let mut rows: Vec<(f64, f64)> = (1..20)
        .map(|x| (f64::from(x), 3.0 + f64::from(x)))
        .collect();
    rows[10].1 *= 10.0;
    let fit = found(&Line::of(&rows));
    assert!((fit.values[1] - 1.0).abs() < 0.05, "{:?}", fit.values);
}

#[test]
fn a_narrow_prior_holds_against_few_rows() {
    let line = Line::of(&[(1.0, 2.0), (2.0, 3.0)]);
    let held = [
        Parameter::new("start", 1.0, 3.0),
        Parameter::new("slope", 2.0, 1e-4),
    ];
    let fit = fit(&line, &held, &Options::default());
    assert!((fit.values[1] - 2.0).abs() < 1e-3, "{:?}", fit.values);
}

#[test]
fn a_fit_without_rows_is_close_to_a_fit_that_never_saw_them() {
    let noisy = |x: u32| {
        let wobble = if x.is_multiple_of(2) { 1.04 } else { 0.97 };
        (f64::from(x), (3.0 + f64::from(x)) * wobble)
    };
    let mut rows: Vec<(f64, f64)> = (1..40).map(noisy).collect();
    for row in &mut rows[30..] {
        row.1 *= 1.1;
    }
    let out: Vec<usize> = (30..39).collect();
    let whole = Line::of(&rows);
    let quick = found(&whole).without(&whole, &wide(), &Options::default(), &out);
    let honest = found(&Line::of(&rows[..30])).values;
    for (quick, honest) in quick.iter().zip(&honest) {
        assert!((quick / honest - 1.0).abs() < 0.02, "{quick} {honest}");
    }
}

#[test]
fn a_fit_made_again_with_a_part_held_is_close_to_one_that_never_had_it() {
    let rows: Vec<(f64, f64)> = (1..40)
        .map(|x| (f64::from(x), 3.0 + f64::from(x)))
        .collect();
    let line = Line::of(&rows);
    let held = [
        Parameter::new("start", 0.5, 1e-6),
        Parameter::new("slope", 1.0, 3.0),
    ];
    let options = Options::default();
    let again = found(&line).again(&line, &held, &options, &[0.5, 1.0]);
    let honest = fit(&line, &held, &options);
    let worst = |errors: &[f64]| {
        errors
            .iter()
            .fold(0.0, |most: f64, error| most.max(error.abs()))
    };
    assert!(worst(&again.after) < worst(&again.before));
    for (again, honest) in again.after.iter().zip(&honest.residuals) {
        assert!((again - honest).abs() < 0.02, "{again} {honest}");
    }
}

#[test]
fn more_rows_narrow_the_interval() {
    let rows: Vec<(f64, f64)> = (1..20)
        .map(|x| (f64::from(x), 3.0 + f64::from(x)))
        .collect();
    let few = found(&Line::of(&rows[..4]));
    let many = found(&Line::of(&rows));
    assert!(many.log_sd[1] < few.log_sd[1], "{many:?} {few:?}");
}
