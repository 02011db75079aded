//! Which load balancing is chosen.

use std::fs;

use session::NetworkField;
use units::Control;

use crate::scratch::Scratch;
use crate::{makespan, plan, policies};

#[test]
fn the_best_plan_loads_links_as_spraying_does_and_the_order_is_that_of_times() {
    let scratch = Scratch::new("plan-order");
    let plans = plan(&scratch.open(&[]), &[]);
    let ideal = plans.ideal.unwrap().as_secs();
    let best = &plans.plans[0];
    assert!(best.makespan.as_secs() <= ideal * 1.005);
    assert!((best.congestion / plans.ideal_congestion - 1.0).abs() < 1e-6);
    assert_eq!(best.extra_pieces, Some(0));
    for pair in plans.plans.windows(2) {
        assert!(pair[0].makespan.as_secs() <= pair[1].makespan.as_secs() * 1.005);
    }
    assert_eq!(plans.plans.len(), 12);
    assert!(!plans.partial && plans.excluded.is_empty());
}

#[test]
fn plans_do_not_depend_on_the_number_of_threads() {
    let scratch = Scratch::new("plan-threads");
    let opened = scratch.open(&["network.load_balancing=\"ecmp\""]);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let plans = pool.build().unwrap().install(|| plan(&opened, &[]));
        format!("{plans:?}")
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn policies_that_hash_show_their_median_and_their_worst_run() {
    let scratch = Scratch::new("plan-seeds");
    let plans = plan(&scratch.open(&[]), &[]);
    for plan in &plans.plans {
        let hashes = matches!(plan.candidate.policy, "ecmp" | "ecmp-k" | "flowlet");
        assert_eq!(plan.runs, if hashes { 5 } else { 1 });
        assert!(plan.makespan.as_secs() <= plan.worst.as_secs());
    }
    let ecmp = plans
        .plans
        .iter()
        .find(|plan| plan.candidate.policy == "ecmp");
    assert!(ecmp.unwrap().makespan.as_secs() < ecmp.unwrap().worst.as_secs());
}

#[test]
fn the_scenario_of_a_plan_runs_to_the_time_of_the_plan() {
    let scratch = Scratch::new("plan-again");
    let plans = plan(&scratch.open(&[]), &[]);
    for plan in plans.plans.iter().filter(|plan| plan.runs == 1) {
        fs::write(scratch.0.join("scenario.toml"), &plan.scenario).unwrap();
        let again = makespan(&scratch.open(&[]));
        let of_plan = units::SimTime::ZERO.after(plan.makespan).unwrap();
        assert!(
            again.abs_diff(of_plan.as_picos()) <= 1,
            "{:?}",
            plan.candidate
        );
    }
}

#[test]
fn what_the_scenario_says_is_compared_with_and_can_be_fixed() {
    let scratch = Scratch::new("plan-own");
    let set = ["network.load_balancing=\"ecmp-k\"", "nccl.qps=3"];
    let plans = plan(&scratch.open(&set), &[]);
    let own = plans.plans.iter().filter(|plan| plan.is_own);
    let own: Vec<_> = own.map(|plan| plan.candidate.queue_pairs).collect();
    assert_eq!(own, [Some(3)]);
    let fixed = plan(&scratch.open(&set), &[NetworkField::LoadBalancing]);
    assert_eq!(policies(&fixed), ["ecmp-k"; 5]);
    assert!(
        fixed.ideal.is_some(),
        "spraying is what all are compared with"
    );
}

#[test]
fn one_way_leaves_nothing_to_choose() {
    let scratch = Scratch::new("plan-one-way");
    let single = "cluster.fabric={ name = \"one\", kind = \"single\", source = \"a test\" }";
    let plans = plan(&scratch.open(&[single]), &[]);
    assert_eq!(policies(&plans), ["static", "spray"]);
    assert_eq!(plans.excluded[0].1, 10);
}

#[test]
fn packets_are_planned_with_the_transport_of_the_scenario() {
    let scratch = Scratch::new("plan-packets");
    let set = [
        "settings.engine=\"packet\"",
        "network.transport=\"uec\"",
        "workload.bytes=100000",
    ];
    let plans = plan(&scratch.open(&set), &[]);
    let policies = policies(&plans);
    for policy in ["adaptive-packet", "oblivious", "reps", "mixed"] {
        assert!(policies.contains(&policy), "{policy}");
    }
    assert!(
        plans
            .plans
            .iter()
            .all(|plan| 0.0 < plan.congestion.as_secs())
    );
}

#[test]
fn a_search_that_is_stopped_before_a_run_ended_has_no_result() {
    let scratch = Scratch::new("plan-stopped");
    let control = Control::new();
    control.cancel();
    let error = scratch.open(&[]).plan_network(&[], &control).unwrap_err();
    assert_eq!(error.to_string(), "interrupted before a run had ended");
}
