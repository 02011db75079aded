//! Memory by liveness against published formulas and counts of micro-batches in flight.

use lower::{GradientCopies, Reshard, StepBuffers, book};
use plan::schedule::peak_level;
use plan::{ActionKind, Offload, OffloadTarget, PlanSpec, RecomputeSpec, ScheduleKind, ShardLevel};
use trace::MemoryKind;
use units::{Bytes, DType};
use workload::ops::Fusion;
use workload::{
    Activation, AttentionSpec, DenseSpec, Ffn, Job, JobSpec, Layer, Mixer, NormKind, Norms,
    Position, Precision,
};

use crate::fixtures::{Case, at_peak, gpus, job, layer, model, pipeline, simulate};

const S: u64 = 1_024;
const B: u64 = 2;
const H: u64 = 2_048;
const A: u64 = 16;
const V: u64 = 51_200;
const LAYERS: u64 = 8;
const P: u32 = 4;
const T: u32 = 2;

/// A GPT as Korthikanti et al. take it: fp16, dropout, unfused attention.
fn gpt() -> Job {
    let attention = AttentionSpec {
        qkv_bias: true,
        out_bias: true,
        position: Position::Learned,
        ..AttentionSpec::rotary(A, A, H / A)
    };
    let dense = DenseSpec {
        ffn: 4 * H,
        gated: false,
        bias: true,
        activation: Activation::Gelu,
    };
    let layer = Layer {
        mixer: Some(Mixer::Attention(attention)),
        ffn: Some(Ffn::Dense(dense)),
        norms: Norms::PRE_LAYER,
        ..layer(H)
    };
    let mut spec = model(&layer, 8, V, false).spec().clone();
    spec.final_norm = Some(NormKind::Layer);
    let mut job = JobSpec::new(8 * B, S);
    job.dropout = 0.1;
    job.precision = Precision::FP16;
    let model = workload::Model::build(spec).expect("a sound model");
    job.check(model).expect("a sound job")
}

fn korthikanti(recompute: RecomputeSpec) -> Case {
    let spec = PlanSpec {
        tp: Some(T),
        sp: Some(true),
        micro_batch: Some(B),
        recompute: Some(recompute),
        ..pipeline(P, ScheduleKind::OneFOneB)
    };
    let mut case = Case::new(gpt(), gpus(8), &spec);
    case.framework.fusion = Fusion::MEGATRON_2021;
    case
}

#[test]
fn stage_i_of_1f1b_holds_korthikantis_bytes_of_p_minus_i_micro_batches() {
    let sbh = S * B * H / u64::from(T);
    let per_layer = [
        (
            RecomputeSpec::None,
            sbh * 34 + 5 * A * S * S * B / u64::from(T),
        ),
        (RecomputeSpec::Selective, sbh * 34),
        (RecomputeSpec::Full, sbh * 2),
    ];
    for (recompute, layer) in per_layer {
        let run = korthikanti(recompute.clone()).run();
        for (stage, lane) in (0_u32..).zip(&run.lanes) {
            let in_flight = u64::from(P - stage);
            // The mask of the dropout behind the embedding.
            let mask = if stage == 0 { sbh } else { 0 };
            let expected = in_flight * (LAYERS / u64::from(P) * layer + mask);
            let kept = at_peak(lane, MemoryKind::Activations);
            assert_eq!(kept, Bytes::new(expected), "stage {stage}, {recompute:?}");
        }
    }
}

#[test]
fn the_last_stage_holds_korthikantis_bytes_of_logits() {
    let run = korthikanti(RecomputeSpec::Selective).run();
    let t = u64::from(T);
    let expected = 4 * S * B * H / t + 4 * S * B * V / t;
    let logits = at_peak(&run.lanes[P as usize - 1], MemoryKind::Logits);
    assert_eq!(logits, Bytes::new(expected));
    assert_eq!(at_peak(&run.lanes[0], MemoryKind::Logits), Bytes::ZERO);
}

/// What a device keeps at most, from the order of its passes alone.
fn kept_by_order(case: &Case, device: usize) -> Bytes {
    let book = book(&case.cluster, &case.job, &case.plan, &case.framework);
    let schedule = case.plan.schedule();
    let sum = |stage: u32, part: &dyn Fn(&lower::Piece) -> Bytes| -> i64 {
        let bytes: Bytes = book.pieces_of(stage).map(part).sum();
        i64::try_from(bytes.as_u64()).expect("it is there")
    };
    let kept = |stage| sum(stage, &|piece| piece.kept);
    let held = |stage| sum(stage, &|piece| piece.ops.held());
    let (peak, _) = peak_level(schedule.actions(device), |action| {
        let stage = action.stage;
        match action.kind {
            ActionKind::Forward => (kept(stage), 0),
            ActionKind::Backward => (0, -kept(stage)),
            ActionKind::InputGrad => (0, held(stage) - kept(stage)),
            ActionKind::WeightGrad => (0, -held(stage)),
            _ => (0, 0),
        }
    });
    Bytes::new(u64::try_from(peak).expect("it is there"))
}

#[test]
fn split_and_interleaved_schedules_hold_what_their_order_says() {
    let kinds = [
        ScheduleKind::GPipe,
        ScheduleKind::Interleaved,
        ScheduleKind::ZbH1,
        ScheduleKind::ZbH2,
        ScheduleKind::ZbV,
        ScheduleKind::VHalf,
        ScheduleKind::VMin,
    ];
    for kind in kinds {
        let case = Case::new(job(16, 16), gpus(4), &pipeline(4, kind));
        let run = case.run();
        for (device, lane) in run.lanes.iter().enumerate() {
            let expected = kept_by_order(&case, device);
            let kept = at_peak(lane, MemoryKind::Activations) + at_peak(lane, MemoryKind::Logits);
            // The largest sum with workspace may come a pass before or after the largest kept.
            let off = kept.as_f64() / expected.as_f64() - 1.0;
            assert!(
                (-0.1..1e-9).contains(&off),
                "{kind:?}, device {device}: {off}"
            );
        }
    }
}

#[test]
fn memory_returns_to_what_is_resident_whatever_the_schedule() {
    let leave = |share| Offload {
        activations: share,
        optimizer: share,
        weights: share,
        target: OffloadTarget::Host,
    };
    let shards = [
        Vec::new(),
        ShardLevel::ZERO_1.to_vec(),
        ShardLevel::ZERO_3.to_vec(),
    ];
    for kind in ScheduleKind::ALL {
        if kind == ScheduleKind::ForwardOnly {
            continue;
        }
        for shard in &shards {
            for share in [0.0, 0.5] {
                let spec = PlanSpec {
                    shard: Some(shard.clone()),
                    offload: Some(leave(share)),
                    ..pipeline(4, kind)
                };
                let case = Case::new(job(8, 16), gpus(8), &spec);
                assert_returns(&case, &format!("{kind:?} {shard:?} {share}"));
            }
        }
    }
}

#[test]
fn memory_returns_however_long_weights_stay() {
    for reshard in [
        Reshard::EachPass,
        Reshard::AfterBackward,
        Reshard::UnlessPipelined,
    ] {
        for (pp, kind) in [(1, ScheduleKind::OneFOneB), (4, ScheduleKind::ZbH1)] {
            let spec = PlanSpec {
                shard: Some(ShardLevel::ZERO_3.to_vec()),
                ..pipeline(pp, kind)
            };
            let mut case = Case::new(job(8, 16), gpus(8), &spec);
            case.framework.reshard = reshard;
            assert_returns(&case, &format!("{reshard:?}, {pp} stages"));
        }
    }
}

fn assert_returns(case: &Case, what: &str) {
    let run = simulate(&case.lowered(), &case.comm, true);
    let trace = run.trace.expect("it was recorded");
    assert!(!trace.memory.is_empty(), "{what}");
    for lane in 0..run.lanes.len() {
        for kind in MemoryKind::ALL {
            let own =
                |sample: &&trace::MemorySample| (sample.lane.index(), sample.kind) == (lane, kind);
            let last = trace.memory.iter().rev().find(own);
            let left = last.map_or(0, |sample| sample.bytes);
            assert_eq!(left, 0, "{what}: {kind:?} of lane {lane}");
        }
    }
}

/// Bytes a parameter of the optimizer's step, loose and flat, on eight ranks of one stage.
fn step_bytes(copies: GradientCopies, shards: &[ShardLevel], grads: DType) -> [f64; 2] {
    let mut job = gpt();
    job.grad_dtype = grads;
    let spec = PlanSpec {
        shard: Some(shards.to_vec()),
        ..PlanSpec::default()
    };
    let mut case = Case::new(job, gpus(8), &spec);
    case.framework.copies = copies;
    let lowered = case.lowered();
    let params = lowered.params[0].trained() as f64;
    let StepBuffers { loose, flat } = lowered.step_buffers[0];
    [loose, flat].map(|bytes| bytes.as_f64() / params)
}

#[test]
fn fp16_steps_copy_gradients_as_their_frameworks_do() {
    let close = |is: [f64; 2], expected: [f64; 2]| {
        let off = is.iter().zip(expected).map(|(is, then)| (is - then).abs());
        assert!(off.sum::<f64>() < 1e-4, "{is:?} against {expected:?}");
    };
    let (none, zero_1, fp16) = (&[] as &[_], ShardLevel::ZERO_1, DType::Fp16);
    close(step_bytes(GradientCopies::None, none, fp16), [0.0, 0.0]);
    close(step_bytes(GradientCopies::Float, none, fp16), [4.0, 0.0]);
    close(step_bytes(GradientCopies::Flat, none, fp16), [4.0, 4.0]);
    close(
        step_bytes(GradientCopies::Flat, zero_1, fp16),
        [0.0, 6.0 / 8.0],
    );
    // Gradients in fp32 are stepped with in place.
    close(
        step_bytes(GradientCopies::Flat, zero_1, DType::Fp32),
        [0.0, 0.0],
    );
}

#[test]
fn deepspeed_keeps_16_bit_gradients_beside_those_in_fp32() {
    let mut job = gpt();
    job.grad_dtype = DType::Fp32;
    let mut case = Case::new(job, gpus(8), &PlanSpec::default());
    let gradients = |case: &Case| {
        let lowered = case.lowered();
        let lane = &lowered.binding.lanes.lanes[0];
        lane.resident[MemoryKind::Gradients.index()] / lowered.params[0].trained()
    };
    assert_eq!(gradients(&case), 4);
    case.framework.copies = GradientCopies::Flat;
    assert_eq!(gradients(&case), 6);
}

#[test]
fn ends_that_meet_on_a_device_keep_one_table() {
    let parameters = |kind| {
        let tied = model(&layer(2_048), 8, 32_768, true);
        let job = JobSpec::new(16, 4_096).check(tied).expect("a sound job");
        let case = Case::new(job, gpus(4), &pipeline(4, kind));
        let book = book(&case.cluster, &case.job, &case.plan, &case.framework);
        let stages = 0..u32::try_from(book.stages.len()).expect("few stages");
        let pieces = stages.flat_map(|stage| book.pieces_of(stage));
        let held: u64 = pieces.map(|piece| piece.ops.params.total()).sum();
        (held, case.job.model.params())
    };
    let (met, model) = parameters(ScheduleKind::ZbV);
    assert_eq!(met, model);
    let (apart, model) = parameters(ScheduleKind::OneFOneB);
    assert_eq!(apart, model + 32_768 * 2_048);
}
