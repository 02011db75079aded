//! `DeepSeek` and its relatives: latent attention, first layers dense, shared experts.

use super::super::decoder::{
    Decoder, Defaults, activation, gated, n_layers, positions, shared_heads, tied,
};
use super::super::reader::Config;
use super::experts::{add_mtp, routed};
use crate::error::AT_MOST;
use crate::model::{
    Activation, AttentionSpec, ExpertGroups, Ffn, IndexerSpec, Layer, Mixer, MlaSpec, ModelSpec,
    MoeSpec, Norms,
};

/// What the generations differ in.
#[derive(Clone, Copy)]
struct Generation {
    /// Rows of the embedding.
    vocab: u64,
    /// Width of the latent of queries where the file does not say.
    q_lora_rank: u64,
    /// Routed experts, and those a token visits.
    experts: [u64; 2],
    /// Shared experts.
    shared: u64,
    /// First layers without experts.
    first_dense: u64,
    /// Widths of a head: not rotated, rotated, of values.
    head: [u64; 3],
    /// Whether the choice of experts has a correction.
    corrected: bool,
    /// Modules for further tokens where the file does not say.
    mtp: u64,
}

const V2: Generation = Generation {
    vocab: 102_400,
    q_lora_rank: 1_536,
    experts: [64, 6],
    shared: 2,
    first_dense: 0,
    head: [128, 64, 128],
    corrected: false,
    mtp: 0,
};

const V3: Generation = Generation {
    vocab: 129_280,
    experts: [256, 8],
    shared: 1,
    first_dense: 3,
    corrected: true,
    mtp: 1,
    ..V2
};

const GLM5: Generation = Generation {
    vocab: 154_880,
    q_lora_rank: 2_048,
    head: [192, 64, 256],
    ..V3
};

/// `DeepSeekMoE`: multi-head attention and shared experts.
pub(super) fn deepseek(c: &Config<'_>) -> ModelSpec {
    let defaults = Defaults {
        vocab: V2.vocab,
        ..Defaults::LLAMA
    };
    let bias = c.flag("attention_bias", false);
    let decoder = Decoder::read(c, &defaults).with_biases(bias, bias);
    let mixers = vec![Mixer::Attention(decoder.attention)];
    with_experts(c, &decoder, &mixers, &V2)
}

/// `DeepSeek`-V2.
pub(super) fn deepseek_v2(c: &Config<'_>) -> ModelSpec {
    latent(c, &V2)
}

/// `DeepSeek`-V3 and V3.2, Kimi-K2.
pub(super) fn deepseek_v3(c: &Config<'_>) -> ModelSpec {
    latent(c, &V3)
}

/// GLM-5: an indexer besides.
pub(super) fn glm_moe_dsa(c: &Config<'_>) -> ModelSpec {
    latent(c, &GLM5)
}

/// Latent attention in every layer.
fn latent(c: &Config<'_>, generation: &Generation) -> ModelSpec {
    let heads = c.required("num_attention_heads");
    let kv_heads = c.optional("num_key_value_heads").unwrap_or(heads);
    shared_heads(c, heads, kv_heads);
    let decoder = Decoder {
        hidden: c.required("hidden_size"),
        n: n_layers(c),
        attention: AttentionSpec::rotary(heads, heads, 1),
        norms: Norms::PRE_RMS,
        parallel: false,
        vocab: c.default("vocab_size", generation.vocab),
        tied: tied(c, false),
        head_bias: false,
        positions: positions(c, 4_096),
    };
    let mla = mla(c, heads, generation);
    let mixers: Vec<Mixer> = (0..decoder.n)
        .map(|layer| {
            Mixer::Latent(MlaSpec {
                indexer: mla.indexer.filter(|_| indexed(c, layer)),
                ..mla
            })
        })
        .collect();
    with_experts(c, &decoder, &mixers, generation)
}

/// The shape of latent attention. A null `q_lora_rank` means queries without a latent; an absent
/// one the generation's.
fn mla(c: &Config<'_>, heads: u64, generation: &Generation) -> MlaSpec {
    let [nope, rope, value] = generation.head;
    let key = "q_lora_rank";
    let given = c.number(key, 0, 1 << 24).filter(|rank| 0 < *rank);
    let q_lora_rank = if c.fields.contains_key(key) {
        given
    } else {
        Some(c.default(key, generation.q_lora_rank))
    };
    let indexer = indexer(c, generation);
    if indexer.is_some() && q_lora_rank.is_none() {
        c.contradict(
            [key, "index_topk"],
            ["null".to_owned(), "given".to_owned()],
            "the indexer reads the latent of queries",
        );
    }
    MlaSpec {
        heads,
        q_lora_rank,
        kv_lora_rank: c.default("kv_lora_rank", 512),
        qk_nope_dim: c.default("qk_nope_head_dim", nope),
        qk_rope_dim: c.default("qk_rope_head_dim", rope),
        v_dim: c.default("v_head_dim", value),
        bias: c.flag("attention_bias", false),
        indexer,
    }
}

/// The scorer of sparse attention, where the file or the family has one.
fn indexer(c: &Config<'_>, generation: &Generation) -> Option<IndexerSpec> {
    let own = generation.q_lora_rank == GLM5.q_lora_rank;
    let asked = c.optional("index_topk");
    if asked.is_none() && !own {
        return None;
    }
    Some(IndexerSpec {
        heads: c.default("index_n_heads", if own { 32 } else { 64 }),
        head_dim: c.default("index_head_dim", 128),
        top_k: asked.unwrap_or(2_048),
    })
}

/// Whether a layer has a scorer of its own, or reads with the choice of one before it.
fn indexed(c: &Config<'_>, layer: u64) -> bool {
    let kinds = c
        .raw("indexer_types")
        .and_then(|(_, value)| value.as_array());
    let index = usize::try_from(layer).unwrap_or(usize::MAX);
    if let Some(kind) = kinds.and_then(|kinds| kinds.get(index)) {
        return kind.as_str() != Some("shared");
    }
    let number = |key| c.raw(key).and_then(|(_, value)| value.as_u64());
    let every = number("index_topk_freq").unwrap_or(1).max(1);
    let offset = number("index_skip_topk_offset").unwrap_or(2);
    (layer + 1).saturating_sub(offset).is_multiple_of(every)
}

/// The layers with those mixers, the last one standing for all behind it: first dense ones, then
/// mixtures.
fn with_experts(
    c: &Config<'_>,
    decoder: &Decoder,
    mixers: &[Mixer],
    generation: &Generation,
) -> ModelSpec {
    let moe = mixture(c, generation);
    let first = c.count("first_k_dense_replace", generation.first_dense);
    if decoder.n < first && !c.cut {
        let found = [first, decoder.n].map(|count| count.to_string());
        c.contradict(
            ["first_k_dense_replace", "num_hidden_layers"],
            found,
            AT_MOST,
        );
    }
    let every = c.number("moe_layer_freq", 1, 1 << 24).unwrap_or(1);
    let mut layers: Vec<Layer> = Vec::new();
    for index in 0..decoder.n {
        let sparse = moe.filter(|_| first <= index && index.is_multiple_of(every));
        let ffn = match sparse {
            Some(moe) => Ffn::Moe(moe),
            None => Ffn::Dense(gated(c, 18_432, false)),
        };
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let mixer = mixers.get(at).or(mixers.last());
        layers.extend(mixer.map(|mixer| decoder.layer_of(*mixer, ffn)));
    }
    let mut spec = decoder.finish(c, layers);
    add_mtp(c, &mut spec, generation.mtp);
    spec
}

/// The experts; none where the file sets `n_routed_experts` to null.
fn mixture(c: &Config<'_>, generation: &Generation) -> Option<MoeSpec> {
    let key = "n_routed_experts";
    if c.fields.contains_key(key) && c.raw(key).is_none() {
        return None;
    }
    let mut moe = routed(c, generation.experts, "moe_intermediate_size");
    let shared = c.count("n_shared_experts", generation.shared);
    moe.shared_ffn = (0 < shared).then_some(shared * moe.expert_ffn);
    let method = c.text("topk_method");
    moe.router_bias = generation.corrected || method == Some("noaux_tc");
    moe.activation = activation(c, &["hidden_act"], Activation::Silu);
    moe.groups = groups(c, &moe);
    Some(moe)
}

/// The groups of `n_group` and `topk_group`; one where the file names none.
fn groups(c: &Config<'_>, moe: &MoeSpec) -> ExpertGroups {
    let keys = ["topk_group", "n_group"];
    let all = c.optional(keys[1]).unwrap_or(1).max(1);
    let visited = c.optional(keys[0]).unwrap_or(all).max(1);
    let open = moe.experts / all * visited;
    if visited <= all && moe.experts.is_multiple_of(all) && moe.top_k <= open {
        return ExpertGroups { all, visited };
    }
    c.contradict(
        keys,
        [visited.to_string(), all.to_string()],
        "a token visits some of equal groups of experts",
    );
    ExpertGroups::ONE
}
