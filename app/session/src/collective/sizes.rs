//! Sizes as nccl-tests reads them.

use units::Bytes;

/// Rows of a table at most.
const MOST: u64 = 10_000;

/// Which sizes a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    least: u64,
    most: u64,
    step: Step,
}

/// From one size to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Factor(u64),
    Bytes(u64),
}

/// Why sizes make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SizesError {
    #[error("{found:?} is no size")]
    NoSize { found: String },
    #[error("the sizes go from {least} to {most} bytes, which is backwards")]
    Backwards { least: u64, most: u64 },
    #[error("a step factor of {found} never ends, at least 2 is needed")]
    Factor { found: u64 },
    #[error("a step of 0 bytes never ends")]
    NoStep,
    #[error("the table would have more than {MOST} rows")]
    TooMany,
}

impl SizesError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSize { .. } | Self::Backwards { .. } => {
                "write MIN:MAX, such as 8:8G; K, M and G are 2^10, 2^20 and 2^30 bytes"
            }
            Self::Factor { .. } => "use --step-bytes for equal steps",
            Self::NoStep | Self::TooMany => "take larger steps, such as --step-bytes 1M",
        }
    }
}

impl Sizes {
    /// Reads `MIN:MAX` or one size, with a factor from one size to the next (2 where nothing is
    /// said) or an increment.
    ///
    /// # Errors
    ///
    /// A size that is none, or steps that do not lead from one to the other.
    pub fn parse(
        range: &str,
        factor: Option<u64>,
        increment: Option<&str>,
    ) -> Result<Self, SizesError> {
        let (least, most) = range.split_once(':').unwrap_or((range, range));
        let (least, most) = (size(least)?, size(most)?);
        if most < least {
            return Err(SizesError::Backwards { least, most });
        }
        let step = match (increment, factor.unwrap_or(2)) {
            (Some(increment), _) => Step::Bytes(size(increment)?),
            (None, factor) => Step::Factor(factor),
        };
        match step {
            Step::Bytes(0) => return Err(SizesError::NoStep),
            Step::Bytes(step) if MOST <= (most - least) / step => return Err(SizesError::TooMany),
            Step::Factor(found) if found < 2 => return Err(SizesError::Factor { found }),
            _ => {}
        }
        Ok(Self { least, most, step })
    }

    /// Every size, rising.
    pub fn list(self) -> impl Iterator<Item = Bytes> {
        let next = move |&size: &u64| {
            let next = match self.step {
                // From 0 a factor leads nowhere.
                Step::Factor(_) if size == 0 => None,
                Step::Factor(factor) => size.checked_mul(factor),
                Step::Bytes(step) => size.checked_add(step),
            };
            next.filter(|next| *next <= self.most)
        };
        std::iter::successors(Some(self.least), next).map(Bytes::new)
    }

    /// The smallest and the largest size, in bytes.
    pub const fn range(self) -> [u64; 2] {
        [self.least, self.most]
    }

    /// The step in nccl-tests' words.
    pub fn step(self) -> String {
        match self.step {
            Step::Factor(factor) => format!("{factor}(factor)"),
            Step::Bytes(bytes) => format!("{bytes}(bytes)"),
        }
    }
}

/// A number with K, M or G behind it: 2¹⁰, 2²⁰, 2³⁰ (nccl-tests, `src/common.cu`, `parsesize`).
fn size(text: &str) -> Result<u64, SizesError> {
    let wrong = || SizesError::NoSize {
        found: text.to_owned(),
    };
    let trimmed = text.trim();
    let unit = match trimmed.chars().last().map(|last| last.to_ascii_uppercase()) {
        Some('K') => 1_u64 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    let digits = if unit == 1 {
        trimmed
    } else {
        trimmed[..trimmed.len() - 1].trim_end()
    };
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(wrong)?;
    let bytes = number * unit as f64;
    // Beyond this, bandwidths say nothing any more.
    if bytes <= 1e18 {
        Ok(Bytes::from_f64(bytes.floor()).as_u64())
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(range: &str, factor: Option<u64>, increment: Option<&str>) -> Vec<u64> {
        let sizes = Sizes::parse(range, factor, increment).unwrap();
        sizes.list().map(Bytes::as_u64).collect()
    }

    #[test]
    fn units_are_powers_of_two_and_steps_double() {
        assert_eq!(list("1K:8k", None, None), [1024, 2048, 4096, 8192]);
        assert_eq!(list("1.5M", None, None), [3 << 19]);
        assert_eq!(list("8:100", Some(3), None), [8, 24, 72]);
        assert_eq!(list("1K:4K", None, Some("1K")), [1024, 2048, 3072, 4096]);
        assert_eq!(list("0:4", None, None), [0]);
    }

    #[test]
    fn sizes_that_make_no_sense_are_refused() {
        let error = |range, factor, increment| Sizes::parse(range, factor, increment).unwrap_err();
        for text in ["", "8:", "8T", "-1", "x:1G", "nan", "inf", "1e30"] {
            assert!(
                matches!(error(text, None, None), SizesError::NoSize { .. }),
                "{text}"
            );
        }
        assert!(matches!(
            error("2K:1K", None, None),
            SizesError::Backwards { .. }
        ));
        assert_eq!(
            error("8:16", Some(1), None),
            SizesError::Factor { found: 1 }
        );
        assert_eq!(error("8:16", None, Some("0")), SizesError::NoStep);
        assert_eq!(error("8:8G", None, Some("8")), SizesError::TooMany);
    }
}
