//! Flows of a file over a platform, by the flow engine.

use cluster::Topology;
use cluster::zones::Platform;
use formats::flows_csv;
use network::Share;
use traffic::{Keep, Program, run, run_folded};
use units::Control;

/// When each flow ends, in seconds.
pub(crate) fn finish_times(platform: &Platform, csv: &str, share: Share) -> Vec<f64> {
    let list = flows_csv::read(csv.as_bytes(), |name| platform.host_named(name));
    let program = Program::from(&list.expect("a list of flows").flows);
    let control = Control::new();
    let alone = run(platform, &program, share, Keep::Messages, &control).expect("in range");
    let folded = run_folded(platform, &program, share, Keep::Messages, &control).expect("in range");
    assert_eq!(alone.times, folded.times, "folding changes nothing");
    let ends = alone.times.iter();
    ends.map(|times| times.finish.as_seconds().as_secs())
        .collect()
}
