//! A link with the queue before it.

use units::SimTime;

use super::pool::{List, NONE};

/// A directed link, its transmitter and what waits for it.
///
/// Packets on the way over the link wait in `flying`, and one event, for the first of them, stands
/// in the queue of events. What waits is started late, when somebody looks at the link, with the
/// moment at which its turn was: [`Link::free_at`].
///
/// Invariant: after whatever happens at `t`, something waits only where `t < free_at` or the link
/// is paused or dead.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Link {
    /// When the transmitter has sent what it sends.
    pub(super) free_at: u64,
    /// Picoseconds to the other end.
    pub(super) latency: u64,
    /// Picoseconds that a whole packet takes.
    pub(super) whole: u64,
    /// Picoseconds that a byte takes.
    pub(super) per_byte: f64,
    /// Data that waits.
    pub(super) data: List,
    /// Headers that wait, before data.
    pub(super) headers: List,
    /// What is on the way.
    pub(super) flying: List,
    /// Flows of the host that may send, where the link is its NIC.
    pub(super) ready: List,
    /// Bytes of data that wait.
    pub(super) data_bytes: u64,
    /// Bytes of headers that wait.
    pub(super) header_bytes: u64,
    /// The most that may wait, with what is being sent.
    pub(super) room: u64,
    /// Marking begins and is certain; it never begins without marks.
    pub(super) marks: [u64; 2],
    /// Bytes of the data packet that is being sent.
    pub(super) serving: u32,
    /// Whether an event for the first packet on the way is in the queue.
    pub(super) expected: bool,
    /// Whether an event for the next start is in the queue.
    pub(super) called: bool,
    pub(super) paused: bool,
    pub(super) dead: bool,
    /// The switch that it leaves, for shared buffers.
    pub(super) switch: u32,
    /// Whether its sender was told to stop.
    pub(super) stopped: bool,
    /// Flows under way on it, where flows choose by that.
    pub(super) flows: u32,
    pub(super) count: Counters,
    /// Bytes that wait at the other end and came over this link.
    pub(super) held: u64,
}

/// What is counted of a link.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct Counters {
    pub(super) bytes: u64,
    pub(super) packets: u64,
    /// The longest queue.
    pub(super) most: u64,
    /// The integral of bytes that wait over time, and when it was last added to.
    pub(super) area: f64,
    pub(super) since: u64,
    /// Bytes times the time that each waited, over those that began.
    pub(super) waited: f64,
    pub(super) marked: u64,
    pub(super) trimmed: u64,
    pub(super) dropped: u64,
    pub(super) paused: u64,
}

/// What a link did, from the start of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkStats {
    /// Bytes with headers that it began to send.
    pub bytes: u64,
    /// Packets, of acknowledgements as well, that it began to send.
    pub packets: u64,
    /// Packets that lost their payload in its queue.
    pub trimmed: u64,
    /// Packets that its queue or the failed link lost.
    pub dropped: u64,
    /// Packets that its queue marked.
    pub marked: u64,
    /// How often it was paused.
    pub paused: u64,
    /// The longest that its queue was, in bytes, without the packet that was being sent.
    pub longest: u64,
    /// The average of the queue over time, in bytes.
    pub average: f64,
    /// Bytes times seconds that they waited, summed over all that left the queue. By Little's law
    /// this is `average` times the time, up to what still waits.
    pub waited: f64,
    /// The share of time in which it sent.
    pub utilisation: f64,
}

impl Link {
    /// An idle link. `per_byte` and `latency` are picoseconds, `whole` the bytes of a whole packet.
    pub(super) fn new(per_byte: f64, latency: u64, whole: u32, room: u64) -> Self {
        let mut link = Self {
            free_at: 0,
            latency,
            whole: 0,
            per_byte,
            data: List::EMPTY,
            headers: List::EMPTY,
            flying: List::EMPTY,
            ready: List::EMPTY,
            data_bytes: 0,
            header_bytes: 0,
            room,
            marks: [u64::MAX; 2],
            serving: 0,
            expected: false,
            called: false,
            paused: false,
            dead: false,
            switch: NONE,
            held: 0,
            stopped: false,
            flows: 0,
            count: Counters::default(),
        };
        link.whole = link.time(whole);
        link
    }

    /// How long the transmitter takes for that many bytes, rounded up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are at least a byte per second, so that 2¹⁶ bytes take 2⁵⁶ ps at most"
    )]
    #[inline]
    pub(super) fn time(&self, bytes: u32) -> u64 {
        let exact = f64::from(bytes) * self.per_byte;
        let whole = exact as u64;
        whole + u64::from((whole as f64) < exact)
    }

    /// Whether something may start. Pauses hold data, not headers.
    #[inline]
    pub(super) const fn waits(&self) -> bool {
        let data = !(self.data.is_empty() && self.ready.is_empty());
        !self.headers.is_empty() || (data && !self.paused)
    }

    /// Bytes in the queue with the packet that is being sent at `now`.
    #[inline]
    pub(super) const fn occupied(&self, now: u64) -> u64 {
        let serving = if now < self.free_at { self.serving } else { 0 };
        self.data_bytes + serving as u64
    }

    /// Accounts for the queue as it was since the last change.
    #[inline]
    pub(super) fn settle(&mut self, now: u64) {
        let queued = self.data_bytes + self.header_bytes;
        if 0 < queued {
            self.count.area += queued as f64 * now.saturating_sub(self.count.since) as f64;
        }
        self.count.since = now;
    }

    #[inline]
    pub(super) fn joined(&mut self) {
        self.count.most = self.count.most.max(self.data_bytes + self.header_bytes);
    }

    pub(super) fn stats(&self, now: SimTime) -> LinkStats {
        let count = &self.count;
        let span = (now.as_picos() as f64).max(1.0);
        let queued = (self.data_bytes + self.header_bytes) as f64;
        let since = now.as_picos().saturating_sub(count.since) as f64;
        LinkStats {
            bytes: count.bytes,
            packets: count.packets,
            trimmed: count.trimmed,
            dropped: count.dropped,
            marked: count.marked,
            paused: count.paused,
            longest: count.most,
            average: (count.area + queued * since) / span,
            waited: count.waited * 1e-12,
            utilisation: (count.bytes as f64 * self.per_byte / span).min(1.0),
        }
    }
}
