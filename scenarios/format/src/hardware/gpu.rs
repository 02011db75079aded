//! Data sheets of GPUs.

use cluster::GpuSpec;
use units::{DType, FlopsPerSec, Watts};

use super::{Header, header};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{number, rate, size, table, text, whole};

/// A GPU's data sheet.
pub fn gpu(t: &mut Fields<'_, '_>) -> GpuSpec {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    let (fp32, peaks) = t
        .get(
            "tflops",
            "dense peaks in 10¹² operations per second",
            table(peaks),
        )
        .required();
    GpuSpec {
        name,
        vendor: t.get("vendor", "who makes it", text()).required(),
        architecture: t
            .get("architecture", "the generation, such as Hopper", text())
            .required(),
        form: t
            .get("form", "the form, such as SXM5 or PCIe", text())
            .required(),
        fp32,
        peaks,
        memory: t
            .get("memory", "device memory, as the driver reports it", size())
            .required(),
        bandwidth: t
            .get("bandwidth", "peak rate of the device memory", rate())
            .required(),
        l2: t.get("l2", "second-level cache", size()).optional(),
        sms: t
            .get("sms", "multiprocessors or compute units", whole(1))
            .required(),
        boost_mhz: t
            .get(
                "boost_mhz",
                "highest sustained clock, in megahertz",
                number(Limits::POSITIVE),
            )
            .optional(),
        tdp: Watts::new(
            t.get("tdp_w", "power limit, in watts", number(Limits::POSITIVE))
                .required(),
        ),
        source,
        notes,
    }
}

fn peaks(t: &mut Fields<'_, '_>) -> (FlopsPerSec, Vec<(DType, FlopsPerSec)>) {
    let vector = "vector arithmetic in single precision";
    let fp32 = t.get("fp32", vector, number(Limits::POSITIVE)).required();
    let mut peaks = Vec::new();
    for dtype in DType::ALL.into_iter().filter(|dtype| *dtype != DType::Fp32) {
        let matrix = "matrix arithmetic with these inputs, without sparsity";
        let peak = t
            .get(dtype.name(), matrix, number(Limits::POSITIVE))
            .optional();
        peaks.extend(peak.map(|tera| (dtype, FlopsPerSec::from_tera(tera))));
    }
    (FlopsPerSec::from_tera(fp32), peaks)
}
