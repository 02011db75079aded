//! The task graph: programs of classes of ranks.
