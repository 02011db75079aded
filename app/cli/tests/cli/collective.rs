//! `windtunnel collective` as it is printed.
//!
//! After a change of the constants, `SNAPSHOTS=overwrite cargo test -p cli` writes the new texts.

use serde_json::Value;
use snapbox::{Data, assert_data_eq};

use crate::command::here;
use crate::run::windtunnel;

/// Runs the command and compares all that it prints.
fn assert_prints(name: &str, args: &str, status: i32) {
    let args: Vec<&str> = ["collective"].into_iter().chain(args.split(' ')).collect();
    let run = windtunnel(here(), &args);
    assert_eq!(run.status, status, "{}", run.text());
    let expected = Data::read_from(&here().join(format!("tests/collective/{name}.txt")), None);
    assert_data_eq!(run.text(), expected.raw());
}

#[test]
fn tables_look_like_those_of_nccl_tests() {
    assert_prints(
        "all-reduce",
        "all_reduce --cluster dgx-h100 --nodes 16 --bytes 8:8G -f 8",
        0,
    );
    assert_prints(
        "alltoall",
        "alltoall --cluster p4de --nodes 1 --gpus-per-node 4 -b 64K:192K -i 64K -d half",
        0,
    );
    assert_prints(
        "gather",
        "gather --cluster mi300x --nodes 2 --bytes 1M:16M --step-factor 4 --quiet",
        0,
    );
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    assert_prints(
        "names",
        "allreduce --cluster dgx-h10 --datatype flot --algo rings",
        2,
    );
    assert_prints("sizes", "all_reduce --cluster dgx-h100 --bytes 8G:1M", 2);
    assert_prints(
        "choice",
        "all_gather --cluster dgx-h100 --algo tree --bytes 1M",
        2,
    );
    assert_prints(
        "gpus",
        "all_reduce --cluster dgx-h100 --gpus-per-node 9 --bytes 1M",
        2,
    );
}

#[test]
fn json_has_the_figures_of_the_table_in_base_units() {
    let args = "collective all_gather --cluster dgx-b200 --nodes 1 --bytes 1G --json";
    let run = windtunnel(here(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let row = &document["rows"][0];
    let number = |key: &str| row[key].as_f64().unwrap();
    assert!((number("bytes") - 1_073_741_824.0).abs() < 0.5);
    assert!((number("algbw_bytes_per_s") * number("time_s") / number("bytes") - 1.0).abs() < 1e-9);
    let factor = number("busbw_bytes_per_s") / number("algbw_bytes_per_s");
    assert!((factor - 0.875).abs() < 1e-9);
    assert!(number("time_p10_s") < number("time_p90_s"));
    assert_eq!(document["provenance"], "interpolated");
}

#[test]
fn columns_are_those_of_nccl_tests_and_ours_stand_behind_them() {
    let args = "collective all_reduce --cluster p5 --nodes 2 -b 1K -e 64M -q";
    let run = windtunnel(here(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(run.status, 0, "{}", run.text());
    let rows = run.stdout.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<Vec<&str>> = rows
        .map(|line| line.split_whitespace().collect())
        .filter(|columns: &Vec<&str>| !columns.is_empty())
        .collect();
    assert_eq!(rows.len(), 17);
    for row in rows {
        assert_eq!(row.len(), 16, "{row:?}");
        assert_eq!([row[2], row[3], row[4]], ["float", "sum", "-1"]);
        assert_eq!(row[5..9], row[9..13], "out of place and in place");
        assert_eq!(row[8], "N/A");
        let numbers = [row[0], row[1], row[5], row[6], row[7]];
        assert!(numbers.iter().all(|cell| cell.parse::<f64>().is_ok()));
    }
}

#[test]
fn an_interval_has_its_time_in_it_and_time_never_falls_with_the_size() {
    for cluster in [
        "p5",
        "p4d",
        "p5en",
        "p6-b200",
        "a4-highgpu-8g",
        "a3-highgpu-8g",
        "dgx-h100",
    ] {
        for kind in ["all_reduce", "all_gather", "reduce_scatter"] {
            let args = format!("collective {kind} --cluster {cluster} --nodes 2 -b 1K:4G --json");
            let run = windtunnel(here(), &args.split(' ').collect::<Vec<_>>());
            let document: Value = serde_json::from_str(&run.stdout).unwrap();
            let mut before = 0.0;
            for row in document["rows"].as_array().unwrap() {
                let [low, time, high] =
                    ["time_p10_s", "time_s", "time_p90_s"].map(|key| row[key].as_f64().unwrap());
                assert!(low < time && time < high, "{cluster}, {kind}: {row}");
                assert!(before <= time, "{cluster}, {kind}: {row} after {before} s");
                before = time;
            }
        }
    }
}

#[test]
fn sizes_given_twice_are_a_usage_error() {
    let args = "collective all_reduce --cluster p5 --bytes 8 --bytes 16";
    let run = windtunnel(here(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("--bytes"), "{}", run.stderr);
    assert!(run.stderr.contains("multiple times"), "{}", run.stderr);
    assert!(!run.stderr.contains("does not have"), "{}", run.stderr);
    let args = "collective all_reduce --cluster p5 -b 8:16 -e 64";
    let run = windtunnel(here(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("-b MIN -e MAX"), "{}", run.stderr);
}
