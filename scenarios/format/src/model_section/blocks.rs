//! Parts of `[model.megatron]`: mixtures of experts, latent attention, Mamba-2.

use workload::{ExpertGroups, IndexerSpec, MambaSpec, MegatronMoe, MlaSpec};

use super::count;
use crate::fields::Fields;
use crate::shape::{boolean, table, whole};

pub(super) fn moe(t: &mut Fields<'_, '_>) -> MegatronMoe {
    MegatronMoe {
        experts: t.get("experts", "routed experts", count()).required(),
        top_k: t
            .get("top_k", "experts that a token visits", count())
            .required(),
        ffn: t
            .get(
                "ffn",
                "width of an expert, default that of dense layers",
                count(),
            )
            .optional(),
        shared_ffn: t
            .get(
                "shared_ffn",
                "width of all shared experts together",
                count(),
            )
            .optional(),
        shared_gate: t
            .get("shared_gate", "a gate on their output", boolean())
            .or(false),
        router_bias: t
            .get("router_bias", "a correction of the choice", boolean())
            .or(false),
        latent: t
            .get(
                "latent",
                "width in which experts work, default hidden",
                count(),
            )
            .optional(),
        groups: ExpertGroups {
            all: t
                .get("groups", "equal groups in which experts stand", count())
                .or(1),
            visited: t
                .get("visited_groups", "how many of them a token visits", count())
                .or(1),
        },
        first_dense: t
            .get("first_dense", "dense layers at the start", whole(0))
            .or(0),
        freq: t
            .get("freq", "every so many layers are mixtures", count())
            .or(1),
    }
}

pub(super) fn mla(t: &mut Fields<'_, '_>) -> MlaSpec {
    MlaSpec {
        heads: t.get("heads", "heads", count()).required(),
        q_lora_rank: t
            .get("q_lora_rank", "latent of queries, default none", count())
            .optional(),
        kv_lora_rank: t
            .get("kv_lora_rank", "latent of keys and values", count())
            .required(),
        qk_nope_dim: t
            .get("qk_nope_dim", "width that is not rotated", count())
            .required(),
        qk_rope_dim: t
            .get("qk_rope_dim", "width that is rotated", count())
            .required(),
        v_dim: t
            .get("v_dim", "width of a head of values", count())
            .required(),
        bias: t
            .get("bias", "biases of the projections", boolean())
            .or(false),
        indexer: t
            .get("indexer", "sparse attention", table(indexer))
            .optional(),
    }
}

fn indexer(t: &mut Fields<'_, '_>) -> IndexerSpec {
    IndexerSpec {
        heads: t.get("heads", "heads of the scorer", count()).required(),
        head_dim: t.get("head_dim", "width of one", count()).required(),
        top_k: t
            .get("top_k", "tokens that each token reads", count())
            .required(),
    }
}

pub(super) fn mamba(t: &mut Fields<'_, '_>) -> MambaSpec {
    MambaSpec {
        heads: t.get("heads", "heads", count()).required(),
        head_dim: t.get("head_dim", "width of one", count()).required(),
        state: t
            .get("state", "size of the state of a channel", count())
            .required(),
        groups: t
            .get("groups", "groups of heads that share B and C", count())
            .required(),
        conv: t.get("conv", "taps of the convolution", count()).or(4),
        conv_bias: t
            .get("conv_bias", "a bias of the convolution", boolean())
            .or(true),
        bias: t
            .get("bias", "biases of both projections", boolean())
            .or(false),
        chunk: t
            .get("chunk", "tokens of a chunk of the scan", count())
            .or(128),
    }
}
