//! What a consumer cannot say is refused with a hint, or is a warning; nothing vanishes.

use launch::{Consumer, Options, export};

use crate::fixtures::{exported, llama, scenario};

fn refused(plan: &str, to: Consumer) -> (String, Option<String>) {
    let error = export(&llama(2, plan), to, &Options::default()).unwrap_err();
    (error.to_string(), error.hint())
}

#[test]
fn schedules_that_megatron_does_not_have_are_refused() {
    let (message, hint) = refused("pp = 4\nschedule = \"zb-h1\"", Consumer::Megatron);
    assert_eq!(message, "Megatron-LM has no way to say the schedule zb-h1");
    assert_eq!(
        hint.unwrap(),
        "Megatron-LM runs \"1f1b\" and \"interleaved\""
    );
}

#[test]
fn torchrun_refuses_ranks_that_are_scattered_and_others_warn() {
    let plan = "dp = 4\nrank_gpus = [0, 8, 1, 9]";
    let (message, hint) = refused(plan, Consumer::Torchrun);
    assert!(
        message.contains("puts ranks 0 and 2 on node n0"),
        "{message}"
    );
    assert_eq!(hint.unwrap(), "`--to slurm` places every rank by itself");
    let bundle = exported(&llama(2, plan), Consumer::Megatron);
    assert!(
        bundle
            .warnings
            .iter()
            .any(|text| text.starts_with("no torchrun.sh"))
    );
    assert!(exported(&llama(2, plan), Consumer::Slurm).warnings.len() == 1);
}

#[test]
fn sharding_that_a_consumer_does_not_have_is_refused() {
    let levels = "shard = [{ what = \"weights\", group = 2 }, { what = \"gradients\", group = 8 }, { what = \"optimizer\", group = 16 }]";
    for to in [
        Consumer::Megatron,
        Consumer::DeepSpeed,
        Consumer::Torchtitan,
    ] {
        let (message, _) = refused(levels, to);
        assert!(
            message.contains("weights over 2, gradients over 8 and optimizer over 16"),
            "{message}"
        );
    }
    let (message, _) = refused("shard = \"zero-1\"", Consumer::Torchtitan);
    assert!(message.contains("optimizer over 16"), "{message}");
}

#[test]
fn what_is_approximated_is_a_warning_and_a_comment() {
    let own = llama(
        2,
        "tp = 2\npp = 2\noverlap = { tp = false, p2p = true }\noffload = { activations = 0.5 }",
    );
    let bundle = exported(&own, Consumer::Megatron);
    for field in [
        "plan.overlap.tp",
        "plan.overlap.p2p",
        "plan.offload.activations",
    ] {
        assert!(
            bundle.warnings.iter().any(|text| text.starts_with(field)),
            "{field}"
        );
        assert!(
            bundle.files[0].text.contains(&format!("# Note: {field}")),
            "{field}"
        );
    }
}

#[test]
fn models_that_are_no_stack_of_equal_layers_are_refused() {
    for model in [
        "t5-small",
        "bert-base-pretraining",
        "gemma2-2b",
        "nemotron-h-8b",
    ] {
        let own = scenario(&format!(
            "schema = 1\n[model]\nconfig = \"{model}\"\n[cluster]\nname = \"dgx-h100\"\nnodes = 1\n[training]\nglobal_batch = 64\nseq_len = 512\n"
        ));
        let error = export(&own, Consumer::Megatron, &Options::default()).unwrap_err();
        assert_eq!(error.field(), Some("model"), "{model}");
        assert!(error.hint().is_some(), "{model}");
    }
}

#[test]
fn a_version_that_is_none_is_refused() {
    let options = Options {
        version: Some("newest".to_owned()),
        ..Options::default()
    };
    let own = llama(2, "shard = \"zero-3\"");
    let error = export(&own, Consumer::Torchtitan, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "torchtitan newest is not known; known are 0.1, 0.2 and 0.3"
    );
}
