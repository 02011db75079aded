//! What the predictions are worth, in a few numbers.

use egui::Ui;
use look::told_ui;
use look::{Told, Worth, number, space};
use session::quantile;

use super::{Measurement, View};

/// Shows the numbers over everything that is let through.
pub(super) fn summary_ui(ui: &mut Ui, numbers: &[Told]) {
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        for told in numbers {
            told_ui(ui, told);
            ui.add_space(space::LARGE);
        }
    });
    ui.add_space(space::SMALL);
}

/// The numbers.
pub(super) fn numbers(view: &View, all: &[&Measurement]) -> Vec<Told> {
    let counted: Vec<&&Measurement> = all.iter().filter(|one| one.apart.is_none()).collect();
    let mut errors: Vec<f64> = counted.iter().map(|one| one.error()).collect();
    let n = errors.len();
    let source = format!("{} with this quantity", number::counted(n as u64, "run"));
    let told = |label: &str, value: String, meaning: &str| {
        Told::new(label, value, meaning, Worth::Derived, source.clone())
    };
    let mut numbers = vec![told(
        "Runs",
        number::count(n as u64),
        "Measured and predicted; those that contradict themselves do not count",
    )];
    if n == 0 {
        return numbers;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let bias = mean(&errors);
    for error in &mut errors {
        *error = error.abs();
    }
    errors.sort_by(f64::total_cmp);
    let quantity = view.shown.label().to_lowercase();
    numbers.push(
        told(
            "Median error",
            number::percent(quantile(&errors, 0.5).unwrap_or_default()),
            &format!("Half of the runs are predicted closer than that in {quantity}. Parameters are those that come with the program; many were fitted on runs of these tables"),
        )
        .with_formula("median of |predicted / measured − 1|"),
    );
    numbers.push(
        told(
            "Mean error",
            number::percent(mean(&errors)),
            "The mean absolute percentage error (MAPE)",
        )
        .with_formula("mean of |predicted / measured − 1|"),
    );
    numbers.push(
        told(
            "Bias",
            number::signed_percent(bias),
            "Above 0 predictions are too large on average",
        )
        .with_formula("mean of predicted / measured − 1"),
    );
    numbers.extend(coverage(&counted));
    numbers
}

/// How often the interval holds what was measured.
fn coverage(counted: &[&&Measurement]) -> Option<Told> {
    let covered: Vec<bool> = counted.iter().filter_map(|one| one.is_covered()).collect();
    if covered.is_empty() {
        return None;
    }
    let held = covered.iter().filter(|covered| **covered).count();
    let share = held as f64 / covered.len() as f64;
    Some(Told::new(
        "Interval holds",
        number::percent(share),
        "So many of the measured values lie between the 10th and the 90th percentile of their predictions; 80 % would be just right, more means that intervals are too wide",
        Worth::Derived,
        format!(
            "{} of {} with an interval",
            held,
            number::counted(covered.len() as u64, "run")
        ),
    ))
}
