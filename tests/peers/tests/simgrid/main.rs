//! The flow engine beside `SimGrid` 3.32 as it is installed: when every flow ends.
//!
//! Asked for with `WINDTUNNEL_PEERS=1`; needs `g++` and `libsimgrid-dev`. Platforms and flows are
//! those that `formats` keeps beside `SimGrid`'s answers, and random ones of every kind.

mod driver;
mod platforms;

use std::fs;
use std::path::Path;

use cluster::Topology;
use formats::{flows_csv, simgrid};
use network::Share;
use traffic::{Keep, Program};
use units::{Control, HostId};

use crate::driver::{Driver, Mode};
use crate::platforms::{Draw, Kind};

/// The largest difference of an end, as a part of it.
const TOLERANCE: f64 = 1e-4;

/// Platforms of every kind.
const SEEDS: u64 = 6;

/// Flows over each.
const FLOWS: usize = 200;

/// A platform with flows, as texts.
struct Case {
    name: String,
    platform: String,
    flows: String,
}

#[test]
fn flows_of_stored_cases_end_as_in_simgrid() {
    compare("stored", &stored());
}

#[test]
fn flows_of_random_cases_end_as_in_simgrid() {
    compare("random", &random());
}

/// Runs cases in both modes, unless nobody asked for it or there is no `SimGrid`.
fn compare(name: &str, cases: &[Case]) {
    if std::env::var("WINDTUNNEL_PEERS").as_deref() != Ok("1") {
        println!("{name}: nothing was compared, since WINDTUNNEL_PEERS is not 1");
        return;
    }
    let driver = match Driver::new(name) {
        Ok(driver) => driver,
        Err(why) => {
            println!("{name}: skipped, no SimGrid to build with: {why}");
            return;
        }
    };
    for mode in [Mode::Equal, Mode::Cm02] {
        let errors = cases.iter().map(|case| worst(&driver, case, mode));
        let worst = errors.fold(0.0, f64::max);
        let flows: usize = cases
            .iter()
            .map(|case| case.flows.lines().count() - 1)
            .sum();
        println!(
            "{name}, {mode:?}: {} platforms, {flows} flows, ends differ by {worst:.1e} at most",
            cases.len()
        );
    }
}

/// The largest difference between our ends and those of `SimGrid`.
fn worst(driver: &Driver, case: &Case, mode: Mode) -> f64 {
    let ours = ends(case, mode);
    let theirs = driver.ends(&case.platform, &case.flows, mode);
    assert_eq!(ours.len(), theirs.len(), "{}", case.name);
    let mut worst: f64 = 0.0;
    for (flow, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        // An end is rounded up to the picosecond.
        let error = ((ours - theirs).abs() - 1e-12).max(0.0) / theirs.max(1e-9);
        let name = &case.name;
        assert!(
            error <= TOLERANCE,
            "{name}, {mode:?}: flow {flow} ends at {ours} s, in SimGrid at {theirs} s"
        );
        worst = worst.max(error);
    }
    worst
}

/// When each flow ends by our engine, in seconds.
fn ends(case: &Case, mode: Mode) -> Vec<f64> {
    let platform = simgrid::read(&case.platform).expect(&case.name).platform;
    let host = |name: &str| platform.host_named(name);
    let list = flows_csv::read(case.flows.as_bytes(), host).expect(&case.name);
    let share = match mode {
        Mode::Equal => Share::EQUAL,
        Mode::Cm02 => Share {
            gamma: None,
            ..Share::CM02
        },
    };
    let program = Program::from(&list.flows);
    let control = Control::new();
    let outcome = traffic::run(&platform, &program, share, Keep::Messages, &control);
    let times = outcome.expect(&case.name).times;
    times
        .iter()
        .map(|times| times.finish.as_seconds().as_secs())
        .collect()
}

/// The cases that `formats` keeps.
fn stored() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim/formats/tests/data/simgrid");
    let entries = fs::read_dir(&folder).expect("the folder of platforms");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<Case> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| Case {
            name: path.file_stem().unwrap_or_default().display().to_string(),
            platform: fs::read_to_string(&path).expect("a platform"),
            flows: fs::read_to_string(path.with_extension("flows.csv")).expect("its flows"),
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Random platforms of every kind with random flows.
fn random() -> Vec<Case> {
    let drawn = (0..SEEDS).flat_map(|seed| {
        let case = move |(place, kind): (u64, Kind)| {
            let mut draw = Draw::new(seed << 8 | place);
            let platform = draw.platform(kind);
            let name = format!("{kind:?} {seed}");
            let hosts = hosts(&platform, &name);
            let flows = draw.flows(&hosts, FLOWS);
            Case {
                name,
                platform,
                flows,
            }
        };
        (0..).zip(Kind::ALL).map(case)
    });
    drawn.collect()
}

fn hosts(platform: &str, name: &str) -> Vec<String> {
    let platform = simgrid::read(platform).expect(name).platform;
    let hosts = (0..platform.n_hosts()).map(HostId::new);
    hosts.map(|host| platform.host_name(host)).collect()
}

#[test]
fn every_random_case_runs_to_its_end_here() {
    for case in random() {
        let ends = ends(&case, Mode::Equal);
        assert_eq!(ends.len(), FLOWS, "{}", case.name);
        assert!(ends.iter().any(|end| 0.0 < *end), "{}", case.name);
    }
}

#[test]
fn stored_cases_are_found() {
    assert!(15 <= stored().len());
}
