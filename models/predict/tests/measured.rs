//! What was measured between nodes bounds the traffic between them in every engine.

mod neutral;

use cluster::{Cluster, example};
use plan::{PlanSpec, ShardLevel};
use predict::{Breakdown, Engine, Prediction, Record, Scenario, predict};
use units::{BytesPerSec, Control};
use workload::ops::CpMethod;

const LLAMA_1B: &str = r#"{
    "model_type": "llama", "hidden_size": 2048, "intermediate_size": 5632,
    "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 32,
    "vocab_size": 32000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "tie_word_embeddings": false
}"#;

/// Two nodes of so many H100, each with a NIC of 50 GB/s, between which less was measured.
fn scenario(gpus: u32, gbytes: f64, spec: &PlanSpec) -> Scenario {
    let mut nodes = example::dgx_h100s(2);
    for group in &mut nodes.groups {
        group.gpus_used = Some(gpus);
    }
    let rate = BytesPerSec::from_gbytes(gbytes);
    nodes.fabric.measured = Some(vec![vec![None, rate], vec![rate, None]]);
    let cluster = Cluster::build(&nodes).expect("a sound cluster");
    let job = neutral::job(LLAMA_1B, 16, 4096);
    neutral::scenario(cluster, job, spec).expect("a plan that fits")
}

fn predicted(scenario: &mut Scenario, engine: Engine) -> Prediction {
    scenario.settings.engine = engine;
    let outcome = predict(scenario, Record::Totals, &Control::new());
    outcome.expect("a run without faults").prediction
}

/// What a plan spends on one of its axes.
type Part = fn(&Breakdown) -> f64;

/// Plans whose traffic crosses from node to node, and what each spends it on.
///
/// With context parallelism gradients are summed behind the last pass, since only the flow engine
/// lets sums and exchanges that run beside each other share the way.
fn plans() -> [(&'static str, PlanSpec, Part); 6] {
    let with = |set: fn(&mut PlanSpec)| {
        let mut spec = PlanSpec {
            micro_batch: Some(1),
            ..PlanSpec::default()
        };
        set(&mut spec);
        spec
    };
    let context = |method| {
        let mut spec = with(|spec| spec.cp = Some(2));
        spec.cp_method = Some(method);
        spec.overlap.grad_reduce = Some(false);
        spec
    };
    let zero_3 = with(|spec| spec.shard = Some(ShardLevel::ZERO_3.to_vec()));
    let (tp, pp) = (
        with(|spec| spec.tp = Some(2)),
        with(|spec| spec.pp = Some(2)),
    );
    [
        ("dp", with(|_| ()), |parts| parts.dp_s),
        ("zero-3", zero_3, |parts| parts.dp_s),
        ("tp", tp, |parts| parts.tp_s),
        ("cp ring", context(CpMethod::Ring), |parts| parts.cp_s),
        ("cp all-to-all", context(CpMethod::AllToAll), |parts| {
            parts.cp_s
        }),
        ("pp", pp, |parts| parts.pp_s),
    ]
}

#[test]
fn engines_agree_on_rates_measured_between_nodes() {
    for (name, spec, _) in plans() {
        for gbytes in [10.0, 50.0] {
            let mut scenario = scenario(1, gbytes, &spec);
            let times = [Engine::Estimate, Engine::Analytic, Engine::Flow]
                .map(|engine| predicted(&mut scenario, engine).iteration_time_s);
            for time in times {
                let ratio = time / times[0];
                assert!(
                    (ratio - 1.0).abs() < 0.02,
                    "{name} at {gbytes} GB/s: {times:?}"
                );
            }
        }
    }
}

#[test]
fn a_fifth_of_the_rate_between_nodes_is_felt_in_every_engine() {
    for (name, spec, part) in plans() {
        for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
            let [slow, fast] = [10.0, 50.0].map(|gbytes| {
                let mut scenario = scenario(1, gbytes, &spec);
                part(&predicted(&mut scenario, engine).breakdown)
            });
            assert!(
                3.0 * fast < slow,
                "{name}, {engine:?}: {slow} s and {fast} s"
            );
        }
    }
}

#[test]
fn transfers_between_two_nodes_share_what_was_measured() {
    // Four pairs of GPUs with a NIC each: what one pair reaches is a quarter.
    let tp = |pp: Option<u32>| PlanSpec {
        tp: Some(4),
        pp,
        micro_batch: Some(1),
        ..PlanSpec::default()
    };
    let mut all_to_all = PlanSpec {
        cp: Some(8),
        cp_method: Some(CpMethod::AllToAll),
        micro_batch: Some(1),
        ..PlanSpec::default()
    };
    all_to_all.overlap.grad_reduce = Some(false);
    let specs = [("dp", tp(None)), ("pp", tp(Some(2))), ("cp", all_to_all)];
    for (name, spec) in specs {
        let times = [Engine::Estimate, Engine::Analytic, Engine::Flow].map(|engine| {
            let mut folded = scenario(4, 4.0, &spec);
            let time = predicted(&mut folded, engine).iteration_time_s;
            folded.settings.unfold = true;
            let unfolded = predicted(&mut folded, engine).iteration_time_s;
            assert!((unfolded / time - 1.0).abs() < 1e-9, "{name}, {engine:?}");
            time
        });
        for time in times {
            assert!((time / times[0] - 1.0).abs() < 0.02, "{name}: {times:?}");
        }
    }
}

#[test]
fn one_stage_spends_nothing_on_transfers_between_stages() {
    let spec = PlanSpec {
        tp: Some(2),
        micro_batch: Some(1),
        ..PlanSpec::default()
    };
    for engine in [Engine::Estimate, Engine::Analytic, Engine::Flow] {
        let parts = predicted(&mut scenario(1, 10.0, &spec), engine).breakdown;
        assert_eq!(parts.pp_s.to_bits(), 0.0_f64.to_bits(), "{engine:?}");
    }
}
