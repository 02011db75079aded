//! A family of the zoo at a size that the zoo has not.

use workload::Override;

use super::known::Known;
use super::written::{Fields, differing, fit, put_all};
use super::{Cells, sibling};
use crate::training::Row;
use crate::{Draft, Rule};

const SIZED: Rule = Rule::new(
    "family-by-size",
    "no model of that family and size: the nearest of the family, made as wide and deep as the size needs",
);
const SIBLING: Rule = Rule::new(
    "sibling-shape",
    "another row of the table with the same model has the cell",
);

/// Writes the nearest model of the family with the depth, and where it is far off the width, that
/// the size needs; nothing where no such model can be.
pub(super) fn write(
    row: &Row<'_>,
    known: &Known,
    billions: f64,
    cells: &Cells,
    draft: &mut Draft,
) -> bool {
    let sibling = sibling(row, "hidden").filter(|_| cells.hidden.is_none());
    let tp = row.record.readable("tp").unwrap_or(1);
    let inferred =
        sibling.or_else(|| width(known, billions, tp).filter(|_| cells.hidden.is_none()));
    let wide = Cells {
        hidden: cells.hidden.or(inferred),
        ..*cells
    };
    let mut fields = differing(known, &wide);
    let rule = if sibling.is_some() { SIBLING } else { SIZED };
    for (key, _, own) in &mut fields {
        if *key == "hidden" && inferred.is_some() {
            *own = Some(rule);
        }
    }
    if cells.layers.is_none() {
        let Some(layers) = depth(known, &fields, billions) else {
            return false;
        };
        fields.push(("layers", layers, Some(SIZED)));
    }
    if !fit(known, &fields) {
        return false;
    }
    draft.assume("model", "config", known.name, SIZED);
    put_all(&fields, draft);
    true
}

/// The width of a model that is more than twice as large or small: by the third root, so that depth
/// grows with it; heads divide by 8 and by the tensor-parallel ranks. Only where all layers are
/// alike, since other families have widths that are not tied to this one.
fn width(known: &Known, billions: f64, tp: u64) -> Option<u64> {
    let ratio = billions * 1e9 / known.model.params() as f64;
    let (_, _, head_dim) = known.heads()?;
    known.ffn()?;
    if (0.5..=2.0).contains(&ratio) {
        return None;
    }
    let unit = head_dim * super::gpt::heads_unit(tp);
    let width = known.model.hidden() as f64 * units::math::powf(ratio, 1.0 / 3.0);
    Some(super::gpt::rounded(width / unit as f64).max(1) * unit)
}

/// The layers that give so many parameters, each as large as the last.
fn depth(known: &Known, fields: &Fields, billions: f64) -> Option<u64> {
    let with = |layers: u64| {
        let mut overrides: Vec<Override> = fields
            .iter()
            .filter(|(key, ..)| *key != "layers")
            .map(|(key, value, _)| Override::count(*key, *value))
            .collect();
        overrides.push(Override::count("layers", layers));
        Some(known.with(&overrides)?.params() as f64)
    };
    let layers = known.layers();
    let (all, but_one) = (with(layers)?, with(layers.checked_sub(1)?)?);
    let each = (all - but_one).max(1.0);
    let more = (billions * 1e9 - all) / each;
    Some(super::gpt::rounded((layers as f64 + more).max(1.0)))
}
