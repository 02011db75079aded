//! Folding ranks into classes changes nothing, and what cannot be expressed is said.

use lower::LowerOptions;
use plan::{Offload, OffloadTarget, OverlapSpec, PlanSpec, ScheduleKind, ShardLevel};
use workload::{Ffn, JobSpec, Layer, MoeSpec};

use crate::fixtures::{Case, gpus, job, layer, model, pipeline, simulate};

fn assert_folds(spec: &PlanSpec) {
    let case = Case::new(job(8, 32), gpus(16), spec);
    let folded = case.lowered();
    let unfolded = case.lowered_with(LowerOptions {
        unfold: true,
        ..LowerOptions::default()
    });
    let lanes = |lowered: &lower::Lowered| lowered.binding.lanes.lanes.len();
    assert!(lanes(&folded) < 16 && lanes(&unfolded) == 16);
    let run = simulate(&folded, &case.comm, false);
    let all = simulate(&unfolded, &case.comm, false);
    assert_eq!(run.end, all.end, "{spec:?}");
    for (lane, setup) in all.lanes.iter().zip(&unfolded.binding.lanes.lanes) {
        let setups = folded.binding.lanes.lanes.iter();
        let class = setups
            .zip(&run.lanes)
            .find(|(own, _)| own.ranks.contains(&setup.ranks[0]));
        assert_eq!(lane, class.expect("every rank has a class").1, "{spec:?}");
    }
}

#[test]
fn spread_vocabularies_fold() {
    for schedule in [ScheduleKind::Vocab1, ScheduleKind::Vocab2VHalf] {
        assert_folds(&PlanSpec {
            tp: Some(2),
            sp: Some(true),
            ..pipeline(4, schedule)
        });
    }
}

#[test]
fn shards_of_every_level_fold() {
    for shard in [
        ShardLevel::ZERO_3.to_vec(),
        ShardLevel::hybrid(2).to_vec(),
        ShardLevel::levels(2, 4, 8).to_vec(),
    ] {
        assert_folds(&PlanSpec {
            tp: Some(2),
            micro_batch: Some(1),
            shard: Some(shard),
            ..PlanSpec::default()
        });
    }
}

#[test]
fn what_leaves_the_gpu_folds() {
    let offload = Offload {
        activations: 0.5,
        optimizer: 0.5,
        weights: 0.25,
        target: OffloadTarget::Host,
    };
    assert_folds(&PlanSpec {
        offload: Some(offload),
        ..pipeline(4, ScheduleKind::OneFOneB)
    });
}

#[test]
fn pairs_of_passes_fold() {
    for kind in [ScheduleKind::DualPipe, ScheduleKind::DualPipeV] {
        assert_folds(&pipeline(4, kind));
    }
}

/// Two layers of eight experts, and as many shared ones or none, on eight GPUs.
fn experts(shared: Option<u64>, beside: bool) -> Case {
    let moe = MoeSpec {
        shared_ffn: shared,
        ..MoeSpec::swiglu(8, 2, 1_024)
    };
    let layer = Layer {
        ffn: Some(Ffn::Moe(moe)),
        ..layer(2_048)
    };
    let model = model(&layer, 2, 32_768, false);
    let job = JobSpec::new(16, 4_096).check(model).expect("a sound job");
    let spec = PlanSpec {
        ep: Some(8),
        micro_batch: Some(1),
        overlap: OverlapSpec {
            ep: Some(beside),
            ..OverlapSpec::default()
        },
        ..PlanSpec::default()
    };
    let mut case = Case::new(job, gpus(8), &spec);
    case.without_host();
    case
}

#[test]
fn all_to_alls_of_one_micro_batch_run_beside_kernels_of_another() {
    let plain = experts(None, false);
    let paired = experts(None, true);
    // Two micro-batches on each GPU: the forward pass of the second beside the backward pass of
    // the first.
    assert!(paired.plan.pairs_passes() && !plain.plan.pairs_passes());
    let (plain_time, paired_time) = (plain.seconds(), paired.seconds());
    assert!(paired_time < plain_time, "{paired_time}, {plain_time}");
    assert!(paired.lowered().notes.is_empty());
    // The same collectives of the same sizes.
    assert_eq!(plain.volumes(0), paired.volumes(0));
}

#[test]
fn shared_experts_run_beside_all_to_alls() {
    let shared = |beside| experts(Some(4_096), beside);
    assert!(shared(true).seconds() < shared(false).seconds());
}
