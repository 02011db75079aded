//! Our own files: exact, and robust to damage.

use formats::wtt::{Limits, MAJOR, read, read_header, write};
use formats::{FormatError, Header};
use proptest::prelude::*;
use trace::{
    Category, Detail, Lane, LinkLevel, LinkTrack, MemoryKind, MemorySample, NO_INDEX, Pass, Span,
    StreamKind, Trace, TraceError,
};
use units::{BytesPerSec, ClassId, LaneId, Seconds, SimTime};

use crate::pipeline::{SMALL, pipeline};

fn header() -> Header {
    Header {
        tool: "windtunnel 0.1.0".to_owned(),
        seed: 42,
        scenario: "schema = 1\n[model]\nconfig = \"llama3-70b\"\n".to_owned(),
        prediction: serde_json::json!({ "schema": 1, "iteration_time_s": 4.25 }),
    }
}

fn written(trace: &Trace) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, &header(), trace).expect("the trace keeps the rules");
    bytes
}

fn back(bytes: &[u8]) -> Result<(Header, Trace), FormatError> {
    read(bytes, Limits::default())
}

fn error(bytes: &[u8]) -> String {
    back(bytes).expect_err("the file is bad").to_string()
}

/// A link with levels that are so many picoseconds apart.
fn link_track(name: String, count: u32, n_kinds: u32, levels: Vec<(u64, f64)>) -> LinkTrack {
    let mut at = 0;
    let levels = levels.into_iter().map(|(step, rate)| {
        at += step;
        LinkLevel {
            time: SimTime::from_picos(at),
            rates: (1..=n_kinds).map(|kind| rate / f64::from(kind)).collect(),
        }
    });
    LinkTrack {
        levels: levels.collect(),
        name,
        count,
        rate: BytesPerSec::from_gbits(400.0).expect("positive"),
        kinds: (0..n_kinds).map(|kind| format!("kind {kind}")).collect(),
    }
}

fn links() -> impl Strategy<Value = LinkTrack> {
    let levels = prop::collection::vec((0_u64..1_000_000, 0.0_f64..1e11), 0..20);
    ("\\PC{0,12}", 1_u32..9, 1_u32..4, levels)
        .prop_map(|(name, count, n_kinds, levels)| link_track(name, count, n_kinds, levels))
}

/// Random traces that keep the rules, with every kind of value.
fn traces() -> impl Strategy<Value = Trace> {
    let lane = (
        any::<u32>(),
        "\\PC{0,12}",
        prop::collection::vec(any::<u32>(), 0..20),
        any::<[u64; 7]>(),
    );
    let detail = ("[a-c]{1,2}", 0.0_f64..1e-3);
    let step = prop_oneof![
        Just(0),
        0_u64..1_000_000_000,
        any::<u64>().prop_map(|n| n >> 12)
    ];
    let index = || prop_oneof![Just(NO_INDEX), Just(NO_INDEX - 1), 0_u32..9, any::<u32>()];
    let span = (
        step,
        any::<u64>(),
        0_usize..8,
        0_usize..9,
        index(),
        index(),
        any::<(u32, u32, u32)>(),
    );
    let sample = (0_u64..1_000_000, 0_usize..7, any::<u64>(), any::<u32>());
    (
        prop::collection::vec(lane, 1..4),
        prop::collection::vec(prop::collection::vec(detail, 0..4), 0..4),
        prop::collection::vec(span, 0..200),
        prop::collection::vec(sample, 0..100),
        prop::collection::vec(links(), 0..3),
    )
        .prop_map(|(lanes, details, spans, samples, links)| {
            let mut trace = Trace::default();
            for (class, name, ranks, resident) in lanes {
                let class_id = ClassId::new(class);
                trace.lanes.push(Lane {
                    class: class_id,
                    name,
                    stage: class / 2,
                    ranks,
                    resident,
                });
            }
            for list in details {
                let detail = |(name, secs)| Detail {
                    name,
                    time: Seconds::from_secs(secs),
                };
                trace.details.push(list.into_iter().map(detail).collect());
            }
            let n_lanes = u32::try_from(trace.lanes.len()).expect("few lanes");
            let n_details = u32::try_from(trace.details.len()).expect("few details");
            let mut now = 0;
            for (id, (step, time, stream, category, micro_batch, stage, (a, b, c))) in
                (0..).zip(spans)
            {
                now += step;
                trace.spans.push(Span {
                    lane: LaneId::new(a % n_lanes),
                    stream: StreamKind::ALL[stream],
                    category: Category::ALL[category],
                    name: trace.names.intern(["layer", "reduce", "é"][b as usize % 3]),
                    pass: Pass::ALL[c as usize % Pass::ALL.len()],
                    start: SimTime::from_picos(now - time.min(now)),
                    end: SimTime::from_picos(now),
                    micro_batch,
                    stage,
                    cause: if id == 0 || b % 4 == 0 {
                        NO_INDEX
                    } else {
                        c % id
                    },
                    detail: if n_details == 0 {
                        NO_INDEX
                    } else {
                        c % n_details
                    },
                });
            }
            let mut then = 0;
            for (step, kind, bytes, lane) in samples {
                then += step;
                trace.memory.push(MemorySample {
                    lane: LaneId::new(lane % n_lanes),
                    time: SimTime::from_picos(then),
                    kind: MemoryKind::ALL[kind],
                    bytes,
                });
            }
            for link in links {
                then = then.max(link.levels.last().map_or(0, |level| level.time.as_picos()));
                trace.links.push(link);
            }
            trace.end = SimTime::from_picos(now.max(then) + 1);
            trace
        })
}

proptest! {
    #[test]
    fn what_was_written_reads_back_equal(trace in traces()) {
        let (found, again) = back(&written(&trace)).expect("it was written");
        prop_assert_eq!(found, header());
        prop_assert_eq!(again, trace);
    }

    #[test]
    fn any_change_of_a_byte_is_an_error_and_not_a_panic(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = written(&pipeline(SMALL));
        let at = at.index(bytes.len());
        // The minor version carries no promise.
        prop_assume!(bytes[at] != to && !(10..12).contains(&at));
        bytes[at] = to;
        prop_assert!(back(&bytes).is_err(), "byte {at} as {to}");
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error(at in any::<prop::sample::Index>()) {
        let bytes = written(&pipeline(SMALL));
        let found = back(&bytes[..at.index(bytes.len())]);
        let expected = matches!(found, Err(FormatError::Truncated { .. } | FormatError::NoTrace { .. }));
        prop_assert!(expected);
    }

    #[test]
    fn data_behind_a_right_checksum_is_not_trusted_either(
        kind in prop::sample::select(vec![*b"HEAD", *b"LANE", *b"NAME", *b"OPER", *b"DETL", *b"SPAN", *b"MEMO", *b"DONE"]),
        data in prop::collection::vec(any::<u8>(), 0..300),
        small in prop::collection::vec(0_u8..4, 0..300),
    ) {
        for data in [data, small] {
            let mut bytes = written(&pipeline(SMALL));
            let done = chunks(&bytes).last().expect("there is an end").0;
            bytes.splice(done..done, chunk(kind, &data));
            let _ = back(&bytes);
        }
    }

    #[test]
    fn random_bytes_are_an_error(data in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(back(&data).is_err());
        let mut bytes = written(&Trace::default())[..12].to_vec();
        bytes.extend(data);
        prop_assert!(back(&bytes).is_err());
    }
}

/// Where chunks begin, and their kinds.
fn chunks(bytes: &[u8]) -> Vec<(usize, [u8; 4])> {
    let mut found = Vec::new();
    let mut at = 12;
    while at < bytes.len() {
        let word = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("four bytes");
        found.push((at, word(at)));
        at += 16 + u32::from_le_bytes(word(at + 4)) as usize;
    }
    found
}

/// A chunk as a later version might write it.
fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).expect("memory");
    let stored = encoder.finish().expect("memory");
    let length = |n: usize| u32::try_from(n).expect("small").to_le_bytes();
    let head = [&kind[..], &length(stored.len()), &length(data.len())].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&head);
    crc.update(&stored);
    [&head[..], &crc.sum().to_le_bytes(), &stored].concat()
}

#[test]
fn equal_traces_give_equal_bytes() {
    assert_eq!(written(&pipeline(SMALL)), written(&pipeline(SMALL)));
}

#[test]
fn a_file_is_its_header_then_chunks_in_order() {
    let kinds: Vec<_> = chunks(&written(&pipeline(SMALL)))
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    let expected = [
        b"HEAD", b"LANE", b"NAME", b"OPER", b"DETL", b"SPAN", b"MEMO", b"DONE",
    ];
    assert_eq!(kinds, expected.map(|kind| *kind));
}

#[test]
fn chunks_of_an_unknown_kind_are_skipped() {
    let trace = pipeline(SMALL);
    let mut bytes = written(&trace);
    for (at, _) in chunks(&bytes.clone()).into_iter().rev() {
        bytes.splice(at..at, chunk(*b"NEXT", b"later"));
    }
    assert_eq!(back(&bytes).expect("it only has more").1, trace);
}

#[test]
fn the_header_reads_alone() {
    let bytes = written(&pipeline(SMALL));
    let end_of_header = chunks(&bytes)[1].0;
    assert_eq!(
        read_header(&bytes[..end_of_header]).expect("it comes first"),
        header()
    );
}

#[test]
fn other_major_versions_are_refused_and_a_newer_minor_one_read() {
    let mut bytes = written(&pipeline(SMALL));
    bytes[10] = 9;
    assert!(back(&bytes).is_ok());
    bytes[8] = 3;
    let refused = back(&bytes).expect_err("it is newer");
    assert_eq!(
        refused.to_string(),
        "the trace has version 3.9, this program reads version 2"
    );
    assert_eq!(
        refused.hint().expect("it has one"),
        "update windtunnel, or write the trace again"
    );
    bytes[8] = 1;
    let refused = back(&bytes).expect_err("it is older");
    assert_eq!(
        refused.to_string(),
        "the trace has version 1.9, this program reads version 2"
    );
    assert_eq!(
        refused.hint().expect("it has one"),
        "write the trace again from its scenario"
    );
    assert_eq!(MAJOR, 2);
}

#[test]
fn other_files_are_told_apart() {
    let hint = |bytes: &[u8]| {
        back(bytes)
            .expect_err("no trace")
            .hint()
            .expect("it has one")
    };
    assert!(hint(&[0x1f, 0x8b, 8, 0]).starts_with("this is gzip"));
    assert!(hint(b"{\"traceEvents\":[]}").starts_with("this is JSON"));
    assert!(hint(b"").starts_with("`simulate --trace"));
    assert_eq!(
        error(b"schema"),
        "the file begins with [73, 63, 68, 65, 6d, 61], and no trace does"
    );
}

#[test]
fn damage_is_named_with_its_chunk_and_place() {
    let bytes = written(&pipeline(SMALL));
    let (at, _) = chunks(&bytes)[5];
    let mut bad = bytes.clone();
    bad[at + 20] ^= 1;
    assert_eq!(
        error(&bad),
        format!("chunk `SPAN` at byte {at} is damaged: its checksum is wrong")
    );
    let mut missing = bytes.clone();
    missing.drain(at..chunks(&bytes)[6].0);
    assert!(error(&missing).ends_with("is damaged: a chunk of the file is missing"));
    let cut = &bytes[..at + 30];
    assert_eq!(
        error(cut),
        format!("the file ends inside chunk `SPAN` at byte {at}")
    );
    let mut bomb = bytes[..at].to_vec();
    bomb.extend(chunk(*b"SPAN", &[0xff; 100]));
    assert!(error(&bomb).contains("a number is longer than 64 bits"));
}

#[test]
fn a_claim_of_gigabytes_takes_no_memory() {
    let bytes = written(&pipeline(SMALL));
    let (at, _) = chunks(&bytes)[5];
    let mut huge = bytes.clone();
    huge[at + 4..at + 12].fill(0xff);
    assert!(error(&huge).contains("claims 4294967295 bytes, the limit is"));
    let limits = Limits { raw_bytes: 1_000 };
    let refused = read(bytes.as_slice(), limits).expect_err("it is longer");
    assert!(
        refused.to_string().ends_with("the limit is 1000"),
        "{refused}"
    );
    let many = chunk(*b"SPAN", &[0xff, 0xff, 0xff, 0x7f]);
    let mut claims = bytes[..at].to_vec();
    claims.extend(many);
    assert!(error(&claims).ends_with("a count exceeds what follows"));
}

#[test]
fn a_trace_that_breaks_a_rule_is_neither_written_nor_read() {
    let mut trace = pipeline(SMALL);
    trace.spans[3].lane = LaneId::new(9);
    let refused = write(Vec::new(), &header(), &trace).expect_err("lane 9");
    assert!(matches!(
        refused,
        FormatError::Trace(TraceError::UnknownLane { lane: 9, .. })
    ));
    assert!(
        refused
            .to_string()
            .starts_with("the trace breaks a rule: span 3 names lane 9")
    );
}

#[test]
fn a_span_takes_few_bytes() {
    let size = crate::pipeline::Size {
        stages: 8,
        ranks: 4,
        micro_batches: 16,
        layers: 10,
    };
    let trace = pipeline(size);
    let bytes = written(&trace).len();
    assert!(
        bytes < 10 * trace.spans.len(),
        "{bytes} bytes for {} spans",
        trace.spans.len()
    );
}
