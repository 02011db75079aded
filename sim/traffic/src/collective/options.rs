//! Channels, chunks and protocols.

use profile::{BufferComm, Protocol};

/// How a collective is cut into messages. What is out of bounds counts as the nearest bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Parallel rings or pairs of trees, each with its part of the data, 1 to 64. Channel `c`
    /// enters and leaves a domain at its rank `c`, modulo how many it has.
    pub channels: u32,
    /// The most data that is passed on as a whole, in bytes; a chunk in the tables of the module.
    pub chunk: u64,
    /// How many chunks a connection may have under way.
    pub window: u32,
    /// How data travel: what of a message is flags.
    pub protocol: Protocol,
}

impl Default for Options {
    fn default() -> Self {
        Self::new(Protocol::Simple, 1)
    }
}

/// Slots of a connection's buffer (NCCL's `NCCL_STEPS`).
const SLOTS: u64 = 8;
/// Slots that Simple passes on at once (NCCL's slice of a ring).
const SIMPLE_SLOTS: u64 = 2;

impl Options {
    /// NCCL's buffers for a protocol: eight slots a connection; LL and LL128 pass on one slot, of
    /// which flags take a half and an 16th, Simple two slots, a slice.
    ///
    /// Source: NCCL 2.30.7, `src/include/device.h` and `collectives.h`.
    pub fn new(protocol: Protocol, channels: u32) -> Self {
        let slot = BufferComm::default().protocols[protocol.index()] / SLOTS;
        let slots = match protocol {
            Protocol::Ll | Protocol::Ll128 => 1,
            Protocol::Simple => SIMPLE_SLOTS,
        };
        let [data, line] = line(protocol);
        Self {
            channels: channels.max(1),
            chunk: slots * slot * data / line,
            window: u32::try_from(SLOTS / slots).unwrap_or(1),
            protocol,
        }
    }

    /// NCCL's `MAXCHANNELS`.
    pub const MOST_CHANNELS: u32 = 64;

    /// The same within bounds: channels from 1 to the most, chunks and windows of at least 1.
    pub(crate) fn bounded(mut self) -> Self {
        self.channels = self.channels.clamp(1, Self::MOST_CHANNELS);
        self.chunk = self.chunk.max(1);
        self.window = self.window.max(1);
        self
    }

    /// Bytes on the wire of so many bytes of data.
    pub(crate) fn wire(&self, data: u64) -> u64 {
        let [part, whole] = line(self.protocol);
        let lines = u128::from(data) * u128::from(whole);
        u64::try_from(lines.div_ceil(u128::from(part))).unwrap_or(u64::MAX)
    }

    /// Chunks of a channel's data that go over so many hops, and the bytes on the wire of each.
    ///
    /// Chunks are halved where there are too few to fill the pipeline, as NCCL does for chains
    /// (2.30.7, `src/enqueue.cc`): down to 128 KiB while there are fewer than 64 for each hop, to
    /// 64 KiB while fewer than 8, to 32 KiB while fewer than one.
    pub(crate) fn pieces(&self, data: u64, hops: u32) -> (u32, u64) {
        let mut chunk = self.chunk;
        for (per_hop, least) in [(64, 128 << 10), (8, 64 << 10), (1, 32 << 10)] {
            while data / chunk < u64::from(hops) * per_hop && least < chunk {
                chunk /= 2;
            }
        }
        self.cut(data, chunk)
    }

    /// The fewest equal chunks, and the bytes on the wire of each.
    pub(crate) fn chunks(&self, data: u64) -> (u32, u64) {
        self.cut(data, self.chunk)
    }

    fn cut(&self, data: u64, chunk: u64) -> (u32, u64) {
        let n = data.div_ceil(chunk).clamp(1, MOST_CHUNKS);
        let count = u32::try_from(n).unwrap_or(1);
        (count, self.wire(data.div_ceil(n)))
    }
}

/// Enough to fill any pipeline, and few enough to count.
const MOST_CHUNKS: u64 = 1 << 14;

/// Bytes of data in a line, and of the line.
const fn line(protocol: Protocol) -> [u64; 2] {
    match protocol {
        Protocol::Ll => [8, 16],
        Protocol::Ll128 => [120, 128],
        Protocol::Simple => [1, 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_those_of_nccls_buffers() {
        let chunk = |protocol| Options::new(protocol, 1).chunk;
        assert_eq!(chunk(Protocol::Simple), 1 << 20);
        assert_eq!(chunk(Protocol::Ll), 32 << 10);
        assert_eq!(chunk(Protocol::Ll128), 576_000);
        assert_eq!(Options::new(Protocol::Simple, 0).window, 4);
    }

    #[test]
    fn flags_take_a_half_of_ll_and_a_sixteenth_of_ll128() {
        assert_eq!(Options::new(Protocol::Ll, 1).wire(1000), 2000);
        assert_eq!(Options::new(Protocol::Ll128, 1).wire(120_000), 128_000);
        assert_eq!(Options::new(Protocol::Simple, 1).wire(7), 7);
    }

    #[test]
    fn a_long_pipeline_has_smaller_chunks() {
        let options = Options::default();
        assert_eq!(options.pieces(64 << 20, 1), (64, 1 << 20));
        assert_eq!(options.pieces(64 << 20, 4), (256, 256 << 10));
        assert_eq!(options.pieces(64 << 20, 100), (1024, 64 << 10));
        assert_eq!(options.pieces(1000, 100), (1, 1000));
        assert_eq!(options.pieces(0, 3), (1, 0));
    }

    #[test]
    fn the_number_of_chunks_is_bounded() {
        let options = Options {
            chunk: 1,
            ..Options::default()
        };
        assert_eq!(options.chunks(u64::MAX).0, 1 << 14);
    }
}
