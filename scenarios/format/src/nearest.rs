//! Did you mean.

/// What other tools call our fields. Unknown fields are looked up here before their spelling
/// is compared.
const SYNONYMS: &[(&str, &str)] = &[
    ("architecture", "config"),
    ("batch_size", "global_batch"),
    ("context_parallel_size", "cp"),
    ("data_parallel_size", "dp"),
    ("dtype", "precision"),
    ("expert_model_parallel_size", "ep"),
    ("expert_parallel_size", "ep"),
    ("expert_tensor_parallel_size", "etp"),
    ("ffn_hidden_size", "ffn"),
    ("gbs", "global_batch"),
    ("global_batch_size", "global_batch"),
    ("head_size", "head_dim"),
    ("hidden_dim", "hidden"),
    ("hidden_size", "hidden"),
    ("intermediate_size", "ffn"),
    ("kv_channels", "head_dim"),
    ("max_position_embeddings", "positions"),
    ("mbs", "micro_batch"),
    ("micro_batch_size", "micro_batch"),
    ("model_name", "config"),
    ("num_attention_heads", "heads"),
    ("num_gpus", "gpus"),
    ("num_hidden_layers", "layers"),
    ("num_key_value_heads", "kv_heads"),
    ("num_layers", "layers"),
    ("num_nodes", "nodes"),
    ("num_query_groups", "kv_heads"),
    ("path", "file"),
    ("pipeline_model_parallel_size", "pp"),
    ("pipeline_parallel_size", "pp"),
    ("random_seed", "seed"),
    ("recomputation", "recompute"),
    ("activation_checkpointing", "recompute"),
    ("seq_length", "seq_len"),
    ("sequence_length", "seq_len"),
    ("sequence_parallel", "sp"),
    ("tensor_model_parallel_size", "tp"),
    ("tensor_parallel_size", "tp"),
    ("virtual_pipeline_model_parallel_size", "vp"),
    ("vocab_size", "vocab"),
];

/// The known name that was probably meant, if any is close.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = plain(name);
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == wanted);
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        if synonym.is_some_and(|(_, ours)| *ours == candidate) {
            return Some(candidate);
        }
        let score = similarity(&wanted, &plain(candidate));
        if best.is_none_or(|(highest, _)| highest < score) {
            best = Some((score, candidate));
        }
    }
    best.filter(|(score, _)| 0.7 <= *score)
        .map(|(_, name)| name)
}

/// Names that look like `name`, best first, at most three.
pub(crate) fn similar(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let wanted = plain(name);
    let mut scored: Vec<(f64, String)> = known
        .into_iter()
        .map(|candidate| (similarity(&wanted, &plain(&candidate)), candidate))
        .filter(|(score, _)| 0.6 <= *score)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.truncate(3);
    scored.into_iter().map(|(_, name)| name).collect()
}

/// Lower case, with `_` for every separator; cut, because comparison is quadratic.
fn plain(name: &str) -> String {
    let lower = name.chars().take(64).flat_map(char::to_lowercase);
    lower
        .map(|c| if c == '-' || c == ' ' { '_' } else { c })
        .collect()
}

fn similarity(a: &str, b: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(a, b);
    // The start of a longer name: `sched` for `schedule`, `seq` for `seq_len`.
    let begins = 3 <= a.len() && (b.starts_with(a) || a.starts_with(b) && 3 <= b.len());
    if begins { edits.max(0.75) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_foreign_names_find_the_field() {
        let known = ["tp", "pp", "schedule", "micro_batch", "recompute", "layers"];
        let meant = |name| nearest(name, known);
        assert_eq!(meant("shedule"), Some("schedule"));
        assert_eq!(meant("micro-batch"), Some("micro_batch"));
        assert_eq!(meant("MicroBatch"), Some("micro_batch"));
        assert_eq!(meant("tensor_model_parallel_size"), Some("tp"));
        assert_eq!(meant("num_layers"), Some("layers"));
        assert_eq!(meant("sched"), Some("schedule"));
        assert_eq!(meant("coffee"), None);
    }

    #[test]
    fn similar_files_come_best_first() {
        let names = ["scenario.toml", "scenarios.toml", "README.md"];
        let found = similar("scenaro.toml", names.map(str::to_owned));
        assert_eq!(found, ["scenario.toml", "scenarios.toml"]);
    }
}
