//! What a rank sends to its neighbors inside a scale-up domain.

use cluster::{Cluster, ScaleUpSpec};
use profile::{CommProfile, ScaleUpKind};
use units::{BytesPerSec, GpuId};

use crate::hops::{Domains, Hop};
use crate::load::Loads;

/// What a rank sends inside its domain, the slowest domain first, and that domain's constants.
pub(crate) fn intra(
    cluster: &Cluster,
    comm: &CommProfile,
    group: &Domains,
    siblings: &[Domains],
) -> (BytesPerSec, u8) {
    let of_domain = |gpus: &Vec<GpuId>| {
        let rate = intra_rate(cluster, gpus, siblings);
        (rate, entry_of(cluster, comm, gpus[0]))
    };
    let reached = |(rate, entry): &(BytesPerSec, u8)| {
        rate.as_f64() * comm.scale_up[usize::from(*entry)].efficiency
    };
    let several = group.members.iter().filter(|gpus| gpus.len() > 1);
    let slowest = several
        .map(of_domain)
        .min_by(|a, b| reached(a).total_cmp(&reached(b)));
    slowest.unwrap_or_else(|| group.members.first().map_or_else(nothing, of_domain))
}

/// The constants that hold inside the domain of a GPU: an entry of [`CommProfile::scale_up`].
pub(crate) fn entry_of(cluster: &Cluster, comm: &CommProfile, gpu: GpuId) -> u8 {
    let kind = match cluster.scale_up(gpu) {
        ScaleUpSpec::NvSwitch { .. } => ScaleUpKind::NvSwitch,
        ScaleUpSpec::Mesh { .. } | ScaleUpSpec::FullMesh { .. } => ScaleUpKind::Mesh,
        ScaleUpSpec::Pcie => ScaleUpKind::Pcie,
    };
    comm.scale_up_of(kind, &cluster.gpu(gpu).architecture)
}

/// Stands for an empty group, which costs nothing.
fn nothing() -> (BytesPerSec, u8) {
    (BytesPerSec::from_gbytes(1.0).expect("positive"), 0)
}

/// What each of some GPUs of one domain sends to the others in rings over all of them.
fn intra_rate(cluster: &Cluster, gpus: &[GpuId], siblings: &[Domains]) -> BytesPerSec {
    let peers = |gpu: GpuId| gpus.iter().copied().filter(move |&other| other != gpu);
    let direct = |gpu: GpuId| match cluster.scale_up(gpu) {
        ScaleUpSpec::NvSwitch { rate, .. } => Some(rate.min(cluster.scale_up_rate(gpu))),
        ScaleUpSpec::Mesh { rate, links, .. } => {
            let [a, b] = [gpu, gpu].map(|gpu| cluster.index_in_node(gpu));
            let joins = |other: GpuId| {
                let other = cluster.index_in_node(other);
                let bundle = links
                    .iter()
                    .filter(move |link| link.gpus == [a, other] || link.gpus == [other, b]);
                bundle.map(|link| link.count).sum::<u32>()
            };
            let links = peers(gpu).map(joins).sum::<u32>();
            // A ring passes a GPU over two links, one way and the other at once.
            let used = if gpus.len() > 2 && links > 1 {
                links / 2 * 2
            } else {
                links
            };
            rate.scale(f64::from(used))
        }
        ScaleUpSpec::FullMesh { rate, .. } => rate.scale(peers(gpu).count() as f64),
        ScaleUpSpec::Pcie => None,
    };
    let rates: Option<Vec<_>> = gpus.iter().map(|&gpu| direct(gpu)).collect();
    let least = rates.and_then(|rates| rates.into_iter().reduce(BytesPerSec::min));
    // Over `PCIe` there is one ring, and siblings meet it in the host.
    least.unwrap_or_else(|| {
        let ring = |members: &[GpuId]| -> Vec<Hop> {
            let next = members.iter().cycle().skip(1);
            let hop = |(&from, &to)| Hop {
                from,
                to,
                share: 1.0,
            };
            members.iter().zip(next).map(hop).collect()
        };
        let mut loads = Loads::new(cluster);
        let own = ring(gpus);
        let domain = cluster.domain_of(gpus[0]);
        let same = siblings
            .iter()
            .flat_map(|sibling| &sibling.members)
            .filter(|members| cluster.domain_of(members[0]) == domain);
        for hop in same.flat_map(|members| ring(members)).chain(own.clone()) {
            loads.add(hop.from, hop.to, hop.share);
        }
        BytesPerSec::new(loads.rate(&own)).unwrap_or_else(|| cluster.scale_up_rate(gpus[0]))
    })
}
