//! Memory-bound kernels: shares of the bandwidth, by kind where they were measured.

use std::path::Path;

use cluster::GpuSpec;
use profile::{Kernel, Stream, StreamKind, StreamKindSpec, StreamSpec};
use units::Bytes;

use super::curve::{Curve, Errors, Folds, Form, Knob, Row};
use super::curve::{constants, constants_from, cross_validate, intervals};
use super::gemm::thousandth;
use super::report::FittedCurve;
use super::simumax::Operators;
use super::{SIMUMAX, template};
use crate::table::{Table, TableError};

/// Bytes at which a launch reaches half of the bandwidth, where it was not measured.
const RAMP_BYTES: f64 = 2e6;

/// What SimuMax calls kinds, and which kinds they are here. Its `default` is all others.
const KINDS: [(&str, StreamKind); 2] = [
    ("permute_fwd", StreamKind::Permute),
    ("ce", StreamKind::CrossEntropy),
];

/// Shares that no table has: gathers of rows, and small kernels one after the other.
const GUESSED: [(StreamKind, f64); 2] = [(StreamKind::Embedding, 0.5), (StreamKind::Router, 0.4)];

/// Shares of the bandwidth as SimuMax measured them.
///
/// * `measured` — on the GPU of the profile, and not on a relative.
/// * `ramp_bytes` — see [`StreamSpec`]; no table has it.
pub(crate) fn of_simumax(
    operators: &Operators,
    measured_on: &GpuSpec,
    measured: bool,
    card: &str,
) -> StreamSpec {
    let share = |name: &str| {
        let rate = operators.streams.get(name);
        rate.map(|rate| thousandth(rate / measured_on.bandwidth.as_f64()).min(1.0))
    };
    let kind = |(name, kind): (&str, StreamKind)| {
        share(name).map(|bandwidth| StreamKindSpec {
            kind,
            bandwidth,
            measured,
        })
    };
    StreamSpec {
        bandwidth: share("default").unwrap_or(0.7),
        ramp_bytes: RAMP_BYTES,
        kinds: KINDS
            .into_iter()
            .filter_map(kind)
            .chain(guessed())
            .collect(),
        source: format!("{SIMUMAX}: bandwidths that the {card} reached, over its data sheet's"),
        measured,
    }
}

fn guessed() -> impl Iterator<Item = StreamKindSpec> {
    GUESSED.into_iter().map(|(kind, bandwidth)| StreamKindSpec {
        kind,
        bandwidth,
        measured: false,
    })
}

/// Rows of `quantize.csv.gz`: casts from 16 to 8 bits, 3 bytes an element; a group is a width.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>, TableError> {
    let table = Table::read(path)?;
    let mut rows = Vec::new();
    for cells in table.rows(["m", "k", "us"])? {
        let [m, k] = [cells.count(0)?, cells.count(1)?];
        let cast = Stream {
            kind: StreamKind::Cast,
            bytes: Bytes::new(3 * m * k),
            launches: 1,
        };
        let row = Row::alone(Kernel::Stream(cast), cells.positive(2)?, k);
        // Smaller ones stay in the cache between the repetitions of a benchmark.
        if CACHED_BYTES < 3 * m * k {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Twice the cache of Hopper's GPUs.
const CACHED_BYTES: u64 = 100_000_000;

/// Fits the share of casts, which stand for elementwise kernels, and the ramp.
pub(crate) fn fit(gpu: &GpuSpec, rows: &[Row], source: &str) -> (StreamSpec, FittedCurve) {
    let nominal = |kind, bandwidth| StreamKindSpec {
        kind,
        bandwidth,
        measured: false,
    };
    let mut kinds = vec![
        nominal(StreamKind::Norm, 0.8),
        nominal(StreamKind::Permute, 0.4),
        nominal(StreamKind::CrossEntropy, 0.6),
    ];
    kinds.extend(guessed());
    let mut template = template(Vec::new(), Vec::new());
    template.stream = Some(StreamSpec {
        bandwidth: 0.8,
        ramp_bytes: RAMP_BYTES,
        kinds,
        source: source.to_owned(),
        measured: true,
    });
    let knobs = vec![
        Knob::new("bandwidth", (0.8, 0.3), 3, |spec, value| {
            if let Some(stream) = &mut spec.stream {
                stream.bandwidth = value.min(1.0);
            }
        }),
        Knob::new("ramp_bytes", (RAMP_BYTES, 1.0), 0, |spec, value| {
            if let Some(stream) = &mut spec.stream {
                stream.ramp_bytes = (value / 1e5).round() * 1e5;
            }
        }),
    ];
    let form = Form {
        template,
        knobs,
        extra: None,
    };
    let (values, found) = constants(&form, gpu, rows);
    let refit = |rows: &[Row]| {
        let (values, _) = constants_from(&form, gpu, rows, &found.values);
        let curve = Curve::new(&form, gpu, &values);
        (values, curve)
    };
    let checked = cross_validate(rows, Folds::All(4), &refit);
    let errors = Errors::of(&Curve::new(&form, gpu, &values), rows);
    let curve = FittedCurve::new(
        "streams".to_owned(),
        rows,
        &errors,
        &checked,
        intervals(&form, &values, &found, &checked.values),
    );
    let stream = form.spec(&values).stream;
    (stream.expect("the template has the section"), curve)
}
