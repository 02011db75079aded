//! What a number counts, and how it is written.

use look::number;
use units::Bytes;

/// What the numbers of an axis or a column are. Values are stored in the base unit; people read them in
/// the unit that fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Numbers without a unit.
    #[default]
    Plain,
    /// Whole numbers of things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes, shown in binary units.
    Bytes,
    /// Bytes per second, shown in decimal bits per second.
    BytesPerSec,
    /// A share of one, shown in percent.
    Share,
    /// Any other unit by its name, never scaled.
    Of(String),
}

/// A unit that fits a whole axis or column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// What a stored value is divided by.
    pub(crate) size: f64,
    /// The name; empty for plain numbers.
    pub(crate) name: String,
}

impl Unit {
    /// A value with its unit, as a sentence would have it.
    pub fn text(&self, value: f64) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        match self {
            Self::Plain => trimmed(value),
            Self::Count => decimal(value, 0),
            Self::Seconds => number::secs(value),
            Self::Bytes => number::bytes(whole_bytes(value)),
            Self::BytesPerSec => number::bits_per_sec(value),
            Self::Share => number::percent(value),
            Self::Of(name) => format!("{} {name}", trimmed(value)),
        }
    }

    /// The name of the unit that values are stored in; empty for plain numbers.
    pub fn base(&self) -> &str {
        match self {
            Self::Plain | Self::Count | Self::Share => "",
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::BytesPerSec => "B/s",
            Self::Of(name) => name,
        }
    }

    /// The unit for values up to a size.
    pub(crate) fn shown(&self, largest: f64) -> Shown {
        const GIB: f64 = (1_u64 << 30) as f64;
        let (size, name) = match self {
            Self::Plain | Self::Count => (1.0, ""),
            Self::Seconds => pick(
                largest,
                &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
            ),
            Self::Bytes => pick(
                largest,
                &[
                    (GIB * 1_024.0, "TiB"),
                    (GIB, "GiB"),
                    (GIB / 1_024.0, "MiB"),
                    (1_024.0, "KiB"),
                    (1.0, "B"),
                ],
            ),
            Self::BytesPerSec => pick(
                largest,
                &[
                    (1e12 / 8.0, "Tbit/s"),
                    (1e9 / 8.0, "Gbit/s"),
                    (1e6 / 8.0, "Mbit/s"),
                    (1e3 / 8.0, "kbit/s"),
                ],
            ),
            Self::Share => (0.01, "%"),
            Self::Of(name) => (1.0, name.as_str()),
        };
        Shown {
            size,
            name: name.to_owned(),
        }
    }
}

/// The first unit that is not larger than the largest value; the last where none is.
fn pick<'a>(largest: f64, units: &[(f64, &'a str)]) -> (f64, &'a str) {
    let fits = |unit: &&(f64, &'a str)| unit.0 <= largest * 1.000_001;
    let first = units.first().copied().unwrap_or((1.0, ""));
    if largest.is_nan() || largest <= 0.0 {
        return first;
    }
    let last = units.last().copied().unwrap_or(first);
    units.iter().find(fits).copied().unwrap_or(last)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates at both ends, which is what we want"
)]
fn whole_bytes(value: f64) -> Bytes {
    Bytes::new(value.round() as u64)
}

/// Four significant digits without zeros that say nothing.
fn trimmed(value: f64) -> String {
    let text = number::digits(value);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number with so many decimals and its thousands apart.
pub(crate) fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let whole = match whole.parse::<u64>() {
        Ok(whole) => number::count(whole),
        Err(_) => whole.to_owned(),
    };
    let zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_one_unit_that_fits_its_largest_value() {
        assert_eq!(Unit::Seconds.shown(0.5).name, "ms");
        assert_eq!(Unit::Seconds.shown(2.0).name, "s");
        assert_eq!(Unit::Bytes.shown(80.0 * 1_073_741_824.0).name, "GiB");
        assert_eq!(Unit::BytesPerSec.shown(50e9).name, "Gbit/s");
        assert_eq!(Unit::Seconds.shown(f64::NAN).name, "s");
    }

    #[test]
    fn numbers_keep_their_sign_and_their_thousands_apart() {
        assert_eq!(decimal(1_234_567.0, 0), "1,234,567");
        assert_eq!(decimal(-1_234.5, 2), "−1,234.50");
        assert_eq!(decimal(-0.001, 1), "0.0");
        assert_eq!(Unit::Plain.text(12.5), "12.5");
        assert_eq!(Unit::Of("USD".to_owned()).text(1_200.0), "1,200 USD");
        assert_eq!(Unit::Seconds.text(f64::INFINITY), "–");
    }
}
