//! Properties over generated layers and shardings.

use proptest::prelude::*;

use super::*;

/// A dense layer whose every dimension divides by 64, and its job.
fn dense() -> impl Strategy<Value = (Job, Layer)> {
    (1u64..=4, 0u32..=3, prop::bool::ANY, prop::bool::ANY).prop_map(
        |(width, group, gated, drops)| {
            let heads = 64;
            let attention = AttentionSpec::rotary(heads, heads >> group, 64 * width);
            let dense = DenseSpec {
                gated,
                ..DenseSpec::swiglu(8192 * width)
            };
            let layer = layer(
                4096,
                Mixer::Attention(attention),
                Ffn::Dense(dense),
                Norms::PRE_RMS,
            );
            let job = job_of(&layer, |spec| spec.dropout = if drops { 0.1 } else { 0.0 });
            (job, layer)
        },
    )
}

/// Degrees that divide those layers.
fn degrees() -> impl Strategy<Value = (u32, u32, u64)> {
    (0u32..=3, 0u32..=3, 1u64..=4).prop_map(|(tp, cp, b)| (1 << tp, 1 << cp, b))
}

fn methods() -> impl Strategy<Value = CpMethod> {
    prop_oneof![
        Just(CpMethod::Ring),
        Just(CpMethod::AllToAll),
        Just(CpMethod::TokenRing),
        Just(CpMethod::AllGather),
    ]
}

proptest! {
    #[test]
    fn shards_sum_to_the_whole(
        (job, layer) in dense(),
        (tp, cp, micro_batch) in degrees(),
        cp_method in methods(),
        sequence_parallel in prop::bool::ANY,
    ) {
        let whole = Sharding { micro_batch, fusion: unfused(), ..Sharding::single(2048) };
        let cut = Sharding { tp, sequence_parallel, cp, cp_method, ..whole };
        let [one, many] = [whole, cut].map(|shard| {
            let block = layer_ops(&job, &layer, &shard);
            BlockOps::flops(block.forward.iter().chain(block.backward())).as_f64()
        });
        let ratio = one / (many * f64::from(tp * cp));
        prop_assert!((ratio - 1.0).abs() < 1e-9, "{}", ratio);
    }

    #[test]
    fn gradients_take_twice_the_forward_products(
        (job, layer) in dense(),
        (tp, cp, micro_batch) in degrees(),
    ) {
        let shard = Sharding { tp, cp, micro_batch, ..Sharding::single(2048) };
        let block = layer_ops(&job, &layer, &shard);
        let backward = gemm_flops(&block.input_grad) + gemm_flops(&block.weight_grad);
        let ratio = backward / (2.0 * gemm_flops(&block.forward));
        prop_assert!((ratio - 1.0).abs() < 1e-12);
    }

    #[test]
    fn activations_fall_with_sequence_parallel_degree(
        (job, layer) in dense(),
        micro_batch in 1u64..4,
    ) {
        let saved = |tp| {
            let shard = Sharding { tp, sequence_parallel: true, micro_batch, ..Sharding::single(2048) };
            layer_ops(&job, &layer, &shard).saved()
        };
        let by_degree: Vec<Bytes> = [1, 2, 4, 8].map(saved).to_vec();
        prop_assert!(by_degree.is_sorted_by(|a, b| a > b), "{:?}", by_degree);
    }

    #[test]
    fn recomputation_keeps_less_the_more_it_repeats((job, layer) in dense()) {
        let block = layer_ops(&job, &layer, &Sharding::single(2048));
        let policies = [
            Recompute::None,
            Recompute::Selective,
            Recompute::Modules(Regions::CORE_ATTENTION.and(Regions::MLP)),
            Recompute::Full,
        ];
        let bytes = policies.map(|policy| kept(&block, policy));
        prop_assert!(bytes.is_sorted_by(|a, b| a > b), "{:?}", bytes);
        let work = policies.map(|policy| recomputed(&block, policy).len());
        prop_assert!(work.is_sorted());
        prop_assert_eq!(work[3], block.forward.len());
    }

    #[test]
    fn every_wait_names_an_earlier_launch(
        (job, layer) in dense(),
        (tp, cp, micro_batch) in degrees(),
        cp_method in methods(),
        sequence_parallel in prop::bool::ANY,
    ) {
        let shard = Sharding { tp, sequence_parallel, cp, cp_method, micro_batch, ..Sharding::single(2048) };
        let block = layer_ops(&job, &layer, &shard);
        let joint: Vec<Op> = block.backward().copied().collect();
        for ops in [&block.forward, &joint] {
            let mut launched = Vec::new();
            for op in ops {
                if let Some(slot) = op.waits {
                    prop_assert!(launched.contains(&slot), "{} waits for nothing", op.name);
                }
                if let Overlap::Async(slot) = op.overlap {
                    launched.push(slot);
                }
            }
        }
    }
}
