//! Fits of a made fabric to the logs that nccl-tests would print on it.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

#[path = "fabric/made.rs"]
mod made;

use fit::collectives::{CollectivesError, LogFault, fit_fabric};
use format::{Disk, Library};
use profile::{CollectiveKind, CommProfile};

use made::{Made, log_of};

const KINDS: [CollectiveKind; 4] = [
    CollectiveKind::AllReduce,
    CollectiveKind::AllGather,
    CollectiveKind::AllToAll,
    CollectiveKind::ReduceScatter,
];

/// The profile that a fit wrote, read as predictions read it.
fn read_back(made: &Made, text: &str) -> CommProfile {
    std::fs::write(made.folder().join("own.toml"), text).unwrap();
    let library = Library {
        files: &Disk,
        base: made.folder(),
    };
    let file = library.profile("own.toml", &format::At::default()).unwrap();
    format::fitted_comm().clone().with(file.comm.unwrap())
}

fn within(found: f64, expected: f64, share: f64, what: &str) {
    let error = found / expected - 1.0;
    assert!(error.abs() < share, "{what}: {found}, made with {expected}");
}

#[test]
fn a_fit_recovers_the_constants_that_a_fabric_was_made_with() {
    let made = Made::new("recovers");
    let logs = KINDS.map(|kind| made.write(kind.name(), &log_of(&made, kind, &[1, 2, 4], 0.03)));
    let fitted = fit_fabric(made.cluster(), &logs).unwrap();
    assert_eq!(fitted.network, "mine");
    let comm = read_back(&made, &fitted.file);
    let [own, truth] = [&comm, made.truth()].map(|comm| {
        let at = comm.network_named("mine").unwrap();
        comm.network[at].clone()
    });
    within(own.pairs_efficiency, truth.pairs_efficiency, 0.05, "pairs");
    within(own.pairs_us, truth.pairs_us, 0.15, "pairs_us");
    let [reached, truth] = [own.reached.unwrap(), truth.reached.unwrap()];
    within(reached.hop_us[0], truth.hop_us[0], 0.10, "hop LL");
    within(reached.ring[2], truth.ring[2], 0.05, "ring Simple");
    within(reached.tree[2], truth.tree[2], 0.10, "tree Simple");
    assert_eq!(reached.fit.measured[&CollectiveKind::AllToAll], [2, 4]);
    for scheme in &fitted.errors {
        let ([small, large], limit) = ([scheme.small, scheme.large], 0.08);
        let errors = [small.unwrap().1, large.unwrap().1];
        assert!(errors.iter().all(|error| *error < limit), "{scheme:?}");
    }
    let left_out: Vec<_> = fitted.errors.iter().map(|one| one.left_out).collect();
    assert_eq!(left_out, ["nothing", "collective", "size", "nodes"]);
}

#[test]
fn where_logs_say_nothing_the_shipped_constants_stay() {
    let made = Made::new("thin");
    let kind = CollectiveKind::AllReduce;
    let log = made.write("thin", &log_of(&made, kind, &[2], 0.0));
    let fitted = fit_fabric(made.cluster(), &[log]).unwrap();
    let comm = read_back(&made, &fitted.file);
    let at = comm.network_named("mine").unwrap();
    let own = &comm.network[at];
    let shipped = format::fitted_comm();
    let like = &shipped.network[usize::from(shipped.network_of(None, "any"))];
    // Nothing was measured all to all, nor inside a domain.
    within(own.pairs_us, like.pairs_us, 1e-3, "pairs_us");
    assert_eq!(comm.scale_up, shipped.scale_up);
    let by_nodes = fitted.errors.iter().find(|one| one.left_out == "nodes");
    assert_eq!(by_nodes.unwrap().large, None);
}

#[test]
fn a_rate_that_the_inside_of_domains_hides_at_first_is_found() {
    let made = Made::new("hidden");
    let kind = CollectiveKind::AllReduce;
    let log = made.write("hidden", &log_of(&made, kind, &[2], 0.0));
    let fitted = fit_fabric(made.cluster(), &[log]).unwrap();
    let comm = read_back(&made, &fitted.file);
    let tree = |comm: &CommProfile| {
        let at = comm.network_named("mine").unwrap();
        comm.network[at].reached.as_ref().unwrap().tree[2]
    };
    within(tree(&comm), tree(made.truth()), 0.03, "tree Simple");
}

#[test]
fn a_fit_gives_the_same_bytes_twice() {
    let made = Made::new("twice");
    let log = log_of(&made, CollectiveKind::AllGather, &[2, 4], 0.05);
    let logs = [made.write("twice", &log)];
    let [a, b] = [0, 1].map(|_| fit_fabric(made.cluster(), &logs).unwrap());
    assert_eq!(a, b);
}

/// What is found in a log after a change of its text.
fn fault(name: &str, change: impl Fn(String) -> String) -> (u64, LogFault) {
    let made = Made::new(name);
    let log = change(log_of(&made, CollectiveKind::AllReduce, &[2], 0.0));
    let path = made.write(name, &log);
    match fit_fabric(made.cluster(), &[path]).unwrap_err() {
        CollectivesError::Spoiled { line, fault, .. } => (line, fault),
        other => panic!("{other}"),
    }
}

/// A log without its last lines.
fn without_end(log: &str, lines: usize) -> String {
    let kept = log.lines().count() - lines;
    let lines: Vec<&str> = log.lines().take(kept).collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_log_that_was_cut_is_refused() {
    let cut = fault("cut", |log| {
        let log = without_end(&log, 2);
        log[..log.len() - 60].to_owned()
    });
    assert!(matches!(cut.1, LogFault::Cut), "{cut:?}");
    let unfinished = fault("unfinished", |log| without_end(&log, 2));
    assert!(
        matches!(unfinished.1, LogFault::Unfinished),
        "{unfinished:?}"
    );
    assert_eq!(
        unfinished.1.to_string(),
        "the table ends before `# Avg bus bandwidth`: its run was cut short"
    );
}

/// A line whose time is told in ms.
fn in_millis(line: &str) -> String {
    let mut cells: Vec<String> = line.split(' ').map(str::to_owned).collect();
    if line.contains("float") {
        let time = cells.iter().position(|cell| cell == "-1").unwrap() + 1;
        let at = time
            + cells[time..]
                .iter()
                .position(|cell| !cell.is_empty())
                .unwrap();
        cells[at] = format!("{}", cells[at].parse::<f64>().unwrap() / 1e3);
    }
    cells.join(" ") + "\n"
}

#[test]
fn wrong_results_and_other_units_are_refused_with_their_line() {
    let (line, wrong) = fault("wrong", |log| {
        let at = log.rfind("       0\n").unwrap();
        format!("{}       3\n{}", &log[..at], &log[at + 9..])
    });
    assert_eq!(wrong, LogFault::Wrong { count: 3.0 });
    assert!(10 < line);
    // Times in ms, which nccl-tests never prints.
    let (_, units) = fault("units", |log| log.lines().map(in_millis).collect());
    assert!(matches!(units, LogFault::Units { .. }), "{units:?}");
}

#[test]
fn other_numbers_of_nodes_and_gpus_than_the_clusters_are_refused() {
    let made = Made::new("nodes");
    let kind = CollectiveKind::AllReduce;
    let log = made.write("nodes", &log_of(&made, kind, &[16], 0.0));
    let error = fit_fabric(made.cluster(), &[log]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("ran on 16 nodes, but the cluster has 8"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("cluster file"));
    let (_, gpu) = fault("gpu", |log| log.replace("H100 80GB", "A100 80GB"));
    let (found, expected) = ("NVIDIA A100 80GB HBM3".to_owned(), "h100-sxm".to_owned());
    assert_eq!(gpu, LogFault::Gpu { found, expected });
}

#[test]
fn logs_of_single_nodes_fit_no_network() {
    let made = Made::new("single");
    let log = made.write(
        "single",
        &log_of(&made, CollectiveKind::AllReduce, &[1], 0.0),
    );
    let error = fit_fabric(made.cluster(), &[log]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no log has rows of collectives between nodes")
    );
}
