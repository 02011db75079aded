//! Model architectures, their operators and the jobs that train them.
//!
//! ```text
//! config.json ----------+
//! Megatron's arguments -+--> Model --> params, tensors
//! measured layers ------+      |
//!                              +--> Job --> ops: what one GPU computes and sends
//! ```
//!
//! A [`Model`] says every shape, bias, gate and norm, so that parameter counts and operators
//! follow from one description. Deliberately absent: how a model is cut over GPUs (`plan`), and
//! how long anything takes (`profile`).

mod config;
mod error;
mod flops;
mod job;
mod megatron;
mod model;
pub mod ops;
mod optimizer;
mod params;
mod precision;
mod table;
mod tensor;

pub use config::{Override, OverrideValue, model_types};
pub use error::ModelError;
pub use flops::{
    Convention, gpt_flops, gpt_flops_recomputed, hardware_flops, layer_flops, model_flops,
};
pub use job::{Job, JobError, JobSpec, Lora, LoraTargets};
pub use megatron::{
    MegatronActivation, MegatronKind, MegatronMoe, MegatronPosition, MegatronSpec, padded_vocab,
};
pub use model::{
    Activation, AttentionSpec, DenseSpec, Embedding, ExpertGroups, Ffn, Head, IndexerSpec, Layer,
    MambaSpec, MeasuredLayer, MeasuredTime, Mixer, MlaSpec, Model, ModelSpec, MoeSpec, Mtp,
    NormKind, NormPlacement, Norms, Note, Pooler, Position, QkNorm, QkSpan, RelativeBias, Stack,
};
pub use ops::{
    Axis, Barriers, BlockOps, CpMethod, Dispatcher, Experts, Fusion, Op, Overlap, ParamCount,
    Phase, Recompute, Region, Regions, Sharding, Slot, StepShards, TpOverlap, VocabularyOps, Work,
    embedding_ops, encoder_end_ops, head_ops, kept, layer_ops, mtp_ops, optimizer_ops, recomputed,
    step_cost, vocabulary_ops,
};
pub use optimizer::{Matrix, MatrixRole, Optimizer, Resident, StepCost, factored_values};
pub use precision::{Fp8Recipe, Precision};
pub use table::{LayerRow, LayerTable, LayerTime};
pub use tensor::{Tensor, TensorKind};
