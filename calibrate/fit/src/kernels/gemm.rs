//! Matrix products: first the constants of the curve, then its correction by shape.
//!
//! See [`GemmSpec`] for the formula. The constants are fitted without the correction, because
//! batched and grouped products use them without it.

use std::path::Path;

use cluster::GpuSpec;
use profile::{FitSpec, Gemm, GemmSpec, GridSpec, Kernel, PackingKind, ProfileSpec};
use units::DType;

use super::curve::{CrossValidated, cross_validate, intervals};
use super::curve::{Curve, Errors, Folds, Form, Knob, Row, constants, constants_from};
use super::knobs;
use super::report::FittedCurve;
use super::template;
use crate::table::{Table, TableError};

/// Sizes of thread blocks that are tried.
const TILES: [[u32; 2]; 3] = [[128, 128], [128, 256], [256, 128]];

/// Nodes of the correction: rows, and columns and inner lengths.
const NODES_M: [f64; 5] = [128.0, 512.0, 2048.0, 8192.0, 32768.0];
const NODES: [f64; 5] = [128.0, 512.0, 2048.0, 8192.0, 65536.0];

/// What a file can hold of a factor.
const FACTOR: (f64, f64) = (0.125, 8.0);

/// Standard deviation of a factor's logarithm before any row is seen. Where a launch takes most of
/// the measured time, rows say little of the kernel itself, and the factor stays near 1.
const FACTOR_SD: f64 = 0.3;

/// Unseen values of `n` in four parts.
const FOLDS: Folds = Folds::Interior(4);

/// A fitted curve of products.
pub(crate) struct Products {
    pub(crate) spec: GemmSpec,
    pub(crate) curve: FittedCurve,
}

/// Rows of `gemm.csv.gz` of one format; a group is a value of `n`. Quantized inputs were cast from
/// 16 bits inside the measurement: their elements are the bytes moved along.
pub(crate) fn read(path: &Path, dtype: DType) -> Result<Vec<Row>, TableError> {
    let table = Table::read(path)?;
    let mut rows = Vec::new();
    for cells in table.rows(["dtype", "m", "n", "k", "us"])? {
        let found = DType::from_name(cells.text(0));
        let found = found.ok_or_else(|| cells.refused(0, "a number format such as bf16"))?;
        if found != dtype {
            continue;
        }
        let [m, n, k] = [cells.count(1)?, cells.count(2)?, cells.count(3)?];
        let output = DType::Bf16;
        let gemm = Gemm {
            output,
            ..Gemm::new(m, n, k, dtype)
        };
        let mut row = Row::alone(Kernel::Gemm(gemm), cells.positive(4)?, n);
        if dtype != output {
            row.extra_bytes = m as f64 * k as f64;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Fits the products of one GPU and format.
///
/// * `accumulate` — the speed of weight gradients over other products, measured elsewhere.
/// * `source` — of the rows.
pub(crate) fn fit(
    gpu: &GpuSpec,
    dtypes: &[DType],
    rows: &[Row],
    accumulate: f64,
    source: &str,
) -> Products {
    let quantized = rows.iter().any(|row| 0.0 < row.extra_bytes);
    let tried = TILES.map(|tile| {
        let form = form(dtypes, tile, accumulate, quantized);
        let (values, fit) = constants(&form, gpu, rows);
        (form, values, fit)
    });
    let mut tried = tried.into_iter();
    let first = tried.next().expect("there are tiles");
    let (form, values, found) = tried.fold(first, |best, next| {
        if next.2.cost < best.2.cost {
            next
        } else {
            best
        }
    });
    let plain = |rows: &[Row]| {
        let (values, _) = constants_from(&form, gpu, rows, &found.values);
        let curve = Curve::new(&form, gpu, &values);
        (values, curve)
    };
    let corrected = |rows: &[Row]| {
        let (values, _) = constants_from(&form, gpu, rows, &found.values);
        let (grid, factors) = correction(&form, &values, gpu, rows);
        (values, Curve::new(&grid, gpu, &factors))
    };
    let without = cross_validate(rows, FOLDS, &plain);
    let checked = cross_validate(rows, FOLDS, &corrected);
    let (grid, factors) = correction(&form, &values, gpu, rows);
    let errors = Errors::of(&Curve::new(&grid, gpu, &factors), rows);
    let mut spec = grid.spec(&factors).gemm.swap_remove(0);
    source.clone_into(&mut spec.source);
    spec.fit = Some(fitted(rows, &errors, &checked));
    let note = format!(
        "{} rows; unseen n: {} ({} without the grid), above 0.3 ms {}, bias {}.",
        rows.len(),
        percent(checked.all.mape()),
        percent(without.all.mape()),
        percent(checked.large.mape()),
        signed(checked.large.bias()),
    );
    let curve = FittedCurve {
        note: vec![note],
        ..FittedCurve::new(
            format!("products {}", names(dtypes)),
            rows,
            &errors,
            &checked,
            intervals(&form, &values, &found, &checked.values),
        )
    };
    Products { spec, curve }
}

/// Fits products that were measured at shapes of models rather than on a grid; a group of rows has
/// the same three extents. Finds the speed of weight gradients too.
pub(crate) fn fit_measured(
    gpu: &GpuSpec,
    dtypes: &[DType],
    rows: &[Row],
    source: &str,
) -> Products {
    let mut form = form(dtypes, [128, 256], 1.0, false);
    form.knobs.push(knobs::accumulate());
    let (values, found) = constants(&form, gpu, rows);
    let refit = |rows: &[Row]| {
        let (values, _) = constants_from(&form, gpu, rows, &found.values);
        let curve = Curve::new(&form, gpu, &values);
        (values, curve)
    };
    let checked = cross_validate(rows, Folds::All(8), &refit);
    let errors = Errors::of(&Curve::new(&form, gpu, &values), rows);
    let mut spec = form.spec(&values).gemm.swap_remove(0);
    source.clone_into(&mut spec.source);
    let mut fitted = fitted(rows, &errors, &checked);
    "all products of three extents, in 8 parts".clone_into(&mut fitted.held_out_by);
    spec.fit = Some(fitted);
    let note = format!(
        "{} rows; unseen shapes: {}, above 0.3 ms {}, bias {}.",
        rows.len(),
        percent(checked.all.mape()),
        percent(checked.large.mape()),
        signed(checked.large.bias()),
    );
    let curve = FittedCurve {
        note: vec![note],
        ..FittedCurve::new(
            format!("products {}", names(dtypes)),
            rows,
            &errors,
            &checked,
            intervals(&form, &values, &found, &checked.values),
        )
    };
    Products { spec, curve }
}

/// The curve without its correction.
fn form(dtypes: &[DType], tile: [u32; 2], accumulate: f64, quantized: bool) -> Form {
    let spec = GemmSpec {
        tile,
        split_k: 8,
        accumulate,
        ..empty(dtypes, PackingKind::Single)
    };
    let mut knobs = vec![
        knobs::efficiency(0.7),
        knobs::half_k(60.0),
        knobs::wave(),
        knobs::bandwidth(0.6),
        knobs::base(4.0),
    ];
    let extra = quantized.then_some(knobs.len());
    if quantized {
        // Two bytes read twice and one written, at most of the bandwidth.
        knobs.push(Knob::new("cast_bytes", (6.0, 0.5), 2, |_, _| {}));
    }
    Form {
        template: template(vec![spec], Vec::new()),
        knobs,
        extra,
    }
}

/// The correction by shape of a curve with its constants: a form whose knobs are the factors, and
/// the factors.
fn correction(form: &Form, values: &[f64], gpu: &GpuSpec, rows: &[Row]) -> (Form, Vec<f64>) {
    let mut template = form.spec(values);
    template.gemm[0].grid = Some(GridSpec {
        m: NODES_M.to_vec(),
        n: NODES.to_vec(),
        k: NODES.to_vec(),
        factor: vec![1.0; NODES_M.len() * NODES.len() * NODES.len()],
    });
    let mut knobs = Vec::new();
    for m in 0..NODES_M.len() {
        for n in 0..NODES.len() {
            for k in 0..NODES.len() {
                knobs.push(factor([m, n, k]));
            }
        }
    }
    // What was moved along keeps its factor: a knob without freedom.
    let extra = form.extra.map(|at| {
        knobs.push(Knob::new("cast_bytes", (values[at], 1e-6), 2, |_, _| {}));
        knobs.len() - 1
    });
    let grid = Form {
        template,
        knobs,
        extra,
    };
    let (factors, _) = constants(&grid, gpu, rows);
    (grid, factors)
}

/// One factor of the correction; without rows it stays 1.
fn factor(node: [usize; 3]) -> Knob {
    let place = (node[0] * NODES.len() + node[1]) * NODES.len() + node[2];
    let put = move |spec: &mut ProfileSpec, value: f64| {
        if let Some(grid) = &mut spec.gemm[0].grid {
            grid.factor[place] = value.clamp(FACTOR.0, FACTOR.1);
        }
    };
    let touches = move |row: &Row| {
        let Some(Kernel::Gemm(gemm)) = row.kernels.first() else {
            return false;
        };
        near(&NODES_M, node[0], gemm.m)
            && near(&NODES, node[1], gemm.n)
            && near(&NODES, node[2], gemm.k)
    };
    Knob::new("factor", (1.0, FACTOR_SD), 3, put).only_for(touches)
}

/// Whether a node is one of the two around a value.
fn near(nodes: &[f64], node: usize, value: u64) -> bool {
    let value = value as f64;
    let low = node.checked_sub(1).map_or(0.0, |below| nodes[below]);
    let high = nodes.get(node + 1).copied().unwrap_or(f64::INFINITY);
    low < value && value < high || value <= nodes[0] && node == 0
}

/// A curve with nothing known.
pub(crate) fn empty(dtypes: &[DType], packing: PackingKind) -> GemmSpec {
    GemmSpec {
        dtypes: dtypes.to_vec(),
        packing,
        efficiency: 0.7,
        half_k: 0.0,
        half_rows: 0.0,
        wave: 0.0,
        tile: [128, 256],
        split_k: 1,
        bandwidth: 0.7,
        accumulate: 1.0,
        product_us: 0.0,
        base_us: 0.0,
        source: String::new(),
        fit: None,
        grid: None,
        points: Vec::new(),
    }
}

/// What the file says of the fit.
pub(crate) fn fitted(rows: &[Row], errors: &Errors, checked: &CrossValidated) -> FitSpec {
    let ranges = ranges(rows);
    FitSpec {
        rows: rows.len() as u64,
        mape: thousandth(errors.mape()),
        held_out: Some(thousandth(checked.all.mape())),
        held_out_by: held_out_by(rows),
        x: Some(ranges[0]),
        y: Some(ranges[1]),
        z: Some(ranges[2]),
    }
}

fn held_out_by(rows: &[Row]) -> String {
    let mut groups: Vec<u64> = rows.iter().map(|row| row.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let inner = groups.len().saturating_sub(2);
    format!("{inner} values of n between the first and the last, a quarter at a time")
}

/// Lowest and highest rows (of one group), columns and inner lengths.
pub(crate) fn ranges(rows: &[Row]) -> [[f64; 2]; 3] {
    let mut ranges = [[f64::INFINITY, 0.0]; 3];
    for row in rows {
        for kernel in &row.kernels {
            let Kernel::Gemm(gemm) = kernel else { continue };
            let groups = match gemm.packing {
                profile::Packing::Grouped(groups) => groups.max(1),
                _ => 1,
            };
            let shape = [gemm.m as f64 / groups as f64, gemm.n as f64, gemm.k as f64];
            for (range, value) in ranges.iter_mut().zip(shape) {
                *range = [range[0].min(value), range[1].max(value)];
            }
        }
    }
    ranges
}

/// Formats in a row.
pub(crate) fn names(dtypes: &[DType]) -> String {
    let names: Vec<&str> = dtypes.iter().map(|dtype| dtype.name()).collect();
    names.join(", ")
}

/// Three decimals.
pub(crate) fn thousandth(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// A share in percent.
pub(crate) fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

/// A share in percent with its sign.
pub(crate) fn signed(value: f64) -> String {
    format!("{:+.1} %", value * 100.0)
}
