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
    #[error("a message from {src} to {dst} got no answer for {timeouts} timeouts in a row")]
    Stuck {
        src: String,
        dst: String,
        timeouts: u8,
    },
    #[error(
        "deadlock of pauses (PFC), found after {after_us:.1} us: {messages} messages are under way, and links wait for each other in a circle: {circle}"
    )]
    Deadlock {
        after_us: f64,
        messages: u64,
        circle: String,
    },
    #[error(
        "nothing moves after {after_us:.1} us, but {messages} messages are under way, such as one from {src} to {dst}"
    )]
    Stalled {
        after_us: f64,
        messages: u64,
        src: String,
        dst: String,
    },
    #[error(transparent)]
    Overflow(#[from] TimeOverflow),
}

impl PacketError {
    /// What to change in the scenario, where we can tell.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Deadlock { .. } => Some(
                "take ways that close no circle (another `network.load_balancing`, or a fabric whose routes go up and then down), a transport without pauses (`network.transport` uec, eqds or ndp, or `network.pfc` = false), or a larger `network.buffer`",
            ),
            Self::Stuck { .. } => Some(
                "what it sends is lost or waits too long: look for links that fail or are very slow, and for a `network.buffer` that is too small",
            ),
            Self::Stalled { .. } => {
                Some("take another `network.transport` or a larger `network.buffer`")
            }
            _ => None,
        }
    }
}
