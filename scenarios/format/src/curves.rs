//! Profiles: what a GPU achieves, as curves.

mod attention;
mod constants;
mod gemm;
mod stream;

use std::sync::Arc;

use profile::{CommProfile, FitSpec, ProfileError, ProfileSpec};
use units::DType;

use crate::comm;
use crate::error::{Failure, Problem};
use crate::fields::Fields;
use crate::hardware::schema;
use crate::kind::Limits;
use crate::library::{At, read_source};
use crate::shape::{
    Integer, Number, Shape, array, boolean, list, number, one_of, table, text, whole,
};
use crate::source::Source;
use crate::tree::parse;

// What several curves have.
const SOURCE: &str = "where the constants come from";
const DATE: &str = "day of the fit, YYYY-MM-DD";
const FIT: &str = "on what the constants were fitted, and how well";
const WAVE: &str = "exponent of the wave utilization: 0 ignores it, 1 counts whole waves";
const BASE: &str = "what a kernel measured alone costs besides, in µs; a run does not pay it";
const MEASURED: &str = "whether it was measured on this GPU; if not, it counts as nominal";

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
        t.get("date", DATE, text()).optional();
        return ProfileFile { gpu: None, comm };
    }
    let gpu = Some(profile(t));
    ProfileFile { gpu, comm }
}

fn profile(t: &mut Fields<'_, '_>) -> ProfileSpec {
    ProfileSpec {
        schema: schema(t),
        name: t.get("name", "name of the profile", text()).required(),
        gpu: needed(t, "gpu", "name of the GPU that was measured"),
        relatives: t
            .get(
                "relatives",
                "GPUs with the same chip, for which the shares hold",
                list(text()),
            )
            .or_default(),
        scaled_from: t
            .get(
                "scaled_from",
                "the GPU that was measured in its place",
                text(),
            )
            .optional(),
        only_by_name: t
            .get(
                "only_by_name",
                "whether another profile is the usual one of that GPU",
                boolean(),
            )
            .or(false),
        date: needed(t, "date", DATE),
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
            .get("gemm", "matrix products", list(table(gemm::gemm)))
            .or_default(),
        attention: t
            .get(
                "attention",
                "fused attention kernels",
                list(table(attention::attention)),
            )
            .or_default(),
        unfused: t
            .get(
                "unfused",
                "attention with the scores in memory",
                table(attention::unfused),
            )
            .optional(),
        stream: t
            .get("stream", "memory-bound kernels", table(stream::stream))
            .optional(),
        scan: t
            .get("scan", "state-space scans", table(stream::scan))
            .optional(),
        host: t
            .get("host", "time of the host", table(constants::host))
            .optional(),
        memory: t
            .get(
                "memory",
                "memory that no tensor explains",
                table(constants::memory),
            )
            .optional(),
        interference: t
            .get(
                "interference",
                "what communication takes from compute",
                table(constants::interference),
            )
            .optional(),
    }
}

/// A text that curves need. No schema asks for it, as constants of collectives do without.
fn needed(t: &mut Fields<'_, '_>, key: &'static str, doc: &'static str) -> String {
    if !t.has(key) {
        t.missing(key, text().kind().expected());
    }
    t.get(key, doc, text()).or_default()
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

const fn wave() -> Number {
    number(Limits::within(0.0, 4.0))
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
