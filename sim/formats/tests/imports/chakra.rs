//! Chakra traces.

use formats::ImportError;
use formats::chakra::{Collective, Trace, Work, flows, read, write_collective, write_flows};
use traffic::{Flow, FlowId, Flows};
use units::{Bytes, HostId, SimTime};

/// A number with seven bits in each byte.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while 0x7f < number {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// A field that holds bytes behind their length.
fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    [
        varint(tag << 3 | 2),
        varint(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

fn attribute(name: &str, tag: u64, value: u64) -> Vec<u8> {
    field(
        10,
        &[field(1, name.as_bytes()), number(tag, value)].concat(),
    )
}

fn delimited(message: &[u8]) -> Vec<u8> {
    [varint(message.len() as u64), message.to_vec()].concat()
}

/// A node written byte by byte, after the numbers of the fields.
fn node(id: u64, kind: u64, micros: u64, after: &[u64], attributes: &[Vec<u8>]) -> Vec<u8> {
    let packed: Vec<u8> = after.iter().flat_map(|id| varint(*id)).collect();
    let mut message = [
        number(1, id),
        field(2, format!("node{id}").as_bytes()),
        number(3, kind),
    ]
    .concat();
    if !packed.is_empty() {
        message.extend(field(5, &packed));
    }
    message.extend(number(7, micros));
    message.extend(attributes.concat());
    delimited(&message)
}

fn trace(nodes: &[Vec<u8>]) -> Vec<u8> {
    [delimited(&field(1, b"0.0.4")), nodes.concat()].concat()
}

fn parse(bytes: &[u8]) -> Result<Trace, ImportError> {
    read("x.0.et", &mut &*bytes)
}

#[test]
fn a_collective_is_written_as_others_write_it() {
    let attributes = [
        attribute("is_cpu_op", 27, 0),
        attribute("comm_type", 9, 6),
        attribute("comm_size", 9, 65_536),
    ];
    let message = [
        number(1, 1),
        field(2, b"AllToAll"),
        number(3, 7),
        attributes.concat(),
    ];
    let by_hand = [delimited(&field(1, b"0.0.4")), delimited(&message.concat())].concat();
    assert_eq!(
        write_collective(Collective::AllToAll, 65_536).unwrap(),
        by_hand
    );
    let read = parse(&by_hand).unwrap();
    assert_eq!(read.version, "0.0.4");
    assert!(matches!(
        read.nodes[0].work,
        Work::Collective {
            kind: Collective::AllToAll,
            bytes: 65_536,
            ..
        }
    ));
}

#[test]
fn what_is_computed_first_delays_a_send_and_what_comes_later_is_told() {
    let send = [
        attribute("comm_dst", 7, 1),
        attribute("comm_size", 9, 800),
        attribute("comm_tag", 7, 3),
    ];
    let back = [attribute("comm_src", 7, 1), attribute("comm_tag", 7, 4)];
    let first = trace(&[
        node(1, 4, 7, &[], &[]),
        node(2, 5, 0, &[1], &send),
        node(3, 6, 0, &[2], &back),
        node(4, 4, 9, &[3], &[attribute("strange", 27, 1)]),
    ]);
    let receive = [attribute("comm_src", 7, 0), attribute("comm_tag", 7, 3)];
    let answer = [
        attribute("comm_dst", 7, 0),
        attribute("comm_size", 9, 50),
        attribute("comm_tag", 7, 4),
    ];
    let second = trace(&[node(9, 6, 0, &[], &receive), node(5, 5, 0, &[9], &answer)]);
    let traces = [first, second].map(|bytes| parse(&bytes).unwrap());
    assert_eq!(traces[0].ignored, ["strange"]);
    let workload = flows(&traces).unwrap();
    let there = workload.flows.get(FlowId::new(0));
    assert_eq!(
        (there.src, there.dst, there.bytes),
        (HostId::new(0), HostId::new(1), Bytes::new(800))
    );
    assert_eq!(there.start, SimTime::from_picos(7_000_000));
    let back = FlowId::new(1);
    assert_eq!(workload.flows.get(back).bytes, Bytes::new(50));
    assert_eq!(workload.flows.after(back), [0]);
    let told = workload
        .notes
        .iter()
        .any(|note| note.starts_with("1 nodes compute behind communication, 9 us"));
    assert!(told, "{:?}", workload.notes);
}

#[test]
fn an_all_reduce_of_all_ranks_is_a_ring_of_flows() {
    let file = write_collective(Collective::AllReduce, 4000).unwrap();
    let traces = vec![parse(&file).unwrap(); 4];
    let workload = flows(&traces).unwrap();
    assert_eq!(workload.flows.len(), 2 * 3 * 4);
    let bytes: u64 = workload
        .flows
        .iter()
        .map(|(_, flow)| flow.bytes.as_u64())
        .sum();
    assert_eq!(bytes, 24 * 1000);
}

#[test]
fn ranks_that_do_not_meet_are_refused() {
    let file = |kind| parse(&write_collective(kind, 8).unwrap()).unwrap();
    let error = flows(&[file(Collective::AllReduce), file(Collective::AllGather)]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is another one or none on rank 1"),
        "{error}"
    );
    let send = [attribute("comm_dst", 7, 1), attribute("comm_size", 9, 8)];
    let alone = parse(&trace(&[node(1, 5, 0, &[], &send)])).unwrap();
    let error = flows(&[alone]).unwrap_err().to_string();
    assert!(
        error.contains("rank 0 sends to rank 1 with tag 0"),
        "{error}"
    );
    let circle = trace(&[node(1, 4, 0, &[2], &[]), node(2, 4, 0, &[1], &[])]);
    let error = flows(&[parse(&circle).unwrap()]).unwrap_err().to_string();
    assert_eq!(
        error,
        "\"node1\" of rank 0 waits for itself, or for one that does"
    );
    let nobody = trace(&[node(1, 4, 0, &[7], &[])]);
    let error = flows(&[parse(&nobody).unwrap()]).unwrap_err().to_string();
    assert_eq!(
        error,
        "\"node1\" of rank 0 waits for node 7, which is not there"
    );
}

#[test]
fn a_collective_of_too_many_flows_is_refused_before_they_are_made() {
    let file = parse(&write_collective(Collective::AllToAll, 8).unwrap()).unwrap();
    let traces = vec![file; 8192];
    let error = flows(&traces).unwrap_err().to_string();
    assert_eq!(
        error,
        "the collectives are 67100672 flows, the limit is 33554432"
    );
}

#[test]
fn broken_files_are_refused_with_their_place() {
    let file = write_collective(Collective::AllReduce, 8).unwrap();
    let error = parse(&file[..file.len() - 1]).unwrap_err().to_string();
    assert!(
        error.starts_with("x.0.et: the file ends inside a message at byte"),
        "{error}"
    );
    let error = parse(&[0xff, 0xff, 0xff, 0xff, 0x7f])
        .unwrap_err()
        .to_string();
    assert!(error.contains("the limit is 4194304"), "{error}");
    assert_eq!(
        parse(&[]).unwrap_err().to_string(),
        "the file has no message"
    );
    let error = parse(&trace(&[node(1, 42, 0, &[], &[])]))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "x.0.et, message 2: 42 is no type of a node");
}

fn flow(src: u32, dst: u32, bytes: u64, micros: u64) -> Flow {
    Flow {
        src: HostId::new(src),
        dst: HostId::new(dst),
        bytes: Bytes::new(bytes),
        start: SimTime::from_picos(micros * 1_000_000),
    }
}

#[test]
fn flows_that_are_written_read_back() {
    let list = vec![
        flow(0, 1, 800, 3),
        flow(1, 2, 700, 0),
        flow(2, 0, 600, 0),
        flow(1, 0, 5, 9),
    ];
    let after = [vec![], vec![0], vec![1], vec![]];
    let written = Flows::new(list, &after).unwrap();
    let files = write_flows(&written, 3).unwrap();
    let traces: Vec<_> = files.iter().map(|file| parse(file).unwrap()).collect();
    let read = flows(&traces).unwrap().flows;
    let facts = |flows: &Flows| {
        let fact = |id: FlowId, one: Flow| {
            let waits = flows
                .after(id)
                .iter()
                .map(|at| flows.get(FlowId::new(*at)).bytes);
            (
                one.bytes,
                one.src,
                one.dst,
                one.start,
                waits.collect::<Vec<_>>(),
            )
        };
        let mut facts: Vec<_> = flows.iter().map(|(id, one)| fact(id, one)).collect();
        facts.sort();
        facts
    };
    assert_eq!(facts(&read), facts(&written));
}

#[test]
fn a_trace_cannot_say_that_a_rank_waits_for_what_it_does_not_see() {
    let list = vec![flow(0, 1, 8, 0), flow(2, 3, 8, 0)];
    let flows = Flows::new(list, &[vec![], vec![0]]).unwrap();
    let error = write_flows(&flows, 4).unwrap_err().to_string();
    assert!(
        error.contains("flow 1 waits for flow 0, in which its sender takes no part"),
        "{error}"
    );
    let error = write_flows(&flows, 3).unwrap_err().to_string();
    assert_eq!(error, "flow 1 has host 3 at its end, but there are 3 ranks");
}
