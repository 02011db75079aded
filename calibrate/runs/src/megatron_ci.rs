//! Continuous-integration cases of Megatron-LM: Megatron's arguments, and the memory of the last
//! rank.
//!
//! ```text
//! flags (columns) ──▶ model, plan, training      named rules where a flag is not in the table
//! platform, env   ──▶ machine: A100 and H100 of 8, GB200 of 4
//! ```
//!
//! The table holds the flags that most cases set. What single cases set besides stands in their
//! `model_config.yaml`, which the row's `config_path` names; rules repeat what those files have in
//! common. Cases that train nothing alike (reinforcement learning, offloaded activations, models
//! behind frozen ones) and figures that were copied from another case are named by
//! [`set_apart`].

mod apart;
mod case;
mod machine;
mod model;
mod plan;
mod rules;

pub use apart::set_apart;

use crate::measured::{Measured, MemoryKind, Quantity};
use crate::{Draft, Record, RunsError, Table};

use case::Case;

/// Whether a table has the columns of Megatron-LM's continuous integration.
pub fn is_megatron_ci(table: &Table) -> bool {
    ["test_case", "env", "tensor-model-parallel-size"]
        .iter()
        .all(|column| table.has(column))
}

/// The scenario of a row.
///
/// # Errors
///
/// [`RunsError::BadCell`] where a cell is not what its column holds.
pub fn draft(record: &Record) -> Result<Draft, RunsError> {
    record.refuse_ragged()?;
    let case = Case::of(record)?;
    let mut draft = Draft::default();
    model::write(&case, &mut draft)?;
    let machine = machine::write(&case, &mut draft)?;
    plan::write(&case, machine, &mut draft)?;
    Ok(draft)
}

/// What a row measured: seconds of an iteration and bytes of the last rank at their peak.
///
/// # Errors
///
/// [`RunsError::BadCell`] where a cell is no number.
pub fn measured(record: &Record) -> Result<Vec<Measured>, RunsError> {
    let columns = [
        ("iter_time_s_median_after_warmup", Quantity::IterationTime),
        (
            "mem_max_allocated_bytes",
            Quantity::PeakMemory(MemoryKind::AllocatedLastRank),
        ),
    ];
    let mut all = Vec::new();
    for (column, quantity) in columns {
        if let Some(value) = record.number(column)?.filter(|value| 0.0 < *value) {
            all.push(Measured {
                quantity,
                value,
                derived: None,
            });
        }
    }
    Ok(all)
}

/// The bytes that are allocated between iterations, a check of what a prediction says of weights,
/// gradients and optimizer.
///
/// # Errors
///
/// [`RunsError::BadCell`] where the cell is no number.
pub fn at_rest(record: &Record) -> Result<Option<f64>, RunsError> {
    let value = record.number("mem_allocated_bytes_median")?;
    Ok(value.filter(|value| 0.0 < *value))
}

#[cfg(test)]
mod tests;
