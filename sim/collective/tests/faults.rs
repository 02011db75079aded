//! Faults inside a scale-up domain count.

use cluster::{Cluster, example};
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, GpuId};

#[test]
fn a_slow_link_of_a_switch_slows_the_collectives_of_its_gpu() {
    let whole = Cluster::build(&example::two_dgx_h100()).unwrap();
    let comm = CommProfile::nccl();
    let link = whole.link_named("n0g0->n0sw").unwrap();
    let slow = whole.with_link_rate(link, 0.1).unwrap();
    let group: Vec<GpuId> = (0..8).map(GpuId::new).collect();
    let other: Vec<GpuId> = (8..16).map(GpuId::new).collect();
    let time = |cluster: &Cluster, group: &[GpuId]| {
        let shape = collective::shape(cluster, &comm, group, &[]);
        collective::time(
            CollectiveKind::AllReduce,
            Bytes::from_gib(1.0),
            &shape,
            &comm,
        )
        .time
    };
    let ratio = time(&slow, &group) / time(&whole, &group);
    assert!((5.0..=10.1).contains(&ratio), "{ratio}");
    assert_eq!(time(&slow, &other), time(&whole, &other));
}
