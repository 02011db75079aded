//! Degrees, and what they must divide.

use workload::CpMethod;

use super::{Check, MAX_DEGREE, MAX_MICRO_BATCHES, Show};
use crate::error::PlanError;
use crate::ranks::{Degrees, RankOrder, Ranks};

impl Check<'_> {
    /// A degree, 1 where absent. Absent degrees of 1 are no news and are not listed.
    fn degree(&mut self, field: &'static str, value: Option<u32>) -> u32 {
        match value {
            Some(0) => self.errors.push(PlanError::Zero { field }),
            Some(value) if MAX_DEGREE < value => self.errors.push(PlanError::TooLarge {
                field,
                value: u64::from(value),
                limit: u64::from(MAX_DEGREE),
            }),
            _ => {}
        }
        value.unwrap_or(1)
    }

    pub(super) fn degrees(&mut self) -> Option<Degrees> {
        let spec = self.spec;
        let [tp, cp, pp, ep, etp] = [
            ("tp", spec.tp),
            ("cp", spec.cp),
            ("pp", spec.pp),
            ("ep", spec.ep),
            ("etp", spec.etp),
        ]
        .map(|(field, value)| self.degree(field, value));
        self.degree("vp", spec.vp);
        self.degree("dp", spec.dp);
        if !self.errors.is_empty() {
            return None;
        }
        let dp = self.data_parallel(tp, cp, pp)?;
        Some(Degrees {
            tp,
            cp,
            ep,
            etp: if self.shape.experts.is_empty() {
                tp
            } else {
                etp
            },
            dp,
            pp,
        })
    }

    fn data_parallel(&mut self, tp: u32, cp: u32, pp: u32) -> Option<u32> {
        let gpus = self.gpus;
        let block = u64::from(tp) * u64::from(cp) * u64::from(pp);
        let dp = self.spec.dp.unwrap_or(1);
        let needed = block.saturating_mul(u64::from(dp));
        if gpus < needed {
            self.errors.push(PlanError::LargerThanCluster {
                tp,
                cp,
                pp,
                dp,
                needed,
                gpus,
            });
            return None;
        }
        if self.spec.dp.is_some() {
            return Some(dp);
        }
        if !gpus.is_multiple_of(block) {
            self.errors
                .push(PlanError::DoesNotTile { tp, cp, pp, gpus });
            return None;
        }
        let dp = u32::try_from(gpus / block).ok()?;
        self.assume("dp", dp.show(), "fills the GPUs");
        Some(dp)
    }

    pub(super) fn check_heads(&mut self, degrees: Degrees) {
        let tp = u64::from(degrees.tp);
        for &(heads, kv_heads) in &self.shape.attention {
            if !heads.is_multiple_of(tp) {
                self.errors.push(PlanError::Heads {
                    tp: degrees.tp,
                    heads,
                });
            } else if !kv_heads.is_multiple_of(tp) && !tp.is_multiple_of(kv_heads.max(1)) {
                self.errors.push(PlanError::KvHeads {
                    tp: degrees.tp,
                    kv_heads,
                });
            }
        }
        for &width in &self.shape.ffn_widths {
            if !width.is_multiple_of(tp) {
                self.errors.push(PlanError::FfnWidth {
                    tp: degrees.tp,
                    width,
                });
            }
        }
    }

    pub(super) fn cp_method(&mut self, degrees: Degrees) -> CpMethod {
        if degrees.cp == 1 {
            return self.spec.cp_method.unwrap_or_default();
        }
        let reason = "Megatron's default, which works with any number of heads";
        let method = self.given("cp_method", self.spec.cp_method, CpMethod::Ring, reason);
        if method == CpMethod::AllToAll {
            for &(heads, _) in &self.shape.attention {
                let heads = heads / u64::from(degrees.tp);
                if !heads.is_multiple_of(u64::from(degrees.cp)) {
                    self.errors.push(PlanError::CpHeads {
                        cp: degrees.cp,
                        heads,
                    });
                }
            }
        }
        method
    }

    pub(super) fn sequence_parallel(&mut self, degrees: Degrees) -> bool {
        if degrees.tp == 1 {
            return false;
        }
        let parts = u64::from(degrees.cp) * u64::from(degrees.tp);
        if self.job.seq_len.is_multiple_of(parts) {
            let reason = "it saves activations for about the same traffic (Korthikanti et al.)";
            self.given("sp", self.spec.sp, true, reason)
        } else {
            self.given("sp", self.spec.sp, false, "tp does not divide the sequence")
        }
    }

    pub(super) fn check_sequence(
        &mut self,
        degrees: Degrees,
        method: CpMethod,
        sequence_parallel: bool,
    ) {
        let seq_len = self.job.seq_len;
        let mut check = |parts: u64, why| {
            if !seq_len.is_multiple_of(parts) {
                self.errors.push(PlanError::SeqLen {
                    seq_len,
                    parts,
                    why,
                });
                return false;
            }
            true
        };
        let cp = u64::from(degrees.cp);
        let fits = match method {
            CpMethod::AllToAll => check(cp, "context parallelism"),
            _ if 1 < cp => check(2 * cp, "the zigzag of context parallelism"),
            _ => true,
        };
        if fits && sequence_parallel {
            check(cp * u64::from(degrees.tp), "sequence parallelism");
        }
    }

    pub(super) fn ranks(&mut self, degrees: Degrees, order: RankOrder) -> Option<Ranks> {
        if self.shape.experts.is_empty() {
            return Some(Ranks::dense(degrees, order));
        }
        let stage = u64::from(degrees.tp) * u64::from(degrees.cp) * u64::from(degrees.dp);
        let tiles = stage.is_multiple_of(u64::from(degrees.ep) * u64::from(degrees.etp));
        let ranks = tiles.then(|| Ranks::new(degrees, order)).flatten();
        if tiles && ranks.is_none() {
            self.errors.push(PlanError::ExpertOrder {
                order: order.to_string(),
                ep: degrees.ep,
                etp: degrees.etp,
            });
        }
        ranks
    }

    pub(super) fn micro_batch(&mut self) -> u64 {
        if self.spec.micro_batch == Some(0) {
            self.errors.push(PlanError::Zero {
                field: "micro_batch",
            });
        }
        let reason = "one sequence a micro-batch";
        self.given("micro_batch", self.spec.micro_batch, 1, reason)
            .max(1)
    }

    pub(super) fn n_micro_batches(&mut self, degrees: Degrees, micro_batch: u64) -> Option<u32> {
        let global_batch = self.job.global_batch;
        let share = u64::from(degrees.dp).checked_mul(micro_batch);
        let n = share
            .filter(|share| global_batch.is_multiple_of(*share))
            .map(|share| global_batch / share);
        match n {
            Some(n) if 0 < n && n <= MAX_MICRO_BATCHES => u32::try_from(n).ok(),
            Some(value) if MAX_MICRO_BATCHES < value => {
                self.errors.push(PlanError::TooLarge {
                    field: "global_batch",
                    value,
                    limit: MAX_MICRO_BATCHES,
                });
                None
            }
            _ => {
                self.errors.push(PlanError::Batch {
                    global_batch,
                    micro_batch,
                    dp: degrees.dp,
                });
                None
            }
        }
    }
}
