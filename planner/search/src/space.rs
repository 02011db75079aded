//! The space: every plan that a scenario leaves open, axis by axis.
//!
//! ```text
//! degrees (tp, cp, pp, ep, etp, dp) ─▶ shards ─▶ schedule, vp, split ─▶ micro-batch ─▶ recomputation
//!        rules exclude here                                 memory grows to the right and excludes the rest
//! ```

use cluster::Cluster;
use plan::{Offers, Plan, PlanField, PlanSpec, ScheduleKind, common_divisor};
use predict::Scenario;
use workload::Ffn;

use crate::choice::{
    Choice, DegreeChoice, OffloadChoice, RecomputeChoice, ShardChoice, SplitChoice, Switches,
    TpChoice,
};
use crate::excluded::{Reason, Tally};

/// What may vary, and what stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) given: &'a PlanSpec,
    pub(crate) fixed: &'a [PlanField],
    pub(crate) offers: &'a Offers,
    pub(crate) offload: OffloadChoice,
    /// GPUs of the smallest scale-up domain.
    pub(crate) domain: u32,
    /// Whether all GPUs are of one kind and speed.
    pub(crate) alike: bool,
}

/// A schedule with its chunks and the spread of layers.
pub(crate) type Pipeline = (ScheduleKind, u32, SplitChoice);

/// Recomputation that is evaluated first; counts of layers lie between the first and the last.
pub(crate) const RECOMPUTE: [RecomputeChoice; 3] = [
    RecomputeChoice::None,
    RecomputeChoice::Selective,
    RecomputeChoice::Full,
];

impl Space<'_> {
    pub(crate) fn is_fixed(&self, field: PlanField) -> bool {
        self.fixed.contains(&field)
    }

    /// The one value of a fixed field, else all candidates.
    fn axis(&self, field: PlanField, given: Option<u32>, candidates: Vec<u32>) -> Vec<u32> {
        if self.is_fixed(field) {
            vec![given.unwrap_or(1)]
        } else {
            candidates
        }
    }

    /// The degrees that the model and the cluster allow. Those that they do not are counted with
    /// all plans that they would have.
    pub(crate) fn degrees(&self, tally: &mut Tally) -> Vec<DegreeChoice> {
        let gpus = u32::try_from(self.scenario.cluster.n_gpus()).unwrap_or(u32::MAX);
        let experts = self.experts();
        let mut all = Vec::new();
        let tps = self.axis(PlanField::Tp, self.given.tp, divisors(gpus));
        for &tp in &tps {
            for cp in self.axis(
                PlanField::Cp,
                self.given.cp,
                divisors(gpus / tp.clamp(1, gpus)),
            ) {
                let rest = gpus / tp.saturating_mul(cp).clamp(1, gpus);
                for pp in self.axis(PlanField::Pp, self.given.pp, divisors(rest)) {
                    let block = tp.saturating_mul(cp).saturating_mul(pp);
                    let dp = self.data_parallel(gpus / block.clamp(1, gpus));
                    let stage = tp.saturating_mul(cp).saturating_mul(dp);
                    for (ep, etp) in self.expert_degrees(experts, tp, stage) {
                        let degrees = DegreeChoice {
                            tp,
                            pp,
                            cp,
                            ep,
                            etp,
                            dp,
                        };
                        let refused = self.refuses(degrees);
                        match refused {
                            Some(reason) => {
                                let mut refused = Tally::default();
                                refused.add(reason, self.below(degrees));
                                refused.are_of(degrees);
                                tally.merge(&refused);
                            }
                            None => all.push(degrees),
                        }
                    }
                }
            }
        }
        all
    }

    /// As many replicas as there is room for and the batch divides into.
    fn data_parallel(&self, room: u32) -> u32 {
        if let Some(dp) = self.given.dp.filter(|_| self.is_fixed(PlanField::Dp)) {
            return dp;
        }
        let batch = self.scenario.job.global_batch;
        let whole = (1..=room)
            .rev()
            .find(|dp| batch.is_multiple_of(u64::from(*dp)));
        whole.unwrap_or(1)
    }

    /// Experts of the layers that have any: what divides all of them.
    fn experts(&self) -> u64 {
        let layers = self.scenario.job.model.layers().iter();
        let counts = layers.filter_map(|layer| match &layer.ffn {
            Some(Ffn::Moe(moe)) => Some(moe.experts),
            _ => None,
        });
        counts.fold(0, common_divisor)
    }

    fn expert_degrees(&self, experts: u64, tp: u32, stage: u32) -> Vec<(u32, u32)> {
        if experts == 0 {
            return vec![(1, 1)];
        }
        let experts = u32::try_from(experts).unwrap_or(u32::MAX);
        let eps = self.axis(PlanField::Ep, self.given.ep, divisors(experts));
        let widths = self.axis(PlanField::Etp, self.given.etp, unlike(1, tp));
        let pairs = eps
            .iter()
            .flat_map(|ep| widths.iter().map(move |etp| (*ep, *etp)));
        let tiles = |(ep, etp): &(u32, u32)| {
            self.is_fixed(PlanField::Ep) || stage.is_multiple_of(ep.saturating_mul(*etp).max(1))
        };
        pairs.filter(tiles).collect()
    }

    /// Why no plan has these degrees.
    fn refuses(&self, degrees: DegreeChoice) -> Option<Reason> {
        let frees = |field| !self.is_fixed(field);
        if frees(PlanField::Tp) && 1 < degrees.tp && !self.offers.tensor_parallel {
            return Some(Reason::Framework("tensor parallelism"));
        }
        if frees(PlanField::Cp) && 1 < degrees.cp && !self.offers.context_parallel {
            return Some(Reason::Framework("context parallelism"));
        }
        if frees(PlanField::Tp) && self.domain < degrees.tp {
            return Some(Reason::CrossesDomain);
        }
        let spec = PlanSpec {
            tp: Some(degrees.tp),
            pp: Some(degrees.pp),
            cp: Some(degrees.cp),
            ep: Some(degrees.ep),
            etp: Some(degrees.etp),
            dp: Some(degrees.dp),
            cp_method: self.given.cp_method,
            rank_order: self.given.rank_order,
            shard: Some(Vec::new()),
            ..PlanSpec::default()
        };
        let errors = Plan::check(&spec, &self.scenario.job, &self.scenario.cluster).err()?;
        errors.first().map(Reason::of)
    }

    /// Plans of these degrees, before anything is known of them.
    pub(crate) fn below(&self, degrees: DegreeChoice) -> u64 {
        let pipelines = self.pipelines(degrees).into_iter();
        let pipelines = pipelines.map(|pipeline| self.n_recomputations(degrees, pipeline));
        let sizes = [
            self.micro_batches(degrees).len(),
            self.shards(degrees).len(),
        ];
        let sizes = sizes.into_iter().map(|size| size.max(1) as u64);
        pipelines.sum::<u64>().max(1) * sizes.product::<u64>()
    }

    /// Layers of a stage, or of a chunk where it has several, rounded down.
    pub(crate) fn layers_of_stage(&self, degrees: DegreeChoice, (_, vp, _): Pipeline) -> u32 {
        let layers = self.scenario.job.model.layers().len();
        u32::try_from(layers).unwrap_or(u32::MAX) / (degrees.pp * vp).max(1)
    }

    /// Ways to compute again: those of [`Space::recompute`], and every number of layers of a stage
    /// between none and all.
    pub(crate) fn n_recomputations(&self, degrees: DegreeChoice, pipeline: Pipeline) -> u64 {
        let named = self.recompute().len() as u64;
        if self.is_fixed(PlanField::Recompute) {
            return named;
        }
        named + u64::from(self.layers_of_stage(degrees, pipeline).saturating_sub(1))
    }

    /// Sequences of a micro-batch: what divides a replica's share, ascending.
    pub(crate) fn micro_batches(&self, degrees: DegreeChoice) -> Vec<u64> {
        if self.is_fixed(PlanField::MicroBatch) {
            return vec![self.given.micro_batch.unwrap_or(1)];
        }
        let share = self.scenario.job.global_batch / u64::from(degrees.dp);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        divisors(share).into_iter().map(u64::from).collect()
    }

    /// Schedules, chunks and spreads of layers.
    pub(crate) fn pipelines(&self, degrees: DegreeChoice) -> Vec<Pipeline> {
        let pp = degrees.pp;
        if pp == 1 {
            return vec![(ScheduleKind::OneFOneB, 1, SplitChoice::Even)];
        }
        let kinds = match (self.is_fixed(PlanField::Schedule), self.given.schedule) {
            (true, Some(kind)) => vec![kind],
            (true, None) => vec![ScheduleKind::OneFOneB],
            (false, _) => Offers::SCHEDULES.to_vec(),
        };
        let layers = u32::try_from(self.scenario.job.model.layers().len()).unwrap_or(u32::MAX);
        let mut all = Vec::new();
        for kind in kinds {
            for vp in self.chunks(kind, layers, pp) {
                let splits = if self.is_fixed(PlanField::LayerSplit) {
                    // The specification keeps what is given.
                    vec![SplitChoice::Even]
                } else {
                    splits(layers, pp * vp, kind)
                };
                all.extend(splits.into_iter().map(|split| (kind, vp, split)));
            }
        }
        all
    }

    fn chunks(&self, kind: ScheduleKind, layers: u32, pp: u32) -> Vec<u32> {
        if self.is_fixed(PlanField::Vp) {
            return vec![self.given.vp.unwrap_or(1)];
        }
        match (kind, kind.fixed_chunks()) {
            (_, Some(chunks)) => vec![chunks],
            (ScheduleKind::Interleaved, None) => (2..=layers / pp).collect(),
            _ => vec![1],
        }
    }

    /// What is computed again.
    pub(crate) fn recompute(&self) -> Vec<RecomputeChoice> {
        if self.is_fixed(PlanField::Recompute) {
            // The specification keeps what is given; this only counts as one.
            return vec![RecomputeChoice::None];
        }
        let mut all = RECOMPUTE.to_vec();
        all.retain(|one| self.offers.selective_recompute || *one != RecomputeChoice::Selective);
        all
    }

    /// What data-parallel ranks share.
    pub(crate) fn shards(&self, degrees: DegreeChoice) -> Vec<ShardChoice> {
        let ranks = degrees.dp * degrees.cp;
        if ranks == 1 || self.is_fixed(PlanField::Shard) {
            return vec![ShardChoice::None];
        }
        let in_node = self.domain / degrees.tp.max(1);
        let group = common_divisor(u64::from(in_node.max(1)), u64::from(ranks));
        let group = u32::try_from(group).unwrap_or(1);
        let mut all = vec![
            ShardChoice::None,
            ShardChoice::Zero1,
            ShardChoice::Zero2,
            ShardChoice::Zero3,
        ];
        if 1 < group && group < ranks {
            all.push(ShardChoice::Hybrid(group));
        }
        all
    }

    /// Whether the framework runs a plan with this schedule and these shards, and if not, why.
    pub(crate) fn offered(
        &self,
        degrees: DegreeChoice,
        (schedule, ..): Pipeline,
        shard: ShardChoice,
    ) -> Result<(), Reason> {
        let offers = self.offers;
        let is_pipeline = 1 < degrees.pp && !self.is_fixed(PlanField::Schedule);
        if is_pipeline && !offers.schedules.contains(&schedule) {
            return Err(Reason::Framework("this pipeline schedule"));
        }
        if self.is_fixed(PlanField::Shard) || degrees.dp * degrees.cp == 1 {
            return Ok(());
        }
        let kind = shard.kind();
        if !offers.shards.contains(&kind) {
            return Err(Reason::Framework("this sharding of states"));
        }
        if 1 < degrees.pp && kind.cuts_gradients() && !offers.sharded_pipeline {
            return Err(Reason::Framework(
                "shards of gradients or weights in a pipeline",
            ));
        }
        Ok(())
    }

    /// A plan with what its framework turns on.
    pub(crate) fn choice(
        &self,
        degrees: DegreeChoice,
        shard: ShardChoice,
        (schedule, vp, split): Pipeline,
        micro_batch: u64,
        recompute: RecomputeChoice,
    ) -> Choice {
        let overlaps = self.scenario.framework.overlaps;
        let parts = u64::from(degrees.cp) * u64::from(degrees.tp);
        Choice {
            degrees,
            micro_batch,
            schedule,
            vp,
            split,
            recompute,
            shard,
            offload: self.offload,
            switches: Switches {
                sp: self.offers.sequence_parallel
                    && 1 < degrees.tp
                    && self.scenario.job.seq_len.is_multiple_of(parts),
                grad_reduce: overlaps.grad_reduce,
                param_gather: overlaps.param_gather,
                p2p: overlaps.p2p && 1 < degrees.pp && 1 < vp,
                ep: false,
                tp: if overlaps.tp {
                    TpChoice::Backward
                } else {
                    TpChoice::None
                },
            },
        }
    }
}

/// Spreads of layers that come out even: as they are, or with embedding and output layer counted.
/// Where none does, as evenly as possible without chunks, where no round trip waits for the rest.
fn splits(layers: u32, stages: u32, kind: ScheduleKind) -> Vec<SplitChoice> {
    let account = |embedding, loss| SplitChoice::Account { embedding, loss };
    let even = |more: u32| (layers + more).is_multiple_of(stages) && stages <= layers + more;
    let mut all = Vec::new();
    if even(0) || kind != ScheduleKind::Interleaved {
        all.push(SplitChoice::Even);
    }
    if even(2) {
        all.push(account(true, true));
    }
    if even(1) {
        all.extend([account(true, false), account(false, true)]);
    }
    all
}

/// GPUs of the smallest scale-up domain.
pub(crate) fn domain_gpus(cluster: &Cluster) -> u32 {
    let mut sizes = vec![0_u32; cluster.n_domains() as usize];
    for gpu in cluster.gpus() {
        sizes[cluster.domain_of(gpu) as usize] += 1;
    }
    sizes.into_iter().min().unwrap_or(1).max(1)
}

/// Divisors, ascending.
fn divisors(n: u32) -> Vec<u32> {
    let all = plan::divisors(n.into(), n.into()).into_iter();
    all.filter_map(|d| u32::try_from(d).ok()).collect()
}

fn unlike(a: u32, b: u32) -> Vec<u32> {
    if a == b { vec![a] } else { vec![a, b] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama_405b_splits_evenly_with_embedding_and_loss_counted() {
        let both = SplitChoice::Account {
            embedding: true,
            loss: true,
        };
        assert_eq!(splits(126, 16, ScheduleKind::Interleaved), [both]);
        assert_eq!(
            splits(126, 16, ScheduleKind::OneFOneB),
            [SplitChoice::Even, both]
        );
        assert!(splits(126, 20, ScheduleKind::Interleaved).is_empty());
    }
}
