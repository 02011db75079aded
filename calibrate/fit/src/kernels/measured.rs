//! GPUs of AIConfigurator's tables.

use std::path::Path;

use profile::{AttentionKernel, GemmSpec, StreamSpec};
use units::DType;

use super::catalog::{AICONFIGURATOR, Card, Kin, SIMUMAX};
use super::curve::Folds;
use super::report::{FittedCurve, FittedProfile};
use super::systems::{Systems, between};
use super::{attention, experts, gemm, sheet, stream, template, write};
use crate::table::TableError;

/// Unseen lengths in three parts.
const LENGTHS: Folds = Folds::Interior(3);

/// The profile of one GPU.
pub(crate) fn fit(folder: &Path, card: &Card, kin: &Systems) -> Result<FittedProfile, TableError> {
    let gpu = sheet(card.gpu);
    let root = folder.join("aiconfigurator");
    let tables = root.join(card.tables);
    let own = root.join(card.name);
    let mut spec = template(Vec::new(), Vec::new());
    let mut curves = Vec::new();
    for (dtype, dtypes) in card.formats {
        let rows = gemm::read(&tables.join("gemm.csv.gz"), *dtype)?;
        let source = products_source(*dtype);
        let products = gemm::fit(&gpu, dtypes, &rows, accumulate(card.kin, kin), &source);
        spec.gemm.push(products.spec);
        curves.push(products.curve);
    }
    let single = spec.gemm[0].clone();
    if card.has_layers {
        let rows = experts::read(&own.join("moe.csv.gz"))?;
        let source =
            format!("TensorRT-LLM rows of {AICONFIGURATOR}, fused layers, balanced experts");
        let layers = experts::fit_layers(&gpu, &single, &rows, &source);
        spec.gemm.push(layers.spec);
        curves.push(layers.curve);
    } else if card.kernel == AttentionKernel::Flash2
        && card.kin == Kin::Ampere
        && card.formats.len() == 1
    {
        spec.gemm.push(lent(&single, &kin.ampere.grouped));
        curves.push(lent_curve(&kin.ampere.profile.curves[1]));
    }
    for &head_dim in card.head_dims {
        let rows = attention::read(&tables.join("attention.csv.gz"), card.kernel, head_dim)?;
        let ratio = backward(card.kin, kin, head_dim);
        let framework = if card.name == "l40s" {
            "vLLM"
        } else {
            "SGLang"
        };
        let source = format!(
            "{framework} rows of {AICONFIGURATOR}; {}",
            lender(card.kin, kin, head_dim)
        );
        let which = (card.kernel, head_dim);
        let core = attention::fit(&gpu, which, &rows, Some(ratio), LENGTHS, &source);
        spec.attention.push(core.spec);
        curves.push(core.curve);
    }
    if card.has_latent {
        let rows = attention::read_latent(&own.join("latent_attention.csv.gz"), card.kernel)?;
        let ratio = backward(card.kin, kin, 192);
        let source = format!(
            "TensorRT-LLM rows of {AICONFIGURATOR}, latent attention with 192 and 128; {}",
            lender(card.kin, kin, 192)
        );
        let which = (card.kernel, 192);
        let core = attention::fit(&gpu, which, &rows, Some(ratio), LENGTHS, &source);
        spec.attention.push(core.spec);
        curves.push(core.curve);
    }
    card.name.clone_into(&mut spec.name);
    card.gpu.clone_into(&mut spec.gpu);
    spec.relatives = card.relatives.iter().map(|&name| name.to_owned()).collect();
    let streams;
    if card.has_layers {
        let rows = stream::read(&own.join("quantize.csv.gz"))?;
        let source = format!(
            "fp8 casts of more than 100 MB, TensorRT-LLM and vLLM rows of {AICONFIGURATOR}; other kinds nominal"
        );
        let (section, curve) = stream::fit(&gpu, &rows, &source);
        spec.stream = Some(section);
        streams = Some(curve);
    } else {
        spec.stream = lent_stream(card, kin);
        streams = None;
    }
    curves.extend(streams);
    let text = write::text(&spec, &header(card), &curves);
    Ok(FittedProfile { spec, text, curves })
}

fn products_source(dtype: DType) -> String {
    let source = format!("SGLang rows of {AICONFIGURATOR}");
    if dtype == DType::Bf16 {
        source
    } else {
        source + ", quantization of the inputs taken off"
    }
}

/// Speed of weight gradients added in fp32 over other products.
fn accumulate(kin: Kin, systems: &Systems) -> f64 {
    let (old, new) = (systems.ampere.accumulate, systems.blackwell.accumulate);
    match kin {
        Kin::Ampere => old,
        Kin::Blackwell => new,
        Kin::Between => between(old, new),
    }
}

/// Time per operation of backward attention over forward.
fn backward(kin: Kin, systems: &Systems, head_dim: u64) -> f64 {
    let old = systems.ampere.backward(head_dim);
    let new = systems.blackwell.backward(head_dim);
    match kin {
        Kin::Ampere => old,
        Kin::Blackwell => new,
        Kin::Between => (between(old, new) * 100.0).round() / 100.0,
    }
}

/// Where the ratio comes from.
fn lender(kin: Kin, systems: &Systems, head_dim: u64) -> String {
    let old = systems.ampere.backward(head_dim);
    let new = systems.blackwell.backward(head_dim);
    match kin {
        Kin::Ampere => format!("backward: {SIMUMAX}, A100 PCIe, nearest head size"),
        Kin::Blackwell => format!("backward: {SIMUMAX}, B200, nearest head size"),
        Kin::Between => format!(
            "backward not measured on Hopper: between A100 ({old}) and B200 ({new}) of {SIMUMAX}"
        ),
    }
}

/// A GPU's single products with what groups cost on another.
fn lent(single: &GemmSpec, grouped: &GemmSpec) -> GemmSpec {
    GemmSpec {
        packing: grouped.packing,
        half_rows: grouped.half_rows,
        product_us: grouped.product_us,
        split_k: 1,
        base_us: 0.0,
        source: grouped.source.clone(),
        fit: grouped.fit.clone(),
        grid: None,
        points: Vec::new(),
        ..single.clone()
    }
}

fn lent_curve(curve: &FittedCurve) -> FittedCurve {
    FittedCurve {
        note: vec![
            "`half_rows` and `product_us` of the PCIe card's grouped products, forward and of input gradients; the"
                .to_owned(),
            "other constants are those of the single products above.".to_owned(),
        ],
        ..curve.clone()
    }
}

fn lent_stream(card: &Card, kin: &Systems) -> Option<StreamSpec> {
    match (card.name, card.kin) {
        ("l40s", _) | (_, Kin::Between) => None,
        (_, Kin::Ampere) => Some(kin.ampere.stream(true)),
        (name, Kin::Blackwell) => Some(kin.blackwell.stream(name == "b200-sxm")),
    }
}

fn header(card: &Card) -> Vec<String> {
    let mut lines = vec![
        format!("What the {} achieves, from public kernel tables.", card.title),
        String::new(),
        "Contains fits of tables of NVIDIA AIConfigurator: \"NVIDIA, ai-dynamo/aiconfigurator\", Copyright NVIDIA".to_owned(),
        "CORPORATION & AFFILIATES, licensed under the Apache License, Version 2.0. The tables were reduced to constants.".to_owned(),
        "SGLang's rows are taken where the table has several frameworks: they cover the same grid of shapes on every".to_owned(),
        "GPU, and on A100 and H100 they are the slowest of the three, nearest to a GPU at its power limit. vLLM's A100".to_owned(),
        "products (284 of 312 TFLOP/s in the median of large ones) look too good and are not used.".to_owned(),
        "Fitted were the shapes of training: m, n and k of 128 and more, m a multiple of 16; lengths of 512 and more.".to_owned(),
        "Backward attention, accumulation in fp32 and A100 streams: MooreThreads/SimuMax, Apache-2.0, commit 4dcaae5.".to_owned(),
    ];
    if card.tables != card.name {
        lines.push(format!(
            "Products and attention are those of the table of {}: the rows of both GPUs are copies of each other.",
            card.tables
        ));
    }
    lines.push("Written by `windtunnel calibrate fit --only kernels`.".to_owned());
    lines
}
