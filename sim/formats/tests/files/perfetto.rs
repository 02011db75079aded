//! Timelines of all ranks.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use formats::{Detail, Export, FormatError, Perfetto, compressed, write_perfetto};
use serde_json::Value;
use trace::{LinkStretch, LinkTrack, Trace};
use units::{BytesPerSec, SimTime};

use crate::chrome::{nanos, phase, strictly_checked as checked};
use crate::pipeline::{SMALL, Size, pipeline};

fn written(trace: &Trace, budget: u64) -> (Export, Vec<u8>) {
    let options = Perfetto {
        tool: "windtunnel 9.9.9".to_owned(),
        seed: 7,
        budget,
    };
    let mut text = Vec::new();
    let export = write_perfetto(&mut text, trace, &options).expect("the trace keeps the rules");
    (export, text)
}

fn names<'e>(events: &'e [Value], pid: u64, category: &str) -> Vec<&'e str> {
    let of = phase(events, "X").filter(|event| event["pid"] == pid && event["cat"] == category);
    of.filter_map(|event| event["name"].as_str()).collect()
}

#[test]
fn a_small_trace_is_shown_whole() {
    let trace = pipeline(SMALL);
    let (export, text) = written(&trace, 100_000);
    let events = checked(&text);
    assert_eq!(
        (export.first, export.others),
        (Detail::Kernels, Detail::Kernels)
    );
    assert_eq!((export.n_ranks, export.n_events), (4, events.len() as u64));
    assert_eq!(export.folded(), None);
    let spans = phase(&events, "X")
        .filter(|event| event["cat"] != "kernel")
        .count();
    assert_eq!(spans, 2 * trace.spans.len());
    let kernels = phase(&events, "X")
        .filter(|event| event["cat"] == "kernel")
        .count();
    assert_eq!(kernels, 2 * 3 * 2 * 2 * 2 * 2);
}

#[test]
fn ranks_are_processes_and_streams_are_threads_with_names() {
    let (_, text) = written(&pipeline(SMALL), 100_000);
    let events = checked(&text);
    let name = |what: &str, pid: u64| -> Vec<&str> {
        let of = phase(&events, "M").filter(|event| event["name"] == what && event["pid"] == pid);
        of.filter_map(|event| event["args"]["name"].as_str())
            .collect()
    };
    assert_eq!(name("process_name", 3), ["rank 3 · stage 1"]);
    assert_eq!(name("thread_name", 3), ["compute", "tp", "dp", "pp"]);
}

#[test]
fn spans_carry_micro_batch_stage_and_category() {
    let (_, text) = written(&pipeline(SMALL), 100_000);
    let events = checked(&text);
    let layer = phase(&events, "X").find(|event| event["pid"] == 2 && event["name"] == "layer");
    let layer = layer.expect("stage 1 has layers");
    assert_eq!(layer["cat"], "compute");
    assert_eq!(
        layer["args"],
        serde_json::json!({ "pass": "forward", "micro_batch": 0, "stage": 1 })
    );
    assert_eq!((nanos(&layer["ts"]), nanos(&layer["dur"])), (6_701, 2_501));
    let adam = phase(&events, "X")
        .find(|event| event["name"] == "adam")
        .expect("it steps");
    assert_eq!(adam["args"], serde_json::json!({ "pass": "optimizer" }));
}

#[test]
fn arrows_lead_from_the_sender_to_the_receiver_of_the_same_member() {
    let (_, text) = written(&pipeline(SMALL), 100_000);
    let events = checked(&text);
    let between: Vec<_> = phase(&events, "s")
        .zip(phase(&events, "f"))
        .map(|(from, to)| (from["pid"].as_u64().unwrap(), to["pid"].as_u64().unwrap()))
        .filter(|(from, to)| from != to)
        .collect();
    assert_eq!(between.len(), 8);
    assert!(
        between.iter().all(|(from, to)| from.abs_diff(*to) == 2),
        "{between:?}"
    );
}

/// A link of 100 bytes a nanosecond that two kinds of traffic share for a while.
fn shared_link() -> LinkTrack {
    let micros = |micros: u64| SimTime::from_picos(micros * 1_000_000);
    let stretch = |from, to, kind, rate| LinkStretch {
        from: micros(from),
        to: micros(to),
        kind,
        rate,
    };
    LinkTrack::new(
        "leaf0->spine1 up".to_owned(),
        (3, BytesPerSec::from_gbytes(100.0).expect("positive")),
        ["dp", "pp"].map(str::to_owned).to_vec(),
        &[stretch(1, 3, 0, 75e9), stretch(2, 3, 1, 12.5e9)],
        100,
    )
}

#[test]
fn links_are_counters_of_a_process_of_their_own() {
    let mut trace = pipeline(SMALL);
    trace.links.push(shared_link());
    trace.links.push(LinkTrack {
        name: "n0nic0->leaf0 down".to_owned(),
        count: 1,
        kinds: vec!["dp".to_owned()],
        levels: Vec::new(),
        ..shared_link()
    });
    let levels = trace.links[0].levels.clone();
    trace.links[1].levels = levels;
    for level in &mut trace.links[1].levels {
        level.rates.truncate(1);
    }
    let (export, text) = written(&trace, 100_000);
    let events = checked(&text);
    assert_eq!(export.n_events, events.len() as u64);
    let process = phase(&events, "M").find(|event| event["args"]["name"] == "network");
    let pid = process.expect("links have a process")["pid"].as_u64();
    // Ranks are 0 to 3; the process stands above them.
    assert_eq!(pid, Some(4));
    let place_of = |pid: u64| {
        let places = phase(&events, "M").filter(|event| event["name"] == "process_sort_index");
        let mut of = places.filter(move |event| event["pid"] == pid);
        of.next().expect("it has one")["args"]["sort_index"].as_u64()
    };
    assert!((0..4).all(|rank| place_of(4) < place_of(rank)));
    let levels = |name: &str| -> Vec<(u64, Value)> {
        let of = phase(&events, "C").filter(|event| event["name"] == name);
        of.map(|event| (nanos(&event["ts"]), event["args"].clone()))
            .collect()
    };
    let percent = |value: f64| serde_json::json!({ "percent": value });
    assert_eq!(
        levels("leaf0->spine1 up (one of 3)"),
        [
            (0, serde_json::json!({ "percent": 0 })),
            (1_000, serde_json::json!({ "percent": 75 })),
            (2_000, percent(87.5)),
            (3_000, serde_json::json!({ "percent": 0 })),
        ]
    );
    assert_eq!(
        levels("leaf0->spine1 up (one of 3) by kind")[2],
        (2_000, serde_json::json!({ "dp": 75, "pp": 12.5 }))
    );
    assert_eq!(levels("n0nic0->leaf0 down").len(), 4);
    assert!(levels("n0nic0->leaf0 down by kind").is_empty());
}

#[test]
fn links_leave_less_room_for_ranks() {
    let plain = pipeline(SMALL);
    let n_events = written(&plain, 100_000).0.n_events;
    let mut trace = plain.clone();
    trace.links.push(shared_link());
    assert_eq!(written(&plain, n_events).0.first, Detail::Kernels);
    let (export, _) = written(&trace, n_events);
    assert!(export.n_events <= n_events, "{export:?}");
}

#[test]
fn memory_is_a_counter_by_kind() {
    let (_, text) = written(&pipeline(SMALL), 100_000);
    let events = checked(&text);
    let of_rank_0 = phase(&events, "C").filter(|event| event["pid"] == 0);
    let levels: Vec<_> = of_rank_0
        .map(|event| {
            (
                event["args"]["weights"].as_u64().unwrap(),
                event["args"]["activations"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        levels,
        [
            (5_000, 0),
            (5_000, 1_000),
            (5_000, 2_000),
            (5_000, 1_000),
            (5_000, 0),
            (5_000, 0)
        ]
    );
}

/// What is shown within a budget, after checking that the file keeps to it and says so.
fn within(trace: &Trace, budget: u64) -> (Detail, Detail) {
    let (export, text) = written(trace, budget);
    let events = checked(&text);
    assert!(export.n_events <= budget, "{export:?} exceeds {budget}");
    assert_eq!(export.n_events, events.len() as u64);
    let file: Value = serde_json::from_slice(&text).expect("the file is JSON");
    let said = file["otherData"]["left_out"].as_str().expect("it says so");
    assert_eq!(said, export.folded().unwrap_or("nothing".to_owned()));
    (export.first, export.others)
}

#[test]
fn a_smaller_budget_folds_other_ranks_first_and_says_so() {
    use Detail::{Actions, Kernels, Nothing, Outline, Passes, Spans, Window};
    let few = pipeline(SMALL);
    assert_eq!(within(&few, 460), (Kernels, Kernels));
    assert_eq!(within(&few, 400), (Kernels, Spans));
    assert_eq!(within(&few, 330), (Kernels, Actions));
    assert_eq!(within(&few, 270), (Kernels, Passes));
    assert_eq!(within(&few, 230), (Window { micro_batches: 1 }, Actions));
    assert_eq!(within(&few, 190), (Window { micro_batches: 1 }, Passes));
    assert_eq!(within(&few, 100), (Passes, Passes));
    let long = pipeline(Size {
        micro_batches: 100,
        ranks: 200,
        ..SMALL
    });
    assert_eq!(within(&long, 60_000), (Kernels, Outline { pixels: 33 }));
    let deep = pipeline(Size {
        micro_batches: 100,
        ranks: 60,
        layers: 6,
        ..SMALL
    });
    let (first, others) = within(&deep, 18_000);
    assert!(matches!(first, Window { .. }), "{first:?}");
    assert!(matches!(others, Outline { .. }), "{others:?}");
    let many = pipeline(Size { ranks: 50, ..SMALL });
    assert_eq!(within(&many, 240), (Kernels, Nothing));
    assert_eq!(within(&many, 180), (Window { micro_batches: 1 }, Nothing));
    assert_eq!(within(&many, 100), (Actions, Nothing));
    assert!(matches!(within(&many, 60), (Detail::Bars { .. }, Nothing)));
}

#[test]
fn a_window_shows_kernels_of_the_first_micro_batches() {
    let trace = pipeline(SMALL);
    let (_, text) = written(&trace, 190);
    let events = checked(&text);
    let expected = [
        "layer",
        "layer",
        "host",
        "forward 1",
        "backward 1",
        "layer",
        "layer",
        "host",
    ];
    assert_eq!(names(&events, 0, "compute"), expected);
    assert_eq!(names(&events, 0, "kernel").len(), 4 * 3);
    assert_eq!(names(&events, 0, "tp").len(), 4);
    assert_eq!(
        phase(&events, "C")
            .filter(|event| event["pid"] == 0)
            .count(),
        6
    );
}

#[test]
fn passes_of_a_micro_batch_become_one_span() {
    let trace = pipeline(SMALL);
    let (_, text) = written(&trace, 330);
    let events = checked(&text);
    let passes = names(&events, 3, "compute");
    assert_eq!(
        passes,
        ["forward 0", "forward 1", "backward 1", "backward 0"]
    );
    assert_eq!(names(&events, 3, "pp").len(), 2);
    assert!(names(&events, 3, "tp").is_empty());
}

#[test]
fn a_thousand_ranks_stay_below_a_hundred_megabytes() {
    let size = Size {
        stages: 16,
        ranks: 64,
        micro_batches: 32,
        layers: 6,
    };
    let trace = pipeline(size);
    let (export, text) = written(&trace, Perfetto::default().budget);
    assert_eq!(
        (export.first, export.others),
        (Detail::Kernels, Detail::Actions)
    );
    assert_eq!(export.n_ranks, 1_024);
    assert!(text.len() < 100_000_000, "{} bytes", text.len());
    assert!(300_000 < export.n_events, "{export:?}");
    let events = checked(&text);
    assert_eq!(events.len() as u64, export.n_events);
    assert_eq!(names(&events, 1_023, "compute").len(), 64);
}

#[test]
fn compressed_files_hold_the_same_and_no_time() {
    let trace = pipeline(SMALL);
    let options = Perfetto::default();
    let mut plain = Vec::new();
    write_perfetto(&mut plain, &trace, &options).unwrap();
    let packed = || {
        let mut bytes = Vec::new();
        compressed(&mut bytes, |out| write_perfetto(out, &trace, &options)).unwrap();
        bytes
    };
    assert_eq!(packed(), packed());
    assert_eq!(packed()[4..8], [0; 4], "the time stamp");
    let mut text = Vec::new();
    GzDecoder::new(packed().as_slice())
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, plain);
}

#[test]
fn names_with_quotes_and_controls_stay_json() {
    let mut trace = pipeline(SMALL);
    trace.lanes[0].name = "a \"b\" \\ c\n\u{1} ü".to_owned();
    trace.names.intern("q\"");
    let (_, text) = written(&trace, 100_000);
    let events = checked(&text);
    let process = phase(&events, "M")
        .find(|event| event["name"] == "process_name")
        .unwrap();
    assert_eq!(process["args"]["name"], "rank 0 · a \"b\" \\ c\n\u{1} ü");
}

#[test]
fn an_empty_trace_is_a_file_without_events() {
    let (export, text) = written(&Trace::default(), 100);
    assert!(checked(&text).is_empty());
    assert_eq!(export.n_ranks, 0);
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = write_perfetto(Full(500), &pipeline(SMALL), &Perfetto::default()).unwrap_err();
    assert!(matches!(error, FormatError::Io(_)), "{error}");
}

/// A file with one event changed by hand.
fn tampered(phase: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let (_, text) = written(&pipeline(SMALL), 100_000);
    let mut file: Value = serde_json::from_slice(&text).expect("it is JSON");
    let events = file["traceEvents"].as_array_mut().expect("a list");
    let event = events.iter_mut().rev().find(|event| event["ph"] == phase);
    change(event.expect("there is one"));
    serde_json::to_vec(&file).expect("it is JSON")
}

#[test]
fn the_check_of_files_finds_what_is_wrong_with_them() {
    let set = |key: &'static str, value: Value| move |event: &mut Value| event[key] = value.clone();
    let wrong = [
        tampered("X", set("dur", (-1).into())),
        tampered("X", set("ts", 0.into())),
        tampered("X", set("ts", "1".into())),
        tampered("X", set("tid", 5.into())),
        tampered("X", set("color", "red".into())),
        tampered("M", set("name", "thread_nam".into())),
        tampered("C", set("args", serde_json::json!({}))),
        tampered("C", set("ts", 0.into())),
        tampered("f", set("bp", "s".into())),
        tampered("f", set("id", 1_000_000.into())),
        tampered("f", set("name", "other".into())),
        tampered("f", set("ts", 0.into())),
        tampered("s", set("ts", 1_000_000_000.into())),
    ];
    for (at, text) in wrong.iter().enumerate() {
        let found = std::panic::catch_unwind(|| checked(text));
        assert!(found.is_err(), "file {at} passes");
    }
    checked(&tampered("X", |_| {}));
}

#[test]
fn a_thousand_ranks_keep_the_format() {
    let size = Size {
        ranks: 512,
        ..SMALL
    };
    let (export, text) = written(&pipeline(size), 30_000);
    assert_eq!(export.n_ranks, 1_024);
    checked(&text);
}
