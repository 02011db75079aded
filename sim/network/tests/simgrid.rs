//! Agreement with `SimGrid` 3.32 (`network/model:CM02`, no cross traffic) on a leaf-spine fabric of
//! 100 Gbit/s and 1 µs a link, to the last digit that it printed.

mod fabric;

use fabric::LeafSpine;
use network::Share;
use units::SimTime;

const HOSTS_64: LeafSpine = LeafSpine {
    per_leaf: 16,
    leaves: 4,
    spines: 16,
};

const HOSTS_256: LeafSpine = LeafSpine {
    leaves: 16,
    ..HOSTS_64
};

const HOSTS_1024: LeafSpine = LeafSpine {
    per_leaf: 32,
    leaves: 32,
    spines: 32,
};

fn assert_micros(time: SimTime, printed: f64) {
    let micros = time.as_seconds().as_micros();
    assert!(
        (micros - printed).abs() <= 0.000_501,
        "{micros} is not {printed}"
    );
}

#[test]
fn a_permutation_takes_as_long_as_in_simgrid() {
    assert_micros(fabric::permutation(HOSTS_64, 4 << 20), 339.544);
}

#[test]
fn a_ring_takes_as_long_as_in_simgrid() {
    assert_micros(fabric::ring(HOSTS_64, 64 << 20), 11_073.646);
    assert_micros(fabric::ring(HOSTS_1024, 16 << 20), 10_865.733);
}

#[test]
fn an_all_to_all_takes_as_long_as_in_simgrid() {
    assert_micros(fabric::all_to_all(HOSTS_64, 64 << 10), 332.301);
    assert_micros(fabric::all_to_all(HOSTS_256, 64 << 10), 1_338.934);
}

#[test]
fn random_traffic_takes_as_long_as_in_simgrid() {
    let (end, mean) = fabric::random(HOSTS_64, 20_000, Share::CM02);
    assert_micros(end, 91_635.997);
    assert!((mean * 1e6 - 741.318).abs() < 0.001, "mean {}", mean * 1e6);
}
