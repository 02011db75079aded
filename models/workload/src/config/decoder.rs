//! What the decoders of most families share: widths, heads, positions, ends.

use serde_json::Value;

use super::reader::Config;
use crate::model::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, Layer, Mixer, ModelSpec, NormKind,
    Norms, Position, Stack,
};

/// What transformers takes for fields that a family's files leave out.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    /// Heads, inside a wrapper.
    pub(super) heads: u64,
    /// Heads of keys and values; as many as heads where none.
    pub(super) kv_heads: Option<u64>,
    /// Width of a head; hidden width over heads where none.
    pub(super) head_dim: Option<u64>,
    /// Inner width, inside a wrapper.
    pub(super) ffn: u64,
    /// Rows of the embedding.
    pub(super) vocab: u64,
    /// Whether the head's table is the embedding.
    pub(super) tied: bool,
    /// The share of a head that is rotated.
    pub(super) rotated: f64,
    /// Longest sequence.
    pub(super) positions: u64,
}

impl Defaults {
    /// Those of Llama.
    pub(super) const LLAMA: Self = Self {
        heads: 32,
        kv_heads: None,
        head_dim: None,
        ffn: 11_008,
        vocab: 32_000,
        tied: false,
        rotated: 1.0,
        positions: 2_048,
    };
}

/// A stack of causal layers, its attention and its ends.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    /// Width of the residual stream.
    pub(super) hidden: u64,
    /// Layers.
    pub(super) n: u64,
    /// Attention of a layer without window.
    pub(super) attention: AttentionSpec,
    /// The norms of a layer; the final norm is of the same kind.
    pub(super) norms: Norms,
    /// Whether the branches of a layer are parallel.
    pub(super) parallel: bool,
    /// Rows of the embedding.
    pub(super) vocab: u64,
    /// Whether the head's table is the embedding.
    pub(super) tied: bool,
    /// A bias of the head.
    pub(super) head_bias: bool,
    /// Longest sequence.
    pub(super) positions: u64,
}

impl Decoder {
    /// Reads what is common: hidden width, layers, heads, rotation, vocabulary, tying.
    pub(super) fn read(c: &Config<'_>, defaults: &Defaults) -> Self {
        let hidden = c.required("hidden_size");
        let heads = c.given("num_attention_heads", defaults.heads);
        let kv_heads = match defaults.kv_heads {
            Some(number) => c.default("num_key_value_heads", number),
            None => c.optional("num_key_value_heads").unwrap_or(heads),
        };
        let head_dim = head_dim(c, hidden, heads, defaults.head_dim);
        shared_heads(c, heads, kv_heads);
        let dims = rotated(c, head_dim, defaults.rotated);
        let mut attention = AttentionSpec::rotary(heads, kv_heads, head_dim);
        attention.position = Position::Rotary { dims };
        Self {
            hidden,
            n: n_layers(c),
            attention,
            norms: Norms::PRE_RMS,
            parallel: false,
            vocab: c.default("vocab_size", defaults.vocab),
            tied: tied(c, defaults.tied),
            head_bias: false,
            positions: positions(c, defaults.positions),
        }
    }

    /// The same with biases of all projections of attention.
    pub(super) fn with_biases(mut self, qkv: bool, out: bool) -> Self {
        self.attention.qkv_bias = qkv;
        self.attention.out_bias = out;
        self
    }

    /// A layer with that window and feed-forward part.
    pub(super) fn layer(&self, window: Option<u64>, ffn: Ffn) -> Layer {
        let attention = AttentionSpec {
            window,
            ..self.attention
        };
        self.layer_of(Mixer::Attention(attention), ffn)
    }

    /// A layer with that mixer and feed-forward part.
    pub(super) fn layer_of(&self, mixer: Mixer, ffn: Ffn) -> Layer {
        Layer {
            hidden: self.hidden,
            stack: Stack::Main,
            mixer: Some(mixer),
            cross: None,
            ffn: Some(ffn),
            norms: self.norms,
            parallel: self.parallel,
            measured: None,
        }
    }

    /// The model of those layers, with an embedding, a final norm and a head.
    pub(super) fn finish(&self, c: &Config<'_>, layers: Vec<Layer>) -> ModelSpec {
        ModelSpec {
            name: String::new(),
            family: c.family.to_owned(),
            hidden: self.hidden,
            layers,
            embedding: Some(Embedding::words(self.vocab, self.hidden)),
            final_norm: Some(self.norms.kind),
            head: Some(Head {
                vocab: self.vocab,
                tied: self.tied,
                bias: self.head_bias,
                transform: None,
            }),
            pooler: None,
            mtp: Vec::new(),
            max_positions: Some(self.positions),
            notes: Vec::new(),
        }
    }

    /// The model of equal layers but for their windows.
    pub(super) fn with_windows(
        &self,
        c: &Config<'_>,
        windows: &[Option<u64>],
        ffn: Ffn,
    ) -> ModelSpec {
        let layers = windows.iter().map(|window| self.layer(*window, ffn));
        self.finish(c, layers.collect())
    }

    /// Sets the kind of all norms.
    pub(super) fn with_norm(mut self, kind: NormKind) -> Self {
        self.norms.kind = kind;
        self
    }
}

/// The number of layers.
pub(super) fn n_layers(c: &Config<'_>) -> u64 {
    let key = "num_hidden_layers";
    let limit = crate::model::Model::MAX_LAYERS;
    c.number(key, 1, limit).unwrap_or_else(|| c.lacking(key))
}

/// The width of a head.
pub(super) fn head_dim(c: &Config<'_>, hidden: u64, heads: u64, default: Option<u64>) -> u64 {
    if let Some(given) = c.optional("head_dim").or(default) {
        return given;
    }
    if hidden.is_multiple_of(heads) {
        return hidden / heads;
    }
    c.contradict(
        ["hidden_size", "num_attention_heads"],
        [hidden.to_string(), heads.to_string()],
        "without head_dim, heads share the hidden width evenly",
    );
    1
}

/// Refuses heads that do not share heads of keys and values evenly.
pub(super) fn shared_heads(c: &Config<'_>, heads: u64, kv_heads: u64) {
    if heads.is_multiple_of(kv_heads) {
        return;
    }
    c.contradict(
        ["num_attention_heads", "num_key_value_heads"],
        [heads.to_string(), kv_heads.to_string()],
        "as many query heads share each head of keys and values",
    );
}

/// Whether the head's table is the embedding; wrappers say so inside or outside.
pub(super) fn tied(c: &Config<'_>, default: bool) -> bool {
    let key = "tie_word_embeddings";
    if c.raw(key).is_some() {
        return c.flag(key, default);
    }
    let outside = c
        .outer
        .and_then(|outer| outer.get(key))
        .and_then(Value::as_bool);
    outside.unwrap_or_else(|| {
        c.note(key, default.to_string());
        default
    })
}

/// The longest sequence.
pub(super) fn positions(c: &Config<'_>, default: u64) -> u64 {
    let given = c.number("max_position_embeddings", 1, 1 << 40);
    given.unwrap_or(default)
}

/// The rotated dimensions of a head: `partial_rotary_factor`, in the file or its description of
/// the rotation, or a number of dimensions.
pub(super) fn rotated(c: &Config<'_>, head_dim: u64, default: f64) -> u64 {
    if let Some(dims) = c.number("rotary_dim", 0, head_dim) {
        return dims;
    }
    let nested = ["rope_parameters", "rope_scaling"]
        .into_iter()
        .find_map(|key| {
            let (_, value) = c.raw(key)?;
            value.get("partial_rotary_factor")
        });
    let keys = ["partial_rotary_factor", "rotary_pct"];
    let found = keys.into_iter().find_map(|key| c.raw(key));
    let (key, value) = match (found, nested) {
        (Some(found), _) => found,
        (None, Some(value)) => ("partial_rotary_factor", value),
        (None, None) => return share(head_dim, default),
    };
    match value.as_f64() {
        Some(factor) if (0.0..=1.0).contains(&factor) => share(head_dim, factor),
        _ => {
            c.refuse(c.wrong(key, value, "a share from 0 to 1"));
            0
        }
    }
}

/// A share of a width, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a width of at most 2^24"
)]
fn share(width: u64, factor: f64) -> u64 {
    (width as f64 * factor) as u64
}

/// An activation by its name in transformers.
pub(super) fn activation(c: &Config<'_>, keys: &[&'static str], default: Activation) -> Activation {
    let mut found = None;
    for key in keys {
        if let Some(name) = c.text(key) {
            found = found.or(Some((key, name)));
        }
    }
    let Some((key, name)) = found else {
        return default;
    };
    match name {
        "silu" | "swish" | "swiglu" => Activation::Silu,
        "relu" => Activation::Relu,
        "relu2" | "squared_relu" => Activation::SquaredRelu,
        name if name.starts_with("gelu") || name == "quick_gelu" || name == "geglu" => {
            Activation::Gelu
        }
        other => {
            c.unsupported(key, other, "silu, gelu, relu, relu2");
            default
        }
    }
}

/// A gated dense part of the file's width.
pub(super) fn gated(c: &Config<'_>, default: u64, bias: bool) -> DenseSpec {
    let keys = ["hidden_act", "hidden_activation"];
    DenseSpec {
        ffn: c.given("intermediate_size", default),
        gated: true,
        bias,
        activation: activation(c, &keys, Activation::Silu),
    }
}
