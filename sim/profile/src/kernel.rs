//! The vocabulary of compute: what a GPU can be asked to run, with its shape on **one** GPU.
//!
//! Calibration fills a [`Profile`](crate::Profile) in these words and lowering asks it in the
//! same words, so that neither knows the other.

use serde::{Deserialize, Serialize};
use units::{Bytes, DType, Flops};

/// One kernel, or one fused group of kernels, on one GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// A matrix product, possibly batched or grouped.
    Gemm(Gemm),
    /// The attention core: scores, softmax and the product with the values.
    Attention(Attention),
    /// A memory-bound kernel: its time follows the bytes that it moves.
    Stream(Stream),
    /// The state-space scan of a Mamba-2 block.
    Scan(Scan),
}

/// `count` products `C[m,n] = A[m,k] · B[k,n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gemm {
    /// Rows of the result, tokens in most layers. For a grouped product the rows of **all**
    /// groups together.
    pub m: u64,
    /// Columns of the result.
    pub n: u64,
    /// Length of the inner products.
    pub k: u64,
    /// How the products are packed into a launch.
    pub packing: Packing,
    /// The format of both inputs.
    pub dtype: DType,
    /// The format of the result: fp32 where gradients accumulate in fp32.
    pub output: DType,
    /// Whether the result is added to what stands there (fused gradient accumulation).
    pub accumulate: bool,
}

/// How the products of a [`Gemm`] are packed into a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// One product.
    Single,
    /// That many products of equal shape in one launch.
    Batched(u64),
    /// The rows `m` are split over that many groups with a `B` of their own (experts).
    Grouped(u64),
}

impl Gemm {
    /// One product in one format.
    pub const fn new(m: u64, n: u64, k: u64, dtype: DType) -> Self {
        Self {
            m,
            n,
            k,
            packing: Packing::Single,
            dtype,
            output: dtype,
            accumulate: false,
        }
    }

    /// Multiply-adds counted as two.
    pub fn flops(&self) -> Flops {
        let batch = if let Packing::Batched(count) = self.packing {
            count
        } else {
            1
        };
        Flops::new(2.0 * self.m as f64 * self.n as f64 * self.k as f64 * batch as f64)
    }

    /// Bytes read and written at least once each.
    pub fn bytes(&self) -> Bytes {
        let (batch, matrices) = match self.packing {
            Packing::Single => (1.0, 1.0),
            Packing::Batched(count) => (count as f64, 1.0),
            Packing::Grouped(groups) => (1.0, groups as f64),
        };
        let (m, n, k) = (self.m as f64, self.n as f64, self.k as f64);
        let inputs = (m * k + k * n * matrices) * self.dtype.bytes();
        let passes = if self.accumulate { 2.0 } else { 1.0 };
        Bytes::from_f64(batch * (inputs + m * n * self.output.bytes() * passes))
    }
}

/// The attention core of one layer over a batch of sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Forward or backward.
    pub pass: Pass,
    /// Sequences.
    pub batch: u64,
    /// Query tokens per sequence on this GPU.
    pub q_len: u64,
    /// Key and value tokens per sequence that the queries meet.
    pub kv_len: u64,
    /// Query heads on this GPU.
    pub heads: u64,
    /// Key and value heads on this GPU.
    pub kv_heads: u64,
    /// Dimension of queries and keys per head.
    pub qk_dim: u64,
    /// Dimension of values per head.
    pub v_dim: u64,
    /// Which scores exist.
    pub mask: Mask,
    /// Which kernel computes it.
    pub kernel: AttentionKernel,
    /// The format of queries, keys and values.
    pub dtype: DType,
    /// Whether dropout is applied to the probabilities.
    pub dropout: bool,
}

/// Forward or backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// From inputs to outputs.
    Forward,
    /// From output gradients to input gradients.
    Backward,
}

/// Which scores of a query and a key exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// All of them.
    Full,
    /// A key no later than its query: half of a square.
    Causal,
    /// Causal, and at most that many tokens back.
    Window(u64),
    /// Causal inside packed sequences of that mean length.
    Packed(u64),
}

/// The generation of the attention kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttentionKernel {
    /// Batched products with the scores in memory, and a fused scale-mask-softmax kernel.
    Unfused,
    /// FlashAttention (Dao et al. 2022).
    Flash1,
    /// FlashAttention-2 (Dao 2023).
    Flash2,
    /// FlashAttention-3 (Shah et al. 2024) and cuDNN's kernels of the same generation.
    Flash3,
}

impl Attention {
    /// Scores per sequence and head that the mask leaves.
    pub fn scores(&self) -> f64 {
        let (q, kv) = (self.q_len as f64, self.kv_len as f64);
        match self.mask {
            Mask::Full => q * kv,
            // Query i of the last q tokens of kv meets kv − q + i + 1 keys.
            Mask::Causal => q * (kv - q).max(0.0) + q * q.min(kv) / 2.0,
            Mask::Window(window) => {
                let w = (window as f64).min(kv);
                (q * w - w * w / 2.0 * (q / kv).min(1.0)).max(q)
            }
            Mask::Packed(len) => q * (len as f64).min(kv) / 2.0,
        }
    }

    /// Operations of the two products forward, and five backward where scores are recomputed
    /// (FlashAttention-2, section 4: backward 2.5 times forward), four where they are stored.
    pub fn flops(&self) -> Flops {
        let forward = 2.0
            * self.batch as f64
            * self.heads as f64
            * self.scores()
            * (self.qk_dim + self.v_dim) as f64;
        let factor = match (self.pass, self.kernel) {
            (Pass::Forward, _) => 1.0,
            (Pass::Backward, AttentionKernel::Unfused) => 2.0,
            (Pass::Backward, _) => 2.5,
        };
        Flops::new(forward * factor)
    }
}

/// A memory-bound kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stream {
    /// What it does, for the reader of a trace and for curves by kind.
    pub kind: StreamKind,
    /// Bytes read and written in all.
    pub bytes: Bytes,
    /// Launches; a fused kernel is one.
    pub launches: u32,
}

/// What a memory-bound kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StreamKind {
    /// Layer norm or RMS norm.
    Norm,
    /// Activation function, gated or not.
    Activation,
    /// Rotary position embedding.
    Rotary,
    /// Residual addition, with bias and dropout where fused.
    Residual,
    /// Dropout alone.
    Dropout,
    /// Bias addition alone.
    Bias,
    /// Gather of embedding rows, or the scatter-add of their gradients.
    Embedding,
    /// Cross-entropy over logits.
    CrossEntropy,
    /// Routing of tokens to experts: softmax, top-k, counts.
    Router,
    /// Permutation of tokens to experts and back.
    Permute,
    /// Scaling, casting or quantizing.
    Cast,
    /// Causal one-dimensional convolution of a Mamba block.
    Convolution,
    /// Optimizer step, gradient clipping, zeroing.
    Optimizer,
    /// A copy on the device.
    Copy,
}

/// The chunked scan of a Mamba-2 block (Dao and Gu 2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// Forward or backward.
    pub pass: Pass,
    /// Tokens on this GPU, over all sequences.
    pub tokens: u64,
    /// Heads on this GPU.
    pub heads: u64,
    /// Dimension of a head.
    pub head_dim: u64,
    /// Dimension of the state.
    pub state: u64,
    /// Groups that share B and C, on this GPU.
    pub groups: u64,
    /// Tokens of a chunk.
    pub chunk: u64,
    /// The format of inputs and outputs.
    pub dtype: DType,
}

impl Scan {
    /// Operations of the four products of the chunked algorithm (Dao and Gu 2024, section 6:
    /// inside chunks `C·Bᵀ` and its product with x, chunk states, and states to outputs).
    pub fn flops(&self) -> Flops {
        let tokens = self.tokens as f64;
        let (q, n) = (self.chunk as f64, self.state as f64);
        let inner = (self.heads * self.head_dim) as f64;
        let inside = q * n * self.groups as f64 + q * inner;
        let forward = tokens * (inside + 4.0 * n * inner);
        Flops::new(if self.pass == Pass::Forward {
            forward
        } else {
            2.5 * forward
        })
    }

    /// Bytes read and written at least once each.
    pub fn bytes(&self) -> Bytes {
        let inner = (self.heads * self.head_dim) as f64;
        let per_token =
            3.0 * inner + 2.0 * (self.groups * self.state) as f64 + 2.0 * self.heads as f64;
        let states = self.tokens as f64 / self.chunk as f64 * inner * self.state as f64 * 2.0;
        let forward = (self.tokens as f64 * per_token + states) * self.dtype.bytes();
        Bytes::from_f64(if self.pass == Pass::Forward {
            forward
        } else {
            2.5 * forward
        })
    }
}

impl Kernel {
    /// Floating-point operations of the kernel; 0 for memory-bound kernels.
    pub fn flops(&self) -> Flops {
        match self {
            Self::Gemm(gemm) => gemm.flops(),
            Self::Attention(attention) => attention.flops(),
            Self::Scan(scan) => scan.flops(),
            Self::Stream(_) => Flops::ZERO,
        }
    }

    /// Bytes that the kernel reads and writes at least once.
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Gemm(gemm) => gemm.bytes(),
            Self::Attention(attention) => crate::attention::bytes(attention),
            Self::Scan(scan) => scan.bytes(),
            Self::Stream(stream) => stream.bytes,
        }
    }
}
