//! Traces and topologies of other tools, in and out.
