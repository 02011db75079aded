//! Whole iterations: agreement of engines and of folded and unfolded runs.

use cluster::{Cluster, example};
use plan::{Plan, PlanSpec, ScheduleKind, ShardLevel};
use predict::{Engine, Record, Scenario, Settings, predict};
use profile::{CommProfile, Profile};
use units::Control;
use workload::{JobSpec, Model};

const LLAMA_70B: &str = r#"{
    "model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672,
    "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": false
}"#;

fn scenario(nodes: u32, batch: u64, spec: &PlanSpec) -> Scenario {
    let cluster = Cluster::build(&example::dgx_h100s(nodes)).expect("a known cluster");
    let model = Model::from_config_json(LLAMA_70B).expect("a known model");
    let job = JobSpec::new(batch, 8192).check(model).expect("a plain job");
    let plan = Plan::check(spec, &job, &cluster)
        .expect("a plan that fits")
        .plan;
    let profiles = cluster.kinds().iter().map(Profile::nominal).collect();
    Scenario {
        name: "test".to_owned(),
        cluster,
        job,
        plan,
        profiles,
        comm: CommProfile::nccl(),
        framework: &lower::NEUTRAL,
        settings: Settings {
            seed: 1,
            ..Settings::default()
        },
        prices: predict::Prices::default(),
        assumptions: Vec::new(),
    }
}

fn tp8_pp4() -> PlanSpec {
    PlanSpec {
        tp: Some(8),
        pp: Some(4),
        sp: Some(true),
        micro_batch: Some(1),
        schedule: Some(ScheduleKind::OneFOneB),
        shard: Some(ShardLevel::ZERO_1.to_vec()),
        ..PlanSpec::default()
    }
}

#[test]
fn folding_ranks_into_classes_changes_nothing() {
    for engine in [Engine::Analytic, Engine::Flow] {
        let mut scenario = scenario(16, 64, &tp8_pp4());
        scenario.settings.engine = engine;
        let folded = predict(&scenario, Record::Totals, &Control::new()).unwrap();
        scenario.settings.unfold = true;
        let unfolded = predict(&scenario, Record::Totals, &Control::new()).unwrap();
        assert!(folded.n_lanes < 16, "{} lanes", folded.n_lanes);
        assert_eq!(unfolded.n_lanes, 128);
        assert_eq!(
            folded.prediction.iteration_time_s.to_bits(),
            unfolded.prediction.iteration_time_s.to_bits(),
            "{engine:?}: folded {} s, unfolded {} s",
            folded.prediction.iteration_time_s,
            unfolded.prediction.iteration_time_s,
        );
        assert_eq!(
            folded.prediction.peak_allocated_bytes,
            unfolded.prediction.peak_allocated_bytes
        );
        assert_eq!(folded.prediction.breakdown, unfolded.prediction.breakdown);
    }
}

#[test]
fn engines_agree_where_nothing_contends() {
    let mut scenario = scenario(16, 64, &tp8_pp4());
    scenario.settings.engine = Engine::Analytic;
    let analytic = predict(&scenario, Record::Totals, &Control::new())
        .unwrap()
        .prediction;
    scenario.settings.engine = Engine::Flow;
    let flow = predict(&scenario, Record::Totals, &Control::new())
        .unwrap()
        .prediction;
    let ratio = flow.iteration_time_s / analytic.iteration_time_s;
    assert!((ratio - 1.0).abs() < 0.005, "flow over analytic {ratio}");
    println!("{}", serde_json::to_string_pretty(&flow).unwrap());
}

#[test]
fn a_breakdown_sums_to_the_iteration() {
    let scenario = scenario(16, 64, &tp8_pp4());
    let prediction = predict(&scenario, Record::Totals, &Control::new())
        .unwrap()
        .prediction;
    let sum = prediction.breakdown.total();
    assert!((sum / prediction.iteration_time_s - 1.0).abs() < 1e-9);
}
