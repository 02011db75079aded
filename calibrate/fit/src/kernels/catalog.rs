//! Which GPU is fitted on which tables, and what each profile says of its sources.

use profile::AttentionKernel;
use units::DType;

/// The day of the committed fit.
pub(crate) const DATE: &str = "2026-11-29";

/// How AIConfigurator's tables are cited.
pub(crate) const AICONFIGURATOR: &str =
    "NVIDIA, ai-dynamo/aiconfigurator, Apache-2.0, commit 095f58a";

/// How SimuMax's tables are cited.
pub(crate) const SIMUMAX: &str = "MooreThreads/SimuMax, Apache-2.0, commit 4dcaae5";

/// 16-bit formats run alike.
pub(crate) const WIDE: &[DType] = &[DType::Bf16, DType::Fp16];

/// Formats of the tables and those that their curves hold for, on Hopper and Ada.
const HOPPER: &[(DType, &[DType])] = &[(DType::Bf16, WIDE), (DType::Fp8, &[DType::Fp8])];

/// The same on Blackwell.
const BLACKWELL: &[(DType, &[DType])] = &[
    (DType::Bf16, WIDE),
    (DType::Fp8, &[DType::Fp8, DType::MxFp8]),
    (DType::NvFp4, &[DType::NvFp4]),
];

/// Where the figures come from that AIConfigurator's tables do not have: backward passes, weight
/// gradients added in fp32, memory-bound kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// SimuMax's A100 PCIe.
    Ampere,
    /// SimuMax's B200.
    Blackwell,
    /// Between the two: their geometric mean.
    Between,
}

/// A GPU of AIConfigurator's tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card {
    /// The profile, the folder of its tables, and how people call it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Its data sheet.
    pub(crate) gpu: &'static str,
    pub(crate) relatives: &'static [&'static str],
    /// The folder of products and attention, where it is another GPU's.
    pub(crate) tables: &'static str,
    pub(crate) formats: &'static [(DType, &'static [DType])],
    pub(crate) kernel: AttentionKernel,
    pub(crate) head_dims: &'static [u64],
    pub(crate) has_latent: bool,
    pub(crate) kin: Kin,
    /// Whether fused layers of experts and casts were measured.
    pub(crate) has_layers: bool,
}

const fn blackwell(name: &'static str, title: &'static str, gpu: &'static str) -> Card {
    Card {
        name,
        title,
        gpu,
        relatives: &[],
        tables: name,
        formats: BLACKWELL,
        kernel: AttentionKernel::Flash3,
        head_dims: &[64, 128, 256],
        has_latent: true,
        kin: Kin::Blackwell,
        has_layers: false,
    }
}

const fn hopper(name: &'static str, title: &'static str, gpu: &'static str) -> Card {
    Card {
        formats: HOPPER,
        kin: Kin::Between,
        has_layers: true,
        ..blackwell(name, title, gpu)
    }
}

/// Every GPU of AIConfigurator's tables.
pub(crate) const CARDS: [Card; 8] = [
    Card {
        relatives: &["a100-sxm-40gb"],
        formats: &[(DType::Bf16, WIDE)],
        kernel: AttentionKernel::Flash2,
        head_dims: &[128],
        has_latent: false,
        kin: Kin::Ampere,
        ..blackwell("a100-sxm", "A100-SXM-80GB", "a100-sxm-80gb")
    },
    Card {
        relatives: &["h800"],
        ..hopper("h100-sxm", "H100-SXM", "h100-sxm")
    },
    hopper("h200-sxm", "H200-SXM", "h200"),
    blackwell("b200-sxm", "B200-SXM", "b200"),
    Card {
        tables: "gb300",
        ..blackwell("b300-sxm", "B300-SXM", "b300")
    },
    blackwell("gb200", "GB200", "gb200"),
    blackwell("gb300", "GB300", "gb300"),
    Card {
        formats: HOPPER,
        kernel: AttentionKernel::Flash2,
        head_dims: &[64, 128],
        has_latent: false,
        kin: Kin::Ampere,
        ..blackwell("l40s", "L40S", "l40s")
    },
];

/// A system of SimuMax's tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) gpu: &'static str,
    pub(crate) relatives: &'static [&'static str],
    /// Its name in the table.
    pub(crate) key: &'static str,
    pub(crate) kernel: AttentionKernel,
    /// Whether the zoo has another profile of that GPU.
    pub(crate) only_by_name: bool,
}

pub(crate) const A100_PCIE: System = System {
    name: "a100-pcie",
    title: "A100-PCIe-80GB",
    gpu: "a100-pcie-80gb",
    relatives: &["a100-pcie-40gb"],
    key: "a100_pcie",
    kernel: AttentionKernel::Flash2,
    only_by_name: false,
};

pub(crate) const B200: System = System {
    name: "b200-simumax",
    title: "B200-SXM of SimuMax's authors",
    gpu: "b200",
    relatives: &[],
    key: "b200_bf16_ceperm",
    kernel: AttentionKernel::Flash3,
    only_by_name: true,
};

/// A GPU without a table whose license is known, and what it keeps of the A100's shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) gpu: &'static str,
    pub(crate) relatives: &'static [&'static str],
    /// Speed of large products over the A100's share of the peak.
    pub(crate) sustained: f64,
    pub(crate) why: &'static str,
}

/// Every such GPU.
pub(crate) const SCALED: [Scaled; 2] = [
    Scaled {
        name: "t4",
        title: "T4",
        gpu: "t4",
        relatives: &[],
        sustained: 0.55,
        why: "products far below the peak at 70 W: Jia et al., arXiv 1903.07486, 2019",
    },
    Scaled {
        name: "v100",
        title: "V100",
        gpu: "v100-sxm2-32gb",
        relatives: &["v100-sxm2-16gb", "v100-pcie-16gb", "v100-pcie-32gb"],
        sustained: 0.83,
        why: "cuBLAS at 83 of 125 TFLOP/s: Jia et al., arXiv 1804.06826, 2018",
    },
];
