//! How many plans a second the closed form does: Llama 3 70B on sixteen DGX H100, plans drawn
//! from the space that a planner walks through. `cargo run --release -p predict --example
//! estimate_speed`.

use std::hint::black_box;

use cluster::{Cluster, example};
use plan::{Plan, PlanSpec, ScheduleKind, ShardLevel};
use predict::{Estimator, Scenario, Settings};
use profile::{CommProfile, Profile};
use workload::{JobSpec, Model};

const LLAMA_70B: &str = include_str!("../../../scenarios/models/llama3-70b.json");

#[expect(clippy::disallowed_methods, reason = "an example that measures itself")]
fn main() {
    let cluster = Cluster::build(&example::dgx_h100s(16)).expect("a known cluster");
    let model = Model::from_config_json(LLAMA_70B).expect("a known model");
    let job = JobSpec::new(512, 8192).check(model).expect("a plain job");
    let plans = plans(&job, &cluster);
    let profiles = cluster.kinds().iter().map(Profile::nominal).collect();
    let scenario = Scenario {
        name: "speed".to_owned(),
        cluster,
        job,
        plan: plans[0].clone(),
        profiles,
        comm: CommProfile::nccl(),
        framework: &lower::NEUTRAL,
        settings: Settings::default(),
        prices: predict::Prices::default(),
        assumptions: Vec::new(),
    };
    let mut estimator = Estimator::new(&scenario);
    let start = std::time::Instant::now();
    for plan in &plans {
        black_box(estimator.estimate(plan));
    }
    let cold = start.elapsed().as_secs_f64();
    let rounds = 1 + 200_000 / plans.len();
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        for plan in &plans {
            black_box(estimator.estimate(plan));
        }
    }
    let warm = start.elapsed().as_secs_f64() / rounds as f64;
    println!(
        "{} plans: first round {:.1} ms, later {:.2} ms",
        plans.len(),
        cold * 1e3,
        warm * 1e3
    );
    by_schedule(&mut estimator, &plans);
    println!(
        "{:.0} plans a second first, {:.0} later",
        plans.len() as f64 / cold,
        plans.len() as f64 / warm
    );
}

/// Plans a second by schedule and pipeline size.
#[expect(clippy::disallowed_methods, reason = "an example that measures itself")]
fn by_schedule(estimator: &mut Estimator<'_>, plans: &[Plan]) {
    let mut groups: std::collections::BTreeMap<_, Vec<&Plan>> = std::collections::BTreeMap::new();
    for plan in plans {
        let key = (plan.schedule_kind(), plan.degrees().pp, plan.chunks());
        groups.entry(key).or_default().push(plan);
    }
    for ((kind, pp, vp), plans) in groups {
        let start = std::time::Instant::now();
        for _ in 0..20 {
            for plan in &plans {
                black_box(estimator.estimate(plan));
            }
        }
        let each = start.elapsed().as_secs_f64() / 20.0 / plans.len() as f64;
        let name = kind.map_or("file", ScheduleKind::name);
        println!(
            "{name:>12}, pp {pp:2}, vp {vp}: {:6.1} us a plan",
            each * 1e6
        );
    }
}

fn plans(job: &workload::Job, cluster: &Cluster) -> Vec<Plan> {
    let mut plans = Vec::new();
    let schedules = [
        (1, ScheduleKind::OneFOneB),
        (2, ScheduleKind::Interleaved),
        (5, ScheduleKind::Interleaved),
        (1, ScheduleKind::ZbH1),
    ];
    for tp in [1, 2, 4, 8] {
        for pp in [1, 2, 4, 8, 16] {
            for micro_batch in [1, 2, 4] {
                for (vp, schedule) in schedules {
                    for recompute in [
                        plan::RecomputeSpec::None,
                        plan::RecomputeSpec::Selective,
                        plan::RecomputeSpec::Full,
                    ] {
                        for overlap in [false, true] {
                            let spec = PlanSpec {
                                tp: Some(tp),
                                pp: Some(pp),
                                vp: Some(vp),
                                sp: Some(tp > 1),
                                micro_batch: Some(micro_batch),
                                schedule: Some(schedule),
                                recompute: Some(recompute.clone()),
                                shard: Some(ShardLevel::ZERO_1.to_vec()),
                                overlap: plan::OverlapSpec {
                                    grad_reduce: Some(overlap),
                                    param_gather: Some(overlap),
                                    ..plan::OverlapSpec::default()
                                },
                                ..PlanSpec::default()
                            };
                            plans.extend(
                                Plan::check(&spec, job, cluster).map(|checked| checked.plan),
                            );
                        }
                    }
                }
            }
        }
    }
    plans
}
