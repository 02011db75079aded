//! What is read off traces: by hand on small ones, as properties on generated ones.

mod bounds;
mod explanation;
mod fixtures;
mod lanes;
mod level_of_detail;
mod path;
mod properties;
mod rules;
mod schedule;
mod sums;
