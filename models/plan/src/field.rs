//! The fields of a plan by name, for planners that keep some of them.

use crate::spec::{OverlapSpec, PlanSpec};

/// A field of a scenario's `[plan]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the names are those of the fields of `PlanSpec`"
)]
pub enum PlanField {
    Tp,
    Pp,
    Vp,
    Cp,
    Ep,
    Etp,
    Dp,
    MicroBatch,
    Schedule,
    InterleaveGroup,
    Recompute,
    Sp,
    CpMethod,
    LayerSplit,
    Shard,
    Overlap,
    Offload,
    RankOrder,
    RankGpus,
    CudaGraphs,
    Moe,
}

impl PlanField {
    /// Every field.
    pub const ALL: [Self; 21] = [
        Self::Tp,
        Self::Pp,
        Self::Vp,
        Self::Cp,
        Self::Ep,
        Self::Etp,
        Self::Dp,
        Self::MicroBatch,
        Self::Schedule,
        Self::InterleaveGroup,
        Self::Recompute,
        Self::Sp,
        Self::CpMethod,
        Self::LayerSplit,
        Self::Shard,
        Self::Overlap,
        Self::Offload,
        Self::RankOrder,
        Self::RankGpus,
        Self::CudaGraphs,
        Self::Moe,
    ];

    /// The name as scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tp => "tp",
            Self::Pp => "pp",
            Self::Vp => "vp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Etp => "etp",
            Self::Dp => "dp",
            Self::MicroBatch => "micro_batch",
            Self::Schedule => "schedule",
            Self::InterleaveGroup => "interleave_group",
            Self::Recompute => "recompute",
            Self::Sp => "sp",
            Self::CpMethod => "cp_method",
            Self::LayerSplit => "layer_split",
            Self::Shard => "shard",
            Self::Overlap => "overlap",
            Self::Offload => "offload",
            Self::RankOrder => "rank_order",
            Self::RankGpus => "rank_order_file",
            Self::CudaGraphs => "cuda_graphs",
            Self::Moe => "moe",
        }
    }

    /// The field of that name; a schedule file stands for the schedule.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "schedule_file" {
            return Some(Self::Schedule);
        }
        let name = name.split('.').next().unwrap_or(name);
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether a plan gives the field.
    pub fn is_given(self, spec: &PlanSpec) -> bool {
        match self {
            Self::Tp => spec.tp.is_some(),
            Self::Pp => spec.pp.is_some(),
            Self::Vp => spec.vp.is_some(),
            Self::Cp => spec.cp.is_some(),
            Self::Ep => spec.ep.is_some(),
            Self::Etp => spec.etp.is_some(),
            Self::Dp => spec.dp.is_some(),
            Self::MicroBatch => spec.micro_batch.is_some(),
            Self::Schedule => spec.schedule.is_some() || spec.schedule_file.is_some(),
            Self::InterleaveGroup => spec.interleave_group.is_some(),
            Self::Recompute => spec.recompute.is_some(),
            Self::Sp => spec.sp.is_some(),
            Self::CpMethod => spec.cp_method.is_some(),
            Self::LayerSplit => spec.layer_split.is_some(),
            Self::Shard => spec.shard.is_some(),
            Self::Overlap => spec.overlap != OverlapSpec::default(),
            Self::Offload => spec.offload.is_some(),
            Self::RankOrder => spec.rank_order.is_some(),
            Self::RankGpus => spec.rank_gpus.is_some(),
            Self::CudaGraphs => spec.cuda_graphs.is_some(),
            Self::Moe => spec.moe != crate::spec::MoeSpec::default(),
        }
    }

    /// Takes the field from another plan, given or not.
    pub fn copy(self, from: &PlanSpec, to: &mut PlanSpec) {
        match self {
            Self::Tp => to.tp = from.tp,
            Self::Pp => to.pp = from.pp,
            Self::Vp => to.vp = from.vp,
            Self::Cp => to.cp = from.cp,
            Self::Ep => to.ep = from.ep,
            Self::Etp => to.etp = from.etp,
            Self::Dp => to.dp = from.dp,
            Self::MicroBatch => to.micro_batch = from.micro_batch,
            Self::Schedule => {
                to.schedule = from.schedule;
                to.schedule_file.clone_from(&from.schedule_file);
            }
            Self::InterleaveGroup => to.interleave_group = from.interleave_group,
            Self::Recompute => to.recompute.clone_from(&from.recompute),
            Self::Sp => to.sp = from.sp,
            Self::CpMethod => to.cp_method = from.cp_method,
            Self::LayerSplit => to.layer_split.clone_from(&from.layer_split),
            Self::Shard => to.shard.clone_from(&from.shard),
            Self::Overlap => to.overlap = from.overlap,
            Self::Offload => to.offload = from.offload,
            Self::RankOrder => to.rank_order = from.rank_order,
            Self::RankGpus => to.rank_gpus.clone_from(&from.rank_gpus),
            Self::CudaGraphs => to.cuda_graphs = from.cuda_graphs,
            Self::Moe => to.moe.clone_from(&from.moe),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name_that_leads_back_to_it() {
        for field in PlanField::ALL {
            assert_eq!(PlanField::from_name(field.name()), Some(field));
        }
        assert_eq!(
            PlanField::from_name("overlap.p2p"),
            Some(PlanField::Overlap)
        );
        assert_eq!(PlanField::from_name("warp"), None);
    }

    #[test]
    fn a_copied_field_is_given_and_no_other() {
        let from = PlanSpec {
            tp: Some(4),
            schedule_file: Some(String::new()),
            ..PlanSpec::default()
        };
        for field in PlanField::ALL {
            let mut to = PlanSpec::default();
            field.copy(&from, &mut to);
            assert_eq!(
                field.is_given(&to),
                field.is_given(&from),
                "{}",
                field.name()
            );
            let others = PlanField::ALL.into_iter().filter(|other| *other != field);
            assert!(others.into_iter().all(|other| !other.is_given(&to)));
        }
    }
}
