//! BERT and T5.

use super::super::decoder::{activation, head_dim, n_layers, positions, tied};
use super::super::reader::Config;
use crate::model::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, Layer, Mixer, Model, ModelSpec,
    NormKind, NormPlacement, Norms, Pooler, Position, RelativeBias, Stack,
};

/// BERT. What stands on top follows from the file's `architectures`: a pooler for the bare model,
/// a head over the vocabulary for masked language modeling, both for pretraining.
pub(super) fn bert(c: &Config<'_>) -> ModelSpec {
    let hidden = c.required("hidden_size");
    let heads = c.required("num_attention_heads");
    let vocab = c.default("vocab_size", 30_522);
    let layer = bert_layer(c, hidden, heads);
    let longest = c.default("max_position_embeddings", 512);
    let (masked, pooler) = bert_tops(c);
    let tied = tied(c, true);
    ModelSpec {
        name: String::new(),
        family: c.family.to_owned(),
        hidden,
        layers: (0..n_layers(c)).map(|_| layer.clone()).collect(),
        embedding: Some(Embedding {
            positions: longest,
            token_types: c.count("type_vocab_size", 2),
            norm: Some(NormKind::Layer),
            ..Embedding::words(vocab, hidden)
        }),
        final_norm: None,
        head: masked.then_some(Head {
            vocab,
            tied,
            bias: true,
            transform: Some(NormKind::Layer),
        }),
        pooler,
        mtp: Vec::new(),
        max_positions: Some(longest),
        notes: Vec::new(),
    }
}

/// A layer with norms behind its branches that sees all tokens.
fn bert_layer(c: &Config<'_>, hidden: u64, heads: u64) -> Layer {
    let attention = AttentionSpec {
        qkv_bias: true,
        out_bias: true,
        position: Position::Learned,
        causal: c.flag("is_decoder", false),
        ..AttentionSpec::rotary(heads, heads, head_dim(c, hidden, heads, None))
    };
    let ffn = DenseSpec {
        ffn: c.required("intermediate_size"),
        gated: false,
        bias: true,
        activation: activation(c, &["hidden_act"], Activation::Gelu),
    };
    Layer {
        hidden,
        stack: Stack::Main,
        mixer: Some(Mixer::Attention(attention)),
        cross: None,
        ffn: Some(Ffn::Dense(ffn)),
        norms: Norms {
            kind: NormKind::Layer,
            placement: NormPlacement::AfterSum,
        },
        parallel: false,
        measured: None,
    }
}

/// Whether there is a head over the vocabulary, and the pooler.
fn bert_tops(c: &Config<'_>) -> (bool, Option<Pooler>) {
    let classes = c.raw("architectures").map(|(_, value)| value);
    let class = classes.and_then(|list| list.get(0)?.as_str());
    match class {
        Some("BertForMaskedLM" | "BertLMHeadModel") => (true, None),
        Some("BertForPreTraining") => (true, Some(Pooler { classes: 2 })),
        Some("BertForNextSentencePrediction" | "BertForSequenceClassification") => {
            (false, Some(Pooler { classes: 2 }))
        }
        Some("BertModel") => (false, Some(Pooler { classes: 0 })),
        _ => {
            c.note("architectures", "BertForPreTraining");
            (true, Some(Pooler { classes: 2 }))
        }
    }
}

/// T5: an encoder, and a decoder with attention to it; biases of attention by distance. mT5 has a
/// gate, a larger vocabulary and a head of its own.
pub(super) fn t5(c: &Config<'_>) -> ModelSpec {
    let hidden = c.required("d_model");
    let heads = c.required("num_heads");
    let width = c.default("d_kv", 64);
    let encoder = n_layers_of(c, "num_layers");
    let decoder = c
        .number("num_decoder_layers", 1, Model::MAX_LAYERS)
        .unwrap_or(encoder);
    let multilingual = c.family == "mt5";
    let vocab = c.default("vocab_size", if multilingual { 250_112 } else { 32_128 });
    let attention = AttentionSpec {
        position: Position::RelativeBias,
        ..AttentionSpec::rotary(heads, heads, width)
    };
    let layer = t5_layer(c, hidden, attention);
    let mut layers = vec![layer.0; usize::try_from(encoder).unwrap_or(usize::MAX)];
    layers.extend((0..decoder).map(|_| layer.1.clone()));
    ModelSpec {
        name: String::new(),
        family: c.family.to_owned(),
        hidden,
        layers,
        embedding: Some(Embedding {
            relative_bias: Some(RelativeBias {
                buckets: c.default("relative_attention_num_buckets", 32),
                heads,
                tables: 2,
            }),
            ..Embedding::words(vocab, hidden)
        }),
        final_norm: Some(NormKind::Rms),
        head: Some(Head {
            vocab,
            tied: tied(c, !multilingual),
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp: Vec::new(),
        max_positions: Some(positions(c, 512)),
        notes: Vec::new(),
    }
}

/// The number of layers under a key of its own.
fn n_layers_of(c: &Config<'_>, key: &'static str) -> u64 {
    let given = c.number(key, 1, Model::MAX_LAYERS);
    given.unwrap_or_else(|| c.lacking(key))
}

/// A layer of the encoder and one of the decoder.
fn t5_layer(c: &Config<'_>, hidden: u64, attention: AttentionSpec) -> (Layer, Layer) {
    let default = if c.family == "mt5" {
        "gated-gelu"
    } else {
        "relu"
    };
    let function = c.text("feed_forward_proj").unwrap_or(default);
    let gate = function.strip_prefix("gated-");
    let ffn = DenseSpec {
        ffn: c.required("d_ff"),
        gated: gate.is_some(),
        bias: false,
        activation: match gate.unwrap_or(function) {
            "relu" => Activation::Relu,
            "gelu" | "gelu_new" => Activation::Gelu,
            "silu" | "swish" => Activation::Silu,
            other => {
                let known = "relu, gelu, silu, each with or without \"gated-\" before it";
                c.unsupported("feed_forward_proj", other, known);
                Activation::Relu
            }
        },
    };
    let encoder = Layer {
        hidden,
        stack: Stack::Encoder,
        mixer: Some(Mixer::Attention(AttentionSpec {
            causal: false,
            ..attention
        })),
        cross: None,
        ffn: Some(Ffn::Dense(ffn)),
        norms: Norms::PRE_RMS,
        parallel: false,
        measured: None,
    };
    let decoder = Layer {
        stack: Stack::Main,
        mixer: Some(Mixer::Attention(attention)),
        cross: Some(AttentionSpec {
            causal: false,
            position: Position::None,
            ..attention
        }),
        ..encoder.clone()
    };
    (encoder, decoder)
}
