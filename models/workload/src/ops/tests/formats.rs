//! Fewer bits, fewer fusions: what changes and what may not.

use profile::{Kernel, StreamKind};
use units::DType;

use super::*;
use crate::Fp8Recipe;

fn in_recipe(recipe: Option<Fp8Recipe>) -> BlockOps {
    let layer = llama_405b_layer();
    let job = job_of(&layer, |spec| {
        spec.precision = Precision {
            fp8: recipe,
            ..Precision::BF16
        };
    });
    let shard = Sharding {
        tp: 8,
        sequence_parallel: true,
        ..Sharding::single(8192)
    };
    layer_ops(&job, &layer, &shard)
}

/// Bytes that casts move in a list.
fn casts(ops: &[Op]) -> u64 {
    let of = |op: &Op| match op.work {
        Work::Kernel(Kernel::Stream(stream)) if stream.kind == StreamKind::Cast => {
            Some(stream.bytes.as_u64())
        }
        _ => None,
    };
    ops.iter().filter_map(of).sum()
}

#[test]
fn products_run_in_the_recipe_and_attention_does_not() {
    for recipe in Fp8Recipe::ALL {
        let block = in_recipe(Some(recipe));
        for op in block.forward.iter().chain(block.backward()) {
            match op.work {
                Work::Kernel(Kernel::Gemm(gemm)) => assert_eq!(gemm.dtype, recipe.dtype()),
                Work::Kernel(Kernel::Attention(core)) => assert_eq!(core.dtype, DType::Bf16),
                _ => {}
            }
        }
    }
}

#[test]
fn tensorwise_scales_read_a_tensor_once_more_than_blockwise_ones() {
    let [block, tensor] = [Fp8Recipe::Blockwise, Fp8Recipe::Tensorwise]
        .map(|recipe| casts(&in_recipe(Some(recipe)).forward));
    // Read 2, write 1 + 1; and once more read 2.
    assert_eq!(tensor * 4, block * 6);
    assert_eq!(casts(&in_recipe(None).forward), 0);
}

#[test]
fn delayed_scales_cast_inside_norm_and_activation() {
    let delayed = in_recipe(Some(Fp8Recipe::Delayed));
    let names: Vec<_> = delayed.forward.iter().map(|op| op.name).collect();
    // The attention core writes bf16, so the projection behind it needs a cast of its own.
    assert_eq!(names.iter().filter(|name| **name == "cast").count(), 1);
}

#[test]
fn weights_are_cast_once_an_iteration() {
    let block = in_recipe(Some(Fp8Recipe::Delayed));
    assert_eq!(block.once.len(), 4);
    assert!(in_recipe(None).once.is_empty());
}

#[test]
fn fewer_bits_keep_fewer_bytes() {
    let bf16 = in_recipe(None).saved();
    let fp8 = in_recipe(Some(Fp8Recipe::Delayed)).saved();
    let nvfp4 = in_recipe(Some(Fp8Recipe::NvFp4)).saved();
    assert!(fp8 < bf16 && nvfp4 < fp8);
}

#[test]
fn eager_kernels_move_more_and_launch_more_but_compute_the_same() {
    let layer = llama_405b_layer();
    let job = job_of(&layer, |_| ());
    let block = |fusion| {
        let shard = Sharding {
            fusion,
            ..Sharding::single(2048)
        };
        layer_ops(&job, &layer, &shard)
    };
    let moved = |block: &BlockOps| -> u64 {
        let all = block.forward.iter().chain(block.backward());
        all.filter_map(|op| match op.work {
            Work::Kernel(Kernel::Stream(stream)) => Some(stream.bytes.as_u64()),
            _ => None,
        })
        .sum()
    };
    let (fused, eager) = (block(unfused()), block(Fusion::EAGER));
    assert!(2 * moved(&fused) < moved(&eager));
    assert!(fused.saved() < eager.saved());
    let flops = |block: &BlockOps| BlockOps::flops(&block.forward).as_f64();
    assert!((flops(&fused) / flops(&eager) - 1.0).abs() < 1e-12);
}

#[test]
fn softmax_falls_back_where_megatron_has_no_fused_kernel() {
    let layer = gpt_layer(1536, 12);
    let job = job_of(&layer, |_| ());
    let falls_back = |tp, micro_batch| {
        let shard = Sharding {
            tp,
            micro_batch,
            fusion: Fusion::MEGATRON_2021,
            ..Sharding::single(2048)
        };
        let block = layer_ops(&job, &layer, &shard);
        block.forward.iter().any(|op| op.name == "softmax_eager")
    };
    assert!(!falls_back(1, 1));
    assert!(falls_back(2, 1));
    assert!(!falls_back(2, 2));
}

#[test]
fn fused_cross_entropy_keeps_logits_in_their_own_format() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |_| ());
    let shard = |cross_entropy| Sharding {
        tp: 8,
        fusion: Fusion {
            cross_entropy,
            ..Fusion::MODERN
        },
        ..Sharding::single(2048)
    };
    let [plain, fused] = [false, true].map(|on| head_ops(&job, &shard(on), true));
    let logits = 2048 * 51_200 / 8;
    assert_eq!(plain.saved() - fused.saved(), Bytes::new(2 * logits));
    let small = |block: &BlockOps| {
        let all = collectives(&block.forward);
        all.iter()
            .filter(|(name, bytes)| *name == "all_reduce" && bytes.as_u64() < 1 << 20)
            .count()
    };
    assert_eq!((small(&plain), small(&fused)), (3, 2));
}
