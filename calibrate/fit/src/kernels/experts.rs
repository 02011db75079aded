//! Products of experts: grouped kernels measured as whole fused layers.

use std::path::Path;

use cluster::GpuSpec;
use profile::{Gemm, GemmSpec, Kernel, Packing, PackingKind};
use units::DType;

use super::curve::{Curve, Errors, Folds, Form, Knob, Row};
use super::curve::{constants, constants_from, cross_validate, intervals};
use super::gemm::{self, Products};
use super::knobs;
use super::report::FittedCurve;
use super::template;
use crate::table::{Table, TableError};

/// Sizes of thread blocks that are tried: groups have fewer rows than single products.
const TILES: [[u32; 2]; 4] = [[64, 128], [64, 256], [128, 128], [128, 256]];

/// Rows of `moe.csv.gz`, balanced and in bf16; a group is a hidden size. A layer is the products
/// of a gated pair and of what leads back, and kernels that move its rows: 2 bytes each for
/// reading and writing them permuted, the gated pair with its result, and the sum back.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>, TableError> {
    let table = Table::read(path)?;
    let columns = [
        "tokens", "hidden", "inter", "topk", "experts", "tp", "ep", "us",
    ];
    let mut rows = Vec::new();
    for cells in table.rows(columns)? {
        let [tokens, hidden, inter] = [cells.count(0)?, cells.count(1)?, cells.count(2)?];
        let [topk, experts] = [cells.count(3)?, cells.count(4)?];
        let [tp, ep] = [cells.count(5)?, cells.count(6)?];
        let (routed, groups, inter) = (tokens * topk / ep, (experts / ep).max(1), inter / tp);
        let product = |n, k| {
            Kernel::Gemm(Gemm {
                packing: Packing::Grouped(groups),
                ..Gemm::new(routed, n, k, DType::Bf16)
            })
        };
        rows.push(Row {
            kernels: vec![product(2 * inter, hidden), product(hidden, inter)],
            extra_bytes: 2.0 * routed as f64 * (3 * hidden + 3 * inter) as f64,
            us: cells.positive(7)?,
            group: hidden,
        });
    }
    Ok(rows)
}

/// Fits grouped products on fused layers, with the constants of single products besides.
pub(crate) fn fit_layers(gpu: &GpuSpec, single: &GemmSpec, rows: &[Row], source: &str) -> Products {
    let tried = TILES.map(|tile| {
        let form = layers(single, tile);
        let (_, fit) = constants(&form, gpu, rows);
        (form, fit.cost)
    });
    let (form, _) = tried
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are tiles");
    let mut products = fit(&form, gpu, rows, source);
    // The base is that of the whole layer.
    products.spec.base_us = 0.0;
    products.curve.note = vec![
        "Measured as fused layers: two grouped products and the kernels that move rows around them."
            .to_owned(),
    ];
    products
}

/// A fused layer with the constants of single products.
fn layers(single: &GemmSpec, tile: [u32; 2]) -> Form {
    let spec = GemmSpec {
        tile,
        ..grouped(single)
    };
    let knobs = vec![
        knobs::half_rows(60.0),
        knobs::bandwidth(single.bandwidth),
        knobs::base(30.0),
        Knob::new("moved_bytes", (1.5, 0.5), 2, |_, _| {}),
    ];
    Form {
        template: template(vec![spec], Vec::new()),
        extra: Some(knobs.len() - 1),
        knobs,
    }
}

/// Fits what grouped products cost besides single ones, on rows measured by themselves.
pub(crate) fn fit_grouped(
    gpu: &GpuSpec,
    single: &GemmSpec,
    rows: &[Row],
    source: &str,
) -> Products {
    let mut knobs = vec![knobs::half_rows(60.0)];
    if is_rich(rows) {
        knobs.extend([knobs::bandwidth(single.bandwidth), knobs::product()]);
    }
    let form = Form {
        template: template(vec![grouped(single)], Vec::new()),
        knobs,
        extra: None,
    };
    fit(&form, gpu, rows, source)
}

/// Fits weight gradients of experts: batches of products added to what stands there.
pub(crate) fn fit_weights(
    gpu: &GpuSpec,
    single: &GemmSpec,
    rows: &[Row],
    source: &str,
) -> Products {
    let spec = GemmSpec {
        packing: PackingKind::Batched,
        ..grouped(single)
    };
    let form = Form {
        template: template(vec![spec], Vec::new()),
        knobs: vec![
            knobs::efficiency(single.efficiency),
            knobs::half_k(60.0),
            knobs::bandwidth(single.bandwidth),
            knobs::product(),
        ],
        extra: None,
    };
    fit(&form, gpu, rows, source)
}

/// Whether there are rows enough for several constants.
pub(crate) fn is_rich(rows: &[Row]) -> bool {
    12 <= rows.len()
}

/// Single products' constants for groups.
fn grouped(single: &GemmSpec) -> GemmSpec {
    GemmSpec {
        packing: PackingKind::Grouped,
        split_k: 1,
        base_us: 0.0,
        fit: None,
        grid: None,
        points: Vec::new(),
        ..single.clone()
    }
}

fn fit(form: &Form, gpu: &GpuSpec, rows: &[Row], source: &str) -> Products {
    let (values, found) = constants(form, gpu, rows);
    let refit = |rows: &[Row]| {
        let (values, _) = constants_from(form, gpu, rows, &found.values);
        let curve = Curve::new(form, gpu, &values);
        (values, curve)
    };
    let folds = Folds::All(8);
    let checked = cross_validate(rows, folds, &refit);
    let errors = Errors::of(&Curve::new(form, gpu, &values), rows);
    let mut spec = form.spec(&values).gemm.swap_remove(0);
    source.clone_into(&mut spec.source);
    let mut fitted = gemm::fitted(rows, &errors, &checked);
    fitted.held_out_by = if form.extra.is_some() {
        "hidden sizes, in 8 parts".to_owned()
    } else {
        "numbers of experts on the GPU, in 8 parts".to_owned()
    };
    spec.fit = Some(fitted);
    let curve = FittedCurve::new(
        format!("{:?} products {}", spec.packing, gemm::names(&spec.dtypes)).to_lowercase(),
        rows,
        &errors,
        &checked,
        intervals(form, &values, &found, &checked.values),
    );
    Products { spec, curve }
}
