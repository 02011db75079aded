//! The answer of each engine to every case, as a Markdown page:
//!
//! ```text
//! cargo run --release -p acceptance --example cases_table > docs/cases.md
//! ```

use std::fs;

use acceptance::scenarios::{answer, cases, name_of, number};
use serde_json::Value;

const HEAD: &str = "\
# Cases

Each folder of `scenarios/cases` holds a scenario, what is known about its answer, and where that is from. This page is written by

    cargo run --release -p acceptance --example cases_table > docs/cases.md

Times are of one iteration. The tests hold every case against its `expected.toml`. Where a figure was published, it stands in
the last column with the error of the case's own engine.
";

const COLUMNS: &str = "\
| Case | estimate | analytic | flow | MFU | Memory used of limit | Published, error |
|:-----|---------:|---------:|-----:|----:|---------------------:|:-----------------|";

/// The quantities that sources publish, with how they are written.
const PUBLISHED: [(&str, f64, &str); 5] = [
    ("iteration_time_s", 1.0, "s"),
    ("totals.gpu_hours", 1e6, "M GPU-hours"),
    ("model_tflops_per_gpu", 1.0, "TFLOP/s a GPU"),
    ("hardware_tflops_per_gpu", 1.0, "TFLOP/s a GPU"),
    ("tokens_per_s_per_gpu", 1.0, "tokens/s a GPU"),
];

fn main() {
    println!("{HEAD}\n{COLUMNS}");
    for case in cases() {
        let times = ["estimate", "analytic", "flow"].map(|engine| {
            let engine = format!("settings.engine={engine:?}");
            number(&answer(&case, &[&engine]), "iteration_time_s")
        });
        let own = answer(&case, &[]);
        let gib = |quantity: &str| number(&own, quantity) / f64::from(1 << 30);
        let text = fs::read_to_string(case.join("expected.toml")).expect("every case has it");
        let expected: toml::Table = text.parse().expect("it is well formed");
        let name = name_of(&case);
        println!(
            "| [{name}](../scenarios/cases/{name}) | {} | {:.1} % | {:.1} of {:.1} GiB{} | {} |",
            times.map(seconds).join(" | "),
            number(&own, "mfu") * 100.0,
            gib("device_used_bytes"),
            gib("device_memory_bytes"),
            if own["fits"] == true {
                ""
            } else {
                ", does not fit"
            },
            published(&expected, &own)
        );
    }
}

fn seconds(time: f64) -> String {
    if time < 10.0 {
        format!("{time:.3} s")
    } else {
        format!("{time:.2} s")
    }
}

/// The published figure of a case, and how far its answer is from it.
fn published(expected: &toml::Table, own: &Value) -> String {
    let expects = expected["expect"].as_array().into_iter().flatten();
    let found = expects
        .filter(|expect| expect.get("over").is_none())
        .find_map(|expect| {
            let quantity = expect["quantity"].as_str()?;
            let (_, unit, words) = PUBLISHED.iter().find(|known| known.0 == quantity)?;
            let value = expect.get("value")?;
            let value = value
                .as_float()
                .or_else(|| value.as_integer().map(|n| n as f64))?;
            let error = number(own, quantity) / value - 1.0;
            Some(format!("{} {words}, {:+.0} %", value / unit, error * 100.0))
        });
    found.unwrap_or_else(|| "none".to_owned())
}
