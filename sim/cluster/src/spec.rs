//! What a file says about hardware: plain data with public fields, checked by
//! [`Cluster::build`](crate::Cluster::build).
//!
//! # Files
//!
//! The zoo has one TOML file per GPU, node, fabric and cluster; a user's file has the same keys.
//! Every file has `schema = 1`, `name`, `source` (where its figures are from), and may have
//! `notes` (one text) and `aliases` (a list of further names). Rates (`"450 GB/s"`,
//! `"400 Gbit/s"`), sizes (`"80 GiB"`) and durations (`"250 ns"`) are strings with a unit.
//! Every rate is one direction.
//!
//! `gpus/NAME.toml` is a [`GpuSpec`]:
//!
//! | key | field | |
//! |---|---|---|
//! | `vendor`, `architecture`, `form` | same | texts |
//! | `memory` | `memory` | size that the driver reports, where known |
//! | `bandwidth` | `bandwidth` | rate of the device memory |
//! | `l2` | `l2` | size, optional |
//! | `sms` | `sms` | multiprocessors or compute units |
//! | `boost_mhz` | `boost_mhz` | number, optional |
//! | `tdp_w` | `tdp` | number, watts |
//! | `[tflops]` `fp32` | `fp32` | number, 10¹² operations per second, vector |
//! | `[tflops]` `tf32`, `fp16`, `bf16`, `fp8`, `mxfp8`, `nvfp4`, `int8` | `peaks` | numbers, 10¹², dense, matrix |
//!
//! `nodes/NAME.toml` is a [`NodeSpec`]:
//!
//! | key | field | |
//! |---|---|---|
//! | `gpu` | `gpu` | name of a GPU |
//! | `gpus` | `gpus` | GPUs in the node |
//! | `[scale_up]` `kind` | [`ScaleUpSpec`] | `"nvswitch"`, `"mesh"`, `"full-mesh"` or `"pcie"` |
//! | `[scale_up]` `rate` | `rate` | of one GPU (`nvswitch`), one link (`mesh`) or one pair (`full-mesh`) |
//! | `[scale_up]` `latency` | `latency` | of one link, default `"250 ns"` |
//! | `[scale_up]` `domain_nodes` | `domain_nodes` | `nvswitch` only: nodes behind one switch, default 1 |
//! | `[scale_up]` `links` | `links` | `mesh` only: list of `[gpu, gpu, count]` |
//! | `[host]` `cpu` | `cpu` | text, optional |
//! | `[host]` `sockets` | `sockets` | CPU sockets, default 1 |
//! | `[host]` `gpus_per_switch` | `gpus_per_switch` | GPUs on one `PCIe` switch; 0 (default): on the socket itself |
//! | `[host]` `gpu_link` | `gpu_link` | rate from a GPU to its `PCIe` switch or socket |
//! | `[host]` `nic_link` | `nic_link` | rate from a NIC to the same; default `gpu_link` |
//! | `[host]` `socket_link` | `socket_link` | rate between two sockets; default `gpu_link` |
//! | `[host]` `latency` | `latency` | of one host link, default `"300 ns"` |
//! | `[host]` `memory` | `memory` | size of the host memory, optional |
//! | `[host]` `storage` | [`StorageSpec`] | rate of the local drives both ways; or the section `[storage]` |
//! | `[storage]` `read` | `read` | rate of all local drives together |
//! | `[storage]` `write` | `write` | the same for writing, default `read` |
//! | `[storage]` `capacity` | `capacity` | size of all local drives together, optional |
//! | `[nics]` `count` | `count` | NICs of the node for the fabric, 0 where the section is absent |
//! | `[nics]` `rate` | `rate` | of one NIC |
//! | `[nics]` `striped` | `striped` | default true, see [`NicSpec::striped`] |
//!
//! `fabrics/NAME.toml` is a [`FabricSpec`]:
//!
//! | key | field | |
//! |---|---|---|
//! | `kind` | [`FabricKind`] | `"single"`, `"leaf-spine"`, `"rail-optimised"`, `"fat-tree"`, `"dragonfly"`, `"torus"` or `"graph"` |
//! | `network` | `network` | what carries messages over it: the name of an entry of a profile's networks, such as `"infiniband"` or `"efa"`; default by the name of the fabric |
//! | `nodes_per_leaf` | `nodes_per_leaf` | nodes of one group of leaves: required for fabrics with leaves |
//! | `groups_per_pod` | `groups_per_pod` | groups of leaves in a pod: required for `fat-tree`, makes `rail-optimised` three-level |
//! | `oversubscription` | `oversubscription` | number, or list `[leaf, spine]`; default 1 |
//! | `rails` | `rails` | `rail-optimised`: default one per NIC of a node |
//! | `nics_per_group` | `nics_per_group` | NICs of a domain over which one communicator sends; default those of all its ranks |
//! | `planes` | `planes` | `leaf-spine`, `fat-tree`: separate copies of the fabric, default 1 |
//! | `spines` | `spines` | spine switches per pod and plane, default one per uplink of a leaf |
//! | `cores` | `cores` | `fat-tree`: core switches per spine of a pod, default one per uplink |
//! | `link_rate` | `link_rate` | of one cable between switches; default the fastest NIC |
//! | `link_latency` | `link_latency` | of a cable with its two ports, default `"500 ns"` |
//! | `switch_latency` | `switch_latency` | through one switch, default `"300 ns"` |
//! | `nodes_per_router` | [`RouterSpec::nodes_per_router`] | `dragonfly`, `torus`: nodes on one router, default 1 |
//! | `dimensions` | [`RouterSpec::dimensions`] | `torus`: list of two or three counts of routers |
//! | `groups` | [`RouterSpec::groups`] | `dragonfly`: groups of routers |
//! | `routers_per_group` | [`RouterSpec::per_group`] | `dragonfly`: routers of one group |
//! | `global_links` | [`RouterSpec::global_links`] | `dragonfly`: cables of one router to other groups |
//! | `global_rate`, `global_latency` | [`RouterSpec`] | `dragonfly`: of a cable between groups, default `link_rate` and `link_latency` |
//! | `detours` | [`RouterSpec::detours`] | `dragonfly`: whether load balancing is also offered a way over each other group, default false |
//! | `switches` | [`GraphSpec::switches`] | `graph`: list of names; `"leaf[0-3]"` stands for four |
//! | `[[cables]]` `ends` | [`CableSpec::ends`] | two switches; where names stand for several, all of the one with all of the other |
//! | `[[cables]]` `count` | [`CableSpec::count`] | cables between two switches, as one link; default 1 |
//! | `[[cables]]` `rate`, `latency` | [`CableSpec`] | of one cable, default `link_rate` and `link_latency` |
//! | `[[attach]]` `switches` | [`AttachSpec::switches`] | on which nodes hang, in order |
//! | `[[attach]]` `nodes_per_switch` | [`AttachSpec::nodes_per_switch`] | default 1 |
//! | `[[attach]]` `first_node` | [`AttachSpec::first_node`] | default the one behind those of the rule before |
//! | `[[attach]]` `nic` | [`AttachSpec::nic`] | which NIC of the nodes, default all |
//! | `measured_gbytes_per_s` | `measured` | list of rows: row = sending node, column = receiving node, 10⁹ B/s, shared by all transfers from the one to the other; 0 = not measured |
//!
//! `clusters/NAME.toml` is a [`ClusterSpec`]; a scenario's `[cluster]` has the same keys:
//!
//! | key | field | |
//! |---|---|---|
//! | `fabric` | `fabric` | name of a fabric, or a table with the keys of a fabric file |
//! | `[[nodes]]` `kind` | [`NodeGroup::node`] | name of a node, or a table with the keys of a node file |
//! | `[[nodes]]` `count` | `count` | nodes of that kind; a scenario's `nodes = N` replaces the only count |
//! | `[[nodes]]` `gpus` | `gpus_used` | GPUs used in each of them, default all |
//! | `[[gpus]]` | `gpus` | optional: GPUs with the keys of a GPU file, beside those of the zoo |

use units::{Bytes, BytesPerSec, DType, FlopsPerSec, Seconds, Watts};

/// Latency of one NVLink or Infinity Fabric link where a file gives none.
///
/// Peer-to-peer loads over NVSwitch take 0.5 to 0.7 µs over two links (microbenchmarks of A100
/// and H100; approximate).
pub const DEFAULT_SCALE_UP_LATENCY: Seconds = Seconds::from_secs(250e-9);

/// Latency of one `PCIe` or socket link where a file gives none.
///
/// Neugebauer et al., SIGCOMM 2018, measure 0.5 to 1 µs for a `PCIe` round trip of a small read.
pub const DEFAULT_HOST_LATENCY: Seconds = Seconds::from_secs(300e-9);

/// Latency of one fabric cable, with its ports, where a file gives none.
pub const DEFAULT_LINK_LATENCY: Seconds = Seconds::from_secs(500e-9);

/// Latency through one switch where a file gives none: InfiniBand switches print 90 to 230 ns
/// port to port, Ethernet switches 0.4 to 1 µs.
pub const DEFAULT_SWITCH_LATENCY: Seconds = Seconds::from_secs(300e-9);

/// The data sheet of a GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuSpec {
    /// The name that nodes and profiles refer to.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// The generation, for example `Hopper`.
    pub architecture: String,
    /// The form, for example `SXM5` or `PCIe`.
    pub form: String,
    /// Peak of vector arithmetic in single precision.
    pub fp32: FlopsPerSec,
    /// Dense peaks of matrix arithmetic, by input format; absent formats cannot be multiplied.
    pub peaks: Vec<(DType, FlopsPerSec)>,
    /// Device memory, as the driver reports it where known.
    pub memory: Bytes,
    /// Peak rate of the device memory.
    pub bandwidth: BytesPerSec,
    /// Second-level cache.
    pub l2: Option<Bytes>,
    /// Multiprocessors, or compute units.
    pub sms: u32,
    /// The highest sustained clock of the data sheet, in megahertz.
    pub boost_mhz: Option<f64>,
    /// Power limit.
    pub tdp: Watts,
    /// Where the figures are from.
    pub source: String,
    /// Disagreements between sources, and what is uncertain.
    pub notes: String,
}

impl GpuSpec {
    /// Dense peak of products with inputs of that format; `fp32` is the vector peak.
    pub fn peak(&self, dtype: DType) -> Option<FlopsPerSec> {
        let listed = self.peaks.iter().find(|(format, _)| *format == dtype);
        match (listed, dtype) {
            (Some((_, peak)), _) => Some(*peak),
            (None, DType::Fp32) => Some(self.fp32),
            (None, _) => None,
        }
    }
}

/// A kind of node: GPUs, what connects them, and what leads out.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// The name that clusters refer to.
    pub name: String,
    /// Name of its GPU.
    pub gpu: String,
    /// How many of them.
    pub gpus: u32,
    /// What connects the GPUs with each other.
    pub scale_up: ScaleUpSpec,
    /// What connects GPUs, NICs and host memory.
    pub host: HostSpec,
    /// What leads to the fabric.
    pub nics: NicSpec,
    /// Local drives, where they are known.
    pub storage: Option<StorageSpec>,
    /// Where the figures are from.
    pub source: String,
    /// Disagreements between sources, and what is uncertain.
    pub notes: String,
}

/// What connects the GPUs of a node, or of a domain of several nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum ScaleUpSpec {
    /// Every GPU has all its links to switches that never block. The chips of a domain appear
    /// as one device, because each GPU stripes its traffic over all of them.
    NvSwitch {
        /// Of one GPU, one direction, all links together.
        rate: BytesPerSec,
        /// Of one link between GPU and switch.
        latency: Seconds,
        /// Consecutive nodes that share one domain: 18 trays in an NVL72, else 1.
        domain_nodes: u32,
    },
    /// Pairs of GPUs have direct links. Others go over the neighbor with the widest links on
    /// both sides, else over `PCIe`.
    Mesh {
        /// Of one link, one direction.
        rate: BytesPerSec,
        /// Of one link.
        latency: Seconds,
        /// The pairs, each once.
        links: Vec<MeshLink>,
    },
    /// Every pair of GPUs has its own link.
    FullMesh {
        /// Of one pair, one direction.
        rate: BytesPerSec,
        /// Of one link.
        latency: Seconds,
    },
    /// Nothing but the host's `PCIe`.
    Pcie,
}

/// A bundle of direct links between two GPUs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshLink {
    /// The two GPUs, counted from 0 in the node.
    pub gpus: [u32; 2],
    /// Links between them.
    pub count: u32,
}

/// The host side of a node. GPUs and NICs hang on `PCIe` switches, these on sockets.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSpec {
    /// The processor, for the reader.
    pub cpu: String,
    /// CPU sockets; GPUs are spread over them in order.
    pub sockets: u32,
    /// GPUs on one `PCIe` switch; 0 where they hang on the socket itself.
    pub gpus_per_switch: u32,
    /// Of a GPU to its switch or socket, one direction.
    pub gpu_link: BytesPerSec,
    /// Of a NIC to its switch or socket, one direction.
    pub nic_link: BytesPerSec,
    /// Between two sockets, one direction.
    pub socket_link: BytesPerSec,
    /// Of one of these links.
    pub latency: Seconds,
    /// Host memory.
    pub memory: Option<Bytes>,
}

/// The local drives of a node, all together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StorageSpec {
    /// What they read at most.
    pub read: BytesPerSec,
    /// What they write at most.
    pub write: BytesPerSec,
    /// What they hold.
    pub capacity: Option<Bytes>,
}

/// The NICs of a node that carry traffic between nodes.
///
/// With at least as many NICs as GPUs each GPU owns an equal share of them; with fewer, NIC `j`
/// serves the GPUs `i` with `⌊i · nics / gpus⌋ = j`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NicSpec {
    /// How many; 0 for a node that stands alone.
    pub count: u32,
    /// Of one NIC, one direction.
    pub rate: BytesPerSec,
    /// Whether messages are cut over all NICs of a GPU, as NCCL's channels do. They then appear
    /// as one NIC of the summed rate; otherwise each flow takes one of them, by its hash.
    pub striped: bool,
}

/// The shape of a fabric between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FabricKind {
    /// One switch that never blocks; also the stand-in where a cloud publishes no levels.
    Single,
    /// All NICs of a node on one leaf; every leaf on every spine.
    LeafSpine,
    /// NIC `r` of every node of a group on the group's leaf of rail `r`; every leaf on every
    /// spine of its pod, and three levels where pods are given.
    RailOptimised,
    /// Three levels: leaves and spines form pods, core switches join them.
    FatTree,
    /// Groups of routers, all routers of a group joined with each other, and all groups by cables
    /// between some of their routers (Kim, Dally, Scott and Abts, ISCA 2008).
    Dragonfly,
    /// Routers in a grid of two or three dimensions, whose rows are rings.
    Torus,
    /// Any switches and cables.
    Graph,
}

impl FabricKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Single,
        Self::LeafSpine,
        Self::RailOptimised,
        Self::FatTree,
        Self::Dragonfly,
        Self::Torus,
        Self::Graph,
    ];

    /// The kinds whose switches form levels: messages go up, and then down.
    pub const CLOS: [Self; 4] = [
        Self::Single,
        Self::LeafSpine,
        Self::RailOptimised,
        Self::FatTree,
    ];

    /// Whether the switches form levels.
    pub const fn is_clos(self) -> bool {
        !matches!(self, Self::Dragonfly | Self::Torus | Self::Graph)
    }

    /// The name as files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::LeafSpine => "leaf-spine",
            Self::RailOptimised => "rail-optimised",
            Self::FatTree => "fat-tree",
            Self::Dragonfly => "dragonfly",
            Self::Torus => "torus",
            Self::Graph => "graph",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The fabric between nodes.
///
/// Oversubscription of a level is the capacity of all NICs below its switches over the capacity
/// of the links above them: 1 never blocks, 7 leaves a seventh, 0.5 has twice what it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct FabricSpec {
    /// The name that clusters refer to.
    pub name: String,
    /// The shape.
    pub kind: FabricKind,
    /// What carries messages over it: the name of an entry of a profile's networks, such as
    /// `infiniband` or `efa`; `None` goes by the name of the fabric.
    pub network: Option<String>,
    /// Nodes of one group of leaves: one leaf, or one per rail or plane.
    pub nodes_per_leaf: u32,
    /// Groups of leaves of one pod; `None` where all belong to one pod (two levels).
    pub groups_per_pod: Option<u32>,
    /// Above leaves, and above the spines of a pod; a level without an entry takes 1.
    pub oversubscription: Vec<f64>,
    /// Rails of a rail-optimised fabric; `None` takes one per NIC.
    pub rails: Option<u32>,
    /// NICs of a scale-up domain over which one group's collectives send; `None` takes the NICs
    /// of all its ranks. Messages between two ranks and all-to-all are not bound by it.
    pub nics_per_group: Option<u32>,
    /// Separate copies of the fabric; NIC `j` of `n` is in plane `⌊j · planes / n⌋`.
    pub planes: u32,
    /// Spines per pod and plane; `None` takes one per uplink of a leaf. With fewer spines than
    /// uplinks, the cables to one spine act as one link.
    pub spines: Option<u32>,
    /// Core switches per spine of a pod; `None` takes one per uplink of a spine.
    pub cores: Option<u32>,
    /// Of one cable between switches; `None` takes the rate of the fastest NIC.
    pub link_rate: Option<BytesPerSec>,
    /// Of one cable, with its ports.
    pub link_latency: Seconds,
    /// Through one switch.
    pub switch_latency: Seconds,
    /// What a dragonfly or a torus is made of.
    pub routers: RouterSpec,
    /// What a graph is made of.
    pub graph: GraphSpec,
    /// What one node reaches towards another: `[from][to]`, where measured. Bounds all routes
    /// from the one to the other together, as a link that they share. The diagonal is ignored.
    pub measured: Option<Vec<Vec<Option<BytesPerSec>>>>,
    /// Where the figures are from.
    pub source: String,
    /// Disagreements between sources, and what is uncertain.
    pub notes: String,
}

/// The routers of a dragonfly or a torus: each has nodes of its own.
///
/// Nodes hang on routers in order, [`RouterSpec::nodes_per_router`] on each; routers count from
/// 0, in a dragonfly group by group, in a torus along the first dimension first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouterSpec {
    /// Nodes on one router, all NICs of a node on the same; `None` takes 1.
    pub nodes_per_router: Option<u32>,
    /// Of a torus: routers along each of two or three dimensions. Two routers in a row have one
    /// cable between them, and more form a ring.
    pub dimensions: Vec<u32>,
    /// Of a dragonfly: its groups.
    pub groups: Option<u32>,
    /// Of a dragonfly: routers of one group.
    pub per_group: Option<u32>,
    /// Of a dragonfly: cables of one router to other groups. Every pair of groups has equally
    /// many; ports that are left over stay free.
    pub global_links: Option<u32>,
    /// Of one cable between groups; `None` takes that of the others.
    pub global_rate: Option<BytesPerSec>,
    /// Of one cable between groups, with its ports; `None` takes that of the others.
    pub global_latency: Option<Seconds>,
    /// Of a dragonfly: whether load balancing is also offered a way over each other group.
    pub detours: bool,
}

/// The switches of a graph, the cables between them, and the nodes on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphSpec {
    /// The names of the switches, each once.
    pub switches: Vec<String>,
    /// Which switches are joined.
    pub cables: Vec<CableSpec>,
    /// Where the nodes hang.
    pub attach: Vec<AttachSpec>,
}

/// Cables between two switches of a graph: they act as one link.
#[derive(Clone, Debug, PartialEq)]
pub struct CableSpec {
    /// The two switches.
    pub ends: [String; 2],
    /// How many cables.
    pub count: u32,
    /// Of one of them; `None` takes [`FabricSpec::link_rate`].
    pub rate: Option<BytesPerSec>,
    /// Of one of them, with its ports; `None` takes [`FabricSpec::link_latency`].
    pub latency: Option<Seconds>,
}

/// Nodes on switches of a graph: in order, equally many on each of some switches.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachSpec {
    /// The switches, in the order in which nodes hang on them.
    pub switches: Vec<String>,
    /// Nodes on each.
    pub nodes_per_switch: u32,
    /// The first of the nodes; `None` takes the one behind those of the rule before.
    pub first_node: Option<u32>,
    /// Which of their NICs, counted as [`NicSpec::striped`] says; `None` takes all.
    pub nic: Option<u32>,
}

/// Nodes of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeGroup {
    /// Their kind.
    pub node: NodeSpec,
    /// How many.
    pub count: u32,
    /// GPUs used in each of them, the first ones; `None` uses all.
    pub gpus_used: Option<u32>,
}

/// A cluster: groups of nodes, numbered in order, on one fabric.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterSpec {
    /// What the report calls it.
    pub name: String,
    /// The nodes.
    pub groups: Vec<NodeGroup>,
    /// What connects them.
    pub fabric: FabricSpec,
    /// The data sheets that [`NodeSpec::gpu`] names; further ones are ignored.
    pub gpus: Vec<GpuSpec>,
    /// Where the figures are from.
    pub source: String,
    /// What is uncertain.
    pub notes: String,
}

impl ClusterSpec {
    /// Rates of NICs and of all links between nodes, and latencies of the latter, so many times
    /// those that the description says. Factors that give no rate leave it as it is.
    pub fn scale_network(&mut self, rate: f64, latency: f64) {
        let faster = |of: &mut BytesPerSec| *of = of.scale(rate).unwrap_or(*of);
        for group in &mut self.groups {
            faster(&mut group.node.nics.rate);
        }
        let fabric = &mut self.fabric;
        let rates = fabric
            .link_rate
            .iter_mut()
            .chain(&mut fabric.routers.global_rate);
        let cables = fabric.graph.cables.iter_mut();
        rates.for_each(faster);
        for cable in cables {
            cable.rate.iter_mut().for_each(faster);
            cable.latency.iter_mut().for_each(|of| *of = *of * latency);
        }
        let measured = fabric.measured.iter_mut().flatten().flatten().flatten();
        measured.for_each(faster);
        let own = [&mut fabric.link_latency, &mut fabric.switch_latency];
        let latencies = own.into_iter().chain(&mut fabric.routers.global_latency);
        latencies.for_each(|of| *of = *of * latency);
    }
}
