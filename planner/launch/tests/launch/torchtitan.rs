//! Mixtures of experts for torchtitan, whose own parser was asked (`checks/parse_torchtitan.py`).

use launch::{Consumer, Options, Producer, export};

use crate::fixtures::{imported, scenario, text};

fn of(model: &str, nodes: u32, plan: &str) -> predict::Scenario {
    scenario(&format!(
        "schema = 1\n[model]\nconfig = \"{model}\"\n[cluster]\nname = \"dgx-h100\"\nnodes = {nodes}\n\
         [training]\nglobal_batch = 256\nseq_len = 4096\n[framework]\nname = \"torchtitan\"\n\
         [plan]\nshard = \"zero-3\"\n{plan}\n"
    ))
}

fn version(version: &str) -> Options {
    Options {
        version: Some(version.to_owned()),
        ..Options::default()
    }
}

/// Plans of mixtures, with the generations that can run them.
const PLANS: [(&str, &str, &[&str]); 6] = [
    ("qwen3-30b-a3b", "ep = 8", &["0.2", "0.3"]),
    ("qwen3-30b-a3b", "tp = 2\nep = 16", &["0.2", "0.3"]),
    ("qwen3-30b-a3b", "tp = 2\netp = 2", &["0.2", "0.3"]),
    ("qwen3-30b-a3b", "tp = 2\nep = 4\netp = 2", &["0.2"]),
    (
        "deepseek-v2-lite",
        "ep = 8\nrecompute = \"full\"",
        &["0.2", "0.3"],
    ),
    (
        "qwen3-30b-a3b",
        "cp = 2\ncp_method = \"allgather\"\nep = 4",
        &["0.2", "0.3"],
    ),
];

#[test]
fn mixtures_come_back_with_their_degrees() {
    for (model, plan, generations) in PLANS {
        for generation in ["0.2", "0.3"] {
            let own = of(model, 2, plan);
            let bundle = export(&own, Consumer::Torchtitan, &version(generation));
            assert_eq!(
                bundle.is_ok(),
                generations.contains(&generation),
                "{plan} {generation}"
            );
            let Ok(bundle) = bundle else { continue };
            let file = if generation == "0.2" {
                "torchtitan.toml"
            } else {
                "train.sh"
            };
            let other = imported(Producer::Torchtitan, text(&bundle, file));
            assert_eq!(
                other.plan.degrees(),
                own.plan.degrees(),
                "{plan} {generation}"
            );
            assert_eq!(
                other.plan.expert_shards(),
                own.plan.expert_shards(),
                "{plan}"
            );
            assert_eq!(
                other.plan.experts().dispatcher,
                own.plan.experts().dispatcher,
                "{plan}"
            );
        }
    }
}

#[test]
fn the_exchange_by_deep_ep_is_a_field_before_and_a_choice_of_the_configuration_now() {
    let own = of(
        "qwen3-30b-a3b",
        2,
        "ep = 8\nmoe = { dispatcher = \"deepep\" }",
    );
    let before = export(&own, Consumer::Torchtitan, &version("0.2")).unwrap();
    let toml = text(&before, "torchtitan.toml");
    assert!(
        toml.contains("expert_parallel_comm_backend = \"deepep\"\n"),
        "{toml}"
    );
    let now = export(&own, Consumer::Torchtitan, &version("0.3")).unwrap();
    let warns = |warning: &String| warning.contains("moe_comm_backend");
    assert!(now.warnings.iter().any(warns), "{:?}", now.warnings);
}

/// Model, `[plan]`, the field at fault, and the message.
const REFUSED: [(&str, &str, &str, &str); 8] = [
    (
        "llama3-8b",
        "tp = 16",
        "plan.tp",
        "torchtitan does not run tensor parallelism that cuts 8 key-value heads in 16 parts",
    ),
    (
        "qwen3-0.6b",
        "pp = 2",
        "plan.pp",
        "torchtitan does not run a pipeline whose ends share the embedding",
    ),
    (
        "qwen3-30b-a3b",
        "tp = 2\nep = 4\netp = 2",
        "plan.etp",
        "torchtitan has no way to say tensor parallelism of degree 2 inside experts",
    ),
    (
        "qwen3-30b-a3b",
        "tp = 2\netp = 1",
        "plan.etp",
        "torchtitan has no way to say tensor parallelism of degree 1 inside experts",
    ),
    (
        "qwen3-30b-a3b",
        "ep = 8\nmoe = { dispatcher = \"allgather\" }",
        "plan.moe.dispatcher",
        "torchtitan has no way to say an all-gather of tokens",
    ),
    (
        "qwen3-30b-a3b",
        "ep = 8\nmoe = { capacity_factor = 1.5 }",
        "plan.moe.capacity_factor",
        "torchtitan has no way to say a capacity of experts",
    ),
    (
        "qwen3-30b-a3b",
        "ep = 8\ncuda_graphs = true",
        "plan.cuda_graphs",
        "torchtitan does not run CUDA graphs of experts that are exchanged",
    ),
    (
        "qwen3-30b-a3b",
        "ep = 16\nshard = \"none\"",
        "plan.ep",
        "torchtitan does not run experts over 16 ranks, of 1 that share dense parameters",
    ),
];

#[test]
fn what_torchtitan_does_not_run_is_refused_with_a_hint() {
    for (model, plan, field, message) in REFUSED {
        let own = if plan.contains("shard") {
            scenario(&format!(
                "schema = 1\n[model]\nconfig = \"{model}\"\n[cluster]\nname = \"dgx-h100\"\n\
                 nodes = 2\n[training]\nglobal_batch = 256\nseq_len = 4096\n[plan]\n{plan}\n"
            ))
        } else {
            of(model, 2, plan)
        };
        let error = export(&own, Consumer::Torchtitan, &version("0.3")).unwrap_err();
        assert_eq!(error.to_string(), message, "{plan}");
        assert_eq!(error.field(), Some(field), "{plan}");
        assert!(error.hint().is_some(), "{plan}");
    }
}

#[test]
fn what_a_configuration_chooses_is_a_warning() {
    for (model, start) in [
        (
            "deepseek-v3",
            "model: torchtitan's configurations have no modules",
        ),
        (
            "llama3-405b",
            "training.precision: torchtitan's configuration of this model",
        ),
    ] {
        let bundle = export(
            &of(model, 32, "tp = 8"),
            Consumer::Torchtitan,
            &version("0.3"),
        );
        let bundle = bundle.or_else(|_| {
            export(
                &of(model, 32, "ep = 64"),
                Consumer::Torchtitan,
                &version("0.3"),
            )
        });
        let warnings = bundle.unwrap().warnings;
        assert!(
            warnings.iter().any(|text| text.starts_with(start)),
            "{warnings:?}"
        );
    }
}
