//! What holds of any cluster.

mod clusters;
mod properties;
mod shortest;
mod ways;
