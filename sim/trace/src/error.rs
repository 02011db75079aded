//! What makes a trace unusable.

use units::SimTime;

/// Why a trace breaks the rules that its readers rely on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum TraceError {
    #[error("{what} {index} names lane {lane}, but the trace has {n_lanes}")]
    UnknownLane {
        what: &'static str,
        index: usize,
        lane: u32,
        n_lanes: usize,
    },
    #[error("span {index} names text {name}, but the trace has {n_names}")]
    UnknownName {
        index: usize,
        name: u32,
        n_names: usize,
    },
    #[error("span {index} names detail {detail}, but the trace has {n_details}")]
    UnknownDetail {
        index: usize,
        detail: u32,
        n_details: usize,
    },
    #[error("span {index} ends at {} ps, before its start at {} ps", end.as_picos(), start.as_picos())]
    EndsBeforeStart {
        index: usize,
        start: SimTime,
        end: SimTime,
    },
    #[error("span {index} is released by span {cause}, which was recorded later")]
    CauseLater { index: usize, cause: u32 },
    #[error(
        "{what} {index} lies at {} ps, before the one recorded ahead of it at {} ps",
        at.as_picos(), before.as_picos()
    )]
    OutOfOrder {
        what: &'static str,
        index: usize,
        at: SimTime,
        before: SimTime,
    },
    #[error("link {link} has a level of {n_rates} rates, but {n_kinds} kinds of traffic")]
    RatesOfLink {
        link: usize,
        n_rates: usize,
        n_kinds: usize,
    },
    #[error("{what} {index} lies at {} ps, past the end of the trace at {} ps", at.as_picos(), end.as_picos())]
    PastTheEnd {
        what: &'static str,
        index: usize,
        at: SimTime,
        end: SimTime,
    },
}

impl TraceError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::UnknownLane { .. }
            | Self::UnknownName { .. }
            | Self::UnknownDetail { .. }
            | Self::RatesOfLink { .. } => {
                "the file is damaged or was cut: write it again from its scenario"
            }
            Self::CauseLater { .. } | Self::OutOfOrder { .. } => {
                "record spans in the order in which they end, and memory in order of time"
            }
            Self::EndsBeforeStart { .. } | Self::PastTheEnd { .. } => {
                "times count in picoseconds from the start of the run"
            }
        };
        Some(text.to_owned())
    }
}
