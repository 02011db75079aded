//! What becomes of a scenario when one thing changes: the sliders of a window.
//!
//! A [`Knob`] is a field of the scenario, so that a tuning that is kept is an edit like any other.
//! Links and GPUs that are faster or slower than what is known of them stand in `[cluster.scale]`.

mod knob;
mod tuner;

use std::collections::BTreeMap;

use format::{Assignment, Failure, Problem};
use predict::PredictError;

use crate::draft::Draft;
use crate::open::Opened;

pub use knob::{Knob, Setting, settings};
pub use tuner::{Sensitivity, Tuner};

/// Values of knobs; those that are not named stay as the scenario has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    values: BTreeMap<Knob, f64>,
}

/// Why a tuned scenario has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The scenario is none with these values.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<Failure>),
    /// The closed form has no answer.
    #[error(transparent)]
    Failed(#[from] PredictError),
}

impl TuneError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(failures) => failures.first()?.hint(),
            Self::Failed(error) => error.hint().map(str::to_owned),
        }
    }
}

impl Tuning {
    /// The same with a knob at a value.
    #[must_use]
    pub fn with(mut self, knob: Knob, value: f64) -> Self {
        self.values.insert(knob, value);
        self
    }

    /// The same with a knob left as the scenario has it.
    #[must_use]
    pub fn without(mut self, knob: Knob) -> Self {
        self.values.remove(&knob);
        self
    }

    /// The value of a knob; none where it is left as it is.
    pub fn get(&self, knob: Knob) -> Option<f64> {
        self.values.get(&knob).copied()
    }

    /// Whether everything is left as it is.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The fields that the tuning sets, each with its value as people type it.
    pub fn edits(&self, opened: &Opened) -> Vec<(String, String)> {
        let values = self.values.iter();
        values
            .flat_map(|(knob, value)| knob.edits(opened, *value))
            .collect()
    }

    /// The tuned scenario, to be simulated by any engine.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn on(&self, opened: &Opened) -> Result<Opened, Vec<Failure>> {
        let edits = self.edits(opened).into_iter();
        let above =
            edits.map(|(field, value)| Assignment::new("what if", format!("{field}={value}")));
        opened.with(&above.collect::<Vec<_>>())
    }

    /// The draft with the tuning written into it.
    ///
    /// # Errors
    ///
    /// Where the draft is not TOML, or no scenario.
    pub fn apply(&self, draft: &Draft) -> Result<Draft, Box<Failure>> {
        let opened = draft.open().map_err(|failures| {
            let first = failures.into_iter().next();
            Box::new(first.unwrap_or_else(|| {
                let message = "no scenario".to_owned();
                Failure::of_file(Problem::Syntax { message })
            }))
        })?;
        let edits = self.edits(&opened).into_iter();
        edits
            .into_iter()
            .try_fold(draft.clone(), |draft, (field, value)| {
                draft.set(&field, &value)
            })
    }
}

#[cfg(test)]
mod tests;
