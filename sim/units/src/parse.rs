//! Quantities as people write them: `"400 Gbit/s"`, `"80 GiB"`, `"3.5 us"`.

use crate::{Bytes, BytesPerSec, Seconds};

/// Why a text is not the quantity that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum QuantityError {
    #[error("{what} {text:?} does not begin with a number")]
    NoNumber { what: &'static str, text: String },
    #[error("{what} {text:?} has no unit")]
    NoUnit { what: &'static str, text: String },
    #[error("{what} {text:?} has the unit {unit:?}, which is not a unit of {what}")]
    WrongUnit {
        what: &'static str,
        text: String,
        unit: String,
    },
    #[error("{what} {text:?} is out of range")]
    OutOfRange { what: &'static str, text: String },
}

impl QuantityError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        if let Self::OutOfRange { what: "size", .. } = self {
            return "a size is 0 to 7.9 EiB, which is 9.2e18 bytes".to_owned();
        }
        let what = match self {
            Self::NoNumber { what, .. }
            | Self::NoUnit { what, .. }
            | Self::WrongUnit { what, .. }
            | Self::OutOfRange { what, .. } => *what,
        };
        match what {
            "rate" => "write \"400 Gbit/s\" or \"50 GB/s\"".to_owned(),
            "size" => "write \"80 GiB\", \"64 MiB\" or \"24 GB\"".to_owned(),
            _ => "write \"3.5 us\", \"2 ms\" or \"1 s\"".to_owned(),
        }
    }
}

/// Reads a size: B, and k, M, G, T, P, E with B (decimal) or iB (binary).
///
/// # Errors
///
/// Any [`QuantityError`]; a size below zero or past 2⁶³ is out of range.
pub fn parse_bytes(text: &str) -> Result<Bytes, QuantityError> {
    let (value, factor) = parse("size", text, size_factor)?;
    let bytes = value * factor;
    if (0.0..9.2e18).contains(&bytes) {
        Ok(Bytes::from_f64(bytes))
    } else {
        Err(QuantityError::OutOfRange {
            what: "size",
            text: text.to_owned(),
        })
    }
}

/// Reads a rate: bits (`bit/s`, `bps`) or bytes (`B/s`) a second with a decimal or binary prefix.
///
/// # Errors
///
/// Any [`QuantityError`]; a rate that is not positive is out of range.
pub fn parse_rate(text: &str) -> Result<BytesPerSec, QuantityError> {
    let (value, factor) = parse("rate", text, rate_factor)?;
    BytesPerSec::new(value * factor).ok_or_else(|| QuantityError::OutOfRange {
        what: "rate",
        text: text.to_owned(),
    })
}

/// Reads a duration: `ps`, `ns`, `us` (or `µs`), `ms`, `s`, `min`, `h`, `d`.
///
/// # Errors
///
/// Any [`QuantityError`]; a duration below zero is out of range.
pub fn parse_seconds(text: &str) -> Result<Seconds, QuantityError> {
    let (value, factor) = parse("duration", text, time_factor)?;
    let secs = value * factor;
    if 0.0 <= secs && secs.is_finite() {
        Ok(Seconds::from_secs(secs))
    } else {
        Err(QuantityError::OutOfRange {
            what: "duration",
            text: text.to_owned(),
        })
    }
}

fn parse(
    what: &'static str,
    text: &str,
    factor: impl Fn(&str) -> Option<f64>,
) -> Result<(f64, f64), QuantityError> {
    let trimmed = text.trim();
    let digits = trimmed.len() - trimmed.trim_start_matches(is_numeric).len();
    // "1e9 B" has an exponent; "1 EiB" does not: an exponent is followed by a digit or a sign.
    let digits = digits + exponent_len(&trimmed[digits..]);
    let (number, unit) = trimmed.split_at(digits);
    let value: f64 = number
        .replace('_', "")
        .parse()
        .map_err(|_| QuantityError::NoNumber {
            what,
            text: text.to_owned(),
        })?;
    let unit = unit.trim();
    if unit.is_empty() {
        return Err(QuantityError::NoUnit {
            what,
            text: text.to_owned(),
        });
    }
    let factor = factor(unit).ok_or_else(|| QuantityError::WrongUnit {
        what,
        text: text.to_owned(),
        unit: unit.to_owned(),
    })?;
    Ok((value, factor))
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_')
}

fn exponent_len(rest: &str) -> usize {
    let Some(tail) = rest.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let signed = tail.strip_prefix(['+', '-']).unwrap_or(tail);
    let digits = signed.len()
        - signed
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    if digits == 0 {
        0
    } else {
        1 + (tail.len() - signed.len()) + digits
    }
}

fn prefix_factor(prefix: &str) -> Option<f64> {
    Some(match prefix {
        "" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ => return None,
    })
}

fn size_factor(unit: &str) -> Option<f64> {
    prefix_factor(unit.strip_suffix('B')?)
}

fn rate_factor(unit: &str) -> Option<f64> {
    let bits = unit
        .strip_suffix("bit/s")
        .or_else(|| unit.strip_suffix("bps"));
    let bits = bits.or_else(|| unit.strip_suffix("b/s"));
    if let Some(prefix) = bits {
        return Some(prefix_factor(prefix)? / 8.0);
    }
    prefix_factor(
        unit.strip_suffix("B/s")
            .or_else(|| unit.strip_suffix("Bps"))?,
    )
}

fn time_factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "ps" => 1e-12,
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_or_binary_as_written() {
        assert_eq!(parse_bytes("80 GiB").unwrap(), Bytes::new(80 << 30));
        assert_eq!(parse_bytes("24GB").unwrap(), Bytes::new(24_000_000_000));
        assert_eq!(parse_bytes("1e3 kB").unwrap(), Bytes::new(1_000_000));
        assert_eq!(parse_bytes("1_024 B").unwrap(), Bytes::new(1024));
        assert_eq!(parse_bytes("1.5 PiB").unwrap(), Bytes::new(3 << 49));
        assert_eq!(parse_bytes("2EiB").unwrap(), Bytes::new(2 << 60));
        assert_eq!(
            parse_bytes("3 EB").unwrap(),
            Bytes::new(3_000_000_000_000_000_000)
        );
    }

    #[test]
    fn a_size_that_is_too_large_says_how_large_sizes_are() {
        let error = parse_bytes("8 EiB").unwrap_err();
        assert_eq!(error.to_string(), "size \"8 EiB\" is out of range");
        assert_eq!(
            error.hint(),
            "a size is 0 to 7.9 EiB, which is 9.2e18 bytes"
        );
    }

    #[test]
    fn rates_tell_bits_from_bytes() {
        let rate = BytesPerSec::new(50e9).unwrap();
        assert_eq!(parse_rate("400 Gbit/s").unwrap(), rate);
        assert_eq!(parse_rate("50 GB/s").unwrap(), rate);
        assert_eq!(parse_rate("400Gbps").unwrap(), rate);
    }

    #[test]
    fn a_rate_without_a_unit_says_what_to_write() {
        let error = parse_rate("400").unwrap_err();
        assert_eq!(error.to_string(), "rate \"400\" has no unit");
        assert_eq!(error.hint(), "write \"400 Gbit/s\" or \"50 GB/s\"");
        assert!(matches!(
            parse_rate("400 GiB"),
            Err(QuantityError::WrongUnit { .. })
        ));
        assert!(matches!(
            parse_bytes("NaN GiB"),
            Err(QuantityError::NoNumber { .. })
        ));
        assert!(matches!(
            parse_rate("-4 GB/s"),
            Err(QuantityError::OutOfRange { .. })
        ));
        assert!(matches!(
            parse_seconds("\u{301}3"),
            Err(QuantityError::NoNumber { .. })
        ));
    }
}
