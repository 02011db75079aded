//! What is counted over the whole network.

/// Counts from the start of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Data packets that senders sent, those sent again included.
    pub sent: u64,
    /// Data packets that were sent again.
    pub resent: u64,
    /// Payload that arrived, each byte once.
    pub payload: u64,
    /// Data packets that lost their payload in a queue.
    pub trimmed: u64,
    /// Trimmed packets that reached the receiver.
    pub headers: u64,
    /// Packets lost in queues and on failed links, headers and acknowledgements included.
    pub dropped: u64,
    /// Packets that queues marked.
    pub marked: u64,
    /// Packets that counted as lost because nothing was heard of them.
    pub timed_out: u64,
    /// Data packets that arrived although they had arrived before.
    pub duplicates: u64,
    /// Data packets sent once that arrived after one with a higher number.
    pub reordered: u64,
    /// The most by which such a packet's number lay below the highest.
    pub depth: u32,
    /// The most packets that one receiver held above a gap.
    pub held: u32,
    /// Data packets that go-back-N dropped at the receiver, since they came before their turn.
    pub early: u64,
    /// Bytes of credit that receivers granted.
    pub granted: u64,
}
