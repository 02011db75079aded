//! What one process of a training runs.

use plan::RankOrder;
use predict::Scenario;

use super::{Consumer, Files, Options, deepspeed, megatron, nemo, torchtitan};
use crate::error::ExportError;

/// The frameworks whose programs are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Megatron,
    DeepSpeed,
    Torchtitan,
    Nemo,
}

impl Program {
    /// The program that a consumer names; for launchers, that of the scenario's framework.
    pub(crate) fn of(scenario: &Scenario, to: Consumer) -> Self {
        match to {
            Consumer::Megatron => Self::Megatron,
            Consumer::DeepSpeed => Self::DeepSpeed,
            Consumer::Torchtitan => Self::Torchtitan,
            Consumer::Nemo => Self::Nemo,
            Consumer::Torchrun | Consumer::Slurm => {
                Self::of_framework(&scenario.framework.name).unwrap_or(Self::Megatron)
            }
        }
    }

    /// The program of a framework of the zoo.
    fn of_framework(name: &str) -> Option<Self> {
        match name {
            "torchtitan" => Some(Self::Torchtitan),
            "megatron-deepspeed" | "deepspeed-zero" => Some(Self::DeepSpeed),
            "megatron-bridge" | "nemo" => Some(Self::Nemo),
            "neutral" | "megatron-core" | "megatron-lm" | "megatron-lm-2021" => {
                Some(Self::Megatron)
            }
            _ => None,
        }
    }

    /// A warning where the program is not of the scenario's framework.
    pub(crate) fn stand_in(self, scenario: &Scenario) -> Option<String> {
        let framework = scenario.framework.name.as_ref();
        let own = Self::of_framework(framework);
        (own != Some(self)).then(|| {
            format!(
                "the prediction is for the framework {framework:?}, these files are for {}",
                self.name()
            )
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Megatron => "Megatron-LM",
            Self::DeepSpeed => "DeepSpeed",
            Self::Torchtitan => "torchtitan",
            Self::Nemo => "Megatron-Bridge",
        }
    }

    /// The order in which the program numbers its ranks: all have tensor parallelism innermost and
    /// the pipeline outermost, and Megatron has a switch for data parallelism outermost.
    pub(crate) fn rank_order(self, scenario: &Scenario) -> RankOrder {
        let own = scenario.plan.rank_order();
        let switches = matches!(self, Self::Megatron | Self::Nemo);
        if switches && own == RankOrder::TP_PP_DP {
            own
        } else {
            RankOrder::MEGATRON
        }
    }

    /// Why no numbering of the program has the groups of the plan.
    pub(crate) fn no_order(self, scenario: &Scenario) -> ExportError {
        ExportError::Unsupported {
            consumer: self.name(),
            field: "plan.rank_order",
            what: format!("the order {} of the ranks", scenario.plan.rank_order()),
            hint: Some("leave `rank_order` out, or use \"tp-cp-ep-pp-dp\"".to_owned()),
        }
    }

    /// The files of the program.
    pub(crate) fn files(
        self,
        scenario: &Scenario,
        options: &Options,
        warnings: &mut Vec<String>,
    ) -> Result<Files, ExportError> {
        match self {
            Self::Megatron => megatron::files(scenario, warnings),
            Self::DeepSpeed => deepspeed::files(scenario, warnings),
            Self::Torchtitan => torchtitan::files(scenario, options, warnings),
            Self::Nemo => nemo::files(scenario, warnings),
        }
    }
}
