//! Why a text is no platform that can be simulated.

use cluster::zones::{RadicalError, ZoneError};

/// What is wrong with a platform file, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct SimGridError {
    /// The line on which the element begins, counted from 1.
    pub line: u32,
    /// What is wrong with it.
    pub fault: Fault,
}

impl SimGridError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        self.fault.hint()
    }
}

/// What is wrong with an element of a platform file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Fault {
    #[error("this is not well-formed XML: {0}")]
    Xml(String),
    #[error("the text ends inside `{element}`")]
    Truncated { element: String },
    #[error("the document type declares entities, and they are not expanded")]
    Entities,
    #[error("elements are nested more than {limit} deep")]
    TooDeep { limit: usize },
    #[error("there is no `platform`")]
    NoPlatform,
    #[error("the platform has version {found}, this program reads 4 and 4.1")]
    Version { found: String },
    #[error("`{element}` is no element of a platform")]
    Unknown { element: String },
    #[error("`{element}` cannot stand inside `{parent}`")]
    Misplaced { element: String, parent: String },
    #[error("`{element}` has no `{attribute}`")]
    Missing {
        element: String,
        attribute: &'static str,
    },
    #[error("`{attribute}` is `{value}`, but must be {expected}")]
    Value {
        attribute: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("`{attribute}` is `{value}`, but a link carries a finite, positive rate")]
    Rate {
        attribute: &'static str,
        value: String,
    },
    #[error("`{attribute}` is `{value}`, but a latency is finite and not negative")]
    Latency {
        attribute: &'static str,
        value: String,
    },
    #[error("`{value}` of `{attribute}` has the unknown unit `{unit}`")]
    Unit {
        attribute: &'static str,
        value: String,
        unit: String,
    },
    #[error("{what} is not supported")]
    Unsupported { what: String },
    #[error("`radical`: {0}")]
    Radical(#[from] RadicalError),
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

impl Fault {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Zone(error) => return error.hint(),
            Self::Entities => {
                "write the declared texts out in full, and leave the `[...]` of the DOCTYPE out"
            }
            Self::Version { found } if found.starts_with(['1', '2', '3']) => {
                "SimGrid's `simgrid_update_xml` brings old files up to date"
            }
            Self::Truncated { .. } => "the file is incomplete: copy or write it again",
            Self::NoPlatform => "the outermost element of a SimGrid platform is `platform`",
            Self::Unit { attribute, .. } if attribute.contains("lat") => {
                "latencies end in ps, ns, us, ms, s, m, h, d or w"
            }
            Self::Unit { .. } => {
                "rates end in Bps, kBps, MBps, GBps, KiBps, ..., or in bits: bps, kbps, Mbps, Gbps, Kibps, ..."
            }
            Self::Rate { .. } => "leave a link that is out of order out of its routes",
            Self::Unsupported { what } if what.contains("Vivaldi") || what.contains("peer") => {
                "give the zone routing Cluster, with latencies on its links"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
