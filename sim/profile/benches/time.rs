//! What `Profile::time` costs: planners ask it for every kernel of every plan.

use std::hint::black_box;

use cluster::GpuSpec;
use criterion::{Criterion, criterion_group, criterion_main};
use profile::{
    Attention, AttentionKernel, Gemm, Kernel, Mask, Packing, Pass, Profile, ProfileSpec, Stream,
    StreamKind,
};
use units::{Bytes, BytesPerSec, DType, FlopsPerSec, Watts};

fn gpu() -> GpuSpec {
    GpuSpec {
        name: "a100-sxm-80gb".to_owned(),
        vendor: "NVIDIA".to_owned(),
        architecture: "Ampere".to_owned(),
        form: "SXM4".to_owned(),
        fp32: FlopsPerSec::from_tera(19.5),
        peaks: vec![(DType::Bf16, FlopsPerSec::from_tera(312.0))],
        memory: Bytes::from_gib(80.0),
        bandwidth: BytesPerSec::from_gbytes(2039.0).expect("positive"),
        l2: None,
        sms: 108,
        boost_mhz: None,
        tdp: Watts::new(400.0),
        source: "NVIDIA A100 data sheet".to_owned(),
        notes: String::new(),
    }
}

fn profile() -> Profile {
    let text = include_str!("../../../scenarios/profiles/a100-sxm.toml");
    let mut table: toml::Table = text.parse().expect("the shipped file is TOML");
    table.remove("comm");
    let spec: ProfileSpec = table.try_into().expect("the shipped file is a profile");
    Profile::build(&spec, &gpu()).expect("the shipped profile is in order")
}

fn kernels() -> [(&'static str, Kernel); 5] {
    let gemm = Gemm::new(4096, 6144, 4096, DType::Bf16);
    let attention = Attention {
        pass: Pass::Backward,
        batch: 2,
        q_len: 4096,
        kv_len: 4096,
        heads: 16,
        kv_heads: 4,
        qk_dim: 128,
        v_dim: 128,
        mask: Mask::Causal,
        kernel: AttentionKernel::Flash2,
        dtype: DType::Bf16,
        dropout: false,
    };
    [
        ("product with grid", Kernel::Gemm(gemm)),
        (
            "grouped product",
            Kernel::Gemm(Gemm {
                packing: Packing::Grouped(16),
                ..gemm
            }),
        ),
        ("flash attention", Kernel::Attention(attention)),
        (
            "unfused attention",
            Kernel::Attention(Attention {
                kernel: AttentionKernel::Unfused,
                ..attention
            }),
        ),
        (
            "stream",
            Kernel::Stream(Stream {
                kind: StreamKind::Norm,
                bytes: Bytes::new(100_000_000),
                launches: 1,
            }),
        ),
    ]
}

fn time(criterion: &mut Criterion) {
    let profile = profile();
    for (name, kernel) in kernels() {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| profile.time(black_box(&kernel)));
        });
    }
}

criterion_group!(benches, time);
criterion_main!(benches);
