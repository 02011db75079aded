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

mod error;
mod model;
mod params;
mod tensor;

pub use error::ModelError;
pub use model::{
    Activation, AttentionSpec, DenseSpec, Embedding, Ffn, Head, IndexerSpec, Layer, MambaSpec,
    MeasuredLayer, MeasuredTime, Mixer, MlaSpec, Model, ModelSpec, MoeSpec, Mtp, NormKind,
    NormPlacement, Norms, Note, Pooler, Position, QkNorm, QkSpan, RelativeBias, Stack,
};
pub use tensor::{Tensor, TensorKind};
