//! From flows, or a collective, to the traces of all ranks.

use prost::Message;
use traffic::{FlowId, Flows};

use super::Collective;
use super::message::{Attribute, GlobalMetadata, NodeMessage, NodeType, Scalar};
use crate::import_error::ImportError;

/// The version of the schema that is written.
const VERSION: &str = "0.0.4";

/// Writes flows as sends and receives: the file of each rank. Host `r` is rank `r`.
///
/// The start of a flow is a node that computes until then, in whole microseconds, rounded up. A
/// flow from a rank to itself is a node that computes nothing. A flow waits for the receipt of
/// another at its sender, or for a send of its sender's own.
///
/// # Errors
///
/// A host that is no rank, and a flow that waits for one that its sender does not take part in:
/// a rank knows only what itself does.
pub fn write_flows(flows: &Flows, ranks: u32) -> Result<Vec<Vec<u8>>, ImportError> {
    let mut files = vec![begun(); ranks as usize];
    for (id, flow) in flows.iter() {
        let number = u64::from(id.get());
        if let Some(host) = [flow.src, flow.dst].iter().find(|host| ranks <= host.get()) {
            return Err(ImportError::CannotSay(format!(
                "flow {number} has host {host} at its end, but there are {ranks} ranks"
            )));
        }
        let mut after = Vec::new();
        for &before in flows.after(id) {
            after.push(known(flows, id, FlowId::new(before))?);
        }
        let source = &mut files[flow.src.index()];
        let micros = flow.start.as_picos().div_ceil(1_000_000);
        if micros != 0 {
            let node = NodeMessage {
                duration_micros: micros,
                ..node(ids(number)[2], format!("start{number}"), NodeType::Comp)
            };
            push(source, &node);
            after.push(node.id);
        }
        if flow.src == flow.dst {
            let join = NodeMessage {
                data_deps: after,
                ..node(ids(number)[1], format!("flow{number}"), NodeType::Comp)
            };
            push(source, &join);
            continue;
        }
        let attributes = message(&flow, number)?;
        let send = NodeMessage {
            data_deps: after,
            attr: attributes.clone(),
            ..node(ids(number)[0], format!("send{number}"), NodeType::CommSend)
        };
        push(source, &send);
        let receive = NodeMessage {
            attr: attributes,
            ..node(ids(number)[1], format!("recv{number}"), NodeType::CommRecv)
        };
        push(&mut files[flow.dst.index()], &receive);
    }
    Ok(files)
}

/// Writes a collective of all ranks: the file of every one of them. Bytes are in the sense of
/// [`Collective`].
///
/// # Errors
///
/// A size of 2⁶³ bytes or more.
pub fn write_collective(kind: Collective, bytes: u64) -> Result<Vec<u8>, ImportError> {
    let size = i64::try_from(bytes)
        .map_err(|_| ImportError::CannotSay(format!("{bytes} bytes are not below 2⁶³")))?;
    let number = match kind {
        Collective::AllReduce => 0,
        Collective::Reduce => 1,
        Collective::AllGather => 2,
        Collective::Gather => 3,
        Collective::Scatter => 4,
        Collective::Broadcast => 5,
        Collective::AllToAll => 6,
        Collective::ReduceScatter => 7,
        Collective::Barrier => 9,
    };
    let mut file = begun();
    let node = NodeMessage {
        attr: vec![
            attribute("is_cpu_op", Scalar::Bool(false)),
            attribute("comm_type", Scalar::Int64(number)),
            attribute("comm_size", Scalar::Int64(size)),
        ],
        ..node(1, format!("{kind:?}"), NodeType::CommColl)
    };
    push(&mut file, &node);
    Ok(file)
}

/// A file with what stands before all nodes.
fn begun() -> Vec<u8> {
    GlobalMetadata {
        version: VERSION.to_owned(),
        attr: Vec::new(),
    }
    .encode_length_delimited_to_vec()
}

fn push(file: &mut Vec<u8>, node: &NodeMessage) {
    file.extend(node.encode_length_delimited_to_vec());
}

fn node(id: u64, name: String, kind: NodeType) -> NodeMessage {
    NodeMessage {
        id,
        name,
        kind: kind.into(),
        attr: vec![attribute("is_cpu_op", Scalar::Bool(false))],
        ..NodeMessage::default()
    }
}

/// The ids of a flow: of its send, of its receipt, and of what delays it.
const fn ids(flow: u64) -> [u64; 3] {
    [3 * flow + 1, 3 * flow + 2, 3 * flow + 3]
}

/// The node at the sender of a flow that ends with another flow.
fn known(flows: &Flows, id: FlowId, before: FlowId) -> Result<u64, ImportError> {
    let [flow, earlier] = [id, before].map(|id| flows.get(id));
    let [send, receipt, _] = ids(before.get().into());
    if earlier.dst == flow.src {
        Ok(receipt)
    } else if earlier.src == flow.src {
        Ok(send)
    } else {
        Err(ImportError::CannotSay(format!(
            "flow {} waits for flow {}, in which its sender takes no part: a Chakra trace cannot say that",
            id.get(),
            before.get()
        )))
    }
}

fn message(flow: &traffic::Flow, number: u64) -> Result<Vec<Attribute>, ImportError> {
    let bytes = flow.bytes.as_u64();
    let large =
        || ImportError::CannotSay(format!("flow {number} has {bytes} bytes, not below 2⁶³"));
    let rank = |rank: u32| Scalar::Uint32(rank);
    let tag = Scalar::Uint32(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(vec![
        attribute("is_cpu_op", Scalar::Bool(false)),
        attribute("comm_src", rank(flow.src.get())),
        attribute("comm_dst", rank(flow.dst.get())),
        attribute("comm_tag", tag),
        attribute(
            "comm_size",
            Scalar::Int64(i64::try_from(bytes).map_err(|_| large())?),
        ),
    ])
}

fn attribute(name: &str, value: Scalar) -> Attribute {
    Attribute {
        name: name.to_owned(),
        value: Some(value),
    }
}
