//! Seconds in decimal, to the picosecond and back.

use units::SimTime;

/// Digits after the point that a picosecond has.
const PLACES: i64 = 12;

/// Reads seconds such as `0`, `0.000001` or `1.5e-05`, rounded to the nearest picosecond; `None`
/// where it is no such number, or past the range of the clock.
pub(super) fn parse(text: &str) -> Option<SimTime> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Digits are picoseconds as long as they stand before this place.
    let mut left = i64::try_from(whole.len()).ok()? + i64::from(exponent) + PLACES;
    let mut picos: u64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        match left {
            1.. => picos = picos.checked_mul(10)?.checked_add(digit)?,
            0 => picos = picos.checked_add(u64::from(5 <= digit))?,
            _ => {}
        }
        left -= 1;
    }
    while 0 < left && picos != 0 {
        picos = picos.checked_mul(10)?;
        left -= 1;
    }
    Some(SimTime::from_picos(picos))
}

/// Writes a moment in seconds, exactly.
pub(super) fn push(time: SimTime, out: &mut String) {
    use std::fmt::Write;
    let [whole, picos] = [1_000_000_000_000_u64; 2].map(|unit| (unit, time.as_picos()));
    let (whole, picos) = (whole.1 / whole.0, picos.1 % picos.0);
    // Writing to a string cannot fail.
    let _ = write!(out, "{whole}");
    if picos != 0 {
        let _ = write!(out, ".{picos:012}");
        out.truncate(out.trim_end_matches('0').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picos(text: &str) -> Option<u64> {
        parse(text).map(SimTime::as_picos)
    }

    #[test]
    fn seconds_are_read_to_the_nearest_picosecond() {
        assert_eq!(picos("0"), Some(0));
        assert_eq!(picos("1"), Some(1_000_000_000_000));
        assert_eq!(picos("0.000001"), Some(1_000_000));
        assert_eq!(picos("1.5e-05"), Some(15_000_000));
        assert_eq!(picos("+.5E1"), Some(5_000_000_000_000));
        assert_eq!(picos("0.30000000000000004"), Some(300_000_000_000));
        assert_eq!(picos("0.0000000000005"), Some(1));
        assert_eq!(picos("4.9e-13"), Some(0));
        assert_eq!(picos("1e-999"), Some(0));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "", ".", "e1", "-1", "1e", "nan", "inf", "1e9", "2e7", "1 s", "0x1", "1e99999",
            "1.2.3", "١",
        ] {
            assert_eq!(picos(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for time in [0, 1, 15_000_000, 1_000_000_000_000, u64::MAX].map(SimTime::from_picos) {
            let mut text = String::new();
            push(time, &mut text);
            assert_eq!(parse(&text), Some(time), "{text}");
        }
    }
}
