//! Axes: what is measured along them, and from where to where.

use crate::Unit;
use crate::unit::Shown;

/// How values lie along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    #[default]
    Linear,
    /// Equal steps for equal ratios; values that are not positive are left out.
    Log10,
    /// The same, with ticks at powers of two.
    Log2,
}

/// From where to where an axis goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Range {
    /// Around all that is shown, with a little air.
    #[default]
    Auto,
    /// The same, and from 0.
    FromZero,
    /// From a value to a value, in the base unit.
    Fixed(f64, f64),
}

/// What is measured along an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it is called, first letter upper case.
    pub label: String,
    /// What its numbers are.
    pub unit: Unit,
    /// How values lie along it.
    pub scale: Scale,
    /// From where to where.
    pub range: Range,
}

impl Axis {
    /// A linear axis around all that is shown.
    pub fn new(label: impl Into<String>, unit: Unit) -> Self {
        Self {
            label: label.into(),
            unit,
            ..Self::default()
        }
    }

    /// The same with equal steps for equal ratios.
    #[must_use]
    pub fn log10(mut self) -> Self {
        self.scale = Scale::Log10;
        self
    }

    /// The same with equal steps for equal ratios and ticks at powers of two.
    #[must_use]
    pub fn log2(mut self) -> Self {
        self.scale = Scale::Log2;
        self
    }

    /// The same from 0.
    #[must_use]
    pub fn from_zero(mut self) -> Self {
        self.range = Range::FromZero;
        self
    }

    /// The same from a value to a value, in the base unit.
    #[must_use]
    pub fn fixed(mut self, low: f64, high: f64) -> Self {
        self.range = Range::Fixed(low, high);
        self
    }

    /// The range that is shown for some values; `None` where there is nothing to show.
    pub(crate) fn resolve(&self, values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
        if let Range::Fixed(low, high) = self.range {
            let fits = self.shows(low) && self.shows(high) && low < high;
            return fits.then_some((low, high));
        }
        let shown = values.filter(|&value| self.shows(value));
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low <= high).then(|| self.with_air(low, high))
    }

    fn with_air(&self, low: f64, high: f64) -> (f64, f64) {
        const AIR: f64 = 0.05;
        if self.scale != Scale::Linear {
            let factor = units::math::powf(high / low, AIR).max(1.1);
            return (
                (low / factor).max(f64::MIN_POSITIVE),
                (high * factor).min(f64::MAX),
            );
        }
        if self.range == Range::FromZero {
            let (low, high) = (low.min(0.0), high.max(0.0));
            let air = (high - low) * AIR;
            return match (low < 0.0, 0.0 < high) {
                (true, true) => (low - air, high + air),
                (true, false) => (low - air, 0.0),
                (false, true) => (0.0, high + air),
                (false, false) => (0.0, 1.0),
            };
        }
        let air = ((high - low) * AIR).max(high.abs().max(low.abs()) * 1e-3);
        if air == 0.0 {
            return (-1.0, 1.0);
        }
        let below = if 0.0 <= low {
            (low - air).max(0.0)
        } else {
            low - air
        };
        (below, high + air)
    }

    /// Whether a value has a place on the axis. Values beyond 10³⁰⁰ have none, so that differences are
    /// finite.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.abs() <= 1e300 && (self.scale == Scale::Linear || 1e-300 <= value)
    }

    /// The unit that fits a range.
    pub(crate) fn shown(&self, range: (f64, f64)) -> Shown {
        self.unit.shown(range.0.abs().max(range.1.abs()))
    }

    /// The label with the unit of a range.
    pub(crate) fn title(&self, range: (f64, f64)) -> String {
        titled(&self.label, &self.shown(range).name)
    }
}

/// A label with a unit in parentheses, where there is one.
pub(crate) fn titled(label: &str, unit: &str) -> String {
    match (label, unit) {
        (_, "") => label.to_owned(),
        ("", _) => unit.to_owned(),
        _ => format!("{label} ({unit})"),
    }
}

/// Where the values of an axis lie on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AxisMap {
    scale: Scale,
    low: f64,
    high: f64,
    start: f32,
    end: f32,
}

impl AxisMap {
    /// A map of a range of values onto a range of points.
    pub(crate) fn new(scale: Scale, range: (f64, f64), start: f32, end: f32) -> Self {
        let (low, high) = range;
        Self {
            scale,
            low: along(scale, low),
            high: along(scale, high),
            start,
            end,
        }
    }

    /// Where a value lies; `None` where it has no place. Values far outside lie a few widths outside.
    pub(crate) fn at(&self, value: f64) -> Option<f32> {
        if !value.is_finite() || (self.scale != Scale::Linear && value <= 0.0) {
            return None;
        }
        let share = (along(self.scale, value) - self.low) / (self.high - self.low);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to a few widths")]
        let share = share.clamp(-20.0, 20.0) as f32;
        share
            .is_finite()
            .then_some(self.start + share * (self.end - self.start))
    }

    /// The value at a place.
    pub(crate) fn value(&self, at: f32) -> f64 {
        let share = f64::from((at - self.start) / (self.end - self.start));
        let value = self.low + share * (self.high - self.low);
        match self.scale {
            Scale::Linear => value,
            Scale::Log10 | Scale::Log2 => units::math::powf(10.0, value),
        }
    }
}

fn along(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log10 | Scale::Log2 => units::math::log10(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_finite_has_no_range() {
        let axis = Axis::new("Time", Unit::Seconds);
        assert_eq!(axis.resolve([f64::NAN, f64::INFINITY].into_iter()), None);
        assert_eq!(axis.log10().resolve([0.0, -1.0].into_iter()), None);
    }

    #[test]
    fn a_single_value_has_air_around_it() {
        let axis = Axis::new("Time", Unit::Seconds);
        for value in [0.0, 1e-9, 1.0, -3.0, 1e300] {
            let (low, high) = axis.resolve(std::iter::once(value)).unwrap();
            assert!(
                low < high && low <= value && value <= high,
                "{low} {value} {high}"
            );
        }
    }

    #[test]
    fn a_place_and_its_value_are_inverse_on_every_scale() {
        for scale in [Scale::Linear, Scale::Log10, Scale::Log2] {
            let map = AxisMap::new(scale, (0.1, 1_000.0), 10.0, 510.0);
            for value in [0.1, 1.0, 42.0, 1_000.0] {
                let back = map.value(map.at(value).unwrap());
                assert!(
                    (back - value).abs() < 1e-3 * value.max(1.0),
                    "{back} {value}"
                );
            }
        }
    }
}
