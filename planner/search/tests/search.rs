//! Searches of small spaces, held against everything that is in them.

#![expect(clippy::unwrap_used, reason = "a scenario of a test is well formed")]

mod fixtures;

use format::Planning;
use plan::{Plan, PlanField, ScheduleKind};
use predict::{Engine, Record, predict};
use search::{Answer, Reach, Reason, SearchError, evaluated_plans, feasible, search, size};
use units::Control;

use fixtures::{planning, request};

const SMALL: &str = "\
schema = 1
[model]
config = \"llama3-8b\"
layers = 6
[cluster]
name = \"dgx-h100\"
nodes = 1
[training]
global_batch = 16
seq_len = 8192
[framework]
name = \"megatron-core\"
";

fn answer(planning: &Planning) -> Answer {
    search(&request(planning), &Control::new()).unwrap()
}

#[test]
fn the_best_plan_is_the_best_of_all_that_fit_when_all_are_simulated() {
    let planning = planning(SMALL, &[]);
    let answer = answer(&planning);
    assert!(answer.settled && !answer.partial);
    let mut best = f64::INFINITY;
    let mut scenario = planning.scenario.clone();
    scenario.settings.engine = Engine::Analytic;
    let (all, _) = evaluated_plans(&request(&planning), Reach::All, &Control::new());
    assert!(100 < all.len());
    for one in all.iter().filter(|one| one.fits) {
        let spec = one.choice.spec(&planning.given, &planning.fixed);
        let checked = Plan::check(&spec, &scenario.job, &scenario.cluster).unwrap();
        scenario.plan = checked.plan;
        let outcome = predict(&scenario, Record::Totals, &Control::new()).unwrap();
        best = best.min(outcome.prediction.iteration_time_s);
    }
    let found = answer.plans[0].prediction.iteration_time_s;
    // Settings of switches, which only the search tries, can only make it better.
    assert!(found <= best * (1.0 + 1e-9), "{found} s against {best} s");
}

#[test]
fn threads_change_nothing() {
    let planning = planning(SMALL, &[]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| answer(&planning))
    };
    let (one, many) = (with(1), with(5));
    assert_eq!(one.evaluated, many.evaluated);
    assert_eq!(one.excluded, many.excluded);
    assert_eq!(one.pareto, many.pareto);
    let predictions = |answer: &Answer| {
        let plans = answer.plans.iter();
        plans
            .map(|plan| plan.prediction.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(predictions(&one), predictions(&many));
}

#[test]
fn a_fixed_field_is_kept_and_the_others_are_chosen() {
    let text = format!("{SMALL}[plan]\ntp = 2\nmicro_batch = 2\nrecompute = \"full\"\n");
    let planning = planning(&text, &[PlanField::Tp, PlanField::MicroBatch]);
    let answer = answer(&planning);
    for plan in &answer.plans {
        assert_eq!(plan.plan.degrees().tp, 2);
        assert_eq!(plan.plan.micro_batch(), 2);
    }
    let best = &answer.plans[0];
    assert_ne!(best.prediction.plan["recompute"], "full");
}

#[test]
fn no_plan_that_is_recommended_leaves_less_than_the_margin() {
    let planning = planning(SMALL, &[]);
    for plan in &answer(&planning).plans {
        let used = plan.prediction.device_used_bytes.as_f64();
        assert!(used * 1.05 <= plan.prediction.device_memory_bytes.as_f64());
    }
}

#[test]
fn members_of_the_front_do_not_beat_each_other() {
    let answer = answer(&planning(SMALL, &[]));
    let key = |at: &usize| {
        let prediction = &answer.plans[*at].prediction;
        (prediction.iteration_time_s, prediction.device_used_bytes)
    };
    for pair in answer.pareto.windows(2) {
        let (fast, lean) = (key(&pair[0]), key(&pair[1]));
        assert!(fast.0 <= lean.0 && lean.1 < fast.1);
    }
}

#[test]
fn where_nothing_fits_the_nearest_plan_is_named() {
    let text = SMALL.replace("layers = 6", "layers = 2000");
    let planning = planning(&text, &[]);
    let error = search(&request(&planning), &Control::new()).unwrap_err();
    let SearchError::NoPlan(nothing) = error else {
        panic!("{error}");
    };
    assert!(nothing.nearest.is_some());
    let lacks_memory = |(reason, _): &(Reason, u64)| *reason == Reason::Memory;
    assert!(nothing.excluded.by_count().iter().any(lacks_memory));
    assert!(feasible(&request(&planning), &Control::new()).is_none());
}

#[test]
fn a_search_that_is_stopped_at_once_found_nothing() {
    let planning = planning(SMALL, &[]);
    let control = Control::new();
    control.cancel();
    let error = search(&request(&planning), &control).unwrap_err();
    assert!(matches!(error, SearchError::Interrupted));
}

#[test]
fn a_framework_without_pipelines_gets_none() {
    let text = SMALL.replace("megatron-core", "composer-fsdp");
    let answer = answer(&planning(&text, &[]));
    let degrees = answer.plans.iter().map(|plan| plan.plan.degrees());
    assert!(degrees.clone().all(|degrees| degrees.pp == 1));
    assert!(degrees.clone().all(|degrees| degrees.tp == 1));
}

#[test]
fn plans_with_room_and_those_that_are_excluded_make_up_the_space() {
    let moe = SMALL.replace("llama3-8b", "mixtral-8x7b");
    let tight = SMALL.replace("layers = 6", "layers = 24");
    let full = "[plan]\nrecompute = \"full\"\n";
    let split = "[plan]\npp = 2\nlayer_split = [2, 4]\n";
    let cases = [
        (SMALL.to_owned(), vec![]),
        (moe, vec![]),
        (tight, vec![]),
        (format!("{SMALL}{full}"), vec![PlanField::Recompute]),
        (
            format!("{SMALL}{split}"),
            vec![PlanField::Pp, PlanField::LayerSplit],
        ),
        (SMALL.replace("nodes = 1", "nodes = 3"), vec![]),
    ];
    for (text, fixed) in cases {
        let planning = planning(&text, &fixed);
        let request = request(&planning);
        let size = size(&request);
        assert!(0 < size);
        for reach in [Reach::All, Reach::Near] {
            let (plans, excluded) = evaluated_plans(&request, reach, &Control::new());
            let with_room = plans.iter().filter(|plan| plan.fits).count() as u64;
            assert_eq!(with_room + excluded.total(), size, "{reach:?}\n{text}");
        }
    }
}

#[test]
fn every_schedule_that_is_fixed_has_an_answer() {
    for kind in ScheduleKind::ALL {
        let text = format!("{SMALL}[plan]\nschedule = \"{}\"\n", kind.name());
        let planning = planning(&text, &[PlanField::Schedule]);
        match search(&request(&planning), &Control::new()) {
            Ok(answer) => assert!(!answer.plans.is_empty()),
            Err(error) => assert!(matches!(error, SearchError::NoPlan(_)), "{error}"),
        }
    }
}

#[test]
fn what_is_narrowed_is_never_faster() {
    let free = planning(SMALL, &[]);
    let best = answer(&free).plans[0].prediction.iteration_time_s;
    for line in [
        "tp = 1",
        "tp = 4",
        "pp = 2",
        "micro_batch = 1",
        "recompute = \"full\"",
    ] {
        let text = format!("{SMALL}[plan]\n{line}\n");
        let name = line.split(' ').next().unwrap();
        let narrowed = planning(&text, &[PlanField::from_name(name).unwrap()]);
        let time = answer(&narrowed).plans[0].prediction.iteration_time_s;
        assert!(
            best <= time * (1.0 + 1e-9),
            "{line}: {time} s against {best} s"
        );
    }
}
