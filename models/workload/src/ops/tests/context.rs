//! Context parallelism: bytes that travel, and work that is cut evenly.

use profile::{Kernel, Mask, Pass};

use super::*;

const S: u64 = 8192;
const CP: u32 = 4;

/// Grouped queries: 32 heads share 8 of 128.
fn grouped() -> (Job, Layer) {
    let attention = Mixer::Attention(AttentionSpec::rotary(32, 8, 128));
    let ffn = Ffn::Dense(DenseSpec::swiglu(11_008));
    let layer = layer(4096, attention, ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |spec| spec.seq_len = S);
    (job, layer)
}

fn cut(method: CpMethod) -> BlockOps {
    let (job, layer) = grouped();
    let shard = Sharding {
        cp: CP,
        cp_method: method,
        ..Sharding::single(S)
    };
    layer_ops(&job, &layer, &shard)
}

/// What travels each way in the shifts of a list.
fn shifts(ops: &[Op]) -> Vec<(u64, u64)> {
    let of = |op: &Op| match op.work {
        Work::Shift { forward, back, .. } => Some((forward.as_u64(), back.as_u64())),
        _ => None,
    };
    ops.iter().filter_map(of).collect()
}

/// Operations of attention kernels.
fn attention_flops(ops: &[Op]) -> f64 {
    let attention = |op: &&Op| matches!(op.work, Work::Kernel(Kernel::Attention(_)));
    BlockOps::flops(ops.iter().filter(attention)).as_f64()
}

#[test]
fn a_ring_moves_keys_and_values_and_backward_their_gradients_too() {
    let block = cut(CpMethod::Ring);
    let kv = S / 4 * 2 * 8 * 128 * 2;
    assert_eq!(shifts(&block.forward), vec![(kv, 0); 3]);
    let back = vec![(kv, 0), (2 * kv, 0), (2 * kv, 0), (kv, 0)];
    assert_eq!(shifts(&block.input_grad), back);
}

#[test]
fn every_step_of_a_causal_ring_has_the_same_work() {
    let block = cut(CpMethod::Ring);
    let steps: Vec<f64> = block
        .forward
        .iter()
        .filter(|op| op.name == "attention")
        .map(|op| op.flops().as_f64())
        .collect();
    assert_eq!(steps.len(), 4);
    assert!(
        steps
            .iter()
            .all(|step| (step / steps[0] - 1.0).abs() < 1e-12)
    );
}

#[test]
fn every_method_cuts_attention_into_equal_shares() {
    let (job, layer) = grouped();
    let whole = layer_ops(&job, &layer, &Sharding::single(S));
    let methods = [
        CpMethod::Ring,
        CpMethod::AllToAll,
        CpMethod::TokenRing,
        CpMethod::AllGather,
    ];
    for method in methods {
        let part = cut(method);
        for (all, share) in [
            (&whole.forward, &part.forward),
            (&whole.input_grad, &part.input_grad),
        ] {
            let ratio = attention_flops(all) / attention_flops(share);
            assert!((ratio / 4.0 - 1.0).abs() < 1e-9, "{method:?} {ratio}");
        }
    }
}

#[test]
fn ulysses_exchanges_four_tensors_each_way() {
    let block = cut(CpMethod::AllToAll);
    let (q, kv) = (S / 4 * 32 * 128 * 2, S / 4 * 8 * 128 * 2);
    let bytes = [q, kv, kv, q].map(|bytes| ("cp_all_to_all", Bytes::new(bytes)));
    assert_eq!(collectives(&block.forward), bytes);
    assert_eq!(
        collectives(&block.input_grad),
        [q, q, kv, kv].map(|bytes| ("cp_all_to_all", Bytes::new(bytes)))
    );
}

#[test]
fn token_ring_sends_half_of_ring_attention_with_as_many_key_heads() {
    let attention = Mixer::Attention(AttentionSpec::rotary(32, 32, 128));
    let ffn = Ffn::Dense(DenseSpec::swiglu(11_008));
    let layer = layer(4096, attention, ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |spec| spec.seq_len = S);
    let block = |method| {
        let shard = Sharding {
            cp: CP,
            cp_method: method,
            ..Sharding::single(S)
        };
        layer_ops(&job, &layer, &shard)
    };
    let (ring, _) = shifts(&block(CpMethod::Ring).forward)[0];
    let token = shifts(&block(CpMethod::TokenRing).forward);
    assert_eq!(token[0], (ring / 2, 0));
    let statistics = S / 4 * 32 * 4;
    assert_eq!(token[1], (ring / 2, ring / 2 + statistics));
    assert_eq!(token[3], (0, ring / 2 + statistics));
}

/// 4 A10, 32 heads of 128, 24,000 tokens, half precision: a step of the ring carries 98.3 MB, one
/// of TokenRing 49.2 MB a direction.
#[test]
fn token_ring_moves_the_published_bytes() {
    let attention = Mixer::Attention(AttentionSpec::rotary(32, 32, 128));
    let ffn = Ffn::Dense(DenseSpec::swiglu(11_008));
    let layer = layer(4096, attention, ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |spec| spec.seq_len = 24_000);
    let first = |method| {
        let shard = Sharding {
            cp: CP,
            cp_method: method,
            ..Sharding::single(24_000)
        };
        shifts(&layer_ops(&job, &layer, &shard).forward)[0].0
    };
    assert_eq!(first(CpMethod::Ring), 98_304_000);
    assert_eq!(first(CpMethod::TokenRing), 49_152_000);
}

#[test]
fn a_shift_runs_beside_the_kernel_before_the_one_that_needs_it() {
    let block = cut(CpMethod::Ring);
    let at = |name| block.forward.iter().position(|op| op.name == name).unwrap();
    let first = at("cp_shift");
    let Overlap::Async(slot) = block.forward[first].overlap else {
        panic!("a shift is asynchronous");
    };
    assert_eq!(block.forward[first + 1].name, "attention");
    assert_eq!(block.forward[first + 1].waits, None);
    assert_eq!(block.forward[first + 3].waits, Some(slot));
}

#[test]
fn rings_of_many_ranks_name_every_step() {
    let (job, layer) = grouped();
    for method in [CpMethod::Ring, CpMethod::TokenRing] {
        let shard = Sharding {
            cp: 512,
            cp_method: method,
            ..Sharding::single(S)
        };
        let block = layer_ops(&job, &layer, &shard);
        let two = block.clone().then(block.clone());
        let all = two.forward.iter().chain(&two.input_grad);
        let mut slots: Vec<Slot> = all
            .filter_map(|op| match op.overlap {
                Overlap::Async(slot) => Some(slot),
                _ => None,
            })
            .collect();
        let many = slots.len();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!((slots.len(), many), (4 * 511, 4 * 511), "{method:?}");
    }
}

#[test]
fn a_window_reaches_few_ranks_of_a_ring() {
    let attention = Mixer::Attention(AttentionSpec {
        window: Some(1024),
        ..AttentionSpec::rotary(32, 8, 128)
    });
    let ffn = Ffn::Dense(DenseSpec::swiglu(11_008));
    let layer = layer(4096, attention, ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |spec| spec.seq_len = S);
    let shard = Sharding {
        cp: CP,
        ..Sharding::single(S)
    };
    let block = layer_ops(&job, &layer, &shard);
    assert_eq!(shifts(&block.forward).len(), 1);
    let whole = layer_ops(&job, &layer, &Sharding::single(S));
    let ratio = attention_flops(&whole.forward) / attention_flops(&block.forward);
    assert!((ratio / 4.0 - 1.0).abs() < 0.01, "{ratio}");
}

#[test]
fn packed_sequences_leave_the_scores_of_their_own_tokens() {
    let (_, layer) = grouped();
    let job = job_of(&layer, |spec| {
        spec.seq_len = S;
        spec.packed = Some(512);
    });
    let block = layer_ops(&job, &layer, &Sharding::single(S));
    let kernel = block.forward.iter().find_map(|op| match op.work {
        Work::Kernel(Kernel::Attention(attention)) => Some(attention),
        _ => None,
    });
    let kernel = kernel.unwrap();
    assert_eq!(
        (kernel.mask, kernel.pass),
        (Mask::Packed(512), Pass::Forward)
    );
}
