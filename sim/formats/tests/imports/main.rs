//! What other tools write about clusters and workloads, and what is written for them.

#![expect(
    clippy::unwrap_used,
    reason = "a sample that cannot be read fails the test"
)]

mod chakra;
mod clusters;
mod flows_csv;
mod hostile;
mod htsim;
mod nccl_tests;
mod samples;
mod topologies;
