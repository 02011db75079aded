//! Schedules in the CSV form of `torch.distributed.pipelining`.

use plan::schedule::{CsvProblem, Schedule, ScheduleKind, one_f_one_b};
use proptest::prelude::*;

#[test]
fn a_schedule_is_one_line_a_rank_with_bubbles_between_its_passes() {
    assert_eq!(
        one_f_one_b(2, 3).to_csv(),
        "0F0,0F1,,0B0,0F2,0B1,,0B2\n,1F0,1B0,1F1,1B1,1F2,1B2\n"
    );
}

#[test]
fn every_schedule_survives_its_file() {
    for kind in ScheduleKind::ALL {
        let chunks = kind.fixed_chunks().unwrap_or(3);
        for (p, m) in [(1, 1), (2, 4), (4, 8), (5, 20)] {
            let Ok(schedule) = kind.generate(p, chunks, m) else {
                assert!(kind.has_pairs(), "{kind:?}");
                continue;
            };
            let read = Schedule::from_csv(&schedule.to_csv()).unwrap();
            for device in schedule.devices() {
                assert_eq!(read.actions(device), schedule.actions(device), "{kind:?}");
            }
            assert_eq!(read.device_of_stage(), schedule.device_of_stage());
        }
    }
}

#[test]
fn what_pytorch_writes_is_read() {
    // Blank cells, surplus spaces, Windows line ends, quotes, an overlapped pair.
    let text = "\u{feff}0F0, 0F1 ,,\"0I0\",0W0,0B1\r\n,1F0,1B0,(1F1;1B1)OVERLAP_F_B\r\n";
    let schedule = Schedule::from_csv(text).unwrap();
    assert_eq!((schedule.n_devices(), schedule.n_micro_batches()), (2, 2));
    assert_eq!(schedule.actions(1).len(), 4);
}

fn refused(text: &str) -> String {
    let refusal = Schedule::from_csv(text);
    refusal.expect_err("the file is wrong").to_string()
}

#[test]
fn an_error_names_its_line_and_cell() {
    assert_eq!(
        refused("0F0,0X0\n"),
        "line 1, cell 2: `0X0` is not stage, kind and micro-batch, such as `2F0`"
    );
    assert_eq!(
        refused("0F0,0B0\n,1F0,1SEND_F0\n"),
        "line 2, cell 3: `1SEND_F0` is a communication, but the file lists computation alone"
    );
    assert_eq!(
        refused("0F0,,0B0,0F0\n"),
        "line 1, cell 4: device 0, position 2: 0F0 is there a second time"
    );
    assert_eq!(
        refused("0F0,0B0,2F0,2B0\n"),
        "stage 1 is missing from every line"
    );
    assert_eq!(
        refused("0F4294967296\n"),
        "line 1, cell 1: stage or micro-batch of `0F4294967296` exceeds 1048576"
    );
    assert!(matches!(
        Schedule::from_csv("").unwrap_err().problem,
        CsvProblem::Empty
    ));
}

#[test]
fn a_hostile_file_cannot_exhaust_memory() {
    assert_eq!(refused("0F1048575\n"), "line 1: 0F0 is missing on device 0");
    let blank = format!("0F0,0F1,0F2{}", "\n".repeat(100_000) + "1F0,1F1,1F2");
    assert_eq!(refused(&blank), "line 2: device 1 has no stage");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[0-9FBIWST,;()\n\r \"_A-Z\u{e9}]{0,200}") {
        let _ = Schedule::from_csv(&text);
    }

    #[test]
    fn no_list_makes_the_check_panic(
        lists in prop::collection::vec(prop::collection::vec((0u32..5, 0usize..8, 0u32..4), 0..12), 0..4),
        placement in prop::collection::vec(0u32..5, 0..5),
        n in 0u32..5,
    ) {
        let lists: Vec<Vec<plan::schedule::Action>> = lists
            .into_iter()
            .map(|list| {
                list.into_iter()
                    .map(|(stage, kind, k)| {
                        plan::schedule::Action::new(plan::schedule::ActionKind::ALL[kind], stage, k)
                    })
                    .collect()
            })
            .collect();
        let _ = Schedule::from_lists(placement, n, &lists);
    }
}
