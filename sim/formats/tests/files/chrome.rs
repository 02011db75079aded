//! What every file of Chrome's JSON must hold to.

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
        assert!(!values.is_empty() && values.values().all(Value::is_u64));
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
        let from = open
            .remove(&id)
            .unwrap_or_else(|| panic!("arrow {id} leaves nothing"));
        assert!(
            nanos(&from["ts"]) < nanos(&event["ts"]),
            "arrow {id} points back"
        );
        assert_ne!(thread(from), thread(event));
    }
    assert!(open.is_empty(), "arrows reach nothing: {open:?}");
}
