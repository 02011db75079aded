//! Orders that no other undercuts.

mod all;
mod branch;
mod paths;
mod rings;
mod subsets;

pub(crate) use all::all_orders;
pub(crate) use branch::one_pipeline;
pub(crate) use subsets::pipette;
