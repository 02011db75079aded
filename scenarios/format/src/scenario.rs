//! The scenario file as a whole.

use cluster::{FabricSpec, GpuSpec, MeasuredRates};
use units::BytesPerSec;

use crate::error::{Failure, Problem};
use crate::fields::Fields;
use crate::hardware::{FABRIC, GPUS, Nodes, gpu, nodes, schema};
use crate::kind::{Field, Kind, Limits};
use crate::model_section::{ModelSection, model};
use crate::nearest::nearest;
use crate::plan_section::{PlanSection, plan};
use crate::reference::{Named, named};
use crate::sections::{
    Background, Framework, Nccl, Network, NetworkWorkload, Prices, Settings, Straggler, Sweep,
    background, framework, nccl, network, prices, settings, straggler, workload,
};
use crate::shape::{any, either, list, map, mapped, number, table, text, whole};
use crate::training::{Training, training};
use crate::tree::Table;

/// A scenario as its file says it: names are not looked up yet, and nothing is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioSpec {
    /// What is trained.
    pub model: Option<ModelSection>,
    /// On what.
    pub cluster: Option<ClusterSection>,
    /// On which data, in which formats.
    pub training: Option<Training>,
    /// How it is spread.
    pub plan: PlanSection,
    /// Whose habits hold.
    pub framework: Framework,
    /// What happens between NICs.
    pub network: Network,
    /// What is taken out of NCCL's hands.
    pub nccl: Nccl,
    /// How the question is answered.
    pub settings: Settings,
    /// What is slower than its kind.
    pub stragglers: Vec<Straggler>,
    /// What runs beside it on the same cluster.
    pub background: Vec<Background>,
    /// What a run costs.
    pub prices: Option<Prices>,
    /// Traffic instead of training.
    pub workload: Option<NetworkWorkload>,
    /// Values by field, all combinations of which are cases.
    pub sweep: Option<Sweep>,
}

/// `[cluster]`: a name or a file, and what is different about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterSection {
    /// A cluster of the zoo.
    pub name: Option<String>,
    /// A cluster file.
    pub file: Option<String>,
    /// Nodes: how many of the cluster's own kind, or by kind.
    pub nodes: Option<NodeCount>,
    /// What connects them.
    pub fabric: Option<Named<FabricSpec>>,
    /// What nodes reach towards each other, in place of what the fabric says; without rows nothing
    /// was measured.
    pub measured: Option<MeasuredRates>,
    /// Data sheets beside those of the zoo.
    pub gpus: Vec<GpuSpec>,
    /// What is faster or slower than all of that says.
    pub scale: Scale,
}

/// `[cluster.scale]`: factors on what files and measurements say of a cluster, for questions of what
/// faster parts would bring. 1 leaves everything as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// On the rates of NICs and of all links between nodes.
    pub link_rate: f64,
    /// On what messages between nodes take before their first byte.
    pub link_latency: f64,
    /// On the speed of kernels; their launch and the host stay as they are.
    pub gpu_speed: f64,
}

impl Scale {
    /// The range of every factor.
    pub const RANGE: Limits = Limits {
        max: 1000.0,
        ..Limits::at_least(0.001)
    };
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            link_rate: 1.0,
            link_latency: 1.0,
            gpu_speed: 1.0,
        }
    }
}

fn scale(t: &mut Fields<'_, '_>) -> Scale {
    let factor = || number(Scale::RANGE);
    Scale {
        link_rate: t
            .get("link_rate", "rates of NICs and of links between nodes over what is known of them", factor())
            .or(1.0),
        link_latency: t
            .get(
                "link_latency",
                "what messages between nodes take before their first byte, over what is known of it",
                factor(),
            )
            .or(1.0),
        gpu_speed: t
            .get("gpu_speed", "speed of all kernels over what is known of it", factor())
            .or(1.0),
    }
}

/// The nodes of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeCount {
    /// That many of the cluster's only kind.
    Of(u32),
    /// By kind.
    Kinds(Vec<Nodes>),
}

/// The key in `[cluster]` of what was measured between nodes. It is in bytes per second, so that
/// rates read back to the bit.
pub const MEASURED_RATES: &str = "measured_bytes_per_s";

pub(crate) fn cluster(t: &mut Fields<'_, '_>) -> ClusterSection {
    t.exclude("name", "file");
    let count = mapped(whole::<u32>(1), NodeCount::Of);
    let kinds = mapped(list(table(nodes)), NodeCount::Kinds);
    let section = ClusterSection {
        name: t.get("name", "a cluster of the zoo", text()).optional(),
        file: t.get("file", "a cluster file", text()).optional(),
        nodes: t
            .get("nodes", "how many, or by kind", either(count, kinds))
            .optional(),
        fabric: t
            .get("fabric", FABRIC, named(crate::hardware::fabric))
            .optional(),
        measured: t
            .get(
                MEASURED_RATES,
                "rates between nodes as they were measured, in place of the fabric's own; row: sending node, column: receiving node, in bytes per second; 0: not measured; no rows: none; `scale` leaves them as they are",
                list(list(mapped(number(Limits::at_least(0.0)), BytesPerSec::new))),
            )
            .optional(),
        gpus: t.get("gpus", GPUS, list(table(gpu))).or_default(),
        scale: t
            .get("scale", "factors on what is known of the cluster", table(scale))
            .or_default(),
    };
    let has_kinds = matches!(section.nodes, Some(NodeCount::Kinds(_)));
    if !t.has("name") && !t.has("file") && !has_kinds {
        t.missing(
            "name",
            "a cluster of the zoo; or `file`, or [[cluster.nodes]]".to_owned(),
        );
    }
    section
}

/// The fields of a scenario.
pub(crate) fn scenario(t: &mut Fields<'_, '_>) -> ScenarioSpec {
    schema(t);
    let is_traffic = t.has("workload");
    let spec = ScenarioSpec {
        model: t.get("model", "what is trained", table(model)).optional(),
        cluster: t
            .get("cluster", "the machines it runs on", table(cluster))
            .optional(),
        training: t
            .get(
                "training",
                "on which data, in which formats",
                table(training),
            )
            .optional(),
        plan: t
            .get("plan", "how the work is spread over the GPUs", table(plan))
            .or_default(),
        framework: t
            .get(
                "framework",
                "which training framework: its defaults and kernels hold",
                table(framework),
            )
            .or_default(),
        network: t
            .get("network", "what happens between NICs", table(network))
            .or_default(),
        nccl: t
            .get("nccl", "choices of NCCL that are set by hand", table(nccl))
            .or_default(),
        settings: t
            .get("settings", "how the prediction is made", table(settings))
            .or_default(),
        stragglers: t
            .get(
                "stragglers",
                "what is slower than its kind",
                list(table(straggler)),
            )
            .or_default(),
        background: t
            .get(
                "background",
                "what runs beside the job on the same cluster, in the engines flow and packet",
                list(table(background)),
            )
            .or_default(),
        prices: t
            .get("prices", "what a run costs", table(prices))
            .optional(),
        workload: t
            .get("workload", "traffic instead of training", table(workload))
            .optional(),
        sweep: t
            .get(
                "sweep",
                "values by field; every combination is a case",
                map(list(any())),
            )
            .optional(),
    };
    for section in ["model", "cluster", "training"] {
        if !is_traffic && !t.has(section) {
            t.missing(section, "as a section: see `windtunnel help scenario`");
        }
    }
    spec
}

/// Every field of a scenario.
pub fn scenario_fields() -> Vec<Field> {
    Fields::describe(&scenario)
}

/// Reads a document as a scenario. Names are not looked up: [`crate::read_whole_scenario`] does.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn read_scenario(document: &Table) -> Result<ScenarioSpec, Vec<Failure>> {
    let (spec, failures) = draft(document);
    if failures.is_empty() {
        Ok(spec)
    } else {
        Err(failures)
    }
}

/// A document as a scenario, with everything that is wrong with it: what a field at fault stands
/// for is of no use.
pub(crate) fn draft(document: &Table) -> (ScenarioSpec, Vec<Failure>) {
    let mut failures = Vec::new();
    let start = document
        .entries()
        .first()
        .map(|entry| entry.key_place.clone());
    let spec = Fields::read(document, start, "", &mut failures, &scenario);
    // A scenario of a later version may mean anything: that it is one is all there is to say.
    let is_newer = |failure: &Failure| matches!(failure.problem, Problem::NewerSchema { .. });
    if failures.iter().any(is_newer) {
        failures.retain(is_newer);
    }
    if !failures.is_empty() {
        let fields = scenario_fields();
        for failure in &mut failures {
            point_elsewhere(failure, &fields);
        }
    }
    (spec, failures)
}

/// Where an unknown field is a field of another section, says so.
fn point_elsewhere(failure: &mut Failure, fields: &[Field]) {
    let Problem::UnknownField {
        key,
        known,
        elsewhere,
        ..
    } = &mut failure.problem
    else {
        return;
    };
    if nearest(key, known.iter().copied()).is_some() {
        return;
    }
    *elsewhere = fields.iter().find_map(|section| {
        let Kind::Table(inner) = &section.kind else {
            return None;
        };
        let close = nearest(key, inner.iter().map(|field| field.key))?;
        Some(format!("{}.{close}", section.key))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{environment_name, scalar_paths};

    #[test]
    fn every_field_has_an_environment_variable_of_its_own() {
        let mut paths = Vec::new();
        scalar_paths(&scenario_fields(), "", &mut paths);
        let mut names: Vec<String> = paths.iter().map(|path| environment_name(path)).collect();
        assert!(names.contains(&"WINDTUNNEL_PLAN_MOE_CAPACITY_FACTOR".to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
