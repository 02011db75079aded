//! From a spec to a plan: defaults, and everything that must fit.

mod data;
mod degrees;
mod experts;
mod pipeline;

use std::borrow::Cow;

use cluster::Cluster;
use workload::{CpMethod, Dispatcher, Job, TpOverlap};

use crate::error::PlanError;
use crate::plan::{Assumption, Checked, Plan};
use crate::ranks::RankOrder;
use crate::shape::ModelShape;
use crate::spec::PlanSpec;

/// The largest degree: more than any cluster that can be described.
const MAX_DEGREE: u32 = 1 << 20;
/// The most virtual stages of a pipeline.
const MAX_STAGES: u64 = 1 << 14;
/// The most forward passes of a pipeline in an iteration: its schedule is held in memory.
const MAX_PASSES: u64 = 1 << 24;
/// The most micro-batches of a pipeline.
const MAX_MICRO_BATCHES: u64 = 1 << 20;

impl Plan {
    /// Checks a spec against its job and its cluster, and takes defaults for what it leaves out.
    ///
    /// Absent degrees are 1, `dp` fills the GPUs, and every other absent field takes the value
    /// that the assumptions name.
    ///
    /// # Errors
    ///
    /// Everything that does not fit, at once.
    pub fn check(spec: &PlanSpec, job: &Job, cluster: &Cluster) -> Result<Checked, Vec<PlanError>> {
        let mut check = Check {
            spec,
            job,
            shape: ModelShape::of(&job.model),
            gpus: cluster.n_gpus() as u64,
            errors: Vec::new(),
            assumptions: Vec::new(),
        };
        match check.plan() {
            Some(plan) if check.errors.is_empty() => Ok(Checked {
                plan: plan.with_expert_domains(cluster),
                assumptions: check.assumptions,
            }),
            _ => Err(check.errors),
        }
    }
}

/// A check under way.
struct Check<'a> {
    spec: &'a PlanSpec,
    job: &'a Job,
    shape: ModelShape,
    gpus: u64,
    errors: Vec<PlanError>,
    assumptions: Vec<Assumption>,
}

impl Check<'_> {
    fn plan(&mut self) -> Option<Plan> {
        // Without whole degrees nothing else can be asked.
        let degrees = self.degrees()?;
        self.check_heads(degrees);
        self.check_experts(degrees);
        let cp_method = self.cp_method(degrees);
        let sequence_parallel = self.sequence_parallel(degrees);
        self.check_sequence(degrees, cp_method, sequence_parallel);
        let order = self.spec.rank_order.unwrap_or(RankOrder::MEGATRON);
        let ranks = self.ranks(degrees, order);
        let micro_batch = self.micro_batch();
        let n_micro_batches = self.n_micro_batches(degrees, micro_batch);
        let source = self.source(degrees);
        let chunks = source.as_ref().map(|(_, chunks)| *chunks);
        let stages = source
            .as_ref()
            .and_then(|source| self.all_stages(degrees, source));
        let schedule = source
            .zip(n_micro_batches)
            .and_then(|(source, n)| self.schedule(degrees, source, n));
        let recompute = self.recompute(stages.as_deref());
        let shards = self.shards(degrees);
        let overlap = self.overlap(degrees, shards, chunks.unwrap_or(1));
        let offload = self.offload();
        let gpus = self.gpus(degrees);
        let experts = self.experts(degrees);
        let routing = self.routing();
        let placement = self.placement(degrees);
        Some(Plan {
            ranks: ranks?,
            order,
            chunks: chunks?,
            micro_batch,
            n_micro_batches: n_micro_batches?,
            schedule: schedule?,
            sequence_parallel,
            cp_method,
            stages: stages?,
            recompute,
            shards,
            overlap,
            offload,
            gpus,
            cuda_graphs: self.given("cuda_graphs", self.spec.cuda_graphs, false, "not asked for"),
            experts,
            routing,
            placement,
        })
    }

    /// A field's value, or a default that is written down.
    fn given<T: Copy + Show>(
        &mut self,
        field: &'static str,
        value: Option<T>,
        default: T,
        reason: &'static str,
    ) -> T {
        value.unwrap_or_else(|| {
            self.assume(field, default.show(), reason);
            default
        })
    }

    fn assume(&mut self, field: &'static str, value: Cow<'static, str>, reason: &'static str) {
        self.assumptions.push(Assumption {
            field,
            value,
            reason,
        });
    }
}

/// How a default is shown among the assumptions.
trait Show {
    fn show(&self) -> Cow<'static, str>;
}

impl Show for bool {
    fn show(&self) -> Cow<'static, str> {
        if *self { "true" } else { "false" }.into()
    }
}

impl Show for u32 {
    fn show(&self) -> Cow<'static, str> {
        u64::from(*self).show()
    }
}

impl Show for u64 {
    fn show(&self) -> Cow<'static, str> {
        match self {
            1 => "1".into(),
            2 => "2".into(),
            _ => self.to_string().into(),
        }
    }
}

impl Show for CpMethod {
    fn show(&self) -> Cow<'static, str> {
        match self {
            Self::Ring => "ring",
            Self::AllToAll => "all-to-all",
            Self::TokenRing => "token-ring",
            Self::AllGather => "all-gather",
        }
        .into()
    }
}

impl Show for Dispatcher {
    fn show(&self) -> Cow<'static, str> {
        match self {
            Self::AllToAll => "all-to-all",
            Self::AllGather => "all-gather",
            Self::DeepEp => "deep-ep",
        }
        .into()
    }
}

impl Show for TpOverlap {
    fn show(&self) -> Cow<'static, str> {
        match self {
            Self::None => "none",
            Self::Backward => "backward",
            Self::Chunked => "chunked",
        }
        .into()
    }
}
