//! Rows with measured memory, each with its scenario.

use std::collections::BTreeMap;

use predict::Scenario;
use runs::{MemoryKind, Quantity, Record, Table, megatron_ci, training};
use units::Control;
use validate::{NotChosen, choose};

use crate::MemoryError;

/// What kind of run a row is of; reports print one line for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Megatron-LM's continuous integration, decoders below a billion parameters.
    SmallDense,
    /// The same, a billion and more.
    Dense,
    /// The same, mixtures of experts.
    Experts,
    /// The same, BERT and T5.
    BertT5,
    /// The same, what cannot be compared like with like; never fitted.
    SetApart,
    /// Other runs, by GPU and by what was measured.
    Other(&'static str),
}

impl Class {
    /// The name that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallDense => "Megatron CI, dense below 1 B",
            Self::Dense => "Megatron CI, dense of 1 B and more",
            Self::Experts => "Megatron CI, experts",
            Self::BertT5 => "Megatron CI, BERT and T5",
            Self::SetApart => "Megatron CI, set apart",
            Self::Other(name) => name,
        }
    }
}

/// A row with measured memory.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub id: String,
    /// Rows of one group are left out together.
    pub group: String,
    /// What kind of run it is of.
    pub class: Class,
    /// Why it stands apart.
    pub apart: Option<&'static str>,
    /// Which memory was measured.
    pub kind: MemoryKind,
    /// How much, in bytes.
    pub measured: f64,
    /// What it counts: copies of one figure count once together.
    pub weight: f64,
    /// The run.
    pub scenario: Scenario,
}

/// The rows of some tables.
///
/// # Errors
///
/// [`MemoryError`] where a cell cannot be read or a scenario is refused.
pub fn rows(tables: &[Table]) -> Result<Vec<Row>, MemoryError> {
    let mut all = Vec::new();
    for table in tables {
        for record in &table.records {
            let row = if megatron_ci::is_megatron_ci(table) {
                integration(record)?
            } else {
                trained(record, table)?
            };
            all.extend(row);
        }
    }
    if all.is_empty() {
        return Err(MemoryError::NoRows);
    }
    weigh(&mut all);
    Ok(all)
}

/// A case of Megatron-LM's continuous integration; its group is the test case.
fn integration(record: &Record) -> Result<Option<Row>, MemoryError> {
    let apart = megatron_ci::set_apart(record);
    let Some((kind, measured)) = memory(&megatron_ci::measured(record)?) else {
        return Ok(None);
    };
    let mut draft = megatron_ci::draft(record)?;
    draft.set("settings", "engine", "estimate");
    let id = format!(
        "{}, {}",
        record.or_empty("test_case"),
        record.or_empty("env")
    );
    let scenario = scenario(&id, &[draft])?;
    let class = match record.or_empty("family") {
        _ if apart.is_some() => Class::SetApart,
        "bert" | "t5" => Class::BertT5,
        _ if record.text("num-experts").is_some() => Class::Experts,
        _ if 1_000_000_000 <= scenario.job.model.params() => Class::Dense,
        _ => Class::SmallDense,
    };
    Ok(Some(Row {
        group: record.or_empty("test_case").to_owned(),
        id,
        class,
        apart,
        kind,
        measured,
        weight: 1.0,
        scenario,
    }))
}

/// A training run; its group is the model.
fn trained(record: &Record, table: &Table) -> Result<Option<Row>, MemoryError> {
    let Some((kind, measured)) = memory(&training::measured(record)?) else {
        return Ok(None);
    };
    let scenario = scenario(&record.id(), &training::drafts(record, table)?)?;
    let class = match (kind, record.or_empty("gpu")) {
        (MemoryKind::NvidiaSmi, "V100") => "BigScience V100, nvidia-smi",
        (MemoryKind::NvidiaSmi, _) => "BigScience A100, nvidia-smi",
        _ => "SimuMax B200",
    };
    Ok(Some(Row {
        id: record.id(),
        group: record.or_empty("model").to_owned(),
        class: Class::Other(class),
        apart: None,
        kind,
        measured,
        weight: 1.0,
        scenario,
    }))
}

fn memory(measured: &[runs::Measured]) -> Option<(MemoryKind, f64)> {
    measured.iter().find_map(|one| match one.quantity {
        Quantity::PeakMemory(kind) => Some((kind, one.value)),
        _ => None,
    })
}

fn scenario(id: &str, drafts: &[runs::Draft]) -> Result<Scenario, MemoryError> {
    let chosen = choose(id, drafts, &Control::new());
    chosen
        .map(|chosen| chosen.scenario)
        .map_err(|why| match why {
            NotChosen::Interrupted => MemoryError::Interrupted,
            NotChosen::Refused(reason) => MemoryError::Refused {
                row: id.to_owned(),
                reason,
            },
        })
}

/// Copies of one figure in one group count once together, unless it was printed in whole GB.
fn weigh(rows: &mut [Row]) {
    let key = |row: &Row| (row.group.clone(), row.measured.to_bits());
    let mut copies: BTreeMap<(String, u64), f64> = BTreeMap::new();
    for row in rows.iter() {
        *copies.entry(key(row)).or_default() += 1.0;
    }
    for row in rows.iter_mut() {
        if row.kind != MemoryKind::NvidiaSmi {
            row.weight = 1.0 / copies.get(&key(row)).copied().unwrap_or(1.0);
        }
    }
}
