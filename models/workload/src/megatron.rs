//! A model as Megatron-LM's arguments describe it.

mod build;

use crate::error::ModelError;
use crate::model::{ExpertGroups, MambaSpec, MlaSpec, Model, NormKind};

/// Which of Megatron's models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MegatronKind {
    /// A causal decoder.
    #[default]
    Gpt,
    /// An encoder with norms in front of its branches and a final norm, unlike the original, with
    /// heads for masked language modeling and for the next sentence.
    Bert,
    /// An encoder and a decoder with learned positions and biases, unlike the original.
    T5 {
        /// Layers of the decoder; as many as `layers` in the encoder where absent.
        decoder_layers: Option<u64>,
    },
}

/// The feed-forward part's function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MegatronActivation {
    /// GELU without gate, the default.
    #[default]
    Gelu,
    /// `--swiglu`.
    Swiglu,
    /// GELU with a gate, as Gemma's.
    Geglu,
    /// `--squared-relu`.
    SquaredRelu,
}

/// `--position-embedding-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MegatronPosition {
    /// `learned_absolute`, the default.
    #[default]
    Learned,
    /// `rope`; all of a head unless `rotary_percent` says less.
    Rope,
    /// Linear biases by distance (BLOOM's Megatron-DeepSpeed).
    Alibi,
    /// `none`.
    None,
}

/// `--num-experts` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MegatronMoe {
    /// `--num-experts`.
    pub experts: u64,
    /// `--moe-router-topk`.
    pub top_k: u64,
    /// `--moe-ffn-hidden-size`; that of dense layers where absent.
    pub ffn: Option<u64>,
    /// `--moe-shared-expert-intermediate-size`: all shared experts together.
    pub shared_ffn: Option<u64>,
    /// A gate on the shared experts' output.
    pub shared_gate: bool,
    /// `--moe-router-enable-expert-bias`: a correction of the choice.
    pub router_bias: bool,
    /// Width in which routed experts work; hidden where absent.
    pub latent: Option<u64>,
    /// `--moe-router-num-groups` and `--moe-router-group-topk`.
    pub groups: ExpertGroups,
    /// Layers at the start that are dense.
    pub first_dense: u64,
    /// `--moe-layer-freq` as a number: layers whose index is a multiple of it are mixtures.
    pub freq: u64,
}

impl MegatronMoe {
    /// Experts of the dense layers' width in every layer.
    pub const fn new(experts: u64, top_k: u64) -> Self {
        Self {
            experts,
            top_k,
            ffn: None,
            shared_ffn: None,
            shared_gate: false,
            router_bias: false,
            latent: None,
            groups: ExpertGroups::ONE,
            first_dense: 0,
            freq: 1,
        }
    }
}

/// A model as Megatron-LM's arguments describe it. Absent fields take Megatron's defaults.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are Megatron's switches"
)]
pub struct MegatronSpec {
    /// What reports call it.
    pub name: String,
    /// Which model.
    pub kind: MegatronKind,
    /// `--num-layers`; for T5 those of the encoder.
    pub layers: u64,
    /// `--hidden-size`.
    pub hidden: u64,
    /// `--ffn-hidden-size`; 4 times `hidden`, or with `SwiGLU` two thirds of that, rounded down to a
    /// multiple of 64, where absent.
    pub ffn: Option<u64>,
    /// `--num-attention-heads`.
    pub heads: u64,
    /// `--num-query-groups`; one a head where absent.
    pub kv_heads: Option<u64>,
    /// `--kv-channels`; `hidden` over `heads` where absent.
    pub head_dim: Option<u64>,
    /// Words of the vocabulary, before padding.
    pub vocab: u64,
    /// `--make-vocab-size-divisible-by`.
    pub vocab_divisible_by: u64,
    /// The tensor-parallel degree for which the vocabulary is padded.
    pub tp: u64,
    /// Whether embedding and head share a table (without `--untie-embeddings-and-output-weights`).
    pub tied: bool,
    /// The feed-forward part's function.
    pub activation: MegatronActivation,
    /// `--normalization`.
    pub norm: NormKind,
    /// `--position-embedding-type`.
    pub position: MegatronPosition,
    /// `--rotary-percent`.
    pub rotary_percent: f64,
    /// `--max-position-embeddings`, the rows of learned positions; `--seq-length` in most runs.
    pub max_positions: u64,
    /// Biases of linear layers (without `--disable-bias-linear`).
    pub bias: bool,
    /// `--add-qkv-bias`: biases of queries, keys and values even without `bias`.
    pub qkv_bias: bool,
    /// `--qk-layernorm`: a norm of each head of queries and keys.
    pub qk_norm: bool,
    /// A sliding window in every layer.
    pub window: Option<u64>,
    /// A norm of the embedding (Megatron-DeepSpeed's `--embed-layernorm`).
    pub embedding_norm: bool,
    /// Mixtures of experts.
    pub moe: Option<MegatronMoe>,
    /// `--multi-latent-attention`, in place of grouped heads.
    pub mla: Option<MlaSpec>,
    /// `--hybrid-override-pattern` with the shape of its Mamba-2 layers: `M`, `*`, `-` and `E` by
    /// layer, each behind one norm.
    pub hybrid: Option<(String, MambaSpec)>,
    /// `--mtp-num-layers`.
    pub mtp: u64,
}

impl MegatronSpec {
    /// A GPT of that shape with Megatron's defaults, 51,200 words and 2,048 positions.
    pub fn gpt(layers: u64, hidden: u64, heads: u64) -> Self {
        Self {
            name: "GPT".to_owned(),
            kind: MegatronKind::Gpt,
            layers,
            hidden,
            ffn: None,
            heads,
            kv_heads: None,
            head_dim: None,
            vocab: 51_200,
            vocab_divisible_by: 128,
            tp: 1,
            tied: true,
            activation: MegatronActivation::Gelu,
            norm: NormKind::Layer,
            position: MegatronPosition::Learned,
            rotary_percent: 1.0,
            max_positions: 2_048,
            bias: true,
            qkv_bias: false,
            qk_norm: false,
            window: None,
            embedding_norm: false,
            moe: None,
            mla: None,
            hybrid: None,
            mtp: 0,
        }
    }

    /// A model like Llama: `SwiGLU`, root-mean-square norms, rotation, no biases, its own head.
    pub fn llama(layers: u64, hidden: u64, heads: u64, kv_heads: u64, ffn: u64) -> Self {
        Self {
            name: "Llama".to_owned(),
            ffn: Some(ffn),
            kv_heads: Some(kv_heads),
            vocab: 32_000,
            tied: false,
            activation: MegatronActivation::Swiglu,
            norm: NormKind::Rms,
            position: MegatronPosition::Rope,
            bias: false,
            ..Self::gpt(layers, hidden, heads)
        }
    }

    /// A BERT of that shape: 30,522 words, 512 positions.
    pub fn bert(layers: u64, hidden: u64, heads: u64) -> Self {
        Self {
            name: "BERT".to_owned(),
            kind: MegatronKind::Bert,
            vocab: 30_522,
            max_positions: 512,
            ..Self::gpt(layers, hidden, heads)
        }
    }

    /// A T5 of that shape: 30,522 words and 100 sentinels, 512 positions.
    pub fn t5(layers: u64, hidden: u64, heads: u64) -> Self {
        Self {
            name: "T5".to_owned(),
            kind: MegatronKind::T5 {
                decoder_layers: None,
            },
            vocab: 30_622,
            max_positions: 512,
            ..Self::gpt(layers, hidden, heads)
        }
    }
}

/// The vocabulary padded to a multiple of `divisible_by * tp`, as Megatron pads it.
pub const fn padded_vocab(vocab: u64, divisible_by: u64, tp: u64) -> u64 {
    let unit = divisible_by.saturating_mul(tp);
    if unit == 0 {
        return vocab;
    }
    vocab.div_ceil(unit).saturating_mul(unit)
}

impl Model {
    /// The model that Megatron's arguments describe.
    ///
    /// ```
    /// use workload::{MegatronSpec, Model};
    /// let model = Model::from_megatron(&MegatronSpec::gpt(96, 12_288, 96))?;
    /// assert_eq!(model.params() / 1_000_000_000, 174);
    /// # Ok::<(), workload::ModelError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field that cannot be, by its name here.
    pub fn from_megatron(spec: &MegatronSpec) -> Result<Self, ModelError> {
        Self::build(build::build(spec)?)
    }
}
