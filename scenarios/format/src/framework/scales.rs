//! `[host]`, `[scales]` and the GPUs that they are told apart by.

use cluster::GpuSpec;
use lower::{ScaleKey, Scales};
use profile::HostCost;
use units::Seconds;

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{either, mapped, number, table, text};

/// One scalar.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Its value.
    pub value: f64,
    /// Standard deviation of its logarithm (of a share: of itself) before it is fitted.
    pub log_sd: Option<f64>,
    /// Where it comes from.
    pub source: String,
}

/// The scalars that a table gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScaleTable(pub Vec<(ScaleKey, Scale)>);

impl ScaleTable {
    /// Puts its values over others.
    pub(super) fn over(&self, scales: &mut Scales) {
        for (key, scale) in &self.0 {
            scales[*key] = scale.value;
        }
    }

    /// One of its scalars.
    pub fn get(&self, key: ScaleKey) -> Option<&Scale> {
        let mut all = self.0.iter();
        all.find(|(known, _)| *known == key).map(|(_, scale)| scale)
    }
}

/// Beyond these a multiplier is a mistake of units.
const MULTIPLIER: Limits = Limits::within(0.01, 100.0);
const SHARE: Limits = Limits::within(0.0, 1.0);

pub(super) fn scales(t: &mut Fields<'_, '_>) -> ScaleTable {
    let mut found = Vec::new();
    for key in ScaleKey::ALL {
        let limits = if key.is_share() {
            SHARE
        } else if key.is_added() {
            Limits::within(0.0, 1e6)
        } else {
            MULTIPLIER
        };
        let alone = mapped(number(limits), |value| Scale {
            value,
            log_sd: None,
            source: String::new(),
        });
        let whole = table(move |t: &mut Fields<'_, '_>| scale(t, limits));
        let given = t.get(key.name(), key.meaning(), either(alone, whole));
        found.extend(given.optional().map(|scale| (key, scale)));
    }
    ScaleTable(found)
}

fn scale(t: &mut Fields<'_, '_>, limits: Limits) -> Scale {
    Scale {
        value: t.get("value", "its value", number(limits)).required(),
        log_sd: t
            .get(
                "log_sd",
                "standard deviation of its logarithm before it is fitted",
                number(Limits::within(0.0, 10.0)),
            )
            .optional(),
        source: t
            .get("source", "where it comes from", text())
            .or(String::new()),
    }
}

/// Some GPUs; all of them where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct On {
    /// Of that architecture.
    pub architecture: Option<String>,
    /// Of that name.
    pub gpu: Option<String>,
}

impl On {
    /// Whether a GPU is one of them.
    pub fn holds(&self, gpu: &GpuSpec) -> bool {
        let is = |given: &Option<String>, own: &str| {
            given
                .as_ref()
                .is_none_or(|name| name.eq_ignore_ascii_case(own))
        };
        is(&self.architecture, &gpu.architecture) && is(&self.gpu, &gpu.name)
    }
}

pub(crate) fn on(t: &mut Fields<'_, '_>) -> On {
    On {
        architecture: t
            .get(
                "architecture",
                "only on GPUs of this architecture, such as hopper",
                text(),
            )
            .optional(),
        gpu: t
            .get("gpu", "only on this GPU, such as h100-sxm", text())
            .optional(),
    }
}

/// `[host]`: what the host takes to issue work, in place of what the profile of the GPU says.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the descriptions of the fields say it")]
pub struct HostChoices {
    pub kernel_us: Option<f64>,
    pub layer_pass_us: Option<f64>,
    pub moe_layer_pass_us: Option<f64>,
    pub micro_batch_us: Option<f64>,
    pub loose_softmax_us: Option<f64>,
    pub collective_us: Option<f64>,
    pub tp_share: Option<f64>,
    pub graphs_share: Option<f64>,
    pub moe_graphs_share: Option<f64>,
    pub source: String,
}

pub(super) fn host(t: &mut Fields<'_, '_>) -> HostChoices {
    let time = || number(Limits::within(0.0, 1e9));
    HostChoices {
        kernel_us: t
            .get(
                "kernel_us",
                "of each kernel that is launched, in µs",
                time(),
            )
            .optional(),
        layer_pass_us: t
            .get(
                "layer_pass_us",
                "of a layer and pass besides its kernels, in µs; a backward pass counts two",
                time(),
            )
            .optional(),
        moe_layer_pass_us: t
            .get(
                "moe_layer_pass_us",
                "the same of a mixture-of-experts layer, in µs",
                time(),
            )
            .optional(),
        micro_batch_us: t
            .get("micro_batch_us", "of a micro-batch besides, in µs", time())
            .optional(),
        loose_softmax_us: t
            .get(
                "loose_softmax_us",
                "of an attention core whose softmax is several kernels, not one, in µs",
                time(),
            )
            .optional(),
        collective_us: t
            .get(
                "collective_us",
                "of a collective inside a layer, in µs",
                time(),
            )
            .optional(),
        tp_share: t
            .get(
                "tp_share",
                "what the third power of tp's doublings adds, as a share",
                number(Limits::within(0.0, 10.0)),
            )
            .optional(),
        graphs_share: t
            .get(
                "graphs_share",
                "what CUDA graphs leave of kernels and layers",
                number(SHARE),
            )
            .optional(),
        moe_graphs_share: t
            .get(
                "moe_graphs_share",
                "what CUDA graphs leave of a mixture-of-experts layer",
                number(SHARE),
            )
            .optional(),
        source: t
            .get("source", "where the figures come from", text())
            .required(),
    }
}

impl HostChoices {
    /// The host of a profile with what the framework says of it.
    pub(super) fn over(&self, host: HostCost) -> HostCost {
        let time = |given: Option<f64>, own| given.map_or(own, Seconds::from_micros);
        HostCost {
            kernel: time(self.kernel_us, host.kernel),
            layer: time(self.layer_pass_us, host.layer),
            expert_layer: time(self.moe_layer_pass_us, host.expert_layer),
            micro_batch: time(self.micro_batch_us, host.micro_batch),
            loose_softmax: time(self.loose_softmax_us, host.loose_softmax),
            collective: time(self.collective_us, host.collective),
            tp_share: self.tp_share.unwrap_or(host.tp_share),
            graphs_share: self.graphs_share.unwrap_or(host.graphs_share),
            moe_graphs_share: self.moe_graphs_share.unwrap_or(host.moe_graphs_share),
        }
    }
}
