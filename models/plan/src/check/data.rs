//! What data-parallel ranks share, what overlaps, what leaves the GPU, and where ranks sit.

use std::collections::BTreeMap;
use std::sync::Arc;

use units::GpuId;
use workload::TpOverlap;

use super::Check;
use crate::error::PlanError;
use crate::plan::Overlap;
use crate::ranks::Degrees;
use crate::shard::{ShardLevel, Sharded, Shards};
use crate::spec::Offload;

impl Check<'_> {
    pub(super) fn shards(&mut self, degrees: Degrees) -> Shards {
        let ranks = degrees.dense_data();
        let mut shards = Shards::NONE;
        let Some(levels) = &self.spec.shard else {
            if 1 < ranks {
                let value = "optimizer over dp x cp";
                let reason = "Megatron's distributed optimizer, as current recipes set it";
                self.assume("shard", value.into(), reason);
            }
            shards.optimizer = ranks;
            return shards;
        };
        let mut seen = Vec::with_capacity(3);
        for ShardLevel { what, group } in levels {
            let (group, name) = (group.unwrap_or(ranks), what.name());
            if seen.contains(what) {
                self.errors.push(PlanError::ShardTwice { what: name });
            } else if group == 0 {
                self.errors.push(PlanError::Zero { field: "shard" });
            } else if !ranks.is_multiple_of(group) {
                self.errors.push(PlanError::ShardGroup {
                    what: name,
                    group,
                    ranks,
                });
            } else {
                shards.set(*what, group);
            }
            seen.push(*what);
        }
        self.check_shard_order(shards);
        shards
    }

    /// What is used more often lies over fewer ranks: a rank updates only parameters whose
    /// gradients it has.
    fn check_shard_order(&mut self, shards: Shards) {
        let pairs = [
            (Sharded::Weights, Sharded::Optimizer),
            (Sharded::Gradients, Sharded::Optimizer),
        ];
        for (inner, outer) in pairs {
            let (inner_group, outer_group) = (shards.of(inner), shards.of(outer));
            if outer_group < inner_group {
                self.errors.push(PlanError::ShardOrder {
                    inner: inner.name(),
                    inner_group,
                    outer: outer.name(),
                    outer_group,
                });
            }
        }
    }

    pub(super) fn overlap(&mut self, degrees: Degrees, shards: Shards, chunks: u32) -> Overlap {
        let given = self.spec.overlap;
        let many = 1 < degrees.dense_data();
        let tp = 1 < degrees.tp;
        let sharded = 1 < shards.weights.max(shards.optimizer);
        let interleaves = 1 < degrees.pp && 1 < chunks;
        let ep = self.spec.ep.is_some_and(|ep| 1 < ep);
        let default = "what Megatron-Core recipes set";
        let mut choose = |field, given, matters: bool, value, reason| {
            if matters {
                self.given(field, given, value, reason)
            } else {
                given.unwrap_or(value)
            }
        };
        Overlap {
            grad_reduce: choose(
                "overlap.grad_reduce",
                given.grad_reduce,
                many,
                true,
                default,
            ),
            param_gather: choose(
                "overlap.param_gather",
                given.param_gather,
                many && sharded,
                true,
                default,
            ),
            p2p: choose(
                "overlap.p2p",
                given.p2p,
                1 < degrees.pp,
                interleaves,
                "Megatron overlaps sends with interleaved schedules alone",
            ),
            ep: choose("overlap.ep", given.ep, ep, false, "not asked for"),
            tp: if tp {
                let reason = "Megatron overlaps in the backward pass without further flags";
                self.given("overlap.tp", given.tp, TpOverlap::Backward, reason)
            } else {
                given.tp.unwrap_or_default()
            },
        }
    }

    pub(super) fn offload(&mut self) -> Offload {
        let offload = self.spec.offload.unwrap_or(Offload::NONE);
        for (field, value) in [
            ("offload.activations", offload.activations),
            ("offload.optimizer", offload.optimizer),
            ("offload.weights", offload.weights),
        ] {
            if !(0.0..=1.0).contains(&value) {
                self.errors.push(PlanError::Number {
                    field,
                    value,
                    limit: "a share from 0 to 1",
                });
            }
        }
        offload
    }

    pub(super) fn gpus(&mut self, degrees: Degrees) -> Option<Arc<[GpuId]>> {
        let table = self.spec.rank_gpus.as_ref()?;
        let ranks = u64::from(degrees.n_ranks());
        if table.len() as u64 != ranks {
            self.errors.push(PlanError::RankTableLength {
                given: table.len(),
                ranks,
            });
            return None;
        }
        let mut rank_on = BTreeMap::new();
        for (rank, &gpu) in table.iter().enumerate() {
            if self.gpus <= u64::from(gpu) {
                let gpus = self.gpus;
                self.errors
                    .push(PlanError::RankTableGpu { rank, gpu, gpus });
                return None;
            }
            if let Some(first) = rank_on.insert(gpu, rank) {
                self.errors.push(PlanError::RankTableTwice {
                    first,
                    second: rank,
                    gpu,
                });
                return None;
            }
        }
        Some(table.iter().map(|gpu| GpuId::new(*gpu)).collect())
    }
}
