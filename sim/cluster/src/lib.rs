//! Devices, links, topologies and routes.

pub mod spec;

pub use spec::{
    ClusterSpec, FabricKind, FabricSpec, GpuSpec, HostSpec, MeshLink, NicSpec, NodeGroup, NodeSpec,
    ScaleUpSpec,
};
