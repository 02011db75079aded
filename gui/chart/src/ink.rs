//! Colors, symbols and dashes by what they stand for.

use egui::Color32;
use look::{Theme, palette};
use trace::{Category, MemoryKind, Pass};

/// A color by its meaning; the theme decides what it looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ink {
    /// One of the series without a meaning of its own, counted from 0.
    Series(usize),
    /// A kind of work.
    Kind(Category),
    /// A kind of work in a pass.
    Span(Category, Pass),
    /// A kind of memory.
    Memory(MemoryKind),
    /// A load from 0 to 1.
    Load(f32),
    /// A difference from -1 to 1.
    Difference(f32),
    /// That of text.
    #[default]
    Text,
    /// That of text of less weight.
    Faint,
    /// What can be acted on.
    Accent,
    /// Within its bounds.
    Good,
    /// Near a limit.
    Warn,
    /// Over a limit.
    Bad,
}

impl Ink {
    /// The color in a theme.
    pub fn color(self, theme: &Theme) -> Color32 {
        match self {
            Self::Series(index) => palette::SERIES[index % palette::SERIES.len()],
            Self::Kind(kind) => palette::category(kind),
            Self::Span(kind, pass) => palette::span(kind, pass),
            Self::Memory(kind) => palette::memory(kind),
            Self::Load(share) => palette::load(share, theme.dark),
            Self::Difference(value) => palette::difference(value, theme.ground),
            Self::Text => theme.text,
            Self::Faint => theme.faint,
            Self::Accent => theme.accent,
            Self::Good => theme.good,
            Self::Warn => theme.warn,
            Self::Bad => theme.bad,
        }
    }

    /// The color for thin lines, which need more contrast against the ground than areas do.
    pub(crate) fn line_color(self, theme: &Theme) -> Color32 {
        let mut color = self.color(theme);
        let toward = theme.text;
        for _ in 0..6 {
            if 3.0 <= palette::contrast(color, theme.ground) {
                break;
            }
            color = color.lerp_to_gamma(toward, 0.15);
        }
        color
    }
}

/// The shape of a mark. Series differ in shape as well as in color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symbol {
    /// A disc.
    #[default]
    Circle,
    /// A square.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// An upright cross.
    Cross,
}

impl Symbol {
    /// Every symbol, in the order in which series take them.
    pub const ALL: [Self; 5] = [
        Self::Circle,
        Self::Square,
        Self::Triangle,
        Self::Diamond,
        Self::Cross,
    ];

    /// The symbol of a series, counted from 0.
    pub const fn of(series: usize) -> Self {
        Self::ALL[series % Self::ALL.len()]
    }

    /// The corners about the origin for a radius of 1, chosen so that all symbols look equally large.
    pub(crate) fn corners(self) -> Vec<egui::Vec2> {
        let at = |points: &[(f32, f32)]| points.iter().map(|&(x, y)| egui::vec2(x, y)).collect();
        match self {
            Self::Circle => (0_u8..20)
                .map(|step| egui::Vec2::angled(f32::from(step) * std::f32::consts::TAU / 20.0))
                .collect(),
            Self::Square => at(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            Self::Triangle => at(&[(0.0, -1.25), (1.15, 0.8), (-1.15, 0.8)]),
            Self::Diamond => at(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            Self::Cross => {
                let (a, b) = (0.4, 1.2);
                at(&[
                    (-a, -b),
                    (a, -b),
                    (a, -a),
                    (b, -a),
                    (b, a),
                    (a, a),
                    (a, b),
                    (-a, b),
                    (-a, a),
                    (-b, a),
                    (-b, -a),
                    (-a, -a),
                ])
            }
        }
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Into dashes.
    Dashed,
    /// Into dots.
    Dotted,
}

impl Dash {
    /// The lengths of dash and gap in points; `None` for a solid line.
    pub(crate) const fn lengths(self) -> Option<(f32, f32)> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some((6.0, 4.0)),
            Self::Dotted => Some((1.5, 3.0)),
        }
    }
}
