//! What other tools write about clusters and workloads, and what is written for them.

mod flows_csv;
mod hostile;
