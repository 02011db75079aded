//! Plans, lowered and run on the engine.

mod fixtures;
mod vocabulary;
