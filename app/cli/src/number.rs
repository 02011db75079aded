//! Numbers as people read them: sensible digits, thousands separators, a unit.

/// So many significant digits are shown.
const DIGITS: i32 = 4;

/// A number with four significant digits and thousands separators; larger ones are whole.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let decimals = decimals(value);
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = if fraction.is_empty() {
        String::new()
    } else {
        format!(".{fraction}")
    };
    format!("{sign}{}{fraction}", separated(whole))
}

/// Decimals that show four significant digits.
fn decimals(value: f64) -> usize {
    if value == 0.0 {
        return 0;
    }
    let mut magnitude = 0;
    let mut rest = value.abs();
    while 10.0 <= rest {
        rest /= 10.0;
        magnitude += 1;
    }
    while rest < 1.0 && magnitude > -9 {
        rest *= 10.0;
        magnitude -= 1;
    }
    usize::try_from(DIGITS - 1 - magnitude).unwrap_or(0)
}

/// Digits in groups of three.
fn separated(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A whole number with thousands separators.
pub(crate) fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// A duration in the unit that shows it best.
pub(crate) fn duration(secs: f64) -> String {
    let (factor, unit) = match secs.abs() {
        s if 86_400.0 <= s => (1.0 / 86_400.0, "days"),
        s if 3600.0 <= s => (1.0 / 3600.0, "h"),
        s if 1.0 <= s || s == 0.0 => (1.0, "s"),
        s if 1e-3 <= s => (1e3, "ms"),
        _ => (1e6, "µs"),
    };
    format!("{} {unit}", number(secs * factor))
}

/// A share in percent, with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A large count in words: `15.60 T`.
pub(crate) fn large(value: f64) -> String {
    let (factor, word) = match value.abs() {
        v if 1e12 <= v => (1e-12, " T"),
        v if 1e9 <= v => (1e-9, " G"),
        v if 1e6 <= v => (1e-6, " M"),
        _ => (1.0, ""),
    };
    format!("{}{word}", number(value * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_shown_and_thousands_separated() {
        assert_eq!(number(12.3456), "12.35");
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(1234.56), "1,235");
        assert_eq!(number(0.012_345_6), "0.01235");
        assert_eq!(number(-1234.0), "-1,234");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(100.0), "100.0");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(999), "999");
    }

    #[test]
    fn durations_take_the_unit_that_shows_them_best() {
        assert_eq!(duration(12.3456), "12.35 s");
        assert_eq!(duration(0.0123), "12.30 ms");
        assert_eq!(duration(2.5e-5), "25.00 µs");
        assert_eq!(duration(7200.0), "2.000 h");
        assert_eq!(duration(864_000.0), "10.00 days");
        assert_eq!(large(15.6e12), "15.60 T");
        assert_eq!(percent(0.4167), "41.7 %");
    }
}
