//! Files of one rank for `HolisticTraceAnalysis`.

use formats::{FormatError, Kineto, Resolution, write_kineto};
use serde_json::Value;
use trace::{Category, Trace};

use crate::chrome::{checked, nanos, phase};
use crate::pipeline::{SMALL, pipeline};

fn written(trace: &Trace, rank: u32, options: &Kineto) -> Vec<u8> {
    let mut text = Vec::new();
    write_kineto(&mut text, trace, rank, options).expect("the trace has that rank");
    text
}

#[test]
fn a_file_names_its_rank_the_way_the_tool_looks_for_it() {
    let text = String::from_utf8(written(&pipeline(SMALL), 3, &Kineto::default())).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("\"rank\": "))
        .expect("with a space");
    assert_eq!(
        line,
        "\"distributedInfo\": {\"backend\": \"nccl\", \"rank\": 3, \"world_size\": 4},"
    );
}

#[test]
fn work_of_the_gpu_is_kernels_on_streams_with_correlations() {
    let text = written(&pipeline(SMALL), 0, &Kineto::default());
    let events = checked(&text);
    let gpu: Vec<&Value> = phase(&events, "X")
        .filter(|event| event["pid"] == 0)
        .collect();
    assert!(gpu.iter().all(|event| event["cat"] == "kernel"));
    assert!(
        gpu.iter()
            .all(|event| 7 <= event["args"]["stream"].as_u64().unwrap())
    );
    let mut seen: Vec<u64> = gpu
        .iter()
        .map(|event| event["args"]["correlation"].as_u64().unwrap())
        .collect();
    let n = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), n, "correlations are unique");
    let step = phase(&events, "X")
        .find(|event| event["name"] == "ProfilerStep#0")
        .unwrap();
    assert_eq!(
        (&step["pid"], &step["cat"]),
        (&Value::from(1), &Value::from("user_annotation"))
    );
}

#[test]
fn communication_has_the_names_of_nccl() {
    let text = written(&pipeline(SMALL), 0, &Kineto::default());
    let events = checked(&text);
    let mut names: Vec<_> = phase(&events, "X")
        .filter_map(|event| event["name"].as_str())
        .filter(|name| name.starts_with("nccl"))
        .collect();
    names.sort_unstable();
    names.dedup();
    let expected = [
        "ncclDevKernel_AllReduce(tp all-reduce)",
        "ncclDevKernel_ReduceScatter(grad reduce-scatter)",
        "ncclDevKernel_SendRecv(receive)",
    ];
    assert_eq!(names, expected);
}

#[test]
fn whole_microseconds_round_moments_so_that_errors_do_not_add_up() {
    let trace = pipeline(SMALL);
    let fine = Kineto {
        resolution: Resolution::Nanos,
        ..Kineto::default()
    };
    for options in [Kineto::default(), fine] {
        let events = checked(&written(&trace, 0, &options));
        let busy: u64 = phase(&events, "X")
            .filter(|event| event["args"]["stream"] == 7)
            .map(|event| nanos(&event["dur"]))
            .sum();
        let exact: u64 = trace
            .spans
            .iter()
            .filter(|span| {
                span.lane.get() == 0
                    && matches!(span.category, Category::Compute | Category::Optimizer)
            })
            .map(|span| span.end.as_picos() - span.start.as_picos())
            .sum();
        assert!(
            busy.abs_diff(exact / 1_000) < 5_000,
            "{busy} ns against {exact} ps"
        );
    }
}

#[test]
fn an_unknown_rank_is_an_error_that_names_the_known_ones() {
    let error = write_kineto(Vec::new(), &pipeline(SMALL), 4, &Kineto::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rank 4 is not in the trace, whose ranks reach from 0 to 3"
    );
    assert_eq!(error.hint().unwrap(), "ranks count from 0");
    let error = write_kineto(Vec::new(), &Trace::default(), 0, &Kineto::default()).unwrap_err();
    assert!(matches!(error, FormatError::NoRanks));
}
