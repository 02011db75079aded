//! Readers of topologies.

use formats::ibnetdiscover::Kind as Device;
use formats::nccl::graphs::{Algorithm, Stop};
use formats::nccl::topology::{Class, Far};
use formats::nvidia_smi::Path;
use formats::slurm_topology::Kind;
use formats::{ImportError, astra_sim, ibnetdiscover, nccl, nvidia_smi, slurm_topology};
use units::BytesPerSec;

use crate::samples::{
    ASTRA, IB_4LEAF, IB_2007, NCCL_FULL, NCCL_GRAPH, NCCL_NDV5, NCCL_P4D, SLURM_BLOCK, SLURM_TREE,
    SLURM_YAML, SMI_H200, SMI_V100,
};

fn message<T: std::fmt::Debug>(read: Result<T, ImportError>) -> String {
    read.unwrap_err().to_string()
}

#[test]
fn a_table_that_people_reformatted_is_read() {
    let matrix = nvidia_smi::read(SMI_V100).unwrap();
    assert_eq!((matrix.gpus().len(), matrix.nics().len()), (8, 2));
    assert_eq!(matrix.paths[0][2], Path::NvLink(2));
    assert_eq!(matrix.paths[9][4], Path::NumaNode);
    assert_eq!(matrix.devices[8].name, "mlx5_0");
    let gpu = &matrix.devices[5];
    assert_eq!(gpu.cpu_affinity.as_deref(), Some("24-47,72-95"));
    assert_eq!(gpu.numa_affinity.as_deref(), Some("1"));
}

#[test]
fn the_legend_names_the_nics() {
    let matrix = nvidia_smi::read(SMI_H200).unwrap();
    assert_eq!((matrix.gpus().len(), matrix.nics().len()), (8, 10));
    assert_eq!(matrix.devices[17].legend.as_deref(), Some("mlx5_9"));
    assert_eq!(matrix.ignored, ["GPU NUMA ID"]);
}

#[test]
fn tables_without_affinity_and_with_an_underlined_header_are_read() {
    let plain = "GPU0 GPU1\nGPU0 X SYS\nGPU1 SYS X\n";
    let colored = "\u{1b}[4mGPU0\tGPU1\u{1b}[0m\nGPU0\t X \tSYS\nGPU1\tSYS\t X \n";
    let [plain, colored] = [plain, colored].map(|text| nvidia_smi::read(text).unwrap());
    assert_eq!(plain, colored);
    assert_eq!(plain.devices[0].cpu_affinity, None);
}

#[test]
fn what_is_wrong_with_a_table_is_named() {
    let with = |row: &str| message(nvidia_smi::read(&format!("GPU0 GPU1\nGPU0 X NV4\n{row}\n")));
    assert_eq!(with("GPU1 NV4"), "line 3: the row of GPU1 has no `GPU1`");
    assert_eq!(
        with("GPU1 NVX X"),
        "line 3, `GPU0`: \"NVX\" is not X, NV#, PIX, PXB, PHB, NODE or SYS"
    );
    assert_eq!(
        with("GPU2 NV4 X"),
        "line 3: a column for the row \"GPU2\" is not in the file"
    );
    assert_eq!(
        with("GPU1 NV2 X"),
        "line 1: NVLink from GPU1 to GPU0 differs from that back"
    );
    assert_eq!(
        with("GPU1 X NV4"),
        "line 3: the row of GPU1 has its X in another column"
    );
    assert_eq!(with(""), "line 1: the table has no `row GPU1`");
    assert_eq!(
        message(nvidia_smi::read("no table")),
        "the file has no header that begins with GPU0"
    );
}

#[test]
fn a_pci_skeleton_has_gpus_and_nics_by_their_classes() {
    let system = nccl::topology::read(NCCL_NDV5).unwrap();
    let count = |class| {
        system
            .devices()
            .iter()
            .filter(|pci| pci.class == class)
            .count()
    };
    assert_eq!(
        (system.cpus.len(), count(Class::Gpu), count(Class::Nic)),
        (2, 8, 8)
    );
    let link = system.devices()[1].link.unwrap();
    assert!((link.as_gbytes() - 63.0154).abs() < 1e-3, "{link:?}");
    let system = nccl::topology::read(NCCL_P4D).unwrap();
    assert_eq!(system.devices()[1].ids, Some([0x10de, 0x20b0]));
}

#[test]
fn nvlink_and_ports_are_read_where_nccl_wrote_them() {
    let system = nccl::topology::read(NCCL_FULL).unwrap();
    let devices = system.devices();
    let gpu = devices.iter().find_map(|pci| pci.gpu.as_ref()).unwrap();
    assert_eq!((gpu.sm, gpu.nvlinks.len()), (Some(90), 2));
    assert_eq!((gpu.nvlinks[0].count, gpu.nvlinks[0].far), (9, Far::Switch));
    let net = devices.iter().find_map(|pci| pci.nets.first()).unwrap();
    assert_eq!(net.rate, BytesPerSec::from_gbits(400.0));
    assert_eq!(system.ignored, ["net@rail"]);
}

#[test]
fn what_is_wrong_with_a_topology_is_named_with_its_line() {
    let read = |inside: &str| {
        let text = format!("<system version=\"1\">\n<cpu numaid=\"0\">\n{inside}\n</cpu></system>");
        message(nccl::topology::read(&text))
    };
    assert_eq!(read("<pci/>"), "line 3: <pci> has no `busid`");
    assert_eq!(
        read("<pci busid='a' link_speed='fast'/>"),
        "line 3, `link_speed`: \"fast\" is not a rate such as 32.0 GT/s PCIe"
    );
    assert_eq!(
        read("<pci busid='a' class='0x03'><gpu><nvlink target='b' count='9999'/></gpu></pci>"),
        "line 3, `count`: \"9999\" is not a number of links from 1 to 1024"
    );
    assert_eq!(
        message(nccl::topology::read("<graphs version='1'/>")),
        "the file has no <system>, with which a topology begins"
    );
    assert_eq!(
        message(nccl::topology::read("<system version='2'/>")),
        "line 1, `version`: \"2\" is not 1"
    );
}

#[test]
fn channels_keep_the_order_of_their_gpus() {
    let graphs = nccl::graphs::read(NCCL_GRAPH).unwrap();
    assert_eq!(graphs.graphs.len(), 3);
    let ring = &graphs.graphs[0];
    assert_eq!((ring.algorithm, ring.pattern), (Algorithm::Ring, 4));
    assert_eq!(ring.channels[1], [0, 3, 2, 1].map(Stop::Gpu));
    assert_eq!(ring.inside, BytesPerSec::from_gbytes(12.0));
    let error = nccl::graphs::read(&NCCL_GRAPH.replacen("nchannels=\"2\"", "nchannels=\"3\"", 1));
    assert_eq!(message(error), "line 2: `nchannels` is 3, but there are 2");
}

#[test]
fn every_cable_is_counted_once() {
    let network = ibnetdiscover::read(IB_4LEAF).unwrap();
    let of = |kind| {
        network
            .devices
            .iter()
            .filter(|one| one.kind == kind)
            .count()
    };
    assert_eq!((of(Device::Switch), of(Device::Adapter)), (6, 16));
    // Two between each leaf and spine, and one for every adapter.
    assert_eq!(network.cables.len(), 4 * 2 * 2 + 16);
    let rates: Vec<_> = network.cables.iter().map(|one| one.rate).collect();
    assert_eq!(
        rates
            .iter()
            .filter(|rate| **rate == BytesPerSec::from_gbits(200.0))
            .count(),
        1
    );
    assert_eq!(
        rates
            .iter()
            .filter(|rate| **rate == BytesPerSec::from_gbits(400.0))
            .count(),
        31
    );
    assert!(network.unequal.is_empty());
}

#[test]
fn an_old_listing_is_read_and_its_contradictions_are_told() {
    let network = ibnetdiscover::read(IB_2007).unwrap();
    assert_eq!((network.devices.len(), network.cables.len()), (6, 7));
    assert_eq!(network.unequal.len(), 2);
    let spoiled = IB_2007.replacen(
        "[10]    \"S-0008f10400410015\"[1]",
        "[10]    \"S-0008f10400410015\"[6]",
        1,
    );
    let error = message(ibnetdiscover::read(&spoiled));
    assert!(error.contains("has another cable on line"), "{error}");
    let error = message(ibnetdiscover::read(&IB_2007.replacen("4xSDR", "4xTDR", 1)));
    assert_eq!(
        error,
        "line 14, `rate`: \"4xTDR\" is not a width and a speed such as 4xNDR"
    );
    let error = message(ibnetdiscover::read(
        "Switch 8 \"S-1\" # \"a\"\n[1] \"S-2\"[1] # 4xNDR\n",
    ));
    assert_eq!(error, "line 2: the device \"S-2\" is not in the file");
}

#[test]
fn a_tree_of_switches_is_read_with_its_lists_of_nodes() {
    let topology = slurm_topology::read(SLURM_TREE).unwrap();
    let Kind::Tree(switches) = &topology.kind else {
        panic!("{topology:?}");
    };
    assert_eq!(switches.len(), 7);
    assert_eq!(switches[0].nodes[3], "node004");
    assert_eq!(
        switches[2].nodes,
        ["node009", "node010", "node011", "login1"]
    );
    assert_eq!(switches[3].nodes.len(), 4);
    assert_eq!(switches[6].switches, ["row0", "row1"]);
    assert_eq!(switches[0].link_speed.as_deref(), Some("400"));
    let topology = slurm_topology::read(SLURM_YAML).unwrap();
    assert!(matches!(&topology.kind, Kind::Tree(switches) if switches[2].nodes.len() == 8));
}

#[test]
fn blocks_are_read_with_their_sizes() {
    let topology = slurm_topology::read(SLURM_BLOCK).unwrap();
    let Kind::Blocks { blocks, sizes } = &topology.kind else {
        panic!("{topology:?}");
    };
    assert_eq!((blocks.len(), blocks[1].nodes.len()), (2, 18));
    assert_eq!(sizes, &[18, 36]);
}

#[test]
fn what_is_wrong_with_a_tree_is_named() {
    let read = |text: &str| message(slurm_topology::read(text));
    assert_eq!(
        read("# nothing\n"),
        "the file has no SwitchName or BlockName"
    );
    assert_eq!(
        read("SwitchName=a\n"),
        "line 1: the switch \"a\" has no `Nodes` or `Switches`"
    );
    assert_eq!(
        read("SwitchName=a Nodes=n1\nSwitchName=t Switches=a,b\n"),
        "line 2: the switch \"b\" is not in the file"
    );
    assert_eq!(
        read("SwitchName=a Nodes=n[1-4]\nSwitchName=b Nodes=n4\n"),
        "line 2: the node \"n4\" was there before, on line 1"
    );
    assert_eq!(
        read("SwitchName=a Switches=b\nSwitchName=b Switches=a\n"),
        "line 1: the switch \"a\" is below itself, or more than 64 deep"
    );
    assert_eq!(
        read("SwitchName=a Nodes=n[1-99999999]\n"),
        "line 1: more than 131072 names"
    );
    assert!(read("SwitchName=a Nodes=n[1-\n").contains("is no list of hosts"));
}

#[test]
fn a_network_of_dimensions_is_read_in_binary_gigabytes() {
    let network = astra_sim::read(ASTRA).unwrap();
    assert_eq!(network.dimensions.len(), 2);
    let inner = network.dimensions[0];
    assert_eq!((inner.shape, inner.npus), (astra_sim::Shape::Ring, 4));
    assert_eq!(
        Some(inner.rate),
        BytesPerSec::new(200.0 * f64::from(1 << 30))
    );
    let read = |from: &str, to: &str| message(astra_sim::read(&ASTRA.replacen(from, to, 1)));
    assert_eq!(
        read("[ 4, 8 ]", "[ 4 ]"),
        "line 3: `npus_count` has 1 entries, `topology` has 2"
    );
    assert_eq!(
        read("[ 4, 8 ]", "[ 4, 1 ]"),
        "line 3, `npus_count`: \"1\" is not a number of NPUs above 1"
    );
    assert_eq!(
        read("Ring", "Torus"),
        "line 2, `topology`: \"Torus\" is not Ring, FullyConnected or Switch"
    );
    assert_eq!(
        read("latency:", "delay:"),
        "line 2: the network has no `latency`"
    );
}
