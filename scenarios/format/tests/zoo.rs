//! The zoo's hardware against what vendors print, so that no figure with sparsity, of both
//! directions, or in other units slips in. Figures: comparison tables of stas00/ml-engineering @
//! 744d01e1 (`compute/accelerator/README.md`), which cite the data sheets, and those of
//! `scenarios/hardware/SOURCE.md`.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::path::Path;

use cluster::{GpuSpec, NodeSpec, ScaleUpSpec};
use format::{At, Library, Named, NoFiles, Shelf};
use units::DType;

fn zoo() -> Library<'static> {
    Library {
        files: &NoFiles,
        base: Path::new(""),
    }
}

fn gpu(name: &str) -> GpuSpec {
    zoo().gpu(name, &At::default()).unwrap()
}

fn node(name: &str) -> NodeSpec {
    zoo()
        .node(&Named::Name(name.to_owned()), &At::default())
        .unwrap()
}

fn tera(gpu: &GpuSpec, dtype: DType) -> f64 {
    gpu.peak(dtype).map_or(0.0, units::FlopsPerSec::as_tera)
}

/// Name, dense fp16 and fp8 in TFLOP/s, memory as marketed in GB, its rate in GB/s, watts.
const GPUS: [(&str, f64, f64, f64, f64, f64); 22] = [
    ("t4", 65.0, 0.0, 16.0, 320.0, 70.0),
    ("v100-sxm2-16gb", 125.0, 0.0, 16.0, 900.0, 300.0),
    ("v100-sxm2-32gb", 125.0, 0.0, 32.0, 900.0, 300.0),
    ("a100-sxm-40gb", 312.0, 0.0, 40.0, 1555.0, 400.0),
    ("a100-sxm-80gb", 312.0, 0.0, 80.0, 2039.0, 400.0),
    ("a100-pcie-40gb", 312.0, 0.0, 40.0, 1555.0, 250.0),
    ("a100-pcie-80gb", 312.0, 0.0, 80.0, 1935.0, 300.0),
    ("l40s", 362.0, 733.0, 48.0, 864.0, 350.0),
    ("h100-sxm", 989.0, 1979.0, 80.0, 3350.0, 700.0),
    ("h100-96gb", 989.0, 1979.0, 96.0, 2400.0, 500.0),
    ("h100-pcie", 756.5, 1513.0, 80.0, 2000.0, 350.0),
    ("h200", 989.0, 1979.0, 141.0, 4800.0, 700.0),
    ("h800", 989.0, 1979.0, 80.0, 3350.0, 700.0),
    ("b200", 2250.0, 4500.0, 180.0, 8000.0, 1000.0),
    ("b300", 2250.0, 4500.0, 288.0, 8000.0, 1100.0),
    ("gb200", 2500.0, 5000.0, 186.0, 8000.0, 1200.0),
    ("gb300", 2500.0, 5000.0, 288.0, 8000.0, 1400.0),
    ("mi300x", 1307.4, 2614.9, 192.0, 5300.0, 750.0),
    ("mi325x", 1307.4, 2614.9, 256.0, 6000.0, 1000.0),
    ("mi350x", 2300.0, 4600.0, 288.0, 8000.0, 1000.0),
    ("mi355x", 2500.0, 5000.0, 288.0, 8000.0, 1400.0),
    ("mi250x-gcd", 191.5, 0.0, 64.0, 1638.4, 280.0),
];

fn is_near(found: f64, printed: f64, share: f64) -> bool {
    (found - printed).abs() <= share * printed.max(1e-9)
}

#[test]
fn gpus_have_the_dense_peaks_and_memories_of_their_data_sheets() {
    let mut wrong = Vec::new();
    for (name, fp16, fp8, memory, bandwidth, watts) in GPUS {
        let gpu = gpu(name);
        let found = [
            ("fp16", tera(&gpu, DType::Fp16), fp16, 0.02),
            ("fp8", tera(&gpu, DType::Fp8), fp8, 0.02),
            // A marketed gigabyte is 10⁹ or 2³⁰ bytes, and drivers keep some: never a tenth.
            ("memory", gpu.memory.as_f64() / 1e9, memory, 0.1),
            ("bandwidth", gpu.bandwidth.as_f64() / 1e9, bandwidth, 0.03),
            ("watts", gpu.tdp.as_f64(), watts, 0.0),
        ];
        for (what, found, printed, share) in found {
            if !is_near(found, printed, share) {
                wrong.push(format!("{name}: {what} {found}, printed {printed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn peaks_of_narrower_formats_are_multiples_without_sparsity() {
    for name in Shelf::Gpus.names() {
        let gpu = gpu(name);
        let fp16 = tera(&gpu, DType::Fp16);
        for (dtype, ratio) in [(DType::Tf32, 0.5), (DType::Bf16, 1.0), (DType::Fp8, 2.0)] {
            let peak = tera(&gpu, dtype);
            assert!(
                peak == 0.0 || is_near(peak, ratio * fp16, 0.02),
                "{name} {dtype}: {peak} of {fp16}"
            );
        }
    }
}

#[test]
fn peaks_follow_from_multiprocessors_and_clock() {
    // Products and sums a cycle of one multiprocessor in fp16: architecture white papers.
    for (name, per_cycle) in [
        ("t4", 1024.0),
        ("v100-sxm2-16gb", 1024.0),
        ("a10", 1024.0),
        ("a30", 2048.0),
        ("a100-sxm-80gb", 2048.0),
        ("l4", 1024.0),
        ("h100-sxm", 4096.0),
    ] {
        let gpu = gpu(name);
        let peak = f64::from(gpu.sms) * gpu.boost_mhz.unwrap() * 1e6 * per_cycle / 1e12;
        assert!(
            is_near(tera(&gpu, DType::Fp16), peak, 0.005),
            "{name}: {peak}"
        );
    }
}

/// Name, what a GPU has to all others in GB/s both ways together as vendors print it, and all NICs
/// of the node in Gbit/s.
const NODES: [(&str, f64, f64); 20] = [
    ("dgx-1v", 300.0, 400.0),
    ("p3dn.24xlarge", 300.0, 100.0),
    ("dgx-2", 300.0, 800.0),
    ("dgx-a100", 600.0, 1600.0),
    ("p4d.24xlarge", 600.0, 400.0),
    ("dgx-h100", 900.0, 3200.0),
    ("p5.48xlarge", 900.0, 3200.0),
    ("p5en.48xlarge", 900.0, 3200.0),
    ("a3-megagpu-8g", 900.0, 1600.0),
    ("dgx-h200", 900.0, 3200.0),
    ("h800", 400.0, 3200.0),
    ("dgx-b200", 1800.0, 3200.0),
    ("dgx-b300", 1800.0, 6400.0),
    ("p6-b200.48xlarge", 1800.0, 3200.0),
    ("gb200-nvl72", 1800.0, 1600.0),
    ("gb300-nvl72", 1800.0, 3200.0),
    ("mi300x", 896.0, 3200.0),
    ("mi350x", 1071.0, 3200.0),
    ("mi355x", 1071.0, 3200.0),
    ("azure-nd-mi300x-v5", 896.0, 3200.0),
];

/// What the busiest GPU sends to all others of its domain, in GB/s.
fn one_way(node: &NodeSpec) -> f64 {
    match &node.scale_up {
        ScaleUpSpec::NvSwitch { rate, .. } => rate.as_f64() / 1e9,
        ScaleUpSpec::FullMesh { rate, .. } => rate.as_f64() / 1e9 * f64::from(node.gpus - 1),
        ScaleUpSpec::Mesh { rate, links, .. } => {
            let of = |gpu| {
                let own = links.iter().filter(|link| link.gpus.contains(&gpu));
                own.map(|link| link.count).sum::<u32>()
            };
            let most = (0..node.gpus).map(of).max().unwrap_or(0);
            rate.as_f64() / 1e9 * f64::from(most)
        }
        ScaleUpSpec::Pcie => 0.0,
    }
}

#[test]
fn rates_of_nodes_are_one_direction_of_what_vendors_print() {
    for (name, both_ways, nics) in NODES {
        let node = node(name);
        let one_way = one_way(&node);
        assert!(
            is_near(2.0 * one_way, both_ways, 0.005),
            "{name}: {one_way}"
        );
        let gbits = f64::from(node.nics.count) * node.nics.rate.as_f64() * 8.0 / 1e9;
        assert!(is_near(gbits, nics, 1e-9), "{name}: {gbits} Gbit/s");
    }
}

#[test]
fn drives_and_memories_are_of_a_believable_size() {
    for name in Shelf::Nodes.names() {
        let node = node(name);
        if let Some(memory) = node.host.memory {
            assert!(
                (100.0..=4096.0).contains(&memory.as_gib()),
                "{name}: {memory}"
            );
        }
        let Some(drives) = node.storage else {
            continue;
        };
        assert!(
            drives.write <= drives.read,
            "{name} writes faster than it reads"
        );
        assert!((1e9..1e11).contains(&drives.read.as_f64()), "{name}");
        let size = drives.capacity.unwrap().as_f64();
        assert!((0.5e12..1e14).contains(&size), "{name}: {size} bytes");
    }
}

#[test]
fn every_file_says_where_its_figures_are_from() {
    for name in Shelf::Gpus.names() {
        assert!(!gpu(name).source.is_empty(), "{name}");
    }
    for name in Shelf::Nodes.names() {
        assert!(!node(name).source.is_empty(), "{name}");
    }
    for name in Shelf::Fabrics.names() {
        let fabric = zoo()
            .fabric(&Named::Name(name.to_owned()), &At::default())
            .unwrap();
        assert!(!fabric.source.is_empty(), "{name}");
        let known = profile::CommProfile::nccl();
        let network = fabric.network.as_deref();
        assert!(
            network.is_none_or(|network| known.network_named(network).is_some()),
            "{name}"
        );
    }
    for name in Shelf::Clusters.names() {
        assert!(
            !zoo()
                .cluster(name, &At::default())
                .unwrap()
                .source
                .is_empty(),
            "{name}"
        );
    }
}
