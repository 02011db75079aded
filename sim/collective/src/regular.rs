//! Shapes of groups with equal strides, for planners.

use cluster::Cluster;
use profile::CommProfile;
use units::GpuId;

use crate::CommShape;
use crate::hops::Domains;
use crate::shape::shape_of;

/// The shape of the groups of one axis of a plan: `size` GPUs, `stride` apart, from the first GPU
/// of the cluster on, while the `stride − 1` groups between them do the same.
///
/// In a cluster of equal nodes every group of the axis has this shape. Of the transfers only
/// those at the first group of leaves are looked at, since the others look alike, so that the
/// time is bounded by its size: some ten microseconds for groups inside nodes, some hundred for
/// larger ones. Where switches form no levels, traffic of others crosses those of the first nodes,
/// so all transfers and siblings count, and the time grows with the cluster.
///
/// # Panics
///
/// If `size · stride` exceeds the GPUs of the cluster, or one of them is 0.
pub fn regular_shape(
    cluster: &Cluster,
    comm: &CommProfile,
    size: usize,
    stride: usize,
) -> CommShape {
    let group = |first: usize| {
        let members = (0..size).map(move |k| GpuId::from_index(first + k * stride));
        Domains::new(&members.collect::<Vec<_>>(), cluster)
    };
    assert!(
        0 < size && 0 < stride && size * stride <= cluster.n_gpus(),
        "{size} GPUs with stride {stride} do not fit into {}",
        cluster.n_gpus()
    );
    let leaf = |gpu: GpuId| cluster.leaf_group_of(cluster.node_of(gpu));
    let first = leaf(GpuId::new(0));
    let siblings: Vec<_> = (1..stride)
        .take_while(|&start| !cluster.has_levels() || leaf(GpuId::from_index(start)) == first)
        .map(group)
        .collect();
    shape_of(cluster, comm, &group(0), &siblings, &|from, to| {
        !cluster.has_levels() || leaf(from) == first || leaf(to) == first
    })
}
