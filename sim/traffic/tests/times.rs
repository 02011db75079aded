//! Collectives on the flow engine take what closed forms say, and not less than any could.

#[expect(dead_code, reason = "other tests try all layouts")]
mod layouts;

use cluster::{Cluster, ClusterNetwork, LinkKind, Topology, example};
use collective::textbook::{self, Link};
use layouts::{Purpose, dgx_gpus, dgx_h100s, dgx_nodes, hosts, purpose};
use network::Share;
use network::packet::{Balancing, Config, Transport};
use traffic::{
    Keep, Kind, Options, Outcome, Program, Ranks, Wishes, choose, collective, collective_over, run,
    run_folded, run_packets,
};
use units::{Bytes, BytesPerSec, Control, HostId, LinkId, Seconds};

/// 32 hosts under four leaves at 100 Gbit/s, 1 µs a link, never blocking.
fn leaf_spine() -> ClusterNetwork {
    ClusterNetwork::new(Cluster::build(&example::hosts(4, 8, 8, 100.0)).expect("valid"))
}

/// Four nodes of eight GPUs on rails.
fn rails() -> (ClusterNetwork, Ranks) {
    (dgx_h100s(4), dgx_gpus(4))
}

fn outcome(network: &ClusterNetwork, program: &Program) -> Outcome {
    run(
        network,
        program,
        Share::EQUAL,
        Keep::Totals,
        &Control::new(),
    )
    .expect("runs")
}

fn secs(network: &ClusterNetwork, program: &Program) -> f64 {
    outcome(network, program).makespan.as_seconds().as_secs()
}

/// A hop between leaves.
fn hop() -> Link {
    Link {
        latency: Seconds::from_micros(4.0),
        rate: BytesPerSec::from_gbits(100.0).expect("positive"),
    }
}

fn host_program(kind: Kind, size: u64) -> Program {
    collective(kind, &hosts(32), Bytes::new(size))
}

#[test]
fn large_collectives_take_what_closed_forms_say() {
    let network = leaf_spine();
    let size = 256 << 20;
    let bytes = Bytes::new(size);
    let form = |kind| match kind {
        Kind::Ring | Kind::RingChannels => textbook::ring_all_reduce(32, bytes, hop()),
        Kind::HalvingDoubling => textbook::halving_doubling_all_reduce(32, bytes, hop()),
        Kind::AllGather | Kind::ReduceScatter => textbook::ring_reduce_scatter(32, bytes, hop()),
        Kind::AllToAll | Kind::AllToAllRail => {
            textbook::pairwise_all_to_all(32, Bytes::new(32 * size), hop())
        }
        _ => textbook::recursive_all_gather(32, bytes, hop()),
    };
    for (kind, tolerance) in [
        (Kind::Ring, 1e-3),
        (Kind::RingChannels, 0.01),
        (Kind::HalvingDoubling, 1e-3),
        (Kind::AllGather, 0.01),
        (Kind::ReduceScatter, 0.01),
        (Kind::AllGatherDoubling, 1e-3),
        (Kind::ReduceScatterHalving, 1e-3),
        (Kind::AllGatherPat, 1e-3),
        (Kind::ReduceScatterPat, 1e-3),
        (Kind::AllToAll, 1e-3),
        (Kind::AllToAllRail, 1e-3),
    ] {
        let took = secs(&network, &host_program(kind, size));
        let off = took / form(kind).as_secs() - 1.0;
        assert!(off.abs() < tolerance, "{}: {off}", kind.name());
    }
}

/// A hop that takes no latency: in a pipeline only the first chunk waits for it.
fn steady() -> Link {
    Link {
        latency: Seconds::ZERO,
        ..hop()
    }
}

#[test]
fn large_pipelines_take_what_closed_forms_say() {
    let network = leaf_spine();
    let bytes = Bytes::new(256 << 20);
    let off = |kind, form: Seconds| {
        let took = secs(&network, &host_program(kind, bytes.as_u64()));
        took / form.as_secs() - 1.0
    };
    let chunks = |kind| host_program(kind, bytes.as_u64()).streams()[0].steps;
    for kind in [Kind::Broadcast, Kind::Reduce] {
        let form = textbook::chain_broadcast(32, bytes, chunks(kind), steady());
        let off = off(kind, form + hop().latency * 31.0);
        assert!(off.abs() < 0.01, "{}: {off}", kind.name());
    }
    let form = textbook::double_tree_all_reduce(32, bytes, chunks(Kind::DoubleTree), steady());
    let off_tree = off(Kind::DoubleTree, form + hop().latency * 10.0);
    assert!(off_tree.abs() < 0.01, "double_tree: {off_tree}");
    // Once up and once down.
    let off_switch = off(Kind::CollNet, bytes / hop().rate);
    assert!((0.0..0.01).contains(&off_switch), "collnet: {off_switch}");
}

/// Bytes of a host's link that no collective of that purpose can do without.
fn least_bytes(kind: Kind, n: f64, size: f64) -> f64 {
    match purpose(kind) {
        _ if kind == Kind::CollNet => size,
        Purpose::AllReduce => 2.0 * (n - 1.0) / n * size,
        Purpose::AllGather | Purpose::ReduceScatter | Purpose::Gather | Purpose::Scatter => {
            (n - 1.0) / n * size
        }
        Purpose::AllToAll => (n - 1.0) * size,
        Purpose::Broadcast | Purpose::Reduce | Purpose::Shift => size,
    }
}

#[test]
fn nothing_beats_the_bandwidth_of_a_host() {
    let network = leaf_spine();
    for kind in Kind::ALL {
        for size in [1 << 10, 1 << 18, 1 << 24] {
            let took = secs(&network, &host_program(kind, size));
            let least = least_bytes(kind, 32.0, size as f64) / 12.5e9;
            assert!(least < took, "{}: {took} s for {size} bytes", kind.name());
        }
    }
}

#[test]
fn trees_are_faster_than_rings_for_small_sizes_at_many_nodes() {
    let network =
        ClusterNetwork::new(Cluster::build(&example::hosts(16, 8, 8, 100.0)).expect("valid"));
    let took = |kind, size| secs(&network, &collective(kind, &hosts(128), Bytes::new(size)));
    for size in [1 << 10, 1 << 16] {
        assert!(5.0 * took(Kind::DoubleTree, size) < took(Kind::RingChannels, size));
    }
    let large = 512 << 20;
    assert!(took(Kind::Ring, large) < took(Kind::DoubleTree, large));
}

#[test]
fn sums_in_switches_halve_the_time_of_a_ring() {
    let network = leaf_spine();
    let took = |kind| secs(&network, &host_program(kind, 256 << 20));
    let ratio = took(Kind::Ring) / took(Kind::CollNet);
    assert!((1.8..2.0).contains(&ratio), "{ratio}");
    let one_node = Cluster::build(&example::dgx_h100s(1)).expect("valid");
    let network = ClusterNetwork::new(one_node);
    let gpus: Vec<HostId> = (1..9).map(HostId::new).collect();
    let ranks = Ranks::of_cluster(&network, &gpus);
    let options = Options::new(profile::Protocol::Simple, 24);
    let took = |kind| {
        let program = collective_over(kind, &ranks, Bytes::new(1 << 30), &options);
        secs(&network, &program)
    };
    // A ring passes on 2 · 7/8, a rank gives the switch 9/8.
    let ratio = took(Kind::RingChannels) / took(Kind::Nvls);
    assert!((ratio - 14.0 / 9.0).abs() < 0.05, "{ratio}");
}

#[test]
fn collectives_over_nodes_with_eight_nics_take_what_eight_nics_take() {
    let network = dgx_h100s(4);
    let bytes = Bytes::new(1 << 30);
    // Eight NICs of 50 GB/s.
    let least = |kind| match purpose(kind) {
        Purpose::AllReduce => 1.5 * bytes.as_f64() / 400e9,
        Purpose::AllGather | Purpose::ReduceScatter => 0.75 * bytes.as_f64() / 400e9,
        _ => bytes.as_f64() / 400e9,
    };
    for kind in [
        Kind::AllReduce,
        Kind::AllGather,
        Kind::ReduceScatter,
        Kind::Broadcast,
        Kind::Reduce,
        Kind::Ring,
        Kind::Permutation,
        Kind::SendRecv,
    ] {
        let choice = choose(kind, &dgx_nodes(4), bytes, &Wishes::default());
        let program = collective_over(choice.kind, &dgx_nodes(4), bytes, &choice.options);
        let ratio = secs(&network, &program) / least(kind);
        assert!((1.0..1.1).contains(&ratio), "{}: {ratio}", kind.name());
    }
}

#[test]
fn collectives_over_gpus_take_what_the_nics_of_a_node_take() {
    let (network, ranks) = rails();
    let bytes = Bytes::new(1 << 30);
    for (kind, share) in [
        (Kind::AllReduce, 2.0),
        (Kind::AllGather, 31.0 / 32.0),
        (Kind::ReduceScatter, 31.0 / 32.0),
        (Kind::Broadcast, 1.0),
        (Kind::Reduce, 1.0),
        (Kind::Ring, 31.0 / 16.0),
        (Kind::RingChannels, 31.0 / 16.0),
        (Kind::DoubleTree, 2.0),
    ] {
        let choice = choose(kind, &ranks, bytes, &Wishes::default());
        let program = collective_over(choice.kind, &ranks, bytes, &choice.options);
        let ratio = secs(&network, &program) / (share * bytes.as_f64() / 400e9);
        assert!((0.95..1.1).contains(&ratio), "{}: {ratio}", kind.name());
    }
}

#[test]
fn what_the_switch_of_a_domain_hands_out_takes_what_a_rank_receives() {
    let network = dgx_h100s(1);
    let ranks = dgx_gpus(1);
    let bytes = Bytes::new(1 << 30);
    for kind in [Kind::AllGatherNvls, Kind::ReduceScatterNvls] {
        let program = collective_over(kind, &ranks, bytes, &Options::default());
        let ratio = secs(&network, &program) / (7.0 / 8.0 * bytes.as_f64() / 450e9);
        assert!((1.0..1.02).contains(&ratio), "{}: {ratio}", kind.name());
    }
}

/// The links of a stream by kind.
fn kinds(network: &ClusterNetwork, from: HostId, to: HostId) -> Vec<LinkKind> {
    let mut links = Vec::new();
    network.way(from, to, network.static_way(from, to), &mut links);
    let kind = |link: &LinkId| network.cluster().link(*link).kind;
    links.iter().map(kind).collect()
}

#[test]
fn a_rail_aligned_all_to_all_stays_in_one_leaf_for_each_rail() {
    let (network, ranks) = rails();
    let program = collective_over(
        Kind::AllToAllRail,
        &ranks,
        Bytes::new(1 << 16),
        &Options::default(),
    );
    let place: std::collections::BTreeMap<u32, (u32, u32)> = (0..ranks.n())
        .map(|rank| (ranks.host(rank).get(), ranks.place(rank)))
        .collect();
    let mut n_between = 0;
    for stream in program.streams() {
        let [from, to] = [stream.src, stream.dst].map(|host| place[&host.get()]);
        let kinds = kinds(&network, stream.src, stream.dst);
        if from.0 == to.0 {
            assert!(kinds.iter().all(|kind| *kind == LinkKind::ScaleUp));
            continue;
        }
        n_between += 1;
        assert_eq!(from.1, to.1, "from rail to rail");
        assert_eq!(stream.bytes, Bytes::new(8 << 16), "of all of a node");
        let in_leaf = kinds.iter().filter(|kind| **kind == LinkKind::Nic).count();
        assert_eq!(in_leaf, 2);
        let is_own = |kind: &LinkKind| matches!(kind, LinkKind::Nic | LinkKind::Host);
        assert!(kinds.iter().all(is_own), "{kinds:?}");
    }
    assert_eq!(n_between, 4 * 3 * 8);
}

#[test]
fn a_node_sends_as_fast_as_its_nics_in_every_all_to_all() {
    let (network, ranks) = rails();
    let size = 16 << 20;
    let least = 24.0 * size as f64 / 50e9;
    for (kind, most) in [
        (Kind::AllToAll, 1.01),
        (Kind::AllToAllRail, 1.08),
        (Kind::AllToAllHierarchical, 1.15),
    ] {
        let options = Options::default();
        let program = collective_over(kind, &ranks, Bytes::new(size), &options);
        let ratio = secs(&network, &program) / least;
        assert!((1.0..most).contains(&ratio), "{}: {ratio}", kind.name());
    }
}

#[test]
fn folding_changes_no_time_of_any_kind() {
    let (rails, ranks) = rails();
    let flat = leaf_spine();
    let options = Options::new(profile::Protocol::Simple, 8);
    let bytes = Bytes::new(3 << 20);
    let mut n_folded = 0;
    for kind in Kind::ALL {
        let cases = [
            (&flat, collective(kind, &hosts(32), bytes)),
            (&rails, collective_over(kind, &ranks, bytes, &options)),
        ];
        for (network, program) in cases {
            let whole = outcome(network, &program);
            let control = Control::new();
            let folded = run_folded(network, &program, Share::EQUAL, Keep::Totals, &control);
            let folded = folded.expect("runs");
            let [a, b] = [&whole, &folded].map(|outcome| outcome.makespan.as_picos());
            assert!(a.abs_diff(b) <= 1_000, "{}: {a} and {b} ps", kind.name());
            n_folded += usize::from(folded.classes.is_some());
        }
    }
    assert!(20 < n_folded, "{n_folded} were folded");
}

#[test]
fn every_kind_ends_on_the_packet_engine_and_hardly_before_the_flow_engine_says() {
    let spec = example::hosts(2, 4, 4, 100.0);
    let network = ClusterNetwork::new(Cluster::build(&spec).expect("valid"));
    for kind in Kind::ALL {
        let program = collective(kind, &hosts(8), Bytes::new(256 << 10));
        let flows = outcome(&network, &program).makespan.as_picos() as f64;
        let config = Config::new(Transport::Uec, Balancing::Spray);
        let control = Control::new();
        let packets = run_packets(&network, &program, config, Keep::Totals, &control);
        let packets = packets.expect("runs").makespan.as_picos() as f64;
        let ratio = packets / flows;
        // Packets of chunks that go together drift apart: what is ahead is passed on earlier.
        assert!((0.95..3.0).contains(&ratio), "{}: {ratio}", kind.name());
    }
}

#[test]
fn on_an_idle_fabric_pipelines_take_in_packets_what_they_take_in_flows() {
    let (rails, ranks) = rails();
    let flat = leaf_spine();
    let alone = Ranks::of_cluster(&flat, &hosts(32));
    for (network, ranks, kind) in [
        (&flat, &alone, Kind::Broadcast),
        (&flat, &alone, Kind::Reduce),
        (&flat, &alone, Kind::RingChannels),
        (&flat, &alone, Kind::DoubleTree),
        (&rails, &ranks, Kind::AllReduce),
        (&rails, &ranks, Kind::DoubleTree),
        (&rails, &ranks, Kind::AllGather),
        (&rails, &ranks, Kind::Broadcast),
    ] {
        let bytes = Bytes::new(16 << 20);
        let choice = choose(kind, ranks, bytes, &Wishes::default());
        let program = collective_over(choice.kind, ranks, bytes, &choice.options);
        let config = Config::new(Transport::Ideal, Balancing::SinglePath);
        let control = Control::new();
        let packets = run_packets(network, &program, config, Keep::Totals, &control);
        let packets = packets.expect("runs").makespan.as_seconds().as_secs();
        let ratio = packets / secs(network, &program);
        // Headers are 1.6 %, packets are stored and forwarded at each of a chain's hops, and those of
        // several channels drift apart.
        assert!(
            (0.92..1.08).contains(&ratio),
            "{} of {}: {ratio}",
            kind.name(),
            ranks.n()
        );
    }
}
