//! Degraded copies of a cluster.
#![expect(
    clippy::float_cmp,
    reason = "rates of data sheets and small factors are exact"
)]

use cluster::example::{cluster, dgx_h100, fabric, hosts, two_dgx_h100};
use cluster::{Cluster, ClusterError, FabricKind, FabricSpec, Fault};
use units::{GpuId, NodeId};

fn dead(link: &str) -> Fault {
    Fault::DeadLink {
        link: link.to_owned(),
    }
}

fn spine_taken(cluster: &Cluster) -> String {
    let mut path = Vec::new();
    cluster.route_hosts(NodeId::new(0), NodeId::new(16), Cluster::D_MOD_K, &mut path);
    cluster.link_name(path[1])
}

#[test]
fn a_slow_link_is_slow_in_one_direction_and_in_the_copy_only() {
    let healthy = Cluster::build(&two_dgx_h100()).unwrap();
    let fault = Fault::SlowLink {
        link: "n0nic2->leaf2".to_owned(),
        rate: 0.5,
    };
    let copy = healthy.degraded(&[fault]).unwrap();
    let link = copy.link_named("n0nic2->leaf2").unwrap();
    assert_eq!(copy.link(link).rate.as_gbytes(), 25.0);
    assert_eq!(copy.link(copy.reverse(link)).rate.as_gbytes(), 50.0);
    assert_eq!(healthy.link(link).rate.as_gbytes(), 50.0);
    assert_eq!(
        copy.graph()[petgraph::graph::EdgeIndex::new(link.index())],
        copy.link(link)
    );
}

#[test]
fn a_slow_gpu_is_slow_and_its_data_sheet_is_not() {
    let healthy = Cluster::build(&two_dgx_h100()).unwrap();
    let copy = healthy.with_gpu_speed(GpuId::new(9), 0.8).unwrap();
    assert_eq!(copy.gpu_speed(GpuId::new(9)), 0.8);
    assert_eq!(copy.gpu_speed(GpuId::new(8)), 1.0);
    assert_eq!(copy.gpu(GpuId::new(9)), healthy.gpu(GpuId::new(9)));
}

#[test]
fn routes_go_around_a_dead_link_and_bisection_shrinks() {
    let healthy = Cluster::build(&hosts(2, 16, 16, 100.0)).unwrap();
    assert_eq!(spine_taken(&healthy), "leaf0->spine0");
    let copy = healthy.degraded(&[dead("spine0->leaf1")]).unwrap();
    assert_eq!(spine_taken(&copy), "leaf0->spine1");
    let share = copy.bisection_bandwidth() / healthy.bisection_bandwidth();
    assert!((share - 15.0 / 16.0).abs() < 1e-12);
}

#[test]
fn a_cut_that_leaves_no_way_is_refused() {
    let healthy = Cluster::build(&hosts(2, 16, 2, 100.0)).unwrap();
    let errors = healthy
        .degraded(&[dead("leaf0->spine0"), dead("leaf1->spine1")])
        .unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "without link leaf1->spine1, nothing leads from leaf0 to leaf1"
    );
}

#[test]
fn core_switches_are_gone_around_too() {
    let tall = FabricSpec {
        nodes_per_leaf: 1,
        groups_per_pod: Some(2),
        ..fabric(FabricKind::FatTree)
    };
    let healthy = Cluster::build(&cluster(dgx_h100(), 4, tall)).unwrap();
    let taken = |cluster: &Cluster| {
        let mut path = Vec::new();
        cluster.route_hosts(NodeId::new(0), NodeId::new(3), Cluster::D_MOD_K, &mut path);
        path.iter()
            .map(|link| cluster.link_name(*link))
            .collect::<Vec<_>>()
    };
    let before = taken(&healthy);
    let after = taken(&healthy.degraded(&[dead(&before[2])]).unwrap());
    assert_ne!(before[2], after[2]);
    assert_eq!(before.len(), after.len());
}

#[test]
fn faults_that_name_nothing_are_all_reported() {
    let healthy = Cluster::build(&two_dgx_h100()).unwrap();
    let faults = [
        dead("leaf0->spine99"),
        dead("n0g0->n0sw"),
        Fault::SlowGpu {
            gpu: "n0g8".to_owned(),
            speed: 0.5,
        },
        Fault::SlowGpu {
            gpu: "n0g0".to_owned(),
            speed: f64::NAN,
        },
    ];
    let errors = healthy.degraded(&faults).unwrap_err();
    assert_eq!(errors.len(), 4);
    assert!(matches!(&errors[1], ClusterError::NoDetour { name } if name == "n0g0->n0sw"));
    assert!(errors.iter().all(|error| error.hint().is_some()));
}
