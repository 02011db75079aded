//! The explanation as a person reads it.

use trace::{Explanation, Trace, explain};
use units::SimTime;

use crate::fixtures::{at, lanes, with_memory};

/// The trace with memory, a picosecond made a millisecond.
fn of_half_a_second() -> Trace {
    let mut trace = with_memory();
    let longer = |time: SimTime| at(time.as_picos() * 1_000_000_000);
    for span in &mut trace.spans {
        (span.start, span.end) = (longer(span.start), longer(span.end));
    }
    for sample in &mut trace.memory {
        sample.time = longer(sample.time);
    }
    trace.end = longer(trace.end);
    trace
}

#[test]
fn an_explanation_says_what_binds_and_what_would_help() {
    let shown = explain(&of_half_a_second()).to_string();
    let expected = "\
the run takes 480.0 ms; stage 1 binds it: busy 50.0 % of the time (2 lanes, 4 ranks)
critical path: compute 66.7 %, pp 8.3 %, dp 6.2 %, waiting 18.8 %
longest on the path: forward 41.7 %, backward 25.0 %, receive 8.3 %; by pipeline stage: stage 1 50.0 %, stage 0 31.2 %
communication not hidden behind kernels (mean of ranks): dp 7.500 ms of 15.00 ms, pp 20.00 ms of 20.00 ms
bubble (mean of ranks): 50.5 % of the time: fill and drain 25.0 %, waiting for late stages 25.5 %
imbalance: stage 1 computes 4.8 % longer than the mean of ranks
memory: stage 0 peaks at 18 B after 50.00 ms: weights 10 B, activations 8 B
what would help most: no bubble on any rank makes the run at most 50.0 % (240.0 ms) shorter, an upper bound
other upper bounds, each alone: free pp communication 8.3 %, free dp communication 3.1 %, stages in balance 1.0 %, compute twice as fast 33.3 %";
    assert_eq!(shown, expected);
}

#[test]
fn an_explanation_as_json_has_keys_with_units_and_names() {
    let json = explain(&of_half_a_second()).to_json();
    assert_eq!(json["end_s"], 0.48);
    assert_eq!(json["bottleneck"]["name"], "stage 1");
    let path = &json["critical_path"];
    assert_eq!(path["by_category"][0]["category"], "compute");
    let times = path["by_category"].as_array().unwrap().iter();
    let sum: f64 = times.map(|one| one["time_s"].as_f64().unwrap()).sum();
    let waiting = path["waiting_s"].as_f64().unwrap();
    assert!((sum + waiting - 0.48).abs() < 1e-12);
    let peak_at = json["memory"]["peak_at_s"].as_f64().unwrap();
    assert!((peak_at - 0.05).abs() < 1e-12);
    assert_eq!(json["memory"]["at_peak"]["weights_bytes"], 10);
    assert_eq!(json["remedies"][0]["remedy"], "no_bubble");
    assert_eq!(
        explain(&Trace::default()).to_json()["memory"],
        serde_json::Value::Null
    );
}

#[test]
fn an_explanation_has_at_most_ten_lines() {
    assert!(explain(&with_memory()).to_string().lines().count() <= 10);
}

#[test]
fn an_empty_trace_is_explained_too() {
    let nothing = explain(&Trace::default());
    assert_eq!(nothing, Explanation::default());
    assert_eq!(
        nothing.to_string(),
        "the run takes 0.000 µs and has no lanes"
    );
    let mut idle = lanes(1);
    idle.end = at(2_500_000_000_000);
    let shown = explain(&idle).to_string();
    assert!(
        shown.starts_with("the run takes 2.500 s; stage 0 binds it: busy 0.0 %"),
        "{shown}"
    );
}
