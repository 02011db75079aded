//! `[memory]`: what a framework allocates besides tensors, and what its allocator keeps.

use lower::Framework;
use profile::MemoryConstants;
use units::Bytes;

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{number, text};

/// What a framework allocates besides tensors; what is absent, the nearest framework or the
/// profile says.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the descriptions of the fields say it")]
pub struct MemoryChoices {
    pub context_mib: Option<f64>,
    pub framework_mib: Option<f64>,
    pub module_workspace_mib: Option<f64>,
    pub borders: Option<f64>,
    pub communicator_mib: Option<f64>,
    pub slack: Option<f64>,
    pub expert_rows: Option<f64>,
    pub source: String,
}

const MIB: Limits = Limits::within(0.0, 1e6);

pub(super) fn memory(t: &mut Fields<'_, '_>) -> MemoryChoices {
    let mut mib = |key, doc| t.get(key, doc, number(MIB)).optional();
    MemoryChoices {
        context_mib: mib("context_mib", "driver context and kernels, in MiB"),
        framework_mib: mib("framework_mib", "small buffers, in MiB"),
        module_workspace_mib: mib(
            "module_workspace_mib",
            "workspace of one stream of Transformer Engine's products, in MiB",
        ),
        communicator_mib: mib("communicator_mib", "buffers of one communicator, in MiB"),
        borders: t
            .get(
                "borders",
                "how many times what crosses a stage's border is allocated",
                number(Limits::within(0.0, 100.0)),
            )
            .optional(),
        slack: t
            .get(
                "slack",
                "reserved but unused, as a share of the allocated peak",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .optional(),
        expert_rows: t
            .get(
                "expert_rows",
                "rows of a rank's experts at the most over the mean",
                number(Limits::within(1.0, 100.0)),
            )
            .optional(),
        source: t
            .get("source", "where the figures come from", text())
            .required(),
    }
}

impl MemoryChoices {
    /// Changes a framework to what these say.
    pub(super) fn apply(&self, framework: &mut Framework) {
        framework.expert_rows = self.expert_rows.unwrap_or(framework.expert_rows);
    }

    /// Puts these over what the profile, or a framework further away, says.
    pub(super) fn over(&self, memory: MemoryConstants) -> MemoryConstants {
        let mib = |given: Option<f64>, known: Bytes| {
            given.map_or(known, |mib| Bytes::from_f64(mib * 1_048_576.0))
        };
        MemoryConstants {
            context: mib(self.context_mib, memory.context),
            framework: mib(self.framework_mib, memory.framework),
            module_workspace: mib(self.module_workspace_mib, memory.module_workspace),
            communicator: mib(self.communicator_mib, memory.communicator),
            borders: self.borders.unwrap_or(memory.borders),
            slack: self.slack.unwrap_or(memory.slack),
            ..memory
        }
    }
}
