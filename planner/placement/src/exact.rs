//! Orders that no other undercuts.

mod branch;
mod paths;
mod rings;
mod subsets;

pub(crate) use branch::one_pipeline;
pub(crate) use subsets::pipette;
