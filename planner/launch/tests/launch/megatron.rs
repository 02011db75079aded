//! What Megatron-LM's own parser was seen to need or to refuse (`checks/parse_megatron.py`).

use launch::{Consumer, Options, export};

use crate::fixtures::{exported, imported, scenario, text, try_scenario};

/// A scenario of that model, `[training]` and `[plan]`.
fn of(model: &str, nodes: u32, training: &str, plan: &str) -> predict::Scenario {
    scenario(&format!(
        "schema = 1\n{model}\n[cluster]\nname = \"dgx-h100\"\nnodes = {nodes}\n[training]\n\
         global_batch = 256\nseq_len = 4096\n{training}\n[framework]\nname = \"megatron-core\"\n\
         [plan]\n{plan}\n"
    ))
}

const LLAMA: &str = "[model]\nconfig = \"llama3-8b\"";
const MIXTRAL: &str = "[model]\nconfig = \"mixtral-8x7b\"";
const MUON: &str = "optimizer = \"muon\"";

fn arguments(model: &str, training: &str, plan: &str) -> String {
    let bundle = exported(&of(model, 2, training, plan), Consumer::Megatron);
    text(&bundle, "train.sh").to_owned()
}

#[test]
fn sharded_weights_come_with_their_checkpoints_and_formats() {
    let fsdp = arguments(LLAMA, "", "shard = \"zero-3\"");
    assert!(fsdp.contains("--ckpt-format fsdp_dtensor\n"), "{fsdp}");
    assert!(
        fsdp.contains("--megatron-fsdp-main-grads-dtype fp32\n"),
        "{fsdp}"
    );
    assert!(!fsdp.contains("CUDA_DEVICE_MAX_CONNECTIONS"), "{fsdp}");
    for dtype in ["fp32", "bf16"] {
        let own = of(
            LLAMA,
            2,
            &format!("grad_dtype = \"{dtype}\""),
            "shard = \"zero-3\"",
        );
        let bundle = exported(&own, Consumer::Megatron);
        let other = imported(launch::Producer::Megatron, text(&bundle, "train.sh"));
        assert_eq!(other.job.grad_dtype, own.job.grad_dtype);
    }
}

#[test]
fn sharded_weights_overlap_whatever_the_plan_says() {
    let plan = "shard = \"zero-3\"\noverlap = { grad_reduce = false, param_gather = false }";
    let bundle = exported(&of(LLAMA, 2, "", plan), Consumer::Megatron);
    let warns = |warning: &String| warning.starts_with("plan.overlap: Megatron-FSDP");
    assert!(bundle.warnings.iter().any(warns), "{:?}", bundle.warnings);
    assert!(text(&bundle, "train.sh").contains("--overlap-grad-reduce\n"));
}

#[test]
fn an_optimizer_in_host_memory_is_the_precision_aware_one() {
    let plan = "offload = { optimizer = 0.5 }";
    let both = arguments(LLAMA, "", plan);
    assert!(both.contains("--use-precision-aware-optimizer\n"), "{both}");
    // One rank shards nothing, and needs the distributed optimizer all the same.
    let alone = arguments(LLAMA, "", &format!("dp = 1\n{plan}"));
    assert!(alone.contains("--use-distributed-optimizer\n"), "{alone}");
}

#[test]
fn the_vocabulary_is_the_models() {
    let own = of(LLAMA, 2, "", "tp = 2");
    let bundle = exported(&own, Consumer::Megatron);
    let arguments = text(&bundle, "train.sh");
    assert!(arguments.contains("--vocab-size 128256"), "{arguments}");
    let other = imported(launch::Producer::Megatron, arguments);
    assert_eq!(other.job.model.vocab(), own.job.model.vocab());
}

#[test]
fn graphs_hold_what_of_experts_has_a_fixed_size() {
    let plan = "ep = 8\ncuda_graphs = true\nmoe = { dispatcher = \"alltoall\"";
    let free = arguments(MIXTRAL, "", &format!("{plan} }}"));
    assert!(
        free.contains("--cuda-graph-modules attn moe_router\n"),
        "{free}"
    );
    let fixed = arguments(MIXTRAL, "", &format!("{plan}, capacity_factor = 1.5 }}"));
    assert!(fixed.contains("--cuda-graph-modules attn moe\n"), "{fixed}");
    let dense = arguments(LLAMA, "", "cuda_graphs = true");
    assert!(!dense.contains("--cuda-graph-modules"), "{dense}");
}

#[test]
fn functions_and_choices_that_are_not_fused_say_so() {
    let model = "[model.megatron]\nlayers = 24\nhidden = 2048\nheads = 16\nvocab = 50304\n\
                 activation = \"squared-relu\"";
    assert!(arguments(model, "", "").contains("--no-bias-gelu-fusion\n"));
    assert!(!arguments(&format!("{model}\nbias = false"), "", "").contains("--no-bias-gelu"));
    let one = "[model.megatron]\nlayers = 24\nhidden = 2048\nheads = 16\nvocab = 50304\n\
               moe = { experts = 8, top_k = 1 }";
    assert!(arguments(one, "", "ep = 8").contains("--moe-router-pre-softmax\n"));
}

/// Model, `[training]`, `[plan]`, the field at fault, and the end of the message.
const REFUSED: [(&str, &str, &str, &str, &str); 20] = [
    (
        LLAMA,
        "",
        "overlap = { grad_reduce = false, param_gather = true }",
        "plan.overlap",
        "an overlapped gathering of parameters beside a reduction of gradients that is not",
    ),
    (
        LLAMA,
        "",
        "tp = 2\nsp = false\noverlap = { tp = \"chunked\" }",
        "plan.overlap.tp",
        "chunked collectives without sequence parallelism",
    ),
    (
        LLAMA,
        "",
        "pp = 2\nvp = 2\noverlap = { p2p = false }",
        "plan.overlap.p2p",
        "an interleaved pipeline of 2 devices whose sends are not overlapped",
    ),
    (
        LLAMA,
        "",
        "tp = 4\ncp = 4\ncp_method = \"alltoall\"",
        "plan.cp_method",
        "an all-to-all of 2 key-value heads over cp 4",
    ),
    (
        LLAMA,
        MUON,
        "shard = \"zero-3\"",
        "training.optimizer",
        "Muon over sharded weights or gradients",
    ),
    (
        LLAMA,
        "optimizer = \"muon\"\nprecision = \"fp16\"",
        "",
        "training.optimizer",
        "Muon in fp16",
    ),
    (
        LLAMA,
        MUON,
        "shard = [{ what = \"optimizer\", group = 8 }]",
        "training.optimizer",
        "Muon over part of the data-parallel ranks",
    ),
    (
        LLAMA,
        "optimizer = \"sgd\"",
        "offload = { optimizer = 1.0 }",
        "plan.offload",
        "another optimizer than Adam in host memory",
    ),
    (
        LLAMA,
        "precision = \"fp8\"\nfp8_recipe = \"delayed\"",
        "recompute = [\"layernorm\"]",
        "plan.recompute",
        "recomputation of layernorm with delayed scaling",
    ),
    (
        LLAMA,
        "",
        "recompute = \"full\"\ncuda_graphs = true",
        "plan.cuda_graphs",
        "CUDA graphs of layers that are computed again as a whole",
    ),
    (
        LLAMA,
        "dropout = 0.1",
        "recompute = \"selective\"\ncuda_graphs = true",
        "plan.cuda_graphs",
        "CUDA graphs with dropout in parts that are computed again",
    ),
    (
        MIXTRAL,
        "",
        "tp = 2\nsp = false",
        "plan.sp",
        "experts beside tensor parallelism without sequence parallelism",
    ),
    (
        MIXTRAL,
        "",
        "ep = 8\nmoe = { dispatcher = \"deepep\", capacity_factor = 1.5 }",
        "plan.moe.dispatcher",
        "DeepEP with a capacity of experts",
    ),
    (
        MIXTRAL,
        "",
        "moe = { dispatcher = \"deepep\" }",
        "plan.moe.dispatcher",
        "DeepEP where every rank has all experts",
    ),
    (
        "[model]\nconfig = \"deepseek-v2-lite\"",
        "",
        "ep = 8\nmoe = { dispatcher = \"allgather\", shared_overlap = true }",
        "plan.moe.shared_overlap",
        "shared experts beside an all-gather",
    ),
    (
        MIXTRAL,
        "",
        "ep = 8\noverlap = { ep = true }\nmoe = { dispatcher = \"allgather\" }",
        "plan.overlap.ep",
        "all-to-alls beside computation with an all-gather of tokens",
    ),
    (
        MIXTRAL,
        "",
        "ep = 8\npp = 2\noverlap = { ep = true }",
        "plan.overlap.ep",
        "all-to-alls beside computation with a pipeline of one chunk a device",
    ),
    (
        MIXTRAL,
        "",
        "ep = 8\noverlap = { ep = true }\nrecompute = \"full\"",
        "plan.overlap.ep",
        "all-to-alls beside computation with recomputed experts",
    ),
    (
        MIXTRAL,
        "precision = \"fp32\"",
        "ep = 8\noverlap = { ep = true }",
        "plan.overlap.ep",
        "all-to-alls beside computation with activations of 32 bits",
    ),
    (
        MIXTRAL,
        "",
        "ep = 8\nshard = \"zero-3\"\ncuda_graphs = true\noverlap = { ep = true }",
        "plan.cuda_graphs",
        "CUDA graphs of sharded weights beside overlapped all-to-alls",
    ),
];

#[test]
fn what_megatron_does_not_run_together_is_refused_with_a_hint() {
    for (model, training, plan, field, what) in REFUSED {
        let own = of(model, 4, training, plan);
        for to in [Consumer::Megatron, Consumer::Nemo] {
            let error = export(&own, to, &Options::default()).unwrap_err();
            assert_eq!(error.field(), Some(field), "{plan}");
            assert_eq!(
                error.to_string(),
                format!("Megatron-LM does not run {what}"),
                "{plan}"
            );
            assert!(error.hint().is_some(), "{plan}");
        }
    }
}

#[test]
fn states_that_are_not_sharded_stay_in_fp32_on_the_gpu() {
    let own = of(
        LLAMA,
        2,
        "",
        "shard = \"none\"\noffload = { optimizer = 1.0 }",
    );
    let error = export(&own, Consumer::Megatron, &Options::default()).unwrap_err();
    assert_eq!(error.field(), Some("plan.offload"));
    assert_eq!(
        error.to_string(),
        "Megatron-LM has no way to say states in host memory without the distributed optimizer"
    );
}

#[test]
fn sequences_are_cut_in_pairs_of_slices() {
    let text = "schema = 1\n[model]\nconfig = \"llama2-7b\"\n[cluster]\nname = \"dgx-h100\"\n\
                nodes = 1\n[training]\nglobal_batch = 8\nseq_len = 4100\n[plan]\ncp = 4\n\
                cp_method = \"alltoall\"\n";
    let own = try_scenario(text).unwrap();
    let error = export(&own, Consumer::Megatron, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Megatron-LM does not run sequences that are no multiple of 2 cp = 8 tokens"
    );
}
