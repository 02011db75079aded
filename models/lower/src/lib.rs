//! From operators and a plan to the task graph.
