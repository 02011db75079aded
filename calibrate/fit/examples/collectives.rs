//! Fits the constants of collectives: prints the report, writes the profile.
//!
//! ```text
//! cargo run --release -p fit --example collectives -- [DATA [FILE [EXTRA…]]]
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = args.next();
    let folder = folder.unwrap_or_else(|| PathBuf::from("calibrate/data/collectives"));
    let file = args.next();
    let extra: Vec<PathBuf> = args.collect();
    let fitted = match fit::collectives::fit(&folder, &extra) {
        Ok(fitted) => fitted,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            return ExitCode::from(2);
        }
    };
    print!("{}", fitted.report);
    let Some(file) = file else {
        return ExitCode::SUCCESS;
    };
    match std::fs::write(&file, &fitted.file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
