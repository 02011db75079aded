//! Tables of training runs: columns such as `gpu`, `num_gpus`, `model`, `gbs`, `tp`, `iter_time_s`.
//!
//! Cells that are empty are inferred, each by a [`Rule`]. `notes` and `hardware` are read for
//! configuration alone, never for what was measured or predicted.

mod batch;
mod formula;
mod framework;
mod machine;
mod model;
mod plan;
mod precision;
mod recipe;
#[cfg(test)]
mod tests;
mod time;

use crate::{Draft, Likeness, Record, Rule, RunsError, Table};

pub use formula::Formula;
pub use framework::{Family, family};
pub use model::shape_of;
pub use time::{Speed, Time, contradicts, measured, speed, time};

/// What a row says, as far as more than one part of the scenario needs it.
pub(crate) struct Row<'a> {
    pub(crate) record: &'a Record,
    pub(crate) table: &'a Table,
    pub(crate) family: Family,
    pub(crate) recipe: Option<&'static recipe::Recipe>,
}

/// Refuses a table that is none of training runs.
///
/// # Errors
///
/// [`RunsError::NoColumn`].
pub fn check(table: &Table) -> Result<(), RunsError> {
    table.need("gpu")?;
    // Micro-batches give a global batch, too.
    if table.has("mbs") {
        return Ok(());
    }
    table.need("gbs")
}

/// The scenarios that a row may stand for, the most likely first: of several, which differ only
/// in what the row does not say, the first that fits into memory is meant.
///
/// # Errors
///
/// [`RunsError::BadCell`] where a cell cannot be read.
pub fn drafts(record: &Record, table: &Table) -> Result<Vec<Draft>, RunsError> {
    record.refuse_ragged()?;
    contradicts(record)?;
    let row = Row {
        record,
        table,
        family: family(record),
        recipe: recipe::recipe(record),
    };
    let mut draft = Draft::default();
    model::model(&row, &mut draft)?;
    let gpus = machine::machine(&row, &mut draft)?;
    batch::training(&row, gpus, &mut draft)?;
    model::positions(&mut draft);
    plan::plan(&row, gpus, &mut draft)?;
    framework::framework(&row, &mut draft);
    time::notes(record, gpus, &mut draft)?;
    draft.set("settings", "engine", "estimate");
    if let Some((profile, rule)) = machine::profile(record) {
        draft.assume("settings", "profiles", vec![profile], rule);
    }
    Ok(plan::alternatives(&row, &draft))
}

impl Row<'_> {
    /// A number from the row, else from a row that repeats it (same model, GPUs, batch and
    /// degrees), else from the recipe.
    pub(crate) fn degree(&self, column: &'static str) -> Result<Known, RunsError> {
        if let Some(value) = self.record.count(column)? {
            return Ok(Known::Given(value));
        }
        if let Some(value) = self.twin(column) {
            return Ok(Known::Inferred(value, TWIN));
        }
        let recipe = self.recipe.and_then(|recipe| recipe.degree(column));
        Ok(recipe.map_or(Known::Missing, |value| Known::Inferred(value, RECIPE)))
    }

    /// What a row that repeats this one has in a column, as far as it can be read: its errors are
    /// its own.
    fn twin(&self, column: &str) -> Option<u64> {
        let twins = self.table.alike(Likeness::Run, self.record);
        let mut others = twins.filter(|other| other.line != self.record.line);
        others.find_map(|other| other.readable(column))
    }
}

/// A number of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Known {
    Given(u64),
    Inferred(u64, Rule),
    Missing,
}

impl Known {
    pub(crate) fn value(self) -> Option<u64> {
        match self {
            Self::Given(value) | Self::Inferred(value, _) => Some(value),
            Self::Missing => None,
        }
    }

    /// Writes it into a draft; gives the value that was written.
    pub(crate) fn put(self, draft: &mut Draft, section: &'static str, key: &str) -> Option<u64> {
        match self {
            Self::Given(value) => draft.set(section, key, whole(value)),
            Self::Inferred(value, rule) => draft.assume(section, key, whole(value), rule),
            Self::Missing => {}
        }
        self.value()
    }
}

/// A count as TOML has it.
pub(crate) fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

const TWIN: Rule = Rule::new(
    "twin",
    "another row of the table repeats this run and has the cell",
);
const RECIPE: Rule = Rule::new("recipe", "the framework's published recipe for this model");
