//! GPUs, nodes, fabrics and clusters.

use cluster::spec::{
    DEFAULT_HOST_LATENCY, DEFAULT_LINK_LATENCY, DEFAULT_SCALE_UP_LATENCY, DEFAULT_SWITCH_LATENCY,
};
use cluster::{
    FabricKind, FabricSpec, GpuSpec, HostSpec, MeshLink, NicSpec, NodeSpec, ScaleUpSpec,
    StorageSpec,
};
use units::{BytesPerSec, DType, FlopsPerSec, Watts};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::reference::{Named, named};
use crate::shape::{
    Shape, array, boolean, duration, either, list, mapped, number, one_of, rate, size, table, text,
    whole,
};

/// The version of scenario and hardware files that is read.
pub const SCHEMA: u32 = 1;

/// The keys that every file of the zoo has besides its own.
#[derive(Clone, Debug, Default, PartialEq)]
struct Header {
    name: String,
    source: String,
    notes: String,
}

fn header(t: &mut Fields<'_, '_>) -> Header {
    schema(t);
    t.get("aliases", "further names", list(text())).optional();
    Header {
        name: t.get("name", "what others call it", text()).required(),
        source: t
            .get("source", "where the figures are from", text())
            .or(String::new()),
        notes: t
            .get("notes", "what is uncertain", text())
            .or(String::new()),
    }
}

/// Reads `schema` and refuses a newer one.
pub(crate) fn schema(t: &mut Fields<'_, '_>) -> u32 {
    let schema = t
        .get("schema", "version of this format", whole::<u32>(1))
        .or(SCHEMA);
    if SCHEMA < schema {
        let problem = Problem::NewerSchema {
            found: i64::from(schema),
            supported: SCHEMA,
        };
        t.report("schema", problem);
    }
    schema
}

/// A GPU's data sheet.
pub fn gpu(t: &mut Fields<'_, '_>) -> GpuSpec {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    let (fp32, peaks) = t
        .get(
            "tflops",
            "dense peaks in 10¹² operations per second",
            table(peaks),
        )
        .required();
    GpuSpec {
        name,
        vendor: t.get("vendor", "who makes it", text()).required(),
        architecture: t
            .get("architecture", "the generation, such as Hopper", text())
            .required(),
        form: t
            .get("form", "the form, such as SXM5 or PCIe", text())
            .required(),
        fp32,
        peaks,
        memory: t
            .get("memory", "device memory, as the driver reports it", size())
            .required(),
        bandwidth: t
            .get("bandwidth", "peak rate of the device memory", rate())
            .required(),
        l2: t.get("l2", "second-level cache", size()).optional(),
        sms: t
            .get("sms", "multiprocessors or compute units", whole(1))
            .required(),
        boost_mhz: t
            .get(
                "boost_mhz",
                "highest sustained clock, in megahertz",
                number(Limits::POSITIVE),
            )
            .optional(),
        tdp: Watts::new(
            t.get("tdp_w", "power limit, in watts", number(Limits::POSITIVE))
                .required(),
        ),
        source,
        notes,
    }
}

fn peaks(t: &mut Fields<'_, '_>) -> (FlopsPerSec, Vec<(DType, FlopsPerSec)>) {
    let vector = "vector arithmetic in single precision";
    let fp32 = t.get("fp32", vector, number(Limits::POSITIVE)).required();
    let mut peaks = Vec::new();
    for dtype in DType::ALL.into_iter().filter(|dtype| *dtype != DType::Fp32) {
        let matrix = "matrix arithmetic with these inputs, without sparsity";
        let peak = t
            .get(dtype.name(), matrix, number(Limits::POSITIVE))
            .optional();
        peaks.extend(peak.map(|tera| (dtype, FlopsPerSec::from_tera(tera))));
    }
    (FlopsPerSec::from_tera(fp32), peaks)
}

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
            .get("rate", "of one NIC, one direction", rate())
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

/// The kinds of scale-up connections, as files write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScaleUpKind {
    NvSwitch,
    Mesh,
    FullMesh,
    Pcie,
}

fn scale_up(t: &mut Fields<'_, '_>) -> ScaleUpSpec {
    use ScaleUpKind::{FullMesh, Mesh, NvSwitch, Pcie};
    let kinds = vec![
        ("nvswitch", NvSwitch),
        ("mesh", Mesh),
        ("full-mesh", FullMesh),
        ("pcie", Pcie),
    ];
    let kind = t
        .get("kind", "what connects the GPUs", one_of(kinds))
        .required();
    let of_one = "one direction: of one GPU (nvswitch), one link (mesh), one pair (full-mesh)";
    let given_rate = t.get("rate", of_one, rate()).optional();
    let latency = t
        .get("latency", "of one link", duration())
        .or(DEFAULT_SCALE_UP_LATENCY);
    let domain_nodes = t
        .get(
            "domain_nodes",
            "nvswitch: nodes behind one switch",
            whole(1),
        )
        .or(1);
    let link = mapped(array::<3, _>(whole::<u32>(0)), |[a, b, count]| MeshLink {
        gpus: [a, b],
        count,
    });
    let links = t
        .get(
            "links",
            "mesh: every pair with links as [gpu, gpu, count]",
            list(link),
        )
        .optional();
    if kind != Mesh && links.is_some() {
        t.report("links", not_for("links", "kind = \"mesh\""));
    }
    if kind != NvSwitch && t.has("domain_nodes") {
        t.report(
            "domain_nodes",
            not_for("domain_nodes", "kind = \"nvswitch\""),
        );
    }
    if kind != Pcie && !t.has("rate") {
        t.missing("rate", rate().kind().expected());
    }
    let rate = given_rate.unwrap_or_else(|| rate().blank());
    match kind {
        NvSwitch => ScaleUpSpec::NvSwitch {
            rate,
            latency,
            domain_nodes,
        },
        Mesh => ScaleUpSpec::Mesh {
            rate,
            latency,
            links: links.unwrap_or_default(),
        },
        FullMesh => ScaleUpSpec::FullMesh { rate, latency },
        Pcie => ScaleUpSpec::Pcie,
    }
}

fn not_for(key: &str, condition: &str) -> Problem {
    Problem::Conflict {
        message: format!("`{key}` is only for {condition}"),
        hint: format!("remove `{key}`"),
    }
}

/// The host, and the rate of its drives where `[storage]` does not say more.
fn host(t: &mut Fields<'_, '_>) -> (HostSpec, Option<BytesPerSec>) {
    let gpu_link = t
        .get(
            "gpu_link",
            "of a GPU to its PCIe switch or socket, one direction",
            rate(),
        )
        .required();
    let nic_link = t
        .get(
            "nic_link",
            "of a NIC to the same; as gpu_link where absent",
            rate(),
        )
        .optional();
    let socket_link = t
        .get(
            "socket_link",
            "between two sockets; as gpu_link where absent",
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
            .get("latency", "of one of these links", duration())
            .or(DEFAULT_HOST_LATENCY),
        memory: t.get("memory", "host memory", size()).optional(),
    };
    let drives = "rate of the local drives both ways; or [storage]";
    (host, t.get("storage", drives, rate()).optional())
}

const NETWORK: &str =
    "what carries messages: infiniband, efa, tcp, or another network of a profile; default by name";

/// A fabric between nodes.
pub fn fabric(t: &mut Fields<'_, '_>) -> FabricSpec {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    let kinds = FabricKind::ALL.map(|kind| (kind.name(), kind)).to_vec();
    let kind = t.get("kind", "the shape", one_of(kinds)).required();
    let per_leaf = t
        .get("nodes_per_leaf", "nodes of one group of leaves", whole(1))
        .optional();
    if kind != FabricKind::Single && !t.has("nodes_per_leaf") {
        t.missing("nodes_per_leaf", whole::<u32>(1).kind().expected());
    }
    let level = number(Limits::POSITIVE);
    FabricSpec {
        name,
        kind,
        network: t.get("network", NETWORK, text()).optional(),
        nodes_per_leaf: per_leaf.unwrap_or(1),
        groups_per_pod: t
            .get("groups_per_pod", "groups of leaves in one pod", whole(1))
            .optional(),
        oversubscription: t
            .get(
                "oversubscription",
                "capacity below a level over the capacity above: one number, or [leaf, spine]",
                either(mapped(level, |ratio| vec![ratio]), list(level)),
            )
            .optional()
            .unwrap_or_default(),
        rails: t.get("rails", "rail-optimised: one per NIC where absent", whole(1)).optional(),
        planes: t.get("planes", "separate copies of the fabric", whole(1)).or(1),
        spines: t
            .get("spines", "spines per pod and plane; one per uplink of a leaf", whole(1))
            .optional(),
        cores: t
            .get("cores", "core switches per spine of a pod; one per uplink", whole(1))
            .optional(),
        link_rate: t
            .get("link_rate", "of a cable between switches; the fastest NIC's", rate())
            .optional(),
        link_latency: t
            .get("link_latency", "of one cable, with its ports", duration())
            .or(DEFAULT_LINK_LATENCY),
        switch_latency: t
            .get("switch_latency", "through one switch", duration())
            .or(DEFAULT_SWITCH_LATENCY),
        measured: t
            .get(
                "measured_gbytes_per_s",
                "row: sending node, column: receiving node, in 10⁹ bytes per second; 0: not measured",
                list(list(mapped(number(Limits::at_least(0.0)), BytesPerSec::from_gbytes))),
            )
            .optional(),
        source,
        notes,
    }
}

/// A cluster as its file says it: nodes and fabric may be names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterFile {
    /// What the report calls it.
    pub name: String,
    /// The nodes.
    pub nodes: Vec<Nodes>,
    /// What connects them.
    pub fabric: Option<Named<FabricSpec>>,
    /// Data sheets beside those of the zoo.
    pub gpus: Vec<GpuSpec>,
    /// Where the figures are from.
    pub source: String,
    /// What is uncertain.
    pub notes: String,
}

/// Nodes of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Their kind.
    pub kind: Named<NodeSpec>,
    /// How many.
    pub count: u32,
    /// GPUs used in each of them, default all.
    pub gpus: Option<u32>,
}

/// A cluster file.
pub fn cluster(t: &mut Fields<'_, '_>) -> ClusterFile {
    let Header {
        name,
        source,
        notes,
    } = header(t);
    ClusterFile {
        name,
        nodes: t
            .get("nodes", "nodes by kind", list(table(nodes)))
            .required(),
        fabric: t.get("fabric", FABRIC, named(fabric)).optional(),
        gpus: t
            .get("gpus", GPUS, list(table(gpu)))
            .optional()
            .unwrap_or_default(),
        source,
        notes,
    }
}

pub(crate) const FABRIC: &str = "what connects the nodes: a name, a file or a table";
pub(crate) const GPUS: &str = "data sheets beside those of the zoo";

pub(crate) fn nodes(t: &mut Fields<'_, '_>) -> Nodes {
    Nodes {
        kind: t
            .get("kind", "a name, a file or a table", named(node))
            .required(),
        count: t.get("count", "nodes of that kind", whole(1)).required(),
        gpus: t
            .get("gpus", "GPUs used in each of them, default all", whole(1))
            .optional(),
    }
}
