//! `[comm]` of a profile: the constants of collectives.

mod reached;
mod tuning;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use profile::{
    CollectiveKind, CommProfile, LatencyTable, NetworkComm, ProfileError, Provenance, ScaleUpComm,
    ScaleUpKind,
};

use crate::curves::read_profile;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    Number, OneOf, Shape, array, boolean, list, number, one_of, table, text, whole,
};
use crate::zoo::Shelf;

const BY_PROTOCOL: &str = "in µs: LL, LL128, Simple";

/// Name of the profile of the zoo with fitted constants of collectives.
const FITTED: &str = "collectives";

/// NCCL's constants, with what the zoo has fitted in front.
///
/// # Panics
///
/// If the profile of the zoo cannot be read, which a test rules out.
pub fn fitted() -> &'static CommProfile {
    static FITTED_COMM: OnceLock<CommProfile> = OnceLock::new();
    FITTED_COMM.get_or_init(|| {
        let source = Shelf::Profiles.open(FITTED);
        let source = source.expect("the zoo has this profile");
        let file = read_profile(&source).expect("a test reads every profile of the zoo");
        let nominal = CommProfile::nccl();
        file.comm.map_or(nominal.clone(), |over| nominal.with(over))
    })
}

pub(crate) fn comm(t: &mut Fields<'_, '_>) -> CommProfile {
    CommProfile {
        tuning: t
            .get(
                "tuning",
                "what does not depend on hardware",
                table(tuning::tuning),
            )
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

/// What entries of both kinds have.
struct Entry {
    name: String,
    efficiency: f64,
    pairs_efficiency: f64,
    hop_us: LatencyTable,
    factors: BTreeMap<CollectiveKind, f64>,
    overhead_us: f64,
    ramp_us: f64,
    provenance: Provenance,
    source: String,
}

/// * `name` — what the name is, with an example.
/// * `efficiency` — what reaches that share of the rate.
fn entry(t: &mut Fields<'_, '_>, name: &'static str, efficiency: &'static str) -> Entry {
    Entry {
        name: t.get("name", name, text()).required(),
        efficiency: t.get("efficiency", efficiency, share()).required(),
        pairs_efficiency: t.get("pairs_efficiency", PAIRS, share()).required(),
        hop_us: t.get("hop_us", HOP, table(latencies)).required(),
        factors: t.get("factors", FACTORS, table(factors)).or_default(),
        overhead_us: t.get("overhead_us", OVERHEAD, any()).or(0.0),
        ramp_us: t.get("ramp_us", RAMP, any()).or(0.0),
        provenance: t.get("provenance", WORTH, provenances()).required(),
        source: t.get("source", "where they are from", text()).required(),
    }
}

const PAIRS: &str = "share of the rate that an all-to-all of large parts reaches";
const HOP: &str = "latency of one hop, in µs, by algorithm";
const FACTORS: &str = "bandwidth of single kinds of collective over that of the model";
const OVERHEAD: &str = "time of every collective beside the model, in µs";
const RAMP: &str = "how slowly bandwidth is reached: a part of t takes t + sqrt(ramp t), in µs";
const WORTH: &str = "what the figures are worth";

fn scale_up(t: &mut Fields<'_, '_>) -> ScaleUpComm {
    let Entry {
        name,
        efficiency,
        pairs_efficiency,
        hop_us,
        factors,
        overhead_us,
        ramp_us,
        provenance,
        source,
    } = entry(
        t,
        "its name, such as nvlink-hopper",
        "share of the rate that large rings reach",
    );
    let kinds = vec![
        ("nvswitch", ScaleUpKind::NvSwitch),
        ("mesh", ScaleUpKind::Mesh),
        ("pcie", ScaleUpKind::Pcie),
    ];
    ScaleUpComm {
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
        send_efficiency: t
            .get(
                "send_efficiency",
                "share of the rate that one send and receive reaches",
                share(),
            )
            .required(),
        ll_cap: t.get("ll_cap", LL_CAP, three()).required(),
        ll128_ring_cap: t.get("ll128_ring_cap", LL128_RING_CAP, three()).required(),
        ll128_tree_cap: t.get("ll128_tree_cap", LL128_TREE_CAP, three()).required(),
        tree_cap: t.get("tree_cap", TREE_CAP, three()).required(),
        ll128: t
            .get("ll128", "whether NCCL's protocol LL128 is safe", boolean())
            .required(),
        nvls: t
            .get(
                "nvls",
                "reduction in the switches (NVLS) over the ring's speed",
                any(),
            )
            .optional(),
        channels: t
            .get("channels", "parallel rings inside one domain", whole(1))
            .required(),
        reached: t.get("reached", REACHED, table(reached::inside)).optional(),
        name,
        efficiency,
        pairs_efficiency,
        hop_us,
        factors,
        overhead_us,
        ramp_us,
        provenance,
        source,
    }
}

const REACHED: &str = "what collectives take where tables were fitted; the rest then only chooses";
const LL_CAP: &str = "most of LL over all channels, in 10⁹ bytes/s: one node, two, more";
const LL128_RING_CAP: &str =
    "most of LL128 in a ring, per channel, in 10⁹ bytes/s: one node, two, more";
const LL128_TREE_CAP: &str =
    "most of LL128 in a tree, per channel, in 10⁹ bytes/s: one node, two, more";
const TREE_CAP: &str = "most of a tree, per channel, in 10⁹ bytes/s: one node, two, more";

fn network(t: &mut Fields<'_, '_>) -> NetworkComm {
    let Entry {
        name,
        efficiency,
        pairs_efficiency,
        hop_us,
        factors,
        overhead_us,
        ramp_us,
        provenance,
        source,
    } = entry(
        t,
        "its name, such as infiniband",
        "share of the NIC's rate that large messages reach",
    );
    NetworkComm {
        fabrics: t
            .get(
                "fabrics",
                "parts of the names of its fabrics, default all",
                list(text()),
            )
            .or_default(),
        nic_us: t
            .get("nic_us", "latency of a NIC and its software, in µs", any())
            .or(0.0),
        simple_only: t
            .get(
                "simple_only",
                "whether only the protocol Simple is safe, default false",
                boolean(),
            )
            .or(false),
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
        reached: t
            .get("reached", REACHED, table(reached::between))
            .optional(),
        name,
        efficiency,
        pairs_efficiency,
        hop_us,
        factors,
        overhead_us,
        ramp_us,
        provenance,
        source,
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
