//! `[choices]`: what a framework does without being asked.

use lower::{Framework, GradientCopies, Overlaps, Replay, Reshard};
use plan::{Offers, ScheduleKind, ShardKind};
use profile::AttentionKernel;
use workload::ops::Fusion;

use crate::fields::Fields;
use crate::sections::ATTENTION;
use crate::shape::{Shape, boolean, either, list, mapped, one_of, table, text, whole};

/// A choice and where it is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<T> {
    /// What is chosen.
    pub value: T,
    /// File and function or flag; nothing where a scenario chooses.
    pub source: String,
}

/// How data-parallel ranks share states, where a plan does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefaultShard {
    /// Nothing is shared.
    None,
    /// The optimizer's states (`ZeRO`-1).
    Optimizer,
    /// Gradients too (`ZeRO`-2).
    Gradients,
    /// Weights too (`ZeRO`-3, FSDP).
    Weights,
    /// Weights inside nodes, gradients and the optimizer's states over all ranks.
    InNode,
}

const SHARDS: [(&str, DefaultShard); 5] = [
    ("none", DefaultShard::None),
    ("zero-1", DefaultShard::Optimizer),
    ("zero-2", DefaultShard::Gradients),
    ("zero-3", DefaultShard::Weights),
    ("weights-in-node", DefaultShard::InNode),
];

const RESHARD: [(&str, Reshard); 3] = [
    ("each-pass", Reshard::EachPass),
    ("after-backward", Reshard::AfterBackward),
    ("unless-pipelined", Reshard::UnlessPipelined),
];

const REPLAY: [(&str, Replay); 2] = [
    ("whole", Replay::Whole),
    ("until-needed", Replay::UntilNeeded),
];

const COPIES: [(&str, GradientCopies); 3] = [
    ("none", GradientCopies::None),
    ("float", GradientCopies::Float),
    ("flat", GradientCopies::Flat),
];

/// What a framework does without being asked; what is absent, the nearest framework says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the descriptions of the fields say it")]
pub struct Choices {
    pub attention: Option<Chosen<AttentionKernel>>,
    pub softmax_limit: Option<Chosen<u64>>,
    pub fused_norm: Option<Chosen<bool>>,
    pub fused_bias_dropout_residual: Option<Chosen<bool>>,
    pub fused_activation: Option<Chosen<bool>>,
    pub fused_rotary: Option<Chosen<bool>>,
    pub fused_cross_entropy: Option<Chosen<bool>>,
    pub cross_entropy_in_place: Option<Chosen<bool>>,
    pub fused_grad_accumulation: Option<Chosen<bool>>,
    pub grouped_gemm: Option<Chosen<bool>>,
    pub fused_permute: Option<Chosen<bool>>,
    pub vocab_multiple: Option<Chosen<u64>>,
    pub scatter_gather: Option<Chosen<bool>>,
    pub overlap_tp: Option<Chosen<bool>>,
    pub overlap_p2p: Option<Chosen<bool>>,
    pub overlap_grad_reduce: Option<Chosen<bool>>,
    pub overlap_param_gather: Option<Chosen<bool>>,
    pub clips_gradients: Option<Chosen<bool>>,
    pub reshard: Option<Chosen<Reshard>>,
    pub gradient_copies: Option<Chosen<GradientCopies>>,
    pub cuda_graphs: Option<Chosen<bool>>,
    pub dummy_gradients: Option<Chosen<bool>>,
    pub deterministic: Option<Chosen<bool>>,
    pub shard: Option<Chosen<DefaultShard>>,
    pub replay: Option<Chosen<Replay>>,
    pub schedules: Option<Chosen<Vec<ScheduleKind>>>,
    pub shards: Option<Chosen<Vec<ShardKind>>>,
    pub sharded_pipeline: Option<Chosen<bool>>,
    pub tensor_parallel: Option<Chosen<bool>>,
    pub sequence_parallel: Option<Chosen<bool>>,
    pub context_parallel: Option<Chosen<bool>>,
    pub selective_recompute: Option<Chosen<bool>>,
}

type Choice<T> = Option<Chosen<T>>;

fn chosen<S: Shape>(
    t: &mut Fields<'_, '_>,
    key: &'static str,
    doc: &'static str,
    shape: &dyn Fn() -> S,
) -> Choice<S::Out> {
    let read = |t: &mut Fields<'_, '_>| Chosen {
        value: t.get("value", "what is chosen", shape()).required(),
        source: t
            .get("source", "file and function or flag that says so", text())
            .required(),
    };
    let alone = mapped(shape(), |value| Chosen {
        value,
        source: String::new(),
    });
    t.get(key, doc, either(alone, table(read))).optional()
}

#[expect(clippy::too_many_lines, reason = "a line or two a field")]
pub(crate) fn choices(t: &mut Fields<'_, '_>) -> Choices {
    let mut flag = |key, doc| chosen(t, key, doc, &boolean);
    Choices {
        fused_norm: flag("fused_norm", "norms in one kernel"),
        tensor_parallel: flag("tensor_parallel", "whether it has tensor parallelism"),
        sequence_parallel: flag("sequence_parallel", "whether it has sequence parallelism"),
        context_parallel: flag("context_parallel", "whether it has context parallelism"),
        selective_recompute: flag(
            "selective_recompute",
            "whether it can compute the attention core alone again",
        ),
        sharded_pipeline: flag(
            "sharded_pipeline",
            "whether ranks of a pipeline can share gradients and weights",
        ),
        fused_bias_dropout_residual: flag(
            "fused_bias_dropout_residual",
            "bias, dropout and residual addition in one kernel",
        ),
        fused_activation: flag("fused_activation", "bias and activation in one kernel"),
        fused_rotary: flag("fused_rotary", "rotary embedding in one kernel"),
        fused_cross_entropy: flag(
            "fused_cross_entropy",
            "softmax, loss and gradient over logits in their own format",
        ),
        cross_entropy_in_place: flag(
            "cross_entropy_in_place",
            "a fused loss that works on the logits; else it is compiled and casts them to fp32",
        ),
        fused_grad_accumulation: flag(
            "fused_grad_accumulation",
            "weight gradients added to the main gradients inside their product",
        ),
        grouped_gemm: flag(
            "grouped_gemm",
            "one launch for the products of all experts of a GPU",
        ),
        fused_permute: flag("fused_permute", "permutation of tokens in one kernel"),
        scatter_gather: flag(
            "scatter_gather",
            "each tensor-parallel rank sends its part of an activation to the next stage",
        ),
        overlap_tp: flag("overlap_tp", "sums of tensor parallelism beside products"),
        overlap_p2p: flag(
            "overlap_p2p",
            "sends of interleaved schedules beside passes",
        ),
        overlap_grad_reduce: flag(
            "overlap_grad_reduce",
            "sums of gradients beside backward passes",
        ),
        overlap_param_gather: flag(
            "overlap_param_gather",
            "gathers of parameters beside forward passes",
        ),
        clips_gradients: flag(
            "clips_gradients",
            "the norm of the gradients before each step",
        ),
        cuda_graphs: flag("cuda_graphs", "kernels captured in CUDA graphs"),
        dummy_gradients: flag(
            "dummy_gradients",
            "a gradient of each shape of weight that nobody reads, where products add to main gradients",
        ),
        deterministic: flag(
            "deterministic",
            "kernels that give the same bits again, with a workspace of 32 MiB",
        ),
        attention: chosen(
            t,
            "attention",
            "the newest attention kernel it runs",
            &|| one_of(ATTENTION.to_vec()),
        ),
        softmax_limit: chosen(
            t,
            "softmax_limit",
            "longest sequence for which unfused attention has a fused softmax",
            &|| whole(0),
        ),
        vocab_multiple: chosen(
            t,
            "vocab_multiple",
            "the vocabulary is padded to a multiple of this times tp",
            &|| whole(1),
        ),
        reshard: chosen(
            t,
            "reshard",
            "how long gathered weights stay, where weights are sharded",
            &|| one_of(RESHARD.to_vec()),
        ),
        gradient_copies: chosen(
            t,
            "gradient_copies",
            "what the optimizer copies of the gradients",
            &|| one_of(COPIES.to_vec()),
        ),
        replay: chosen(
            t,
            "replay",
            "how far recomputed parts of a layer run before its backward pass",
            &|| one_of(REPLAY.to_vec()),
        ),
        shard: chosen(
            t,
            "shard",
            "what data-parallel ranks share, where a plan does not say",
            &|| one_of(SHARDS.to_vec()),
        ),
        schedules: chosen(
            t,
            "schedules",
            "pipeline schedules that it can run; an empty list where it has no pipeline",
            &|| {
                list(one_of(
                    ScheduleKind::ALL.map(|kind| (kind.name(), kind)).to_vec(),
                ))
            },
        ),
        shards: chosen(
            t,
            "shards",
            "ways in which data-parallel ranks can share state",
            &|| {
                list(one_of(
                    ShardKind::ALL.map(|kind| (kind.name(), kind)).to_vec(),
                ))
            },
        ),
    }
}

fn set<T: Copy>(to: &mut T, choice: Option<&Chosen<T>>) {
    if let Some(chosen) = choice {
        *to = chosen.value;
    }
}

impl Choices {
    /// Changes what a framework offers to what these choices say.
    pub(super) fn offer(&self, offers: &mut Offers) {
        if let Some(chosen) = &self.schedules {
            offers.schedules.clone_from(&chosen.value);
        }
        if let Some(chosen) = &self.shards {
            offers.shards.clone_from(&chosen.value);
        }
        for (offer, choice) in [
            (&mut offers.sharded_pipeline, &self.sharded_pipeline),
            (&mut offers.tensor_parallel, &self.tensor_parallel),
            (&mut offers.sequence_parallel, &self.sequence_parallel),
            (&mut offers.context_parallel, &self.context_parallel),
            (&mut offers.selective_recompute, &self.selective_recompute),
        ] {
            set(offer, choice.as_ref());
        }
    }

    /// Changes a framework to what these choices say.
    pub(super) fn apply(&self, framework: &mut Framework, shard: &mut Option<DefaultShard>) {
        let Fusion {
            attention,
            softmax_limit,
            norm,
            bias_dropout_residual,
            activation,
            rotary,
            cross_entropy,
            cross_entropy_in_place,
            grad_accumulation,
            grouped_gemm,
            permute,
        } = &mut framework.fusion;
        set(attention, self.attention.as_ref());
        set(softmax_limit, self.softmax_limit.as_ref());
        set(norm, self.fused_norm.as_ref());
        set(
            bias_dropout_residual,
            self.fused_bias_dropout_residual.as_ref(),
        );
        set(activation, self.fused_activation.as_ref());
        set(rotary, self.fused_rotary.as_ref());
        set(cross_entropy, self.fused_cross_entropy.as_ref());
        set(cross_entropy_in_place, self.cross_entropy_in_place.as_ref());
        set(grad_accumulation, self.fused_grad_accumulation.as_ref());
        set(grouped_gemm, self.grouped_gemm.as_ref());
        set(permute, self.fused_permute.as_ref());
        let Overlaps {
            tp,
            p2p,
            grad_reduce,
            param_gather,
        } = &mut framework.overlaps;
        set(tp, self.overlap_tp.as_ref());
        set(p2p, self.overlap_p2p.as_ref());
        set(grad_reduce, self.overlap_grad_reduce.as_ref());
        set(param_gather, self.overlap_param_gather.as_ref());
        set(&mut framework.vocab_multiple, self.vocab_multiple.as_ref());
        set(&mut framework.scatter_gather, self.scatter_gather.as_ref());
        set(
            &mut framework.clips_gradients,
            self.clips_gradients.as_ref(),
        );
        set(&mut framework.reshard, self.reshard.as_ref());
        set(&mut framework.copies, self.gradient_copies.as_ref());
        set(&mut framework.cuda_graphs, self.cuda_graphs.as_ref());
        set(&mut framework.replay, self.replay.as_ref());
        set(
            &mut framework.dummy_gradients,
            self.dummy_gradients.as_ref(),
        );
        set(&mut framework.deterministic, self.deterministic.as_ref());
        if let Some(chosen) = &self.shard {
            *shard = Some(chosen.value);
        }
    }
}
