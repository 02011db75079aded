//! Kinds of nodes by what rows say of them.

use crate::spelled::{has_any, has_name, has_word};

/// A kind of node by what its row says: words of the GPU, words of the hardware, the node of the
/// zoo and its fabric.
#[derive(Debug)]
pub(super) struct Kind {
    /// Names of the GPU.
    gpu: &'static [&'static str],
    /// Words of the hardware, where a site is meant.
    hardware: &'static [&'static str],
    /// The node of the zoo.
    pub(super) node: &'static str,
    /// The fabric of the zoo.
    pub(super) fabric: &'static str,
}

const fn kind(
    gpu: &'static [&'static str],
    hardware: &'static [&'static str],
    node: &'static str,
    fabric: &'static str,
) -> Kind {
    Kind {
        gpu,
        hardware,
        node,
        fabric,
    }
}

/// First match wins: rows that name their site stand before those that name a GPU alone.
const KINDS: &[Kind] = &[
    kind(&["gb300"], &[], "gb300-nvl72", "nvl72-rail-optimised"),
    kind(&["gb200"], &[], "gb200-nvl72", "nvl72-rail-optimised"),
    kind(&["b300"], &[], "dgx-b300", "rail-optimised"),
    kind(&["b200"], &["p6", "aws"], "p6-b200.48xlarge", "efa"),
    kind(&["b200"], &["a4", "gcp", "google"], "a4-highgpu-8g", "roce"),
    kind(&["b200"], &[], "dgx-b200", "rail-optimised"),
    kind(&["h200"], &["p5en", "p5e", "aws"], "p5en.48xlarge", "efa"),
    kind(
        &["h200"],
        &["a3-ultra", "a3-ultragpu", "gcp", "google"],
        "a3-ultragpu-8g",
        "roce",
    ),
    kind(&["h200"], &[], "dgx-h200", "rail-optimised"),
    kind(
        &["h100"],
        &["96gb", "96 gb", "grand teton"],
        "grand-teton-96gb",
        "meta-24k",
    ),
    kind(&["h100"], &["pcie"], "h100-pcie", "leaf-spine"),
    kind(&["h100 pcie", "h100-pcie"], &[], "h100-pcie", "leaf-spine"),
    kind(&["h100"], &["p5", "aws", "efa"], "p5.48xlarge", "efa"),
    kind(
        &["h100"],
        &["azure", "ndv5", "nd-h100"],
        "azure-nd-h100-v5",
        "azure-infiniband",
    ),
    kind(
        &["h100"],
        &["a3-mega", "a3-megagpu", "gcp", "google"],
        "a3-megagpu-8g",
        "gcp-tcpxo",
    ),
    kind(&["h100"], &["meta", "llama 3"], "grand-teton", "meta-24k"),
    kind(&["h100"], &[], "dgx-h100", "rail-optimised"),
    kind(&["h800"], &[], "h800", "deepseek-8-planes"),
    kind(&["h20"], &[], "h20", "rail-optimised"),
    kind(
        &["a100"],
        &["800 gbps/node"],
        "a100-4x200",
        "rail-optimised",
    ),
    kind(&["a100"], &["jean zay"], "jean-zay-a100", "omni-path"),
    kind(&["a100"], &["roce", "rocev2"], "dgx-a100", "roce"),
    kind(&["a100"], &["selene", "superpod"], "dgx-a100", "selene"),
    kind(&["a100"], &["pcie"], "a100-pcie", "leaf-spine"),
    kind(&["a100-pcie", "a100 pcie"], &[], "a100-pcie", "leaf-spine"),
    kind(
        &["a100-40", "a100 40"],
        &["p4d", "aws"],
        "p4d.24xlarge",
        "efa",
    ),
    kind(&["a100"], &["p4d"], "p4d.24xlarge", "efa"),
    kind(&["a100"], &["p4de", "aws"], "p4de.24xlarge", "efa"),
    kind(
        &["a100"],
        &["ndm", "azure"],
        "azure-ndm-a100-v4",
        "azure-infiniband",
    ),
    kind(
        &["a100-40", "a100 40", "a100-sxm4-40"],
        &[],
        "dgx-a100-40gb",
        "rail-optimised",
    ),
    kind(&["a100", "a800"], &[], "dgx-a100", "rail-optimised"),
    kind(&["v100"], &["16gb"], "jean-zay-v100-16gb", "omni-path"),
    kind(&["v100"], &["jean zay"], "jean-zay-v100-32gb", "omni-path"),
    kind(&["v100"], &["p3.8x", "p3.8xlarge"], "p3.8xlarge", "ena"),
    kind(&["v100"], &["p3dn"], "p3dn.24xlarge", "ena"),
    kind(&["v100"], &["p3.16x", "p3.16xlarge"], "p3.16xlarge", "ena"),
    kind(&["v100"], &["dgx-2"], "dgx-2", "infiniband-edr"),
    kind(&["v100-16", "v100 16"], &[], "dgx-1v", "infiniband-edr"),
    kind(&["v100"], &[], "dgx-1v-32gb", "infiniband-edr"),
    kind(&["t4"], &["metal"], "g4dn.metal", "ena"),
    kind(&["t4"], &[], "g4dn.12xlarge", "ena"),
    kind(&["mi355"], &[], "mi355x", "rail-optimised"),
    kind(&["mi350"], &[], "mi350x", "rail-optimised"),
    kind(&["mi325"], &[], "mi325x", "rail-optimised"),
    kind(&["mi300"], &[], "mi300x", "rail-optimised"),
    kind(&["mi250"], &[], "frontier", "slingshot-frontier"),
    kind(&["l40"], &[], "l40s", "leaf-spine"),
    kind(&["l4"], &[], "l4", "leaf-spine"),
    kind(&["a10g", "a10"], &[], "a10", "leaf-spine"),
    kind(&["a30"], &[], "a30", "leaf-spine"),
    kind(&["a40", "a6000"], &[], "a40", "leaf-spine"),
    kind(&["4090"], &[], "rtx-4090", "leaf-spine"),
    kind(&["pro 6000", "pro-6000"], &[], "rtx-pro-6000", "leaf-spine"),
];

/// Nodes of the nearest GPU of one without a data sheet here: of its architecture; of no such, with
/// the nearest dense peak and memory bandwidth as the makers state them.
const NEAREST: &[Kind] = &[
    kind(&["b100"], &[], "dgx-b200", "rail-optimised"),
    kind(&["5090", "5080"], &[], "rtx-pro-6000", "leaf-spine"),
    kind(&[" ada", "-ada", "4080"], &[], "l40s", "leaf-spine"),
    kind(&["3090", "3080", "a5000"], &[], "a40", "leaf-spine"),
    kind(&["2080", "titan rtx", "rtx 8000"], &[], "g4dn.metal", "ena"),
    kind(&["p100", "titan v"], &[], "dgx-1v", "infiniband-edr"),
    kind(&["mi30"], &[], "mi300x", "rail-optimised"),
    kind(&["mi2", "mi100"], &[], "frontier", "slingshot-frontier"),
    kind(&["gaudi3", "gaudi 3"], &[], "mi300x", "rail-optimised"),
    kind(&["v5e", "v5 lite"], &[], "a30", "leaf-spine"),
    kind(&["v6e", "trillium"], &[], "h100-pcie", "leaf-spine"),
    kind(&["910c", "trn2"], &[], "dgx-h100", "rail-optimised"),
    kind(
        &["gaudi", "tpu", "v5p", "ascend", "910b"],
        &[],
        "dgx-a100",
        "rail-optimised",
    ),
];

/// The kind that a site is known for.
pub(super) fn of_site(gpu: &str, hardware: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| {
        let is_site = !kind.hardware.is_empty() && has_word(hardware, kind.hardware);
        is_site && has_name(gpu, kind.gpu)
    })
}

/// The kind that a GPU usually stands in.
pub(super) fn of_gpu(gpu: &str) -> Option<&'static Kind> {
    let mut plain = KINDS.iter().filter(|kind| kind.hardware.is_empty());
    plain.find(|kind| has_name(gpu, kind.gpu))
}

/// The kind with the nearest GPU of one that has no data sheet here.
pub(super) fn nearest(gpu: &str) -> Option<&'static Kind> {
    NEAREST.iter().find(|kind| has_any(gpu, kind.gpu))
}

/// The GPUs of a node of the zoo.
pub(super) fn gpus_of(node: &str) -> u64 {
    const USUAL: u64 = 8;
    let source = format::Shelf::Nodes.open(node).ok();
    let text = source.as_ref().map_or("", |source| source.text.as_str());
    let line = text.lines().find_map(|line| line.strip_prefix("gpus ="));
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(gpu: &str, hardware: &str) -> Option<&'static str> {
        let kind = of_site(gpu, hardware).or_else(|| of_gpu(gpu));
        kind.map(|kind| kind.node)
    }

    #[test]
    fn sites_are_named_by_whole_words() {
        assert_eq!(node("H100", "bare-metal servers"), Some("dgx-h100"));
        assert_eq!(node("H100", "Meta's Grand Teton"), Some("grand-teton-96gb"));
        assert_eq!(node("H100-80GB", "AWS p5.48xlarge"), Some("p5.48xlarge"));
        assert_eq!(node("A100-80GB", "p4de.24xlarge"), Some("p4de.24xlarge"));
        assert_eq!(node("V100", "p3.8xlarge"), Some("p3.8xlarge"));
        assert_eq!(node("H100", "a3-megagpu-8g"), Some("a3-megagpu-8g"));
        assert_eq!(node("T4", "g4dn.metal"), Some("g4dn.metal"));
    }

    #[test]
    fn gpus_are_no_other_gpus() {
        assert_eq!(node("GH200", ""), None);
        assert_eq!(node("NVIDIA H100 80GB HBM3", ""), Some("dgx-h100"));
        assert_eq!(node("A100-SXM4-40GB", ""), Some("dgx-a100-40gb"));
        assert_eq!(node("A10G", ""), Some("a10"));
        assert_eq!(node("L40S", ""), Some("l40s"));
        assert_eq!(node("L4", ""), Some("l4"));
        assert_eq!(node("RTX4090", ""), Some("rtx-4090"));
        assert_eq!(node("MI300X", ""), Some("mi300x"));
        assert_eq!(gpus_of("a10"), 4);
        assert_eq!(gpus_of("dgx-2"), 16);
        assert!(
            KINDS
                .iter()
                .all(|kind| format::Shelf::Nodes.open(kind.node).is_ok())
        );
    }
}
