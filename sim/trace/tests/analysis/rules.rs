//! The rules of a trace, each broken once.

use trace::{Category, MemoryKind, NO_INDEX, StreamKind, Trace, TraceError};
use units::LaneId;

use crate::fixtures::{at, with_memory};

fn broken(breaks: impl FnOnce(&mut Trace)) -> TraceError {
    let mut trace = with_memory();
    assert_eq!(trace.check(), Ok(()));
    breaks(&mut trace);
    trace.check().expect_err("a rule was broken")
}

#[test]
fn indices_must_point_somewhere() {
    let error = broken(|trace| trace.spans[3].lane = LaneId::new(2));
    assert_eq!(
        error.to_string(),
        "span 3 names lane 2, but the trace has 2"
    );
    assert!(error.hint().unwrap().contains("damaged"));
    let error = broken(|trace| trace.spans[0].name = 77);
    assert_eq!(
        error.to_string(),
        "span 0 names text 77, but the trace has 4"
    );
    let error = broken(|trace| trace.spans[0].detail = 0);
    assert_eq!(
        error.to_string(),
        "span 0 names detail 0, but the trace has 0"
    );
    let error = broken(|trace| trace.memory[1].lane = LaneId::new(NO_INDEX));
    assert!(
        error
            .to_string()
            .starts_with("memory sample 1 names lane 4294967295")
    );
}

#[test]
fn causes_come_first_and_time_does_not_go_back() {
    let error = broken(|trace| trace.spans[2].cause = 2);
    assert_eq!(
        error.to_string(),
        "span 2 is released by span 2, which was recorded later"
    );
    assert!(error.hint().unwrap().contains("order in which they end"));
    let error = broken(|trace| trace.spans[2].start = at(226));
    assert_eq!(
        error.to_string(),
        "span 2 ends at 225 ps, before its start at 226 ps"
    );
    let error = broken(|trace| trace.spans.swap(5, 6));
    assert!(
        error
            .to_string()
            .contains("before the one recorded ahead of it at 480 ps"),
        "{error}"
    );
    let error = broken(|trace| trace.memory[1].time = at(466));
    assert!(
        error
            .to_string()
            .starts_with("memory sample 2 lies at 125 ps"),
        "{error}"
    );
    let error = broken(|trace| trace.end = at(479));
    assert_eq!(
        error.to_string(),
        "span 6 lies at 480 ps, past the end of the trace at 479 ps"
    );
}

#[test]
fn every_list_of_all_is_in_order_of_its_index() {
    let categories = Category::ALL.map(Category::index);
    let streams = StreamKind::ALL.map(StreamKind::index);
    let kinds = MemoryKind::ALL.map(MemoryKind::index);
    assert!(
        categories
            .iter()
            .enumerate()
            .all(|(at, index)| at == *index)
    );
    assert!(streams.iter().enumerate().all(|(at, index)| at == *index));
    assert!(kinds.iter().enumerate().all(|(at, index)| at == *index));
    assert_eq!(StreamKind::Host.index() + 1, StreamKind::ALL.len());
}
