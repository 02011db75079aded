//! The packet engine beside htsim: `cargo run --release -p network --example htsim_rows [ROWS
//! [SEEDS]]`.
//!
//! Prints, for each workload and setting, the median over ten seeds (or SEEDS) of the last acknowledgement
//! beside htsim's figure (csg-htsim 841d9e7, uet-htsim 40ccb05; one seed), with the time that a
//! run takes. Rows are chosen by a part of their name.

#![expect(clippy::disallowed_methods, reason = "it measures how long runs take")]

use std::time::Instant;

use cluster::{Cluster, ClusterNetwork, example};
use network::packet::{Balancing, Config, Control, Message, Packets, Transport};
use units::{Bytes, HostId, SimTime};

/// A workload and its setting, with what htsim says.
struct Row {
    name: &'static str,
    /// Hosts a leaf, leaves, spines.
    shape: [u32; 3],
    pattern: Pattern,
    bytes: u64,
    config: Config,
    htsim_us: f64,
    within: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pattern {
    Permutation,
    AllToAll,
    Single,
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:<34} {:>10} {:>10} {:>7} {:>7}  {:>9} {:>8} {:>7} {:>9}",
        "row", "htsim us", "ours us", "off %", "may %", "packets", "resent", "s/run", "packets/s"
    );
    let seeds = std::env::args().nth(2).and_then(|seeds| seeds.parse().ok());
    for row in rows().iter().filter(|row| row.name.contains(&only)) {
        report(row, seeds.unwrap_or(10));
    }
}

fn report(row: &Row, seeds: u64) {
    let [hosts, leaves, spines] = row.shape;
    let cluster = Cluster::build(&example::hosts(leaves, hosts, spines, 100.0)).expect("checked");
    let topology = ClusterNetwork::new(cluster);
    let mut times = Vec::new();
    let started = Instant::now();
    let (mut packets, mut resent) = (0, 0);
    for seed in 1..=seeds {
        let config = Config { seed, ..row.config };
        let mut net = Packets::new(&topology, config).expect("a valid configuration");
        for message in messages(row, topology.n_nodes()) {
            net.submit(SimTime::ZERO, message).expect("hosts exist");
        }
        let mut reports = Vec::new();
        net.run(&mut reports).expect("the network is whole");
        let last = reports.iter().map(|report| report.at).max();
        times.push(last.unwrap_or(SimTime::ZERO).as_seconds().as_micros());
        packets += net.totals().sent;
        resent += net.totals().resent;
    }
    let took = started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
    println!(
        "{:<34} {:>10.2} {:>10.2} {:>7.2} {:>7}  {:>9} {:>8} {:>7.3} {:>9.0}   [{:.1} {:.1}]",
        row.name,
        row.htsim_us,
        median,
        100.0 * (median / row.htsim_us - 1.0),
        100.0 * row.within,
        packets / seeds,
        resent / seeds,
        took / seeds as f64,
        packets as f64 / took,
        times[0],
        times[times.len() - 1],
    );
}

fn messages(row: &Row, hosts: u32) -> Vec<Message> {
    let message = |src, dst| Message {
        src: HostId::new(src),
        dst: HostId::new(dst),
        bytes: Bytes::new(row.bytes),
        way: None,
        tag: 0,
    };
    match row.pattern {
        Pattern::Permutation => (0..hosts)
            .map(|src| message(src, (src + hosts / 2) % hosts))
            .collect(),
        Pattern::AllToAll => (1..hosts)
            .flat_map(|step| (0..hosts).map(move |src| (src, (src + step) % hosts)))
            .map(|(src, dst)| message(src, dst))
            .collect(),
        Pattern::Single => vec![message(0, hosts / 2)],
    }
}

/// UEC as htsim runs it: its counts of packets are those of a payload of 4,086 bytes.
fn uec(balancing: Balancing, control: Control) -> Config {
    Config {
        control,
        payload: 4086,
        ..Config::new(Transport::Uec, balancing)
    }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const HOSTS_64: [u32; 3] = [16, 4, 16];
const HOSTS_128: [u32; 3] = [16, 8, 16];

/// Shape, pattern and bytes.
type Load = ([u32; 3], Pattern, u64);

fn row(name: &'static str, load: Load, config: Config, htsim_us: f64, within: f64) -> Row {
    let (shape, pattern, bytes) = load;
    Row {
        name,
        shape,
        pattern,
        bytes,
        config,
        htsim_us,
        within,
    }
}

fn rows() -> Vec<Row> {
    [rows_of_4_mib(), rows_of_all_to_all(), rows_of_64_mib()]
        .into_iter()
        .flatten()
        .collect()
}

fn rows_of_4_mib() -> Vec<Row> {
    use Balancing::{Bitmap, Mixed, Oblivious, Reps};
    use Control::{Receiver, Sender};
    let single = (HOSTS_64, Pattern::Single, 4 * MIB);
    let small = (HOSTS_64, Pattern::Permutation, 4 * MIB);
    let load = (HOSTS_128, Pattern::Permutation, 4 * MIB);
    let [mixed, reps, oblivious] = [Mixed, Reps, Oblivious].map(|policy| uec(policy, Sender));
    let receiver = uec(Oblivious, Receiver);
    let eqds = Config {
        payload: 4032,
        ..Config::new(Transport::Eqds, Bitmap)
    };
    let ndp = Config::new(Transport::Ndp, Oblivious);
    vec![
        row("uec single 64 x 4 MiB", single, mixed, 349.8, 0.001),
        row("uec perm 64 x 4 MiB mixed", small, mixed, 379.371, 0.05),
        row("uec perm 128 x 4 MiB mixed", load, mixed, 380.255, 0.05),
        row("uec perm 128 x 4 MiB reps", load, reps, 387.258, 0.05),
        row(
            "uec perm 128 x 4 MiB oblivious",
            load,
            oblivious,
            449.953,
            0.08,
        ),
        row(
            "uec perm 128 x 4 MiB receiver",
            load,
            receiver,
            393.797,
            0.08,
        ),
        row("eqds perm 128 x 4 MiB", load, eqds, 381.161, 0.05),
        row("ndp perm 128 x 4 MiB", load, ndp, 359.693, 0.05),
    ]
}

fn rows_of_all_to_all() -> Vec<Row> {
    let mixed = uec(Balancing::Mixed, Control::Sender);
    let small = (HOSTS_64, Pattern::AllToAll, 64 * KIB);
    let large = ([16, 16, 16], Pattern::AllToAll, 64 * KIB);
    vec![
        row("uec a2a 64 x 64 KiB mixed", small, mixed, 440.289, 0.05),
        row("uec a2a 256 x 64 KiB mixed", large, mixed, 1779.31, 0.15),
    ]
}

fn rows_of_64_mib() -> Vec<Row> {
    use Balancing::{Bitmap, Mixed, Oblivious, Reps};
    let policies = [Mixed, Reps, Bitmap, Oblivious];
    let [mixed, reps, bitmap, oblivious] = policies.map(|policy| uec(policy, Control::Sender));
    let few = ([8, 8, 8], Pattern::Permutation, 64 * MIB);
    let load = (HOSTS_64, Pattern::Permutation, 64 * MIB);
    let large = ([32, 32, 32], Pattern::Permutation, 16 * MIB);
    vec![
        row(
            "uec perm 64 x 64 MiB 8x8x8 mixed",
            few,
            mixed,
            6069.27,
            0.05,
        ),
        row("uec perm 64 x 64 MiB mixed", load, mixed, 5984.64, 0.05),
        row("uec perm 64 x 64 MiB reps", load, reps, 6106.5, 0.05),
        row("uec perm 64 x 64 MiB bitmap", load, bitmap, 5967.3, 0.05),
        row(
            "uec perm 64 x 64 MiB oblivious",
            load,
            oblivious,
            6956.0,
            0.08,
        ),
        row("uec perm 1024 x 16 MiB mixed", large, mixed, 1527.57, 0.05),
    ]
}
