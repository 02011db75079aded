//! Shapes of products, and what stands around them.

#![expect(clippy::float_cmp, reason = "both sides sum the same whole numbers")]

use super::*;

fn sharded(tp: u32, sequence_parallel: bool) -> Sharding {
    Sharding {
        tp,
        sequence_parallel,
        fusion: unfused(),
        ..Sharding::single(2048)
    }
}

#[test]
fn without_sequence_parallelism_a_layer_reduces_twice_each_way() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &sharded(4, false));
    let whole = Bytes::new(2 * 2048 * 2048);
    let two = vec![("all_reduce", whole); 2];
    assert_eq!(collectives(&block.forward), two);
    assert_eq!(collectives(&block.input_grad), two);
    assert_eq!(collectives(&block.weight_grad), vec![]);
}

#[test]
fn with_sequence_parallelism_weight_gradients_gather_inputs_again() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &sharded(4, true));
    let whole = Bytes::new(2 * 2048 * 2048);
    let names = |ops| {
        collectives(ops)
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
    };
    let pairs = [
        "all_gather",
        "reduce_scatter",
        "all_gather",
        "reduce_scatter",
    ];
    assert_eq!(names(&block.forward), pairs);
    assert_eq!(names(&block.input_grad), pairs);
    assert_eq!(names(&block.weight_grad), ["all_gather", "all_gather"]);
    let all = [&block.forward, &block.input_grad, &block.weight_grad];
    assert!(
        all.iter()
            .flat_map(|ops| collectives(ops))
            .all(|(_, bytes)| bytes == whole)
    );
}

#[test]
fn both_gradients_take_twice_the_products_of_the_forward_pass() {
    for layer in [gpt_layer(2048, 16), llama_405b_layer()] {
        let job = job_of(&layer, |_| ());
        let block = layer_ops(&job, &layer, &sharded(8, true));
        let forward = gemm_flops(&block.forward);
        assert_eq!(gemm_flops(&block.input_grad), forward);
        assert_eq!(gemm_flops(&block.weight_grad), forward);
    }
}

#[test]
fn a_joint_backward_pass_holds_every_operator_once_and_in_order() {
    let layer = llama_405b_layer();
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &sharded(8, true));
    let joint: Vec<Op> = block.backward().copied().collect();
    let of = |phase| {
        joint
            .iter()
            .filter(|op| op.phase == phase)
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Phase::InputGrad), block.input_grad);
    assert_eq!(of(Phase::WeightGrad), block.weight_grad);
    assert_eq!(
        joint.len(),
        block.input_grad.len() + block.weight_grad.len()
    );
}
