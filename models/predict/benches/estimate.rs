//! How many plans a second the closed form does: Llama 3 70B on sixteen DGX H100, plans of the
//! space that a planner walks through.

use std::hint::black_box;

use cluster::{Cluster, example};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plan::{Plan, PlanSpec, ScheduleKind, ShardLevel};
use predict::{Estimator, Scenario, Settings};
use profile::{CommProfile, Profile};
use workload::{JobSpec, Model};

const LLAMA_70B: &str = include_str!("../../../scenarios/models/llama3-70b.json");

fn estimates(criterion: &mut Criterion) {
    let (scenario, plans) = space();
    let mut group = criterion.benchmark_group("estimate");
    group.throughput(Throughput::Elements(plans.len() as u64));
    group.bench_function("whole space, prices unknown", |bencher| {
        bencher.iter(|| {
            let mut estimator = Estimator::new(&scenario);
            for plan in &plans {
                black_box(estimator.estimate(plan));
            }
        });
    });
    let mut estimator = Estimator::new(&scenario);
    group.bench_function("whole space, prices known", |bencher| {
        bencher.iter(|| {
            for plan in &plans {
                black_box(estimator.estimate(plan));
            }
        });
    });
    group.throughput(Throughput::Elements(1));
    for (kind, pp, vp) in [
        (ScheduleKind::OneFOneB, 4, 1),
        (ScheduleKind::OneFOneB, 16, 1),
        (ScheduleKind::Interleaved, 8, 2),
        (ScheduleKind::Interleaved, 16, 5),
        (ScheduleKind::ZbH1, 8, 1),
    ] {
        let numbers = (Some(kind), pp, vp);
        let found = plans
            .iter()
            .find(|plan| (plan.schedule_kind(), plan.degrees().pp, plan.chunks()) == numbers);
        let plan = found.expect("the space has such a plan");
        group.bench_function(format!("{}, pp {pp}, vp {vp}", kind.name()), |bencher| {
            bencher.iter(|| black_box(estimator.estimate(black_box(plan))));
        });
    }
    group.finish();
}

fn space() -> (Scenario, Vec<Plan>) {
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
        framework: std::sync::Arc::new(lower::NEUTRAL),
        settings: Settings::default(),
        prices: predict::Prices::default(),
        assumptions: Vec::new(),
        beside: Vec::new(),
    };
    (scenario, plans)
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

criterion_group!(benches, estimates);
criterion_main!(benches);
