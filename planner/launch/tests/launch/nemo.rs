//! What Megatron-Bridge's own code was seen to need (`checks/parse_bridge.py`).

use std::collections::BTreeMap;

use launch::export::overrides::parse;
use launch::{Consumer, Options, export};

use crate::fixtures::{exported, llama, scenario, text};

/// The overrides of a plan of Llama 3 8B on 16 GPUs.
fn of(plan: &str) -> BTreeMap<String, String> {
    read(&llama(2, plan))
}

fn read(own: &predict::Scenario) -> BTreeMap<String, String> {
    let bundle = exported(own, Consumer::Nemo);
    let overrides = parse(text(&bundle, "nemo_overrides.txt")).unwrap();
    overrides
        .into_iter()
        .map(|one| (one.key, one.value))
        .collect()
}

/// The same with other lines of `[training]`.
fn formats(training: &str) -> BTreeMap<String, String> {
    read(&scenario(&format!(
        "schema = 1\n[model]\nconfig = \"llama3-8b\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 1\n\
         [training]\nglobal_batch = 64\nseq_len = 4096\n{training}\n[plan]\ntp = 2\n"
    )))
}

#[test]
fn what_a_recipe_chose_otherwise_is_switched_off() {
    let plain = of("pp = 4\nshard = \"none\"");
    for (key, value) in [
        ("comm_overlap", "null"),
        ("model.virtual_pipeline_model_parallel_size", "null"),
        ("model.pipeline_model_parallel_layout", "null"),
        ("model.recompute_granularity", "null"),
        ("model.overlap_p2p_comm", "false"),
        ("model.batch_p2p_comm", "true"),
        ("model.sequence_parallel", "false"),
        ("ddp.use_distributed_optimizer", "false"),
        ("optimizer.use_distributed_optimizer", "false"),
        ("ddp.overlap_param_gather", "false"),
        ("dist.use_megatron_fsdp", "false"),
    ] {
        assert_eq!(plain.get(key).map(String::as_str), Some(value), "{key}");
    }
    let other = of("tp = 2\npp = 4\nvp = 2\nrecompute = \"full\"");
    for (key, value) in [
        ("model.virtual_pipeline_model_parallel_size", "2"),
        ("model.recompute_granularity", "full"),
        ("model.overlap_p2p_comm", "true"),
        ("model.batch_p2p_comm", "false"),
        ("model.sequence_parallel", "true"),
        ("ddp.use_distributed_optimizer", "true"),
        ("ddp.overlap_param_gather", "true"),
        ("optimizer.overlap_param_gather", "true"),
    ] {
        assert_eq!(other.get(key).map(String::as_str), Some(value), "{key}");
    }
}

#[test]
fn every_override_stands_once() {
    // The parser refuses a key that is set twice.
    for plan in [
        "shard = \"zero-3\"",
        "offload = { optimizer = 0.5 }\ncuda_graphs = true",
        "pp = 2\nvp = 2\nlayer_split = [7, 8, 9, 8]\nrecompute = 2",
        "cp = 2\ntp = 2\nrank_order = \"tp-cp-ep-pp-dp\"",
    ] {
        assert!(40 < of(plan).len(), "{plan}");
    }
}

#[test]
fn formats_are_a_recipe_by_name_only_where_that_says_all() {
    let plain = formats("grad_dtype = \"fp32\"");
    assert_eq!(plain["mixed_precision"], "bf16_mixed");
    // Sections behind it would be overruled.
    assert!(!plain.contains_key("ddp.grad_reduce_in_fp32"));
    let class = "{_target_:megatron.bridge.training.mixed_precision.MixedPrecisionConfig,";
    for (training, fields) in [
        ("grad_dtype = \"bf16\"", "bf16:true,"),
        ("precision = \"fp32\"", "fp32:true,"),
        ("precision = \"fp16\"", "fp16:true,"),
        (
            "precision = \"fp8\"\nfp8_recipe = \"blockwise\"",
            "fp8:e4m3,fp8_recipe:blockwise",
        ),
    ] {
        let all = &formats(training)["mixed_precision"];
        assert!(all.starts_with(class) && all.contains(fields), "{all}");
        let in_fp32 = training != "grad_dtype = \"bf16\"";
        assert!(
            all.contains(&format!("grad_reduce_in_fp32:{in_fp32}")),
            "{all}"
        );
    }
}

#[test]
fn graphs_are_transformer_engines_and_sharded_weights_have_their_checkpoints() {
    assert_eq!(
        of("cuda_graphs = true")["model.cuda_graph_impl"],
        "transformer_engine"
    );
    let fsdp = of("shard = \"zero-3\"");
    assert_eq!(fsdp["checkpoint.ckpt_format"], "fsdp_dtensor");
    assert_eq!(
        fsdp["ddp.data_parallel_sharding_strategy"],
        "optim_grads_params"
    );
    assert_eq!(fsdp["model.gradient_accumulation_fusion"], "false");
    let own = llama(2, "pp = 2\nshard = \"zero-3\"");
    let error = export(&own, Consumer::Nemo, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Megatron-LM does not run sharded weights or gradients in a pipeline"
    );
}
