//! Mixtures of experts: what is sent, what is computed, what is kept.

use profile::CollectiveKind;
use units::DType;

use super::*;
use crate::{ExpertGroups, MoeSpec};

/// Sixteen experts of which a token visits four, and attention.
fn mixture(shared: Option<u64>) -> (Job, Layer) {
    let moe = MoeSpec {
        shared_ffn: shared,
        ..MoeSpec::swiglu(16, 4, 1024)
    };
    let attention = Mixer::Attention(AttentionSpec::rotary(16, 4, 128));
    let layer = layer(2048, attention, Ffn::Moe(moe), Norms::PRE_RMS);
    (job_of(&layer, |_| ()), layer)
}

fn experts(dispatcher: Dispatcher) -> Experts {
    Experts {
        dispatcher,
        ..Experts::default()
    }
}

fn spread(ep: u32, etp: u32, dispatcher: Dispatcher) -> Sharding {
    Sharding {
        ep,
        etp,
        experts: experts(dispatcher),
        ..Sharding::single(4096)
    }
}

/// Operations of the experts' products.
fn expert_flops(block: &BlockOps) -> f64 {
    let products = block
        .forward
        .iter()
        .filter(|op| op.region == Region::Experts);
    BlockOps::flops(products).as_f64()
}

/// Sizes of the collectives of one kind.
fn sizes(ops: &[Op], wanted: CollectiveKind) -> Vec<(Axis, u64)> {
    let of = |op: &Op| match op.work {
        Work::Collective { axis, kind, bytes } if kind == wanted => Some((axis, bytes.as_u64())),
        _ => None,
    };
    ops.iter().filter_map(of).collect()
}

#[test]
fn tokens_travel_there_and_back_once_for_each_choice() {
    let (job, layer) = mixture(None);
    let block = layer_ops(&job, &layer, &spread(8, 1, Dispatcher::AllToAll));
    let bytes = 4096 * 4 * 2048 * 2;
    let both = vec![(Axis::Ep, bytes); 2];
    assert_eq!(sizes(&block.forward, CollectiveKind::AllToAll), both);
    assert_eq!(sizes(&block.input_grad, CollectiveKind::AllToAll), both);
}

#[test]
fn expert_shards_share_the_work_of_all_their_tokens() {
    let (job, layer) = mixture(None);
    let one = layer_ops(&job, &layer, &Sharding::single(4096));
    for (ep, etp) in [(2, 1), (8, 1), (4, 2), (1, 4)] {
        for dispatcher in [
            Dispatcher::AllToAll,
            Dispatcher::AllGather,
            Dispatcher::DeepEp,
        ] {
            let block = layer_ops(&job, &layer, &spread(ep, etp, dispatcher));
            assert!((expert_flops(&block) / expert_flops(&one) - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn capacity_pads_the_rows_of_experts() {
    let (job, layer) = mixture(None);
    let mut shard = spread(8, 1, Dispatcher::AllToAll);
    let plain = expert_flops(&layer_ops(&job, &layer, &shard));
    shard.experts.capacity_factor = Some(1.25);
    let padded = expert_flops(&layer_ops(&job, &layer, &shard));
    assert!((padded / plain - 1.25).abs() < 1e-9);
}

/// 16 experts, 2 a rank on 8 ranks, 4 chosen: a rank is missed with probability
/// 14·13·12·11 / (16·15·14·13).
#[test]
fn deep_ep_sends_a_token_once_to_each_rank_that_it_needs() {
    let (job, layer) = mixture(None);
    let block = layer_ops(&job, &layer, &spread(8, 1, Dispatcher::DeepEp));
    // Met are 8 · (1 − 0.55) = 3.6 ranks a token, rounded up over 4,096 tokens.
    let bytes = 14_746 * 2048 * 2;
    let sent = sizes(&block.forward, CollectiveKind::AllToAll);
    assert_eq!(sent, vec![(Axis::Ep, bytes); 2]);
}

/// DeepSeek-V3: 256 experts in 8 groups, 8 chosen from at most 4 groups. On 8 domains a group is a
/// domain; on 2 domains of 4 groups, a domain holds 0 to 4 of the open groups with the chances
/// 1, 16, 36, 16 and 1 of 70.
#[test]
fn deep_ep_sends_a_token_once_to_each_domain_that_its_groups_allow() {
    let moe = MoeSpec {
        groups: ExpertGroups { all: 8, visited: 4 },
        ..MoeSpec::swiglu(256, 8, 2048)
    };
    let attention = Mixer::Attention(AttentionSpec::rotary(16, 4, 128));
    let layer = layer(2048, attention, Ffn::Moe(moe), Norms::PRE_RMS);
    let job = job_of(&layer, |_| ());
    let rows = |domains: u32| {
        let mut shard = spread(64, 1, Dispatcher::DeepEp);
        shard.experts.domains = domains;
        let block = layer_ops(&job, &layer, &shard);
        let sent = sizes(&block.forward, CollectiveKind::AllToAll);
        (sent[0].1 / (2048 * 2)) as f64 / 4096.0
    };
    // C(128 - n, 8) / C(128, 8)
    let none_of = |n: u64| -> f64 {
        (0..8)
            .map(|i| (128 - n - i) as f64 / (128 - i) as f64)
            .product()
    };
    assert!((rows(8) - 4.0 * (1.0 - none_of(32))).abs() < 1e-3);
    let missed = (1.0 + 16.0 * none_of(32) + 36.0 * none_of(64) + 16.0 * none_of(96)) / 70.0;
    assert!((rows(2) - 2.0 * (1.0 - missed)).abs() < 1e-3);
    assert!(rows(2) < rows(8) && rows(8) < rows(1));
}

#[test]
fn gathering_dispatch_moves_every_token_of_the_group() {
    let (job, layer) = mixture(None);
    let block = layer_ops(&job, &layer, &spread(4, 2, Dispatcher::AllGather));
    let bytes = 8 * 4096 * 2048 * 2;
    let gathers = sizes(&block.forward, CollectiveKind::AllGather);
    let scatters = sizes(&block.forward, CollectiveKind::ReduceScatter);
    assert_eq!(gathers, vec![(Axis::EpEtp, bytes)]);
    assert_eq!(scatters, vec![(Axis::EpEtp, bytes)]);
}

#[test]
fn shared_experts_run_beside_the_dispatch_where_asked() {
    let (job, layer) = mixture(Some(1024));
    let mut shard = spread(8, 1, Dispatcher::AllToAll);
    shard.experts.shared_overlap = true;
    let block = layer_ops(&job, &layer, &shard);
    let dispatch = block
        .forward
        .iter()
        .position(|op| op.name == "dispatch")
        .unwrap();
    let Overlap::Async(slot) = block.forward[dispatch].overlap else {
        panic!("the dispatch is asynchronous");
    };
    assert_eq!(block.forward[dispatch + 1].region, Region::SharedExpert);
    let waiting = block
        .forward
        .iter()
        .find(|op| op.waits == Some(slot))
        .unwrap();
    assert_eq!(waiting.name, "sort_experts");
    let back = block
        .input_grad
        .iter()
        .position(|op| op.region == Region::SharedExpert);
    assert!(matches!(
        block.input_grad[back.unwrap() - 1].overlap,
        Overlap::Async(_)
    ));
}

#[test]
fn recomputing_the_expert_activation_drops_the_input_of_the_second_product() {
    let (job, layer) = mixture(None);
    let block = layer_ops(&job, &layer, &Sharding::single(4096));
    let policy = Recompute::Modules(Regions::MOE_ACTIVATION);
    let dropped = block.saved() - kept(&block, policy);
    let rows = 4096 * 4;
    assert_eq!(dropped, Bytes::new(rows * 1024 * 2 + rows * 4));
    let names: Vec<_> = recomputed(&block, policy)
        .iter()
        .map(|op| op.name)
        .collect();
    assert_eq!(names, ["activation"]);
}

#[test]
fn recomputing_the_mixture_repeats_its_all_to_alls() {
    let (job, layer) = mixture(Some(1024));
    let block = layer_ops(&job, &layer, &spread(8, 1, Dispatcher::AllToAll));
    let again = recomputed(&block, Recompute::Modules(Regions::MOE));
    assert_eq!(sizes(&again, CollectiveKind::AllToAll).len(), 2);
    assert!(again.iter().all(|op| op.region != Region::AttentionCore));
}

#[test]
fn experts_launch_one_by_one_without_grouped_products() {
    let (job, layer) = mixture(None);
    let mut shard = spread(8, 1, Dispatcher::AllToAll);
    let count = |shard: &Sharding| {
        let block = layer_ops(&job, &layer, shard);
        let ups = block.forward.iter().filter(|op| op.name == "expert_up");
        (ups.count(), expert_flops(&block), block.saved())
    };
    let (grouped, flops, saved) = count(&shard);
    shard.fusion.grouped_gemm = false;
    let (single, same, kept) = count(&shard);
    assert_eq!((grouped, single), (1, 2));
    assert!((flops / same - 1.0).abs() < 1e-12);
    assert_eq!(saved, kept);
}

#[test]
fn inputs_of_the_experts_activation_may_wait_in_a_smaller_format() {
    let (job, layer) = mixture(None);
    let mut shard = spread(8, 1, Dispatcher::AllToAll);
    let kept = |shard: &Sharding| {
        let block = layer_ops(&job, &layer, shard);
        let up = block.forward.iter().find(|op| op.name == "expert_up");
        up.unwrap().saved.as_u64()
    };
    let wide = kept(&shard);
    shard.experts.activation_dtype = Some(DType::Fp8);
    assert_eq!(wide, 2 * kept(&shard));
    assert!(0 < wide);
}
