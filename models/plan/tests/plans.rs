//! What a plan needs to fit its job and its cluster, and what is taken for what it leaves out.

mod fixtures;

use fixtures::{dgx, layer, llama, model};
use plan::schedule::one_f_one_b;
use plan::{
    Axis, Checked, Degrees, ExpertPlacement, LayerSplit, MoeSpec, Plan, PlanError, PlanSpec,
    RankOrder, RecomputeSpec, Routing, ScheduleKind, ShardLevel, Sharded, Shards, StateBytes,
};
use proptest::prelude::*;
use units::{GpuId, RankId};
use workload::ops::Regions;
use workload::{
    AttentionSpec, Ffn, Job, JobSpec, MoeSpec as Moe, Optimizer, ParamCount, Precision, Recompute,
};

/// 32 layers with 64 experts each.
fn moe(global_batch: u64) -> Job {
    let attention = AttentionSpec::rotary(32, 8, 128);
    let layer = layer(4_096, attention, Ffn::Moe(Moe::swiglu(64, 4, 2_048)));
    let spec = JobSpec::new(global_batch, 4_096);
    spec.check(model(&layer, 32, 32_000)).expect("a sound job")
}

/// Llama-3 70B with 1,024 sequences on 16 nodes.
fn checked(spec: &PlanSpec) -> Result<Checked, Vec<PlanError>> {
    Plan::check(spec, &llama(80, 64, 1_024), &dgx(16))
}

/// Tensor 8, pipeline 4.
fn tp8_pp4() -> PlanSpec {
    PlanSpec {
        tp: Some(8),
        pp: Some(4),
        ..PlanSpec::default()
    }
}

/// Message and hint of the only error.
fn refused(spec: &PlanSpec) -> (String, String) {
    refused_for(spec, &llama(80, 64, 1_024))
}

fn refused_for(spec: &PlanSpec, job: &Job) -> (String, String) {
    let errors = Plan::check(spec, job, &dgx(16)).expect_err("the plan does not fit");
    let [error] = &errors[..] else {
        panic!("one error expected, not {errors:#?}");
    };
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn absent_fields_are_filled_and_named() {
    let Checked { plan, assumptions } = checked(&tp8_pp4()).unwrap();
    assert_eq!(
        plan.degrees(),
        Degrees {
            tp: 8,
            pp: 4,
            dp: 4,
            etp: 8,
            ..Degrees::ONE
        }
    );
    assert_eq!(plan.n_micro_batches(), 256);
    assert_eq!(plan.schedule_kind(), Some(ScheduleKind::OneFOneB));
    assert_eq!(*plan.schedule(), one_f_one_b(4, 256));
    assert!(plan.sequence_parallel());
    assert_eq!(
        plan.shards(),
        Shards {
            optimizer: 4,
            ..Shards::NONE
        }
    );
    let fields: Vec<_> = assumptions
        .iter()
        .map(|assumption| (assumption.field, assumption.value.as_ref()))
        .collect();
    assert_eq!(
        fields,
        [
            ("dp", "4"),
            ("sp", "true"),
            ("micro_batch", "1"),
            ("schedule", "1f1b"),
            ("recompute", "none"),
            ("shard", "optimizer over dp x cp"),
            ("overlap.grad_reduce", "true"),
            ("overlap.param_gather", "true"),
            ("overlap.p2p", "false"),
            ("overlap.tp", "backward"),
            ("cuda_graphs", "false"),
        ]
    );
}

#[test]
fn a_pipeline_that_does_not_tile_the_cluster_says_which_would() {
    let spec = PlanSpec {
        pp: Some(3),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(
        message,
        "tp 8 x cp 1 x pp 3 does not divide the cluster's 128 GPUs"
    );
    assert_eq!(hint, "with tp 8, pp can be 1, 2, 4, 8 or 16");
}

#[test]
fn a_plan_larger_than_the_cluster_says_what_fits() {
    let spec = PlanSpec {
        dp: Some(8),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(
        message,
        "tp 8 x cp 1 x pp 4 x dp 8 needs 256 GPUs, but the cluster has 128"
    );
    assert_eq!(hint, "dp can be at most 4");
    let spec = PlanSpec {
        tp: Some(1 << 20),
        pp: Some(1 << 20),
        cp: Some(1 << 20),
        ..PlanSpec::default()
    };
    assert!(refused(&spec).0.contains("needs 1152921504606846976 GPUs"));
}

#[test]
fn tensor_parallelism_must_divide_heads() {
    let spec = PlanSpec {
        tp: Some(16),
        ..PlanSpec::default()
    };
    let (message, hint) = refused_for(&spec, &llama(80, 24, 1_024));
    assert_eq!(
        message,
        "tp 16 does not divide the model's 24 attention heads"
    );
    assert_eq!(hint, "tp can be 1, 2, 3, 4, 6, 8 or 12");
    // 64 heads with 8 key-value heads: 16 is a multiple of 8.
    checked(&spec).unwrap();
}

#[test]
fn all_errors_come_at_once() {
    let spec = PlanSpec {
        tp: Some(0),
        pp: Some(0),
        ..PlanSpec::default()
    };
    let errors = checked(&spec).unwrap_err();
    assert_eq!(errors.len(), 2);
    assert_eq!(
        errors[0].to_string(),
        "tp is 0, but every degree is at least 1"
    );
    let spec = PlanSpec {
        ep: Some(2),
        micro_batch: Some(3),
        recompute: Some(RecomputeSpec::LayersByStage(vec![1])),
        rank_gpus: Some(vec![0; 3]),
        ..tp8_pp4()
    };
    let fields: Vec<_> = checked(&spec)
        .unwrap_err()
        .iter()
        .map(PlanError::field)
        .collect();
    assert_eq!(
        fields,
        ["ep", "micro_batch", "recompute", "rank_order_file"]
    );
}

#[test]
fn the_batch_must_divide_into_micro_batches() {
    let spec = PlanSpec {
        micro_batch: Some(3),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(
        message,
        "global_batch 1024 does not divide into micro-batches of 3 on dp 4 ranks"
    );
    assert_eq!(
        hint,
        "with dp 4, micro_batch can be 1, 2, 4, 8, 16, 32, 64, 128, …"
    );
}

#[test]
fn interleaving_needs_layers_and_whole_rounds() {
    let spec = PlanSpec {
        vp: Some(40),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(
        message,
        "80 layers are fewer than the 160 stages of pp 4 x vp 40"
    );
    assert_eq!(hint, "with pp 4, vp can be at most 20");
    let spec = PlanSpec {
        vp: Some(5),
        micro_batch: Some(128),
        ..tp8_pp4()
    };
    let (message, _) = refused(&spec);
    assert!(
        message.ends_with("(the pipeline's size), but there are 2"),
        "{message}"
    );
    let spec = PlanSpec {
        vp: Some(2),
        ..PlanSpec::default()
    };
    assert_eq!(
        refused(&spec).0,
        "vp is 2, but without a pipeline (pp 1) there is nothing to interleave"
    );
}

#[test]
fn an_uneven_split_is_assumed_and_a_given_one_is_checked() {
    let plan = |layers, split| {
        let spec = PlanSpec {
            layer_split: split,
            ..tp8_pp4()
        };
        Plan::check(&spec, &llama(layers, 64, 1_024), &dgx(16))
    };
    let counts = |checked: &Checked| -> Vec<usize> {
        checked
            .plan
            .stages()
            .iter()
            .map(|stage| stage.layers.len())
            .collect()
    };
    let account = plan(126, None).unwrap();
    assert_eq!(counts(&account), [31, 32, 32, 31]);
    assert!(
        account
            .assumptions
            .iter()
            .any(|assumption| assumption.field == "layer_split")
    );
    assert_eq!(counts(&plan(81, None).unwrap()), [20, 21, 20, 20]);
    let listed = plan(10, Some(LayerSplit::Counts(vec![1, 4, 4, 1]))).unwrap();
    assert_eq!(counts(&listed), [1, 4, 4, 1]);
    let errors = plan(10, Some(LayerSplit::Counts(vec![1, 4, 4, 2]))).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "layer_split sums to 11, but the model has 10 layers"
    );
}

#[test]
fn experts_tile_the_ranks_of_a_stage() {
    let plan = |ep, etp, order| {
        let spec = PlanSpec {
            tp: Some(4),
            pp: Some(2),
            ep: Some(ep),
            etp: Some(etp),
            rank_order: order,
            ..PlanSpec::default()
        };
        Plan::check(&spec, &moe(1_024), &dgx(16))
    };
    let Checked { plan: folded, .. } = plan(16, 1, None).unwrap();
    assert_eq!(folded.expert_data(), 4);
    assert_eq!(
        folded.ranks().group(Axis::Ep, RankId::new(20)).first(),
        RankId::new(16)
    );
    assert_eq!(
        folded.expert_shards(),
        Shards {
            optimizer: 4,
            ..Shards::NONE
        }
    );
    let errors = plan(48, 1, None).unwrap_err();
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "ep 48 does not divide the model's 64 experts",
            "ep 48 x etp 1 does not divide tp 4 x cp 1 x dp 16, the ranks of a pipeline stage",
        ]
    );
    let errors = plan(2, 1, Some(RankOrder::TP_PP_DP)).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "with rank order tp-cp-ep-pp-dp, ep 2 x etp 1 gives experts other pipeline groups than \
         the rest of the model"
    );
    let spec = PlanSpec {
        ep: Some(2),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(message, "ep is 2, but the model has no experts");
    assert_eq!(hint, "leave `ep` out");
}

#[test]
fn expert_placement_and_routing_are_checked() {
    let plan = |moe_spec: MoeSpec| {
        let spec = PlanSpec {
            tp: Some(4),
            ep: Some(8),
            moe: moe_spec,
            ..PlanSpec::default()
        };
        Plan::check(&spec, &moe(1_024), &dgx(16)).map(|checked| checked.plan)
    };
    let place = |row: Vec<u32>| MoeSpec {
        experts: Some(ExpertPlacement {
            layers: vec![row].into(),
        }),
        ..MoeSpec::default()
    };
    // One replica for each of the first eight experts.
    let slots: Vec<u32> = (0..64).chain(0..8).collect();
    assert!(plan(place(slots)).unwrap().expert_placement().is_some());
    let message = |spec| plan(spec).unwrap_err()[0].to_string();
    assert_eq!(
        message(place((1..65).collect())),
        "row 0 of moe.experts names expert 64, but there are 64"
    );
    assert_eq!(
        message(place([1; 64].to_vec())),
        "row 0 of moe.experts leaves out expert 0 of 64"
    );
    let route = |row: Vec<f64>| MoeSpec {
        routing: Some(Routing::Shares(vec![row].into())),
        ..MoeSpec::default()
    };
    assert!(plan(route(vec![1.0; 64])).is_ok());
    assert_eq!(
        message(route(vec![1.0; 3])),
        "row 0 of moe.routing has 3 entries, but one for each of 64 experts is needed"
    );
    assert_eq!(
        message(route(vec![f64::NAN; 64])),
        "moe.routing is NaN, but shares of at least 0 that do not sum to 0 is needed"
    );
}

#[test]
fn a_schedule_file_must_match_the_plan() {
    let with = |text: String| PlanSpec {
        schedule_file: Some(text),
        ..tp8_pp4()
    };
    let Checked { plan, .. } = checked(&with(one_f_one_b(4, 256).to_csv())).unwrap();
    assert_eq!(*plan.schedule(), one_f_one_b(4, 256));
    assert_eq!(plan.schedule_kind(), None);
    assert_eq!(
        refused(&with(one_f_one_b(4, 255).to_csv())).0,
        "the schedule file has 255 micro-batches, but the plan has 256"
    );
    assert_eq!(
        refused(&with("0F0,0Q0".to_owned())).0,
        "schedule file: line 1, cell 2: `0Q0` is not stage, kind and micro-batch, such as `2F0`"
    );
}

#[test]
fn shard_levels_divide_and_nest() {
    let plan = |levels: &[ShardLevel]| {
        checked(&PlanSpec {
            tp: Some(4),
            shard: Some(levels.to_vec()),
            ..PlanSpec::default()
        })
    };
    let shards = |levels: &[ShardLevel]| plan(levels).unwrap().plan.shards();
    assert_eq!(shards(&[]), Shards::NONE);
    assert_eq!(
        shards(&ShardLevel::levels(2, 8, 32)),
        Shards {
            weights: 2,
            gradients: 8,
            optimizer: 32
        }
    );
    assert_eq!(shards(ShardLevel::ZERO_3).weights, 32);
    let message = |levels: &[ShardLevel]| plan(levels).unwrap_err()[0].to_string();
    assert_eq!(
        message(&ShardLevel::hybrid(5)),
        "shard level weights over 5 ranks does not divide the 32 ranks of dp x cp"
    );
    assert_eq!(
        message(&[ShardLevel::all(Sharded::Weights)]),
        "weights are sharded over 32 ranks, more than the 1 of optimizer"
    );
}

#[test]
fn ranks_sit_where_the_table_says() {
    let reversed: Vec<u32> = (0..128).rev().collect();
    let spec = PlanSpec {
        rank_gpus: Some(reversed.clone()),
        ..tp8_pp4()
    };
    let Checked { plan, .. } = checked(&spec).unwrap();
    assert_eq!(plan.gpu_of(RankId::new(1)), GpuId::new(126));
    let mut twice = reversed;
    twice[5] = 127;
    let spec = PlanSpec {
        rank_gpus: Some(twice),
        ..tp8_pp4()
    };
    assert_eq!(
        refused(&spec).0,
        "rank_order_file puts ranks 0 and 5 on GPU 127"
    );
}

#[test]
fn experts_cannot_be_recomputed_in_a_model_without_any() {
    let spec = PlanSpec {
        recompute: Some(RecomputeSpec::Modules(Regions::MOE)),
        ..tp8_pp4()
    };
    let (message, hint) = refused(&spec);
    assert_eq!(
        message,
        "recompute names moe, but the model has no layer with it"
    );
    assert_eq!(hint, "leave \"moe\" out of `recompute`");
}

#[test]
fn a_split_with_another_sum_says_by_how_much() {
    let spec = PlanSpec {
        layer_split: Some(LayerSplit::Counts(vec![20, 20, 20, 19])),
        ..tp8_pp4()
    };
    let (_, hint) = refused(&spec);
    assert_eq!(hint, "add layers to the list, 1 in all");
}

#[test]
fn recompute_can_differ_by_layer() {
    let spec = PlanSpec {
        recompute: Some(RecomputeSpec::Layers(2)),
        ..tp8_pp4()
    };
    let Checked { plan, .. } = checked(&spec).unwrap();
    assert_eq!(plan.recompute(3, 1), Recompute::Full);
    assert_eq!(plan.recompute(3, 2), Recompute::None);
}

#[test]
fn equal_gpus_fold_to_one_class_a_stage_and_one_slow_gpu_to_few_more() {
    let cluster = dgx(16);
    let plan = Plan::check(&tp8_pp4(), &llama(80, 64, 1_024), &cluster)
        .unwrap()
        .plan;
    assert_eq!(plan.classes(&cluster).len(), 4);
    let slow = cluster.with_gpu_speed(GpuId::new(3), 0.8).unwrap();
    assert_eq!(plan.classes(&slow).len(), 16);
    assert_eq!(plan.singletons().len(), 128);
}

#[test]
fn state_is_18_bytes_a_parameter_and_experts_shard_over_their_own_ranks() {
    let spec = PlanSpec {
        tp: Some(4),
        pp: Some(2),
        ep: Some(16),
        ..PlanSpec::default()
    };
    let plan = Plan::check(&spec, &moe(1_024), &dgx(16)).unwrap().plan;
    let params = ParamCount {
        dense: 1_600,
        expert: 400,
        dense_trained: 1_600,
        expert_trained: 400,
        ..ParamCount::default()
    };
    let resident = Optimizer::ADAMW.resident(Precision::BF16, units::DType::Fp32);
    let state = StateBytes::of(&params, &resident);
    assert_eq!(state.total().as_u64(), 18 * 2_000);
    // 16 data-parallel ranks, of which an expert is on 4.
    let on_rank = state.on_rank(&plan);
    assert_eq!(on_rank.dense.total().as_u64(), 6 * 1_600 + 12 * 100);
    assert_eq!(on_rank.expert.total().as_u64(), 6 * 400 + 12 * 100);
}

#[test]
fn tied_weights_are_held_twice_only_where_the_ends_of_the_pipeline_lie_apart() {
    let attention = AttentionSpec::rotary(32, 8, 128);
    let layer = layer(4_096, attention, Ffn::Moe(Moe::swiglu(64, 4, 2_048)));
    let mut spec = model(&layer, 32, 32_000).spec().clone();
    spec.head = spec.head.map(|head| workload::Head { tied: true, ..head });
    let tied = workload::Model::build(spec).unwrap();
    let job = JobSpec::new(1_024, 4_096).check(tied).unwrap();
    let pair = |schedule| {
        let spec = PlanSpec {
            schedule: Some(schedule),
            ..tp8_pp4()
        };
        let plan = Plan::check(&spec, &job, &dgx(16)).unwrap().plan;
        plan.embedding_pair(RankId::new(40))
    };
    let ends = [8, 104].map(RankId::new);
    assert_eq!(pair(ScheduleKind::OneFOneB), Some(ends));
    assert_eq!(pair(ScheduleKind::ZbV), None);
    assert_eq!(pair(ScheduleKind::Vocab1), None);
}

/// Small degrees, and now and then a hostile one.
fn degree() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![
        4 => Just(None),
        8 => (0u32..20).prop_map(Some),
        1 => any::<u32>().prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn no_spec_makes_the_check_panic(
        [tp, pp, vp, cp, ep, etp, dp, group] in prop::array::uniform8(degree()),
        micro_batch in prop_oneof![Just(None), (0u64..9).prop_map(Some), any::<u64>().prop_map(Some)],
        kind in 0usize..13,
        shard in prop::collection::vec((0usize..3, degree()), 0..4),
        split in prop_oneof![Just(None), prop::collection::vec(0u32..40, 0..5).prop_map(Some)],
        expert in any::<bool>(),
    ) {
        let spec = PlanSpec {
            tp, pp, vp, cp, ep, etp, dp, micro_batch,
            interleave_group: group,
            schedule: Some(ScheduleKind::ALL[kind]),
            shard: Some(
                shard
                    .into_iter()
                    .map(|(what, group)| ShardLevel { what: Sharded::ALL[what], group })
                    .collect(),
            ),
            layer_split: split.map(LayerSplit::Counts),
            ..PlanSpec::default()
        };
        let job = if expert { moe(64) } else { llama(80, 64, 64) };
        match Plan::check(&spec, &job, &dgx(16)) {
            Ok(Checked { plan, .. }) => {
                let layers: usize = plan.stages().iter().map(|stage| stage.layers.len()).sum();
                prop_assert_eq!(layers, job.model.layers().len());
                prop_assert!(plan.n_ranks() <= 128);
                let schedule = plan.schedule();
                prop_assert_eq!(schedule.check(), Ok(()));
                prop_assert_eq!(schedule.device_of_stage(), plan.device_of_stage());
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(!error.to_string().is_empty());
                    let _ = error.hint();
                }
            }
        }
    }
}

#[test]
fn the_errors_of_one_tp_have_one_hint_that_mends_them_all() {
    let errors = [
        PlanError::DoesNotTile {
            tp: 3,
            cp: 1,
            pp: 1,
            gpus: 8,
        },
        PlanError::Heads { tp: 3, heads: 32 },
        PlanError::FfnWidth {
            tp: 3,
            width: 14_336,
        },
    ];
    let hints = PlanError::hints(&errors);
    for hint in hints {
        assert_eq!(hint.as_deref(), Some("tp can be 1, 2, 4 or 8"));
    }
    let width = PlanError::FfnWidth {
        tp: 3,
        width: 14_336,
    };
    let own = "tp can be 1, 2, 4, 7, 8, 14 or 16".to_owned();
    assert_eq!(PlanError::hints(&[width]), [Some(own)]);
    let expert = PlanError::ExpertWidth { etp: 3, width: 8 };
    assert_eq!(expert.hint().unwrap(), "etp can be 1, 2, 4 or 8");
}

#[test]
fn a_dense_model_has_no_capacity_and_no_more_layers_than_it_has() {
    let capacity = PlanSpec {
        moe: MoeSpec {
            capacity_factor: Some(2.0),
            ..MoeSpec::default()
        },
        ..PlanSpec::default()
    };
    assert_eq!(
        refused(&capacity).0,
        "moe.capacity_factor is 2, but the model has no experts"
    );
    let recompute = PlanSpec {
        pp: Some(4),
        recompute: Some(RecomputeSpec::Layers(21)),
        ..PlanSpec::default()
    };
    let (message, hint) = refused(&recompute);
    assert_eq!(
        message,
        "recompute is 21, but a virtual stage has 20 layers at most"
    );
    assert_eq!(hint, "give at most 20, or \"full\" for all layers");
}

#[test]
fn padding_to_a_capacity_is_named() {
    let job = moe(512);
    let spec = PlanSpec {
        moe: MoeSpec {
            capacity_factor: Some(2.0),
            ..MoeSpec::default()
        },
        ..PlanSpec::default()
    };
    let says = |spec: &PlanSpec| {
        let checked = Plan::check(spec, &job, &dgx(16)).unwrap();
        let mut fields = checked.assumptions.iter().map(|one| one.field);
        fields.any(|field| field == "moe.capacity_factor")
    };
    assert!(says(&spec));
    assert!(!says(&PlanSpec::default()));
}
