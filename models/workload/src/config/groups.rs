//! Spellings of one concept in the files of different architectures.

/// A concept, and the keys under which files know it.
pub(super) struct Group {
    /// The name in scenarios.
    pub(super) name: &'static str,
    /// The keys of config.json files.
    pub(super) keys: &'static [&'static str],
}

/// Concepts with several spellings. Within a file the spellings of one group mean the same, as
/// `attribute_map` says in transformers.
pub(super) const GROUPS: &[Group] = &[
    group(
        "layers",
        &[
            "num_hidden_layers",
            "n_layer",
            "n_layers",
            "num_layers",
            "num_decoder_layers",
        ],
    ),
    group("hidden", &["hidden_size", "n_embd", "d_model", "n_embed"]),
    group(
        "ffn",
        &[
            "intermediate_size",
            "n_inner",
            "ffn_dim",
            "d_ff",
            "ffn_hidden_size",
        ],
    ),
    group("dense_ffn", &["intermediate_size_mlp"]),
    group(
        "heads",
        &["num_attention_heads", "n_head", "n_heads", "num_heads"],
    ),
    group("kv_heads", &["num_key_value_heads", "num_kv_heads"]),
    group("head_dim", &["head_dim", "d_kv", "attention_head_dim"]),
    group("vocab", &["vocab_size", "padded_vocab_size"]),
    group(
        "max_positions",
        &[
            "max_position_embeddings",
            "n_positions",
            "max_seq_len",
            "max_sequence_length",
        ],
    ),
    group("window", &["sliding_window", "attention_chunk_size"]),
    group(
        "experts",
        &["num_local_experts", "num_experts", "n_routed_experts"],
    ),
    group("top_k", &["num_experts_per_tok"]),
    group("expert_ffn", &["moe_intermediate_size"]),
    group("shared_experts", &["n_shared_experts"]),
    group(
        "shared_ffn",
        &[
            "shared_expert_intermediate_size",
            "moe_shared_expert_intermediate_size",
            "shared_intermediate_size",
        ],
    ),
    group("first_k_dense", &["first_k_dense_replace"]),
    group(
        "moe_layer_freq",
        &["interleave_moe_layer_step", "decoder_sparse_step"],
    ),
    group("moe_latent", &["moe_latent_size"]),
    group(
        "mtp",
        &[
            "num_nextn_predict_layers",
            "num_mtp_layers",
            "num_mtp_modules",
        ],
    ),
    group("tied_embeddings", &["tie_word_embeddings"]),
    group("pattern", &["hybrid_override_pattern"]),
];

const fn group(name: &'static str, keys: &'static [&'static str]) -> Group {
    Group { name, keys }
}

/// The spellings of a key, itself included where it has several.
pub(super) fn spellings(key: &str) -> &'static [&'static str] {
    let of = GROUPS.iter().find(|group| group.keys.contains(&key));
    of.map_or(&[], |group| group.keys)
}

/// The keys that an override may mean, by its name in scenarios or as a key.
pub(super) fn named(name: &str) -> Option<&'static [&'static str]> {
    GROUPS
        .iter()
        .find(|group| group.name == name)
        .map(|group| group.keys)
}
