//! Network engines: transfers in, completion times out.
//!
//! An engine sees **transfers over paths**, never a collective. A path is a set of links, each
//! with a *load*: how many flows of the path's class cross that link, so that one path can stand
//! for a whole class of symmetric flows ([`fold`] finds those classes). A transfer waits for its
//! latency, then moves its bytes at the rate that the engine gives its path:
//!
//! ```text
//! submit ──latency──▶ join ──bytes at a rate that changes──▶ finished
//! ```
//!
//! [`Analytic`] gives every path the rate that it would have alone. [`Flow`] shares links max-min
//! fairly and re-solves only what an arrival or a departure can change. Both are polled: ask
//! [`Network::next_event`], move there with [`Network::advance`], and learn what has finished.
//! Everything that happens at one instant is taken together: departures, changes of link rates,
//! arrivals, then one solve.
//!
//! [`packet`] is the third engine: it sees messages between hosts of a topology, and has queues,
//! transports and losses. Deliberately absent from the other two: routes (the `cluster` crate).
//!
//! Invariant: time is whole picoseconds and only an end of a transfer is rounded, up. Equal calls
//! give equal answers; transfers that end together are listed in the order of submission.
//!
//! ```
//! use network::{Flow, Network, Path, Share, Transfer};
//! use units::{Bytes, BytesPerSec, Seconds, SimTime};
//!
//! # fn main() -> Result<(), network::NetworkError> {
//! let rate = BytesPerSec::from_gbytes(1.0).expect("positive");
//! let mut net = Flow::new(&[rate], Share::EQUAL);
//! let path = net.add_path(&Path::over([0]))?;
//! for _ in 0..2 {
//!     let transfer = Transfer { path, bytes: Bytes::new(500_000), latency: Seconds::ZERO };
//!     net.submit(SimTime::ZERO, transfer)?;
//! }
//! let mut finished = Vec::new();
//! while let Some(next) = net.next_event() {
//!     net.advance(next, &mut finished)?;
//! }
//! assert_eq!(finished.len(), 2);
//! assert_eq!(net.now().as_seconds().as_millis(), 1.0);
//! # Ok(())
//! # }
//! ```

mod analytic;
mod ends;
mod fill;
mod flow;
mod fold;
pub mod packet;
mod paths;
mod progress;
mod share;
mod transfer;
mod watched;

pub use analytic::Analytic;
pub use flow::Flow;
pub use fold::{Folded, PathClass, fold};
pub use share::Share;
pub use transfer::{Network, NetworkError, Path, PathId, Transfer, TransferId};
pub use watched::{Stretch, Watched};
