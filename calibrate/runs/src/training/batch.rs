//! `[training]`: batch, sequence, dropout, adapters.

use toml::{Table as Toml, Value};

use super::model::named;
use super::{Row, framework, precision, whole};
use crate::spelled::has_any;
use crate::{Draft, Record, Rule, RunsError};

const SEQ_LEN: Rule = Rule::new(
    "sequence-length",
    "the row names none: that of GPT-2, 1,024 tokens",
);
const RECENT: Rule = Rule::new(
    "sequence-length-since-2023",
    "the row names none: 4,096 tokens, the usual length of runs since 2023",
);
const OF_MODEL: Rule = Rule::new(
    "sequence-length-of-model",
    "the row names none: the longest sequence of the model where that is 8,192 tokens or less, else 4,096; 8,192 for Llama 3",
);
const PADDED: Rule = Rule::new(
    "sequence-length-of-bert",
    "the row names none: 512 tokens, as BERT and T5 are trained",
);
const BY_STEPS: Rule = Rule::new(
    "global-batch-by-steps",
    "the row names no global batch: micro-batch (1 where it names none) x dp x steps of accumulation",
);
const BY_STAGES: Rule = Rule::new(
    "global-batch-by-stages",
    "the row names neither a global batch nor steps of accumulation: micro-batch (1 where it names none) x dp x pp, one micro-batch a stage",
);
const DROPOUT: Rule = Rule::new(
    "dropout",
    "0.1, the default of Megatron-LM's scripts of 2021 and of NeMo-Megatron",
);
const DECODER: Rule = Rule::new(
    "decoder-length",
    "128 tokens of targets, T5's span corruption of 512 tokens",
);
const LORA: Rule = Rule::new(
    "lora-recipe",
    "adapters of rank 32 on the products of queries, keys and values: NeMo-Framework-Launcher, conf/peft/llama2, lora_tuning",
);

/// Writes `[training]`.
///
/// * `gpus` — in all.
pub(super) fn training(row: &Row<'_>, gpus: u64, draft: &mut Draft) -> Result<(), RunsError> {
    const T: &str = "training";
    let record = row.record;
    match global_batch(record, gpus)? {
        (batch, None) => draft.set(T, "global_batch", whole(batch)),
        (batch, Some(rule)) => draft.assume(T, "global_batch", whole(batch), rule),
    }
    if let Some(len) = record.count("seq_len")? {
        draft.set(T, "seq_len", whole(len));
    } else {
        let (len, rule) = usual_length(record, draft);
        draft.assume(T, "seq_len", whole(len), rule);
    }
    precision::precision(row, draft)?;
    let model = record.or_empty("model");
    let is_launcher = super::recipe::is_launcher(record);
    let kind = kind(draft);
    let is_gpt = kind.is_none();
    let is_t5 = kind == Some("t5");
    if row.family.of_2021 || (is_launcher && is_gpt) {
        draft.assume(T, "dropout", 0.1, DROPOUT);
    }
    if is_t5 {
        draft.assume(T, "decoder_seq_len", 128, DECODER);
    }
    if has_any(model, &["lora"]) {
        let mut peft = Toml::new();
        peft.insert("kind".to_owned(), Value::from("lora"));
        peft.insert("rank".to_owned(), Value::from(32));
        peft.insert("targets".to_owned(), Value::from(vec!["qkv"]));
        draft.assume(T, "peft", Value::Table(peft), LORA);
    }
    Ok(())
}

/// `bert` or `t5`, where the model is one.
fn kind(draft: &Draft) -> Option<&str> {
    draft.get("model.megatron", "kind").and_then(Value::as_str)
}

/// Sequences of an iteration, and the rule where no cell holds them.
///
/// # Errors
///
/// [`RunsError::BadCell`].
pub(super) fn global_batch(record: &Record, gpus: u64) -> Result<(u64, Option<Rule>), RunsError> {
    if let Some(batch) = record.count("gbs")? {
        return Ok((batch, None));
    }
    let size = record.count("mbs")?.unwrap_or(1);
    let mut replica = 1_u64;
    for column in ["tp", "pp", "cp"] {
        replica = replica.saturating_mul(record.count(column)?.unwrap_or(1));
    }
    let ranks = record.count("dp")?.unwrap_or((gpus / replica).max(1));
    let (steps, rule) = match record.count("grad_accum")? {
        Some(steps) => (steps, BY_STEPS),
        None => (record.count("pp")?.unwrap_or(1), BY_STAGES),
    };
    let batch = size
        .checked_mul(ranks)
        .and_then(|batch| batch.checked_mul(steps));
    match batch.filter(|batch| u32::try_from(*batch).is_ok()) {
        Some(batch) => Ok((batch, Some(rule))),
        None => Err(record.bad(
            "mbs",
            "a micro-batch that gives a global batch below 4,294,967,296",
        )),
    }
}

/// The length of a sequence, where a row names none.
fn usual_length(record: &Record, draft: &Draft) -> (u64, Rule) {
    const LONG: u64 = 8192;
    const USUAL: u64 = 4096;
    if kind(draft).is_some() {
        return (512, PADDED);
    }
    let config = draft.get("model", "config").and_then(Value::as_str);
    if let Some(known) = config.and_then(named) {
        let longest = known.longest().filter(|longest| *longest <= LONG);
        let is_llama_3 = known.name.starts_with("llama3");
        let usual = if is_llama_3 { LONG } else { USUAL };
        return (longest.unwrap_or(usual), OF_MODEL);
    }
    if framework::year(record).is_some_and(|year| 2023 <= year) {
        return (USUAL, RECENT);
    }
    (1024, SEQ_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn batch(cells: &str) -> Result<(u64, Option<&'static str>), String> {
        let text = format!("gbs,mbs,dp,grad_accum,tp,pp\n{cells}\n");
        let table = Table::parse("x", text.as_bytes()).unwrap();
        let found = global_batch(&table.records[0], 16);
        let found = found.map(|(batch, rule)| (batch, rule.map(|rule| rule.name)));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn a_global_batch_follows_from_its_parts() {
        assert_eq!(batch("64,2,,,,"), Ok((64, None)));
        assert_eq!(batch(",2,8,4,,"), Ok((64, Some("global-batch-by-steps"))));
        assert_eq!(batch(",2,,4,4,1"), Ok((32, Some("global-batch-by-steps"))));
        assert_eq!(batch(",2,,,2,4"), Ok((16, Some("global-batch-by-stages"))));
        assert_eq!(batch(",,8,4,,"), Ok((32, Some("global-batch-by-steps"))));
        assert_eq!(batch(",,,,8,"), Ok((2, Some("global-batch-by-stages"))));
        assert!(batch(",1048576,1048576,1048576,,").is_err());
    }
}
