use units::Control;

use super::*;

fn tuner(name: &str) -> Tuner {
    let opened = Draft::example(name).unwrap().open().unwrap();
    Tuner::new(&opened, &Control::new()).unwrap()
}

fn time(tuner: &Tuner, knob: Knob, value: f64) -> f64 {
    let tuning = Tuning::default().with(knob, value);
    tuner.quick(&tuning).unwrap().iteration_time_s
}

#[test]
fn faster_parts_never_take_longer_and_slower_ones_never_less() {
    let tuner = tuner("llama3-70b-dgx-h100");
    let base = tuner.base().iteration_time_s;
    for knob in [Knob::LinkRate, Knob::GpuSpeed] {
        assert!(time(&tuner, knob, 2.0) < base, "{knob:?}");
        assert!(base < time(&tuner, knob, 0.5), "{knob:?}");
    }
    assert!(base < time(&tuner, Knob::LinkLatency, 10.0));
    assert!(base < time(&tuner, Knob::Straggler, 0.5));
    assert!(base < time(&tuner, Knob::GlobalBatch, 2048.0));
}

#[test]
fn twice_the_gpu_speed_halves_the_kernels() {
    let tuner = tuner("llama3-70b-dgx-h100");
    let tuning = Tuning::default().with(Knob::GpuSpeed, 2.0);
    let faster = tuner.quick(&tuning).unwrap();
    let ratio = tuner.base().breakdown.compute_s / faster.breakdown.compute_s;
    assert!((1.9..2.01).contains(&ratio), "{ratio}");
}

#[test]
fn a_tuning_that_is_kept_answers_as_the_slider_did() {
    let draft = Draft::example("llama3-70b-dgx-h100").unwrap();
    let tuner = Tuner::new(&draft.open().unwrap(), &Control::new()).unwrap();
    let tuning = Tuning::default()
        .with(Knob::LinkRate, 0.5)
        .with(Knob::GpuSpeed, 1.25)
        .with(Knob::Nodes, 32.0)
        .with(Knob::Straggler, 0.75);
    let kept = tuning.apply(&draft).unwrap();
    assert_eq!(
        kept.value("cluster.scale.link_rate").as_deref(),
        Some("0.5")
    );
    assert_eq!(kept.value("stragglers[0].speed").as_deref(), Some("0.75"));
    let again = Tuner::new(&kept.open().unwrap(), &Control::new()).unwrap();
    let slider = tuner.estimate(&tuning, &Control::new()).unwrap();
    let times = [slider.iteration_time_s, again.base().iteration_time_s];
    assert_eq!(times[0].to_bits(), times[1].to_bits());
    let settings = again.settings();
    let of = |knob| settings.iter().find(|one| one.knob == knob).unwrap().value;
    assert_eq!((of(Knob::Nodes), of(Knob::LinkRate)), (32.0, 0.5));
}

#[test]
fn every_setting_rests_on_its_own_value() {
    for example in Draft::examples() {
        let opened = example.draft().open().unwrap();
        if opened.is_traffic() {
            continue;
        }
        for setting in settings(&opened, &opened.ready().unwrap()) {
            assert!(setting.steps.contains(&setting.value), "{setting:?}");
            assert!(setting.min <= setting.value && setting.value <= setting.max);
        }
    }
}

#[test]
fn steps_of_nodes_and_of_the_batch_are_plans() {
    for name in ["llama3-70b-dgx-h100", "llama3-405b-16384-h100"] {
        let tuner = tuner(name);
        for setting in tuner.settings() {
            if !setting.knob.is_whole() || setting.fixed.is_some() {
                continue;
            }
            let others = setting.steps.iter();
            let mut others = others.filter(|step| step.to_bits() != setting.value.to_bits());
            let other = others.next_back().unwrap();
            let tuning = Tuning::default().with(setting.knob, *other);
            tuner.quick(&tuning).unwrap();
        }
    }
}

#[test]
fn sensitivities_come_sorted_and_name_real_changes() {
    let tuner = tuner("llama3-70b-dgx-h100");
    let all = tuner.sensitivities(&Control::new());
    assert!(5 <= all.len(), "{all:?}");
    let (near, far): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.is_comparable());
    assert_eq!(all.iter().take(near.len()).collect::<Vec<_>>(), near);
    for part in [&near, &far] {
        assert!(part.is_sorted_by(|a, b| b.throughput_change.abs() <= a.throughput_change.abs()));
    }
    for one in &all {
        let is_slower = one.knob == Knob::Straggler;
        assert_eq!(one.is < one.was, is_slower, "{one:?}");
    }
    let nodes = all.iter().find(|one| one.knob == Knob::Nodes).unwrap();
    assert!(
        !nodes.is_comparable(),
        "twice the nodes are no 10 %: {nodes:?}"
    );
    let speed = all.iter().find(|one| one.knob == Knob::GpuSpeed).unwrap();
    assert!(speed.time_change < -0.05, "{speed:?}");
}

#[test]
fn values_that_make_no_plan_say_why() {
    let tuner = tuner("llama3-70b-dgx-h100");
    let refused = tuner
        .quick(&Tuning::default().with(Knob::Nodes, 3.0))
        .unwrap_err();
    assert!(!refused.to_string().is_empty());
    assert!(matches!(refused, TuneError::Refused(_)));
}

#[test]
fn links_that_are_scaled_change_the_fabric_of_a_workload_too() {
    let draft = Draft::example("spray-vs-singlepath").unwrap();
    let draft = draft.set("settings.engine", "flow").unwrap();
    let time = |draft: &Draft| {
        let traffic = draft.open().unwrap().traffic().unwrap();
        let answer = traffic
            .run(traffic::Keep::Totals, &units::Control::new())
            .unwrap();
        answer.makespan.as_seconds().as_secs()
    };
    let faster = draft.set("cluster.scale.link_rate", "2").unwrap();
    let ratio = time(&draft) / time(&faster);
    assert!((1.8..2.1).contains(&ratio), "{ratio}");
}

#[test]
fn with_nothing_turned_the_answer_is_that_of_the_estimate_engine() {
    for name in ["deepseek-v3-2048-h800", "mixed-t4-v100"] {
        let draft = Draft::example(name).unwrap();
        let draft = draft.set("settings.engine", "estimate").unwrap();
        let ready = draft.open().unwrap().ready().unwrap();
        let outcome = ready.run(crate::Record::Totals, &Control::new()).unwrap();
        let tuner = tuner(name);
        assert!(tuner.doubt().is_some(), "{name}");
        let nothing = Tuning::default();
        let answers = [
            tuner.base().clone(),
            tuner.quick(&nothing).unwrap(),
            tuner.estimate(&nothing, &Control::new()).unwrap(),
        ];
        for answer in answers {
            assert!(predict::rehearsed_since(&answer).is_some(), "{name}");
            let times = [answer.iteration_time_s, outcome.prediction.iteration_time_s];
            assert_eq!(times[0].to_bits(), times[1].to_bits(), "{name}");
            let used = outcome.prediction.device_used_bytes;
            assert_eq!(answer.device_used_bytes, used, "{name}");
        }
    }
}

#[test]
fn where_formulas_are_in_doubt_a_quick_answer_is_scaled_to_the_rehearsed_base() {
    let tuner = tuner("mixed-t4-v100");
    let tuning = Tuning::default().with(Knob::GpuSpeed, 1.25);
    let quick = tuner.quick(&tuning).unwrap();
    assert!(predict::doubted(&quick).is_some());
    let exact = tuner.estimate(&tuning, &Control::new()).unwrap();
    let miss = quick.iteration_time_s / exact.iteration_time_s - 1.0;
    assert!(miss.abs() < 0.05, "{miss}");
    assert!(quick.iteration_time_s < tuner.base().iteration_time_s);
}
