//! From operators and a plan to the task graph.
//!
//! ```text
//! job x plan ──book──▶ pieces: operators of embedding, each kind of layer, head    (built once)
//!      pieces ──passes──▶ blocks: forward, backward, its two halves                (per stage)
//!             ──spread──▶ blocks of a vocabulary that is spread over the pipeline   (per device)
//!    schedule ──program──▶ blocks and the list of fragments                        (per device)
//!     classes ──binding──▶ lanes, groups, channels, prices                         (per class)
//!     cluster ──fabric──▶ paths of everything that leaves a scale-up domain        (folded)
//!                         or its messages, for packets                             (unfolded)
//! ```
//!
//! A pass `load`s what its pieces need (sharded weights, what lies on the host), `reduce`s their
//! gradients behind them, and leaves the rest to the `epilogue`: sums, norm, optimizer.
//!
//! Everything that costs time is priced here, from one profile, once: the engines and the closed
//! form read the same blocks. Deliberately absent: any decision of the plan, and any event.

mod axes;
mod barrier;
mod binding;
mod book;
mod chunk;
mod data_parallel;
mod departure;
mod dummies;
mod epilogue;
mod fabric;
mod framework;
mod hop;
mod host;
mod load;
mod lowering;
mod memory;
mod messages;
mod notes;
mod offload;
mod outside;
mod pair;
mod parts;
mod passes;
mod piece;
mod pricing;
mod program;
mod reduce;
mod repeated;
mod scales;
mod sheet;
mod site;
mod slots;
mod spread;
mod step_buffers;
mod traffic;
mod variants;
mod vocabulary;
mod ways;
mod writer;

pub use binding::{Binding, Price, Route};
pub use book::{Book, Spread, book, build_piece};
pub use data_parallel::{DataParallel, Flow, Stage};
pub use dummies::Dummies;
pub use fabric::{Carried, Carrier, Fabric, FabricOptions, TrafficKind};
pub use framework::{Framework, GradientCopies, NEUTRAL, Overlaps, Replay, Reshard};
pub use hop::{Hop, boundary};
pub use lowering::{
    Beside, Inputs, LowerOptions, Lowered, beside_tensors, lower, lower_beside, resident,
};
pub use messages::PacedGpus;
pub use piece::{Piece, PieceKind};
pub use pricing::Prices;
pub use repeated::Repeated;
pub use scales::{AxisScales, ScaleKey, Scales};
pub use sheet::{
    AXIS_SLOTS, LonePass, PassKind, axis_slot, data_flows, lone_ops, lone_pass, state_of,
};
pub use site::issued;
pub use slots::SlotGroup;
pub use step_buffers::{StepBuffers, pass_gradients};
pub use writer::{KernelFact, Worth};
