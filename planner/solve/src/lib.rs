//! Integer programs, and the split of layers over pipeline stages.
//!
//! Every integer program of the planner goes through [`Program`]: a list of variables, linear
//! constraints and one linear objective. [`solve`] hands it to a solver behind `good_lp`,
//! [`Program::to_lp`] and [`Program::to_mps`] write it for any other.
//!
//! The split of layers ([`partition()`]) needs no solver: a dynamic program is exact and takes
//! microseconds. The same question as an integer program ([`PartitionProgram`]) checks it and is
//! open to constraints that the dynamic program does not know.
//!
//! Deliberately absent: a modeling language, and anything that knows of models or clusters.

mod error;
mod integer;
mod lp;
mod mps;
mod names;
pub mod partition;
mod program;

pub use error::SolveError;
pub use integer::{Backend, Solution, solve, solve_with};
pub use partition::{LayerCost, Partition, PartitionProgram, PartitionSpec, Rule, partition};
pub use program::{Direction, Domain, Program, Relation, VarId};
