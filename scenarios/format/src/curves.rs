//! Profiles: what a GPU achieves, as curves.

use std::sync::Arc;

use profile::{
    AttentionKernel, AttentionSpec, CommProfile, FitSpec, GemmSpec, GridSpec, HostSpec,
    InterferenceSpec, MemorySpec, PackingKind, PointSpec, ProfileError, ProfileSpec, ScanSpec,
    StreamKind, StreamKindSpec, StreamSpec, UnfusedSpec,
};
use units::DType;

use crate::comm;
use crate::error::{Failure, Problem};
use crate::fields::Fields;
use crate::hardware::schema;
use crate::kind::Limits;
use crate::library::{At, read_source};
use crate::shape::{
    Integer, Number, OneOf, Shape, array, boolean, list, number, one_of, table, text, whole,
};
use crate::source::Source;
use crate::tree::parse;

const SOURCE: &str = "where the constants come from";
const FIT: &str = "on what the constants were fitted, and how well";

/// A profile file: a GPU's curves, the constants of collectives, or both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileFile {
    /// The curves of a GPU, where the file names one.
    pub gpu: Option<ProfileSpec>,
    /// The constants of collectives.
    pub comm: Option<CommProfile>,
}

/// Reads a profile file.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn read_profile(source: &Arc<Source>) -> Result<ProfileFile, Vec<Failure>> {
    let file = read_source(source, &profile_file)?;
    let refused = file.comm.as_ref().map(CommProfile::check_entries);
    let refused = refused.unwrap_or_default();
    if refused.is_empty() {
        return Ok(file);
    }
    let document = parse(source)?;
    let at = |error: &ProfileError| {
        let field = file.comm.as_ref().map(|own| comm::field(error, own));
        let field = field.unwrap_or_default();
        let place = document.place(&field);
        At { field, place }.failure(Problem::Refused {
            message: error.to_string(),
            hint: error.hint(),
        })
    };
    Err(refused.iter().map(at).collect())
}

/// A profile file.
pub fn profile_file(t: &mut Fields<'_, '_>) -> ProfileFile {
    let comm = t
        .get("comm", "constants of collectives", table(comm::comm))
        .optional();
    // Constants of collectives alone need no GPU; everything else does.
    let is_comm_only = comm.is_some() && !t.has("gpu");
    if is_comm_only {
        schema(t);
        t.get("name", "name of the profile", text()).required();
        t.get("date", "day of the fit, YYYY-MM-DD", text())
            .optional();
        return ProfileFile { gpu: None, comm };
    }
    let gpu = Some(profile(t));
    ProfileFile { gpu, comm }
}

fn profile(t: &mut Fields<'_, '_>) -> ProfileSpec {
    ProfileSpec {
        schema: schema(t),
        name: t.get("name", "name of the profile", text()).required(),
        gpu: t
            .get("gpu", "name of the GPU that was measured", text())
            .required(),
        relatives: t
            .get(
                "relatives",
                "GPUs with the same chip, for which the shares hold",
                list(text()),
            )
            .optional()
            .unwrap_or_default(),
        date: t
            .get("date", "day of the fit, YYYY-MM-DD", text())
            .required(),
        sustained: t
            .get(
                "sustained",
                "what long training keeps of a microbenchmark's speed",
                number(Limits {
                    max: 2.0,
                    ..Limits::POSITIVE
                }),
            )
            .or(1.0),
        launch_us: t
            .get("launch_us", "gap between two kernels, in µs", positive())
            .or(1.0),
        gemm: t
            .get("gemm", "matrix products", list(table(gemm)))
            .optional()
            .unwrap_or_default(),
        attention: t
            .get(
                "attention",
                "fused attention kernels",
                list(table(attention)),
            )
            .optional()
            .unwrap_or_default(),
        unfused: t
            .get(
                "unfused",
                "attention with the scores in memory",
                table(unfused),
            )
            .optional(),
        stream: t
            .get("stream", "memory-bound kernels", table(stream))
            .optional(),
        scan: t.get("scan", "state-space scans", table(scan)).optional(),
        host: t.get("host", "time of the host", table(host)).optional(),
        memory: t
            .get("memory", "memory that no tensor explains", table(memory))
            .optional(),
        interference: t
            .get(
                "interference",
                "what communication takes from compute",
                table(interference),
            )
            .optional(),
    }
}

const fn positive() -> Number {
    number(Limits::at_least(0.0))
}

const fn share() -> Number {
    number(Limits::SHARE)
}

fn count<N: Integer>() -> impl Shape<Out = N> {
    whole(1)
}

fn dtypes() -> impl Shape<Out = Vec<DType>> {
    list(one_of(
        DType::ALL.map(|dtype| (dtype.name(), dtype)).to_vec(),
    ))
}

fn packings() -> OneOf<PackingKind> {
    one_of(vec![
        ("single", PackingKind::Single),
        ("batched", PackingKind::Batched),
        ("grouped", PackingKind::Grouped),
    ])
}

fn gemm(t: &mut Fields<'_, '_>) -> GemmSpec {
    GemmSpec {
        dtypes: t
            .get("dtypes", "input formats that the curve holds for", dtypes())
            .required(),
        packing: t
            .get("packing", "how the products are packed", packings())
            .or(PackingKind::Single),
        efficiency: t
            .get(
                "efficiency",
                "share of the peak that large products reach",
                share(),
            )
            .required(),
        half_k: t
            .get(
                "half_k",
                "inner length at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        half_rows: t
            .get(
                "half_rows",
                "rows at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        wave: t
            .get(
                "wave",
                "exponent of the wave utilisation",
                number(Limits::within(0.0, 4.0)),
            )
            .or(0.0),
        tile: t
            .get(
                "tile",
                "rows and columns of one thread block",
                array::<2, _>(count()),
            )
            .or([128, 128]),
        split_k: t
            .get("split_k", "most parts of the inner dimension", count())
            .or(1),
        bandwidth: t
            .get(
                "bandwidth",
                "share of the bandwidth of thin products",
                share(),
            )
            .required(),
        accumulate: t
            .get(
                "accumulate",
                "speed of a product added to an fp32 result",
                share(),
            )
            .or(1.0),
        base_us: t
            .get(
                "base_us",
                "what a kernel alone costs besides, in µs",
                positive(),
            )
            .or(0.0),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
        grid: t
            .get("grid", "correction of the curve by shape", table(grid))
            .optional(),
        points: t
            .get(
                "points",
                "shapes that were measured themselves",
                list(table(point)),
            )
            .optional()
            .unwrap_or_default(),
    }
}

fn fit(t: &mut Fields<'_, '_>) -> FitSpec {
    let range = || array::<2, _>(number(Limits::ANY));
    FitSpec {
        rows: t
            .get("rows", "rows of the table that were fitted", count())
            .required(),
        mape: t
            .get("mape", "mean absolute relative error on them", positive())
            .required(),
        held_out: t
            .get(
                "held_out",
                "the same on rows that were not fitted",
                positive(),
            )
            .optional(),
        held_out_by: t
            .get("held_out_by", "which rows those were", text())
            .or(String::new()),
        x: t.get("x", "range of the first dimension", range())
            .optional(),
        y: t.get("y", "range of the second dimension", range())
            .optional(),
        z: t.get("z", "range of the third dimension", range())
            .optional(),
    }
}

fn grid(t: &mut Fields<'_, '_>) -> GridSpec {
    let axis = || list(number(Limits::at_least(1.0)));
    GridSpec {
        m: t.get("m", "nodes of m, rising", axis()).required(),
        n: t.get("n", "nodes of n, rising", axis()).required(),
        k: t.get("k", "nodes of k, rising", axis()).required(),
        factor: t
            .get(
                "factor",
                "measured time over the curve's, k running fastest, then n",
                list(number(Limits::within(0.125, 8.0))),
            )
            .required(),
    }
}

fn point(t: &mut Fields<'_, '_>) -> PointSpec {
    PointSpec {
        m: t.get("m", "rows", count()).required(),
        n: t.get("n", "columns", count()).required(),
        k: t.get("k", "inner length", count()).required(),
        us: t
            .get("us", "measured time in µs", number(Limits::POSITIVE))
            .required(),
    }
}

fn attention(t: &mut Fields<'_, '_>) -> AttentionSpec {
    let kernels = vec![
        ("flash1", AttentionKernel::Flash1),
        ("flash2", AttentionKernel::Flash2),
        ("flash3", AttentionKernel::Flash3),
    ];
    AttentionSpec {
        kernel: t
            .get("kernel", "generation of the kernel", one_of(kernels))
            .required(),
        dtypes: t
            .get("dtypes", "formats that the curve holds for", dtypes())
            .required(),
        head_dim: t
            .get("head_dim", "dimension of queries and keys", count())
            .required(),
        efficiency: t
            .get("efficiency", "share of the peak on long sequences", share())
            .required(),
        half_len: t
            .get(
                "half_len",
                "mean keys per query at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        wave: t
            .get(
                "wave",
                "exponent of the wave utilisation",
                number(Limits::within(0.0, 4.0)),
            )
            .or(1.0),
        tile: t.get("tile", "queries per thread block", count()).or(128),
        bandwidth: t
            .get("bandwidth", "share of the memory bandwidth", share())
            .required(),
        backward: t
            .get(
                "backward",
                "time per operation of the backward pass over the forward pass's",
                number(Limits::at_least(0.4)),
            )
            .required(),
        base_us: t
            .get(
                "base_us",
                "what a kernel alone costs besides, in µs",
                positive(),
            )
            .or(0.0),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
    }
}

fn unfused(t: &mut Fields<'_, '_>) -> UnfusedSpec {
    UnfusedSpec {
        misaligned: t
            .get(
                "misaligned",
                "speed where the head size is no multiple of 8",
                share(),
            )
            .required(),
        score_bytes: t
            .get(
                "score_bytes",
                "bytes per score of the fused softmax",
                number(Limits::POSITIVE),
            )
            .required(),
        loose_score_bytes: t
            .get(
                "loose_score_bytes",
                "the same without fusion",
                number(Limits::POSITIVE),
            )
            .required(),
        fused_max_len: t
            .get(
                "fused_max_len",
                "longest key length of the fused softmax",
                whole(0),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}

/// The kinds of memory-bound kernels, as files write them.
const STREAM_KINDS: &[(&str, StreamKind)] = &[
    ("norm", StreamKind::Norm),
    ("activation", StreamKind::Activation),
    ("rotary", StreamKind::Rotary),
    ("residual", StreamKind::Residual),
    ("dropout", StreamKind::Dropout),
    ("bias", StreamKind::Bias),
    ("embedding", StreamKind::Embedding),
    ("cross-entropy", StreamKind::CrossEntropy),
    ("router", StreamKind::Router),
    ("permute", StreamKind::Permute),
    ("cast", StreamKind::Cast),
    ("convolution", StreamKind::Convolution),
    ("optimizer", StreamKind::Optimizer),
    ("copy", StreamKind::Copy),
];

fn stream(t: &mut Fields<'_, '_>) -> StreamSpec {
    StreamSpec {
        bandwidth: t
            .get("bandwidth", "share that a large kernel reaches", share())
            .required(),
        ramp_bytes: t
            .get(
                "ramp_bytes",
                "bytes at which one launch reaches half of it",
                positive(),
            )
            .or(0.0),
        kinds: t
            .get(
                "kinds",
                "kinds that reach another share",
                list(table(stream_kind)),
            )
            .optional()
            .unwrap_or_default(),
        source: t.get("source", SOURCE, text()).required(),
        measured: t
            .get("measured", "whether this GPU was measured", boolean())
            .or(false),
    }
}

fn stream_kind(t: &mut Fields<'_, '_>) -> StreamKindSpec {
    StreamKindSpec {
        kind: t
            .get("kind", "the kind", one_of(STREAM_KINDS.to_vec()))
            .required(),
        bandwidth: t
            .get("bandwidth", "share that it reaches", share())
            .required(),
        measured: t
            .get("measured", "whether this GPU was measured", boolean())
            .or(false),
    }
}

fn scan(t: &mut Fields<'_, '_>) -> ScanSpec {
    ScanSpec {
        efficiency: t.get("efficiency", "share of the peak", share()).required(),
        bandwidth: t
            .get("bandwidth", "share of the memory bandwidth", share())
            .required(),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
    }
}

fn host(t: &mut Fields<'_, '_>) -> HostSpec {
    HostSpec {
        kernel_us: t
            .get("kernel_us", "per kernel launch, in µs", positive())
            .required(),
        layer_us: t
            .get("layer_us", "per layer and pass, in µs", positive())
            .required(),
        expert_layer_us: t
            .get(
                "expert_layer_us",
                "the same for a mixture-of-experts layer",
                positive(),
            )
            .required(),
        micro_batch_us: t
            .get("micro_batch_us", "per micro-batch, in µs", positive())
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}

fn memory(t: &mut Fields<'_, '_>) -> MemorySpec {
    MemorySpec {
        context_mib: t
            .get(
                "context_mib",
                "driver context and kernels, in MiB",
                positive(),
            )
            .required(),
        framework_mib: t
            .get(
                "framework_mib",
                "small buffers of the framework, in MiB",
                positive(),
            )
            .required(),
        workspace_mib: t
            .get(
                "workspace_mib",
                "workspace of the matrix library, in MiB",
                positive(),
            )
            .required(),
        communicator_mib: t
            .get(
                "communicator_mib",
                "buffers of one communicator, in MiB",
                positive(),
            )
            .required(),
        slack: t
            .get(
                "slack",
                "reserved but unused, as a share of the allocated peak",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}

fn interference(t: &mut Fields<'_, '_>) -> InterferenceSpec {
    InterferenceSpec {
        channels: t
            .get("channels", "SMs that communication holds", positive())
            .required(),
        bandwidth: t
            .get(
                "bandwidth",
                "share of the memory bandwidth that it takes",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}
