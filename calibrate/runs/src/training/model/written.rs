//! A model of the zoo, with what a row says otherwise.

use workload::Override;

use super::known::Known;
use super::{Cells, put};
use crate::{Draft, Rule};

const SCALED: Rule = Rule::new(
    "scaled-with-width",
    "the row's width is not the known model's: heads keep their width, and inner widths their ratio",
);
const LATENT: Rule = Rule::new(
    "latent-heads",
    "latent attention has no heads of keys and values: the cell says nothing",
);

/// Fields over those of a model of the zoo; a rule where the row does not say them itself.
pub(super) type Fields = Vec<(&'static str, u64, Option<Rule>)>;

/// Writes a model of the zoo with the cells that differ; nothing where they cannot be its own.
pub(super) fn write(known: &Known, rule: Option<Rule>, cells: &Cells, draft: &mut Draft) -> bool {
    let fields = differing(known, cells);
    if !fit(known, &fields) {
        return false;
    }
    match rule {
        Some(rule) => draft.assume("model", "config", known.name, rule),
        None => draft.set("model", "config", known.name),
    }
    put_all(&fields, draft);
    let is_latent = known.latent_heads().is_some();
    if let Some(kv_heads) = cells.kv_heads.filter(|_| is_latent) {
        draft.note("model.kv_heads", kv_heads.to_string(), LATENT);
    }
    true
}

/// Writes fields over those of the model.
pub(super) fn put_all(fields: &Fields, draft: &mut Draft) {
    for (key, value, rule) in fields {
        put(draft, "model", key, *value, *rule);
    }
}

/// Whether the model takes the fields.
pub(super) fn fit(known: &Known, fields: &Fields) -> bool {
    let set = |(key, value, _): &(&'static str, u64, Option<Rule>)| Override::count(*key, *value);
    let overrides: Vec<Override> = fields.iter().map(set).collect();
    overrides.is_empty() || known.with(&overrides).is_some()
}

/// The cells that are not as the model has them, and what follows from them.
pub(super) fn differing(known: &Known, cells: &Cells) -> Fields {
    let mut fields = Fields::new();
    let mut differs = |key: &'static str, cell: Option<u64>, own: u64| {
        let cell = cell.filter(|cell| *cell != own);
        fields.extend(cell.map(|value| (key, value, None)));
        cell
    };
    differs("layers", cells.layers, known.layers());
    differs("vocab", cells.vocab, known.model.vocab());
    let width = differs("hidden", cells.hidden, known.model.hidden());
    if let Some((heads, kv_heads, head_dim)) = known.heads() {
        differs("heads", cells.heads, heads);
        differs("kv_heads", cells.kv_heads, kv_heads);
        let kept = width.filter(|width| cells.heads.is_none() && width.is_multiple_of(head_dim));
        let scaled = kept.map(|width| width / head_dim);
        fields.extend(scaled.map(|heads| ("heads", heads, Some(SCALED))));
        // Where every head has keys and values of its own, other numbers of heads do, too.
        let now = cells.heads.or(scaled).unwrap_or(heads);
        let is_plain = heads == kv_heads && known.says_kv_heads();
        if is_plain && cells.kv_heads.is_none() && now != heads {
            fields.push(("kv_heads", now, Some(SCALED)));
        }
    } else if let Some(heads) = known.latent_heads() {
        differs("heads", cells.heads, heads);
    }
    if let (Some(width), Some(ffn)) = (width, known.ffn()) {
        let inner = (ffn * width / known.model.hidden()).next_multiple_of(64);
        fields.push(("ffn", inner, Some(SCALED)));
    }
    fields
}
