//! Why a packet network cannot go on.

use units::TimeOverflow;

/// Why a packet network cannot be built, or cannot go on. A network that returned an error from
/// [`Packets::advance`](super::Packets::advance) is to be dropped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum PacketError {
    #[error("`{field}` is {value}, but it is {rule}")]
    BadConfig {
        field: &'static str,
        value: String,
        rule: &'static str,
    },
    #[error("link {link} carries {rate} bytes per second, but packets need at least 1")]
    SlowLink { link: u32, rate: f64 },
    #[error("link {link} does not exist: the network has {links} links")]
    UnknownLink { link: u32, links: usize },
    #[error("host {host} does not exist: the network has {hosts} hosts")]
    UnknownHost { host: u32, hosts: u32 },
    #[error("no way leads from host {src} to host {dst}")]
    NoWay { src: u32, dst: u32 },
    #[error("way {way} does not exist: {ways} ways lead from host {src} to host {dst}")]
    UnknownWay {
        way: u32,
        ways: usize,
        src: u32,
        dst: u32,
    },
    #[error("a message of {bytes} bytes has more than 2³¹ packets")]
    TooLong { bytes: u64 },
    #[error("{messages} messages are more than a run can count")]
    TooMany { messages: usize },
    #[error("time {asked} ps lies before the network's clock, {clock} ps")]
    Past { asked: u64, clock: u64 },
    #[error("message {message} got no answer for {timeouts} timeouts in a row")]
    Stuck { message: u32, timeouts: u8 },
    #[error(transparent)]
    Overflow(#[from] TimeOverflow),
}
