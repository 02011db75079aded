//! What every file of Chrome's JSON must hold to: "Trace Event Format", Google, 2016, as far as it
//! speaks of the phases X, M, C, s and f, and what viewers need beyond it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

type Thread = (u64, u64);

/// The events of a file, after checking that
/// processes and threads have names, complete events nest on their thread, counters are in order
/// of time, and each arrow leaves one span and reaches another, later one.
pub(crate) fn checked(text: &[u8]) -> Vec<Value> {
    let file: Value = serde_json::from_slice(text).expect("the file is JSON");
    let events = file["traceEvents"]
        .as_array()
        .expect("events are a list")
        .clone();
    check_names(&events);
    let threads = check_nesting(&events);
    check_counters(&events);
    check_arrows(&events, &threads);
    events
}

/// As [`checked`], and nothing is in the file that the format does not name: profilers add fields
/// of their own, timelines have none.
pub(crate) fn strictly_checked(text: &[u8]) -> Vec<Value> {
    let file: Value = serde_json::from_slice(text).expect("the file is JSON");
    check_file(&file);
    let events = checked(text);
    for event in &events {
        check_fields(event);
    }
    check_sorting(&events);
    events
}

/// A time in nanoseconds.
pub(crate) fn nanos(value: &Value) -> u64 {
    let (whole, rest) = match value.to_string().split_once('.') {
        Some((whole, rest)) => (whole.to_owned(), format!("{rest:0<3}")),
        None => (value.to_string(), "0".to_owned()),
    };
    assert!(rest.len() <= 3, "{value} is finer than a nanosecond");
    let part = |text: &str| text.parse::<u64>().expect("times are numbers");
    part(&whole) * 1_000 + part(&rest)
}

pub(crate) fn phase<'e>(events: &'e [Value], phase: &str) -> impl Iterator<Item = &'e Value> {
    events.iter().filter(move |event| event["ph"] == phase)
}

fn thread(event: &Value) -> Thread {
    let number = |key: &str| event[key].as_u64().expect("threads are numbers");
    (number("pid"), number("tid"))
}

/// The object format: a list of events, a unit that viewers know, and data about the file.
fn check_file(file: &Value) {
    let members = file.as_object().expect("the file is an object");
    for key in members.keys() {
        let known = ["displayTimeUnit", "traceEvents", "otherData"];
        assert!(known.contains(&key.as_str()), "viewers do not know {key}");
    }
    assert!(file["displayTimeUnit"] == "ns" || file["displayTimeUnit"] == "ms");
    let about = file["otherData"].as_object().expect("data are an object");
    assert!(about.values().all(Value::is_string));
}

/// The fields of an event by its phase: those that must be there, and no others.
fn check_fields(event: &Value) {
    let (needs, may): (&[&str], &[&str]) = match event["ph"].as_str() {
        Some("X") => (&["pid", "tid", "ts", "dur", "name", "cat"], &["args"]),
        Some("M") => (&["pid", "name", "args"], &["tid"]),
        Some("C") => (&["pid", "ts", "name", "args"], &[]),
        Some("s") => (&["pid", "tid", "ts", "id", "name", "cat"], &[]),
        Some("f") => (&["pid", "tid", "ts", "id", "name", "cat", "bp"], &[]),
        other => panic!("phase {other:?} of {event}"),
    };
    let fields = event.as_object().expect("events are objects");
    for key in needs {
        assert!(fields.contains_key(*key), "{event} lacks {key}");
    }
    for (key, value) in fields {
        let is_known = key == "ph" || needs.contains(&key.as_str()) || may.contains(&key.as_str());
        assert!(is_known, "{event} has {key}");
        let is_right = match key.as_str() {
            "pid" | "tid" | "id" => value.is_u64(),
            "ts" | "dur" => value.as_f64().is_some_and(|time| 0.0 <= time),
            "args" => value.as_object().is_some_and(|args| !args.is_empty()),
            _ => value.is_string(),
        };
        assert!(is_right, "{key} of {event}");
    }
}

/// Metadata: one name, and one place in the order, for each process and each thread.
fn check_sorting(events: &[Value]) {
    let mut seen = BTreeSet::new();
    let mut places = BTreeSet::new();
    for event in phase(events, "M") {
        let what = event["name"].as_str().expect("a text");
        let of = (event["pid"].as_u64(), event["tid"].as_u64());
        assert!(seen.insert((what, of)), "{event} comes twice");
        assert_eq!(
            event["tid"].is_u64(),
            what.starts_with("thread_"),
            "{event}"
        );
        let argument = match what {
            "process_name" | "thread_name" => "name",
            "process_labels" => "labels",
            "process_sort_index" | "thread_sort_index" => "sort_index",
            _ => panic!("viewers do not know {what}"),
        };
        let argument = &event["args"][argument];
        assert_eq!(argument.is_u64(), what.ends_with("_sort_index"), "{event}");
        if what == "thread_sort_index" {
            let place = (event["pid"].as_u64(), argument.as_u64());
            assert!(places.insert(place), "{event}: two threads at one place");
        }
    }
}

fn check_names(events: &[Value]) {
    let named = |what: &str| -> Vec<&Value> {
        let of = phase(events, "M").filter(|event| event["name"] == what);
        of.inspect(|event| assert!(event["args"]["name"].is_string()))
            .collect()
    };
    let processes: BTreeSet<_> = named("process_name")
        .iter()
        .map(|e| e["pid"].as_u64())
        .collect();
    let threads: BTreeSet<_> = named("thread_name").iter().map(|e| thread(e)).collect();
    for event in events {
        let kind = event["ph"].as_str().expect("a phase is a text");
        assert!(["X", "M", "C", "s", "f"].contains(&kind), "phase {kind}");
        assert!(
            processes.contains(&event["pid"].as_u64()),
            "{event} has no process"
        );
        if ["X", "s", "f"].contains(&kind) {
            assert!(threads.contains(&thread(event)), "{event} has no thread");
            assert!(event["cat"].is_string() && event["name"].is_string());
        }
    }
}

/// Complete events by thread, as (start, end).
fn check_nesting(events: &[Value]) -> BTreeMap<Thread, Vec<(u64, u64)>> {
    let mut threads: BTreeMap<Thread, Vec<(u64, u64)>> = BTreeMap::new();
    for event in phase(events, "X") {
        let start = nanos(&event["ts"]);
        threads
            .entry(thread(event))
            .or_default()
            .push((start, start + nanos(&event["dur"])));
    }
    for (thread, slices) in &threads {
        let mut open: Vec<u64> = Vec::new();
        let mut before = 0;
        for &(start, end) in slices {
            assert!(
                before <= start,
                "{thread:?} goes back from {before} to {start}"
            );
            before = start;
            open.retain(|&until| start < until);
            let inner = open.last();
            assert!(
                inner.is_none_or(|&until| end <= until),
                "{thread:?}: {start}..{end} crosses {inner:?}"
            );
            open.push(end);
        }
    }
    threads
}

fn check_counters(events: &[Value]) {
    let mut last: BTreeMap<(u64, String), u64> = BTreeMap::new();
    for event in phase(events, "C") {
        let key = (
            event["pid"].as_u64().expect("a number"),
            event["name"].to_string(),
        );
        let now = nanos(&event["ts"]);
        let before = last.insert(key, now);
        assert!(
            before.is_none_or(|before| before <= now),
            "{event} goes back"
        );
        let values = event["args"].as_object().expect("counters have values");
        let is_level = |value: &Value| value.as_f64().is_some_and(|level| 0.0 <= level);
        assert!(!values.is_empty() && values.values().all(is_level));
    }
}

fn check_arrows(events: &[Value], threads: &BTreeMap<Thread, Vec<(u64, u64)>>) {
    let inside = |event: &Value| {
        let now = nanos(&event["ts"]);
        let slices = threads.get(&thread(event)).map_or(&[][..], Vec::as_slice);
        let upto = slices.partition_point(|&(start, _)| start <= now);
        slices[..upto]
            .iter()
            .rev()
            .take(64)
            .any(|&(_, end)| now < end)
    };
    let mut open: BTreeMap<u64, &Value> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| event["ph"] == "s" || event["ph"] == "f")
    {
        assert!(inside(event), "no span around {event}");
        let id = event["id"].as_u64().expect("arrows have numbers");
        if event["ph"] == "s" {
            assert!(open.insert(id, event).is_none(), "arrow {id} leaves twice");
            continue;
        }
        assert_eq!(event["bp"], "e");
        let name_of = |event: &Value| (event["name"].clone(), event["cat"].clone());
        let from = open
            .remove(&id)
            .unwrap_or_else(|| panic!("arrow {id} leaves nothing"));
        assert!(
            nanos(&from["ts"]) < nanos(&event["ts"]),
            "arrow {id} points back"
        );
        assert_ne!(thread(from), thread(event));
        // Viewers join the ends of an arrow by number, category and name.
        assert_eq!(name_of(from), name_of(event));
    }
    assert!(open.is_empty(), "arrows reach nothing: {open:?}");
}
