//! How operators become steps.

use cluster::example;
use profile::CollectiveKind;
use trace::StreamKind;
use units::{Bytes, DType};
use workload::ops::{Axis, Overlap, Phase, Region, Slot};

use super::*;

fn op(name: &'static str, work: Work) -> Op {
    Op {
        name,
        phase: Phase::Forward,
        work,
        saved: Bytes::ZERO,
        workspace: Bytes::ZERO,
        region: Region::Mlp,
        overlap: Overlap::None,
        waits: None,
    }
}

fn product(name: &'static str) -> Op {
    let gemm = Gemm::new(4_096, 4_096, 4_096, DType::Bf16);
    op(name, Work::Kernel(Kernel::Gemm(gemm)))
}

fn gather(axis: Axis, bytes: u64, overlap: Overlap) -> Op {
    let kind = CollectiveKind::AllGather;
    let bytes = Bytes::new(bytes);
    Op {
        overlap,
        ..op("gather", Work::Collective { axis, kind, bytes })
    }
}

/// Name, stream and dependencies of every step.
fn steps(ops: &[Op]) -> Vec<(String, StreamKind, Vec<StepId>)> {
    let profile = Profile::nominal(&example::h100());
    let mut w = Writer::new("test", &profile, None);
    w.set_label("run");
    w.write(ops);
    w.push(Step::compute("end", Seconds::ZERO, Vec::new()));
    let steps = w.finish().0.steps.into_iter();
    steps
        .map(|step| (step.name, step.stream, step.after))
        .collect()
}

fn step(name: &str, stream: StreamKind, after: &[StepId]) -> (String, StreamKind, Vec<StepId>) {
    (name.to_owned(), stream, after.to_vec())
}

use StreamKind::{Compute, Ep, Tp};

#[test]
fn kernels_in_a_row_are_one_step_and_a_collective_parts_them() {
    let ops = [
        product("a"),
        product("b"),
        gather(Axis::Tp, 8, Overlap::None),
        product("c"),
    ];
    let expected = [
        step("run", Compute, &[]),
        step("gather", Tp, &[0]),
        step("run", Compute, &[1]),
        step("end", Compute, &[2]),
    ];
    assert_eq!(steps(&ops), expected);
}

#[test]
fn a_collective_of_nothing_parts_nothing() {
    let ops = [
        product("a"),
        gather(Axis::Tp, 0, Overlap::None),
        product("b"),
    ];
    let expected = [step("run", Compute, &[]), step("end", Compute, &[0])];
    assert_eq!(steps(&ops), expected);
}

#[test]
fn an_asynchronous_collective_is_awaited_by_who_names_it() {
    let waiting = Op {
        waits: Some(Slot(3)),
        ..product("c")
    };
    let ops = [
        product("a"),
        gather(Axis::Ep, 8, Overlap::Async(Slot(3))),
        product("b"),
        waiting,
        product("d"),
    ];
    let expected = [
        step("run", Compute, &[]),
        step("gather", Ep, &[0]),
        step("run", Compute, &[0]),
        step("run", Compute, &[2, 1]),
        step("end", Compute, &[3]),
    ];
    assert_eq!(steps(&ops)[..4], expected[..4]);
    assert!(steps(&ops)[4].2.contains(&3));
}

#[test]
fn the_end_of_a_list_awaits_what_nobody_has() {
    let ops = [
        product("a"),
        gather(Axis::Tp, 8, Overlap::Async(Slot(0))),
        product("b"),
    ];
    assert_eq!(steps(&ops)[3], step("end", Compute, &[2, 1]));
}

#[test]
fn a_list_may_be_left_open() {
    let profile = Profile::nominal(&example::h100());
    let mut w = Writer::new("test", &profile, None);
    let all = w.write_open(&[
        product("a"),
        gather(Axis::Tp, 8, Overlap::Async(Slot(0))),
        product("b"),
    ]);
    assert_eq!((all, w.frontier()), (vec![2, 1], &[2][..]));
}

#[test]
fn a_fed_product_runs_part_by_part_behind_each_part_of_its_gather() {
    let ops = [gather(Axis::Tp, 8, Overlap::Feeds(2)), product("a")];
    let expected = [
        step("gather", Tp, &[]),
        step("gather", Tp, &[]),
        step("run", Compute, &[0]),
        step("run", Compute, &[1]),
        step("end", Compute, &[3]),
    ];
    assert_eq!(steps(&ops), expected);
}

#[test]
fn a_drained_product_hands_each_part_to_its_scatter() {
    let ops = [product("a"), gather(Axis::Tp, 8, Overlap::Drains(2))];
    let expected = [
        step("run", Compute, &[]),
        step("gather", Tp, &[0]),
        step("run", Compute, &[]),
        step("gather", Tp, &[2]),
        step("end", Compute, &[3]),
    ];
    assert_eq!(steps(&ops), expected);
}

#[test]
fn parts_carry_equal_bytes_and_take_longer_together_than_the_whole() {
    let profile = Profile::nominal(&example::h100());
    let write = |overlap| {
        let mut w = Writer::new("test", &profile, None);
        w.write(&[gather(Axis::Tp, 8_192, overlap), product("a")]);
        w
    };
    let (mut whole, mut parts) = (write(Overlap::None), write(Overlap::Feeds(8)));
    assert!(whole.compute_time() < parts.compute_time());
    let bytes = |step: &Step| match step.work {
        TaskWork::Collective { bytes, .. } => bytes.as_u64(),
        _ => 0,
    };
    let block = parts.finish().0;
    let sizes: Vec<u64> = block.steps.iter().map(bytes).filter(|b| *b != 0).collect();
    assert_eq!(sizes, [1_024; 8]);
}

#[test]
fn a_share_of_a_list_takes_that_share_of_its_time() {
    let profile = Profile::nominal(&example::h100());
    let time = |share| {
        let mut w = Writer::new("test", &profile, None);
        w.write_share(&[product("a")], share);
        w.compute_time().as_secs()
    };
    assert!((time(0.25) * 4.0 - time(1.0)).abs() < 1e-15);
    assert!(time(0.0) == 0.0);
}

#[test]
fn kernels_are_kept_as_details_where_asked_for() {
    let profile = Profile::nominal(&example::h100());
    let mut details = Details::default();
    let mut w = Writer::new("test", &profile, Some(&mut details));
    w.write(&[product("a"), product("b")]);
    let (block, worth) = w.finish();
    assert_eq!(block.steps[0].detail, 0);
    let names: Vec<&str> = details.lists[0].iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let sum: f64 = worth.secs.iter().sum();
    let TaskWork::Compute(time) = block.steps[0].work else {
        unreachable!("kernels are compute");
    };
    assert!((sum - time.as_secs()).abs() < 1e-15);
}
