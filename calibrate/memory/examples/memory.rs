//! Fits the constants of memory and prints errors by class, groups left out:
//! `cargo run --release -p memory --example memory -- calibrate/data/runs/*.csv`.
//! With `--rows FILE`, every row goes to a file.

use std::fmt::Write as _;
use std::path::Path;

use memory::{MemoryError, constants_text, fit_memory, rows, summaries, summaries_text};
use runs::Table;
use units::math::exp;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let to = arguments.iter().position(|one| one == "--rows").map(|at| {
        let file = arguments.get(at + 1).cloned().unwrap_or_default();
        arguments.truncate(at);
        file
    });
    if let Err(error) = run(&arguments, to.as_deref()) {
        eprintln!("{error}");
        if let Some(hint) = error.hint() {
            eprintln!("hint: {hint}");
        }
        std::process::exit(1);
    }
}

fn run(paths: &[String], to: Option<&str>) -> Result<(), MemoryError> {
    let tables = paths.iter().map(|path| Table::read(Path::new(path)));
    let tables: Vec<Table> = tables.collect::<Result<_, _>>()?;
    let rows = rows(&tables)?;
    let fitted = fit_memory(&rows);
    println!("{}", constants_text(&fitted));
    println!("{}", summaries_text(&summaries(&rows, &fitted)));
    let mut text = String::new();
    for (row, log) in rows.iter().zip(&fitted.left_out) {
        let error = (exp(*log) - 1.0) * 100.0;
        let (class, gb) = (row.class.name(), row.measured / 1e9);
        let apart = row.apart.unwrap_or_default();
        let _ = writeln!(text, "{class}\t{}\t{gb:.3}\t{error:+.1}\t{apart}", row.id);
    }
    if let Some(file) = to
        && let Err(error) = std::fs::write(file, text)
    {
        eprintln!("{file} cannot be written: {error}");
    }
    Ok(())
}
