//! What is imported is taken by our own readers.

#![expect(
    clippy::unwrap_used,
    reason = "a folder that cannot be made fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use formats::flows_csv;
use session::{
    CollectiveRequest, HardwareChoices, ImportedFile, Keep, Request, Sizes, Tool, collective_table,
    import_chakra, import_cluster, open,
};
use units::{BytesPerSec, Control, HostId};

fn sample(name: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim/formats/tests/data");
    data.join(name)
}

fn import(name: &str, tool: Tool, choices: &HardwareChoices) -> ImportedFile {
    import_cluster(&sample(name), tool, choices).unwrap_or_else(|failures| {
        let all: Vec<_> = failures.iter().map(ToString::to_string).collect();
        panic!("{name}: {}", all.join("\n"))
    })
}

/// A folder of its own, which goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("windtunnel-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SAMPLES: [(&str, Tool); 13] = [
    ("smi_v100_8gpu_2nic.txt", Tool::NvidiaSmi),
    ("smi_h200_8gpu_10nic_own.txt", Tool::NvidiaSmi),
    ("nccl_topo_azure_ndv4.xml", Tool::Nccl),
    ("nccl_topo_azure_ndv5.xml", Tool::Nccl),
    ("nccl_topo_aws_p4d.xml", Tool::Nccl),
    ("nccl_topo_full_own.xml", Tool::Nccl),
    ("nccl_graph_azure_ncv4.xml", Tool::Nccl),
    ("ibnetdiscover_2switch_2007.txt", Tool::Ibnetdiscover),
    ("ibnetdiscover_4leaf_2spine_own.txt", Tool::Ibnetdiscover),
    ("slurm_tree_own.conf", Tool::SlurmTopology),
    ("slurm_block_own.conf", Tool::SlurmTopology),
    ("slurm_tree_own.yaml", Tool::SlurmTopology),
    ("astra_ring_switch_own.yml", Tool::AstraSim),
];

#[test]
fn every_sample_becomes_a_cluster_that_a_collective_runs_on() {
    let scratch = Scratch::new("imports");
    for (name, tool) in SAMPLES {
        let imported = import(name, tool, &HardwareChoices::default());
        assert!(!imported.notes.is_empty(), "{name} tells all");
        let file = scratch.0.join(format!("{name}.toml"));
        fs::write(&file, &imported.text).unwrap();
        let table = collective_table(&CollectiveRequest {
            kind: "all_reduce".to_owned(),
            cluster: file.display().to_string(),
            nodes: None,
            gpus_per_node: None,
            sizes: Sizes::parse("1M:16M", None, None).unwrap(),
            datatype: "float".to_owned(),
            algorithm: None,
            protocol: None,
        });
        let table = table.unwrap_or_else(|failures| {
            let all: Vec<_> = failures.iter().map(ToString::to_string).collect();
            panic!("{name}: {}\n{}", all.join("\n"), imported.text)
        });
        assert!(table.rows.iter().all(|row| 0.0 < row.cost.busbw), "{name}");
    }
}

#[test]
fn every_pair_of_dimensions_of_astra_sim_runs_a_collective_over_its_gpus() {
    let scratch = Scratch::new("astra");
    let shapes = ["Ring", "FullyConnected", "Switch"];
    for (inner, outer) in shapes.iter().flat_map(|a| shapes.map(|b| (a, b))) {
        let source = scratch.0.join("network.yml");
        let text = format!(
            "topology: [ {inner}, {outer} ]\nnpus_count: [ 4, 3 ]\n\
             bandwidth: [ 400.0, 50.0 ]\nlatency: [ 500.0, 1000.0 ]\n"
        );
        fs::write(&source, text).unwrap();
        let imported = import_cluster(&source, Tool::AstraSim, &HardwareChoices::default());
        fs::write(scratch.0.join("cluster.toml"), imported.unwrap().text).unwrap();
        let table = collective_table(&CollectiveRequest {
            kind: "alltoall".to_owned(),
            cluster: scratch.0.join("cluster.toml").display().to_string(),
            nodes: None,
            gpus_per_node: None,
            sizes: Sizes::parse("1M:16M", None, None).unwrap(),
            datatype: "float".to_owned(),
            algorithm: None,
            protocol: None,
        });
        let rows = table.unwrap().rows;
        assert!(
            rows.iter().all(|row| 0.0 < row.cost.busbw),
            "{inner} {outer}"
        );
        for collective in ["all_reduce", "alltoall", "permutation"] {
            for ends in ["nodes", "gpus"] {
                let scenario = format!(
                    "schema = 1\n[cluster]\nfile = \"cluster.toml\"\n\
                     [workload]\ncollective = \"{collective}\"\nbytes = \"1 MiB\"\nends = \"{ends}\"\n"
                );
                fs::write(scratch.0.join("scenario.toml"), scenario).unwrap();
                let request = Request {
                    scenario: scratch.0.clone(),
                    ..Request::default()
                };
                let traffic = open(&request).unwrap().traffic().unwrap();
                let answer = traffic.run(Keep::Totals, &Control::new()).unwrap();
                let on_fabric = answer.links.iter().any(|link| !link.name.contains("sw"));
                let makespan = answer.makespan.as_seconds().as_secs();
                assert!(
                    0.0 < makespan && on_fabric,
                    "{inner} {outer} {collective} {ends}"
                );
            }
        }
    }
}

#[test]
fn choices_replace_what_was_assumed() {
    let choices = HardwareChoices {
        gpu: Some("h200".to_owned()),
        nic_rate: BytesPerSec::from_gbits(200.0),
        nodes: Some(4),
        node: None,
    };
    let imported = import("smi_h200_8gpu_10nic_own.txt", Tool::NvidiaSmi, &choices);
    let cluster = format::check::cluster(&imported.text).unwrap();
    assert_eq!((cluster.n_nodes(), cluster.n_gpus()), (4, 32));
    assert_eq!(cluster.node(units::NodeId::new(0)).gpu, "h200");
    let rate = cluster.node(units::NodeId::new(0)).nics.rate;
    assert_eq!(Some(rate), choices.nic_rate);
    let fabric = import(
        "ibnetdiscover_4leaf_2spine_own.txt",
        Tool::Ibnetdiscover,
        &HardwareChoices {
            node: Some("a100-4x200".to_owned()),
            ..HardwareChoices::default()
        },
    );
    assert!(
        fabric.text.contains("kind = \"a100-4x200\""),
        "{}",
        fabric.text
    );
}

#[test]
fn a_gpu_that_the_zoo_does_not_have_is_refused() {
    let choices = HardwareChoices {
        gpu: Some("h999".to_owned()),
        ..HardwareChoices::default()
    };
    let file = sample("nccl_topo_azure_ndv5.xml");
    let failures = import_cluster(&file, Tool::Nccl, &choices).unwrap_err();
    assert!(failures[0].to_string().contains("h999"), "{}", failures[0]);
}

#[test]
fn traces_beside_each_other_become_one_list_of_flows() {
    let scratch = Scratch::new("chakra");
    let file = formats::chakra::write_collective(formats::chakra::Collective::AllToAll, 4096);
    let file = file.unwrap();
    for rank in 0..4 {
        fs::write(scratch.0.join(format!("job.{rank}.et")), &file).unwrap();
    }
    for path in [scratch.0.clone(), scratch.0.join("job.0.et")] {
        let imported = import_chakra(&path, Some(2)).unwrap();
        let host = |name: &str| match name {
            "n0g0" => Some(HostId::new(0)),
            "n0g1" => Some(HostId::new(1)),
            "n1g0" => Some(HostId::new(2)),
            "n1g1" => Some(HostId::new(3)),
            _ => None,
        };
        let list = flows_csv::read(imported.text.as_bytes(), host).unwrap();
        let between: Vec<_> = list
            .flows
            .iter()
            .filter(|(_, flow)| flow.src != flow.dst)
            .collect();
        assert_eq!(between.len(), 12);
        assert!(between.iter().all(|(_, flow)| flow.bytes.as_u64() == 1024));
    }
}

#[test]
fn a_folder_without_traces_is_refused() {
    let scratch = Scratch::new("no-chakra");
    let failures = import_chakra(&scratch.0, None).unwrap_err();
    assert!(failures[0].to_string().contains("has 0 files NAME.0.et"));
    let failures = import_chakra(&scratch.0.join("x.0.et"), None).unwrap_err();
    assert!(failures[0].to_string().contains("cannot be read"));
}
