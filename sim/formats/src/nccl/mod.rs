//! NCCL's XML: the topology of a server (`NCCL_TOPO_FILE`, `NCCL_TOPO_DUMP_FILE`) and the channels
//! that NCCL chose on it (`NCCL_GRAPH_FILE`, `NCCL_GRAPH_DUMP_FILE`).
//!
//! Source of the fields: NCCL 2.27, `src/graph/xml.h`, `xml.cc` and `topo.cc`.

pub mod graphs;
pub mod topology;
