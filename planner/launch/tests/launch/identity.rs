//! Export, then import: what a consumer can say comes back.

use launch::{Consumer, Options, Producer, export, import};
use predict::Scenario;
use proptest::prelude::*;

use crate::fixtures::{exported, imported, llama, scenario, text, texts, try_scenario};

/// What two scenarios must have in common: everything that Megatron's arguments say.
fn same(own: &Scenario, other: &Scenario) -> Result<(), TestCaseError> {
    prop_assert_eq!(&own.plan, &other.plan);
    let (a, b) = (&own.job, &other.job);
    prop_assert_eq!(a.model.layers(), b.model.layers());
    prop_assert_eq!(
        a.model.embedding().map(|e| e.vocab),
        b.model.embedding().map(|e| e.vocab)
    );
    prop_assert_eq!(a.model.tied_embeddings(), b.model.tied_embeddings());
    prop_assert_eq!(a.model.mtp().len(), b.model.mtp().len());
    prop_assert_eq!(a.precision, b.precision);
    prop_assert_eq!(a.optimizer, b.optimizer);
    prop_assert_eq!(a.grad_dtype, b.grad_dtype);
    prop_assert_eq!((a.global_batch, a.seq_len), (b.global_batch, b.seq_len));
    prop_assert_eq!(a.dropout.to_bits(), b.dropout.to_bits());
    prop_assert_eq!(own.framework.vocab_multiple, other.framework.vocab_multiple);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn megatrons_arguments_come_back_as_the_same_plan(text_of in texts()) {
        let own = try_scenario(&text_of);
        prop_assume!(own.is_ok());
        let own = own.unwrap();
        let bundle = export(&own, Consumer::Megatron, &Options::default());
        prop_assume!(bundle.is_ok());
        let bundle = bundle.unwrap();
        // The one warning that every export has: what a scenario does not say.
        prop_assume!(bundle.warnings.len() == 1);
        let arguments = text(&bundle, "train.sh");
        let read = import(Producer::Megatron, arguments).unwrap();
        prop_assert!(read.ignored.is_empty(), "{:?}", read.ignored);
        same(&own, &scenario(&read.scenario)).map_err(|error| {
            TestCaseError::fail(format!("{error}\n{text_of}\n{arguments}\n{}", read.scenario))
        })?;
    }
}

#[test]
fn uneven_stages_come_back_through_a_layout() {
    let own = llama(2, "pp = 4\nvp = 2\nlayer_split = [3, 4, 4, 5, 4, 4, 5, 3]");
    let bundle = exported(&own, Consumer::Megatron);
    let arguments = text(&bundle, "train.sh");
    assert!(
        arguments.contains("'Et*3|t*4|t*4|t*5|t*4|t*4|t*5|t*3L'"),
        "{arguments}"
    );
    assert_eq!(imported(Producer::Megatron, arguments).plan, own.plan);
}

#[test]
fn deepspeeds_json_comes_back_as_the_same_sharding() {
    for shard in ["\"none\"", "\"zero-1\"", "\"zero-2\"", "\"zero-3\""] {
        let own = llama(2, &format!("shard = {shard}\nmicro_batch = 2"));
        let bundle = exported(&own, Consumer::DeepSpeed);
        let read = import(Producer::DeepSpeed, text(&bundle, "ds_config.json")).unwrap();
        let with_model = read
            .scenario
            .replace("[cluster]", "[model]\nconfig = \"llama3-8b\"\n[cluster]");
        let other = scenario(&with_model);
        assert_eq!(other.plan.shards(), own.plan.shards(), "{shard}");
        assert_eq!(other.plan.degrees(), own.plan.degrees());
        assert_eq!(other.plan.n_micro_batches(), own.plan.n_micro_batches());
        assert_eq!(other.job.precision, own.job.precision);
    }
}

/// Plans that torchtitan can run.
const TITAN: [&str; 6] = [
    "shard = \"zero-3\"\nrecompute = \"full\"",
    "tp = 8\nshard = \"zero-3\"\nrecompute = \"selective\"",
    "tp = 2\nsp = false\nshard = \"none\"\nrecompute = \"none\"",
    "tp = 2\ncp = 2\ncp_method = \"allgather\"\nshard = \"zero-3\"\nrecompute = \"full\"",
    "pp = 2\nschedule = \"1f1b\"\nshard = \"zero-3\"\nrecompute = \"none\"\nlayer_split = [17, 15]",
    "pp = 4\nvp = 2\nschedule = \"zb-v\"\nmicro_batch = 2\nshard = \"zero-3\"\nrecompute = \"none\"",
];

#[test]
fn torchtitans_flags_and_its_toml_come_back_as_the_same_plan() {
    for plan in TITAN {
        let own = llama(2, plan);
        for version in ["0.3.0", "0.2"] {
            let options = Options {
                version: Some(version.to_owned()),
                ..Options::default()
            };
            let bundle = export(&own, Consumer::Torchtitan, &options);
            let bundle = bundle.unwrap_or_else(|error| panic!("{plan}: {error}"));
            let file = if version == "0.2" {
                "torchtitan.toml"
            } else {
                "train.sh"
            };
            let other = imported(Producer::Torchtitan, text(&bundle, file));
            // What data-parallel ranks overlap, torchtitan does not say.
            assert_eq!(other.plan.degrees(), own.plan.degrees(), "{plan}");
            assert_eq!(other.plan.shards(), own.plan.shards(), "{plan}");
            assert_eq!(other.plan.stages(), own.plan.stages(), "{plan}");
            assert_eq!(
                other.plan.planned_schedule(),
                own.plan.planned_schedule(),
                "{plan}"
            );
            assert_eq!(
                other.plan.recompute_policy(),
                own.plan.recompute_policy(),
                "{plan}"
            );
            assert_eq!(
                other.plan.n_micro_batches(),
                own.plan.n_micro_batches(),
                "{plan}"
            );
            assert_eq!(other.plan.cp_method(), own.plan.cp_method(), "{plan}");
            if version == "0.3.0" {
                let sp = own.plan.sequence_parallel();
                assert_eq!(other.plan.sequence_parallel(), sp, "{plan}");
            }
        }
    }
}

#[test]
fn a_job_for_slurm_comes_back_as_nodes_and_their_order() {
    let gpus: Vec<String> = (0..4_u32)
        .rev()
        .flat_map(|node| (0..8).map(move |gpu| (node * 8 + gpu).to_string()))
        .collect();
    let own = llama(4, &format!("rank_gpus = [{}]", gpus.join(", ")));
    let bundle = exported(&own, Consumer::Slurm);
    let read = import(Producer::Slurm, text(&bundle, "job.sbatch")).unwrap();
    assert!(read.ignored.is_empty(), "{:?}", read.ignored);
    assert!(read.scenario.contains("nodes = 4\n"), "{}", read.scenario);
    let table = format!("rank_gpus = [{}]", gpus.join(", "));
    assert!(read.scenario.contains(&table), "{}", read.scenario);
}
