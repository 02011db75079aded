//! A mixture of experts: router, tokens to experts and back, products of experts, shared
//! experts.
//!
//! ```text
//! norm ─┬─ router ── permute ── all-to-all ── sort ── experts ── unsort ── all-to-all ── unpermute ─┬─
//!       └────────────────────────── shared experts ─────────────────────────────────────────────────┘
//! ```
//!
//! Routing is balanced: every rank of an expert group receives what it sends. Rows per expert
//! that differ are a matter of the plan, which scales the kernels of this list.

use profile::{CollectiveKind, StreamKind};
use units::{Bytes, DType};

use super::builder::{Builder, collective, stream};
use super::ffn::Width;
use super::linear::{Layout, Linear};
use super::op::{Axis, Overlap, Slot, Work};
use super::pointwise::Activation;
use super::region::Region;
use super::sharding::Dispatcher;
use crate::MoeSpec;

/// Sizes of one mixture of experts on one rank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routed {
    /// Tokens that this rank routes.
    pub(super) tokens: u64,
    /// Width in which tokens travel and experts read and write.
    pub(super) width: u64,
    /// Rows that this rank sends: one a token and chosen expert.
    pub(super) sent: u64,
    /// Rows that the experts of this rank compute.
    pub(super) rows: u64,
    /// Experts on this rank.
    pub(super) experts: u64,
    /// Inner width of an expert on this rank.
    pub(super) inner: u64,
    /// Rows that travel under the dispatcher, one way.
    pub(super) traveling: u64,
}

impl Routed {
    /// The sizes that a plan gives.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of rows are far below 2^53 and positive"
    )]
    pub(super) fn new(b: &Builder<'_>, moe: &MoeSpec) -> Self {
        let (ep, etp) = (u64::from(b.shard.ep), u64::from(b.shard.etp));
        let tokens = b.stream;
        let capacity = b.shard.experts.capacity_factor.unwrap_or(1.0);
        let sent = ((tokens * moe.top_k) as f64 * capacity).ceil() as u64;
        let traveling = match b.shard.experts.dispatcher {
            Dispatcher::AllToAll => sent,
            Dispatcher::AllGather => tokens * ep * etp,
            Dispatcher::DeepEp => {
                let domains = u64::from(b.shard.experts.domains);
                let parts = if 1 < domains { domains } else { ep };
                (tokens as f64 * parts_met(moe, parts)).ceil() as u64
            }
        };
        Self {
            tokens,
            width: moe.latent.unwrap_or(b.hidden),
            sent,
            rows: sent * etp,
            experts: moe.experts.div_ceil(ep),
            inner: moe.expert_ffn.div_ceil(etp),
            traveling,
        }
    }
}

/// On how many of `parts` equal parts of all experts those of a token lie, on average over uniform
/// choices without repetition from the groups that it may visit.
///
/// With one group `parts (1 − C(E − E/parts, k) / C(E, k))`.
fn parts_met(moe: &MoeSpec, parts: u64) -> f64 {
    let (all, k) = (moe.experts as f64, moe.top_k);
    let [groups, visited] = [moe.groups.all, moe.groups.visited].map(|n| n as f64);
    let (part, open) = (all / parts as f64, all * visited / groups);
    // A part lies in one group, or consists of whole groups of which each may be open.
    let inside = groups / parts as f64;
    let missed = if inside <= 1.0 {
        1.0 - visited / groups * (1.0 - missed(open - part, open, k))
    } else {
        (0..=moe.groups.visited)
            .map(|opened| {
                let opened = opened as f64;
                let chance = drawn([groups, visited], inside, opened);
                chance * missed(open - opened * all / groups, open, k)
            })
            .sum()
    };
    parts as f64 * (1.0 - missed)
}

/// The chance that `k` different choices out of `all` fall into `others`.
fn missed(others: f64, all: f64, k: u64) -> f64 {
    (0..k)
        .map(|i| (others - i as f64).max(0.0) / (all - i as f64))
        .product()
}

/// The chance that of `visited` different groups out of `groups` exactly `hits` are among `inside`
/// given ones (the hypergeometric distribution).
fn drawn([groups, visited]: [f64; 2], inside: f64, hits: f64) -> f64 {
    choose(inside, hits) * choose(groups - inside, visited - hits) / choose(groups, visited)
}

/// `C(n, k)`; 0 where there are too few.
fn choose(n: f64, k: f64) -> f64 {
    if k < 0.0 || n < k {
        return 0.0;
    }
    let mut product = 1.0;
    let mut i = 0.0;
    while i < k {
        product *= (n - i) / (i + 1.0);
        i += 1.0;
    }
    product
}

impl Builder<'_> {
    /// Walks a mixture of experts between its norm and its residual addition.
    pub(super) fn moe(&mut self, moe: &MoeSpec) {
        let routed = Routed::new(self, moe);
        // The norm's output has two readers, or three.
        for _ in 0..=u32::from(moe.shared_ffn.is_some()) {
            self.branch(Region::Router);
        }
        self.router(moe, &routed);
        if let Some(latent) = moe.latent {
            let mnk = [routed.tokens, latent, self.hidden];
            self.linear(&Linear::new("latent_down", Region::Dispatch, mnk));
        }
        let beside = self.shard.experts.shared_overlap && moe.shared_ffn.is_some();
        let slots = beside.then(|| [self.slot(), self.slot()]);
        self.dispatch_send(&routed, slots);
        if beside {
            self.shared(moe);
        }
        self.dispatch_receive(&routed, slots);
        self.experts(moe, &routed);
        self.combine(&routed);
        if let Some(latent) = moe.latent {
            let mnk = [routed.tokens, self.hidden, latent];
            let saved = self.input_saved(routed.tokens * latent, true, false);
            self.linear(&Linear {
                saved,
                ..Linear::new("latent_up", Region::Combine, mnk)
            });
        }
        if moe.shared_ffn.is_some() {
            if !beside {
                self.shared(moe);
            }
            let values = self.stream * self.hidden;
            self.add("expert_add", Region::Combine, values);
        }
    }

    /// Scores of all experts in fp32, the choice of the largest, and what backward needs of
    /// them: probabilities and the map of choices.
    fn router(&mut self, moe: &MoeSpec, routed: &Routed) {
        let scores = routed.tokens * moe.experts;
        self.linear(&Linear {
            quantized: false,
            ..Linear::new(
                "router",
                Region::Router,
                [routed.tokens, moe.experts, self.hidden],
            )
        });
        if moe.router_bias {
            self.values(moe.experts, true);
        }
        let (passes, launches) = if self.shard.fusion.permute {
            (12, 3)
        } else {
            (40, 12)
        };
        let work = stream(StreamKind::Router, scores * passes, launches);
        let saved = scores * if self.shard.fusion.permute { 5 } else { 9 };
        self.forward("route", Region::Router, work, saved);
        self.backward(|b| {
            b.input_grad("route", Region::Router, work);
        });
    }

    /// Tokens permuted by expert and sent. Backward the gradients arrive and are summed by token.
    fn dispatch_send(&mut self, routed: &Routed, slots: Option<[Slot; 2]>) {
        let gathers = self.shard.experts.dispatcher == Dispatcher::AllGather;
        if !gathers {
            let map = 4 * routed.sent;
            let work = self.permute(routed.tokens, routed.sent, routed.width);
            self.forward("permute", Region::Dispatch, work, map)
                .workspace = Bytes::new(routed.sent * routed.width * self.act);
            self.backward(|b| {
                b.input_grad("unpermute", Region::Dispatch, work).waits =
                    slots.map(|[_, slot]| slot);
            });
        }
        let travels = self.dispatch_work(routed);
        if let Some(work) = travels {
            let op = self.forward(dispatch_name(gathers), Region::Dispatch, work, 0);
            op.workspace = work_bytes(&work);
            if let Some([slot, _]) = slots {
                op.overlap = Overlap::Async(slot);
            }
        }
    }

    /// Tokens gathered over the shards of an expert and sorted by expert. Backward the gradients
    /// are scattered and sent.
    fn dispatch_receive(&mut self, routed: &Routed, slots: Option<[Slot; 2]>) {
        let gathers = self.shard.experts.dispatcher == Dispatcher::AllGather;
        let back = self.combine_work(routed);
        if let Some(work) = back {
            self.backward(|b| {
                let op = b.input_grad(combine_name(gathers), Region::Dispatch, work);
                if let Some([_, slot]) = slots {
                    op.overlap = Overlap::Async(slot);
                }
            });
        }
        if let Some([slot, _]) = slots {
            self.await_next(slot);
        }
        self.gather_shards(routed);
        self.sort(routed);
        let values = routed.rows * routed.width;
        let saved = self.input_saved(values, true, true);
        if let Some(op) = self.last() {
            op.saved += Bytes::new(saved);
        }
    }

    /// The all-gather over the shards of an expert, whose backward pass is a reduce-scatter.
    fn gather_shards(&mut self, routed: &Routed) {
        if self.shard.etp <= 1 || self.shard.experts.dispatcher == Dispatcher::AllGather {
            return;
        }
        let bytes = routed.rows * routed.width * self.act;
        let gather = collective(Axis::Etp, CollectiveKind::AllGather, bytes);
        let scatter = collective(Axis::Etp, CollectiveKind::ReduceScatter, bytes);
        self.forward("etp_all_gather", Region::Dispatch, gather, 0);
        self.backward(|b| {
            b.input_grad("etp_reduce_scatter", Region::Dispatch, scatter);
        });
    }

    /// The order by expert that grouped products need, where several experts receive rows from
    /// several ranks, or whole tokens arrived.
    fn sort(&mut self, routed: &Routed) {
        let (name, work) = self.sort_work(routed);
        if let Some(work) = work {
            self.forward(name, Region::Dispatch, work, 0);
            self.backward(|b| {
                b.input_grad(name, Region::Dispatch, work);
            });
        }
    }

    /// The kernel of [`sort`](Self::sort).
    fn sort_work(&self, routed: &Routed) -> (&'static str, Option<Work>) {
        let whole = self.shard.experts.dispatcher != Dispatcher::AllToAll;
        if whole {
            let arrived = routed.traveling.min(routed.rows);
            (
                "permute",
                Some(self.permute(arrived, routed.rows, routed.width)),
            )
        } else if 1 < routed.experts && 1 < self.shard.ep {
            (
                "sort_experts",
                Some(self.permute(routed.rows, routed.rows, routed.width)),
            )
        } else {
            ("sort_experts", None)
        }
    }

    /// Two products and the activation of every expert on the rank.
    fn experts(&mut self, moe: &MoeSpec, routed: &Routed) {
        let Routed {
            rows,
            width,
            inner,
            experts,
            ..
        } = *routed;
        let up = inner * if moe.gated { 2 } else { 1 };
        self.linear(&Linear {
            experts,
            saved: self.expert_activation_input(rows * up),
            bias: moe.bias,
            adapted: self.targets().up,
            ..Linear::new("expert_up", Region::Experts, [rows, up, width])
        });
        let probabilities = if self.shard.fusion.permute {
            4 * rows
        } else {
            0
        };
        let saved = self.input_saved(rows * inner, true, self.targets().down) + probabilities;
        self.activation(&Activation {
            region: Region::ExpertActivation,
            values: rows * inner,
            gated: moe.gated,
            saved,
        });
        self.linear(&Linear {
            experts,
            bias: moe.bias,
            cast_before: true,
            adapted: self.targets().down,
            ..Linear::new("expert_down", Region::Experts, [rows, width, inner])
        });
    }

    /// Bytes in which so many inputs of the experts' activation function are kept.
    fn expert_activation_input(&self, values: u64) -> u64 {
        let dtype = self.shard.experts.activation_dtype;
        let value = dtype.map_or(self.act as f64, DType::bytes);
        Bytes::from_f64(values as f64 * value).as_u64()
    }

    /// Outputs back to their tokens, weighted and summed. Unless probabilities were applied
    /// before, the outputs are kept for the gradient of the probabilities.
    fn combine(&mut self, routed: &Routed) {
        let gathers = self.shard.experts.dispatcher == Dispatcher::AllGather;
        let (sort_name, sort) = self.sort_work(routed);
        let outputs = if self.shard.fusion.permute {
            0
        } else {
            routed.rows * routed.width * self.act
        };
        if let Some(work) = sort {
            self.forward(sort_name, Region::Combine, work, 0);
            self.backward(|b| {
                b.input_grad(sort_name, Region::Combine, work);
            });
        }
        self.scatter_shards(routed);
        if let Some(work) = self.combine_work(routed) {
            self.forward(combine_name(gathers), Region::Combine, work, 0)
                .workspace = work_bytes(&work);
        }
        if let Some(work) = self.dispatch_work(routed) {
            self.backward(|b| {
                b.input_grad(dispatch_name(gathers), Region::Combine, work);
            });
        }
        if !gathers {
            let work = self.permute(routed.sent, routed.tokens, routed.width);
            self.forward("unpermute", Region::Combine, work, 0);
            self.backward(|b| {
                b.input_grad("permute", Region::Combine, work);
            });
        }
        if let Some(op) = self.last() {
            op.saved += Bytes::new(outputs);
        }
    }

    /// The sum over the shards of an expert.
    fn scatter_shards(&mut self, routed: &Routed) {
        if self.shard.etp <= 1 || self.shard.experts.dispatcher == Dispatcher::AllGather {
            return;
        }
        let bytes = routed.rows * routed.width * self.act;
        let gather = collective(Axis::Etp, CollectiveKind::AllGather, bytes);
        let scatter = collective(Axis::Etp, CollectiveKind::ReduceScatter, bytes);
        self.forward("etp_reduce_scatter", Region::Combine, scatter, 0);
        self.backward(|b| {
            b.input_grad("etp_all_gather", Region::Combine, gather);
        });
    }

    /// The shared experts: a dense part cut over tp, with a gate of one column where it has one.
    fn shared(&mut self, moe: &MoeSpec) {
        let Some(width) = moe.shared_ffn else { return };
        if moe.shared_gate {
            self.linear(&Linear {
                quantized: false,
                ..Linear::new(
                    "shared_gate",
                    Region::SharedExpert,
                    [self.stream, 1, self.hidden],
                )
            });
        }
        self.dense(&Width {
            inner: width,
            gated: moe.gated,
            bias: false,
            region: Region::SharedExpert,
            activation: Region::SharedExpert,
            up: Layout::Column,
            down: Layout::Row,
        });
    }

    /// How tokens travel to the experts.
    fn dispatch_work(&self, routed: &Routed) -> Option<Work> {
        let dtype = self.shard.experts.dispatch_dtype;
        let value = dtype.map_or(self.act as f64, DType::bytes);
        let bytes = (routed.traveling * routed.width) as f64 * value;
        self.travel(Bytes::from_f64(bytes), CollectiveKind::AllGather)
    }

    /// How outputs travel back.
    fn combine_work(&self, routed: &Routed) -> Option<Work> {
        let bytes = Bytes::new(routed.traveling * routed.width * self.act);
        self.travel(bytes, CollectiveKind::ReduceScatter)
    }

    /// One way between tokens and experts; none where all experts are here.
    fn travel(&self, bytes: Bytes, whole: CollectiveKind) -> Option<Work> {
        let gathers = self.shard.experts.dispatcher == Dispatcher::AllGather;
        let (axis, kind) = if gathers {
            (Axis::EpEtp, whole)
        } else {
            (Axis::Ep, CollectiveKind::AllToAll)
        };
        let ranks = self.shard.ep * if gathers { self.shard.etp } else { 1 };
        (1 < ranks).then_some(Work::Collective { axis, kind, bytes })
    }

    /// A copy of rows into another order: `read` rows in, `written` rows out.
    fn permute(&self, read: u64, written: u64, width: u64) -> Work {
        let launches = if self.shard.fusion.permute { 1 } else { 4 };
        let passes = if self.shard.fusion.permute { 1 } else { 2 };
        let bytes = passes * (read + written) * width * self.act;
        stream(StreamKind::Permute, bytes, launches)
    }
}

/// The name of the way to the experts.
const fn dispatch_name(gathers: bool) -> &'static str {
    if gathers { "ep_all_gather" } else { "dispatch" }
}

/// The name of the way back.
const fn combine_name(gathers: bool) -> &'static str {
    if gathers {
        "ep_reduce_scatter"
    } else {
        "combine"
    }
}

/// The size of a collective.
const fn work_bytes(work: &Work) -> Bytes {
    match work {
        Work::Collective { bytes, .. } => *bytes,
        _ => Bytes::ZERO,
    }
}
