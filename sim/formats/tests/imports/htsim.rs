//! Files for htsim.

use cluster::{ClusterSpec, FabricKind, NodeGroup, example};
use formats::htsim::{Fires, HtsimError, write_flows, write_topology};
use traffic::{Flow, Flows};
use units::{Bytes, BytesPerSec, HostId, Seconds, SimTime};

fn flow(src: u32, dst: u32, bytes: u64) -> Flow {
    Flow {
        src: HostId::new(src),
        dst: HostId::new(dst),
        bytes: Bytes::new(bytes),
        start: SimTime::ZERO,
    }
}

fn text(list: Vec<Flow>, after: &[Vec<u32>]) -> Result<String, HtsimError> {
    let flows = Flows::new(list, after).unwrap();
    let mut out = Vec::new();
    write_flows(&mut out, &flows, 4, Fires::SendDone)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn flows_begin_at_a_time_or_by_a_trigger() {
    let list = vec![
        flow(0, 1, 8),
        flow(1, 2, 9),
        flow(2, 3, 10),
        flow(3, 0, 11),
        flow(3, 1, 12),
    ];
    let after = [vec![], vec![0], vec![], vec![1, 2], vec![2, 1]];
    assert_eq!(
        text(list, &after).unwrap(),
        "Nodes 4\nConnections 5\nTriggers 2\n\
         0->1 id 1 start 0 size 8 send_done_trigger 1\n\
         1->2 id 2 trigger 1 size 9 send_done_trigger 2\n\
         2->3 id 3 start 0 size 10 send_done_trigger 2\n\
         3->0 id 4 trigger 2 size 11\n\
         3->1 id 5 trigger 2 size 12\n\
         trigger id 1 oneshot\n\
         trigger id 2 barrier count 2\n"
    );
}

#[test]
fn a_ring_is_written_as_the_generator_of_the_peers_writes_it() {
    // Chunk 0 of a ring of three: hop after hop.
    let list = vec![flow(0, 1, 6), flow(1, 2, 6), flow(2, 0, 6), flow(0, 1, 6)];
    let after = [vec![], vec![0], vec![1], vec![2]];
    let text = text(list, &after).unwrap();
    let lines: Vec<&str> = text.lines().skip(3).collect();
    assert_eq!(lines[0], "0->1 id 1 start 0 size 6 send_done_trigger 1");
    assert_eq!(lines[3], "0->1 id 4 trigger 3 size 6");
    assert_eq!(lines[6], "trigger id 3 oneshot");
}

#[test]
fn what_htsim_cannot_say_is_an_error() {
    let error = |list: Vec<Flow>, after: &[Vec<u32>]| text(list, after).unwrap_err().to_string();
    assert_eq!(
        error(vec![flow(0, 1, 1 << 31)], &[]),
        "flow 0 has 2147483648 bytes, and htsim takes from 1 to 2³¹ - 1"
    );
    assert!(text(vec![flow(0, 1, (1 << 31) - 1)], &[]).is_ok());
    assert_eq!(
        error(vec![flow(0, 1, 0)], &[]),
        "flow 0 has 0 bytes, and htsim takes from 1 to 2³¹ - 1"
    );
    assert!(error(vec![flow(2, 2, 8)], &[]).contains("stays on host 2"));
    assert!(error(vec![flow(0, 4, 8)], &[]).contains("ends at host 4, but there are 4 nodes"));
    let late = Flow {
        start: SimTime::from_picos(7),
        ..flow(1, 2, 8)
    };
    assert!(error(vec![flow(0, 1, 8), late], &[vec![], vec![0]]).contains("has a start and waits"));
    let list = vec![flow(0, 1, 8), flow(1, 2, 8), flow(2, 3, 8), flow(3, 0, 8)];
    assert!(error(list, &[vec![], vec![], vec![0], vec![0, 1]]).contains("flow 0 is waited for"));
    assert!(error(vec![flow(0, 1, 8), flow(1, 2, 8)], &[vec![], vec![0, 0]]).contains("twice"));
}

/// Hosts with one NIC of 100 Gbit/s.
fn hosts(count: u32, kind: FabricKind, nodes_per_leaf: u32, spines: u32) -> ClusterSpec {
    let mut spec = example::dgx_h100s(1);
    let mut node = spec.groups[0].node.clone();
    node.gpus = 1;
    node.nics.count = 1;
    node.nics.rate = BytesPerSec::from_gbits(100.0).unwrap();
    spec.groups = vec![NodeGroup {
        node,
        count,
        gpus_used: None,
    }];
    spec.fabric.kind = kind;
    spec.fabric.nodes_per_leaf = nodes_per_leaf;
    spec.fabric.spines = Some(spines);
    spec.fabric.groups_per_pod = None;
    spec.fabric.rails = None;
    spec.fabric.oversubscription = Vec::new();
    spec.fabric.link_latency = Seconds::from_secs(1e-6);
    spec.fabric.switch_latency = Seconds::ZERO;
    spec
}

#[test]
fn leaves_and_spines_are_two_tiers() {
    let spec = hosts(64, FabricKind::LeafSpine, 16, 16);
    assert_eq!(
        write_topology(&spec).unwrap(),
        "Nodes 64\nTiers 2\nPodsize 64\n\n\
         Tier 0\nDownlink_speed_Gbps 100\nRadix_Down 16\nRadix_Up 16\n\
         Downlink_Latency_ns 1000\nSwitch_Latency_ns 0\n\n\
         Tier 1\nDownlink_speed_Gbps 100\nRadix_Down 4\n\
         Downlink_Latency_ns 1000\nSwitch_Latency_ns 0\n"
    );
    let mut spec = hosts(64, FabricKind::LeafSpine, 16, 4);
    spec.fabric.oversubscription = vec![4.0];
    let text = write_topology(&spec).unwrap();
    assert!(
        text.contains("Radix_Down 16\nRadix_Up 4\nOversubscribed 4\n"),
        "{text}"
    );
}

#[test]
fn three_levels_are_three_tiers_and_one_switch_is_two() {
    let mut spec = hosts(64, FabricKind::FatTree, 4, 4);
    spec.fabric.groups_per_pod = Some(4);
    spec.fabric.cores = Some(4);
    let text = write_topology(&spec).unwrap();
    assert!(
        text.starts_with("Nodes 64\nTiers 3\nPodsize 16\n"),
        "{text}"
    );
    assert!(
        text.contains("Tier 1\nDownlink_speed_Gbps 100\nRadix_Down 4\nRadix_Up 4\n"),
        "{text}"
    );
    assert!(
        text.contains("Tier 2\nDownlink_speed_Gbps 100\nRadix_Down 4\nDownlink"),
        "{text}"
    );
    let mut single = hosts(8, FabricKind::Single, 8, 1);
    single.fabric.spines = None;
    let text = write_topology(&single).unwrap();
    assert!(text.contains("Radix_Down 8\nRadix_Up 8\n"), "{text}");
}

#[test]
fn fabrics_that_are_no_equal_fat_tree_are_refused() {
    let error = |spec: &ClusterSpec| write_topology(spec).unwrap_err().to_string();
    let mut rails = hosts(64, FabricKind::RailOptimised, 16, 16);
    rails.groups[0].node.nics.count = 1;
    assert!(error(&rails).starts_with("the fabric is rail-optimised"));
    let uneven = hosts(60, FabricKind::LeafSpine, 16, 16);
    assert!(
        error(&uneven).contains("has a switch with fewer links"),
        "{}",
        error(&uneven)
    );
    let mut over = hosts(64, FabricKind::LeafSpine, 16, 16);
    over.fabric.oversubscription = vec![1.5];
    assert!(
        error(&over).contains("htsim takes whole numbers"),
        "{}",
        error(&over)
    );
    let mut several = hosts(64, FabricKind::LeafSpine, 16, 16);
    several.groups[0].node.gpus = 2;
    several.groups[0].node.nics.count = 2;
    assert!(
        error(&several).contains("several NICs"),
        "{}",
        error(&several)
    );
}
