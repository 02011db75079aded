//! The two ends of a flow.

use rand::Rng as _;
use rand_pcg::Pcg32;

use super::balance::Balance;
use super::bits::Bits;
use super::connection::Lane;
use super::dcqcn::Dcqcn;
use super::nic::scaled;
use super::nscc::Nscc;
use super::routes::Side;

/// What limits a sender.
#[derive(Clone, Debug)]
pub(super) enum Pace {
    /// Its NIC.
    None,
    /// Bytes of credit.
    Credit,
    /// A window.
    Window(Box<Nscc>),
    /// A window and credit.
    Both(Box<Nscc>),
    /// A rate.
    Rate(Box<Dcqcn>),
}

/// The sending end.
///
/// A packet is under way if its number lies below `next` and it is neither acknowledged (below
/// `all_below` or in `acked`) nor known to be lost (in `lost`).
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a condition of its own"
)]
pub(super) struct Sender {
    pub(super) side: Side,
    /// The link that it sends into.
    pub(super) nic: u32,
    /// The slowest link of its way.
    pub(super) narrow: u32,
    /// The way that counts it, where flows choose by how many there are.
    pub(super) way: u16,
    /// How many packets the message has.
    pub(super) packets: u32,
    /// The next number that was never sent, or, in go-back-N, that is sent next.
    pub(super) next: u32,
    pub(super) all_below: u32,
    /// Numbers from here on were never sent.
    pub(super) fresh: u32,
    pub(super) in_flight: u64,
    /// Bytes that may be sent by credit.
    pub(super) credit: i64,
    /// Credit seen and wanted so far.
    pub(super) granted: u64,
    /// Whether the first window may still be used.
    pub(super) speculates: bool,
    pub(super) is_ready: bool,
    /// Whether its rate makes it wait.
    pub(super) waits: bool,
    pub(super) done: bool,
    pub(super) timer: bool,
    pub(super) backoff: u8,
    /// Bytes of the last packet, with header.
    pub(super) last_size: u16,
    pub(super) next_ready: u32,
    /// The connection in whose line it stands, until it has sent each packet once.
    pub(super) lane: Option<Lane>,
    /// The flow of that connection that begins then.
    pub(super) behind: u32,
    /// Whether it waits for the one before it.
    pub(super) is_held: bool,
    /// What must be gone before the slot is used again: packets under way and timers.
    pub(super) uses: u32,
    pub(super) message: u32,
    /// The idle round trip, in picoseconds.
    pub(super) round_trip: u64,
    pub(super) timeout: u64,
    /// The largest window or first credit.
    pub(super) window: u64,
    pub(super) acked: Bits,
    pub(super) lost: Bits,
    /// When each packet was last sent, around a ring of a power of two.
    pub(super) sent: Vec<u64>,
    /// And with which entropy.
    pub(super) entropies: Vec<u16>,
    pub(super) pace: Pace,
    pub(super) balance: Balance,
    pub(super) rng: Pcg32,
    /// Mixed into the hash of entropies.
    pub(super) salt: u64,
}

impl Sender {
    #[inline]
    pub(super) fn has_more(&self) -> bool {
        0 < self.lost.len() || self.next < self.packets
    }

    /// Bytes of a packet with header.
    #[inline]
    pub(super) fn size(&self, number: u32, whole: u16) -> u16 {
        if number + 1 == self.packets {
            self.last_size
        } else {
            whole
        }
    }

    #[inline]
    pub(super) fn sent_at(&self, number: u32) -> u64 {
        self.sent[number as usize & (self.sent.len() - 1)]
    }

    pub(super) fn entropy_of(&self, number: u32) -> u16 {
        self.entropies[number as usize & (self.entropies.len() - 1)]
    }

    /// Notes when a packet was sent, and with which entropy. The ring grows to hold all from the
    /// first that is not acknowledged.
    #[inline]
    pub(super) fn note_sent(&mut self, number: u32, now: u64, entropy: u16) {
        let span = (number - self.all_below.min(number)) as usize + 1;
        if self.sent.len() < span {
            self.grow_ring(number, span.next_power_of_two().max(16));
        }
        let mask = self.sent.len() - 1;
        self.sent[number as usize & mask] = now;
        self.entropies[number as usize & mask] = entropy;
    }

    fn grow_ring(&mut self, number: u32, room: usize) {
        let mut sent = vec![0; room];
        let mut entropies = vec![0; room];
        if !self.sent.is_empty() {
            for old in self.all_below..number {
                sent[old as usize & (room - 1)] = self.sent_at(old);
                entropies[old as usize & (room - 1)] = self.entropy_of(old);
            }
        }
        self.sent = sent;
        self.entropies = entropies;
    }

    /// A part of the timeout that is added after two in a row, so that senders that lost together
    /// do not return together.
    pub(super) fn hesitation(&mut self) -> u64 {
        if self.backoff < 2 {
            return 0;
        }
        scaled(self.rng.next_u64(), self.timeout / 4)
    }

    /// How long to wait for an answer: twice as long after each timeout in a row past the fourth.
    pub(super) fn patience(&self) -> u64 {
        self.timeout << self.backoff.saturating_sub(4).min(6)
    }

    #[inline]
    pub(super) fn is_acked(&self, number: u32) -> bool {
        number < self.all_below || self.acked.contains(number)
    }
}

/// The receiving end.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) side: Side,
    pub(super) nic: u32,
    /// All numbers below have arrived.
    pub(super) expected: u32,
    pub(super) packets: u32,
    /// One above the highest number that has arrived.
    pub(super) highest: u32,
    pub(super) seen: Bits,
    /// Payload since the last acknowledgement.
    pub(super) unanswered: u64,
    pub(super) message: u32,
    /// Credit granted so far, and wanted for what the sender holds.
    pub(super) granted: u64,
    pub(super) wanted: u64,
    /// Credit wanted for packets that were trimmed.
    pub(super) extra: u64,
    pub(super) in_line: bool,
    pub(super) next_in_line: u32,
    /// The host's pacer of credit.
    pub(super) host: u32,
    /// When the last congestion notification was sent.
    pub(super) notified: Option<u64>,
    /// The gap for which go-back-N asked last, and when.
    pub(super) asked: Option<(u32, u64)>,
}

impl Receiver {
    #[inline]
    pub(super) fn has(&self, number: u32) -> bool {
        number < self.expected || self.seen.contains(number)
    }

    /// Notes an arrival; false where it is a duplicate.
    #[inline]
    pub(super) fn note(&mut self, number: u32) -> bool {
        if number == self.expected {
            self.expected += 1;
            if 0 < self.seen.len() {
                while self.seen.remove(self.expected) {
                    self.expected += 1;
                }
            }
            return true;
        }
        if number < self.expected {
            return false;
        }
        self.seen.forget_below(self.expected);
        self.seen.insert(number)
    }
}
