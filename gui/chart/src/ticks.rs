//! Ticks at numbers that people like: 1, 2 and 5 times powers of ten.

use crate::axis::{Axis, Scale};
use crate::unit::decimal;

/// A place on an axis with what is written there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// In the base unit.
    pub(crate) value: f64,
    /// Without the unit, which the title of the axis has.
    pub(crate) label: String,
}

/// The ticks of an axis, in rising order and inside the range.
///
/// * `most` — about how many have a place.
pub(crate) fn ticks(axis: &Axis, range: (f64, f64), most: usize) -> Vec<Tick> {
    let size = axis.shown(range).size;
    let (low, high) = (range.0 / size, range.1 / size);
    let (values, decimals): (Vec<f64>, Option<usize>) = match axis.scale {
        Scale::Linear => {
            let step = step(low, high, most);
            (linear(low, high, step), Some(decimals_of(step)))
        }
        Scale::Log10 => (log10(low, high, most), None),
        Scale::Log2 => (log2(low, high, most), None),
    };
    values
        .into_iter()
        .map(|value| Tick {
            value: value * size,
            label: decimals.map_or_else(|| log_label(value), |decimals| decimal(value, decimals)),
        })
        .filter(|tick| range.0 <= tick.value && tick.value <= range.1)
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that makes no more than so many steps.
fn step(low: f64, high: f64, most: usize) -> f64 {
    let raw = (high - low) / most.max(1) as f64;
    let power = power_of_ten(exponent(raw));
    let nice = [1.0, 2.0, 5.0, 10.0];
    let fits = nice
        .into_iter()
        .find(|times| raw <= times * power * 1.000_001);
    fits.unwrap_or(10.0) * power
}

fn linear(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let n = last - first;
    if !(0.0..1_000.0).contains(&n) || step <= 0.0 {
        return Vec::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie in 0..1,000"
    )]
    let n = n as u32;
    (0..=n).map(|i| (first + f64::from(i)) * step).collect()
}

/// Powers of ten, thinned; within two decades also their multiples.
fn log10(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (first, last) = (exponent(low), exponent(high));
    let decades = usize::try_from(last - first).unwrap_or(0);
    let multiples: &[f64] = match decades {
        0 | 1 if 9 <= most => &[1.0, 2.0, 3.0, 5.0, 7.0],
        0..=2 => &[1.0, 2.0, 5.0],
        3 if 9 <= most => &[1.0, 3.0],
        _ => &[1.0],
    };
    let stride = decades.div_ceil(most.max(1)).max(1);
    let values = (first..=last)
        .filter(|power| {
            usize::try_from(power.rem_euclid(i32::try_from(stride).unwrap_or(1))) == Ok(0)
        })
        .flat_map(|power| {
            multiples
                .iter()
                .map(move |times| times * power_of_ten(power))
        })
        .filter(|value| (low * 0.999_999..=high * 1.000_001).contains(value))
        .collect::<Vec<_>>();
    if values.len() < 3 && high / low < 20.0 {
        return linear(low, high, step(low, high, most));
    }
    values
}

/// Powers of two, thinned.
fn log2(low: f64, high: f64, most: usize) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "between -1,075 and 1,024")]
    let power = |value: f64| units::math::log2(value).round() as i32;
    let (first, last) = (power(low), power(high));
    let stride = usize::try_from(last - first)
        .unwrap_or(0)
        .div_ceil(most.max(1))
        .max(1);
    let inside = low * 0.999_999..=high * 1.000_001;
    let values = (first..=last)
        .step_by(stride)
        .map(|power| 2_f64.powi(power));
    values.filter(|value| inside.contains(value)).collect()
}

fn log_label(value: f64) -> String {
    let exponent = exponent(value);
    if !(-6..=7).contains(&exponent) {
        return format!("{value:e}");
    }
    let mut text = decimal(
        value,
        usize::try_from((2 - exponent).clamp(0, 8)).unwrap_or(0),
    );
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// How many decimals the multiples of a step need.
fn decimals_of(step: f64) -> usize {
    usize::try_from((-exponent(step)).clamp(0, 12)).unwrap_or(0)
}

/// The power of ten of the first digit.
fn exponent(value: f64) -> i32 {
    if value.is_nan() || value <= 0.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -324 and 308")]
    let exponent = (units::math::log10(value) + 1e-9).floor() as i32;
    exponent
}

fn power_of_ten(exponent: i32) -> f64 {
    10_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Unit;

    fn labels(axis: &Axis, range: (f64, f64), most: usize) -> Vec<String> {
        ticks(axis, range, most)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn ticks_are_round_numbers_in_the_unit_of_the_axis() {
        let memory = Axis::new("Memory", Unit::Bytes);
        let gib = 1_073_741_824.0;
        assert_eq!(
            labels(&memory, (0.0, 84.0 * gib), 5),
            ["0", "20", "40", "60", "80"]
        );
        let time = Axis::new("Time", Unit::Seconds);
        assert_eq!(labels(&time, (0.0, 0.004), 4), ["0", "1", "2", "3", "4"]);
        assert_eq!(labels(&time, (0.95, 1.22), 4), ["1.0", "1.1", "1.2"]);
        let count = Axis::new("Tokens", Unit::Plain);
        assert_eq!(
            labels(&count, (0.0, 2_100_000.0), 3),
            ["0", "1,000,000", "2,000,000"]
        );
    }

    #[test]
    fn decades_are_ticked_and_narrow_ranges_get_multiples() {
        let axis = Axis::new("Time", Unit::Seconds).log10();
        let wide = labels(&axis, (0.001, 200.0), 6);
        assert_eq!(wide, ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(&axis, (0.9, 30.0), 6), ["1", "2", "5", "10", "20"]);
        let degrees = Axis::new("TP", Unit::Count).log2();
        assert_eq!(
            labels(&degrees, (0.9, 70.0), 8),
            ["1", "2", "4", "8", "16", "32", "64"]
        );
        assert_eq!(labels(&axis, (3.1, 3.9), 4), ["3.2", "3.4", "3.6", "3.8"]);
    }

    proptest! {
        #[test]
        fn ticks_rise_inside_the_range(
            low in -1e9..1e9_f64,
            width in 1e-6..1e9_f64,
            most in 1_usize..20,
        ) {
            let axis = Axis::new("", Unit::Plain);
            let found = ticks(&axis, (low, low + width), most);
            prop_assert!(found.len() <= most + 1);
            prop_assert!(found.iter().all(|tick| low <= tick.value && tick.value <= low + width));
            prop_assert!(found.windows(2).all(|pair| pair[0].value < pair[1].value));
        }

        #[test]
        fn steps_are_one_two_or_five_times_a_power_of_ten(width in 1e-9..1e12_f64, most in 1_usize..20) {
            let step = step(0.0, width, most);
            let lead = step / power_of_ten(exponent(step));
            prop_assert!([1.0, 2.0, 5.0].iter().any(|nice| (lead - nice).abs() < 1e-6), "{}", lead);
        }

        #[test]
        fn logarithmic_ticks_rise_inside_the_range(low in 1e-12..1e6_f64, ratio in 1.01..1e9_f64, most in 1_usize..20) {
            let axis = Axis::new("", Unit::Plain).log10();
            let found = ticks(&axis, (low, low * ratio), most);
            prop_assert!(found.iter().all(|tick| low <= tick.value && tick.value <= low * ratio));
            prop_assert!(found.windows(2).all(|pair| pair[0].value < pair[1].value));
        }
    }
}
