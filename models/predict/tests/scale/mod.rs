//! The runs whose speed is promised, for benchmarks, the example `at_scale` and tests.

#[path = "../neutral/mod.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod neutral;

use cluster::{Cluster, FabricKind, GpuSpec, NodeSpec, example};
use plan::{LayerSplit, OverlapSpec, PlanSpec, RecomputeSpec, ScheduleKind, ShardLevel};
use predict::Scenario;
use units::{Bytes, BytesPerSec, DType, FlopsPerSec, GpuId, Watts};
use workload::{Job, JobSpec, Model, Precision};

const GPT3_175B: &str = r#"{
    "model_type": "gpt2", "activation_function": "gelu_new", "vocab_size": 51200,
    "n_positions": 2048, "n_embd": 12288, "n_layer": 96, "n_head": 96,
    "tie_word_embeddings": true
}"#;

const LLAMA_405B: &str = r#"{
    "model_type": "llama", "hidden_size": 16384, "intermediate_size": 53248,
    "num_hidden_layers": 126, "num_attention_heads": 128, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": false
}"#;

/// The GPU that is slow where symmetry is broken, and its speed.
const SLOW: (u32, f64) = (5_000, 0.8);

/// GPT-3 175B on 1,024 A100: tensor 8, pipeline 16 with 3 chunks a device, data 8.
pub(crate) fn gpt3() -> Scenario {
    let cluster = dgx_a100s(128);
    let mut job = JobSpec::new(1_536, 2_048);
    job.precision = Precision::FP16;
    let job = job.check(model(GPT3_175B)).expect("a plain job");
    let spec = PlanSpec {
        tp: Some(8),
        pp: Some(16),
        vp: Some(3),
        micro_batch: Some(1),
        schedule: Some(ScheduleKind::Interleaved),
        recompute: Some(RecomputeSpec::Full),
        ..PlanSpec::default()
    };
    scenario("GPT-3 175B on 1,024 A100", cluster, job, &spec)
}

/// Llama 3 405B on 16,384 H100: tensor 8, pipeline 16 with 8 chunks a device, data 128, states
/// of the optimizer sharded, gradients reduced beside the backward passes.
pub(crate) fn llama() -> Scenario {
    let cluster = Cluster::build(&example::dgx_h100s(2_048)).expect("a known cluster");
    let job = JobSpec::new(2_048, 8_192);
    let job = job.check(model(LLAMA_405B)).expect("a plain job");
    let layers = (0..128).map(|stage| u32::from(stage != 0 && stage != 127));
    let spec = PlanSpec {
        tp: Some(8),
        pp: Some(16),
        vp: Some(8),
        sp: Some(true),
        micro_batch: Some(1),
        schedule: Some(ScheduleKind::Interleaved),
        layer_split: Some(LayerSplit::Counts(layers.collect())),
        shard: Some(ShardLevel::ZERO_1.to_vec()),
        overlap: OverlapSpec {
            grad_reduce: Some(true),
            ..OverlapSpec::default()
        },
        ..PlanSpec::default()
    };
    scenario("Llama 3 405B on 16,384 H100", cluster, job, &spec)
}

/// The same with one GPU at 80 % of its speed.
pub(crate) fn llama_with_a_slow_gpu() -> Scenario {
    let mut scenario = llama();
    let (gpu, speed) = SLOW;
    scenario.cluster = scenario
        .cluster
        .with_gpu_speed(GpuId::new(gpu), speed)
        .expect("a GPU of the cluster");
    scenario
}

fn scenario(name: &str, cluster: Cluster, job: Job, spec: &PlanSpec) -> Scenario {
    let scenario = neutral::scenario(cluster, job, spec).expect("a plan that fits");
    Scenario {
        name: name.to_owned(),
        ..scenario
    }
}

fn model(config: &str) -> Model {
    Model::from_config_json(config).expect("a known model")
}

/// Nodes of eight A100 with one NIC of 200 Gbit/s each, on rails.
fn dgx_a100s(nodes: u32) -> Cluster {
    let mut node = NodeSpec {
        name: "dgx-a100".to_owned(),
        gpu: "a100-sxm-80gb".to_owned(),
        ..example::dgx_h100()
    };
    if let cluster::ScaleUpSpec::NvSwitch { rate, .. } = &mut node.scale_up {
        *rate = BytesPerSec::from_gbytes(300.0).expect("positive");
    }
    node.nics.rate = BytesPerSec::from_gbits(200.0).expect("positive");
    let mut spec = example::cluster(node, nodes, example::fabric(FabricKind::RailOptimised));
    spec.gpus = vec![a100()];
    Cluster::build(&spec).expect("a sound cluster")
}

fn a100() -> GpuSpec {
    let peaks = [(DType::Fp16, 312.0), (DType::Bf16, 312.0)];
    GpuSpec {
        name: "a100-sxm-80gb".to_owned(),
        architecture: "Ampere".to_owned(),
        form: "SXM4".to_owned(),
        fp32: FlopsPerSec::from_tera(19.5),
        peaks: peaks
            .map(|(dtype, tera)| (dtype, FlopsPerSec::from_tera(tera)))
            .to_vec(),
        memory: Bytes::new(81_920 << 20),
        bandwidth: BytesPerSec::from_gbytes(2_039.0).expect("positive"),
        l2: Some(Bytes::new(40 << 20)),
        sms: 108,
        boost_mhz: Some(1_410.0),
        tdp: Watts::new(400.0),
        ..example::h100()
    }
}
