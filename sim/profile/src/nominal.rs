//! Profiles from data sheets alone: what GPUs of an architecture usually reach of their peaks.
//!
//! The shares below are those of the measured GPU of the architecture where a shipped profile
//! has one, else published microbenchmarks. They make every prediction possible and none
//! trustworthy: all they give is marked nominal.

use cluster::GpuSpec;
use units::DType;

use crate::{
    AttentionKernel, AttentionSpec, GemmSpec, HostSpec, InterferenceSpec, MemorySpec, PackingKind,
    ProfileSpec, ScanSpec, StreamKind, StreamKindSpec, StreamSpec, UnfusedSpec,
};

/// What GPUs of an architecture reach.
#[derive(Clone, Copy, Debug)]
struct Habit {
    /// How names of the architecture begin, in lower case and without spaces.
    prefix: &'static str,
    /// Share of the 16-bit peak.
    gemm: f64,
    /// Share of the 8-bit and 4-bit peaks.
    narrow: f64,
    /// Inner length at which half of the speed is lost.
    half_k: f64,
    /// Exponent of wave quantization.
    wave: f64,
    /// Share of the memory bandwidth of thin products.
    thin: f64,
    /// Share of the 16-bit peak of FlashAttention 1, 2, 3 on long sequences.
    flash: [f64; 3],
    /// Mean keys at which half of that is lost.
    half_len: f64,
    /// Share of the memory bandwidth of streaming kernels.
    stream: f64,
    source: &'static str,
}

const HABITS: [Habit; 9] = [
    Habit {
        prefix: "hopper",
        gemm: 0.76,
        narrow: 0.66,
        half_k: 95.0,
        wave: 0.0,
        thin: 0.80,
        flash: [0.20, 0.37, 0.63],
        half_len: 340.0,
        stream: 0.80,
        source: "shares of the H100 profile; FlashAttention-2 on H100: Shah et al. 2024, figure 5",
    },
    Habit {
        prefix: "ampere",
        gemm: 0.83,
        narrow: 0.83,
        half_k: 143.0,
        wave: 0.37,
        thin: 0.62,
        flash: [0.35, 0.66, 0.66],
        half_len: 340.0,
        stream: 0.78,
        source: "shares of the A100 profile; FlashAttention 1: 25 to 40 % of peak, Dao 2023",
    },
    Habit {
        prefix: "ada",
        gemm: 0.75,
        narrow: 0.65,
        half_k: 100.0,
        wave: 0.4,
        thin: 0.80,
        flash: [0.35, 0.60, 0.60],
        half_len: 340.0,
        stream: 0.80,
        source: "shares of the A100 profile, power-limited",
    },
    Habit {
        prefix: "blackwell",
        gemm: 0.67,
        narrow: 0.57,
        half_k: 20.0,
        wave: 0.05,
        thin: 0.57,
        flash: [0.10, 0.18, 0.60],
        half_len: 500.0,
        stream: 0.67,
        source: "fit of NVIDIA, ai-dynamo/aiconfigurator, Apache-2.0; streams: MooreThreads/SimuMax",
    },
    Habit {
        prefix: "volta",
        gemm: 0.70,
        narrow: 0.70,
        half_k: 100.0,
        wave: 0.4,
        thin: 0.80,
        flash: [0.25, 0.25, 0.25],
        half_len: 340.0,
        stream: 0.80,
        source: "cuBLAS at 83 of 125 TFLOP/s and streams at 750 of 900 GB/s: Jia et al. 2018",
    },
    Habit {
        prefix: "turing",
        gemm: 0.45,
        narrow: 0.45,
        half_k: 100.0,
        wave: 0.4,
        thin: 0.68,
        flash: [0.25, 0.25, 0.25],
        half_len: 340.0,
        stream: 0.68,
        source: "T4 at its 70 W: 220 of 320 GB/s, matrix products far below peak: Jia et al. 2019",
    },
    Habit {
        prefix: "cdna4",
        gemm: 0.60,
        narrow: 0.50,
        half_k: 100.0,
        wave: 0.3,
        thin: 0.60,
        flash: [0.15, 0.30, 0.45],
        half_len: 500.0,
        stream: 0.70,
        source: "between CDNA 3 and Blackwell; nothing published in the same terms",
    },
    Habit {
        prefix: "cdna",
        gemm: 0.48,
        narrow: 0.40,
        half_k: 100.0,
        wave: 0.3,
        thin: 0.60,
        flash: [0.15, 0.30, 0.38],
        half_len: 500.0,
        stream: 0.75,
        source: "MI300X bf16 620 and fp8 990 TFLOP/s of 1307 and 2615: SemiAnalysis, December 2024",
    },
    Habit {
        prefix: "",
        gemm: 0.60,
        narrow: 0.50,
        half_k: 100.0,
        wave: 0.4,
        thin: 0.60,
        flash: [0.20, 0.35, 0.45],
        half_len: 400.0,
        stream: 0.70,
        source: "a cautious guess for an unknown architecture",
    },
];

fn habit(architecture: &str) -> Habit {
    let name: String = architecture
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let known = HABITS.iter().find(|habit| name.starts_with(habit.prefix));
    *known.unwrap_or(&HABITS[HABITS.len() - 1])
}

/// The nominal profile of a GPU.
pub(crate) fn spec(gpu: &GpuSpec) -> ProfileSpec {
    let habit = habit(&gpu.architecture);
    ProfileSpec {
        schema: 1,
        name: format!("nominal {}", gpu.name),
        gpu: gpu.name.clone(),
        relatives: Vec::new(),
        scaled_from: None,
        only_by_name: false,
        date: String::new(),
        sustained: 1.0,
        launch_us: 1.0,
        gemm: products(&habit),
        attention: kernels(&habit),
        unfused: Some(unfused()),
        stream: Some(stream(&habit)),
        scan: Some(scan()),
        host: Some(host()),
        memory: Some(memory(&habit)),
        interference: Some(interference()),
    }
}

fn products(habit: &Habit) -> Vec<GemmSpec> {
    let wide = vec![DType::Bf16, DType::Fp16, DType::Tf32, DType::Fp32];
    let narrow = vec![DType::Fp8, DType::MxFp8, DType::NvFp4, DType::Int8];
    let mut specs = Vec::new();
    for packing in [
        PackingKind::Single,
        PackingKind::Batched,
        PackingKind::Grouped,
    ] {
        specs.push(product(habit, wide.clone(), packing, habit.gemm));
        specs.push(product(habit, narrow.clone(), packing, habit.narrow));
    }
    specs
}

fn product(habit: &Habit, dtypes: Vec<DType>, packing: PackingKind, efficiency: f64) -> GemmSpec {
    GemmSpec {
        dtypes,
        packing,
        efficiency,
        half_k: habit.half_k,
        half_rows: if packing == PackingKind::Grouped {
            GROUP_HALF_ROWS
        } else {
            0.0
        },
        wave: habit.wave,
        tile: [128, 256],
        split_k: if packing == PackingKind::Single { 8 } else { 1 },
        bandwidth: habit.thin,
        accumulate: ACCUMULATE,
        product_us: 0.0,
        base_us: 0.0,
        source: habit.source.to_owned(),
        fit: None,
        grid: None,
        points: Vec::new(),
    }
}

/// Rows of a group at which half of the speed is lost.
const GROUP_HALF_ROWS: f64 = 100.0;

/// Speed of a weight gradient that is added in fp32, over a plain product's.
const ACCUMULATE: f64 = 0.88;

/// Time per operation of backward attention over forward, by head size.
const BACKWARD: [(u64, f64); 3] = [(64, 1.3), (128, 1.18), (192, 1.3)];

/// Share of the speed at 128 that other head sizes reach.
const HEAD_SHARE: [f64; 3] = [0.8, 1.0, 1.0];

fn kernels(habit: &Habit) -> Vec<AttentionSpec> {
    let generations = [
        AttentionKernel::Flash1,
        AttentionKernel::Flash2,
        AttentionKernel::Flash3,
    ];
    let mut specs = Vec::new();
    for (kernel, share) in generations.into_iter().zip(habit.flash) {
        for ((head_dim, backward), head_share) in BACKWARD.into_iter().zip(HEAD_SHARE) {
            specs.push(AttentionSpec {
                kernel,
                dtypes: vec![DType::Bf16, DType::Fp16],
                head_dim,
                efficiency: share * head_share,
                half_len: habit.half_len,
                wave: 0.5,
                tile: 128,
                tail: 0.0,
                bandwidth: habit.thin,
                backward,
                base_us: 0.0,
                source: habit.source.to_owned(),
                fit: None,
                points: Vec::new(),
            });
        }
    }
    specs
}

fn unfused() -> UnfusedSpec {
    UnfusedSpec {
        misaligned: 0.1,
        score_bytes: 4.0,
        loose_score_bytes: 28.0,
        fused_max_len: 2048,
        source: "bytes counted from Megatron-LM's kernels; misaligned products as seen at head \
                 size 150 in BigScience's throughput tables"
            .to_owned(),
    }
}

fn stream(habit: &Habit) -> StreamSpec {
    let slower = |kind, share: f64| StreamKindSpec {
        kind,
        bandwidth: habit.stream * share,
        measured: false,
    };
    StreamSpec {
        bandwidth: habit.stream,
        ramp_bytes: 2e6,
        kinds: vec![
            slower(StreamKind::Permute, 0.5),
            slower(StreamKind::CrossEntropy, 0.7),
            slower(StreamKind::Embedding, 0.6),
            slower(StreamKind::Router, 0.5),
        ],
        source: habit.source.to_owned(),
        measured: false,
    }
}

fn scan() -> ScanSpec {
    ScanSpec {
        efficiency: 0.12,
        bandwidth: 0.4,
        source: "chunked scans of Dao and Gu 2024, section 9, far below matrix products".to_owned(),
        fit: None,
    }
}

fn host() -> HostSpec {
    HostSpec {
        kernel_us: 6.0,
        layer_us: 650.0,
        expert_layer_us: 2_100.0,
        micro_batch_us: 1_000.0,
        source: "eager PyTorch: about 6 us to launch a kernel; layers of Megatron-LM on A100 \
                 hosts take 0.8 ms a pass, eager mixture-of-experts layers 7 ms forward and backward"
            .to_owned(),
    }
}

/// What `PyTorch` takes of a V100 for its kernels: 1,113 MiB of 16 and of 32 GB alike
/// (bigscience-workshop/bigscience, experiments/tr3m-1B3.md, "calibration").
const VOLTA_CONTEXT_MIB: f64 = 1_113.0;

/// Workspaces of one handle of cuBLAS and of one stream of Transformer Engine, in MiB, of Hopper
/// and newer GPUs, and of others ([`crate::MemoryConstants`] names the code).
const WORKSPACES_MIB: [[f64; 2]; 2] = [[32.0, 32.0], [8.125, 4.0]];

fn memory(habit: &Habit) -> MemorySpec {
    let is_new = matches!(habit.prefix, "hopper" | "blackwell");
    let [workspace_mib, module_workspace_mib] = WORKSPACES_MIB[usize::from(!is_new)];
    MemorySpec {
        context_mib: if habit.prefix == "volta" {
            VOLTA_CONTEXT_MIB
        } else {
            520.0
        },
        framework_mib: 10.0,
        workspace_mib,
        module_workspace_mib,
        borders: 4.0,
        communicator_mib: 288.0,
        slack: 0.06,
        source: "context of 300 to 700 MB with PyTorch (pytorch issues 20532, 28113, 107667); \
                 workspaces as PyTorch and Transformer Engine ask for them; 10 and 2 MiB a channel \
                 and connection on H100 (nccl issue 1685), 24 channels; framework files say what \
                 was fitted"
            .to_owned(),
    }
}

fn interference() -> InterferenceSpec {
    InterferenceSpec {
        channels: 16.0,
        bandwidth: 0.1,
        source: "NCCL rings inside an NVSwitch node run 16 to 24 channels of one block each"
            .to_owned(),
    }
}
