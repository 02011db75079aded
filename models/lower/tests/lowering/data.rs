//! Bytes that data parallelism moves, against values worked out by hand.

use lower::Reshard;
use plan::{OverlapSpec, PlanSpec, ScheduleKind, ShardLevel};
use profile::CollectiveKind::{self, AllGather, AllReduce, ReduceScatter};
use trace::MemoryKind;
use units::{Bytes, DType};
use workload::{Ffn, Job, JobSpec, Layer, MoeSpec};

use crate::fixtures::{Case, gpus, highest, job, layer, model, nodes, pipeline, simulate};

const H: u64 = 2_048;
const V: u64 = 32_768;
/// Four products of attention, three of a gated part of four times the width, two norms.
const LAYER: u64 = 16 * H * H + 2 * H;
/// Four layers, both tables, the final norm.
const N: u64 = 4 * LAYER + 2 * V * H + H;
/// Micro-batches.
const M: u64 = 3;

/// Data parallelism alone over 8 GPUs.
fn data(shard: &[ShardLevel], beside: bool) -> Case {
    let spec = PlanSpec {
        micro_batch: Some(1),
        shard: Some(shard.to_vec()),
        overlap: OverlapSpec {
            grad_reduce: Some(beside),
            param_gather: Some(beside),
            ..OverlapSpec::default()
        },
        ..PlanSpec::default()
    };
    Case::new(job(4, 8 * M), gpus(8), &spec)
}

/// Names, operations, numbers of ranks and bytes of an iteration.
fn sums(case: &Case, device: u32) -> Vec<(String, CollectiveKind, usize, u64)> {
    let lowered = case.lowered();
    let lane = lowered
        .binding
        .lanes
        .lanes
        .iter()
        .find(|lane| lane.stage == device)
        .expect("it is there");
    let ranks = |slot: u16| {
        let group = lane.groups[usize::from(slot)];
        let price = lowered.binding.lanes.groups[group.index()].price;
        lowered.binding.prices[price as usize].groups[0].len()
    };
    let volumes = case.volumes(device).into_iter();
    let data = volumes.map(|v| (v.name, v.kind, ranks(v.slot), v.bytes.as_u64()));
    let mut sums: Vec<_> = data.collect();
    sums.sort_by_key(|(name, _, ranks, _)| (name.clone(), *ranks));
    sums
}

fn assert_sums(shard: &[ShardLevel], expected: &[(&str, CollectiveKind, usize, u64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, kind, ranks, bytes)| ((*name).to_owned(), *kind, *ranks, *bytes))
        .collect();
    for beside in [false, true] {
        let sums = sums(&data(shard, beside), 0);
        assert_eq!(sums, expected, "{shard:?}, beside {beside}");
    }
}

#[test]
fn replicas_sum_four_bytes_a_parameter_once() {
    assert_sums(&[], &[("grad-reduce", AllReduce, 8, 4 * N)]);
}

#[test]
fn zero_1_scatters_gradients_and_gathers_parameters_once() {
    let expected = [
        ("grad-reduce", ReduceScatter, 8, 4 * N),
        ("param-gather", AllGather, 8, 2 * N),
    ];
    assert_sums(ShardLevel::ZERO_1, &expected);
}

#[test]
fn zero_2_scatters_gradients_after_every_micro_batch() {
    let expected = [
        ("grad-reduce", ReduceScatter, 8, 4 * N * M),
        ("param-gather", AllGather, 8, 2 * N),
    ];
    assert_sums(ShardLevel::ZERO_2, &expected);
}

/// Bytes of the sums of gradients over a stage's ranks under `ZeRO`-2 in a pipeline of two devices.
fn staged_sums(kind: ScheduleKind, chunks: u32, n: u64) -> u64 {
    let spec = PlanSpec {
        vp: (1 < chunks).then_some(chunks),
        shard: Some(ShardLevel::ZERO_2.to_vec()),
        ..pipeline(2, kind)
    };
    let case = Case::new(job(4, 4 * n), gpus(8), &spec);
    let sums = sums(&case, 0).into_iter();
    let sums = sums.filter(|(name, ..)| name == "grad-reduce");
    sums.map(|(.., bytes)| bytes).sum()
}

#[test]
fn pipelines_under_zero_2_sum_behind_the_last_of_the_passes_in_a_row() {
    let once = 4 * (2 * LAYER + V * H);
    assert_eq!(staged_sums(ScheduleKind::OneFOneB, 1, 6), once);
    // Two micro-batches in a row a chunk: six make three rounds.
    assert_eq!(staged_sums(ScheduleKind::Interleaved, 2, 6), 3 * once);
}

/// Weights are gathered before both passes; the embedding's backward pass needs none.
const GATHERED: u64 = 2 * (N + N - V * H) * M;

#[test]
fn zero_3_gathers_weights_before_every_pass() {
    let expected = [
        ("grad-reduce", ReduceScatter, 8, 4 * N * M),
        ("weight-gather", AllGather, 8, GATHERED),
    ];
    assert_sums(ShardLevel::ZERO_3, &expected);
}

#[test]
fn gathers_run_one_piece_ahead_whatever_the_window() {
    // FSDP prefetches the next block and holds two gathered ones (limit_all_gathers).
    let case = data(ShardLevel::ZERO_3, true);
    let time = |window| {
        let mut lowered = case.lowered();
        lowered.window = window;
        let run = simulate(&lowered, &case.comm, false);
        (run.end, run.lanes[0].peak.bytes)
    };
    assert_eq!(time(2), time(8));
    assert_eq!(time(2), time(32));
}

#[test]
fn hybrid_shards_sum_over_their_replicas_once() {
    let expected = [
        ("grad-reduce", AllReduce, 4, 4 * N / 2),
        ("grad-reduce", ReduceScatter, 2, 4 * N * M),
        ("weight-gather", AllGather, 2, GATHERED),
    ];
    let mut sorted = expected;
    sorted.sort_by_key(|(name, _, ranks, _)| (*name, *ranks));
    assert_sums(&ShardLevel::hybrid(2), &sorted);
}

#[test]
fn three_levels_move_each_byte_within_the_smallest_group_that_holds_it() {
    // Weights over pairs, gradients over four, states over all eight.
    let expected = [
        ("grad-reduce", ReduceScatter, 2, 4 * N / 4),
        ("grad-reduce", ReduceScatter, 4, 4 * N * M),
        // From eighths to quarters between the halves, from quarters to halves inside them.
        ("param-gather", AllGather, 2, 2 * N / 4 + 2 * N / 2),
        ("weight-gather", AllGather, 2, GATHERED),
    ];
    for beside in [false, true] {
        let case = data(&ShardLevel::levels(2, 4, 8), beside);
        let mut sums = sums(&case, 0);
        let gathers: Vec<_> = sums
            .extract_if(.., |(name, ..)| name == "param-gather")
            .collect();
        let bytes: u64 = gathers.iter().map(|(_, _, _, bytes)| bytes).sum();
        assert!(gathers.iter().all(|(_, _, ranks, _)| *ranks == 2));
        sums.push(("param-gather".to_owned(), AllGather, 2, bytes));
        sums.sort_by_key(|(name, _, ranks, _)| (name.clone(), *ranks));
        for (sum, expected) in sums.iter().zip(expected) {
            let (name, kind, ranks, bytes) = expected;
            assert_eq!((sum.0.as_str(), sum.1, sum.2), (name, kind, ranks));
            assert!(sum.3.abs_diff(bytes) <= 8, "{sum:?} {bytes}");
        }
        assert_eq!(sums.len(), expected.len());
    }
}

#[test]
fn frameworks_that_keep_weights_gather_less() {
    let mut case = data(ShardLevel::ZERO_3, true);
    case.framework.reshard = Reshard::AfterBackward;
    let expected = [
        ("grad-reduce".to_owned(), ReduceScatter, 8, 4 * N * M),
        ("weight-gather".to_owned(), AllGather, 8, 2 * N * M),
    ];
    assert_eq!(sums(&case, 0), expected);
    let spec = PlanSpec {
        shard: Some(ShardLevel::ZERO_3.to_vec()),
        ..pipeline(2, ScheduleKind::OneFOneB)
    };
    let mut case = Case::new(job(4, 4 * 8), gpus(8), &spec);
    case.framework.reshard = Reshard::UnlessPipelined;
    let stage = 2 * LAYER + V * H;
    let expected = [
        ("grad-reduce".to_owned(), ReduceScatter, 4, 4 * stage),
        ("weight-gather".to_owned(), AllGather, 4, 2 * stage),
    ];
    let mut sums = sums(&case, 0);
    sums.retain(|(name, ..)| name != "grad-norm");
    assert_eq!(sums, expected);
}

#[test]
fn gradients_and_parameters_travel_in_their_own_formats() {
    let mut case = data(ShardLevel::ZERO_1, true);
    case.job.grad_dtype = DType::Bf16;
    case.job.precision.params = DType::Fp8;
    let expected = [
        ("grad-reduce".to_owned(), ReduceScatter, 8, 2 * N),
        ("param-gather".to_owned(), AllGather, 8, N),
    ];
    assert_eq!(sums(&case, 0), expected);
}

/// Two layers of eight experts each on four GPUs.
fn experts() -> Job {
    let layer = Layer {
        ffn: Some(Ffn::Moe(MoeSpec::swiglu(8, 2, 1_024))),
        ..layer(H)
    };
    let model = model(&layer, 2, V, false);
    JobSpec::new(8, 4_096).check(model).expect("a sound job")
}

#[test]
fn experts_are_summed_over_ranks_that_hold_the_same_ones() {
    let spec = PlanSpec {
        ep: Some(2),
        micro_batch: Some(1),
        shard: Some(ShardLevel::ZERO_1.to_vec()),
        ..PlanSpec::default()
    };
    let case = Case::new(experts(), gpus(4), &spec);
    // Half of eight experts of three products, in each of two layers.
    let local = 2 * 4 * 3 * H * 1_024;
    let dense = 2 * (4 * H * H + 2 * H + 8 * H) + 2 * V * H + H;
    let mut sums = sums(&case, 0);
    sums.retain(|(name, ..)| name.contains("grad") || name.contains("gather"));
    let expected = [
        ("expert-grad-reduce".to_owned(), ReduceScatter, 2, 4 * local),
        ("expert-param-gather".to_owned(), AllGather, 2, 2 * local),
        ("grad-reduce".to_owned(), ReduceScatter, 4, 4 * dense),
        ("param-gather".to_owned(), AllGather, 4, 2 * dense),
    ];
    assert_eq!(sums, expected);
}

#[test]
fn tied_tables_and_norms_are_summed_where_they_are_held_twice() {
    let model = model(&layer(H), 4, V, true);
    let job = JobSpec::new(8, 4_096).check(model).expect("a sound job");
    let spec = PlanSpec {
        tp: Some(2),
        sp: Some(true),
        ..pipeline(2, ScheduleKind::OneFOneB)
    };
    let case = Case::new(job, gpus(4), &spec);
    for (device, norms) in [(0, 2 * 2 * H), (1, 2 * 2 * H + H)] {
        let sums = sums(&case, device);
        let find = |name: &str| sums.iter().find(|sum| sum.0 == name).expect("it is there");
        assert_eq!(
            find("tied-embedding-grads").3,
            4 * V * H / 2,
            "device {device}"
        );
        assert_eq!(find("norm-grads").3, 4 * norms, "device {device}");
        assert_eq!(find("grad-norm").2, 4);
    }
}

#[test]
fn at_most_two_pieces_are_whole_at_a_time() {
    // A layer is a little larger than the head.
    let one = Bytes::new((2 + 4) * LAYER);
    let most = |beside| highest(&data(ShardLevel::ZERO_3, beside), MemoryKind::Communication);
    assert_eq!(
        most(false),
        one,
        "weights and gradients of the largest piece"
    );
    assert!(one < most(true) && most(true) <= one * 2, "{}", most(true));
}

#[test]
fn backward_passes_gather_the_next_weights_before_they_sum_gradients() {
    let lowered = data(ShardLevel::ZERO_3, true).lowered();
    let block = lowered.programs[0]
        .blocks
        .iter()
        .find(|block| block.name == "backward")
        .expect("it trains");
    let names = block.steps.iter().map(|step| step.name.as_str());
    let data: Vec<&str> = names
        .filter(|name| ["weight-gather", "grad-reduce"].contains(name))
        .collect();
    // Of the head and its successor, before the head's gradients travel.
    assert_eq!(data[..3], ["weight-gather", "weight-gather", "grad-reduce"]);
}

#[test]
fn a_slow_fabric_shows_what_is_not_hidden() {
    let spec = |beside| PlanSpec {
        micro_batch: Some(1),
        shard: Some(ShardLevel::ZERO_3.to_vec()),
        overlap: OverlapSpec {
            grad_reduce: Some(beside),
            param_gather: Some(beside),
            ..OverlapSpec::default()
        },
        ..PlanSpec::default()
    };
    let cluster = || cluster::Cluster::build(&nodes(2)).expect("it is there");
    let time = |beside| Case::new(job(4, 32), cluster(), &spec(beside)).seconds();
    assert!(time(true) < time(false));
}
