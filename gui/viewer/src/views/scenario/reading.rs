//! What a draft says, field by field.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use egui::{Id, Ui};
use session::{Difference, Draft, FieldKind, FormField};

/// Every field of a scenario.
pub(super) static FIELDS: LazyLock<Vec<FormField>> = LazyLock::new(session::fields);

/// The section of fields that stand in none.
pub(super) const GENERAL: &str = "general";

/// What a draft says. Read again only when the draft changes.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The draft.
    pub(super) draft: Draft,
    original: Draft,
    /// Values as people type them, by path of field.
    values: BTreeMap<&'static str, String>,
    /// The fields that differ from the original.
    pub(super) differences: Vec<Difference>,
    /// Whether the text is TOML: otherwise only the text can be edited.
    pub(super) is_toml: bool,
}

impl Reading {
    /// What a draft says.
    pub(super) fn of(ui: &Ui, draft: &Draft, original: &Draft) -> Arc<Self> {
        let id = Id::unique("scenario reading");
        let kept: Option<Arc<Self>> = ui.data(|data| data.get_temp(id));
        if let Some(kept) = kept
            && kept.draft == *draft
            && kept.original == *original
        {
            return kept;
        }
        let fresh = Arc::new(Self::new(draft, original));
        ui.data_mut(|data| data.insert_temp(id, Arc::clone(&fresh)));
        fresh
    }

    fn new(draft: &Draft, original: &Draft) -> Self {
        let paths = FIELDS.iter().map(|field| field.path.as_str());
        let values = FIELDS.iter().zip(draft.values(paths));
        Self {
            values: values
                .filter_map(|(field, value)| Some((field.path.as_str(), shown(field, value?))))
                .collect(),
            differences: draft.differences(original),
            // Taking away what is not there changes nothing, but reads the text.
            is_toml: draft.unset("nothing").is_ok(),
            draft: draft.clone(),
            original: original.clone(),
        }
    }

    /// The value of a field as typed; none where it is absent.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        self.values.get(path).map(String::as_str)
    }

    /// What a field was in the original, where it differs: itself or a part of it.
    #[expect(
        clippy::option_option,
        reason = "whether it differs, and what it was, where it was given"
    )]
    pub(super) fn was(&self, path: &str) -> Option<Option<&str>> {
        let differs = |one: &&Difference| is_within(&one.field, path);
        let one = self.differences.iter().find(differs)?;
        Some(if one.field == path {
            one.was.as_deref()
        } else {
            Some("something else")
        })
    }
}

/// A value as the form shows it: long numbers short.
pub(super) fn shown(field: &FormField, value: String) -> String {
    const LONG: usize = 9;
    let is_number = |kind: &FieldKind| matches!(kind, FieldKind::Whole(_) | FieldKind::Number(_));
    let is_float = value.contains('.') && field.kinds.iter().any(is_number);
    if !is_float || value.len() < LONG {
        return value;
    }
    let short = value.parse().map(|number: f64| format!("{number:e}"));
    short
        .ok()
        .filter(|short| short.len() < value.len())
        .unwrap_or(value)
}

/// Whether a field is edited part by part, in rows of their own.
pub(super) fn has_parts(field: &FormField) -> bool {
    let is_part =
        |other: &FormField| other.path != field.path && is_within(&other.path, &field.path);
    FIELDS.iter().any(is_part)
}

/// Whether a path is a field or leads into it.
pub(super) fn is_within(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The field of the form in which a path lies, such as `plan.shard` for `plan.shard[0].group`.
pub(super) fn form_field(path: &str) -> Option<&'static FormField> {
    let holds = FIELDS.iter().filter(|field| is_within(path, &field.path));
    holds.max_by_key(|field| field.path.len())
}

/// The section of the form in which a path lies: the outermost table. Lists and maps outside of all
/// tables are sections of their own.
pub(super) fn section_of(path: &str) -> &str {
    match path.split_once(['.', '[']) {
        Some((section, _)) => section,
        None if form_field(path).is_some_and(FormField::is_plain) => GENERAL,
        None => path,
    }
}
