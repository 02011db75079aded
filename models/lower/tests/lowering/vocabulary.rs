//! Vocabularies spread over the devices of a pipeline.

use crate::fixtures::{Case, gpus, layer, model, pipeline};
use plan::ScheduleKind;
use units::Bytes;
use workload::JobSpec;

const SPREAD: [ScheduleKind; 4] = [
    ScheduleKind::Vocab1,
    ScheduleKind::Vocab2,
    ScheduleKind::Vocab1VHalf,
    ScheduleKind::Vocab2VHalf,
];

/// A small model with a very large vocabulary on eight devices.
fn case(schedule: ScheduleKind, vocab: u64) -> Case {
    let model = model(&layer(2_048), 16, vocab, false);
    let job = JobSpec::new(32, 4_096).check(model).expect("a sound job");
    Case::new(job, gpus(8), &pipeline(8, schedule))
}

#[test]
fn every_schedule_of_a_spread_vocabulary_runs_to_its_end() {
    for schedule in SPREAD {
        let run = case(schedule, 262_144).run();
        assert!(0.0 < run.end.as_seconds().as_secs(), "{schedule:?}");
    }
}

#[test]
fn spreading_a_large_vocabulary_saves_time_and_balances_memory() {
    let naive = case(ScheduleKind::OneFOneB, 262_144).run();
    let peaks = |run: &engine::Run| -> (Bytes, Bytes) {
        let peaks = run.lanes.iter().map(|lane| lane.peak.bytes);
        (
            peaks.clone().min().expect("it is there"),
            peaks.max().expect("it is there"),
        )
    };
    println!("naive {:?} {:?}", naive.end, peaks(&naive));
    for schedule in SPREAD {
        let run = case(schedule, 262_144).run();
        println!("{schedule:?} {:?} {:?}", run.end, peaks(&run));
        assert!(run.end < naive.end);
    }
}
