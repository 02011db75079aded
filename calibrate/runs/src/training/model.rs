//! The model of a row.
//!
//! ```text
//! name ──recipe──▶ the shape of a published recipe
//!      ──known───▶ a model of the zoo; cells that differ are set over its fields
//!      ──known───▶ a family of the zoo at another size: as deep and wide as the size needs
//!      ──gpt─────▶ else a GPT of the row's dimensions, or of its size
//! ```

mod gpt;
mod known;
mod name;
mod sized;
mod written;

pub(crate) use known::{Known, named};

use self::known::{Meant, meant};
use super::recipe::{Given, Recipe};
use super::{Row, whole};
use crate::spelled::{has_any, number_behind};
use crate::{Draft, Record, Rule, RunsError};

const TRUNCATED: Rule = Rule::new(
    "truncated-model",
    "of a model cut to a few layers one is dense, and no module predicts further tokens",
);
const RECIPE: Rule = Rule::new(
    "recipe-shape",
    "the shape of the published recipe of that name",
);
const POSITIONS: Rule = Rule::new(
    "positions",
    "as many learned positions as a sequence has tokens",
);
const CONTRADICTS: Rule = Rule::new(
    "name-over-parameters",
    "the row's `params_b` is not what a model of its name has: the name is taken",
);

/// The section of a shape that is described.
const SHAPE: &str = "model.megatron";

/// What a row says of the shape by itself.
#[derive(Clone, Copy, Debug, Default)]
struct Cells {
    hidden: Option<u64>,
    layers: Option<u64>,
    heads: Option<u64>,
    kv_heads: Option<u64>,
    vocab: Option<u64>,
    /// Billions of parameters.
    billions: Option<f64>,
}

impl Cells {
    fn of(record: &Record) -> Result<Self, RunsError> {
        Ok(Self {
            hidden: record.count("hidden")?,
            layers: record.count("layers")?,
            heads: record.count("heads")?,
            kv_heads: record.count("kv_heads")?,
            vocab: record.count("vocab_size")?,
            billions: billions(record)?,
        })
    }
}

fn billions(record: &Record) -> Result<Option<f64>, RunsError> {
    let Some(value) = record.number("params_b")? else {
        return Ok(None);
    };
    if 0.0 < value && value <= 1e6 {
        return Ok(Some(value));
    }
    Err(record.bad(
        "params_b",
        "billions of parameters, above 0 and up to 1,000,000",
    ))
}

/// Writes `[model]`.
pub(super) fn model(row: &Row<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    let record = row.record;
    let mut cells = Cells::of(record)?;
    let name = record.or_empty("model");
    let depth = number_behind(name, "truncated to");
    if depth == Some(0) {
        return Err(record.bad("model", "a model cut to 1 layer or more"));
    }
    let full = name.split("truncated").next().unwrap_or(name);
    cells.layers = depth.or(cells.layers);
    if let Some(recipe) = row.recipe.filter(|recipe| recipe.has_width(cells.hidden)) {
        from_recipe(recipe, &cells, draft);
        return Ok(());
    }
    let meant = meant(full, cells.billions);
    if let Some(Meant::Model(known, rule)) = meant
        && !(known.is_gpt() && cells.hidden.is_some())
        && written::write(known, rule, &cells, draft)
    {
        if let Some(depth) = depth {
            truncated(known, depth, draft);
        }
        if has_any(name, &["w/o mtp", "without mtp", "no mtp"]) {
            draft.set("model", "mtp", 0);
        }
        contradiction(known, &cells, draft);
        return Ok(());
    }
    if let Some(Meant::Sized(known, billions)) = meant
        && sized::write(row, known, billions, &cells, draft)
    {
        return Ok(());
    }
    let like = match meant {
        Some(Meant::Model(known, _)) => Some(known),
        _ => None,
    };
    gpt::write(row, &cells, like, draft)
}

/// Says that a name and a number of parameters contradict each other.
fn contradiction(known: &Known, cells: &Cells, draft: &mut Draft) {
    const FAR: f64 = 0.3;
    let is_whole = cells.layers.is_none_or(|layers| layers == known.layers());
    let off = |billions: f64| known.distance(billions);
    if let Some(billions) = cells.billions.filter(|size| is_whole && FAR < off(*size)) {
        draft.note("model.params_b", format!("{billions}"), CONTRADICTS);
    }
}

/// A cell, or that of the nearest row above or below with the same model of the same table that can
/// be read.
fn sibling(row: &Row<'_>, column: &'static str) -> Option<u64> {
    row.record.text("model")?;
    let same = |other: &&Record| {
        let is_same = |name: &str| other.text(name) == row.record.text(name);
        other.is_whole() && ["source_path", "model"].into_iter().all(is_same)
    };
    let others = row.table.records.iter().filter(same);
    let readable = others.filter_map(|other| {
        let distance = other.line.abs_diff(row.record.line);
        Some((distance, other.readable(column)?))
    });
    readable
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, value)| value)
}

fn put(draft: &mut Draft, section: &'static str, key: &str, value: u64, rule: Option<Rule>) {
    match rule {
        Some(rule) => draft.assume(section, key, whole(value), rule),
        None => draft.set(section, key, whole(value)),
    }
}

fn from_recipe(recipe: &Recipe, cells: &Cells, draft: &mut Draft) {
    for (key, value) in recipe.shape {
        match *value {
            Given::Count(count) => draft.assume(SHAPE, key, whole(count), RECIPE),
            Given::Word(word) => draft.assume(SHAPE, key, word, RECIPE),
            Given::Flag(flag) => draft.assume(SHAPE, key, flag, RECIPE),
        }
    }
    let given = [
        ("layers", cells.layers),
        ("heads", cells.heads),
        ("kv_heads", cells.kv_heads),
        ("vocab", cells.vocab),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            draft.set(SHAPE, key, whole(value));
        }
    }
    draft.note("model", recipe.source, RECIPE);
}

/// Writes learned positions, once the length of a sequence is known.
pub(super) fn positions(draft: &mut Draft) {
    let kind = draft.get(SHAPE, "position").and_then(toml::Value::as_str);
    let is_shape = draft.get(SHAPE, "layers").is_some();
    let seq_len = draft.count("training", "seq_len");
    if let Some(seq_len) = seq_len.filter(|_| is_shape && matches!(kind, None | Some("alibi"))) {
        draft.assume(SHAPE, "max_positions", whole(seq_len), POSITIONS);
    }
}

/// `deepseekv3 truncated to 4 layers`.
fn truncated(known: &Known, depth: u64, draft: &mut Draft) {
    draft.set("model", "layers", whole(depth));
    if known.name.starts_with("deepseek") {
        draft.assume("model", "first_k_dense", 1, TRUNCATED);
        if known.name.starts_with("deepseek-v3") {
            draft.assume("model", "mtp", 0, TRUNCATED);
        }
    }
}

/// Width and depth that a row states or that follow from its size; for grouping.
pub fn shape_of(draft: &Draft) -> (Option<u64>, Option<u64>) {
    (draft.count(SHAPE, "hidden"), draft.count(SHAPE, "layers"))
}
