//! What stands in the files.

use launch::export::overrides::parse;
use launch::{Consumer, Places, Run};
use plan::RankOrder;

use crate::fixtures::{exported, llama, scenario, text};

#[test]
fn ranks_in_order_need_one_line() {
    let places = Places::of(&llama(4, "tp = 8"), RankOrder::MEGATRON).unwrap();
    let run = Run {
        first: 0,
        last: 3,
        count: 8,
    };
    assert_eq!(places.runs(), [run]);
    assert!(!places.names_devices());
    assert_eq!(places.scattered(), None);
}

#[test]
fn gpus_are_named_where_some_are_unused_or_out_of_order() {
    let own = llama(2, "dp = 4\nrank_gpus = [9, 8, 3, 1]");
    let places = Places::of(&own, RankOrder::MEGATRON).unwrap();
    assert_eq!(
        places.devices_by_rank(),
        [(0, 1, "1,0".to_owned()), (2, 3, "3,1".to_owned())]
    );
    let bundle = exported(&own, Consumer::Torchrun);
    assert!(text(&bundle, "torchrun.sh").contains("\n0 0 2 1,0\n1 1 2 3,1\n"));
    assert!(text(&bundle, "hosts.txt").ends_with("\nn1\nn0\n"));
}

#[test]
fn another_order_of_ranks_becomes_another_place_of_the_frameworks_ranks() {
    // dp innermost: ranks 0 and 1 are replicas, on GPUs 0 and 1. Megatron numbers tp first.
    let own = llama(1, "tp = 4\ndp = 2\nrank_order = \"dp-tp-cp-ep-pp\"");
    let places = Places::of(&own, RankOrder::MEGATRON).unwrap();
    assert_eq!(places.nodes()[0].devices, [0, 2, 4, 6, 1, 3, 5, 7]);
}

#[test]
fn nemos_overrides_pass_our_own_parser_and_say_the_plan() {
    let own = llama(
        2,
        "tp = 2\npp = 4\nvp = 2\nrecompute = [\"core_attn\", \"mlp\"]\nlayer_split = [3, 4, 4, 5, 4, 4, 5, 3]",
    );
    let bundle = exported(&own, Consumer::Nemo);
    let overrides = parse(text(&bundle, "nemo_overrides.txt")).unwrap();
    let value = |key: &str| {
        let found = overrides.iter().find(|one| one.key == key);
        found.map(|one| one.value.as_str())
    };
    assert_eq!(value("model.tensor_model_parallel_size"), Some("2"));
    assert_eq!(value("model.recompute_modules"), Some("[core_attn,mlp]"));
    assert_eq!(
        value("model.pipeline_model_parallel_layout"),
        Some("'Et*3|t*4|t*4|t*5|t*4|t*4|t*5|t*3L'")
    );
    assert_eq!(value("mixed_precision"), Some("bf16_mixed"));
}

#[test]
fn every_file_names_the_version_of_its_reader() {
    let own = llama(2, "shard = \"zero-3\"\nrecompute = \"full\"");
    for to in Consumer::ALL {
        for file in exported(&own, to).files {
            let named = file.text.contains("Written by windtunnel for ");
            assert!(named, "{} of {}", file.name, to.name());
        }
    }
}

#[test]
fn ncclss_choices_and_the_fabric_are_in_the_environment() {
    let own = scenario(
        "schema = 1\n[model]\nconfig = \"llama3-8b\"\n[cluster]\nname = \"p5\"\nnodes = 2\n\
         [training]\nglobal_batch = 64\nseq_len = 4096\n[nccl]\nalgo = \"nvls-tree\"\nproto = \"simple\"\n",
    );
    let options = launch::Options {
        channels: Some(16),
        qps: Some(4),
        ..launch::Options::default()
    };
    let bundle = launch::export(&own, Consumer::Slurm, &options).unwrap();
    let environment = text(&bundle, "env.sh");
    for line in [
        "export NCCL_ALGO=\"${NCCL_ALGO:-NVLSTree}\"",
        "export NCCL_PROTO=\"${NCCL_PROTO:-Simple}\"",
        "export NCCL_MIN_NCHANNELS=\"${NCCL_MIN_NCHANNELS:-16}\"",
        "export NCCL_IB_QPS_PER_CONNECTION=\"${NCCL_IB_QPS_PER_CONNECTION:-4}\"",
        "export FI_PROVIDER=\"${FI_PROVIDER:-efa}\"",
    ] {
        assert!(environment.contains(line), "{line}\n{environment}");
    }
}

#[test]
fn a_schedule_without_a_name_travels_as_a_file_to_torchtitan() {
    let own = llama(
        2,
        "pp = 4\nschedule = \"zb-h1\"\nshard = \"zero-3\"\nrecompute = \"none\"",
    );
    let bundle = exported(&own, Consumer::Torchtitan);
    assert_eq!(text(&bundle, "schedule.csv"), own.plan.schedule().to_csv());
    assert!(
        text(&bundle, "train.sh").contains("pipeline_parallel_schedule_csv \"$here/schedule.csv\"")
    );
}
