//! Scalars of a framework: estimate and engines follow them alike.

mod neutral;

use cluster::{Cluster, example};
use lower::{ScaleKey, Scales};
use plan::{OverlapSpec, Plan, PlanSpec, ScheduleKind, ShardLevel};
use predict::{Engine, Record, Scenario, predict};
use units::Control;
use workload::TpOverlap;

const MIXTRAL: &str = r#"{
    "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 8, "num_attention_heads": 32, "num_key_value_heads": 8,
    "num_local_experts": 8, "num_experts_per_tok": 2,
    "vocab_size": 32000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": false
}"#;

/// Experts on two nodes, with every axis but that of context.
fn scenario(engine: Engine) -> Scenario {
    let cluster = Cluster::build(&example::dgx_h100s(2)).expect("a known cluster");
    let spec = PlanSpec {
        tp: Some(2),
        pp: Some(2),
        ep: Some(2),
        micro_batch: Some(1),
        schedule: Some(ScheduleKind::OneFOneB),
        shard: Some(ShardLevel::ZERO_1.to_vec()),
        overlap: OverlapSpec {
            tp: Some(TpOverlap::None),
            grad_reduce: Some(false),
            param_gather: Some(false),
            p2p: Some(false),
            ep: Some(false),
        },
        ..PlanSpec::default()
    };
    let job = neutral::job(MIXTRAL, 16, 4096);
    let mut scenario = neutral::scenario(cluster, job, &spec).expect("a plan that fits");
    scenario.settings.engine = engine;
    scenario
}

fn seconds(scenario: &Scenario) -> f64 {
    let outcome = predict(scenario, Record::Totals, &Control::new()).expect("it runs");
    outcome.prediction.iteration_time_s
}

/// What one scalar adds to an iteration, in seconds.
fn added(engine: Engine, key: ScaleKey, value: f64) -> f64 {
    let plain = scenario(engine);
    let kinds = plain.cluster.kinds().len();
    let scaled = plain
        .clone()
        .scaled(&vec![Scales::default().with(key, value); kinds]);
    seconds(&scaled) - seconds(&plain)
}

#[test]
fn scalars_of_one_change_no_bit() {
    for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
        let plain = scenario(engine);
        let kinds = plain.cluster.kinds().len();
        let scaled = plain.clone().scaled(&vec![Scales::default(); kinds]);
        assert_eq!(seconds(&plain).to_bits(), seconds(&scaled).to_bits());
    }
}

#[test]
fn estimate_and_engines_follow_every_multiplier_alike() {
    use ScaleKey as K;
    for key in [
        K::Gemm,
        K::Grouped,
        K::Attention,
        K::AttentionBackward,
        K::Stream,
        K::MoeTraffic,
        K::Optimizer,
        K::Head,
        K::Launch,
        K::Tp,
        K::Dp,
        K::Ep,
        K::Pp,
    ] {
        let [estimate, analytic, flow] = [Engine::Estimate, Engine::Analytic, Engine::Flow]
            .map(|engine| added(engine, key, 1.5));
        let name = key.name();
        assert!(0.0 < estimate, "{name}: {estimate}");
        let near = |other: f64| (other / estimate - 1.0).abs() < 0.05;
        assert!(near(analytic), "{name}: {estimate} s, {analytic} s");
        assert!(near(flow), "{name}: {estimate} s, {flow} s");
    }
}

#[test]
fn the_host_binds_where_it_is_slow_enough() {
    for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
        assert!(0.0 < added(engine, ScaleKey::Host, 20.0));
        assert!(0.0 < added(engine, ScaleKey::HostMoe, 20.0));
    }
}

#[test]
fn exposed_communication_lies_between_overlap_and_none() {
    for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
        let time = |overlap: TpOverlap, exposed: f64| {
            let mut case = scenario(engine);
            let spec = PlanSpec {
                tp: Some(8),
                sp: Some(true),
                micro_batch: Some(1),
                overlap: OverlapSpec {
                    tp: Some(overlap),
                    ..OverlapSpec::default()
                },
                ..PlanSpec::default()
            };
            case.plan = Plan::check(&spec, &case.job, &case.cluster)
                .expect("a plan that fits")
                .plan;
            let scales = Scales::default().with(ScaleKey::TpExposed, exposed);
            let kinds = case.cluster.kinds().len();
            seconds(&case.scaled(&vec![scales; kinds]))
        };
        let hidden = time(TpOverlap::Backward, 0.0);
        let half = time(TpOverlap::Backward, 0.5);
        let all = time(TpOverlap::Backward, 1.0);
        assert!(hidden < half && half < all, "{hidden} {half} {all}");
        let none = time(TpOverlap::None, 0.0);
        assert!((all / none - 1.0).abs() < 0.01, "{all} {none}");
    }
}

#[test]
fn exposed_sums_of_gradients_come_behind_the_passes() {
    let time = |engine, overlaps, exposed: f64| {
        let mut case = scenario(engine);
        let spec = PlanSpec {
            tp: Some(2),
            sp: Some(true),
            micro_batch: Some(1),
            shard: Some(ShardLevel::ZERO_1.to_vec()),
            overlap: OverlapSpec {
                grad_reduce: Some(overlaps),
                param_gather: Some(false),
                ..OverlapSpec::default()
            },
            ..PlanSpec::default()
        };
        case.plan = Plan::check(&spec, &case.job, &case.cluster)
            .expect("a plan that fits")
            .plan;
        let scales = Scales::default().with(ScaleKey::DpExposed, exposed);
        let kinds = case.cluster.kinds().len();
        seconds(&case.scaled(&vec![scales; kinds]))
    };
    for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
        let [hidden, half, all] = [0.0, 0.5, 1.0].map(|share| time(engine, true, share));
        assert!(hidden < half && half < all, "{hidden} {half} {all}");
        let none = time(engine, false, 0.0);
        assert!((all / none - 1.0).abs() < 1e-9, "{all} {none}");
    }
    let [estimate, analytic, flow] =
        [Engine::Estimate, Engine::Analytic, Engine::Flow].map(|engine| time(engine, true, 0.5));
    assert!(
        (analytic / estimate - 1.0).abs() < 0.02,
        "{estimate} {analytic}"
    );
    assert!((flow / estimate - 1.0).abs() < 0.02, "{estimate} {flow}");
}
