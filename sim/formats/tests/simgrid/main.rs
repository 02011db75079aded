//! Platforms of `SimGrid`: routes and finish times equal `SimGrid`'s own, bad input is named, and
//! what is written reads back.
//!
//! `data/simgrid/NAME.xml` are platforms of ours, `NAME.flows.csv` flows over them.
//! `NAME.routes.tsv` (every 11th pair of hosts, then the links) and `NAME.finish.csv` are what
//! `SimGrid` 3.32 (Debian 3.32-2) says of them, by a driver over its library that hands every flow
//! to `Comm::sendto_async` when it is released: with `network/model:CM02`,
//! `network/crosstraffic:0`, `network/TCP-gamma:1e30`, `network/optim:Full` and
//! `network/maxmin-selective-update:no`. Column `cm02_s` is that; for `equal_s` the driver sets
//! all latencies of links to 0 and sleeps that of the route first.

mod agreement;
mod errors;
mod fabric;
mod mutation;
mod platforms;
mod routes;
mod writing;
