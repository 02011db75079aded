//! Copies of every stage on two devices.

use plan::{PlanSpec, ScheduleKind, ShardLevel};
use profile::CollectiveKind::{self, AllGather, AllReduce, ReduceScatter};
use trace::MemoryKind;
use units::Bytes;

use crate::fixtures::{Case, job, nodes, pipeline};

/// Eight layers on four devices, four replicas.
fn case(kind: ScheduleKind, shard: &[ShardLevel]) -> Case {
    let spec = PlanSpec {
        shard: Some(shard.to_vec()),
        ..pipeline(4, kind)
    };
    let cluster = cluster::Cluster::build(&nodes(2)).expect("a sound cluster");
    Case::new(job(8, 64), cluster, &spec)
}

/// Bytes of one kind on all four devices together.
fn resident(case: &Case, kind: MemoryKind) -> u64 {
    let lanes = case.lowered().binding.lanes.lanes;
    lanes.iter().map(|lane| lane.resident[kind.index()]).sum()
}

/// What a device and its mirror exchange.
fn mirrored(case: &Case) -> Vec<(CollectiveKind, Bytes)> {
    let volumes = case.volumes(0).into_iter();
    let own = volumes.filter(|volume| volume.name.starts_with("mirrored"));
    own.map(|volume| (volume.kind, volume.bytes)).collect()
}

#[test]
fn two_copies_of_the_weights_need_no_more_optimizer_states_than_one() {
    let one = case(ScheduleKind::OneFOneB, ShardLevel::ZERO_1);
    let two = case(ScheduleKind::DualPipe, ShardLevel::ZERO_1);
    let of = |kind| (resident(&one, kind), resident(&two, kind));
    let (states, same) = of(MemoryKind::Optimizer);
    assert!(states.abs_diff(same) <= 4, "{states} against {same}");
    let (weights, twice) = of(MemoryKind::Weights);
    assert_eq!(2 * weights, twice);
}

#[test]
fn states_that_are_not_shared_by_all_replicas_are_held_twice() {
    let half = ShardLevel {
        group: Some(2),
        ..ShardLevel::ZERO_1[0]
    };
    for shard in [&[][..], &[half]] {
        let one = case(ScheduleKind::OneFOneB, shard);
        let two = case(ScheduleKind::DualPipe, shard);
        let states = |case| resident(case, MemoryKind::Optimizer);
        assert_eq!(2 * states(&one), states(&two));
    }
}

#[test]
fn ranks_of_both_copies_scatter_gradients_and_gather_what_either_updates() {
    let weights = |case: &Case| case.lowered().binding.lanes.lanes[0].resident[0];
    let plain = case(ScheduleKind::DualPipe, &[]);
    // Weights have two bytes, gradients four.
    let whole = weights(&plain);
    let sums = [(AllReduce, Bytes::new(2 * whole))];
    assert_eq!(mirrored(&plain), sums);
    let shared = case(ScheduleKind::DualPipe, ShardLevel::ZERO_1);
    let quarter = whole / u64::from(shared.plan.degrees().dense_data());
    let halves = [
        (ReduceScatter, Bytes::new(2 * quarter)),
        (AllGather, Bytes::new(quarter)),
    ];
    assert_eq!(mirrored(&shared), halves);
}

#[test]
fn pairs_that_load_run_one_after_the_other_and_say_so() {
    let fields = |shard| {
        let notes = case(ScheduleKind::DualPipe, shard).lowered().notes;
        notes
            .iter()
            .map(|note| note.value.clone())
            .collect::<Vec<_>>()
    };
    assert!(fields(ShardLevel::ZERO_1).is_empty());
    assert_eq!(
        fields(ShardLevel::ZERO_3),
        ["passes of a pair one after the other"]
    );
}
