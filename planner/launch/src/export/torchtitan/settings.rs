//! A plan as fields of torchtitan's configuration.

use plan::{OffloadTarget, PlannedSchedule, RecomputePolicy, Shards};
use predict::Scenario;
use units::DType;
use workload::ops::Recompute;
use workload::{CpMethod, TpOverlap};

use super::{Form, experts, needs_file, refused, schedule_name, unsupported};
use crate::complete::{cp_method, layers_by_stage};
use crate::error::ExportError;
use crate::places::has_experts;

/// The fields of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) fields: Vec<Setting>,
    /// What is computed again: none, selective or full.
    pub(super) recompute: &'static str,
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    /// Section and key.
    pub(super) key: &'static str,
    /// What it is set to.
    pub(super) value: SettingValue,
    /// Which versions have it; all where absent.
    pub(super) form: Option<Form>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SettingValue {
    Number(u64),
    Switch(bool),
    Text(&'static str),
}

impl SettingValue {
    pub(super) fn flag(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Switch(on) => if *on { "True" } else { "False" }.to_owned(),
            Self::Text(text) => (*text).to_owned(),
        }
    }

    pub(super) fn toml(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Switch(on) => on.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

impl Settings {
    /// The fields that such versions have.
    pub(super) fn of(&self, form: Form) -> impl Iterator<Item = &Setting> {
        let fields = self.fields.iter();
        fields.filter(move |setting| setting.form.is_none_or(|only| only == form))
    }

    fn number(&mut self, key: &'static str, value: impl Into<u64>) {
        self.push(key, SettingValue::Number(value.into()), None);
    }

    pub(super) fn push(&mut self, key: &'static str, value: SettingValue, form: Option<Form>) {
        self.fields.push(Setting { key, value, form });
    }
}

/// The fields of a scenario.
///
/// # Errors
///
/// What of it torchtitan cannot say.
pub(super) fn of(
    scenario: &Scenario,
    form: Form,
    warnings: &mut Vec<String>,
) -> Result<Settings, ExportError> {
    let mut out = Settings::default();
    experts::check_model(scenario, warnings)?;
    batch(scenario, &mut out);
    degrees(scenario, form, warnings, &mut out)?;
    pipeline(scenario, &mut out)?;
    formats(scenario, warnings, &mut out);
    overlap(scenario, warnings, &mut out);
    graphs(scenario, &mut out)?;
    out.recompute = recompute(scenario.plan.recompute_policy())?;
    Ok(out)
}

/// With a pipeline all micro-batches are one local batch; else they are accumulated.
fn batch(scenario: &Scenario, out: &mut Settings) {
    let (plan, job) = (&scenario.plan, &scenario.job);
    let piped = 1 < plan.degrees().pp;
    let times = if piped {
        u64::from(plan.n_micro_batches())
    } else {
        1
    };
    out.number("training.local_batch_size", plan.micro_batch() * times);
    out.number("training.global_batch_size", job.global_batch);
    out.number("training.seq_len", job.seq_len);
    let steps = job.iterations().unwrap_or(100);
    out.number("training.steps", steps);
    if piped {
        let size = plan.micro_batch();
        out.number("parallelism.pipeline_parallel_microbatch_size", size);
    }
}

fn degrees(
    scenario: &Scenario,
    form: Form,
    warnings: &mut Vec<String>,
    out: &mut Settings,
) -> Result<(), ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    out.number("parallelism.tensor_parallel_degree", degrees.tp);
    out.number("parallelism.pipeline_parallel_degree", degrees.pp);
    out.number("parallelism.context_parallel_degree", degrees.cp);
    out.number("parallelism.expert_parallel_degree", degrees.ep);
    let (replicas, shards) = sharding(scenario)?;
    out.number("parallelism.data_parallel_replicate_degree", replicas);
    out.number("parallelism.data_parallel_shard_degree", shards);
    if 1 < degrees.tp {
        let on = SettingValue::Switch(plan.sequence_parallel());
        out.push(
            "parallelism.enable_sequence_parallel",
            on,
            Some(Form::Flags),
        );
    }
    if 1 < degrees.cp {
        context(plan.cp_method(), form, out)?;
    }
    experts::write(scenario, form, shards, warnings, out)?;
    slices(scenario)
}

/// Sequences are cut by sequence parallelism, and in pairs of slices by context parallelism.
fn slices(scenario: &Scenario) -> Result<(), ExportError> {
    let (plan, degrees) = (&scenario.plan, scenario.plan.degrees());
    let tp = if plan.sequence_parallel() {
        degrees.tp
    } else {
        1
    };
    let cp = if 1 < degrees.cp { 2 * degrees.cp } else { 1 };
    if scenario.job.seq_len.is_multiple_of(u64::from(tp * cp)) {
        return Ok(());
    }
    let what = format!("sequences that are no multiple of {} tokens", tp * cp);
    refused("training.seq_len", what, "lengthen the sequences")
}

/// From 0.3 on, keys and values are gathered; before, they could also be exchanged.
fn context(method: CpMethod, form: Form, out: &mut Settings) -> Result<(), ExportError> {
    match (method, form) {
        (CpMethod::AllGather, _) => Ok(()),
        (CpMethod::AllToAll, Form::Toml) => {
            let key = "parallelism.context_parallel_rotate_method";
            out.push(key, SettingValue::Text("alltoall"), Some(Form::Toml));
            Ok(())
        }
        _ => {
            let hint = "use cp_method = \"allgather\"";
            let what = format!("context parallelism by {}", cp_method(method));
            Err(unsupported("plan.cp_method", what, hint))
        }
    }
}

/// Replicas, and ranks that share everything: FSDP cuts weights, gradients and optimizer alike, over
/// data and context parallelism.
fn sharding(scenario: &Scenario) -> Result<(u32, u32), ExportError> {
    let (shards, degrees) = (scenario.plan.shards(), scenario.plan.degrees());
    let hint = "use shard = \"zero-3\", or all three over groups of one size that holds all of cp";
    if shards == Shards::NONE && degrees.cp == 1 {
        return Ok((degrees.dp, 1));
    }
    let group = shards.weights;
    let alike = shards.gradients == group && shards.optimizer == group;
    if !alike || !group.is_multiple_of(degrees.cp) {
        let Shards {
            weights,
            gradients,
            optimizer,
        } = shards;
        let what = format!(
            "weights over {weights}, gradients over {gradients} and optimizer over {optimizer} ranks"
        );
        return Err(unsupported("plan.shard", what, hint));
    }
    let shard = group / degrees.cp;
    Ok((degrees.dp / shard, shard))
}

fn pipeline(scenario: &Scenario, out: &mut Settings) -> Result<(), ExportError> {
    let plan = &scenario.plan;
    if plan.degrees().pp == 1 {
        return Ok(());
    }
    if plan.is_two_directional() {
        let hint = "use \"dualpipev\", which has the same passes on half the devices";
        return Err(unsupported(
            "plan.schedule",
            "two copies of every stage",
            hint,
        ));
    }
    if needs_file(scenario) {
        let name = SettingValue::Text(super::SCHEDULE_FILE);
        out.push("parallelism.pipeline_parallel_schedule_csv", name, None);
    } else if let PlannedSchedule::Kind { kind, .. } = plan.planned_schedule()
        && let Some(name) = schedule_name(*kind)
    {
        let name = SettingValue::Text(name);
        out.push("parallelism.pipeline_parallel_schedule", name, None);
    }
    split(scenario, out)
}

/// Layers: as many in every virtual stage, or fewer in the first and the last one.
fn split(scenario: &Scenario, out: &mut Settings) -> Result<(), ExportError> {
    let counts = layers_by_stage(&scenario.plan);
    let most = counts.iter().copied().max().unwrap_or(1);
    let inner = counts.get(1..counts.len().saturating_sub(1)).unwrap_or(&[]);
    let ends = counts.first().zip(counts.last());
    let (Some((first, last)), true) = (ends, inner.iter().all(|count| *count == most)) else {
        let hint = "only the first and the last stage can have fewer layers";
        let what = format!("{counts:?} layers on the stages");
        return Err(unsupported("plan.layer_split", what, hint));
    };
    out.number("parallelism.pipeline_parallel_layers_per_stage", most);
    let (first, last) = (most - first, most - last);
    out.number(
        "parallelism.pipeline_parallel_first_stage_less_layers",
        first,
    );
    out.number("parallelism.pipeline_parallel_last_stage_less_layers", last);
    Ok(())
}

fn formats(scenario: &Scenario, warnings: &mut Vec<String>, out: &mut Settings) {
    let (precision, offload) = (scenario.job.precision, scenario.plan.offload());
    let compute = match precision.compute {
        DType::Bf16 => "bfloat16",
        DType::Fp32 | DType::Tf32 => "float32",
        other => {
            warnings.push(format!(
                "training.precision = \"{other}\": torchtitan has bf16 and fp32"
            ));
            "bfloat16"
        }
    };
    let value = SettingValue::Text(compute);
    out.push("training.mixed_precision_param", value, None);
    if precision.fp8.is_some() {
        warnings.push(
            "training.precision: products in fewer bits are part of a configuration's function: \
             choose CONFIG so"
                .to_owned(),
        );
    }
    if scenario.job.grad_dtype != DType::Fp32 {
        warnings.push("training.grad_dtype: torchtitan reduces gradients in fp32".to_owned());
    }
    let outside = offload
        .weights
        .max(offload.optimizer)
        .max(offload.activations);
    if 0.0 < outside {
        let whole = offload.weights >= 1.0 && offload.optimizer >= 1.0;
        if !whole || 0.0 < offload.activations || offload.target == OffloadTarget::Ssd {
            warnings.push(
                "plan.offload: torchtitan keeps weights, gradients and optimizer in host memory, \
                 or nothing"
                    .to_owned(),
            );
        }
        let on = SettingValue::Switch(whole);
        out.push("training.enable_cpu_offload", on, None);
    }
}

fn overlap(scenario: &Scenario, warnings: &mut Vec<String>, out: &mut Settings) {
    let (plan, overlap) = (&scenario.plan, scenario.plan.overlap());
    if 1 < plan.degrees().tp && overlap.tp == TpOverlap::Chunked {
        out.push("compile.enable", SettingValue::Switch(true), None);
        let on = || SettingValue::Switch(true);
        let (new, old) = (Some(Form::Flags), Some(Form::Toml));
        out.push("compile.enable_async_tensor_parallel", on(), new);
        out.push("parallelism.enable_async_tensor_parallel", on(), old);
    }
    if 1 < plan.degrees().dense_data() && !(overlap.grad_reduce && overlap.param_gather) {
        warnings.push("plan.overlap: FSDP overlaps both ways without being asked".to_owned());
    }
}

/// From 0.3 on, kernels are captured unless that is switched off; with a pipeline it must be.
fn graphs(scenario: &Scenario, out: &mut Settings) -> Result<(), ExportError> {
    let plan = &scenario.plan;
    if plan.cuda_graphs() && 1 < plan.degrees().pp {
        let hint = "use cuda_graphs = false with a pipeline";
        let what = "CUDA graphs of a pipeline";
        return Err(unsupported("plan.cuda_graphs", what, hint));
    }
    if plan.cuda_graphs() && has_experts(scenario) && 1 < plan.degrees().ep {
        let what = "CUDA graphs of experts that are exchanged";
        let hint = "use cuda_graphs = false with expert parallelism";
        return refused("plan.cuda_graphs", what, hint);
    }
    let off = SettingValue::Switch(!plan.cuda_graphs());
    let key = "training.disable_cuda_graphs";
    out.push(key, off, Some(Form::Flags));
    Ok(())
}

fn recompute(policy: &RecomputePolicy) -> Result<&'static str, ExportError> {
    match policy {
        RecomputePolicy::Uniform(Recompute::None) => Ok("none"),
        RecomputePolicy::Uniform(Recompute::Selective) => Ok("selective"),
        RecomputePolicy::Uniform(Recompute::Full) => Ok("full"),
        _ => {
            let hint = "use recompute = \"none\", \"selective\" or \"full\"";
            Err(unsupported(
                "plan.recompute",
                "parts of layers or some layers",
                hint,
            ))
        }
    }
}
