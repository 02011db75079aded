//! The measured runs that come with the program, so that an installed binary needs no folder.

use runs::RunsError;

use crate::validate::{Tables, parse_tables};

const TRAINING: &[u8] = include_bytes!("../../../calibrate/data/runs/training_runs.csv");
const MEMORY: &[u8] = include_bytes!("../../../calibrate/data/runs/megatron_ci_memory.csv");

/// The tables of measured runs that come with the program: published training runs, and memory that
/// Megatron-LM's integration tests measure.
///
/// # Errors
///
/// None, unless a table of this repository is broken.
pub fn shipped_tables() -> Result<Tables, Vec<RunsError>> {
    parse_tables(&[
        ("training_runs.csv", TRAINING),
        ("megatron_ci_memory.csv", MEMORY),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_can_be_read() {
        assert!(1_500 < shipped_tables().unwrap().n_rows());
    }
}
