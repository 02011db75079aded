//! Quantities as people read them: four significant digits and a unit.

use units::{Bytes, BytesPerSec};

/// A duration, from nanoseconds to seconds.
pub fn secs(secs: f64) -> String {
    let size = secs.abs();
    let (value, unit) = match size {
        _ if size == 0.0 => return "0 s".to_owned(),
        s if 0.999_95 <= s => (secs, "s"),
        s if 0.999_95e-3 <= s => (secs * 1e3, "ms"),
        s if 0.999_95e-6 <= s => (secs * 1e6, "µs"),
        _ => (secs * 1e9, "ns"),
    };
    format!("{} {unit}", digits(value))
}

/// An amount of data in binary units.
pub fn bytes(bytes: Bytes) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes.as_u64() as f64;
    let mut unit = 0;
    while 1_023.95 <= value && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if unit == 0 {
        return format!("{value:.0} B");
    }
    format!("{} {}", digits(value), UNITS[unit])
}

/// A rate of a network, in decimal bits.
pub fn rate(rate: BytesPerSec) -> String {
    bits_per_sec(rate.as_f64())
}

/// The same of a plain number of bytes per second, which may be 0.
pub fn bits_per_sec(bytes_per_sec: f64) -> String {
    let bits = bytes_per_sec * 8.0;
    let (value, unit) = match bits.abs() {
        b if 0.999_95e12 <= b => (bits / 1e12, "Tbit/s"),
        b if 0.999_95e9 <= b => (bits / 1e9, "Gbit/s"),
        b if 0.999_95e6 <= b => (bits / 1e6, "Mbit/s"),
        _ => (bits / 1e3, "kbit/s"),
    };
    format!("{} {unit}", digits(value))
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value.abs() {
        0.0 => "0 %".to_owned(),
        v if v < 1e-6 => "below 0.000001 %".to_owned(),
        v if v < 1e-4 => format!("{value:.6} %"),
        v if v < 0.009_5 => format!("{value:.4} %"),
        v if v < 9.995 => format!("{value:.2} %"),
        v if v < 999.5 => format!("{value:.1} %"),
        _ => format!("{} %", count_f64(value)),
    }
}

/// A difference in percent, with its sign.
pub fn signed_percent(share: f64) -> String {
    let text = percent(share.abs());
    match share {
        s if s < 0.0 => format!("−{text}"),
        s if 0.0 < s => format!("+{text}"),
        _ => text,
    }
}

/// A count with its thousands apart.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place != 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, in the plural where that is due.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

fn count_f64(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; beyond the range it saturates"
    )]
    let whole = value.abs().round() as u64;
    format!("{sign}{}", count(whole))
}

/// Four significant digits, thousands apart.
pub fn digits(value: f64) -> String {
    match value.abs() {
        v if 999.95 <= v => count_f64(value),
        v if 99.995 <= v => format!("{value:.1}"),
        v if 9.999_5 <= v => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A difference in seconds and as a share of the base.
pub fn difference_of_secs(base: f64, other: f64) -> String {
    let by = other - base;
    let sign = match by {
        by if 0.0 < by => "+",
        by if by < 0.0 => "−",
        _ => return "none".to_owned(),
    };
    let secs = secs(by.abs());
    if base <= 0.0 {
        return format!("{sign}{secs}");
    }
    format!("{sign}{secs} ({})", signed_percent(by / base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_four_digits_and_change_units_in_time() {
        let shown = [
            (0.0, "0 s"),
            (12.345_6, "12.35 s"),
            (0.999_96, "1.000 s"),
            (0.034_567, "34.57 ms"),
            (1.5e-6, "1.500 µs"),
            (2e-9, "2.000 ns"),
            (1_234_567.0, "1,234,567 s"),
            (-0.25, "-250.0 ms"),
        ];
        for (value, text) in shown {
            assert_eq!(secs(value), text);
        }
    }

    #[test]
    fn sizes_are_binary_and_rates_decimal() {
        assert_eq!(bytes(Bytes::new(80 << 30)), "80.00 GiB");
        assert_eq!(bytes(Bytes::new(512)), "512 B");
        assert_eq!(bytes(Bytes::new(1_023 << 20)), "1,023 MiB");
        assert_eq!(bits_per_sec(50e9), "400.0 Gbit/s");
        assert_eq!(bits_per_sec(0.0), "0.000 kbit/s");
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "span"), "1 span");
        assert_eq!(counted(1_204, "span"), "1,204 spans");
        assert_eq!(signed_percent(-0.034), "−3.40 %");
        assert_eq!(percent(12.0), "1,200 %");
    }
}
