//! Measured peaks against predictions with the constants that are shipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memory::{Class, Row, differences, error_as_shipped, fit_memory, rows};
use predict::{Record, predict};
use runs::Table;
use units::Control;

fn table(name: &str) -> Table {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data/runs")
        .join(name);
    Table::read(&file).expect("the table is there")
}

fn all() -> Vec<Row> {
    rows(&[table("megatron_ci_memory.csv"), table("training_runs.csv")])
        .expect("every row resolves")
}

/// Weighted mean of the absolute errors, by class.
fn mape(rows: &[Row]) -> BTreeMap<Class, f64> {
    let mut sums: BTreeMap<Class, [f64; 2]> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.class).or_default();
        sum[0] += error_as_shipped(row).abs() * row.weight;
        sum[1] += row.weight;
    }
    sums.into_iter()
        .map(|(class, [error, weight])| (class, error / weight))
        .collect()
}

#[test]
fn framework_files_hold_what_is_fitted() {
    let fitted = fit_memory(&all());
    assert_eq!(differences(&fitted), Vec::<String>::new());
}

#[test]
fn peaks_are_predicted_within_a_few_percent() {
    let rows = all();
    assert_eq!(rows.len(), 408 + 77, "rows with memory");
    let found = mape(&rows);
    let limits = [
        (Class::SmallDense, 0.02),
        (Class::Dense, 0.025),
        (Class::Experts, 0.035),
        (Class::BertT5, 0.03),
        (Class::Other("SimuMax B200"), 0.01),
        (Class::Other("BigScience A100, nvidia-smi"), 0.06),
        (Class::Other("BigScience V100, nvidia-smi"), 0.20),
    ];
    for (class, limit) in limits {
        assert!(
            found[&class] < limit,
            "{}: {:.3}",
            class.name(),
            found[&class]
        );
    }
}

#[test]
fn no_run_that_ran_is_predicted_to_need_five_percent_more_than_there_is() {
    for row in all().iter().filter(|row| row.class != Class::SetApart) {
        let outcome = predict(&row.scenario, Record::Totals, &Control::new());
        let answer = outcome.expect("a row is predicted").prediction;
        let (used, limit) = (answer.device_used_bytes, answer.device_memory_bytes);
        assert!(
            used.as_f64() < 1.05 * limit.as_f64(),
            "{}: {used:?} of {limit:?}",
            row.id
        );
    }
}
