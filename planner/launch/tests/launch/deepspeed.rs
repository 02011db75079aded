//! `DeepSpeed`'s JSON for mixtures of experts, which its own parser was asked about
//! (`checks/parse_deepspeed.py`).

use launch::{Consumer, Options, Producer, export, import};
use serde_json::{Value, json};

use crate::fixtures::{exported, scenario, text};

fn of(model: &str, plan: &str) -> predict::Scenario {
    scenario(&format!(
        "schema = 1\n[model]\nconfig = \"{model}\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 2\n\
         [training]\nglobal_batch = 64\nseq_len = 4096\n[framework]\nname = \"deepspeed-zero\"\n\
         [plan]\n{plan}\n"
    ))
}

#[test]
fn mixtures_are_spread_by_deepspeed_itself() {
    let own = of(
        "mixtral-8x7b",
        "ep = 8\nshard = \"zero-2\"\nmicro_batch = 2",
    );
    let bundle = exported(&own, Consumer::DeepSpeed);
    let config: Value = serde_json::from_str(text(&bundle, "ds_config.json")).unwrap();
    let wanted = json!({ "enabled": true, "autoep_size": 8, "preset_model": "mixtral" });
    assert_eq!(config["expert_parallel"], wanted);
    assert_eq!(config["zero_optimization"]["stage"], 2);
    let script = text(&bundle, "train.sh");
    assert!(script.contains("${PROGRAM:?"), "{script}");
    assert!(!script.contains("--num-layers"), "{script}");
    let deep = of(
        "qwen3-30b-a3b",
        "ep = 16\nshard = \"zero-3\"\nmoe = { dispatcher = \"deepep\" }",
    );
    let bundle = exported(&deep, Consumer::DeepSpeed);
    let config: Value = serde_json::from_str(text(&bundle, "ds_config.json")).unwrap();
    assert_eq!(config["expert_parallel"]["comm_backend"], "deepep");
    assert_eq!(config["expert_parallel"]["comm_max_tokens_per_rank"], 4096);
    // Dense models are Megatron-DeepSpeed's as before.
    let dense = exported(
        &of("llama3-8b", "tp = 2\nshard = \"zero-1\""),
        Consumer::DeepSpeed,
    );
    assert!(!text(&dense, "ds_config.json").contains("expert_parallel"));
}

#[test]
fn the_degree_of_experts_comes_back() {
    for (dispatcher, ep) in [("alltoall", 8), ("deepep", 16)] {
        let own = of(
            "mixtral-8x7b",
            &format!("ep = 8\nshard = \"zero-2\"\nmoe = {{ dispatcher = \"{dispatcher}\" }}"),
        );
        let bundle = exported(&own, Consumer::DeepSpeed);
        let config = text(&bundle, "ds_config.json")
            .replace("\"autoep_size\": 8", &format!("\"autoep_size\": {ep}"));
        let read = import(Producer::DeepSpeed, &config).unwrap();
        assert!(
            read.scenario.contains(&format!("ep = {ep}\n")),
            "{}",
            read.scenario
        );
        assert!(
            read.scenario
                .contains(&format!("dispatcher = \"{dispatcher}\""))
        );
        let wrong = config.replace(&format!("\"autoep_size\": {ep}"), "\"autoep_size\": 0");
        let error = import(Producer::DeepSpeed, &wrong).unwrap_err().to_string();
        assert!(
            error.contains("expert_parallel.autoep_size is \"0\""),
            "{error}"
        );
    }
}

/// Model, `[plan]`, the field at fault, and the message.
const REFUSED: [(&str, &str, &str, &str); 6] = [
    (
        "mixtral-8x7b",
        "tp = 2\nep = 4",
        "plan",
        "DeepSpeed has no way to say experts beside tensor, pipeline or context parallelism",
    ),
    (
        "olmoe-1b-7b",
        "ep = 8",
        "model",
        "DeepSpeed has no way to say mixtures of experts of the family \"olmoe\"",
    ),
    (
        "mixtral-8x7b",
        "ep = 4\netp = 2",
        "plan.etp",
        "DeepSpeed has no way to say tensor parallelism inside experts",
    ),
    (
        "mixtral-8x7b",
        "ep = 8\nmoe = { capacity_factor = 1.5 }",
        "plan.moe.capacity_factor",
        "DeepSpeed has no way to say a capacity of experts",
    ),
    (
        "mixtral-8x7b",
        "ep = 8\nmoe = { dispatcher = \"allgather\" }",
        "plan.moe.dispatcher",
        "DeepSpeed has no way to say this exchange of tokens",
    ),
    (
        "llama3-8b",
        "tp = 2\ncp = 2\ncp_method = \"alltoall\"\nsp = true",
        "plan.sp",
        "DeepSpeed does not run Ulysses beside sequence parallelism",
    ),
];

#[test]
fn what_deepspeed_does_not_spread_is_refused_with_a_hint() {
    for (model, plan, field, message) in REFUSED {
        let own = of(model, plan);
        let error = export(&own, Consumer::DeepSpeed, &Options::default()).unwrap_err();
        assert_eq!(error.to_string(), message, "{plan}");
        assert_eq!(error.field(), Some(field), "{plan}");
        assert!(error.hint().is_some(), "{plan}");
    }
}
