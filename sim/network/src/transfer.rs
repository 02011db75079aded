//! What goes into a network engine and what comes out.

use units::{Bytes, BytesPerSec, Seconds, SimTime, TimeOverflow};

use crate::packet::PacketError;

/// A path that an engine knows, from [`Network::add_path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

impl PathId {
    /// The path of that index, in the order of [`Network::add_path`].
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index as a number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The index into a slice.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A transfer that was submitted. Ids count up in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(u64);

impl TransferId {
    /// The transfer of that index.
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The index in the order of submission.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A way through the network, for one flow or for a class of symmetric flows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// Links with their loads: a transfer of rate `r` takes `load × r` of the link. The load of
    /// a single flow is 1; that of a class is the number of its flows on each link. A link that
    /// appears twice counts with the sum.
    pub links: Vec<(u32, f64)>,
    /// The most that one transfer moves whatever the links allow, for example the rate of the
    /// scale-up domain that feeds it.
    pub cap: Option<BytesPerSec>,
}

impl Path {
    /// The path of one flow over those links, without a cap.
    pub fn over(links: impl IntoIterator<Item = u32>) -> Self {
        Self {
            links: links.into_iter().map(|link| (link, 1.0)).collect(),
            cap: None,
        }
    }
}

/// Bytes to move over a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// The path.
    pub path: PathId,
    /// The payload; a transfer of 0 bytes takes its latency only.
    pub bytes: Bytes,
    /// Time before the first byte shares the links.
    pub latency: Seconds,
}

/// Why a network engine cannot go on. An engine that returned an error is to be dropped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NetworkError {
    #[error("link {link} does not exist: the network has {links} links")]
    UnknownLink { link: u32, links: usize },
    #[error("path {path} does not exist: the network has {paths} paths")]
    UnknownPath { path: u32, paths: usize },
    #[error("link {link} has load {load} on a path, but a load is finite and positive")]
    BadLoad { link: u32, load: f64 },
    #[error("the path has weight {weight}, but a weight is finite and positive")]
    BadWeight { weight: f64 },
    #[error("time {asked} ps lies before the network's clock, {clock} ps")]
    Past { asked: u64, clock: u64 },
    #[error("path {path} cannot be removed while it carries transfers")]
    Busy { path: u32 },
    #[error("a path of links has no hosts between which packets could go")]
    NoEnds,
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error(transparent)]
    Overflow(#[from] TimeOverflow),
}

/// A network engine that is polled.
///
/// The caller owns the event loop: it submits transfers at the present moment, asks for the next
/// moment at which anything happens, and advances to it. The clock never goes back.
pub trait Network {
    /// Registers a path for the transfers to come.
    ///
    /// # Errors
    ///
    /// [`NetworkError::UnknownLink`] and [`NetworkError::BadLoad`].
    fn add_path(&mut self, path: &Path) -> Result<PathId, NetworkError>;

    /// Accepts a transfer at `now`. It shares links from `now` plus its latency on, and nothing
    /// happens before the next [`Network::advance`].
    ///
    /// # Errors
    ///
    /// [`NetworkError::UnknownPath`], [`NetworkError::Past`], [`NetworkError::Overflow`].
    fn submit(&mut self, now: SimTime, transfer: Transfer) -> Result<TransferId, NetworkError>;

    /// The next moment at which a transfer starts to share, ends, or a link changes; `None` when
    /// nothing is under way.
    fn next_event(&self) -> Option<SimTime>;

    /// Moves the clock, and appends what finished until then, in order of time and, at one
    /// instant, of submission.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Past`] if `to` lies before the clock, [`NetworkError::Overflow`] if a
    /// transfer would end past the range of the clock.
    fn advance(&mut self, to: SimTime, finished: &mut Vec<TransferId>) -> Result<(), NetworkError>;

    /// Moves the clock to a moment not after `limit` before which nothing finishes, appends what
    /// finishes then, and returns it. Called where [`Network::next_event`] lies no later than
    /// `limit`; engines of many small events pass over those that end nothing.
    ///
    /// # Errors
    ///
    /// As [`Network::advance`].
    fn advance_to_end(
        &mut self,
        limit: Option<SimTime>,
        finished: &mut Vec<TransferId>,
    ) -> Result<SimTime, NetworkError> {
        let now = self.next_event().or(limit).unwrap_or_else(|| self.now());
        self.advance(now, finished)?;
        Ok(now)
    }

    /// Changes a link's rate at `now`, which is an event of that moment.
    ///
    /// # Errors
    ///
    /// [`NetworkError::UnknownLink`], [`NetworkError::Past`].
    fn set_rate(&mut self, now: SimTime, link: u32, rate: BytesPerSec) -> Result<(), NetworkError>;

    /// The clock.
    fn now(&self) -> SimTime;
}
