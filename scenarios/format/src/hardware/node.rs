//! Kinds of nodes: what is around their GPUs.

use cluster::spec::DEFAULT_HOST_LATENCY;
use cluster::{HostSpec, NicSpec, NodeSpec, StorageSpec};
use units::BytesPerSec;

use super::scale_up::scale_up;
use super::{Header, header};
use crate::error::Problem;
use crate::fields::Fields;
use crate::shape::{Shape, boolean, duration, rate, size, table, text, whole};

/// A kind of node.
pub fn node(t: &mut Fields<'_, '_>) -> NodeSpec {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    let gpu = t.get("gpu", "name of its GPU", text()).required();
    let gpus = t.get("gpus", "how many of them", whole(1)).required();
    let connects = "what connects the GPUs";
    let scale_up = t.get("scale_up", connects, table(scale_up)).required();
    let connects = "what connects GPUs, NICs and host memory";
    let (host, drives) = t.get("host", connects, table(host)).required();
    let storage = t
        .get("storage", "the local drives, all together", table(storage))
        .optional();
    if storage.is_some() && drives.is_some() {
        let problem = Problem::Conflict {
            message: "the node has both `host.storage` and [storage]".to_owned(),
            hint: "remove `host.storage`".to_owned(),
        };
        t.report("storage", problem);
    }
    NodeSpec {
        name,
        gpu,
        gpus,
        scale_up,
        host,
        nics: t
            .get("nics", "what leads to the fabric", table(nics))
            .optional()
            .unwrap_or_else(stands_alone),
        storage: storage.or_else(|| drives.map(both_ways)),
        source,
        notes,
    }
}

fn storage(t: &mut Fields<'_, '_>) -> StorageSpec {
    let read = t.get("read", "what they read at most", rate()).required();
    StorageSpec {
        read,
        write: t
            .get(
                "write",
                "what they write at most; as read where absent",
                rate(),
            )
            .optional()
            .unwrap_or(read),
        capacity: t.get("capacity", "what they hold", size()).optional(),
    }
}

/// Drives that write as fast as they read.
const fn both_ways(rate: BytesPerSec) -> StorageSpec {
    StorageSpec {
        read: rate,
        write: rate,
        capacity: None,
    }
}

/// A node without NICs. Their rate is never asked for.
fn stands_alone() -> NicSpec {
    NicSpec {
        count: 0,
        rate: rate().blank(),
        striped: true,
    }
}

fn nics(t: &mut Fields<'_, '_>) -> NicSpec {
    NicSpec {
        count: t
            .get(
                "count",
                "NICs of the node that lead to the fabric",
                whole(0),
            )
            .required(),
        rate: t
            .get("rate", "rate of one NIC, in one direction", rate())
            .required(),
        striped: t
            .get(
                "striped",
                "whether messages are cut over all NICs of a GPU",
                boolean(),
            )
            .or(true),
    }
}

/// The host, and the rate of its drives where `[storage]` does not say more.
fn host(t: &mut Fields<'_, '_>) -> (HostSpec, Option<BytesPerSec>) {
    let gpu_link = t
        .get(
            "gpu_link",
            "rate of a GPU to its PCIe switch or socket, in one direction",
            rate(),
        )
        .required();
    let nic_link = t
        .get(
            "nic_link",
            "rate of a NIC to the same; as gpu_link where absent",
            rate(),
        )
        .optional();
    let socket_link = t
        .get(
            "socket_link",
            "rate between two sockets; as gpu_link where absent",
            rate(),
        )
        .optional();
    let host = HostSpec {
        cpu: t
            .get("cpu", "the processor, for the reader", text())
            .or(String::new()),
        sockets: t.get("sockets", "CPU sockets", whole(1)).or(1),
        gpus_per_switch: t
            .get(
                "gpus_per_switch",
                "GPUs on one PCIe switch; 0: on the socket",
                whole(0),
            )
            .or(0),
        gpu_link,
        nic_link: nic_link.unwrap_or(gpu_link),
        socket_link: socket_link.unwrap_or(gpu_link),
        latency: t
            .get("latency", "latency of one of these links", duration())
            .or(DEFAULT_HOST_LATENCY),
        memory: t.get("memory", "host memory", size()).optional(),
    };
    let drives = "rate of the local drives both ways; or [storage]";
    (host, t.get("storage", drives, rate()).optional())
}
