//! Chunks of a pipeline, and which layers stand in which stage.

use toml::Value;

use crate::training::model::named;
use crate::training::{Known, Row, whole};
use crate::{Draft, Record, Rule, RunsError};

const INTERLEAVED: Rule = Rule::new(
    "interleaved-recipe",
    "recipes of NeMo and Megatron-Bridge interleave down to one or two layers a chunk",
);
const SPLIT: Rule = Rule::new(
    "uneven-layers",
    "layers do not divide by the chunks: the first take one more",
);
const ENDS: Rule = Rule::new(
    "embedding-and-loss",
    "with embedding and loss as a layer each the split is even",
);
const REBALANCED: Rule = Rule::new(
    "rebalanced",
    "the section counts embedding and head as a layer each",
);

/// The most stages of all devices together, as `plan` has it.
const MOST_STAGES: u64 = 1 << 14;

/// Writes `vp`.
pub(super) fn chunks(row: &Row<'_>, pp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    let known = row.degree("vp")?;
    let chunks = pp.saturating_mul(known.value().unwrap_or(1));
    if MOST_STAGES < chunks {
        let expected = "a degree with which pp x vp is at most 16,384 stages";
        return Err(refused(row, expected));
    }
    if known.put(draft, P, "vp").is_some() || pp == 1 {
        return Ok(());
    }
    let recipes = matches!(row.family.name, "nemo" | "megatron-bridge");
    let Some(depth) = depth(draft).filter(|_| recipes) else {
        return Ok(());
    };
    let best = [1, 2]
        .into_iter()
        .find(|chunk| depth.is_multiple_of(pp * chunk));
    if let Some(chunk) = best {
        Known::Inferred(depth / (pp * chunk), INTERLEAVED).put(draft, P, "vp");
    }
    Ok(())
}

/// The error of the degree that makes too many stages: `vp` where the row has it.
fn refused(row: &Row<'_>, expected: &'static str) -> RunsError {
    let record = row.record;
    let column = if record.text("vp").is_some() {
        "vp"
    } else {
        "pp"
    };
    record.bad(column, expected)
}

/// Layers of the draft's model; of the decoder, behind an encoder.
fn depth(draft: &Draft) -> Option<u64> {
    if let Some(layers) = draft.count("model.megatron", "layers") {
        return Some(layers);
    }
    if let Some(layers) = draft.count("model", "layers") {
        return Some(layers);
    }
    let config = draft.get("model", "config")?.as_str()?;
    let known = named(config)?;
    Some(known.layers() - known.model.encoder_layers() as u64)
}

/// `layer_split`, where layers do not divide by the chunks, or the row says it.
pub(super) fn layers(row: &Row<'_>, pp: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const P: &str = "plan";
    if pp == 1 {
        return Ok(());
    }
    if row.record.text("section") == Some("Rebalancing layers") {
        draft.assume(P, "layer_split", "embedding-and-loss", REBALANCED);
        return Ok(());
    }
    if let Some(split) = partition(row.record, pp)? {
        draft.set(P, "layer_split", Value::Array(split));
        return Ok(());
    }
    let chunks = pp * draft.count(P, "vp").unwrap_or(1);
    let Some(depth) = depth(draft).filter(|depth| !depth.is_multiple_of(chunks)) else {
        return Ok(());
    };
    if (depth + 2).is_multiple_of(chunks) && !row.family.of_2021 {
        draft.assume(P, "layer_split", "embedding-and-loss", ENDS);
        return Ok(());
    }
    if depth < chunks {
        return Err(refused(
            row,
            "a degree with which pp x vp is at most the model's layers",
        ));
    }
    let split = (0..chunks).map(|chunk| depth / chunks + u64::from(chunk < depth % chunks));
    let split: Vec<Value> = split.map(|layers| Value::from(whole(layers))).collect();
    draft.assume(P, "layer_split", Value::Array(split), SPLIT);
    Ok(())
}

/// `layer partition=[0; 8; 14; 20; 30]`: the first unit of each stage, of two units of the
/// embedding, the layers, and four of norm, head and loss; nothing where there are other units.
fn partition(record: &Record, pp: u64) -> Result<Option<Vec<Value>>, RunsError> {
    const AHEAD: u64 = 2;
    const BEHIND: u64 = 4;
    const EXPECTED: &str = "notes with a layer partition that rises from 0 in pp steps";
    let notes = record.or_empty("notes");
    let Some(rest) = notes.split("layer partition=[").nth(1) else {
        return Ok(None);
    };
    let refused = || record.bad("notes", EXPECTED);
    let list = rest.split(']').next().unwrap_or(rest);
    let starts: Option<Vec<u64>> = list
        .split(';')
        .map(|part| part.trim().parse().ok())
        .collect();
    let starts = starts.ok_or_else(refused)?;
    let Some(depth) = record.count("layers")? else {
        return Ok(None);
    };
    let is_whole = starts.len() as u64 == pp + 1 && starts.first() == Some(&0);
    if !is_whole || !starts.is_sorted() {
        return Err(refused());
    }
    // Of a model that has other units besides its layers, they say nothing of these.
    if starts.last() != Some(&(depth + AHEAD + BEHIND)) {
        return Ok(None);
    }
    let layers_before = |unit: u64| unit.saturating_sub(AHEAD).min(depth);
    let split = starts
        .windows(2)
        .map(|pair| layers_before(pair[1]) - layers_before(pair[0]));
    Ok(Some(
        split.map(|layers| Value::from(whole(layers))).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn split(notes: &str) -> Result<Option<Vec<i64>>, String> {
        let text = format!("layers,notes\n24,{notes}\n");
        let table = Table::parse("x", text.as_bytes()).unwrap();
        let found = partition(&table.records[0], 4).map_err(|error| error.to_string())?;
        Ok(found.map(|split| split.iter().filter_map(Value::as_integer).collect()))
    }

    #[test]
    fn partitions_rise_or_are_refused() {
        let of = |list: &str| split(&format!("layer partition=[{list}]"));
        assert_eq!(of("0; 8; 14; 20; 30"), Ok(Some(vec![6, 6, 6, 6])));
        assert_eq!(of("0; 12; 44; 49; 56"), Ok(None));
        for wrong in ["5; 3; 1; 0; 9", "0; 20; 14; 8; 30", "0; 8; 30", "a; b", ""] {
            let error = of(wrong).unwrap_err();
            assert!(error.contains("layer partition that rises"), "{error}");
        }
        assert_eq!(split("nothing of the kind"), Ok(None));
    }
}
