//! The time of attention: fused kernels by generation and head size, and the unfused core.

use units::{Bytes, DType};

use crate::range::Range;
use crate::roof::{combine, soften, utilization};
use crate::sheet::Sheet;
use crate::{
    Attention, AttentionKernel, AttentionPointSpec, AttentionSpec, Gemm, Mask, Packing, Pass,
    Provenance, UnfusedSpec,
};

/// A curve for one fused kernel, format and head size; see [`AttentionSpec`] for the formula.
#[derive(Clone, Debug)]
pub(crate) struct FlashCurve {
    pub(crate) kernel: AttentionKernel,
    /// See [`width`].
    pub(crate) width: u32,
    pub(crate) head_dim: u64,
    rate: f64,
    peak: f64,
    half_len: f64,
    wave: f64,
    tile: f64,
    tail: f64,
    bandwidth: f64,
    roof: f64,
    backward: f64,
    sms: f64,
    /// Seconds of a kernel measured alone.
    pub(crate) base: f64,
    pub(crate) range: Range,
    /// Measured cores in rising order of [`key`].
    points: Vec<AttentionPointSpec>,
}

/// Formats that share kernels: 0 for 16 bits and more, 1 for 8 bits and less.
pub(crate) const fn width(dtype: DType) -> u32 {
    match dtype {
        DType::Fp8 | DType::MxFp8 | DType::NvFp4 | DType::Int8 => 1,
        _ => 0,
    }
}

impl FlashCurve {
    /// The curve of a checked description, for one of its formats.
    pub(crate) fn new(spec: &AttentionSpec, dtype: DType, sheet: &Sheet, sustained: f64) -> Self {
        let peak = sheet.peak(dtype);
        let mut points = spec.points.clone();
        points.sort_by_key(key);
        Self {
            kernel: spec.kernel,
            width: width(dtype),
            head_dim: spec.head_dim,
            rate: (peak * spec.efficiency * sustained).min(peak),
            peak,
            half_len: spec.half_len,
            wave: spec.wave,
            tile: f64::from(spec.tile),
            tail: spec.tail,
            bandwidth: sheet.bandwidth * spec.bandwidth,
            roof: sheet.bandwidth,
            backward: spec.backward,
            sms: sheet.sms,
            base: spec.base_us * 1e-6,
            range: Range::of(spec.fit.as_ref()),
            points,
        }
    }

    /// Seconds of a kernel, without launch gap, and what they are worth.
    pub(crate) fn time(&self, attention: &Attention) -> (f64, Provenance) {
        let heads = (attention.batch * attention.heads) as f64;
        let (q, kv) = (attention.q_len as f64, attention.kv_len as f64);
        if heads == 0.0 || q == 0.0 || kv == 0.0 {
            return (0.0, Provenance::Measured);
        }
        if let Some(point) = self.measured(attention) {
            return (point.us * 1e-6, Provenance::Measured);
        }
        let flops = attention.flops().as_f64();
        let keys = attention.scores() / q;
        // The forward pass walks over keys for a tile of queries, the backward pass over queries
        // for a tile of keys.
        let (walked, slow) = match attention.pass {
            Pass::Forward => (q, 1.0),
            Pass::Backward => (kv, self.backward),
        };
        let blocks = heads * (walked / self.tile).ceil();
        let filled = soften(utilization(blocks, self.sms), self.wave);
        let compute = flops * slow * (1.0 + self.half_len / keys) / (self.rate * filled);
        let last = self.tail * self.longest_block(attention);
        let bytes = bytes(attention).as_f64();
        let roofline = (flops / self.peak).max(bytes / self.roof);
        let time = (combine(compute, bytes / self.bandwidth) + last).max(roofline);
        (time, self.provenance(attention, heads))
    }

    /// Seconds that the forward pass's longest thread block takes an SM: a tile of queries that
    /// meets all keys.
    fn longest_block(&self, attention: &Attention) -> f64 {
        if self.tail == 0.0 {
            return 0.0;
        }
        let keys = match attention.mask {
            Mask::Full | Mask::Causal => attention.kv_len,
            Mask::Window(len) | Mask::Packed(len) => len.min(attention.kv_len),
        };
        let queries = self.tile.min(attention.q_len as f64);
        let width = (attention.qk_dim + attention.v_dim) as f64;
        2.0 * queries * keys as f64 * width * self.sms / self.rate
    }

    /// The core itself among those that were measured.
    fn measured(&self, attention: &Attention) -> Option<&AttentionPointSpec> {
        let whole = attention.mask == Mask::Causal
            && attention.q_len == attention.kv_len
            && attention.qk_dim == self.head_dim
            && width(attention.dtype) == self.width
            && !attention.dropout;
        if self.points.is_empty() || !whole {
            return None;
        }
        let wanted = (
            attention.pass,
            [
                attention.q_len,
                attention.batch,
                attention.heads,
                attention.kv_heads,
                attention.v_dim,
            ],
        );
        let at = self.points.binary_search_by_key(&wanted, key);
        at.ok().map(|at| &self.points[at])
    }

    fn provenance(&self, attention: &Attention, heads: f64) -> Provenance {
        let fitted = self.range.provenance([attention.q_len as f64, heads, 1.0]);
        let same = attention.qk_dim == self.head_dim
            && attention.pass == Pass::Forward
            && width(attention.dtype) == self.width;
        if same {
            fitted
        } else {
            fitted.max(Provenance::Extrapolated)
        }
    }
}

/// The order of measured cores.
fn key(point: &AttentionPointSpec) -> (Pass, [u64; 5]) {
    let shape = [
        point.len,
        point.batch,
        point.heads,
        point.kv_heads,
        point.v_dim,
    ];
    (point.pass, shape)
}

/// Bytes that a fused kernel reads and writes at least once: queries, keys, values and outputs
/// forward; backward all of them again with their gradients.
pub(crate) fn bytes(attention: &Attention) -> Bytes {
    let width = (attention.qk_dim + attention.v_dim) as f64;
    let rows = (attention.q_len * attention.heads + attention.kv_len * attention.kv_heads) as f64;
    let forward = attention.batch as f64 * rows * width * attention.dtype.bytes();
    Bytes::from_f64(match attention.pass {
        Pass::Forward => forward,
        Pass::Backward => 2.0 * forward,
    })
}

/// The unfused core: what its batched products and its softmax ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfused {
    misaligned: f64,
    score_bytes: f64,
    loose_score_bytes: f64,
    fused_max_len: u64,
}

/// The parts of an unfused attention core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// Products whose result has the extent of the keys, and how many of them.
    pub(crate) scores: (Gemm, f64),
    /// Products whose result has the size of a head, and how many of them.
    pub(crate) outputs: (Gemm, f64),
    /// What the time of the products is multiplied with.
    pub(crate) slow: f64,
    /// Bytes of the kernels between the products.
    pub(crate) softmax: Bytes,
    /// Kernels in all.
    pub(crate) kernels: u32,
}

/// Bytes that dropout adds per score: the probabilities are read and written once more, with a
/// mask of one byte.
const DROPOUT_BYTES: f64 = 5.0;

impl Unfused {
    /// The constants of a checked description.
    pub(crate) fn new(spec: &UnfusedSpec) -> Self {
        Self {
            misaligned: spec.misaligned,
            score_bytes: spec.score_bytes,
            loose_score_bytes: spec.loose_score_bytes,
            fused_max_len: spec.fused_max_len,
        }
    }

    /// The parts of one core. All scores are computed, masked or not.
    pub(crate) fn parts(&self, attention: &Attention) -> Parts {
        let batch = attention.batch * attention.heads;
        let scores = product(attention, attention.kv_len, attention.qk_dim, batch);
        let outputs = product(attention, attention.v_dim, attention.kv_len, batch);
        let loose = !self.softmax_is_fused(attention);
        let per_score = if loose {
            self.loose_score_bytes
        } else {
            self.score_bytes
        };
        let dropout = if attention.dropout {
            DROPOUT_BYTES
        } else {
            0.0
        };
        let all = batch as f64 * attention.q_len as f64 * attention.kv_len as f64;
        // Backward, each product has two gradients, and softmax reads one more matrix.
        let (products, softmax) = match attention.pass {
            Pass::Forward => (1.0, per_score + dropout),
            Pass::Backward => (2.0, 1.5 * per_score + dropout),
        };
        let aligned = attention.qk_dim.is_multiple_of(8) && attention.v_dim.is_multiple_of(8);
        let steps = 1 + 4 * u32::from(loose) + u32::from(attention.dropout);
        Parts {
            scores: (scores, products),
            outputs: (outputs, products),
            slow: if aligned { 1.0 } else { 1.0 / self.misaligned },
            softmax: Bytes::from_f64(all * softmax),
            kernels: steps
                + if attention.pass == Pass::Forward {
                    2
                } else {
                    4
                },
        }
    }

    /// Megatron-LM's fused scale-mask-softmax takes 16-bit scores, sequences × heads in fours,
    /// lengths in fours and keys up to a limit (`FusedScaleMaskSoftmax.is_kernel_available`).
    pub(crate) fn softmax_is_fused(&self, attention: &Attention) -> bool {
        let heads = attention.batch * attention.heads;
        matches!(attention.dtype, DType::Fp16 | DType::Bf16)
            && heads.is_multiple_of(4)
            && attention.q_len.is_multiple_of(4)
            && attention.kv_len.is_multiple_of(4)
            && attention.kv_len <= self.fused_max_len
    }
}

/// `batch` products of the queries' extent, `n` columns and inner length `k`.
fn product(attention: &Attention, n: u64, k: u64, batch: u64) -> Gemm {
    Gemm {
        packing: Packing::Batched(batch),
        ..Gemm::new(attention.q_len, n, k, attention.dtype)
    }
}
