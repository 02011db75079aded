//! Fused attention: a curve for each kernel and head size.

use std::path::Path;

use cluster::GpuSpec;
use profile::{Attention, AttentionKernel, AttentionSpec, FitSpec, Kernel, Mask, Pass};
use units::DType;

use super::curve::{CrossValidated, Curve, Errors, Folds, Form, Knob, Row};
use super::curve::{constants, constants_from, cross_validate, intervals};
use super::gemm::{percent, signed, thousandth};
use super::report::FittedCurve;
use super::template;
use crate::table::{Table, TableError};

/// A fitted curve of attention.
pub(crate) struct Core {
    pub(crate) spec: AttentionSpec,
    pub(crate) curve: FittedCurve,
}

/// A causal core over whole sequences, in bf16.
pub(crate) fn causal(
    kernel: AttentionKernel,
    pass: Pass,
    [batch, len]: [u64; 2],
    [heads, kv_heads]: [u64; 2],
    [qk_dim, v_dim]: [u64; 2],
) -> Kernel {
    Kernel::Attention(Attention {
        pass,
        batch,
        q_len: len,
        kv_len: len,
        heads,
        kv_heads,
        qk_dim,
        v_dim,
        mask: Mask::Causal,
        kernel,
        dtype: DType::Bf16,
        dropout: false,
    })
}

/// Rows of `attention.csv.gz` of one head size, forward; a group is a length.
pub(crate) fn read(
    path: &Path,
    kernel: AttentionKernel,
    head_dim: u64,
) -> Result<Vec<Row>, TableError> {
    let table = Table::read(path)?;
    let mut rows = Vec::new();
    for cells in table.rows(["head_dim", "batch", "len", "heads", "kv_heads", "us"])? {
        if cells.count(0)? != head_dim {
            continue;
        }
        let [batch, len] = [cells.count(1)?, cells.count(2)?];
        let heads = [cells.count(3)?, cells.count(4)?];
        let core = causal(kernel, Pass::Forward, [batch, len], heads, [head_dim; 2]);
        rows.push(Row::alone(core, cells.positive(5)?, len));
    }
    Ok(rows)
}

/// Rows of `latent_attention.csv.gz`: queries and keys of 192, values of 128.
pub(crate) fn read_latent(path: &Path, kernel: AttentionKernel) -> Result<Vec<Row>, TableError> {
    let table = Table::read(path)?;
    let mut rows = Vec::new();
    for cells in table.rows(["batch", "len", "heads", "us"])? {
        let [batch, len, heads] = [cells.count(0)?, cells.count(1)?, cells.count(2)?];
        let core = causal(kernel, Pass::Forward, [batch, len], [heads; 2], [192, 128]);
        rows.push(Row::alone(core, cells.positive(3)?, len));
    }
    Ok(rows)
}

/// Fits the cores of one GPU, kernel and head size.
///
/// * `backward` — time per operation backward over forward, where it was measured elsewhere.
/// * `source` — of the rows, and of `backward`.
pub(crate) fn fit(
    gpu: &GpuSpec,
    (kernel, head_dim): (AttentionKernel, u64),
    rows: &[Row],
    backward: Option<f64>,
    folds: Folds,
    source: &str,
) -> Core {
    let form = form(kernel, head_dim, backward);
    let (values, found) = constants(&form, gpu, rows);
    let refit = |rows: &[Row]| {
        let (values, _) = constants_from(&form, gpu, rows, &found.values);
        let curve = Curve::new(&form, gpu, &values);
        (values, curve)
    };
    let checked = cross_validate(rows, folds, &refit);
    let errors = Errors::of(&Curve::new(&form, gpu, &values), rows);
    let mut spec = form.spec(&values).attention.swap_remove(0);
    source.clone_into(&mut spec.source);
    spec.fit = Some(fitted(rows, folds, &errors, &checked));
    let large = &checked.large;
    let note = format!(
        "Kernels above 0.3 ms, unseen {}: {}, bias {}.",
        unseen(folds),
        percent(large.mape()),
        signed(large.bias())
    );
    let curve = FittedCurve {
        note: vec![note],
        ..FittedCurve::new(
            format!("{kernel:?} attention {head_dim}"),
            rows,
            &errors,
            &checked,
            intervals(&form, &values, &found, &checked.values),
        )
    };
    Core { spec, curve }
}

const fn unseen(folds: Folds) -> &'static str {
    match folds {
        Folds::Interior(_) => "lengths",
        Folds::All(_) => "shapes",
    }
}

fn fitted(rows: &[Row], folds: Folds, errors: &Errors, checked: &CrossValidated) -> FitSpec {
    let by = match folds {
        Folds::Interior(n) => format!("lengths between the first and the last, in {n} parts"),
        Folds::All(n) => format!("numbers of heads and lengths, in {n} parts"),
    };
    let mut ranges = [[f64::INFINITY, 0.0]; 2];
    for row in rows {
        let Some(Kernel::Attention(core)) = row.kernels.first() else {
            continue;
        };
        let shape = [core.q_len as f64, (core.batch * core.heads) as f64];
        for (range, value) in ranges.iter_mut().zip(shape) {
            *range = [range[0].min(value), range[1].max(value)];
        }
    }
    FitSpec {
        rows: rows.len() as u64,
        mape: thousandth(errors.mape()),
        held_out: Some(thousandth(checked.all.mape())),
        held_out_by: by,
        x: Some(ranges[0]),
        y: Some(ranges[1]),
        z: None,
    }
}

fn form(kernel: AttentionKernel, head_dim: u64, backward: Option<f64>) -> Form {
    let spec = AttentionSpec {
        kernel,
        dtypes: vec![DType::Bf16, DType::Fp16],
        head_dim,
        efficiency: 0.6,
        half_len: 0.0,
        wave: 0.0,
        tile: 128,
        tail: 0.0,
        bandwidth: 0.5,
        backward: backward.unwrap_or(1.2),
        base_us: 0.0,
        source: String::new(),
        fit: None,
        points: Vec::new(),
    };
    // A benchmark of launches costs more besides than spans of kernels in a trace, which are what
    // measured backward passes are.
    let base = if backward.is_some() {
        (10.0, 1.0)
    } else {
        (5.0, 0.3)
    };
    let mut knobs = vec![
        Knob::new("efficiency", (0.6, 0.4), 3, |spec, value| {
            spec.attention[0].efficiency = value.clamp(1e-3, 1.0);
        }),
        Knob::new("half_len", (200.0, 1.0), 0, |spec, value| {
            spec.attention[0].half_len = value.min(1e6);
        }),
        Knob::new("wave", (0.4, 1.0), 2, |spec, value| {
            spec.attention[0].wave = value.min(1.0);
        }),
        Knob::new("tail", (0.2, 1.0), 2, |spec, value| {
            spec.attention[0].tail = value.min(10.0);
        }),
        Knob::new("bandwidth", (0.5, 0.4), 3, |spec, value| {
            spec.attention[0].bandwidth = value.clamp(1e-3, 1.0);
        }),
        Knob::new("base_us", base, 1, |spec, value| {
            spec.attention[0].base_us = value.min(1e6);
        }),
    ];
    if backward.is_none() {
        knobs.push(Knob::new("backward", (1.2, 0.3), 2, |spec, value| {
            spec.attention[0].backward = value.clamp(0.4, 100.0);
        }));
    }
    Form {
        template: template(Vec::new(), vec![spec]),
        knobs,
        extra: None,
    }
}
