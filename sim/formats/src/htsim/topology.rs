//! Leaf-spine and three-level fabrics as a fat tree of htsim.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cluster::{Cluster, ClusterSpec, Device, FabricKind};
use units::Seconds;

use super::HtsimError;

/// A level of switches.
struct Tier {
    /// Of one link below.
    gbps: u64,
    down: usize,
    /// None at the top.
    up: Option<usize>,
}

/// The fabric of a cluster of hosts with one NIC each.
///
/// Cables between the same two switches are one link of their summed rate.
///
/// # Errors
///
/// A cluster that cannot be built, and what htsim cannot say.
pub fn write_topology(spec: &ClusterSpec) -> Result<String, HtsimError> {
    let fabric = |what: &str| HtsimError::Fabric(what.to_owned());
    let kind = spec.fabric.kind;
    if !matches!(
        kind,
        FabricKind::Single | FabricKind::LeafSpine | FabricKind::FatTree
    ) {
        return Err(HtsimError::Fabric(format!("is {}", kind.name())));
    }
    let cluster = Cluster::build(spec).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        HtsimError::Fabric(format!("cannot be built ({})", errors.join("; ")))
    })?;
    if spec.fabric.planes != 1 {
        return Err(fabric("has several planes"));
    }
    let counted = Counted::new(&cluster)?;
    let tiers = counted.tiers()?;
    let (link, switch) = (
        whole_nanos("the latency of a cable", spec.fabric.link_latency)?,
        whole_nanos("the latency of a switch", spec.fabric.switch_latency)?,
    );
    let nodes = counted.nodes;
    let pod = match tiers.as_slice() {
        [leaf, spine, _] => leaf.down * spine.down,
        _ => nodes,
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "Nodes {nodes}\nTiers {}\nPodsize {pod}", tiers.len());
    for (at, tier) in tiers.iter().enumerate() {
        let _ = writeln!(
            text,
            "\nTier {at}\nDownlink_speed_Gbps {}\nRadix_Down {}",
            tier.gbps, tier.down
        );
        if let (Some(up), Some(above)) = (tier.up, tiers.get(at + 1)) {
            let _ = writeln!(text, "Radix_Up {up}");
            let over = oversubscription(tier, up, above)?;
            if over != 1 {
                let _ = writeln!(text, "Oversubscribed {over}");
            }
        }
        let _ = writeln!(
            text,
            "Downlink_Latency_ns {link}\nSwitch_Latency_ns {switch}"
        );
    }
    Ok(text)
}

/// What is below a switch over what is above it, which htsim derives its uplinks from.
fn oversubscription(tier: &Tier, up: usize, above: &Tier) -> Result<u64, HtsimError> {
    let below = tier.gbps * tier.down as u64;
    let above = above.gbps * up as u64;
    if above == 0 || !below.is_multiple_of(above) {
        return Err(HtsimError::NotWhole {
            what: "the oversubscription of a level",
            value: below as f64 / above as f64,
        });
    }
    Ok(below / above)
}

/// What hangs on each switch, and the rates of links, by level.
struct Counted {
    nodes: usize,
    /// Links below and above each switch.
    switches: [BTreeMap<Device, [usize; 2]>; 3],
    gbps: [BTreeSet<u64>; 3],
}

impl Counted {
    fn new(cluster: &Cluster) -> Result<Self, HtsimError> {
        let mut counted = Self {
            nodes: cluster.n_nodes(),
            switches: [const { BTreeMap::new() }; 3],
            gbps: [const { BTreeSet::new() }; 3],
        };
        for (id, link) in (0..).zip(cluster.links()) {
            let (from, to) = cluster.ends(units::LinkId::new(id));
            let level = match (from, to) {
                (Device::Nic { .. }, Device::Leaf(_)) => 0,
                (Device::Leaf(_), Device::Spine(_)) => 1,
                (Device::Spine(_), Device::Core(_)) => 2,
                _ => continue,
            };
            counted.switches[level].entry(to).or_default()[0] += 1;
            if let Some(below) = level.checked_sub(1) {
                counted.switches[below].entry(from).or_default()[1] += 1;
            }
            let gbps = whole("the rate of a link in Gbit/s", link.rate.as_gbits())?;
            counted.gbps[level].insert(gbps);
        }
        Ok(counted)
    }

    fn tiers(&self) -> Result<Vec<Tier>, HtsimError> {
        let fabric = |what: &str| HtsimError::Fabric(what.to_owned());
        let nics: usize = self.switches[0].values().map(|[below, _]| below).sum();
        if nics != self.nodes {
            return Err(fabric("has nodes with several NICs or none"));
        }
        let mut tiers = Vec::new();
        for (switches, rates) in self.switches.iter().zip(&self.gbps) {
            let Some(&[down, above]) = switches.values().next() else {
                break;
            };
            if switches.values().any(|links| *links != [down, above]) {
                return Err(fabric("has a switch with fewer links than others"));
            }
            let gbps = rates.first().copied().filter(|_| rates.len() == 1);
            tiers.push(Tier {
                gbps: gbps.ok_or_else(|| fabric("has a level with links of several rates"))?,
                down,
                up: (above != 0).then_some(above),
            });
        }
        if let [leaf] = tiers.as_mut_slice() {
            // htsim reads two levels or three: nothing passes the second.
            let (gbps, down) = (leaf.gbps, leaf.down);
            leaf.up = Some(down);
            let up = None;
            tiers.push(Tier { gbps, down: 1, up });
        }
        Ok(tiers)
    }
}

fn whole_nanos(what: &'static str, latency: Seconds) -> Result<u64, HtsimError> {
    whole(what, latency.as_secs() * 1e9)
}

/// A number that is whole but for the noise of a division.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and what is not near a whole number was refused"
)]
fn whole(what: &'static str, value: f64) -> Result<u64, HtsimError> {
    let nearest = value.round();
    if 1e-6 * nearest.abs().max(1.0) < (value - nearest).abs() || !(0.0..1e12).contains(&value) {
        return Err(HtsimError::NotWhole { what, value });
    }
    Ok(nearest as u64)
}
