//! Peak memory of the last rank, predicted for every case of Megatron-LM's continuous integration:
//! `cargo run --release -p runs --example memory -- calibrate/data/runs/megatron_ci_memory.csv`

use std::path::Path;
use std::sync::Arc;

use format::{Disk, Library, Source, read_whole_scenario, resolve};
use predict::{Prediction, Record as Keep, Scenario, predict};
use runs::megatron_ci;
use runs::{Record, Table};
use units::Control;

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let table = match Table::read(Path::new(&path)) {
        Ok(table) => table,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    for record in &table.records {
        print_row(record);
    }
}

fn print_row(record: &Record) {
    let name = record.or_empty("test_case");
    let env = record.or_empty("env");
    let apart = megatron_ci::set_apart(record).unwrap_or("");
    let measured = record.number("mem_max_allocated_bytes").ok().flatten();
    let rest = megatron_ci::at_rest(record).ok().flatten();
    match scenario(record) {
        Err(text) => println!("ERR\t{name}\t{env}\t{text}"),
        Ok(scenario) => {
            let outcome = predict(&scenario, Keep::Totals, &Control::new());
            let Ok(outcome) = outcome else {
                println!("ERR\t{name}\t{env}\tpredict");
                return;
            };
            let p: &Prediction = &outcome.prediction;
            let Some(last) = p
                .peak_allocated_bytes_by_class
                .iter()
                .max_by_key(|c| c.stage)
            else {
                println!("ERR\t{name}\t{env}\tno class");
                return;
            };
            let of = |key: &str| {
                last.at_peak
                    .get(key)
                    .and_then(|v| v.as_f64())
                    .unwrap_or(0.0)
                    / 1e6
            };
            println!(
                "ROW\t{}\t{name}\t{env}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.0}\t{apart}",
                record.or_empty("family"),
                measured.unwrap_or(0.0) / 1e6,
                rest.unwrap_or(0.0) / 1e6,
                last.peak_allocated_bytes.as_f64() / 1e6,
                of("weights_bytes"),
                of("gradients_bytes"),
                of("optimizer_bytes"),
                of("activations_bytes"),
                of("workspace_bytes"),
                of("logits_bytes"),
                of("communication_bytes"),
                scenario.job.model.params() as f64 / 1e6,
            );
        }
    }
}

fn scenario(record: &Record) -> Result<Scenario, String> {
    let mut draft = megatron_ci::draft(record).map_err(|e| e.to_string())?;
    draft.set("settings", "engine", "estimate");
    let text = draft.text("row");
    if std::env::var("SHOW").is_ok_and(|name| name == record.or_empty("test_case")) {
        println!("{text}");
    }
    let source: Arc<Source> = Source::new("row", text);
    let library = Library {
        files: &Disk,
        base: Path::new("."),
    };
    let all = |failures: Vec<format::Failure>| {
        let texts: Vec<String> = failures
            .iter()
            .map(|f| format!("{}: {}", f.field, f.problem))
            .collect();
        texts.join("; ")
    };
    let document = format::tree::parse(&source).map_err(all)?;
    let spec = read_whole_scenario(&document, &library).map_err(all)?;
    let resolved = resolve("row", &spec, &document, &library).map_err(all)?;
    Ok(resolved.scenario)
}
