//! x
use runs::{Quantity, Table};
use std::path::Path;
use units::Control;
fn main() {
    let table = Table::read(Path::new("calibrate/data/runs/training_runs.csv")).unwrap();
    for record in &table.records {
        if record.text("mem_gib").is_none() {
            continue;
        }
        let run = validate::run(record, &table, &Control::new()).unwrap();
        for c in &run.row.compared {
            if let Quantity::PeakMemory(kind) = c.quantity {
                let ch = run.chosen.as_ref();
                let p = ch.map(|c| &c.outcome.prediction);
                let parts = p.map(|p| {
                    let m = p
                        .peak_allocated_bytes_by_class
                        .iter()
                        .max_by_key(|c| c.peak_allocated_bytes)
                        .unwrap();
                    format!(
                        "{} {}",
                        m.class,
                        m.at_peak
                            .iter()
                            .map(|(k, v)| format!(
                                "{}={:.2}",
                                k.trim_end_matches("_bytes"),
                                v.as_f64().unwrap() / 1e9
                            ))
                            .collect::<Vec<_>>()
                            .join(" ")
                    )
                });
                if std::env::var("SHOW").is_ok_and(|s| s == record.id()) {
                    println!("{}", run.chosen.as_ref().unwrap().draft.text(""));
                    for c in &run
                        .chosen
                        .as_ref()
                        .unwrap()
                        .outcome
                        .prediction
                        .peak_allocated_bytes_by_class
                    {
                        println!("{c:?}");
                    }
                }
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{:.2}\t{:.2}\t{:.2}\t{:?}\t{}",
                    record.id(),
                    record.or_empty("gpu"),
                    record.or_empty("model"),
                    kind.name(),
                    record.or_empty("section"),
                    c.measured / 1e9,
                    c.predicted.unwrap_or(0.0) / 1e9,
                    p.map_or(0.0, |p| p.peak_allocated_bytes.as_f64() / 1e9),
                    run.row.skipped,
                    parts.unwrap_or_default()
                );
            }
        }
    }
}
