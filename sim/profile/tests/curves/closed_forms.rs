//! Times that can be computed by hand.

use profile::{
    Attention, AttentionKernel, AttentionPointSpec, AttentionSpec, Gemm, GemmSpec, Kernel, Mask,
    Packing, PackingKind, Pass, PointSpec, Profile, ProfileSpec, Provenance, Stream, StreamKind,
    StreamSpec,
};
use units::{Bytes, DType};

use crate::fixture::{built, file_with, h100, plain_product};

fn secs(profile: &Profile, gemm: Gemm) -> f64 {
    profile.time(&Kernel::Gemm(gemm)).time.as_secs()
}

fn close(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 1e-3
}

#[test]
fn one_full_wave_runs_at_the_curve_s_efficiency() {
    // 12 × 11 tiles of 128 × 128 on 132 SMs.
    let profile = built(&file_with(vec![plain_product(1.0)]));
    let (m, n, k) = (12 * 128, 11 * 128, 65_536);
    let expected = 2.0 * (m * n * k) as f64 / (0.05 * 989e12);
    assert!(close(
        secs(&profile, Gemm::new(m, n, k, DType::Bf16)),
        expected
    ));
}

#[test]
fn one_tile_past_a_full_wave_costs_a_second_wave() {
    let profile = built(&file_with(vec![plain_product(1.0)]));
    let full = secs(&profile, Gemm::new(132 * 128, 128, 65_536, DType::Bf16));
    let more = secs(&profile, Gemm::new(133 * 128, 128, 65_536, DType::Bf16));
    assert!(close(more, 2.0 * full), "{more} after {full}");
}

#[test]
fn without_wave_quantization_only_whole_tiles_count() {
    let profile = built(&file_with(vec![plain_product(0.0)]));
    let full = secs(&profile, Gemm::new(132 * 128, 128, 65_536, DType::Bf16));
    let more = secs(&profile, Gemm::new(132 * 128 + 1, 128, 65_536, DType::Bf16));
    assert!(close(more, full * 133.0 / 132.0), "{more} after {full}");
}

#[test]
fn splitting_the_inner_product_fills_a_quarter_full_gpu() {
    let mut spec = plain_product(1.0);
    let gemm = Gemm::new(33 * 128, 128, 65_536, DType::Bf16);
    let whole = secs(&built(&file_with(vec![spec.clone()])), gemm);
    spec.split_k = 4;
    let split = secs(&built(&file_with(vec![spec])), gemm);
    assert!(close(whole, 4.0 * split), "{whole} against {split}");
}

#[test]
fn a_thin_product_takes_its_bytes_over_the_bandwidth() {
    let profile = built(&file_with(vec![plain_product(0.0)]));
    let gemm = Gemm::new(1, 65_536, 65_536, DType::Bf16);
    assert!(close(secs(&profile, gemm), gemm.bytes().as_f64() / 3350e9));
}

#[test]
fn sustained_speed_scales_compute_and_not_memory() {
    let mut spec = file_with(vec![plain_product(0.0)]);
    let (fat, thin) = (
        Gemm::new(8192, 8192, 8192, DType::Bf16),
        Gemm::new(1, 65_536, 65_536, DType::Bf16),
    );
    let before = built(&spec);
    spec.sustained = 0.8;
    let after = built(&spec);
    assert!(close(secs(&after, fat), secs(&before, fat) / 0.8));
    assert!(close(secs(&after, thin), secs(&before, thin)));
}

#[test]
fn a_measured_shape_gives_its_own_time() {
    let mut spec = plain_product(0.0);
    let point = |m, us| PointSpec {
        m,
        n: 64,
        k: 32,
        count: 1,
        accumulate: false,
        us,
    };
    spec.points = vec![point(512, 7.5), point(128, 3.0)];
    let profile = built(&file_with(vec![spec]));
    let timed = profile.time(&Kernel::Gemm(Gemm::new(512, 64, 32, DType::Bf16)));
    assert!((timed.time.as_micros() - 7.5).abs() < 1e-9);
    assert_eq!(timed.provenance, Provenance::Measured);
    let other = profile.time(&Kernel::Gemm(Gemm::new(256, 64, 32, DType::Bf16)));
    assert_eq!(other.provenance, Provenance::Nominal);
}

#[test]
fn a_measured_shape_stands_for_rows_within_a_percent_and_for_its_own_kind_alone() {
    let mut spec = plain_product(0.0);
    spec.packing = PackingKind::Grouped;
    spec.points = vec![PointSpec {
        m: 24_640,
        n: 64,
        k: 32,
        count: 160,
        accumulate: false,
        us: 77.0,
    }];
    let profile = built(&file_with(vec![spec]));
    let product = |m, experts| Gemm {
        packing: Packing::Grouped(experts),
        ..Gemm::new(m, 64, 32, DType::Bf16)
    };
    let near = profile.time(&Kernel::Gemm(product(24_576, 160)));
    assert!((near.time.as_micros() - 77.0 * 24_576.0 / 24_640.0).abs() < 1e-6);
    assert_eq!(near.provenance, Provenance::Interpolated);
    for other in [product(20_000, 160), product(24_640, 80)] {
        let timed = profile.time(&Kernel::Gemm(other));
        assert_eq!(timed.provenance, Provenance::Nominal, "{other:?}");
    }
}

#[test]
fn products_of_experts_wait_for_their_launches_and_attention_does_not() {
    let mut grouped = plain_product(0.0);
    grouped.packing = PackingKind::Grouped;
    grouped.product_us = 8.0;
    let batched = GemmSpec {
        packing: PackingKind::Batched,
        ..grouped.clone()
    };
    let profile = built(&file_with(vec![grouped, batched]));
    let micros = |packing, accumulate| {
        let gemm = Gemm {
            packing,
            accumulate,
            ..Gemm::new(160, 64, 32, DType::Bf16)
        };
        profile.time(&Kernel::Gemm(gemm)).time.as_micros()
    };
    assert!((micros(Packing::Grouped(160), false) - 1280.0).abs() < 1.0);
    assert!((micros(Packing::Batched(160), true) - 1280.0).abs() < 1.0);
    assert!(micros(Packing::Batched(160), false) < 100.0);
}

#[test]
fn a_stream_takes_its_bytes_and_a_ramp_for_each_launch() {
    let mut spec = file_with(Vec::new());
    spec.stream = Some(StreamSpec {
        bandwidth: 0.5,
        ramp_bytes: 1e6,
        kinds: Vec::new(),
        source: "made up".to_owned(),
        measured: true,
    });
    let stream = Stream {
        kind: StreamKind::Norm,
        bytes: Bytes::new(99_000_000),
        launches: 2,
    };
    let timed = built(&spec).time(&Kernel::Stream(stream));
    let expected = 101e6 / (0.5 * 3350e9) + 1e-6;
    assert!(close(timed.time.as_secs(), expected));
    assert_eq!(timed.provenance, Provenance::Interpolated);
}

fn attention(pass: Pass, kernel: AttentionKernel) -> Attention {
    Attention {
        pass,
        batch: 1,
        q_len: 4096,
        kv_len: 4096,
        heads: 32,
        kv_heads: 32,
        qk_dim: 128,
        v_dim: 128,
        mask: Mask::Causal,
        kernel,
        dtype: DType::Bf16,
        dropout: false,
    }
}

fn attention_secs(attention: Attention) -> f64 {
    let profile = Profile::nominal(&h100());
    profile.time(&Kernel::Attention(attention)).time.as_secs()
}

#[test]
fn backward_attention_does_five_products_at_a_lower_speed() {
    let forward = attention_secs(attention(Pass::Forward, AttentionKernel::Flash3));
    let backward = attention_secs(attention(Pass::Backward, AttentionKernel::Flash3));
    assert!(
        close(backward, 2.5 * 1.18 * forward),
        "{backward} {forward}"
    );
}

/// A curve without losses besides its tail.
fn core_with(tail: f64) -> ProfileSpec {
    let mut spec = file_with(Vec::new());
    spec.attention.push(AttentionSpec {
        kernel: AttentionKernel::Flash3,
        dtypes: vec![DType::Bf16],
        head_dim: 128,
        efficiency: 0.5,
        half_len: 0.0,
        wave: 0.0,
        tile: 128,
        tail,
        bandwidth: 1.0,
        backward: 1.2,
        base_us: 0.0,
        source: "made up".to_owned(),
        fit: None,
        points: Vec::new(),
    });
    spec
}

#[test]
fn a_kernel_waits_for_its_longest_block_however_many_heads_it_has() {
    let secs = |tail: f64, heads: u64, pass: Pass| {
        let core = Attention {
            heads,
            kv_heads: heads,
            ..attention(pass, AttentionKernel::Flash3)
        };
        built(&core_with(tail))
            .time(&Kernel::Attention(core))
            .time
            .as_secs()
    };
    // 128 queries and 4096 keys on one of 132 SMs.
    let block = 2.0 * 128.0 * 4096.0 * 256.0 * 132.0 / (0.5 * 989e12);
    for (heads, pass) in [
        (4, Pass::Forward),
        (64, Pass::Forward),
        (64, Pass::Backward),
    ] {
        let waits = secs(0.8, heads, pass) - secs(0.0, heads, pass);
        assert!(
            (waits / (0.8 * block) - 1.0).abs() < 1e-6,
            "{heads} {pass:?}"
        );
    }
}

#[test]
fn a_measured_core_gives_its_own_time_in_its_own_pass() {
    let mut spec = core_with(0.0);
    spec.attention[0].points = vec![AttentionPointSpec {
        pass: Pass::Forward,
        batch: 1,
        len: 4096,
        heads: 32,
        kv_heads: 32,
        v_dim: 128,
        us: 123.0,
    }];
    let profile = built(&spec);
    let timed = |pass| profile.time(&Kernel::Attention(attention(pass, AttentionKernel::Flash3)));
    assert!((timed(Pass::Forward).time.as_micros() - 123.0).abs() < 1e-9);
    assert_eq!(timed(Pass::Forward).provenance, Provenance::Measured);
    assert_eq!(timed(Pass::Backward).provenance, Provenance::Nominal);
}

#[test]
fn unfused_attention_pays_for_every_score_it_writes() {
    let unfused = attention(Pass::Forward, AttentionKernel::Unfused);
    let longer = Attention {
        q_len: 8192,
        kv_len: 8192,
        ..unfused
    };
    let scores = 32.0 * 4096.0 * 4096.0;
    assert!(attention_secs(unfused) > scores * 4.0 / 3350e9);
    assert!(attention_secs(longer) > 3.5 * attention_secs(unfused));
    let fused = attention(Pass::Forward, AttentionKernel::Flash3);
    assert!(attention_secs(unfused) > 3.0 * attention_secs(fused));
}

#[test]
fn a_head_size_that_is_no_multiple_of_eight_slows_unfused_products_tenfold() {
    let aligned = Attention {
        qk_dim: 152,
        v_dim: 152,
        ..attention(Pass::Forward, AttentionKernel::Unfused)
    };
    let crooked = Attention {
        qk_dim: 150,
        v_dim: 150,
        ..aligned
    };
    let ratio = attention_secs(crooked) / attention_secs(aligned);
    assert!((2.0..10.0).contains(&ratio), "{ratio}");
}

#[test]
fn softmax_is_not_fused_beyond_its_kernel_s_limits() {
    let short = Attention {
        q_len: 2048,
        kv_len: 2048,
        ..attention(Pass::Forward, AttentionKernel::Unfused)
    };
    let odd = Attention { heads: 33, ..short };
    let per_head = |attention: Attention| attention_secs(attention) / attention.heads as f64;
    assert!(per_head(odd) > 2.0 * per_head(short));
}

#[test]
fn groups_of_few_rows_are_slower_than_one_product_of_all() {
    let profile = Profile::nominal(&h100());
    let one = Gemm::new(16_384, 4096, 4096, DType::Bf16);
    let grouped = Gemm {
        packing: Packing::Grouped(64),
        ..one
    };
    assert!(secs(&profile, grouped) > 1.1 * secs(&profile, one));
}
