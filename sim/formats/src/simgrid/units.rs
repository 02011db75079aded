//! Rates and latencies with the units of `SimGrid` 3.32.

use ::units::{BytesPerSec, Seconds};

use super::error::Fault;

/// Prefixes of rates with what they multiply by. `K` for a thousand is ours.
const PREFIXES: [(&str, f64); 18] = [
    ("", 1.0),
    ("k", 1e3),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Z", 1e21),
    ("Y", 1e24),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("Zi", 1_180_591_620_717_411_303_424.0),
    ("Yi", 1_208_925_819_614_629_174_706_176.0),
];

/// Units of time in seconds.
const TIMES: [(&str, f64); 10] = [
    ("", 1.0),
    ("w", 604_800.0),
    ("d", 86_400.0),
    ("h", 3600.0),
    ("m", 60.0),
    ("s", 1.0),
    ("ms", 1e-3),
    ("us", 1e-6),
    ("ns", 1e-9),
    ("ps", 1e-12),
];

/// A quantity of a file: the attribute and its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) attribute: &'static str,
    pub(super) value: &'a str,
}

impl Text<'_> {
    fn owned(self) -> String {
        self.value.chars().take(60).collect()
    }

    /// The number that the text begins with, and the unit behind it.
    fn split(self) -> Result<(f64, String), Fault> {
        let text = self.value.trim();
        let end = number_end(text.as_bytes());
        let number = text[..end].parse::<f64>().map_err(|_| Fault::Value {
            attribute: self.attribute,
            value: self.owned(),
            expected: "a number with a unit",
        })?;
        Ok((number, text[end..].trim().to_owned()))
    }

    fn unit(self, unit: &str) -> Fault {
        Fault::Unit {
            attribute: self.attribute,
            value: self.owned(),
            unit: unit.chars().take(20).collect(),
        }
    }

    /// A rate in bytes per second, which may be 0 where that stands for none.
    pub(super) fn rate_or_none(self) -> Result<Option<BytesPerSec>, Fault> {
        match self.bytes_per_sec()? {
            0.0 => Ok(None),
            rate => self.positive(rate).map(Some),
        }
    }

    /// A rate.
    pub(super) fn rate(self) -> Result<BytesPerSec, Fault> {
        self.positive(self.bytes_per_sec()?)
    }

    fn positive(self, rate: f64) -> Result<BytesPerSec, Fault> {
        let (attribute, value) = (self.attribute, self.owned());
        BytesPerSec::new(rate).ok_or(Fault::Rate { attribute, value })
    }

    fn bytes_per_sec(self) -> Result<f64, Fault> {
        let (number, unit) = self.split()?;
        let (prefix, bits) = match (unit.strip_suffix("Bps"), unit.strip_suffix("bps")) {
            (Some(prefix), _) => (prefix, 1.0),
            (None, Some(prefix)) => (prefix, 0.125),
            (None, None) if unit.is_empty() => ("", 1.0),
            (None, None) => return Err(self.unit(&unit)),
        };
        let factor = PREFIXES.iter().find(|(name, _)| *name == prefix);
        match factor {
            Some((_, factor)) => Ok(number * (bits * factor)),
            None => Err(self.unit(&unit)),
        }
    }

    /// A latency.
    pub(super) fn latency(self) -> Result<Seconds, Fault> {
        let (number, unit) = self.split()?;
        let factor = TIMES.iter().find(|(name, _)| *name == unit);
        let Some((_, factor)) = factor else {
            return Err(self.unit(&unit));
        };
        let secs = number * factor;
        if secs.is_finite() && 0.0 <= secs {
            return Ok(Seconds::from_secs(secs));
        }
        let (attribute, value) = (self.attribute, self.owned());
        Err(Fault::Latency { attribute, value })
    }
}

/// Where a decimal number ends. An `E` without digits behind it belongs to the unit (1EBps).
fn number_end(text: &[u8]) -> usize {
    let sign = |at: usize| usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    let digits = |from: usize, point: bool| {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || point && **byte == b'.';
        from + text[from..].iter().take_while(is_part).count()
    };
    let end = digits(sign(0), true);
    if !matches!(text.get(end), Some(b'e' | b'E')) {
        return end;
    }
    let first = end + 1 + sign(end + 1);
    let exponent = digits(first.min(text.len()), false);
    if first < exponent { exponent } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: &str) -> Result<f64, Fault> {
        let attribute = "bandwidth";
        Text { attribute, value }.rate().map(BytesPerSec::as_f64)
    }

    fn latency(value: &str) -> Result<f64, Fault> {
        let attribute = "latency";
        Text { attribute, value }.latency().map(Seconds::as_secs)
    }

    #[test]
    fn rates_have_decimal_and_binary_units_of_bits_and_bytes() {
        let expected = [
            ("125", 125.0),
            ("1Bps", 1.0),
            ("1.5e3kBps", 1.5e6),
            ("2MBps", 2e6),
            ("1GBps", 1e9),
            ("1EBps", 1e18),
            ("1e2EBps", 1e20),
            ("8bps", 1.0),
            ("8kbps", 1e3),
            ("8Kbps", 1e3),
            ("100Gbps", 1.25e10),
            ("1Tbps", 1.25e11),
            ("1KiBps", 1024.0),
            ("8Mibps", 1_048_576.0),
        ];
        for (text, bytes) in expected {
            assert_eq!(rate(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn latencies_have_units_from_picoseconds_to_weeks() {
        let expected = [
            ("0", 0.0),
            ("1ps", 1e-12),
            ("20us", 20.0 * 1e-6),
            ("2m", 120.0),
            ("1w", 604_800.0),
        ];
        for (text, secs) in expected {
            assert_eq!(latency(text), Ok(secs), "{text}");
        }
    }

    #[test]
    fn what_no_link_has_is_named() {
        for text in ["0", "-1Bps", "1e400Bps", "0MBps"] {
            assert!(matches!(rate(text), Err(Fault::Rate { .. })), "{text}");
        }
        for text in ["nan", "", "Bps", "inf", "e3"] {
            assert!(matches!(rate(text), Err(Fault::Value { .. })), "{text}");
        }
        for text in ["1GB", "1gbps", "1 parsec", "1e", "1e+Bps"] {
            assert!(matches!(rate(text), Err(Fault::Unit { .. })), "{text}");
        }
        assert!(matches!(latency("-1s"), Err(Fault::Latency { .. })));
        assert!(matches!(latency("1S"), Err(Fault::Unit { .. })));
    }
}
