//! Lists of flows.

use std::fmt::Write;

use formats::flows_csv::{FlowIds, FlowList, FlowsCsvError, read, write};
use proptest::prelude::*;
use traffic::{Flow, FlowId, Flows};
use units::{Bytes, HostId, SimTime};

fn host(name: &str) -> Option<HostId> {
    let number = name.strip_prefix('n')?.parse().ok()?;
    (number < 100).then(|| HostId::new(number))
}

fn list(text: &str) -> Result<FlowList, FlowsCsvError> {
    read(text.as_bytes(), host)
}

fn message(text: &str) -> String {
    list(text).unwrap_err().to_string()
}

#[test]
fn rows_are_flows_in_their_order() {
    let text = "id,src,dst,bytes,start_s,after\n\
                a,n0,n1,65536,0,\n\
                b,n1,n2,0,0.000001,a\n\
                c,n2,n2,18446744073709551615,2e-6,a;b\n";
    let list = list(text).unwrap();
    let c = list.ids.find("c").unwrap();
    assert_eq!(
        list.flows.get(c),
        Flow {
            src: HostId::new(2),
            dst: HostId::new(2),
            bytes: Bytes::new(u64::MAX),
            start: SimTime::from_picos(2_000_000),
        }
    );
    assert_eq!(list.flows.after(c), [0, 1]);
    assert_eq!(list.ids.get(FlowId::new(1)), "b");
}

#[test]
fn columns_may_be_in_any_order_and_quoted_and_the_last_two_left_out() {
    let text = "\u{feff}\"bytes\",dst,src,id\r\n 8 ,n1,\"n0\", \"x, \"\"y\"\"\" \r\n\r\n";
    let list = list(text).unwrap();
    assert_eq!(list.ids.get(FlowId::new(0)), "x, \"y\"");
    assert_eq!(list.flows.get(FlowId::new(0)).bytes, Bytes::new(8));
}

#[test]
fn a_flow_may_wait_for_a_later_row() {
    let list = list("id,src,dst,bytes,after\n7,n0,n1,8,9;8\n8,n0,n1,8,\n9,n0,n1,8,8\n").unwrap();
    assert_eq!(list.flows.after(FlowId::new(0)), [2, 1]);
}

#[test]
fn ids_that_only_look_like_numbers_are_different_texts() {
    let list = list("id,src,dst,bytes\n0,n0,n1,8\n1,n0,n1,8\n01,n0,n1,8\n").unwrap();
    assert_eq!(list.ids.find("01"), Some(FlowId::new(2)));
    assert_eq!(list.ids.find("1"), Some(FlowId::new(1)));
    assert_eq!(list.ids.find("+1"), None);
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let rows = |rows: &str| message(&format!("id,src,dst,bytes,start_s,after\n{rows}"));
    assert_eq!(message(""), "the file is empty");
    assert_eq!(message("id,src,bytes\n"), "line 1 has no column `dst`");
    assert_eq!(
        message("id,src,dst,bytes,prio\n"),
        "line 1 has the column \"prio\", which flows do not have"
    );
    assert_eq!(
        message("id,src,dst,bytes,id\n"),
        "line 1 has the column `id` twice"
    );
    assert_eq!(rows("a,n0,n1,8\n"), "line 2 has 4 cells, line 1 has 6");
    assert_eq!(
        rows("a,n0,n1,8,0,\nb,n0,n1,8.5,0,\n"),
        "line 3, `bytes`: \"8.5\" is not a whole number of bytes below 2⁶⁴"
    );
    assert_eq!(
        rows("a,n0,n1,8,-1,\n"),
        "line 2, `start_s`: \"-1\" is not a time from 0 to 18,446,744 seconds"
    );
    assert_eq!(
        rows("a,n0,n100,8,0,\n"),
        "line 2, `dst`: no host is named \"n100\""
    );
    assert_eq!(
        rows("a,n0,n1,8,0,\na,n0,n1,8,0,\n"),
        "line 3, `id`: \"a\" is the id of line 2, too"
    );
    assert_eq!(
        rows("5,n0,n1,8,0,\n6,n0,n1,8,0,\n5,n0,n1,8,0,\n"),
        "line 4, `id`: \"5\" is the id of line 2, too"
    );
    assert_eq!(
        rows("a,n0,n1,8,0,\nb,n0,n1,8,0,a;zz\n"),
        "line 3, `after`: no flow has the id \"zz\""
    );
    assert_eq!(
        rows("a,n0,n1,8,0,b\nb,n0,n1,8,0,c\nc,n0,n1,8,0,b\n"),
        "line 3, `after`: flow \"b\" waits for itself through 1 other"
    );
    assert_eq!(
        rows("a,n0,n1,8,0,a\n"),
        "line 2, `after`: flow \"a\" waits for itself"
    );
    assert_eq!(rows("\na,n0,n1,8,0,\n"), "line 2 is empty");
    assert_eq!(
        rows("\"a,n0,n1,8,0,\n"),
        "line 2 has a quote that does not close its cell"
    );
    let error = read(&b"id,src,dst,bytes\n\xff,n0,n1,8\n"[..], host).unwrap_err();
    assert_eq!(error.to_string(), "line 2 is not UTF-8");
}

#[test]
fn a_long_cell_is_cut_in_the_message() {
    let text = format!("id,src,dst,bytes\na,{},n1,8\n", "é".repeat(10_000));
    assert!(message(&text).len() < 300);
}

fn flows() -> impl Strategy<Value = (Flows, Vec<String>)> {
    let flow = (0..50_u32, 0..50_u32, any::<u64>(), any::<u64>());
    let id = "([a-z,\"é][a-z,\"é ]{0,2})?";
    proptest::collection::vec((flow, id, any::<u16>()), 0..40).prop_map(|rows| {
        let mut list = Vec::new();
        let mut after = Vec::new();
        let mut ids = Vec::new();
        for (index, ((src, dst, bytes, start), id, waits)) in rows.into_iter().enumerate() {
            list.push(Flow {
                src: HostId::new(src),
                dst: HostId::new(dst),
                bytes: Bytes::new(bytes),
                start: SimTime::from_picos(start),
            });
            let waits = (0..16).filter(|bit| waits >> bit & 1 == 1);
            after.push(waits.filter(|&place| (place as usize) < index).collect());
            ids.push(format!("{id}{index}"));
        }
        (Flows::new(list, &after).unwrap(), ids)
    })
}

/// A list with those ids, by way of a text in which they are quoted.
fn named(ids: &[String]) -> FlowIds {
    let mut text = "id,src,dst,bytes\n".to_owned();
    for id in ids {
        writeln!(text, "\"{}\",n0,n1,1", id.replace('"', "\"\"")).unwrap();
    }
    list(&text).unwrap().ids
}

proptest! {
    #[test]
    fn what_is_written_reads_back_equal((flows, ids) in flows(), counted in any::<bool>()) {
        let count = u32::try_from(flows.len()).unwrap();
        let ids = if counted { FlowIds::counted(count) } else { named(&ids) };
        let mut text = Vec::new();
        write(&mut text, &flows, &ids, |host| format!("n{host}")).unwrap();
        let again = read(text.as_slice(), host).unwrap();
        prop_assert_eq!(&again.flows, &flows);
        for (flow, _) in flows.iter() {
            prop_assert_eq!(again.ids.get(flow), ids.get(flow));
            prop_assert_eq!(again.ids.find(&ids.get(flow)), Some(flow));
        }
    }
}
