//! What holds for every shape.

use profile::{
    Attention, AttentionKernel, Gemm, Kernel, Mask, Packing, Pass, Profile, Scan, Stream,
    StreamKind,
};
use proptest::prelude::*;
use units::{Bytes, DType};

use crate::fixture::{built, file_with, h100, plain_product, shipped_h100};

fn dtypes() -> impl Strategy<Value = DType> {
    proptest::sample::select(DType::ALL.to_vec())
}

fn packings() -> impl Strategy<Value = Packing> {
    prop_oneof![
        Just(Packing::Single),
        (1_u64..512).prop_map(Packing::Batched),
        (1_u64..512).prop_map(Packing::Grouped),
    ]
}

prop_compose! {
    fn gemms()(
        m in 1_u64..100_000, n in 1_u64..100_000, k in 1_u64..100_000,
        packing in packings(), dtype in dtypes(), accumulate: bool,
    ) -> Gemm {
        let output = if accumulate { DType::Fp32 } else { dtype };
        Gemm { m, n, k, packing, dtype, output, accumulate }
    }
}

prop_compose! {
    fn attentions()(
        batch in 1_u64..64, q_len in 1_u64..40_000, more in 0_u64..40_000,
        kv_heads in 1_u64..32, group in 1_u64..9, qk_dim in 16_u64..300, v_dim in 16_u64..300,
        mask in prop_oneof![
            Just(Mask::Full), Just(Mask::Causal),
            (1_u64..9000).prop_map(Mask::Window), (1_u64..9000).prop_map(Mask::Packed),
        ],
        kernel in proptest::sample::select(vec![
            AttentionKernel::Unfused, AttentionKernel::Flash1,
            AttentionKernel::Flash2, AttentionKernel::Flash3,
        ]),
        dtype in dtypes(), backward: bool, dropout: bool,
    ) -> Attention {
        Attention {
            pass: if backward { Pass::Backward } else { Pass::Forward },
            batch, q_len, kv_len: q_len + more, heads: kv_heads * group, kv_heads, qk_dim, v_dim,
            mask, kernel, dtype, dropout,
        }
    }
}

fn secs(profile: &Profile, kernel: Kernel) -> f64 {
    profile.time(&kernel).time.as_secs()
}

/// The peak that a format computes at on the H100, in operations per second.
fn peak(dtype: DType) -> f64 {
    match dtype {
        DType::Fp32 => 67e12,
        DType::Tf32 => 494.5e12,
        DType::Fp16 | DType::Bf16 | DType::Int8 => 989e12,
        _ => 1979e12,
    }
}

proptest! {
    #[test]
    fn no_product_beats_the_roofline(gemm in gemms()) {
        for profile in [shipped_h100(), Profile::nominal(&h100())] {
            let time = secs(&profile, Kernel::Gemm(gemm));
            prop_assert!(time.is_finite());
            prop_assert!(time * 1.000_001 >= gemm.flops().as_f64() / peak(gemm.dtype));
            prop_assert!(time * 1.000_001 >= gemm.bytes().as_f64() / 3350e9);
        }
    }

    #[test]
    fn no_attention_beats_the_peak(attention in attentions()) {
        for profile in [shipped_h100(), Profile::nominal(&h100())] {
            let time = secs(&profile, Kernel::Attention(attention));
            prop_assert!(time.is_finite());
            // 8-bit inputs may run on the 16-bit kernel, never faster than their own peak.
            let peak = peak(attention.dtype).max(989e12);
            prop_assert!(time * 1.000_001 >= attention.flops().as_f64() / peak);
        }
    }

    #[test]
    fn more_rows_never_make_a_product_faster(
        m in 1_u64..20_000, more in 0_u64..2_000, n in 1_u64..20_000, k in 1_u64..20_000,
        wave in 0.0..=1.0_f64, split_k in 1_u32..16,
    ) {
        let mut spec = plain_product(wave);
        spec.split_k = split_k;
        let profile = built(&file_with(vec![spec]));
        let time = |m| secs(&profile, Kernel::Gemm(Gemm::new(m, n, k, DType::Bf16)));
        prop_assert!(time(m) <= time(m + more) * 1.000_001);
    }

    #[test]
    fn longer_sequences_never_make_fused_attention_faster_beyond_one_wave(
        attention in attentions(), tiles in 1_u64..8,
    ) {
        let attention = Attention {
            kernel: AttentionKernel::Flash3,
            mask: Mask::Full,
            ..attention
        };
        let longer = Attention {
            q_len: attention.q_len + 128 * 132 * tiles,
            ..attention
        };
        let profile = Profile::nominal(&h100());
        let before = secs(&profile, Kernel::Attention(attention));
        prop_assert!(before <= secs(&profile, Kernel::Attention(longer)) * 1.000_001);
    }

    #[test]
    fn more_bytes_never_make_a_stream_faster(bytes in 0_u64..1 << 36, more in 0_u64..1 << 30) {
        let profile = shipped_h100();
        for kind in [StreamKind::Norm, StreamKind::Permute, StreamKind::Optimizer] {
            let time = |bytes| {
                let bytes = Bytes::new(bytes);
                secs(&profile, Kernel::Stream(Stream { kind, bytes, launches: 1 }))
            };
            prop_assert!(time(bytes) <= time(bytes + more));
            prop_assert!(time(bytes) >= bytes as f64 / 3350e9);
        }
    }

    #[test]
    fn a_scan_is_finite_and_never_beats_the_roofline(
        tokens in 1_u64..1 << 20, heads in 1_u64..256, state in 16_u64..256, backward: bool,
    ) {
        let pass = if backward { Pass::Backward } else { Pass::Forward };
        let scan = Scan {
            pass, tokens, heads, head_dim: 64, state, groups: 8, chunk: 128, dtype: DType::Bf16,
        };
        let time = secs(&shipped_h100(), Kernel::Scan(scan));
        prop_assert!(time.is_finite());
        prop_assert!(time >= scan.flops().as_f64() / 989e12);
        prop_assert!(time >= scan.bytes().as_f64() / 3350e9);
    }
}
