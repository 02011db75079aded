//! Which server gets which place of a plan.
