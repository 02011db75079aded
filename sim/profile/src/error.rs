//! Why a profile cannot be used.

use crate::AttentionKernel;

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProfileError {
    #[error("`{field}` of {section} is {value}, outside {low} to {high}")]
    OutOfRange {
        section: String,
        field: &'static str,
        value: f64,
        low: f64,
        high: f64,
    },
    #[error("`schema` is {found}, but this version reads 1")]
    Schema { found: u32 },
    #[error("`{field}` of {section} is empty")]
    Empty {
        section: String,
        field: &'static str,
    },
    #[error("axis `{axis}` of the grid of {section} does not rise")]
    GridAxis { section: String, axis: char },
    #[error("the grid of {section} has {found} factors for {expected} nodes")]
    GridSize {
        section: String,
        found: usize,
        expected: usize,
    },
    #[error("{section} describes what {earlier} describes already")]
    Twice { section: String, earlier: String },
    #[error("{section} is for the kernel {kernel:?}, which has no curve")]
    NotFused {
        section: String,
        kernel: AttentionKernel,
    },
}

impl ProfileError {
    /// What to change in the file, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OutOfRange { field, .. } if field.contains("bandwidth") => {
                Some("write a share of the data sheet's bandwidth, such as 0.8".to_owned())
            }
            Self::OutOfRange {
                field: "efficiency",
                ..
            } => Some("write a share of the data sheet's dense peak, such as 0.75".to_owned()),
            Self::GridSize { .. } => {
                Some("list the factors with `k` running fastest, then `n`, then `m`".to_owned())
            }
            Self::NotFused { .. } => {
                Some("describe unfused attention in `[unfused]` and `[[gemm]]`".to_owned())
            }
            Self::Twice { .. } => Some("leave one of the two out".to_owned()),
            _ => None,
        }
    }
}
