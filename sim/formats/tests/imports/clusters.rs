//! Cluster files from topologies.

use std::fmt::Write;

use formats::cluster_file::{
    Choices, Imported, of_astra_sim, of_ibnetdiscover, of_nccl_graphs, of_nccl_topology,
    of_nvidia_smi, of_slurm_topology,
};
use formats::{astra_sim, ibnetdiscover, nccl, nvidia_smi, slurm_topology};
use toml::{Table, Value};

use crate::samples::{
    ASTRA, IB_4LEAF, IB_2007, NCCL_FULL, NCCL_GRAPH, NCCL_NDV4, NCCL_P4D, SLURM_TREE, SLURM_YAML,
    SMI_H200, SMI_V100,
};

fn parsed(imported: &Imported) -> Table {
    let text = &imported.text;
    text.parse()
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn kind(imported: &Imported) -> Value {
    parsed(imported)["nodes"][0]["kind"].clone()
}

fn fabric(text: &str) -> (Value, Imported) {
    let network = ibnetdiscover::read(text).unwrap();
    let imported = of_ibnetdiscover(&network, &Choices::default()).unwrap();
    (parsed(&imported)["fabric"].clone(), imported)
}

fn smi(text: &str) -> Imported {
    let matrix = nvidia_smi::read(text).unwrap();
    of_nvidia_smi(&matrix, &Choices::default()).unwrap()
}

fn topology(text: &str) -> Imported {
    let system = nccl::topology::read(text).unwrap();
    of_nccl_topology(&system, &Choices::default()).unwrap()
}

#[test]
fn equal_links_to_all_others_are_a_switch_and_others_a_mesh() {
    let node = kind(&smi(SMI_H200));
    assert_eq!(node["scale_up"]["kind"].as_str(), Some("nvswitch"));
    assert_eq!(node["scale_up"]["rate"].as_str(), Some("450 GB/s"));
    let node = kind(&smi(SMI_V100));
    assert_eq!(node["scale_up"]["kind"].as_str(), Some("mesh"));
    assert_eq!(node["scale_up"]["links"].as_array().unwrap().len(), 16);
    assert_eq!(node["gpu"].as_str(), Some("v100-sxm2-16gb"));
}

#[test]
fn nics_that_are_near_no_gpu_are_left_out_and_named() {
    let imported = smi(SMI_H200);
    let node = kind(&imported);
    assert_eq!(node["nics"]["count"].as_integer(), Some(8));
    assert_eq!(node["host"]["gpus_per_switch"].as_integer(), Some(1));
    assert_eq!(node["host"]["sockets"].as_integer(), Some(2));
    let told = imported
        .notes
        .iter()
        .any(|note| note.contains("NIC1 (mlx5_1), NIC7 (mlx5_7)"));
    assert!(told, "{:?}", imported.notes);
}

#[test]
fn a_pci_skeleton_gives_switches_links_and_the_gpu_of_its_device() {
    let node = kind(&topology(NCCL_P4D));
    assert_eq!(node["gpu"].as_str(), Some("a100-sxm-40gb"));
    assert_eq!(node["host"]["gpus_per_switch"].as_integer(), Some(2));
    assert_eq!(node["nics"]["count"].as_integer(), Some(4));
    let node = kind(&topology(NCCL_NDV4));
    assert_eq!(node["gpu"].as_str(), Some("a100-sxm-80gb"));
    assert_eq!(node["host"]["sockets"].as_integer(), Some(4));
    let imported = topology(NCCL_FULL);
    let node = kind(&imported);
    assert_eq!(node["gpu"].as_str(), Some("h200"));
    assert_eq!(node["nics"]["rate"].as_str(), Some("400 Gbit/s"));
    assert_eq!(
        imported.notes,
        ["a link of NVLink carries 25 GB/s each way"]
    );
}

#[test]
fn channels_give_a_node_of_their_gpus() {
    let graphs = nccl::graphs::read(NCCL_GRAPH).unwrap();
    let node = kind(&of_nccl_graphs(&graphs, &Choices::default()).unwrap());
    assert_eq!(node["gpus"].as_integer(), Some(4));
    assert_eq!(node["scale_up"]["kind"].as_str(), Some("pcie"));
    let nvlink = NCCL_GRAPH.replace("typeintra=\"SYS\"", "typeintra=\"NVL\"");
    let graphs = nccl::graphs::read(&nvlink).unwrap();
    let node = kind(&of_nccl_graphs(&graphs, &Choices::default()).unwrap());
    assert_eq!(node["scale_up"]["rate"].as_str(), Some("24 GB/s"));
}

#[test]
fn a_regular_fabric_is_leaves_and_spines() {
    let (fabric, imported) = fabric(&IB_4LEAF.replace("4xHDR", "4xNDR"));
    assert_eq!(fabric["kind"].as_str(), Some("leaf-spine"));
    assert_eq!(fabric["nodes_per_leaf"].as_integer(), Some(2));
    assert_eq!(fabric["spines"].as_integer(), Some(2));
    assert_eq!(fabric["oversubscription"][0].as_float(), Some(1.0));
    assert_eq!(fabric["link_rate"].as_str(), Some("400 Gbit/s"));
    assert!(imported.text.contains("# leaf02: n2 gpu003, n3 gpu004\n"));
}

#[test]
fn one_slow_cable_makes_a_graph_that_has_it() {
    let (fabric, imported) = fabric(IB_4LEAF);
    assert_eq!(fabric["kind"].as_str(), Some("graph"));
    let cables = fabric["cables"].as_array().unwrap();
    assert_eq!(cables.len(), 8);
    let slow = cables
        .iter()
        .find(|row| row["rate"].as_str() == Some("300 Gbit/s"));
    assert_eq!(
        slow.unwrap()["ends"].as_array().unwrap()[0].as_str(),
        Some("leaf03")
    );
    assert_eq!(
        fabric["attach"][0]["nodes_per_switch"].as_integer(),
        Some(2)
    );
    let told = imported
        .notes
        .iter()
        .any(|note| note.contains("cables have different rates"));
    assert!(told, "{:?}", imported.notes);
}

#[test]
fn adapters_without_the_names_of_hosts_are_a_node_each() {
    let (fabric, imported) = fabric(IB_2007);
    assert_eq!(fabric["kind"].as_str(), Some("graph"));
    assert_eq!(parsed(&imported)["nodes"][0]["count"].as_integer(), Some(4));
    let told = imported
        .notes
        .iter()
        .any(|note| note.contains("the first 1 are kept"));
    assert!(told, "{:?}", imported.notes);
}

/// The listing of a fabric: cables as `leaf0-spine0`, hosts as `h3.mlx5_0-leaf0`.
fn listing(cables: &[String]) -> String {
    let mut devices: std::collections::BTreeMap<&str, Vec<&str>> =
        std::collections::BTreeMap::new();
    for cable in cables {
        let (a, b) = cable.split_once('-').unwrap();
        devices.entry(a).or_default().push(b);
        devices.entry(b).or_default().push(a);
    }
    let is_host = |name: &str| name.starts_with('h');
    let guid = |name: &str| format!("{}-{name}", if is_host(name) { "H" } else { "S" });
    let mut text = String::new();
    for (name, peers) in &devices {
        let kind = if is_host(name) { "Ca" } else { "Switch" };
        let shown = name.replace('.', " ");
        writeln!(text, "{kind} 64 \"{}\" # \"{shown}\" x", guid(name)).unwrap();
        for (port, peer) in (1..).zip(peers) {
            let own = peers[..port - 1].iter().filter(|one| *one == peer).count();
            let theirs = devices[peer].iter().enumerate();
            let mut theirs = theirs.filter(|(_, one)| *one == name);
            let (at, _) = theirs.nth(own).unwrap();
            writeln!(
                text,
                "[{port}] \"{}\"[{}] # \"{peer}\" lid 1 4xNDR",
                guid(peer),
                at + 1
            )
            .unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn rails_are_recognised() {
    let mut cables = Vec::new();
    for host in 0..8 {
        for rail in 0..4 {
            cables.push(format!("h{host}.mlx5_{rail}-leaf{}", host / 4 * 4 + rail));
        }
    }
    for leaf in 0..8 {
        for spine in 0..2 {
            cables.push(format!("leaf{leaf}-spine{spine}"));
        }
    }
    let (fabric, _) = fabric(&listing(&cables));
    assert_eq!(fabric["kind"].as_str(), Some("rail-optimised"));
    assert_eq!(fabric["rails"].as_integer(), Some(4));
    assert_eq!(fabric["nodes_per_leaf"].as_integer(), Some(4));
    assert_eq!(fabric["oversubscription"][0].as_float(), Some(2.0));
}

#[test]
fn three_levels_are_recognised_and_a_missing_cable_makes_a_graph() {
    let mut cables = Vec::new();
    for host in 0..16 {
        cables.push(format!("h{host}.mlx5_0-leaf{}", host / 2));
    }
    for leaf in 0..8 {
        for spine in 0..2 {
            cables.push(format!("leaf{leaf}-spine{}", leaf / 4 * 2 + spine));
        }
    }
    for spine in 0..4 {
        for core in 0..2 {
            cables.push(format!("spine{spine}-core{}", spine % 2 * 2 + core));
        }
    }
    let (fabric_of_all, imported) = fabric(&listing(&cables));
    assert_eq!(fabric_of_all["kind"].as_str(), Some("fat-tree"));
    assert_eq!(fabric_of_all["groups_per_pod"].as_integer(), Some(4));
    assert_eq!(fabric_of_all["spines"].as_integer(), Some(2));
    assert_eq!(fabric_of_all["cores"].as_integer(), Some(2));
    let over = fabric_of_all["oversubscription"].as_array().unwrap();
    assert_eq!(
        [over[0].as_float(), over[1].as_float()],
        [Some(1.0), Some(2.0)]
    );
    assert!(
        imported.text.contains("# leaf7: n14 h14, n15 h15\n"),
        "{}",
        imported.text
    );
    cables.pop();
    assert_eq!(fabric(&listing(&cables)).0["kind"].as_str(), Some("graph"));
}

#[test]
fn aggregation_nodes_and_nodes_with_fewer_nics_are_left_out() {
    let mut cables: Vec<String> = (0..4)
        .map(|host| format!("h{host}.mlx5_0-leaf{}", host / 2))
        .collect();
    cables.extend((0..4).map(|host| format!("h{host}.mlx5_1-leaf{}", host / 2)));
    cables.push("hmgmt.mlx5_0-leaf0".to_owned());
    cables.push("leaf0-leaf1".to_owned());
    let text = listing(&cables).replace("hmgmt mlx5_0", "Mellanox Technologies Aggregation Node");
    let imported = fabric(&text).1;
    assert!(
        imported
            .ignored
            .contains(&"1 aggregation nodes of switches".to_owned())
    );
    let imported = fabric(&listing(&cables)).1;
    let told = imported
        .notes
        .iter()
        .any(|note| note.contains("fewer NICs than most, 2, and are left out: hmgmt"));
    assert!(told, "{:?}", imported.notes);
    assert_eq!(parsed(&imported)["nodes"][0]["count"].as_integer(), Some(4));
}

#[test]
fn trees_of_equal_switches_are_shapes_and_others_graphs() {
    let read = |text: &str| {
        let topology = slurm_topology::read(text).unwrap();
        parsed(&of_slurm_topology(&topology, &Choices::default()).unwrap())["fabric"].clone()
    };
    let tree = read(SLURM_TREE);
    assert_eq!(tree["kind"].as_str(), Some("fat-tree"));
    assert_eq!(tree["nodes_per_leaf"].as_integer(), Some(4));
    assert_eq!(tree["groups_per_pod"].as_integer(), Some(2));
    assert_eq!(read(SLURM_YAML)["kind"].as_str(), Some("leaf-spine"));
    // The last leaf may have fewer nodes.
    let fewer = "SwitchName=a Nodes=n[1-4]\nSwitchName=b Nodes=n5\nSwitchName=t Switches=a,b\n";
    assert_eq!(read(fewer)["kind"].as_str(), Some("leaf-spine"));
    let uneven = "SwitchName=a Nodes=n[1-4]\nSwitchName=b Nodes=n5\nSwitchName=c Nodes=n[6-8]\n\
                  SwitchName=t Switches=a,b\nSwitchName=u Switches=t,c\n";
    assert_eq!(read(uneven)["kind"].as_str(), Some("graph"));
    let forest = read("SwitchName=a Nodes=n[1-4]\nSwitchName=b Nodes=n[5-8]\n");
    assert_eq!(forest["kind"].as_str(), Some("leaf-spine"));
    assert_eq!(
        read("SwitchName=a Nodes=n[1-4]\n")["kind"].as_str(),
        Some("single")
    );
}

#[test]
fn dimensions_become_what_joins_gpus_and_what_joins_nodes() {
    let read = |text: &str| {
        let network = astra_sim::read(text).unwrap();
        of_astra_sim(&network, &Choices::default())
    };
    let imported = read(ASTRA).unwrap();
    assert_eq!(
        kind(&imported)["scale_up"]["links"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        parsed(&imported)["fabric"]["kind"].as_str(),
        Some("rail-optimised")
    );
    assert_eq!(kind(&imported)["nics"]["rate"].as_str(), Some("50 GiB/s"));
    let switch = "topology: [Switch]\nnpus_count: [64]\nbandwidth: [50]\nlatency: [500]\n";
    let imported = read(switch).unwrap();
    assert_eq!(
        parsed(&imported)["nodes"][0]["count"].as_integer(),
        Some(64)
    );
    assert_eq!(parsed(&imported)["fabric"]["kind"].as_str(), Some("single"));
    let rings = ASTRA.replace("[ Ring, Switch ]", "[ Switch, Ring ]");
    let fabric = parsed(&read(&rings).unwrap())["fabric"].clone();
    assert_eq!(fabric["kind"].as_str(), Some("graph"));
    assert_eq!(fabric["cables"].as_array().unwrap().len(), 4 * 8);
    let three = "topology: [Ring, Ring, Ring]\nnpus_count: [2, 2, 2]\nbandwidth: [1, 1, 1]\nlatency: [1, 1, 1]\n";
    let error = read(three).unwrap_err().to_string();
    assert!(error.starts_with("3 dimensions"), "{error}");
}
