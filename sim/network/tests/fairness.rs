//! Rates are max-min fair, whatever happened before.

#[expect(dead_code, reason = "other tests run the workloads")]
mod fabric;

use fabric::{LeafSpine, Pairs};
use network::{Flow, Network, NetworkError, Path, PathId, Share, Transfer, fold};
use proptest::prelude::*;
use units::{Bytes, BytesPerSec, LinkId, Seconds, SimTime};

/// Links of a path with their loads, its cap and its number of transfers.
type Lane = (Vec<(u32, f64)>, Option<f64>, u32);

/// Links with rates, and paths over them.
#[derive(Clone, Debug)]
struct Case {
    rates: Vec<f64>,
    paths: Vec<Lane>,
}

/// Small networks with many equal rates and loads, so that ties are common.
fn cases() -> impl Strategy<Value = Case> {
    (1_u32..8).prop_flat_map(|links| {
        let rates =
            proptest::collection::vec(prop_oneof![Just(1.0), Just(2.0), 0.1..4.0], links as usize);
        let crossing = (
            0..links,
            prop_oneof![3 => Just(1.0), 1 => Just(2.0), 1 => 0.2..3.0],
        );
        let cap = proptest::option::weighted(0.3, prop_oneof![Just(0.5), 0.05..2.0]);
        let path = (proptest::collection::vec(crossing, 1..5), cap, 0_u32..4);
        let paths = proptest::collection::vec(path, 1..12);
        (rates, paths).prop_map(|(rates, paths)| Case { rates, paths })
    })
}

/// Loads by link, crossings of one link merged.
fn merged(links: &[(u32, f64)], n_links: usize) -> Vec<f64> {
    let mut loads = vec![0.0; n_links];
    for &(link, load) in links {
        loads[link as usize] += load;
    }
    loads
}

/// Max-min fair rates by water filling, by hand: raise all rates together, and freeze what meets
/// a full link or its cap.
fn water_filling(case: &Case) -> Vec<f64> {
    let loads: Vec<_> = case
        .paths
        .iter()
        .map(|path| merged(&path.0, case.rates.len()))
        .collect();
    let mut rates = vec![0.0; case.paths.len()];
    let mut open: Vec<usize> = (0..rates.len())
        .filter(|&path| case.paths[path].2 > 0)
        .collect();
    while !open.is_empty() {
        let left = |link: usize| {
            let used: f64 = (0..rates.len())
                .map(|path| loads[path][link] * f64::from(case.paths[path].2) * rates[path])
                .sum();
            case.rates[link] - used
        };
        let weight = |link: usize| -> f64 {
            open.iter()
                .map(|&path| loads[path][link] * f64::from(case.paths[path].2))
                .sum()
        };
        let rise = |link: usize| left(link) / weight(link);
        let links = (0..case.rates.len()).filter(|&link| weight(link) > 0.0);
        let by_links = links.map(rise).fold(f64::INFINITY, f64::min);
        let by_caps = open
            .iter()
            .filter_map(|&path| Some(case.paths[path].1? - rates[path]));
        let step = by_caps.fold(by_links, f64::min);
        let full: Vec<usize> = (0..case.rates.len())
            .filter(|&link| weight(link) > 0.0 && rise(link) <= step + 1e-12)
            .collect();
        for &path in &open {
            rates[path] += step;
        }
        open.retain(|&path| {
            let capped = case.paths[path]
                .1
                .is_some_and(|cap| cap <= rates[path] + 1e-12);
            !capped && full.iter().all(|&link| loads[path][link] == 0.0)
        });
    }
    rates
}

fn build(case: &Case) -> (Flow, Vec<PathId>) {
    let rates: Vec<_> = case
        .rates
        .iter()
        .map(|&rate| BytesPerSec::new(rate * 1e9).expect("valid"))
        .collect();
    let mut flow = Flow::new(&rates, Share::EQUAL);
    let paths = case.paths.iter().map(|(links, cap, _)| {
        let cap = cap.and_then(|cap| BytesPerSec::new(cap * 1e9));
        flow.add_path(&Path {
            links: links.clone(),
            cap,
        })
        .expect("valid")
    });
    let paths = paths.collect();
    (flow, paths)
}

fn send(flow: &mut Flow, now: SimTime, path: PathId, bytes: u64) {
    let transfer = Transfer {
        path,
        bytes: Bytes::new(bytes),
        latency: Seconds::ZERO,
    };
    flow.submit(now, transfer).expect("valid");
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-12
}

proptest! {
    #[test]
    fn rates_are_those_of_water_filling(case in cases()) {
        let (mut flow, paths) = build(&case);
        for (path, (_, _, count)) in paths.iter().zip(&case.paths) {
            (0..*count).for_each(|_| send(&mut flow, SimTime::ZERO, *path, 1 << 40));
        }
        flow.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
        for (path, expected) in paths.iter().zip(water_filling(&case)) {
            prop_assert!(close(flow.rate(*path) / 1e9, expected), "{} is not {expected}", flow.rate(*path) / 1e9);
        }
    }

    #[test]
    fn no_link_is_overfull_and_every_flow_has_a_bottleneck(case in cases()) {
        let (mut flow, paths) = build(&case);
        for (path, (_, _, count)) in paths.iter().zip(&case.paths) {
            (0..*count).for_each(|_| send(&mut flow, SimTime::ZERO, *path, 1 << 40));
        }
        flow.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
        let rates: Vec<f64> = paths.iter().map(|path| flow.rate(*path) / 1e9).collect();
        let loads: Vec<_> = case.paths.iter().map(|path| merged(&path.0, case.rates.len())).collect();
        let used = |link: usize| -> f64 {
            (0..rates.len()).map(|p| loads[p][link] * f64::from(case.paths[p].2) * rates[p]).sum()
        };
        for link in 0..case.rates.len() {
            prop_assert!(used(link) <= case.rates[link] * (1.0 + 1e-9));
        }
        for (p, (_, cap, count)) in case.paths.iter().enumerate() {
            let at_cap = cap.is_some_and(|cap| close(cap, rates[p]));
            let full = (0..case.rates.len()).any(|link| {
                let greatest = (0..rates.len())
                    .filter(|&other| loads[other][link] > 0.0)
                    .map(|other| rates[other])
                    .fold(0.0, f64::max);
                loads[p][link] > 0.0 && close(used(link), case.rates[link]) && greatest <= rates[p] * (1.0 + 1e-9)
            });
            prop_assert!(*count == 0 || at_cap || full, "path {p} could be faster");
        }
    }

    #[test]
    fn what_changed_is_solved_as_if_all_had_been(
        case in cases(),
        events in proptest::collection::vec((0_u64..60, 0_usize..12, 1_u64..40, 0_u32..6), 1..60),
    ) {
        let (mut flow, paths) = build(&case);
        let mut clock = 0;
        let mut finished = Vec::new();
        for (wait, path, megabytes, kind) in events {
            clock += wait * 1_000_000_000;
            let now = SimTime::from_picos(clock);
            flow.advance(now, &mut finished).unwrap();
            if kind == 0 {
                let link = u32::try_from(path % case.rates.len()).unwrap();
                let rate = BytesPerSec::from_gbytes(0.25 * megabytes as f64).unwrap();
                flow.set_rate(now, link, rate).unwrap();
            } else {
                send(&mut flow, now, paths[path % paths.len()], megabytes * 1_000_000);
            }
            flow.advance(now, &mut finished).unwrap();
            for (path, afresh) in paths.iter().zip(flow.solve_afresh()) {
                prop_assert!(close(flow.rate(*path), afresh), "{} is not {afresh}", flow.rate(*path));
            }
        }
    }

    #[test]
    fn every_byte_is_carried_once(case in cases(), megabytes in 1_u64..100) {
        let (mut flow, paths) = build(&case);
        let mut n_transfers = 0;
        for (path, (_, _, count)) in paths.iter().zip(&case.paths) {
            (0..*count).for_each(|i| send(&mut flow, SimTime::ZERO, *path, (megabytes + u64::from(i)) << 20));
            n_transfers += *count as usize;
        }
        let mut finished = Vec::new();
        let mut carried = vec![0.0; paths.len()];
        while let Some(next) = flow.next_event() {
            let rates: Vec<f64> = paths.iter().map(|path| flow.rate(*path)).collect();
            let counts: Vec<f64> = (0..paths.len()).map(|p| present(&case, p, &carried, megabytes)).collect();
            let span = next.since(flow.now()).as_secs();
            for p in 0..paths.len() {
                carried[p] += rates[p] * counts[p] * span;
            }
            flow.advance(next, &mut finished).unwrap();
        }
        prop_assert_eq!(finished.len(), n_transfers);
        for (p, (_, _, count)) in case.paths.iter().enumerate() {
            let sent: u64 = (0..u64::from(*count)).map(|i| (megabytes + i) << 20).sum();
            prop_assert!((carried[p] - sent as f64).abs() < 1.0, "{} of {sent}", carried[p]);
        }
    }

    #[test]
    fn the_folded_network_has_the_rates_of_the_whole(
        rates in proptest::collection::vec(prop_oneof![4 => Just(1.0), 1 => Just(0.5)], 2..24),
        seeds in proptest::collection::vec((0_u32..2, 0_u32..24, 1_u32..5, 1_u32..4), 1..30),
        copies in 1_u32..4,
    ) {
        // Families of flows that turn round the links, so that there is something to fold.
        let n_links = u32::try_from(rates.len()).unwrap();
        let family = |(color, first, step, hops): (u32, u32, u32, u32)| {
            (0..copies * n_links).map(move |turn| {
                let links = (0..hops).map(|hop| LinkId::new((first + turn + hop * step) % n_links));
                (color, links.collect::<Vec<_>>())
            })
        };
        let flows: Vec<_> = seeds.into_iter().flat_map(family).collect();
        assert_folding_changes_nothing(&flows, &rates);
    }
}

/// Transfers of a path that are not finished after so many bytes of all of them: the `i`-th has
/// `megabytes + i` MiB and all move at one rate.
fn present(case: &Case, path: usize, carried: &[f64], megabytes: u64) -> f64 {
    let count = case.paths[path].2;
    let mut gone = 0.0;
    for ended in 0..count {
        let step = if ended == 0 { megabytes << 20 } else { 1 << 20 };
        gone += step as f64 * f64::from(count - ended);
        if carried[path] < gone - 1.0 {
            return f64::from(count - ended);
        }
    }
    0.0
}

fn rates_of(rates: &[BytesPerSec], paths: impl Iterator<Item = Path>) -> Vec<f64> {
    let mut flow = Flow::new(rates, Share::EQUAL);
    let ids: Vec<_> = paths
        .map(|path| flow.add_path(&path).expect("valid"))
        .collect();
    for id in &ids {
        send(&mut flow, SimTime::ZERO, *id, 1 << 40);
    }
    flow.advance(SimTime::ZERO, &mut Vec::new()).expect("valid");
    ids.iter().map(|id| flow.rate(*id)).collect()
}

fn assert_folding_changes_nothing(flows: &[(u32, Vec<LinkId>)], rates: &[f64]) -> usize {
    let rates: Vec<_> = rates
        .iter()
        .map(|&rate| BytesPerSec::from_gbytes(rate).expect("valid"))
        .collect();
    let folded = fold(flows, &rates);
    let whole = rates_of(
        &rates,
        flows
            .iter()
            .map(|(_, links)| Path::over(links.iter().map(|link| link.get()))),
    );
    let classes = rates_of(
        &folded.link_rates,
        folded.classes.iter().map(|class| class.path(None)),
    );
    for (flow, class) in folded.class_of.iter().enumerate() {
        let (a, b) = (whole[flow], classes[*class as usize]);
        assert!(close(a, b), "flow {flow} of class {class}: {a} is not {b}");
    }
    folded.classes.len()
}

#[test]
fn an_all_to_all_on_a_leaf_spine_fabric_folds_to_two_classes() {
    let fabric = LeafSpine {
        per_leaf: 16,
        leaves: 4,
        spines: 16,
    };
    let mut flows = Vec::new();
    for from in 0..fabric.hosts() {
        for to in (0..fabric.hosts()).filter(|&to| to != from) {
            flows.push((
                0,
                fabric
                    .route(from, to)
                    .into_iter()
                    .map(LinkId::new)
                    .collect(),
            ));
        }
    }
    let mut rates = vec![12.5; fabric.links() as usize];
    assert_eq!(assert_folding_changes_nothing(&flows, &rates), 2);
    // A slow link up from one host: its own flows, those towards its leaf, and so on.
    rates[0] = 5.0;
    let classes = assert_folding_changes_nothing(&flows, &rates);
    assert!((5..40).contains(&classes), "{classes} classes");
}

#[test]
fn a_ring_on_idle_links_needs_no_solve_of_more_than_one_flow() {
    let fabric = LeafSpine {
        per_leaf: 4,
        leaves: 4,
        spines: 4,
    };
    let mut net = fabric.network(Share::EQUAL);
    let mut pairs = Pairs::new(fabric);
    for host in 0..16 {
        let transfer = pairs.transfer(&mut net, host, (host + 1) % 16, 1 << 20);
        net.submit(SimTime::ZERO, transfer).unwrap();
    }
    fabric::drain(&mut net);
    // The flows within a leaf begin at one instant, those between leaves at another.
    assert_eq!(net.solves(), 2);
}

#[test]
fn a_slowed_link_leaves_room_on_the_others() {
    let gbytes = |rate| BytesPerSec::from_gbytes(rate).expect("positive");
    let mut net = Flow::new(&[gbytes(1.0), gbytes(1.0)], Share::EQUAL);
    let capped = Path {
        cap: Some(gbytes(0.75)),
        ..Path::over([0])
    };
    let capped = net.add_path(&capped).unwrap();
    let both = net.add_path(&Path::over([0, 1])).unwrap();
    send(&mut net, SimTime::ZERO, capped, 1 << 30);
    send(&mut net, SimTime::ZERO, both, 1 << 30);
    net.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
    assert!(close(net.rate(capped), 0.5e9) && close(net.rate(both), 0.5e9));
    net.set_rate(SimTime::ZERO, 1, gbytes(0.1)).unwrap();
    net.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
    assert!(close(net.rate(capped), 0.75e9) && close(net.rate(both), 0.1e9));
}

#[test]
fn a_transfer_without_bytes_takes_its_latency_only() {
    let rate = BytesPerSec::from_gbytes(1.0).unwrap();
    let mut net = Flow::new(&[rate], Share::EQUAL);
    let path = net.add_path(&Path::over([0])).unwrap();
    let nowhere = net.add_path(&Path::default()).unwrap();
    let transfer = |path, bytes| Transfer {
        path,
        bytes: Bytes::new(bytes),
        latency: Seconds::from_micros(3.0),
    };
    let empty = net.submit(SimTime::ZERO, transfer(path, 0)).unwrap();
    let at_home = net
        .submit(SimTime::ZERO, transfer(nowhere, 1 << 30))
        .unwrap();
    let mut finished = Vec::new();
    net.advance(SimTime::from_picos(3_000_000), &mut finished)
        .unwrap();
    assert_eq!(finished, [empty, at_home]);
    assert_eq!(net.next_event(), None);
}

#[test]
fn transfers_that_end_together_are_listed_as_submitted() {
    let rate = BytesPerSec::from_gbytes(1.0).unwrap();
    let mut net = Flow::new(&[rate, rate], Share::EQUAL);
    let paths = [1, 0].map(|link| net.add_path(&Path::over([link])).unwrap());
    let mut submitted = Vec::new();
    for i in 0..6_usize {
        let transfer = Transfer {
            path: paths[i % 2],
            bytes: Bytes::new(1000),
            latency: Seconds::ZERO,
        };
        submitted.push(net.submit(SimTime::ZERO, transfer).unwrap());
    }
    let mut finished = Vec::new();
    net.advance(SimTime::from_picos(3_000_000), &mut finished)
        .unwrap();
    assert_eq!(finished, submitted);
}

#[test]
fn a_longer_way_gets_less_under_weights_by_round_trip_time() {
    let rate = BytesPerSec::from_gbytes(4.0).unwrap();
    let latency = Seconds::from_micros(1.0);
    let mut net = Flow::with_latencies(&[rate; 3], &[latency; 3], Share::CM02);
    let short = net.add_path(&Path::over([0])).unwrap();
    let long = net.add_path(&Path::over([0, 1, 2])).unwrap();
    for path in [short, long] {
        send(&mut net, SimTime::ZERO, path, 1 << 30);
    }
    net.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
    assert!(close(net.rate(short), 3e9) && close(net.rate(long), 1e9));
}

#[test]
fn bad_calls_are_refused() {
    let rate = BytesPerSec::from_gbytes(1.0).unwrap();
    let mut net = Flow::new(&[rate], Share::EQUAL);
    let unknown = net.add_path(&Path::over([1])).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "link 1 does not exist: the network has 1 links"
    );
    let bad = Path {
        links: vec![(0, f64::NAN)],
        cap: None,
    };
    assert!(matches!(
        net.add_path(&bad),
        Err(NetworkError::BadLoad { .. })
    ));
    let path = net.add_path(&Path::over([0])).unwrap();
    let transfer = Transfer {
        path,
        bytes: Bytes::new(u64::MAX),
        latency: Seconds::ZERO,
    };
    let late = Transfer {
        latency: Seconds::from_secs(1e9),
        ..transfer
    };
    assert!(matches!(
        net.submit(SimTime::ZERO, late),
        Err(NetworkError::Overflow(_))
    ));
    // An end beyond the clock is one only when everything else is over.
    net.submit(SimTime::ZERO, transfer).unwrap();
    net.advance(SimTime::from_picos(5), &mut Vec::new())
        .unwrap();
    let end = net.next_event().unwrap();
    assert!(matches!(
        net.advance(end, &mut Vec::new()),
        Err(NetworkError::Overflow(_))
    ));
    let mut net = Flow::new(&[rate], Share::EQUAL);
    net.advance(SimTime::from_picos(5), &mut Vec::new())
        .unwrap();
    let past = net.set_rate(SimTime::from_picos(4), 0, rate).unwrap_err();
    assert_eq!(
        past.to_string(),
        "time 4 ps lies before the network's clock, 5 ps"
    );
    assert!(matches!(
        net.submit(SimTime::from_picos(9), Transfer { path, ..transfer }),
        Err(NetworkError::UnknownPath { path: 0, paths: 0 })
    ));
}

#[test]
fn a_small_share_delays_a_transfer_only_as_long_as_it_is_small() {
    let rate = BytesPerSec::from_gbytes(1.0).unwrap();
    let mut net = Flow::new(&[rate], Share::EQUAL);
    let path = Path::over([0]);
    // At its share of the beginning the first would take a thousand years.
    let weights = [3e-11, 1.0];
    for weight in weights {
        let path = net.add_path_weighing(&path, weight).unwrap();
        let transfer = Transfer {
            path,
            bytes: Bytes::new(1_000_000_000),
            latency: Seconds::ZERO,
        };
        net.submit(SimTime::ZERO, transfer).unwrap();
    }
    let mut ends = Vec::new();
    while let Some(at) = net.next_event() {
        let mut finished = Vec::new();
        net.advance(at, &mut finished).unwrap();
        let at = at.as_seconds().as_secs();
        ends.extend(finished.into_iter().map(|id| (id.get(), at)));
    }
    let [(1, second), (0, first)] = ends[..] else {
        panic!("{ends:?}")
    };
    assert!((second - 1.0).abs() < 1e-9, "{second}");
    assert!((first - 2.0).abs() < 1e-9, "{first}");
}

/// Rates of two transfers over a fat pipe of 1 GB/s, the second of which has twice the penalty.
fn rates_on_a_fat_pipe(penalty: f64) -> [f64; 2] {
    let rate = BytesPerSec::from_gbytes(1.0).expect("positive");
    let mut net = Flow::new(&[rate], Share::EQUAL);
    net.make_fat(0).expect("link 0");
    let paths = [penalty, 2.0 * penalty].map(|penalty| {
        let path = net.add_path_of_penalty(&Path::over([0]), penalty);
        let path = path.expect("a path");
        let transfer = Transfer {
            path,
            bytes: Bytes::new(1 << 30),
            latency: Seconds::ZERO,
        };
        net.submit(SimTime::ZERO, transfer).expect("in range");
        path
    });
    net.advance(SimTime::ZERO, &mut Vec::new())
        .expect("in range");
    paths.map(|path| net.rate(path))
}

#[test]
fn rounding_decides_whether_a_fat_pipe_stops_its_slower_path() {
    // What SimGrid 3.32 does with 100us: times 10⁹ that is less than 10⁹ / (1 / 100us) in floating
    // point, so that the first path stops by itself; with 1ms, 1us and 2us both are equal.
    let both = rates_on_a_fat_pipe(100.0 * 1e-6);
    assert!(both.iter().all(|rate| (rate - 1e9).abs() < 1.0), "{both:?}");
    for penalty in [1e-3, 1e-6, 2.0 * 1e-6] {
        let [first, second] = rates_on_a_fat_pipe(penalty);
        assert!((first - 1e9).abs() < 1.0, "{first}");
        assert!((second - 5e8).abs() < 1.0, "{second}");
    }
}

#[test]
fn several_transfers_of_one_path_meet_their_limit_on_a_fat_pipe_together() {
    let rate = BytesPerSec::from_gbytes(0.471).unwrap();
    let mut net = Flow::new(&[rate], Share::EQUAL);
    net.make_fat(0).unwrap();
    let [heavy, light] = [18.546e-6, 35.94e-6]
        .map(|penalty| net.add_path_of_penalty(&Path::over([0]), penalty).unwrap());
    for path in [heavy, heavy, heavy, heavy, heavy, light] {
        let transfer = Transfer {
            path,
            bytes: Bytes::new(1 << 30),
            latency: Seconds::ZERO,
        };
        net.submit(SimTime::ZERO, transfer).unwrap();
        net.advance(SimTime::ZERO, &mut Vec::new()).unwrap();
    }
    let ratio = net.rate(heavy) / net.rate(light);
    assert!((ratio - 35.94 / 18.546).abs() < 1e-9, "{ratio}");
}
