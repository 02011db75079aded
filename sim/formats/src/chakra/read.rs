//! From a file to a trace.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};

use prost::Message;

use super::message::{Attribute, GlobalMetadata, NodeMessage, NodeType};
use super::{Collective, Node, Trace, Work};
use crate::import_error::{ImportError, shown};

/// The longest message: a node has names and shapes of tensors, but no data.
const MAX_MESSAGE: u64 = 4 << 20;
const MAX_NODES: usize = 1 << 20;
/// Names of attributes that are told as ignored.
const MAX_IGNORED: usize = 64;

/// Reads the trace of a rank.
///
/// * `name` — of the file, for errors.
///
/// # Errors
///
/// Where the input fails, ends early or holds no such messages; the first node that cannot be.
pub fn read(name: &str, input: &mut impl Read) -> Result<Trace, ImportError> {
    let mut messages = Messages {
        name,
        input,
        offset: 0,
        count: 0,
    };
    let mut trace = Trace::default();
    let mut ignored = BTreeSet::new();
    let Some(bytes) = messages.next()? else {
        return Err(ImportError::Without { what: "message" });
    };
    let about = GlobalMetadata::decode(&*bytes).map_err(|error| messages.broken(&error))?;
    trace.version = about.version;
    if !about.attr.is_empty() {
        ignored.insert("attributes of the whole trace".to_owned());
    }
    while let Some(bytes) = messages.next()? {
        let message = NodeMessage::decode(&*bytes).map_err(|error| messages.broken(&error))?;
        if trace.nodes.len() == MAX_NODES {
            return Err(messages.wrong(format!("more than {MAX_NODES} nodes")));
        }
        let node = node(message, &mut ignored).map_err(|what| messages.wrong(what))?;
        trace.nodes.push(node);
    }
    trace.ignored = ignored.into_iter().collect();
    Ok(trace)
}

/// Messages behind their lengths.
struct Messages<'m, R> {
    name: &'m str,
    input: &'m mut R,
    offset: u64,
    count: u64,
}

impl<R: Read> Messages<'_, R> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, ImportError> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        self.count += 1;
        if MAX_MESSAGE < length {
            return Err(self.wrong(format!(
                "it claims {length} bytes, the limit is {MAX_MESSAGE}"
            )));
        }
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(length).read_to_end(&mut bytes);
        read.map_err(|error| self.wrong(error.to_string()))?;
        self.offset += bytes.len() as u64;
        if (bytes.len() as u64) < length {
            return Err(self.truncated());
        }
        Ok(Some(bytes))
    }

    /// A number with seven bits in each byte; `None` where the file ends before it.
    fn length(&mut self) -> Result<Option<u64>, ImportError> {
        let mut length = 0_u64;
        for place in 0..5 {
            let mut byte = [0];
            match self.input.read_exact(&mut byte) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return if place == 0 {
                        Ok(None)
                    } else {
                        Err(self.truncated())
                    };
                }
                Err(error) => return Err(self.wrong(error.to_string())),
            }
            self.offset += 1;
            length |= u64::from(byte[0] & 0x7f) << (7 * place);
            if byte[0] & 0x80 == 0 {
                return Ok(Some(length));
            }
        }
        Err(self.wrong("its length is no number below 2³⁵".to_owned()))
    }

    fn truncated(&self) -> ImportError {
        ImportError::Truncated {
            name: self.name.to_owned(),
            offset: self.offset,
        }
    }

    fn broken(&self, error: &prost::DecodeError) -> ImportError {
        self.wrong(shown(&error.to_string()))
    }

    fn wrong(&self, what: String) -> ImportError {
        ImportError::Message {
            name: self.name.to_owned(),
            message: self.count,
            what,
        }
    }
}

/// The attributes that are read, or say nothing of flows.
const KNOWN: [&str; 13] = [
    "is_cpu_op",
    "comm_type",
    "comm_size",
    "comm_src",
    "comm_dst",
    "comm_tag",
    "comm_priority",
    "pg_name",
    "root",
    "root_rank",
    "num_ops",
    "tensor_size",
    "rank",
];

fn node(message: NodeMessage, ignored: &mut BTreeSet<String>) -> Result<Node, String> {
    let attributes = &message.attr;
    let others = attributes.iter().filter(|one| !KNOWN.contains(&&*one.name));
    for other in others {
        if ignored.len() < MAX_IGNORED {
            ignored.insert(shown(&other.name));
        }
    }
    let kind = NodeType::try_from(message.kind).unwrap_or(NodeType::Invalid);
    let work = match kind {
        NodeType::CommSend => Work::Send {
            to: rank(attributes, "comm_dst")?,
            tag: whole(attributes, "comm_tag")?.unwrap_or(0),
            bytes: size(attributes)?,
        },
        NodeType::CommRecv => Work::Receive {
            from: rank(attributes, "comm_src")?,
            tag: whole(attributes, "comm_tag")?.unwrap_or(0),
        },
        NodeType::CommColl => collective(attributes)?,
        NodeType::Invalid => {
            return Err(format!("{} is no type of a node", message.kind));
        }
        NodeType::Metadata | NodeType::MemLoad | NodeType::MemStore | NodeType::Comp => Work::Local,
    };
    if message.start_time_micros != 0 {
        ignored.insert("start_time_micros".to_owned());
    }
    let mut after = message.data_deps;
    after.extend(message.ctrl_deps);
    Ok(Node {
        id: message.id,
        name: message.name,
        micros: message.duration_micros,
        work,
        after,
    })
}

fn collective(attributes: &[Attribute]) -> Result<Work, String> {
    let number = whole(attributes, "comm_type")?;
    let number = number.ok_or("a collective has no `comm_type`")?;
    let kind = match number {
        0 => Collective::AllReduce,
        1 => Collective::Reduce,
        2 => Collective::AllGather,
        3 => Collective::Gather,
        4 => Collective::Scatter,
        5 => Collective::Broadcast,
        6 => Collective::AllToAll,
        7 | 8 => Collective::ReduceScatter,
        9 => Collective::Barrier,
        _ => return Err(format!("`comm_type` {number} is no collective")),
    };
    let root = ["root", "root_rank"]
        .into_iter()
        .find(|name| attributes.iter().any(|one| one.name == *name));
    let group = attributes.iter().find(|one| one.name == "pg_name");
    Ok(Work::Collective {
        kind,
        bytes: if kind == Collective::Barrier {
            0
        } else {
            size(attributes)?
        },
        root: root.map_or(Ok(0), |name| rank(attributes, name))?,
        group: group.map_or_else(String::new, |one| match &one.value {
            Some(super::message::Scalar::Text(text)) => text.clone(),
            Some(value) => value.whole().map_or_else(String::new, |n| n.to_string()),
            None => String::new(),
        }),
    })
}

fn whole(attributes: &[Attribute], name: &str) -> Result<Option<i64>, String> {
    let Some(found) = attributes.iter().find(|one| one.name == name) else {
        return Ok(None);
    };
    let value = found.value.as_ref().and_then(super::message::Scalar::whole);
    value
        .map(Some)
        .ok_or(format!("`{name}` is no whole number"))
}

fn rank(attributes: &[Attribute], name: &str) -> Result<u32, String> {
    let value = whole(attributes, name)?.ok_or(format!("`{name}` is missing"))?;
    u32::try_from(value).map_err(|_| format!("`{name}`: {value} is no rank"))
}

fn size(attributes: &[Attribute]) -> Result<u64, String> {
    let value = whole(attributes, "comm_size")?.ok_or("`comm_size` is missing")?;
    u64::try_from(value).map_err(|_| format!("`comm_size`: {value} is no size"))
}
