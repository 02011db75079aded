//! GPUs without a table of known license: the A100's shares of the peaks.

use profile::{GemmSpec, PackingKind, ProfileSpec, UnfusedSpec};

use super::catalog::{AICONFIGURATOR, Scaled};
use super::report::FittedProfile;
use super::{template, write};

/// The profile of one such GPU.
///
/// Products keep the A100's curve without its correction by shape, which is one of that GPU's
/// tiles; FlashAttention does not run there, so attention is unfused.
pub(crate) fn of(card: &Scaled, a100: &ProfileSpec) -> FittedProfile {
    let single = GemmSpec {
        grid: None,
        points: Vec::new(),
        source: format!("shares of the A100: SGLang rows of {AICONFIGURATOR}"),
        ..a100.gemm[0].clone()
    };
    let batched = GemmSpec {
        packing: PackingKind::Batched,
        split_k: 1,
        base_us: 0.0,
        ..single.clone()
    };
    let mut spec = template(vec![single, batched], Vec::new());
    card.name.clone_into(&mut spec.name);
    card.gpu.clone_into(&mut spec.gpu);
    spec.relatives = card.relatives.iter().map(|&name| name.to_owned()).collect();
    spec.scaled_from = Some(a100.gpu.clone());
    spec.sustained = card.sustained;
    spec.unfused = Some(UnfusedSpec {
        misaligned: 0.1,
        score_bytes: 4.0,
        loose_score_bytes: 28.0,
        fused_max_len: 2048,
        source: "bytes counted from Megatron-LM's kernels; misaligned products as seen at head size 150 in \
                 BigScience's throughput tables"
            .to_owned(),
    });
    let header = [
        format!("What the {} may achieve: extrapolated from the A100, nothing was measured on it.", card.title),
        String::new(),
        "Contains fits of tables of NVIDIA AIConfigurator: \"NVIDIA, ai-dynamo/aiconfigurator\", Copyright NVIDIA".to_owned(),
        "CORPORATION & AFFILIATES, licensed under the Apache License, Version 2.0. The tables were reduced to constants.".to_owned(),
        "No kernel table of this GPU has a known license. Products reach the A100's shares of the data sheet's peaks,".to_owned(),
        format!("times `sustained`: {}.", card.why),
        "FlashAttention 2 and 3 do not run on it: attention is unfused. Streams are those of its architecture.".to_owned(),
        "Written by `windtunnel calibrate fit --only kernels`.".to_owned(),
    ];
    let text = write::text(&spec, &header, &[]);
    FittedProfile {
        spec,
        text,
        curves: Vec::new(),
    }
}
