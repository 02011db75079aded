//! What one GPU computes, keeps and sends for one block of a model under a sharding.
//!
//! ```text
//! Job + Layer + Sharding --> BlockOps { forward, input_grad, weight_grad, once }
//! ```
//!
//! Operators stand in the order in which Megatron-Core issues them, collectives of tensor,
//! context and expert parallelism among them. Every operator says what it keeps until its
//! backward pass and to which region of the block it belongs, so that memory and recomputation
//! follow from the same list as time. Deliberately absent: how long an operator takes
//! (`profile`), and where data-parallel and pipeline communication goes (`lower`).
//!
//! Invariant: the tensors that a block keeps are counted once each: its input in
//! [`BlockOps::input`], every other in the `saved` of one forward operator.

mod adapter;
pub(crate) mod attention;
mod block;
mod builder;
mod context;
mod core;
mod edges;
mod ends;
mod ffn;
mod linear;
mod mamba;
mod moe;
mod op;
mod pointwise;
mod product;
mod region;
mod sharding;
mod step;
#[cfg(test)]
mod tests;
mod tp;
mod vocabulary;

pub use block::layer_ops;
pub use ends::{embedding_ops, encoder_end_ops, head_ops, mtp_ops};
pub use op::{Axis, BlockOps, Op, Overlap, ParamCount, Phase, Slot, Work};
pub use region::{Recompute, Region, Regions, kept, recomputed};
pub use sharding::{CpMethod, Dispatcher, Experts, Fusion, Sharding, TpOverlap};
pub use step::{StepShards, optimizer_ops, step_cost};
pub use vocabulary::{Barriers, VocabularyOps, vocabulary_ops};
