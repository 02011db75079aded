//! How one block is cut over GPUs, and which kernels compute it.

use profile::AttentionKernel;
use units::DType;

/// How context parallelism computes attention over a sequence that is cut over ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CpMethod {
    /// Keys and values travel around a ring while queries stay (Liu et al. 2023), causal masks
    /// balanced by zigzag: rank i holds the chunks i and 2n − 1 − i.
    #[default]
    Ring,
    /// All-to-alls exchange sequence shards for head shards (`DeepSpeed` Ulysses, Jacobs et al.
    /// 2023).
    AllToAll,
    /// Queries travel one way and partial outputs return the other way while keys and values
    /// stay (`TokenRing`, Wang et al. 2024).
    TokenRing,
    /// Keys and values are gathered before attention (Llama 3, section 3.3.2).
    AllGather,
}

/// How tokens reach their experts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dispatcher {
    /// Every chosen (token, expert) pair is sent: an all-to-all each way.
    #[default]
    AllToAll,
    /// Every token is gathered by every rank and partial outputs are reduced and scattered.
    AllGather,
    /// A token is sent once to each scale-up domain that holds at least one of its experts, and
    /// forwarded there (`DeepEP`); in one domain, once to each rank.
    DeepEp,
}

/// Routed experts on this plan.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Experts {
    /// How tokens reach their experts.
    pub dispatcher: Dispatcher,
    /// Rows of an expert over the mean number of tokens routed to it, with padding up to and
    /// dropping beyond; dropless where absent.
    pub capacity_factor: Option<f64>,
    /// The format in which tokens travel to the experts; that of activations where absent.
    pub dispatch_dtype: Option<DType>,
    /// The format in which inputs of the experts' activation function wait for the backward pass
    /// (DeepSeek-V3, arXiv 2412.19437, section 3.3.2: FP8); that of activations where absent.
    pub activation_dtype: Option<DType>,
    /// Whether the shared experts run beside the dispatch.
    pub shared_overlap: bool,
    /// Rows of a rank's experts at the most over the mean, where routers choose freely: what is kept
    /// of them, not their time. The mean where absent.
    pub peak_rows: Option<f64>,
    /// Over how many scale-up domains the ranks of an expert-parallel group are spread; 0 and 1
    /// both mean that they share one.
    pub domains: u32,
}

/// What runs beside the collectives of tensor parallelism.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TpOverlap {
    /// Nothing.
    None,
    /// In the backward pass the neighboring product: the all-gather of inputs beside the input
    /// gradient, the reduction of the input gradient beside the weight gradient.
    #[default]
    Backward,
    /// Besides that, products and collectives are cut into one part a rank and pipelined.
    Chunked,
}

/// Which kernels compute a block: what is fused, and into what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each fusion is on or off by itself"
)]
pub struct Fusion {
    /// The generation of the attention kernel.
    pub attention: AttentionKernel,
    /// The longest sequence for which unfused attention has a fused kernel of scale, mask and
    /// softmax (Megatron-LM: 2,048 in 2021, 16,384 since).
    pub softmax_limit: u64,
    /// Norms in one kernel.
    pub norm: bool,
    /// Bias, dropout and residual addition in one kernel.
    pub bias_dropout_residual: bool,
    /// Bias and activation function in one kernel.
    pub activation: bool,
    /// Rotary embedding in one kernel.
    pub rotary: bool,
    /// Softmax, loss and its gradient over logits in one kernel.
    pub cross_entropy: bool,
    /// Whether that kernel works on the logits as they are (Transformer Engine); a compiled one
    /// casts them to fp32 and subtracts the largest beside them (Megatron-Core
    /// `fused_cross_entropy.py`).
    pub cross_entropy_in_place: bool,
    /// Weight gradients are added to the main gradients inside their product.
    pub grad_accumulation: bool,
    /// One launch for the products of all experts on a GPU.
    pub grouped_gemm: bool,
    /// Permutation of tokens in one kernel, and probabilities applied in front of the second
    /// product of an expert.
    pub permute: bool,
}

impl Fusion {
    /// Megatron-Core with Transformer Engine.
    pub const MODERN: Self = Self {
        attention: AttentionKernel::Flash3,
        softmax_limit: 16_384,
        norm: true,
        bias_dropout_residual: true,
        activation: true,
        rotary: true,
        cross_entropy: true,
        cross_entropy_in_place: true,
        grad_accumulation: true,
        grouped_gemm: true,
        permute: true,
    };

    /// Megatron-LM of 2021: fused kernels around unfused attention.
    pub const MEGATRON_2021: Self = Self {
        attention: AttentionKernel::Unfused,
        softmax_limit: 2_048,
        rotary: false,
        cross_entropy: false,
        grouped_gemm: false,
        permute: false,
        ..Self::MODERN
    };

    /// `PyTorch` operator by operator.
    pub const EAGER: Self = Self {
        softmax_limit: 0,
        norm: false,
        bias_dropout_residual: false,
        activation: false,
        grad_accumulation: false,
        ..Self::MEGATRON_2021
    };
}

/// How one block is cut over GPUs. Every degree is at least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharding {
    /// Tensor-parallel degree.
    pub tp: u32,
    /// Whether norms and residuals are cut over the tensor-parallel ranks by sequence.
    pub sequence_parallel: bool,
    /// What runs beside the collectives of tensor parallelism.
    pub tp_overlap: TpOverlap,
    /// Context-parallel degree.
    pub cp: u32,
    /// How attention is computed over it.
    pub cp_method: CpMethod,
    /// Expert-parallel degree.
    pub ep: u32,
    /// Tensor-parallel degree inside experts.
    pub etp: u32,
    /// How tokens reach their experts.
    pub experts: Experts,
    /// Sequences of a micro-batch.
    pub micro_batch: u64,
    /// Tokens of a sequence, before it is cut.
    pub seq_len: u64,
    /// The vocabulary is padded to a multiple of this times `tp` (Megatron-LM: 128); 1 pads to
    /// `tp` alone.
    pub vocab_multiple: u64,
    /// Which kernels compute the block.
    pub fusion: Fusion,
}

impl Sharding {
    /// One GPU, one sequence, modern kernels.
    pub const fn single(seq_len: u64) -> Self {
        Self {
            tp: 1,
            sequence_parallel: false,
            tp_overlap: TpOverlap::Backward,
            cp: 1,
            cp_method: CpMethod::Ring,
            ep: 1,
            etp: 1,
            experts: Experts {
                dispatcher: Dispatcher::AllToAll,
                capacity_factor: None,
                dispatch_dtype: None,
                activation_dtype: None,
                shared_overlap: false,
                peak_rows: None,
                domains: 1,
            },
            micro_batch: 1,
            seq_len,
            vocab_multiple: 1,
            fusion: Fusion::MODERN,
        }
    }

    /// Tokens of a micro-batch on one context-parallel rank.
    pub fn tokens(&self) -> u64 {
        (self.micro_batch * self.seq_len).div_ceil(u64::from(self.cp))
    }

    /// Tokens of a micro-batch in the residual stream of one rank: cut over tp as well where
    /// sequences are.
    pub fn stream_tokens(&self) -> u64 {
        self.tokens().div_ceil(self.sequence_shards())
    }

    /// Over how many tensor-parallel ranks a sequence is cut.
    pub fn sequence_shards(&self) -> u64 {
        if self.sequence_parallel {
            u64::from(self.tp)
        } else {
            1
        }
    }

    /// The vocabulary with padding, a multiple of `tp`.
    pub fn padded_vocab(&self, vocab: u64) -> u64 {
        vocab.next_multiple_of(self.vocab_multiple.max(1) * u64::from(self.tp))
    }
}
