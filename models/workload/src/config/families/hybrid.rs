//! Nemotron-H and Nemotron-3: one branch a layer, by a pattern.

use super::super::decoder::{activation, head_dim, positions, shared_heads, tied};
use super::super::reader::Config;
use crate::error::ModelError;
use crate::model::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, Layer, MambaSpec, Mixer, Model,
    ModelSpec, MoeSpec, Mtp, NormKind, Norms, Position, Stack,
};

/// One letter of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Mamba,
    Attention,
    Dense,
    Experts,
}

impl Block {
    /// By its letter.
    const fn letter(letter: char) -> Option<Self> {
        match letter {
            'M' => Some(Self::Mamba),
            '*' => Some(Self::Attention),
            '-' => Some(Self::Dense),
            'E' => Some(Self::Experts),
            _ => None,
        }
    }

    /// By its name in `layers_block_type`, of this or an earlier release.
    fn word(word: &str) -> Option<Self> {
        match word {
            "linear_attention" | "mamba" | "mamba2" => Some(Self::Mamba),
            "full_attention" | "attention" => Some(Self::Attention),
            "mlp" => Some(Self::Dense),
            "moe" => Some(Self::Experts),
            _ => None,
        }
    }
}

/// Nemotron-H.
pub(super) fn nemotron_h(c: &Config<'_>) -> ModelSpec {
    let hidden = c.required("hidden_size");
    let blocks = pattern(c);
    let vocab = c.default("vocab_size", 131_072);
    let layer = |block: &Block| layer(c, hidden, *block);
    let layers: Vec<Layer> = blocks.iter().map(layer).collect();
    ModelSpec {
        name: String::new(),
        family: c.family.to_owned(),
        hidden,
        layers,
        embedding: Some(Embedding::words(vocab, hidden)),
        final_norm: Some(NormKind::Rms),
        head: Some(Head {
            vocab,
            tied: tied(c, false),
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp: modules(c, hidden),
        max_positions: Some(positions(c, 4_096)),
        notes: Vec::new(),
    }
}

/// The blocks of the model: `hybrid_override_pattern`, else `layers_block_type`, and as many as
/// `num_hidden_layers` says, where it says.
fn pattern(c: &Config<'_>) -> Vec<Block> {
    let (letters_key, words_key) = ("hybrid_override_pattern", "layers_block_type");
    let key = if c.raw(letters_key).is_some() || c.raw(words_key).is_none() {
        letters_key
    } else {
        words_key
    };
    let found = if key == letters_key {
        letters(c, key)
    } else {
        words(c, key)
    };
    let mut blocks = found.unwrap_or_else(|| {
        c.lacking(key);
        vec![Block::Dense]
    });
    bound(c, key, &mut blocks, Model::MAX_LAYERS);
    let given = c.number("num_hidden_layers", 1, Model::MAX_LAYERS);
    let n = given.map_or(blocks.len(), |n| usize::try_from(n).unwrap_or(usize::MAX));
    if c.cut {
        blocks.truncate(n);
    }
    if n != blocks.len() {
        c.contradict(
            [key, "num_hidden_layers"],
            [format!("a pattern of {}", blocks.len()), n.to_string()],
            "a pattern has one letter for each layer",
        );
    }
    blocks
}

/// Refuses a pattern that is empty or too long, and shortens it.
fn bound(c: &Config<'_>, key: &str, blocks: &mut Vec<Block>, limit: u64) {
    if !(1..=limit).contains(&(blocks.len() as u64)) {
        c.refuse(ModelError::Wrong {
            field: c.name(key),
            found: format!("a pattern of {}", blocks.len()),
            expected: format!("a pattern of 1 to {limit}"),
        });
        blocks.truncate(1);
    }
}

/// A pattern of letters.
fn letters(c: &Config<'_>, key: &'static str) -> Option<Vec<Block>> {
    let known = "M (Mamba-2), * (attention), - (dense), E (experts)";
    let block = |letter: char| {
        let found = Block::letter(letter);
        if found.is_none() {
            c.unsupported(key, &letter.to_string(), known);
        }
        found
    };
    Some(c.text(key)?.chars().filter_map(block).collect())
}

/// A list of words.
fn words(c: &Config<'_>, key: &'static str) -> Option<Vec<Block>> {
    let known = "mamba, attention, mlp, moe";
    let block = |value: &serde_json::Value| {
        let word = value.as_str().unwrap_or_default();
        let found = Block::word(word);
        if found.is_none() {
            c.unsupported(key, word, known);
        }
        found
    };
    Some(c.list(key)?.iter().filter_map(block).collect())
}

/// A layer of one block behind one norm.
fn layer(c: &Config<'_>, hidden: u64, block: Block) -> Layer {
    let (mixer, ffn) = match block {
        Block::Mamba => (Some(Mixer::Mamba2(mamba(c))), None),
        Block::Attention => (Some(Mixer::Attention(attention(c, hidden))), None),
        Block::Dense => (None, Some(Ffn::Dense(dense(c)))),
        Block::Experts => (None, Some(Ffn::Moe(experts(c)))),
    };
    Layer {
        hidden,
        stack: Stack::Main,
        mixer,
        cross: None,
        ffn,
        norms: Norms::PRE_RMS,
        parallel: false,
        measured: None,
    }
}

/// Attention without positions.
fn attention(c: &Config<'_>, hidden: u64) -> AttentionSpec {
    let heads = c.required("num_attention_heads");
    let kv_heads = c.default("num_key_value_heads", 8);
    shared_heads(c, heads, kv_heads);
    let width = head_dim(c, hidden, heads, Some(128));
    let bias = c.flag("attention_bias", false);
    AttentionSpec {
        position: Position::None,
        qkv_bias: bias,
        out_bias: bias,
        window: c.number("sliding_window", 1, 1 << 40),
        ..AttentionSpec::rotary(heads, kv_heads, width)
    }
}

/// The state space.
fn mamba(c: &Config<'_>) -> MambaSpec {
    let spelled = |new, old, default| match c.optional(new) {
        Some(number) => number,
        None => c.default(old, default),
    };
    let heads = c.default("mamba_num_heads", 128);
    let groups = spelled("mamba_n_groups", "n_groups", 8);
    if !heads.is_multiple_of(groups) {
        c.contradict(
            ["mamba_num_heads", "n_groups"],
            [heads.to_string(), groups.to_string()],
            "as many heads share each group",
        );
    }
    let conv_bias = c.flag("use_conv_bias", true);
    MambaSpec {
        heads,
        head_dim: c.default("mamba_head_dim", 64),
        state: c.default("ssm_state_size", 128),
        groups,
        conv: spelled("mamba_d_conv", "conv_kernel", 4),
        conv_bias: c.flag("mamba_conv_bias", conv_bias),
        bias: c.flag("use_bias", false) || c.flag("mamba_proj_bias", false),
        chunk: spelled("mamba_chunk_size", "chunk_size", 128),
    }
}

/// The function between products.
fn squared(c: &Config<'_>) -> Activation {
    activation(c, &["mlp_hidden_act"], Activation::SquaredRelu)
}

/// A dense part without gate.
fn dense(c: &Config<'_>) -> DenseSpec {
    DenseSpec {
        ffn: c.required("intermediate_size"),
        gated: false,
        bias: c.flag("mlp_bias", false),
        activation: squared(c),
    }
}

/// Experts without gate, in a latent width where the file gives one.
fn experts(c: &Config<'_>) -> MoeSpec {
    let experts = c.required("n_routed_experts");
    let top_k = c.required("num_experts_per_tok");
    if experts < top_k {
        c.contradict(
            ["num_experts_per_tok", "n_routed_experts"],
            [top_k.to_string(), experts.to_string()],
            "a token visits at most all experts",
        );
    }
    let shared = c.count("n_shared_experts", 1);
    let width = c.count("moe_shared_expert_intermediate_size", 7_688);
    let shared = shared * width;
    MoeSpec {
        gated: false,
        bias: c.flag("mlp_bias", false),
        activation: squared(c),
        router_bias: true,
        latent: c.optional("moe_latent_size"),
        shared_ffn: (0 < shared).then_some(shared),
        ..MoeSpec::swiglu(experts, top_k, c.required("moe_intermediate_size"))
    }
}

/// The modules for further tokens, each with the blocks of its own pattern.
fn modules(c: &Config<'_>, hidden: u64) -> Vec<Mtp> {
    let n = c
        .number("num_nextn_predict_layers", 0, Model::MAX_MTP)
        .unwrap_or(0);
    if n == 0 {
        return Vec::new();
    }
    let key = "mtp_hybrid_override_pattern";
    let given = letters(c, key).or_else(|| words(c, "mtp_layers_block_type"));
    let mut blocks = given.unwrap_or_else(|| vec![Block::Attention, Block::Experts]);
    bound(c, key, &mut blocks, Model::MAX_MTP);
    let layer = |block: &Block| layer(c, hidden, *block);
    let layers: Vec<Layer> = blocks.iter().map(layer).collect();
    let one = Mtp {
        layers,
        norm: NormKind::Rms,
    };
    (0..n).map(|_| one.clone()).collect()
}
