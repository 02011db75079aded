//! Which cluster of the zoo a table was measured on.

/// A cluster of the zoo that stands for the hardware of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its name in the zoo.
    pub(crate) cluster: &'static str,
    /// The fabric that connects the nodes, where it is not the cluster's own.
    pub(crate) fabric: Option<&'static str>,
    /// What is done with its rows.
    pub(crate) using: Use,
}

/// What is done with the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Constants are fitted to them.
    Fit,
    /// They are compared with the prediction, for this reason.
    Compare(&'static str),
}

const KERNELS: Use = Use::Compare("kernels of mscclpp's own, not NCCL");
const ONE_MACHINE: Use = Use::Compare("one machine, which no other table can check");

/// Parts of the hardware's words, in the order in which they are tried.
const PLACES: [(&str, &str, Option<&str>, Use); 31] = [
    ("aiconfigurator a100_sxm", "dgx-a100", None, Use::Fit),
    ("aiconfigurator h100_sxm", "dgx-h100", None, Use::Fit),
    ("aiconfigurator h200_sxm", "dgx-h200", None, Use::Fit),
    ("aiconfigurator b200_sxm", "dgx-b200", None, Use::Fit),
    ("aiconfigurator b300_sxm", "dgx-b300", None, Use::Fit),
    ("aiconfigurator gb200", "gb200-nvl72", None, Use::Fit),
    ("aiconfigurator gb300", "gb300-nvl72", None, Use::Fit),
    ("aiconfigurator l40s", "l40s", None, ONE_MACHINE),
    ("vTrain A100", "dgx-a100", None, Use::Fit),
    ("vTrain V100", "dgx-1v", None, Use::Fit),
    ("Azure NDmv4", "azure-ndm-a100-v4", None, KERNELS),
    ("Azure NDv5", "azure-nd-h100-v5", None, KERNELS),
    ("Azure NDv4", "azure-nd-a100-v4", None, Use::Fit),
    ("A3 Mega", "a3-megagpu-8g", None, Use::Fit),
    ("A3 High", "a3-highgpu-8g", None, Use::Fit),
    ("A3 Ultra", "a3-ultragpu-8g", None, Use::Fit),
    ("(A4)", "a4-highgpu-8g", None, Use::Fit),
    ("p6-b200", "p6-b200", None, Use::Fit),
    ("p5en", "p5en", None, Use::Fit),
    ("p5.48xlarge", "p5", None, Use::Fit),
    ("p4de", "p4de", None, Use::Fit),
    ("p4d", "p4d", None, Use::Fit),
    ("BM.GPU.H100.8", "dgx-h100", Some("roce"), Use::Fit),
    ("B200-180GB (Lambda)", "dgx-b200", None, Use::Fit),
    ("H100/H200 8-GPU (Nebius)", "dgx-h100", None, Use::Fit),
    ("A100 8-GPU node", "dgx-a100", None, Use::Fit),
    ("H200", "dgx-h200", None, Use::Fit),
    ("B200 NVLink5", "dgx-b200", None, Use::Fit),
    ("MI300X", "mi300x", None, ONE_MACHINE),
    ("GB200 NVL72", "gb200-nvl72", None, Use::Fit),
    ("H100-80GB", "dgx-h100", None, Use::Fit),
];

/// The cluster for the hardware of a table, or why there is none.
pub(crate) fn place(table: &str, hardware: &str) -> Result<Place, &'static str> {
    if table == "aws_p5_batch_ar16" {
        return Err("the source does not say on how many GPUs it ran");
    }
    if hardware.contains("GH200") {
        return Err("no cluster of the zoo is like it");
    }
    let known = PLACES.iter().find(|(part, ..)| hardware.contains(part));
    let &(_, cluster, fabric, using) = known.ok_or(if hardware.contains("not named") {
        "the source does not name the hardware"
    } else {
        "no cluster of the zoo is like it"
    })?;
    Ok(Place {
        cluster,
        fabric,
        using,
    })
}
