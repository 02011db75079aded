//! Plans, lowered and run on the engine.

mod data;
mod fixtures;
mod folding;
mod memory;
mod offload;
mod timing;
mod two_directions;
mod vocabulary;
