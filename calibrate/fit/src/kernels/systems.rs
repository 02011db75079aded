//! SimuMax's two GPUs: profiles of their own operator tables, and what they lend to others.

use std::collections::BTreeMap;
use std::path::Path;

use cluster::GpuSpec;
use profile::{AttentionPointSpec, GemmSpec, Kernel, Packing, Pass, PointSpec, StreamSpec};
use units::DType;
use units::math::{exp, ln};

use super::catalog::{A100_PCIE, B200, SIMUMAX, System, WIDE};
use super::curve::{Folds, Row};
use super::gemm::{Products, thousandth};
use super::report::FittedProfile;
use super::simumax::{self, Operators};
use super::{attention, experts, gemm, sheet, stream, template, write};
use crate::table::TableError;

/// Both systems.
pub(crate) struct Systems {
    pub(crate) ampere: Lent,
    pub(crate) blackwell: Lent,
}

/// A system's profile, and what profiles of other GPUs take from it.
pub(crate) struct Lent {
    pub(crate) profile: FittedProfile,
    /// Speed of weight gradients added in fp32 over other products.
    pub(crate) accumulate: f64,
    /// Time per operation of backward attention over forward, by head size.
    pub(crate) backward: BTreeMap<u64, f64>,
    /// Grouped products.
    pub(crate) grouped: GemmSpec,
    operators: Operators,
    gpu: GpuSpec,
    title: &'static str,
}

impl Lent {
    /// The shares of memory-bound kernels, for this GPU or another.
    pub(crate) fn stream(&self, measured: bool) -> StreamSpec {
        stream::of_simumax(&self.operators, &self.gpu, measured, self.title)
    }

    /// The ratio of the nearest head size.
    pub(crate) fn backward(&self, head_dim: u64) -> f64 {
        let nearest = self
            .backward
            .iter()
            .min_by_key(|(dim, _)| dim.abs_diff(head_dim));
        nearest.map_or(1.2, |(_, ratio)| *ratio)
    }
}

/// Fits both systems on the table below a folder.
pub(crate) fn fit(folder: &Path) -> Result<Systems, TableError> {
    let path = folder.join("simumax/operators.csv.gz");
    Ok(Systems {
        ampere: system(&path, &A100_PCIE)?,
        blackwell: system(&path, &B200)?,
    })
}

fn system(path: &Path, system: &System) -> Result<Lent, TableError> {
    let operators = simumax::read(path, system.key, system.kernel)?;
    let gpu = sheet(system.gpu);
    let source = format!("{SIMUMAX}, {}", system.title);
    let single = gemm::fit_measured(&gpu, WIDE, &operators.products, &source);
    let grouped = experts::fit_grouped(&gpu, &single.spec, &operators.grouped, &source);
    let (accumulate, lent) = (single.spec.accumulate, grouped.spec.clone());
    let mut fitted = vec![(single, &operators.products), (grouped, &operators.grouped)];
    if experts::is_rich(&operators.weights) {
        let single = &fitted[0].0.spec;
        let weights = experts::fit_weights(&gpu, single, &operators.weights, &source);
        fitted.push((weights, &operators.weights));
    }
    let mut spec = template(Vec::new(), Vec::new());
    let mut curves = Vec::new();
    for (products, rows) in fitted {
        let Products {
            spec: mut curve,
            curve: report,
        } = products;
        curve.points = points(rows, curve.base_us);
        spec.gemm.push(curve);
        curves.push(report);
    }
    let mut backward = BTreeMap::new();
    for (dim, rows) in &operators.cores {
        let kernel = (system.kernel, *dim);
        let mut core = attention::fit(&gpu, kernel, rows, None, Folds::All(6), &source);
        backward.insert(*dim, core.spec.backward);
        core.spec.points = cores(rows, core.spec.base_us);
        spec.attention.push(core.spec);
        curves.push(core.curve);
    }
    system.name.clone_into(&mut spec.name);
    system.gpu.clone_into(&mut spec.gpu);
    spec.relatives = system
        .relatives
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    spec.only_by_name = system.only_by_name;
    spec.stream = Some(stream::of_simumax(&operators, &gpu, true, system.title));
    let text = write::text(&spec, &header(system), &curves);
    Ok(Lent {
        profile: FittedProfile { spec, text, curves },
        accumulate,
        backward,
        grouped: lent,
        operators,
        gpu,
        title: system.title,
    })
}

fn header(system: &System) -> Vec<String> {
    let lines = [
        &format!(
            "What the {} achieves, from its own operator table.",
            system.title
        ),
        "",
        "Contains tables and fits of tables of MooreThreads/SimuMax, licensed under the Apache License, Version 2.0,",
        "commit 4dcaae5, `configs/system`: efficiencies of products, grouped products and attention by shape, forward",
        "and backward. Shapes that were measured are `points`; layouts of one shape and repetitions are averaged.",
        "Products of experts are Transformer Engine's, a cuBLAS kernel for each expert on four streams.",
        "Written by `windtunnel calibrate fit --only kernels`.",
    ];
    lines.map(str::to_owned).to_vec()
}

/// Geometric means of the rows of each kernel, less what a run does not pay.
fn means<K: Ord>(rows: &[Row], base: f64, key: impl Fn(&Row) -> Option<K>) -> Vec<(K, f64)> {
    let mut logs: BTreeMap<K, (f64, f64)> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            let sum = logs.entry(key).or_default();
            *sum = (sum.0 + ln(row.us), sum.1 + 1.0);
        }
    }
    let mean = |(key, (sum, n)): (K, (f64, f64))| {
        let us = exp(sum / n);
        (key, ((us - base).max(us / 2.0) * 100.0).round() / 100.0)
    };
    logs.into_iter().map(mean).collect()
}

/// Products as points. Of weight gradients those that are added in fp32.
fn points(rows: &[Row], base: f64) -> Vec<PointSpec> {
    let key = |row: &Row| {
        let Some(Kernel::Gemm(gemm)) = row.kernels.first() else {
            return None;
        };
        let count = match gemm.packing {
            Packing::Single => 1,
            Packing::Batched(count) | Packing::Grouped(count) => count,
        };
        let is_kept = !gemm.accumulate || gemm.output == DType::Fp32;
        is_kept.then_some((gemm.accumulate, count, gemm.n, gemm.k, gemm.m))
    };
    let point = |((accumulate, count, n, k, m), us)| PointSpec {
        m,
        n,
        k,
        count,
        accumulate,
        us,
    };
    means(rows, base, key).into_iter().map(point).collect()
}

/// Attention as points.
fn cores(rows: &[Row], base: f64) -> Vec<AttentionPointSpec> {
    let key = |row: &Row| {
        let Some(Kernel::Attention(core)) = row.kernels.first() else {
            return None;
        };
        Some((
            core.pass,
            [
                core.q_len,
                core.batch,
                core.heads,
                core.kv_heads,
                core.v_dim,
            ],
        ))
    };
    let point = |((pass, [len, batch, heads, kv_heads, v_dim]), us): ((Pass, [u64; 5]), f64)| {
        AttentionPointSpec {
            pass,
            batch,
            len,
            heads,
            kv_heads,
            v_dim,
            us,
        }
    };
    means(rows, base, key).into_iter().map(point).collect()
}

/// The geometric mean of two shares or ratios.
pub(crate) fn between(a: f64, b: f64) -> f64 {
    thousandth((a * b).sqrt())
}
