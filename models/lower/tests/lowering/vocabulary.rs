//! Vocabularies spread over the devices of a pipeline.

use lower::{Lowered, PassKind, book, lone_pass};
use plan::schedule::{Costs, PassCosts, replay};
use plan::{PlanSpec, ScheduleKind};
use profile::CollectiveKind::{self, AllReduce, Broadcast, Reduce};
use task::Work;
use trace::StreamKind;
use units::{Bytes, SimTime};
use workload::JobSpec;

use crate::fixtures::{Case, gpus, layer, model, pipeline, simulate};

const SPREAD: [ScheduleKind; 4] = [
    ScheduleKind::Vocab1,
    ScheduleKind::Vocab2,
    ScheduleKind::Vocab1VHalf,
    ScheduleKind::Vocab2VHalf,
];
const H: u64 = 2_048;
const TOKENS: u64 = 4_096;

/// Sixteen layers on eight devices.
fn case(schedule: ScheduleKind, vocab: u64) -> Case {
    of(&pipeline(8, schedule), vocab, false)
}

fn of(spec: &PlanSpec, vocab: u64, tied: bool) -> Case {
    let model = model(&layer(H), 16, vocab, tied);
    let job = JobSpec::new(32, TOKENS).check(model).expect("a sound job");
    Case::new(job, gpus(8), spec)
}

#[test]
fn no_schedule_of_a_spread_vocabulary_deadlocks() {
    for schedule in SPREAD {
        for pp in [1, 2, 4, 8] {
            for (tp, sp) in [(1, false), (2, false), (2, true)] {
                let spec = PlanSpec {
                    tp: Some(tp.min(8 / pp)),
                    sp: Some(sp && pp < 8),
                    ..pipeline(pp, schedule)
                };
                for window in [2, 8] {
                    let case = of(&spec, 65_536, false);
                    let mut lowered = case.lowered();
                    lowered.window = window;
                    simulate(&lowered, &case.comm, false);
                }
            }
        }
    }
}

#[test]
fn every_device_holds_an_equal_part_of_both_tables() {
    let layers = 2 * (16 * H * H + 2 * H);
    let vocab = 100_000;
    // Padded to a multiple of 128 on each of eight devices.
    let padded = 100_352;
    for (tied, tables) in [(false, 2), (true, 1)] {
        let lowered = of(&pipeline(8, ScheduleKind::Vocab2), vocab, tied).lowered();
        for (device, params) in lowered.params.iter().enumerate() {
            let norm = if device == 7 { H } else { 0 };
            let expected = layers + tables * padded / 8 * H + norm;
            assert_eq!(params.dense, expected, "device {device}, tied {tied}");
        }
    }
}

/// Names, operations and bytes of the barriers of a device, in order.
fn barriers(lowered: &Lowered, device: usize) -> Vec<(String, CollectiveKind, u64)> {
    let program = &lowered.programs[device];
    let fragments = lowered.lists[device].iter();
    let blocks = fragments.map(|fragment| &program.blocks[fragment.block as usize]);
    let steps = blocks.flat_map(|block| &block.steps);
    let sums = steps.filter(|step| step.stream == StreamKind::Pp);
    let works = sums.filter_map(|step| match step.work {
        Work::Collective { kind, bytes, .. } => Some((step.name.clone(), kind, bytes.as_u64())),
        _ => None,
    });
    works.collect()
}

#[test]
fn all_devices_come_to_the_barriers_in_the_same_order() {
    for schedule in SPREAD {
        let lowered = case(schedule, 65_536).lowered();
        let first = barriers(&lowered, 0);
        assert!(32 * 4 <= first.len());
        for device in 1..8 {
            assert_eq!(
                barriers(&lowered, device),
                first,
                "{schedule:?}, device {device}"
            );
        }
        assert!(lowered.notes.is_empty());
    }
}

#[test]
fn a_micro_batch_costs_four_sums_and_two_broadcasts() {
    let states = TOKENS * H * 2;
    let expected = [
        ("grad-norm", AllReduce, 1, 4),
        ("largest logit", AllReduce, 32, 32 * 4 * TOKENS),
        ("share gradients", Broadcast, 32, 32 * states),
        ("share states", Broadcast, 32, 32 * states),
        ("softmax sums", AllReduce, 32, 32 * 8 * TOKENS),
        ("sum embeddings", Reduce, 32, 32 * states),
        ("sum gradients", Reduce, 32, 32 * states),
    ];
    for schedule in SPREAD {
        let mut volumes = case(schedule, 65_536).volumes(3);
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        let found: Vec<_> = volumes
            .iter()
            .map(|v| (v.name.as_str(), v.kind, v.count, v.bytes.as_u64()))
            .collect();
        assert_eq!(found, expected, "{schedule:?}");
    }
}

/// Picoseconds of one pass of some pieces.
fn picos<'p>(case: &Case, pieces: impl Iterator<Item = &'p lower::Piece>, pass: PassKind) -> u64 {
    let steps = pieces.flat_map(|piece| {
        lone_pass(&case.profiles[0], &case.profiles[0].host(), piece, pass)
            .block
            .steps
    });
    let secs = steps.map(|step| match step.work {
        Work::Compute(time) => time.as_secs(),
        _ => 0.0,
    });
    Bytes::from_f64(secs.sum::<f64>() * 1e12).as_u64()
}

/// What the order of the passes alone allows, without communication.
fn by_order(case: &Case) -> f64 {
    let book = book(&case.cluster, &case.job, &case.plan, &case.framework);
    let n_stages = u32::try_from(book.stages.len()).expect("few stages");
    let time = |stage, pass| picos(case, book.pieces_of(stage), pass);
    let stage = |stage| PassCosts {
        forward: time(stage, PassKind::Forward),
        backward: time(stage, PassKind::Backward),
        input_grad: time(stage, PassKind::InputGrad),
        weight_grad: time(stage, PassKind::WeightGrad),
    };
    let mut costs = Costs {
        stages: (0..n_stages).map(stage).collect(),
        ..Costs::default()
    };
    let part = |at: usize, pass| picos(case, book.shared().skip(at).take(1), pass);
    costs.vocabulary.embedding_forward = part(0, PassKind::Forward);
    costs.vocabulary.embedding_backward = part(0, PassKind::Backward);
    costs.vocabulary.forward = part(1, PassKind::Forward);
    costs.vocabulary.backward = part(1, PassKind::Backward);
    let run = replay(&case.plan.schedule(), &costs).expect("short enough");
    SimTime::from_picos(run.makespan).as_seconds().as_secs()
}

#[test]
fn barriers_beside_kernels_add_little_to_what_the_order_allows() {
    for schedule in [ScheduleKind::Vocab1, ScheduleKind::Vocab1VHalf] {
        let mut case = case(schedule, 65_536);
        case.without_host();
        let (least, time) = (by_order(&case), case.seconds());
        let more = time / least - 1.0;
        assert!(
            (0.0..0.05).contains(&more),
            "{schedule:?}: {time} against {least}"
        );
    }
}

#[test]
fn spreading_a_large_vocabulary_saves_time_and_balances_memory() {
    let naive = case(ScheduleKind::OneFOneB, 262_144).run();
    let peaks = |run: &engine::Run| -> (f64, f64) {
        let peaks = run.lanes.iter().map(|lane| lane.peak.bytes.as_f64());
        (
            peaks.clone().fold(f64::MAX, f64::min),
            peaks.fold(0.0, f64::max),
        )
    };
    let (_, most) = peaks(&naive);
    for schedule in SPREAD {
        let run = case(schedule, 262_144).run();
        let speed_up = naive.end.as_seconds().as_secs() / run.end.as_seconds().as_secs();
        assert!(2.0 < speed_up, "{schedule:?}: {speed_up}");
        let (low, high) = peaks(&run);
        assert!(high < 0.75 * most, "{schedule:?}");
        if schedule.fixed_chunks() == Some(2) {
            assert!(high < 1.05 * low, "{schedule:?}: {low} to {high}");
        }
    }
}

#[test]
fn a_spread_vocabulary_is_faster_with_tensor_parallelism_too() {
    let time = |schedule| {
        let spec = PlanSpec {
            tp: Some(2),
            sp: Some(true),
            ..pipeline(4, schedule)
        };
        let mut case = of(&spec, 65_536, false);
        case.without_host();
        case.seconds()
    };
    let naive = time(ScheduleKind::OneFOneB);
    for schedule in [ScheduleKind::Vocab1, ScheduleKind::Vocab2] {
        let spread = time(schedule);
        assert!(1.2 * spread < naive, "{schedule:?}: {spread} of {naive}");
    }
}

#[test]
fn memory_hardly_grows_with_a_spread_vocabulary() {
    let most = |schedule, vocab| {
        let run = case(schedule, vocab).run();
        run.lanes
            .iter()
            .map(|lane| lane.peak.bytes.as_f64())
            .fold(0.0, f64::max)
    };
    let growth = |schedule| most(schedule, 262_144) - most(schedule, 32_768);
    let naive = growth(ScheduleKind::OneFOneB);
    for schedule in SPREAD {
        assert!(growth(schedule) < 0.35 * naive, "{schedule:?}");
    }
}

#[test]
fn a_schedule_file_runs_as_its_generator_does() {
    let generated = case(ScheduleKind::Vocab1, 65_536);
    let spec = PlanSpec {
        schedule: None,
        schedule_file: Some(generated.plan.schedule().to_csv()),
        ..pipeline(8, ScheduleKind::Vocab1)
    };
    let read = of(&spec, 65_536, false);
    assert_eq!(read.run(), generated.run());
}
