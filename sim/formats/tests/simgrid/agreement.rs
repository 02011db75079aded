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

/// Two flows over a fat pipe that each fills; the first has twice the latency of the second.
const FAT_PIPE: &str = r#"<platform version="4.1"><zone id="z" routing="Full">
  <host id="a" speed="1Gf"/><host id="b" speed="1Gf"/><host id="c" speed="1Gf"/><host id="d" speed="1Gf"/>
  <link id="f" bandwidth="1GBps" latency="1us" sharing_policy="FATPIPE"/>
  <link id="x" bandwidth="10GBps" latency="3us"/><link id="y" bandwidth="10GBps" latency="1us"/>
  <route src="a" dst="b"><link_ctn id="x"/><link_ctn id="f"/></route>
  <route src="c" dst="d"><link_ctn id="y"/><link_ctn id="f"/></route>
</zone></platform>"#;

#[test]
fn a_fat_pipe_bounds_each_flow_by_its_level() {
    let platform = formats::simgrid::read(FAT_PIPE).unwrap().platform;
    let flows = "id,src,dst,bytes,start_s,after\n0,a,b,1000000000,0,\n1,c,d,1000000000,0,\n";
    let ends = |share| finish_times(&platform, flows, share);
    let near = |found: Vec<f64>, expected: [f64; 2]| {
        let mut pairs = found.iter().zip(expected);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    };
    // SimGrid 3.32 with equal shares.
    near(ends(Share::EQUAL), [1.000_004, 1.000_002]);
    // With shares by latency a fat pipe that its fastest flow fills stops all flows on it at that
    // level, so that one of half the weight gets half the rate.
    near(ends(CM02), [1.500_003, 1.000_002]);
}
