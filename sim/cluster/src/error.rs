//! Why a cluster cannot be built.

use crate::spec::FabricKind;

/// Why a cluster cannot be built, or a fault not applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ClusterError {
    #[error("the cluster has no nodes")]
    NoNodes,
    #[error("the count of {node} nodes is 0")]
    EmptyGroup { group: usize, node: String },
    #[error("{field} is 0, but must be at least 1")]
    Zero { field: String },
    #[error("{field} is {value}, above the limit of {limit}")]
    TooMany {
        field: String,
        value: u64,
        limit: u64,
    },
    #[error("the nodes have {value} {what} in all, above the limit of {limit}")]
    TooManyInAll {
        what: &'static str,
        value: u64,
        limit: u64,
    },
    #[error("{field} is {value}, not a finite number {}", if *.zero { "from 0" } else { "above 0" })]
    NotANumber {
        field: String,
        value: f64,
        zero: bool,
    },
    #[error("{field} is {value}, outside {low} to {high}")]
    OutOfRange {
        field: String,
        value: f64,
        low: f64,
        high: f64,
    },
    #[error("node {node} has the GPU {gpu:?}, which is not known")]
    UnknownGpu {
        group: usize,
        node: String,
        gpu: String,
        known: Vec<String>,
    },
    #[error("{used} GPUs are used in each {node}, which has {gpus}")]
    GpusUsed {
        group: usize,
        node: String,
        used: u32,
        gpus: u32,
    },
    #[error("node {node} has {nics} NICs for {gpus} GPUs, which they do not share equally")]
    UnequalNics {
        group: usize,
        node: String,
        nics: u32,
        gpus: u32,
    },
    #[error("node {node} has no NIC, but the cluster has several scale-up domains")]
    NoNics { group: usize, node: String },
    #[error("a mesh link of node {node} joins GPUs {a} and {b}, but the node has {gpus} GPUs")]
    MeshGpu {
        group: usize,
        node: String,
        a: u32,
        b: u32,
        gpus: u32,
    },
    #[error("a mesh link of node {node} joins GPU {gpu} with itself")]
    MeshLoop {
        group: usize,
        node: String,
        gpu: u32,
    },
    #[error("node {node} lists the mesh link of GPUs {a} and {b} twice")]
    MeshTwice {
        group: usize,
        node: String,
        a: u32,
        b: u32,
    },
    #[error("a fat tree needs groups_per_pod")]
    NoPods,
    #[error("{field} is not for a fabric of kind {}", .kind.name())]
    NotForKind {
        field: &'static str,
        kind: FabricKind,
    },
    #[error("{field} is missing, but a fabric of kind {} needs it", .kind.name())]
    Needs {
        field: &'static str,
        kind: FabricKind,
    },
    #[error("a torus has {given} dimensions, but 2 or 3 are needed")]
    Dimensions { given: usize },
    #[error(
        "the cluster has {nodes} nodes, but the {} has places for {places}", .kind.name()
    )]
    TooFewPlaces {
        kind: FabricKind,
        places: u64,
        nodes: u64,
    },
    #[error(
        "a group has {ports} links to others, fewer than the {} other groups of the dragonfly",
        .groups - 1
    )]
    FewGlobalLinks { groups: u64, ports: u64 },
    #[error("{name:?} cannot be the name of a switch")]
    SwitchName { index: usize, name: String },
    #[error("the switch {name:?} is listed twice")]
    SwitchTwice { index: usize, name: String },
    #[error("{field} names the switch {name:?}, which is not among the switches")]
    UnknownSwitch {
        field: String,
        name: String,
        known: Vec<String>,
        others: usize,
    },
    #[error("a cable joins the switch {switch:?} with itself")]
    CableLoop { index: usize, switch: String },
    #[error("cables {first} and {index} both join {:?} and {:?}", .ends[0], .ends[1])]
    CableTwice {
        index: usize,
        first: usize,
        ends: [String; 2],
    },
    #[error(
        "no cables lead from switch {from:?} to {}{to:?}",
        if *.lost == 1 { String::new() } else { format!("{} switches, the first of them ", .lost) }
    )]
    Partitioned {
        from: String,
        to: String,
        lost: usize,
    },
    #[error("an [[attach]] rule has no switches")]
    NoSwitches { index: usize },
    #[error(
        "NIC {nic} of node {node} hangs on no switch{}",
        match *.others {
            0 => String::new(),
            1 => ", and so does 1 other".to_owned(),
            others => format!(", and so do {others} others"),
        }
    )]
    NotAttached { node: u32, nic: u32, others: usize },
    #[error("two [[attach]] rules cover NIC {nic} of node {node}")]
    AttachedTwice { node: u32, nic: u32 },
    #[error("an [[attach]] rule is for NIC {nic}, but nodes have {most}")]
    NoSuchNic { index: usize, nic: u32, most: u32 },
    #[error("{hosts} of {switches} switches have nodes, and the product of both exceeds {limit}")]
    TooManyDistances {
        switches: usize,
        hosts: usize,
        limit: u64,
    },
    #[error("oversubscription has {given} levels, but the fabric has {levels}")]
    Levels { given: usize, levels: usize },
    #[error("the measured rates have {rows} rows, but the cluster has {nodes} nodes")]
    MeasuredRows { rows: usize, nodes: usize },
    #[error(
        "row {row} of the measured rates has {columns} columns, but the cluster has {nodes} nodes"
    )]
    MeasuredColumns {
        row: usize,
        columns: usize,
        nodes: usize,
    },
    #[error("{name:?} is not a link of this cluster")]
    UnknownLink { name: String },
    #[error("{name:?} is not a GPU of this cluster")]
    UnknownGpuName { name: String },
    #[error("link {name} is not between switches, so nothing can go around it")]
    NoDetour { name: String },
    #[error("without link {name}, nothing leads from {from} to {to}")]
    Cut {
        name: String,
        from: String,
        to: String,
    },
}

impl ClusterError {
    /// What to change in the file, where we can tell.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoNodes => "add a [[nodes]] section with kind and count".to_owned(),
            Self::EmptyGroup { .. } => "remove the group, or set count to 1 or more".to_owned(),
            Self::Zero { field } => format!("set {field} to 1 or more, or leave it out"),
            Self::TooMany { limit, .. } => format!("at most {limit} can be simulated"),
            Self::TooManyInAll { what, limit, .. } => {
                format!("at most {limit} {what} can be simulated")
            }
            Self::OutOfRange { .. } => {
                "1 never blocks, 7 leaves a seventh of the rate above".to_owned()
            }
            Self::NotANumber { zero: true, .. } => "write a duration such as \"500 ns\"".to_owned(),
            Self::NotANumber { .. } => "write a number such as 1 or 1.5".to_owned(),
            Self::UnknownGpu { known, .. } if known.is_empty() => {
                "describe the GPU in a [[gpus]] section".to_owned()
            }
            Self::UnknownGpu { known, .. } => format!("known GPUs: {}", known.join(", ")),
            Self::GpusUsed { gpus, .. } => format!("use 1 to {gpus}, or leave it out to use all"),
            Self::UnequalNics { gpus, .. } => {
                format!("with more NICs than GPUs, give a multiple of {gpus}")
            }
            Self::NoNics { .. } => "add a [nics] section with count and rate".to_owned(),
            Self::MeshGpu { gpus, .. } => format!("GPUs of a node count from 0 to {}", gpus - 1),
            Self::MeshLoop { .. } => "name two different GPUs".to_owned(),
            Self::MeshTwice { .. } => "list each pair once, with the count of its links".to_owned(),
            Self::NoPods => "add groups_per_pod, or use kind = \"leaf-spine\"".to_owned(),
            Self::NotForKind { field, .. } => format!("remove {field}, or change kind"),
            Self::Needs { field, .. } => format!("add {field}"),
            Self::Dimensions { .. } => {
                "write a list such as [8, 8, 4], the routers along each dimension".to_owned()
            }
            Self::TooFewPlaces {
                kind: FabricKind::Torus,
                ..
            } => "make dimensions or nodes_per_router larger".to_owned(),
            Self::TooFewPlaces { .. } => {
                "make groups, routers_per_group or nodes_per_router larger".to_owned()
            }
            Self::FewGlobalLinks { groups, .. } => format!(
                "routers_per_group times global_links must be at least {}",
                groups - 1
            ),
            Self::SwitchName { .. } => {
                "use up to 64 letters, digits and signs of _-.:/, and no name like those of nodes"
                    .to_owned()
            }
            Self::SwitchTwice { .. } => "give every switch a name of its own".to_owned(),
            Self::UnknownSwitch { known, others, .. } => match others {
                0 => format!("switches: {}", known.join(", ")),
                others => format!("switches: {} and {others} others", known.join(", ")),
            },
            Self::CableLoop { .. } => "name two different switches".to_owned(),
            Self::CableTwice { .. } => {
                "list each pair once, with the count of its cables".to_owned()
            }
            Self::Partitioned { .. } => {
                "add cables that join them, or hang a NIC of every node on each part".to_owned()
            }
            Self::NoSwitches { .. } => "name the switches on which its nodes hang".to_owned(),
            Self::NotAttached { node, nic, .. } => format!(
                "add an [[attach]] rule with first_node = {node} and nic = {nic}, or without nic for all"
            ),
            Self::AttachedTwice { .. } => {
                "[[attach]] rules may not overlap; first_node says where one begins".to_owned()
            }
            Self::NoSuchNic { most, .. } => match most {
                0 => "leave the rule out".to_owned(),
                most => format!("NICs of a node count from 0 to {}", most - 1),
            },
            Self::TooManyDistances { .. } => {
                "leave out switches, or hang the nodes on fewer of them".to_owned()
            }
            Self::Levels { levels, .. } => format!("give one number, or at most {levels}"),
            Self::MeasuredRows { nodes, .. } | Self::MeasuredColumns { nodes, .. } => {
                format!("give {nodes} rows of {nodes} numbers, one a node, 0 for the diagonal")
            }
            Self::UnknownLink { .. } => {
                "links are named like n0g0->n0sw, n0nic0->leaf0 or leaf0->spine1".to_owned()
            }
            Self::UnknownGpuName { .. } => "GPUs are named like n0g0, counted from 0".to_owned(),
            Self::NoDetour { .. } => "give the link a lower rate instead".to_owned(),
            Self::Cut { .. } => {
                "keep a way between all switches, or give the link a low rate instead of 0"
                    .to_owned()
            }
        })
    }

    /// Where the error is, as a path of keys from the root of a cluster file.
    pub fn field(&self) -> String {
        match self {
            Self::NoNodes | Self::TooManyInAll { .. } => "nodes".to_owned(),
            Self::EmptyGroup { group, .. } => format!("nodes[{group}].count"),
            Self::Zero { field }
            | Self::TooMany { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::NotANumber { field, .. }
            | Self::UnknownSwitch { field, .. } => field.clone(),
            Self::UnknownGpu { group, .. } => format!("nodes[{group}].kind.gpu"),
            Self::GpusUsed { group, .. } => format!("nodes[{group}].gpus"),
            Self::UnequalNics { group, .. } | Self::NoNics { group, .. } => {
                format!("nodes[{group}].kind.nics.count")
            }
            Self::MeshGpu { group, .. }
            | Self::MeshLoop { group, .. }
            | Self::MeshTwice { group, .. } => format!("nodes[{group}].kind.scale_up.links"),
            Self::NoPods => "fabric.groups_per_pod".to_owned(),
            Self::NotForKind { field, .. } | Self::Needs { field, .. } => {
                format!("fabric.{field}")
            }
            Self::Dimensions { .. } => "fabric.dimensions".to_owned(),
            Self::TooFewPlaces { kind, .. } => match kind {
                FabricKind::Torus => "fabric.dimensions".to_owned(),
                _ => "fabric.groups".to_owned(),
            },
            Self::FewGlobalLinks { .. } => "fabric.global_links".to_owned(),
            Self::SwitchName { index, .. } | Self::SwitchTwice { index, .. } => {
                format!("fabric.switches[{index}]")
            }
            Self::CableLoop { index, .. } | Self::CableTwice { index, .. } => {
                format!("fabric.cables[{index}].ends")
            }
            Self::Partitioned { .. } => "fabric.cables".to_owned(),
            Self::NoSuchNic { index, .. } => format!("fabric.attach[{index}].nic"),
            Self::NoSwitches { index } => format!("fabric.attach[{index}].switches"),
            Self::NotAttached { .. } | Self::AttachedTwice { .. } => "fabric.attach".to_owned(),
            Self::TooManyDistances { .. } => "fabric.switches".to_owned(),
            Self::Levels { .. } => "fabric.oversubscription".to_owned(),
            Self::MeasuredRows { .. } | Self::MeasuredColumns { .. } => {
                "fabric.measured_gbytes_per_s".to_owned()
            }
            Self::UnknownLink { .. }
            | Self::UnknownGpuName { .. }
            | Self::NoDetour { .. }
            | Self::Cut { .. } => "settings.stragglers".to_owned(),
        }
    }
}
