//! Every case, agreement of fidelities, and the oracles of the papers.
//!
//! The library holds what several of those tests share; the tests themselves are in `tests/`.

pub mod bare_pipeline;
pub mod scenarios;
