//! Finish times are those of `SimGrid`.

use network::Share;

use crate::fabric::finish_times;
use crate::platforms::all;

/// `SimGrid`'s weights without a limit by window.
const CM02: Share = Share {
    gamma: None,
    ..Share::CM02
};

/// The largest relative difference of a finish time over all platforms, from that column.
fn worst(share: Share, column: usize) -> f64 {
    let mut worst: f64 = 0.0;
    for case in all() {
        let platform = case.platform().platform;
        let found = finish_times(&platform, &case.file("flows.csv"), share);
        let expected = case.file("finish.csv");
        let mut compared = 0;
        for (line, found) in expected.lines().skip(1).zip(&found) {
            let expected = line.split(',').nth(column).expect("a column");
            let expected: f64 = expected.parse().expect("seconds");
            let error = (found - expected).abs() / expected.max(1e-9);
            assert!(error < 1e-4, "{}: flow {line} ends at {found}", case.name);
            worst = worst.max(error);
            compared += 1;
        }
        assert_eq!(compared, found.len(), "{}", case.name);
        println!("{}: {compared} flows, worst so far {worst:.1e}", case.name);
    }
    worst
}

#[test]
fn finish_times_with_equal_shares_are_those_of_simgrid() {
    assert!(worst(Share::EQUAL, 2) < 1e-4);
}

#[test]
fn finish_times_with_shares_by_latency_are_those_of_simgrid() {
    assert!(worst(CM02, 1) < 1e-4);
}
