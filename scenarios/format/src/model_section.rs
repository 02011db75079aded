//! `[model]`: a name or file, or a description.

use crate::fields::Fields;
use crate::shape::text;

/// `[model]` as a file says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSection {
    /// A name of the zoo, or the path of a `config.json`.
    pub config: Option<String>,
}

pub(crate) fn model(t: &mut Fields<'_, '_>) -> ModelSection {
    ModelSection {
        config: t
            .get(
                "config",
                "a name of the zoo, or the path of a config.json",
                text(),
            )
            .optional(),
    }
}
