//! What is trained, on how much data, in which formats: everything about a run that does not
//! depend on a cluster.

use units::DType;

use crate::Model;
use crate::optimizer::Optimizer;
use crate::precision::Precision;

/// Which products of a layer carry an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each product has or has not an adapter"
)]
pub struct LoraTargets {
    /// The projections to queries, keys and values, or into a Mamba block.
    pub qkv: bool,
    /// The projection behind attention or a Mamba block.
    pub output: bool,
    /// The first product of a feed-forward part, gate and up.
    pub up: bool,
    /// The second product of a feed-forward part.
    pub down: bool,
}

impl LoraTargets {
    /// None of them.
    pub const NONE: Self = Self {
        qkv: false,
        output: false,
        up: false,
        down: false,
    };

    /// All of them (Megatron Bridge's default).
    pub const ALL: Self = Self {
        qkv: true,
        output: true,
        up: true,
        down: true,
    };
}

/// Low-rank adapters beside frozen weights (Hu et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lora {
    /// The rank of each adapter.
    pub rank: u64,
    /// Which products carry one.
    pub targets: LoraTargets,
}

/// What a scenario says about a run, before it is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// Sequences of an iteration, over all GPUs.
    pub global_batch: u64,
    /// Tokens of a sequence; of an encoder's where the model has one.
    pub seq_len: u64,
    /// Tokens of a decoder's sequence behind an encoder, where it differs.
    pub decoder_seq_len: Option<u64>,
    /// The formats.
    pub precision: Precision,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The format in which gradients are accumulated and reduced.
    pub grad_dtype: DType,
    /// Probability of dropout in hidden states and attention probabilities; 0 for none.
    pub dropout: f64,
    /// Mean length of the sequences packed into one.
    pub packed: Option<u64>,
    /// Adapters beside frozen weights.
    pub peft: Option<Lora>,
    /// Tokens of the whole run, for its total time.
    pub total_tokens: Option<u64>,
}

impl JobSpec {
    /// A run in bf16 with `AdamW`, fp32 gradients and no dropout.
    pub const fn new(global_batch: u64, seq_len: u64) -> Self {
        Self {
            global_batch,
            seq_len,
            decoder_seq_len: None,
            precision: Precision::BF16,
            optimizer: Optimizer::ADAMW,
            grad_dtype: DType::Fp32,
            dropout: 0.0,
            packed: None,
            peft: None,
            total_tokens: None,
        }
    }

    /// Checks the description and joins it with its model; reports every error at once.
    ///
    /// # Errors
    ///
    /// One [`JobError`] for each field that cannot be.
    pub fn check(self, model: Model) -> Result<Job, Vec<JobError>> {
        let errors: Vec<JobError> = [
            self.zero_field(),
            self.too_many_tokens(),
            self.bad_dropout(),
            self.bad_packing(),
            self.bad_precision(),
            self.bad_adapter(),
            self.optimizer.error(),
        ]
        .into_iter()
        .flatten()
        .collect();
        if errors.is_empty() {
            Ok(self.join(model))
        } else {
            Err(errors)
        }
    }

    /// The checked job.
    fn join(self, model: Model) -> Job {
        Job {
            model,
            global_batch: self.global_batch,
            seq_len: self.seq_len,
            decoder_seq_len: self.decoder_seq_len,
            precision: self.precision,
            optimizer: self.optimizer,
            grad_dtype: self.grad_dtype,
            dropout: self.dropout,
            packed: self.packed.filter(|length| *length < self.seq_len),
            peft: self.peft,
            total_tokens: self.total_tokens,
        }
    }

    /// A count that is zero.
    fn zero_field(&self) -> Option<JobError> {
        let fields = [
            ("global_batch", Some(self.global_batch)),
            ("seq_len", Some(self.seq_len)),
            ("decoder_seq_len", self.decoder_seq_len),
            ("packed", self.packed),
            ("total_tokens", self.total_tokens),
        ];
        let zero = fields.into_iter().find(|(_, value)| *value == Some(0));
        zero.map(|(field, _)| JobError::Zero { field })
    }

    /// More tokens than an iteration can have.
    fn too_many_tokens(&self) -> Option<JobError> {
        let len = self.decoder_seq_len.unwrap_or(0).max(self.seq_len);
        let tokens = self.global_batch.saturating_mul(len);
        (Job::MAX_TOKENS < tokens).then_some(JobError::TooManyTokens { tokens })
    }

    /// A probability outside its range.
    fn bad_dropout(&self) -> Option<JobError> {
        let inside = (0.0..1.0).contains(&self.dropout);
        (!inside).then_some(JobError::Dropout {
            value: self.dropout,
        })
    }

    /// Packed sequences longer than their container.
    fn bad_packing(&self) -> Option<JobError> {
        let packed = self.packed.filter(|length| self.seq_len < *length)?;
        Some(JobError::Packed {
            packed,
            seq_len: self.seq_len,
        })
    }

    /// Formats that activations cannot have.
    fn bad_precision(&self) -> Option<JobError> {
        let dtype = self.precision.compute;
        let known = matches!(dtype, DType::Fp32 | DType::Tf32 | DType::Fp16 | DType::Bf16);
        (!known).then_some(JobError::Compute { dtype })
    }

    /// An adapter without rank, or with more than any matrix has.
    fn bad_adapter(&self) -> Option<JobError> {
        let rank = self.peft?.rank;
        match rank {
            0 => Some(JobError::Zero { field: "peft.rank" }),
            1..=Job::MAX_RANK => None,
            _ => Some(JobError::Rank { rank }),
        }
    }
}

/// A run whose description was checked; [`JobSpec::check`] is the only way in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// What is trained.
    pub model: Model,
    /// Sequences of an iteration, over all GPUs.
    pub global_batch: u64,
    /// Tokens of a sequence; of an encoder's where the model has one.
    pub seq_len: u64,
    /// Tokens of a decoder's sequence behind an encoder, where it differs.
    pub decoder_seq_len: Option<u64>,
    /// The formats.
    pub precision: Precision,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The format in which gradients are accumulated and reduced.
    pub grad_dtype: DType,
    /// Probability of dropout.
    pub dropout: f64,
    /// Mean length of the sequences packed into one, shorter than `seq_len`.
    pub packed: Option<u64>,
    /// Adapters beside frozen weights.
    pub peft: Option<Lora>,
    /// Tokens of the whole run.
    pub total_tokens: Option<u64>,
}

impl Job {
    /// The most tokens of one iteration, so that the sizes of its tensors fit into 64 bits.
    pub const MAX_TOKENS: u64 = 1 << 34;

    /// The highest rank of an adapter: no matrix of any model has more.
    pub const MAX_RANK: u64 = 1 << 20;

    /// Tokens of one iteration.
    pub fn tokens(&self) -> u64 {
        self.global_batch.saturating_mul(self.seq_len)
    }

    /// Iterations of the whole run, where its tokens are given.
    pub fn iterations(&self) -> Option<u64> {
        self.total_tokens.map(|total| total.div_ceil(self.tokens()))
    }
}

/// Why a run cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum JobError {
    #[error("{field} is 0, but at least 1 is needed")]
    Zero { field: &'static str },
    #[error("an iteration of {tokens} tokens is more than {}", Job::MAX_TOKENS)]
    TooManyTokens { tokens: u64 },
    #[error("adapters of rank {rank} are beyond {}", Job::MAX_RANK)]
    Rank { rank: u64 },
    #[error("dropout is {value}, but a probability from 0 to below 1 is needed")]
    Dropout { value: f64 },
    #[error("packed sequences of {packed} tokens do not fit into sequences of {seq_len}")]
    Packed { packed: u64, seq_len: u64 },
    #[error("activations cannot be in {dtype}")]
    Compute { dtype: DType },
    #[error("optimizer {field} is {value}, but {limit} is needed")]
    Optimizer {
        field: &'static str,
        value: f64,
        limit: &'static str,
    },
}

impl JobError {
    /// The field of a scenario's `[training]` table that is at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Zero { field } => field,
            Self::TooManyTokens { .. } => "global_batch",
            Self::Rank { .. } => "peft.rank",
            Self::Dropout { .. } => "dropout",
            Self::Packed { .. } => "packed",
            Self::Compute { .. } => "precision",
            Self::Optimizer { .. } => "optimizer",
        }
    }

    /// What to change in the scenario, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Zero { field } => Some(format!("leave `{field}` out or give a positive number")),
            Self::TooManyTokens { .. } => {
                Some("`global_batch` counts sequences, not tokens".to_owned())
            }
            Self::Rank { .. } => Some("adapters have ranks of 8 to 256".to_owned()),
            Self::Dropout { .. } => Some("leave `dropout` out for none".to_owned()),
            Self::Packed { seq_len, .. } => Some(format!(
                "`packed` is the mean length of the sequences packed into {seq_len} tokens"
            )),
            Self::Compute { .. } => Some(
                "name bf16, fp16 or fp32, and `fp8_recipe` for products in fewer bits".to_owned(),
            ),
            Self::Optimizer { .. } => None,
        }
    }
}
