//! What goes wrong when a trace is written or read.

use trace::TraceError;

/// Why a trace could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum FormatError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the trace breaks a rule: {0}")]
    Trace(#[from] TraceError),
    #[error("rank {rank} is not in the trace, whose ranks reach from {first} to {last}")]
    UnknownRank { rank: u32, first: u32, last: u32 },
    #[error("the trace has no ranks")]
    NoRanks,
    #[error("the file begins with {found:02x?}, and no trace does")]
    NoTrace { found: Vec<u8> },
    #[error("the trace has version {major}.{minor}, this program reads version {supported}")]
    OtherVersion {
        major: u16,
        minor: u16,
        supported: u16,
    },
    #[error("the file ends inside {part} at byte {offset}")]
    Truncated { part: String, offset: u64 },
    #[error("chunk `{chunk}` at byte {offset} is damaged: {what}")]
    Damaged {
        chunk: String,
        offset: u64,
        what: &'static str,
    },
    #[error("chunk `{chunk}` at byte {offset} claims {bytes} bytes, the limit is {limit}")]
    TooLarge {
        chunk: String,
        offset: u64,
        bytes: u64,
        limit: u64,
    },
    #[error("the header of the trace is not what was expected: {0}")]
    Header(String),
}

impl FormatError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Trace(error) => error.hint(),
            Self::UnknownRank { .. } => Some("ranks count from 0".to_owned()),
            Self::NoTrace { found } if found.starts_with(&[0x1f, 0x8b]) => Some(
                "this is gzip, perhaps an exported timeline: open it in a viewer, or name the `.wtt` file"
                    .to_owned(),
            ),
            Self::NoTrace { found } if found.first() == Some(&b'{') => Some(
                "this is JSON, perhaps an exported timeline: open it in a viewer, or name the `.wtt` file"
                    .to_owned(),
            ),
            Self::NoTrace { .. } => Some("`simulate --trace FILE.wtt` writes a trace".to_owned()),
            Self::OtherVersion {
                major, supported, ..
            } if supported < major => {
                Some("update windtunnel, or write the trace again".to_owned())
            }
            Self::OtherVersion { .. }
            | Self::Truncated { .. } | Self::Damaged { .. } | Self::Header(_) => {
                Some("write the trace again from its scenario".to_owned())
            }
            Self::TooLarge { .. } => {
                Some("if the file is genuine, raise the limit of the reader".to_owned())
            }
            Self::Io(_) | Self::NoRanks => None,
        }
    }
}
