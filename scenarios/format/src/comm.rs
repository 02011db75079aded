//! `[comm]` of a profile: the constants of collectives.

use std::collections::BTreeMap;

use profile::{
    BufferComm, CollectiveKind, CommProfile, LatencyTable, NetworkComm, ProfileError, Provenance,
    ScaleUpComm, ScaleUpKind, Tuning,
};

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    Number, OneOf, Shape, array, boolean, list, mapped, number, one_of, table, text, whole,
};

const BY_PROTOCOL: &str = "in µs: LL, LL128, Simple";
const BY_NODES: &str = "in 10⁹ bytes per second: one node, two, more";

pub(crate) fn comm(t: &mut Fields<'_, '_>) -> CommProfile {
    CommProfile {
        tuning: t
            .get("tuning", "what does not depend on hardware", table(tuning))
            .or_default(),
        scale_up: t
            .get(
                "scale_up",
                "links between the GPUs of a domain",
                list(table(scale_up)),
            )
            .or_default(),
        network: t
            .get("network", "networks between domains", list(table(network)))
            .or_default(),
    }
}

/// Where in the file an error is, as a path of keys.
pub(crate) fn field(error: &ProfileError, own: &CommProfile) -> String {
    let (section, field) = match error {
        ProfileError::OutOfRange { section, field, .. } => (section, *field),
        ProfileError::Twice { section, .. } => (section, "name"),
        _ => return "comm".to_owned(),
    };
    let twice = usize::from(matches!(error, ProfileError::Twice { .. }));
    let within = |names: &mut dyn Iterator<Item = &String>| {
        let mut same = names.enumerate().filter(|(_, name)| *name == section);
        same.nth(twice).map(|(at, _)| at)
    };
    let scale_up = within(&mut own.scale_up.iter().map(|entry| &entry.name));
    let network = within(&mut own.network.iter().map(|entry| &entry.name));
    match (scale_up, network) {
        (Some(at), _) => format!("comm.scale_up[{at}].{field}"),
        (None, Some(at)) => format!("comm.network[{at}].{field}"),
        (None, None) => format!("{section}.{field}"),
    }
}

const fn any() -> Number {
    number(Limits::at_least(0.0))
}

const fn share() -> Number {
    number(Limits::within(0.0, 1.0))
}

fn three() -> impl Shape<Out = [f64; 3]> {
    array::<3, _>(any())
}

fn provenances() -> OneOf<Provenance> {
    one_of(vec![
        ("measured", Provenance::Measured),
        ("interpolated", Provenance::Interpolated),
        ("extrapolated", Provenance::Extrapolated),
        ("nominal", Provenance::Nominal),
    ])
}

fn latencies(t: &mut Fields<'_, '_>) -> LatencyTable {
    LatencyTable {
        tree: t.get("tree", BY_PROTOCOL, three()).required(),
        ring: t.get("ring", BY_PROTOCOL, three()).required(),
        collnet_direct: t.get("collnet_direct", "in µs", any()).or(0.0),
        collnet_chain: t.get("collnet_chain", "in µs", any()).or(0.0),
        nvls: t.get("nvls", "in µs", any()).or(0.0),
        nvls_tree: t.get("nvls_tree", "in µs", any()).or(0.0),
        pat: t.get("pat", "in µs", any()).or(0.0),
    }
}

/// Bandwidth of single kinds of collective over that of the model.
fn factors(t: &mut Fields<'_, '_>) -> BTreeMap<CollectiveKind, f64> {
    let mut factors = BTreeMap::new();
    for kind in CollectiveKind::ALL {
        let doc = "bandwidth over that of the model: 0.95 is 5 % slower";
        let factor = t.get(kind.name(), doc, number(Limits::POSITIVE)).optional();
        factors.extend(factor.map(|factor| (kind, factor)));
    }
    factors
}

fn scale_up(t: &mut Fields<'_, '_>) -> ScaleUpComm {
    let kinds = vec![
        ("nvswitch", ScaleUpKind::NvSwitch),
        ("mesh", ScaleUpKind::Mesh),
        ("pcie", ScaleUpKind::Pcie),
    ];
    ScaleUpComm {
        name: t
            .get("name", "its name, such as nvlink-hopper", text())
            .required(),
        kinds: t
            .get(
                "kinds",
                "the domains that it holds for",
                list(one_of(kinds)),
            )
            .required(),
        architectures: t
            .get(
                "architectures",
                "the GPUs that it holds for, default all",
                list(text()),
            )
            .or_default(),
        efficiency: t
            .get("efficiency", "what large rings reach of the rate", share())
            .required(),
        send_efficiency: t
            .get(
                "send_efficiency",
                "what one send and receive reaches",
                share(),
            )
            .required(),
        pairs_efficiency: t
            .get("pairs_efficiency", "what an all-to-all reaches", share())
            .required(),
        hop_us: t
            .get("hop_us", "latency of one hop", table(latencies))
            .required(),
        ll_cap: t.get("ll_cap", BY_NODES, three()).required(),
        ll128_ring_cap: t.get("ll128_ring_cap", BY_NODES, three()).required(),
        ll128_tree_cap: t.get("ll128_tree_cap", BY_NODES, three()).required(),
        tree_cap: t.get("tree_cap", BY_NODES, three()).required(),
        ll128: t
            .get("ll128", "whether LL128 is safe", boolean())
            .required(),
        nvls: t
            .get("nvls", "what NVLS reaches of the ring's speed", any())
            .optional(),
        channels: t
            .get("channels", "parallel rings inside one domain", whole(1))
            .required(),
        factors: t.get("factors", FACTORS, table(factors)).or_default(),
        overhead_us: t.get("overhead_us", OVERHEAD, any()).or(0.0),
        ramp_us: t.get("ramp_us", RAMP, any()).or(0.0),
        provenance: t
            .get("provenance", "what the figures are worth", provenances())
            .required(),
        source: t.get("source", "where they are from", text()).required(),
    }
}

const FACTORS: &str = "bandwidth of single kinds of collective over that of the model";
const RAMP: &str = "how slowly bandwidth is reached: a part of t takes t + sqrt(ramp t), in µs";
const OVERHEAD: &str = "time of every collective beside the model, in µs";

fn network(t: &mut Fields<'_, '_>) -> NetworkComm {
    NetworkComm {
        name: t
            .get("name", "its name, such as infiniband", text())
            .required(),
        fabrics: t
            .get(
                "fabrics",
                "parts of the names of its fabrics, default all",
                list(text()),
            )
            .or_default(),
        efficiency: t
            .get("efficiency", "what large messages reach", share())
            .required(),
        pairs_efficiency: t
            .get("pairs_efficiency", "what an all-to-all reaches", share())
            .required(),
        hop_us: t
            .get("hop_us", "latency of one hop", table(latencies))
            .required(),
        nic_us: t
            .get("nic_us", "latency of a NIC and its software, in µs", any())
            .or(0.0),
        pairs_us: t
            .get(
                "pairs_us",
                "what an all-to-all costs at first, in µs",
                any(),
            )
            .required(),
        peer_us: t
            .get("peer_us", "what each distant peer adds to it, in µs", any())
            .required(),
        channels_per_nic: t
            .get("channels_per_nic", "channels per NIC", whole(1))
            .required(),
        factors: t.get("factors", FACTORS, table(factors)).or_default(),
        overhead_us: t.get("overhead_us", OVERHEAD, any()).or(0.0),
        ramp_us: t.get("ramp_us", RAMP, any()).or(0.0),
        provenance: t
            .get("provenance", "what the figures are worth", provenances())
            .required(),
        source: t.get("source", "where they are from", text()).required(),
    }
}

/// `[comm.tuning]`: every field may be left out.
fn tuning(t: &mut Fields<'_, '_>) -> Tuning {
    let own = Tuning::default();
    let lists = || mapped(array::<3, _>(list(any())), |lists| lists);
    Tuning {
        base_us: t
            .get("base_us", "latency before the first hop", table(latencies))
            .or(own.base_us),
        tree_factors: t
            .get(
                "tree_factors",
                "a tree over the model for LL, LL128, Simple, at 64 bytes and each doubling",
                lists(),
            )
            .or(own.tree_factors),
        ring_plateau: t
            .get(
                "ring_plateau",
                "latency of Simple rings between nodes times this",
                any(),
            )
            .or(own.ring_plateau),
        ring_plateau_bytes: t
            .get(
                "ring_plateau_bytes",
                "from so many bytes per channel and rank on",
                any(),
            )
            .or(own.ring_plateau_bytes),
        ring_ll: t
            .get("ring_ll", "share of a line that is data, LL", share())
            .or(own.ring_ll),
        ring_ll128: t
            .get("ring_ll128", "the same, LL128", share())
            .or(own.ring_ll128),
        tree: t
            .get("tree", "a tree over the ring's speed", any())
            .or(own.tree),
        tree_ll: t
            .get("tree_ll", "LL in a tree, on top", any())
            .or(own.tree_ll),
        tree_ll128: t
            .get(
                "tree_ll128",
                "LL128 in a tree: one domain, several",
                array::<2, _>(any()),
            )
            .or(own.tree_ll128),
        nvls: t
            .get("nvls", "all-reduce by NVLS over its speed", any())
            .or(own.nvls),
        pat: t.get("pat", "PAT over the ring's speed", any()).or(own.pat),
        pat_net_divisor: t
            .get(
                "pat_net_divisor",
                "PAT: network latency over this",
                number(Limits::POSITIVE),
            )
            .or(own.pat_net_divisor),
        pat_rank_us: t
            .get("pat_rank_us", "PAT: each rank, in µs", any())
            .or(own.pat_rank_us),
        collnet_rank_us: t
            .get(
                "collnet_rank_us",
                "each further rank of a node, in µs",
                any(),
            )
            .or(own.collnet_rank_us),
        pairs_peer_us: t
            .get(
                "pairs_peer_us",
                "each further peer of a domain in an all-to-all, in µs",
                any(),
            )
            .or(own.pairs_peer_us),
        send_ll_bytes: t
            .get("send_ll_bytes", "sends up to this size use LL", whole(0))
            .or(own.send_ll_bytes),
        buffers: t
            .get(
                "buffers",
                "memory of a connection of a channel",
                table(buffers),
            )
            .or(own.buffers),
    }
}

fn buffers(t: &mut Fields<'_, '_>) -> BufferComm {
    let own = Tuning::default().buffers;
    BufferComm {
        protocols: t
            .get(
                "protocols",
                "bytes: LL, LL128, Simple",
                array::<3, _>(whole::<u64>(0)),
            )
            .or(own.protocols),
        connections: t
            .get(
                "connections",
                "connections with buffers of their own",
                whole(0),
            )
            .or(own.connections),
    }
}

#[cfg(test)]
mod tests {
    use crate::check;

    fn file(network: &str) -> String {
        let latencies = "hop_us = { tree = [5, 8, 14], ring = [3, 4, 14] }";
        let rest = "pairs_us = 60\npeer_us = 0.4\nprovenance = \"measured\"\nsource = \"a test\"";
        let entry =
            format!("[[comm.network]]\nname = \"own\"\nefficiency = 0.9\n{latencies}\n{rest}");
        format!("name = \"x\"\n{entry}\npairs_efficiency = 0.9\nchannels_per_nic = 2\n{network}")
    }

    #[test]
    fn constants_that_no_formula_can_use_are_refused_with_their_line() {
        check::profile(&file("")).unwrap();
        let failures = check::profile(&file("nic_us = 1e9\n")).unwrap_err();
        assert_eq!(failures[0].field, "comm.network[0].nic_us");
        let line = failures[0].place.as_ref().unwrap().to_string();
        assert_eq!(line, "profile.toml:12:10");
        let twice = file("") + &file("").replace("name = \"x\"\n", "");
        let failures = check::profile(&twice).unwrap_err();
        assert_eq!(failures[0].field, "comm.network[1].name");
    }
}
