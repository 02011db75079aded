//! Colors that stand for kinds, loads and differences.

use egui::Color32;
use trace::{Category, MemoryKind, Pass};

const fn hex(rgb: u32) -> Color32 {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// Colors that people with any common kind of color vision tell apart. Source: Okabe and Ito,
/// Color Universal Design, 2002.
pub mod okabe_ito {
    use super::{Color32, hex};
    /// Orange.
    pub const ORANGE: Color32 = hex(0xe6_9f_00);
    /// Sky blue.
    pub const SKY: Color32 = hex(0x56_b4_e9);
    /// Bluish green.
    pub const GREEN: Color32 = hex(0x00_9e_73);
    /// Yellow.
    pub const YELLOW: Color32 = hex(0xf0_e4_42);
    /// Blue.
    pub const BLUE: Color32 = hex(0x00_72_b2);
    /// Vermilion.
    pub const VERMILION: Color32 = hex(0xd5_5e_00);
    /// Reddish purple.
    pub const PURPLE: Color32 = hex(0xcc_79_a7);
    /// Gray, which is not among the eight.
    pub const GRAY: Color32 = hex(0x99_99_99);
}

/// The color of a kind of work.
pub const fn category(category: Category) -> Color32 {
    match category {
        Category::Compute => okabe_ito::BLUE,
        Category::Optimizer => okabe_ito::SKY,
        Category::Tp => okabe_ito::ORANGE,
        Category::Cp => okabe_ito::VERMILION,
        Category::Ep => okabe_ito::PURPLE,
        Category::Dp => okabe_ito::GREEN,
        Category::Pp => okabe_ito::YELLOW,
        Category::Offload => hex(0xb8_b8_b8),
        Category::Other => hex(0x70_70_70),
    }
}

/// The letter that stands for a kind of work in legends and on bars.
pub const fn letter(category: Category) -> char {
    match category {
        Category::Compute => 'C',
        Category::Optimizer => 'O',
        Category::Tp => 'T',
        Category::Cp => 'X',
        Category::Ep => 'E',
        Category::Dp => 'D',
        Category::Pp => 'P',
        Category::Offload => 'H',
        Category::Other => '·',
    }
}

/// The color of a span: that of its kind, darker in the backward pass.
pub fn span(kind: Category, pass: Pass) -> Color32 {
    let color = category(kind);
    match pass {
        Pass::Backward | Pass::InputGrad | Pass::WeightGrad => scaled(color, 0.78),
        Pass::Recompute => scaled(color, 0.62),
        Pass::None | Pass::Forward | Pass::Optimizer => color,
    }
}

/// The color of a kind of memory.
pub const fn memory(kind: MemoryKind) -> Color32 {
    match kind {
        MemoryKind::Weights => okabe_ito::BLUE,
        MemoryKind::Gradients => okabe_ito::GREEN,
        MemoryKind::Optimizer => okabe_ito::SKY,
        MemoryKind::Activations => okabe_ito::ORANGE,
        MemoryKind::Logits => okabe_ito::PURPLE,
        MemoryKind::Workspace => okabe_ito::VERMILION,
        MemoryKind::Communication => okabe_ito::YELLOW,
    }
}

/// Colors of series without a meaning of their own, in this order.
pub const SERIES: [Color32; 7] = [
    okabe_ito::BLUE,
    okabe_ito::ORANGE,
    okabe_ito::GREEN,
    okabe_ito::PURPLE,
    okabe_ito::VERMILION,
    okabe_ito::SKY,
    okabe_ito::YELLOW,
];

/// The color of a load.
///
/// * `share` — of what a link can carry, from 0 to 1; clamped.
/// * `dark` — whether the ground is: what is full stands out on either, bright on a dark and dark on a
///   light one.
///
/// On a dark ground stops of cividis, whose lightness rises evenly. Source: Nuñez, Anderton and Renslow,
/// PLOS ONE 13(7), 2018. On a light ground one hue that darkens to the same blue, since the yellow of
/// cividis would shout where nothing goes on.
pub fn load(share: f32, dark: bool) -> Color32 {
    const ON_DARK: [Color32; 6] = [
        hex(0x00_22_4e),
        hex(0x2a_3f_6d),
        hex(0x57_5d_6d),
        hex(0x7d_7c_78),
        hex(0xbb_af_71),
        hex(0xfe_e8_38),
    ];
    const ON_LIGHT: [Color32; 5] = [
        hex(0xd6_de_ec),
        hex(0x9f_b4_d6),
        hex(0x5f_83_b8),
        hex(0x2a_50_8c),
        hex(0x00_22_4e),
    ];
    let share = if share.is_nan() { 0.0 } else { share };
    gradient(if dark { &ON_DARK } else { &ON_LIGHT }, share)
}

/// The color of a difference.
///
/// * `value` — from -1 (less, blue) over 0 (none, `middle`) to 1 (more, orange); clamped.
pub fn difference(value: f32, middle: Color32) -> Color32 {
    gradient(
        &[okabe_ito::BLUE, middle, okabe_ito::ORANGE],
        f32::midpoint(value, 1.0),
    )
}

/// A color between stops that lie at equal distances.
pub fn gradient(stops: &[Color32], share: f32) -> Color32 {
    let Some(last) = stops.len().checked_sub(1) else {
        return Color32::TRANSPARENT;
    };
    let share = if share.is_nan() {
        0.0
    } else {
        share.clamp(0.0, 1.0)
    };
    let mut at = share;
    let mut stop = 0;
    let width = 1.0 / (last.max(1) as f32);
    while stop + 1 < last && width < at {
        at -= width;
        stop += 1;
    }
    stops[stop].lerp_to_gamma(stops[(stop + 1).min(last)], (at / width).min(1.0))
}

/// A color with its channels scaled: below 1 darker.
pub fn scaled(color: Color32, factor: f32) -> Color32 {
    let [r, g, b, a] = color.to_array();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a byte"
    )]
    let scale = |channel: u8| (f32::from(channel) * factor).round().clamp(0.0, 255.0) as u8;
    Color32::from_rgba_premultiplied(scale(r), scale(g), scale(b), a)
}

/// Text on a color: black or white, whichever is easier to read.
pub fn text_on(color: Color32) -> Color32 {
    if contrast(Color32::BLACK, color) < contrast(Color32::WHITE, color) {
        Color32::WHITE
    } else {
        Color32::BLACK
    }
}

/// The contrast of two opaque colors, from 1 to 21. Source: Web Content Accessibility Guidelines
/// 2.2, "contrast ratio".
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Color32) -> f32 {
    let [r, g, b, _] = egui::Rgba::from(color).to_array();
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE 1976 lightness and opponent colors of linear light.
    #[expect(clippy::many_single_char_names, reason = "the letters of the standard")]
    fn lab(rgb: [f32; 3]) -> [f32; 3] {
        let [r, g, b] = rgb;
        let xyz = [
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
        ];
        let f = |t: f32| {
            if t > 0.008_856 {
                t.cbrt()
            } else {
                7.787 * t + 16.0 / 116.0
            }
        };
        let [x, y, z] = xyz.map(f);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn linear(color: Color32) -> [f32; 3] {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        [r, g, b]
    }

    /// What a person without M cones sees. Source: Viénot, Brettel and Mollon, Color Research and
    /// Application 24(4), 1999, as a matrix on linear light.
    fn deuteranopia([r, g, b]: [f32; 3]) -> [f32; 3] {
        [
            0.292_75 * r + 0.707_25 * g,
            0.292_75 * r + 0.707_25 * g,
            -0.022_34 * r + 0.022_34 * g + b,
        ]
        .map(|channel| channel.clamp(0.0, 1.0))
    }

    fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
        let [a, b] = [lab(a), lab(b)];
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>().sqrt()
    }

    /// The smallest distance between two of some colors as somebody sees them.
    fn closest(colors: &[Color32], seen: impl Fn([f32; 3]) -> [f32; 3]) -> (f32, [usize; 2]) {
        let mut least = (f32::MAX, [0, 0]);
        for (i, a) in colors.iter().enumerate() {
            for (j, b) in colors.iter().enumerate().skip(i + 1) {
                let apart = distance(seen(linear(*a)), seen(linear(*b)));
                if apart < least.0 {
                    least = (apart, [i, j]);
                }
            }
        }
        least
    }

    #[test]
    fn kinds_are_told_apart_with_and_without_m_cones() {
        let kinds = Category::ALL.map(category);
        let memory = MemoryKind::ALL.map(memory);
        for colors in [&kinds[..], &memory[..], &SERIES[..]] {
            let (apart, pair) = closest(colors, |seen| seen);
            assert!(20.0 < apart, "{pair:?}: {apart:.1}");
            let (apart, pair) = closest(colors, deuteranopia);
            assert!(8.0 < apart, "{pair:?}: {apart:.1}");
        }
    }

    #[test]
    fn loads_stand_out_on_gray_paper_the_more_they_are() {
        for dark in [true, false] {
            let ground = if dark { Color32::BLACK } else { Color32::WHITE };
            let out = |share: f32| contrast(load(share, dark), ground);
            for step in 0_u8..50 {
                let share = f32::from(step) / 50.0;
                assert!(out(share) < out(share + 0.02), "{share}");
            }
            assert_eq!(load(-1.0, dark), load(0.0, dark));
            assert_eq!(load(f32::NAN, dark), load(0.0, dark));
            assert_eq!(load(2.0, dark), load(1.0, dark));
        }
    }

    #[test]
    fn bars_carry_text_that_can_be_read() {
        for kind in Category::ALL {
            for pass in Pass::ALL {
                let ground = span(kind, pass);
                let ratio = contrast(text_on(ground), ground);
                assert!(4.5 <= ratio, "{kind:?} {pass:?}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn every_kind_has_a_letter_of_its_own() {
        let mut letters = Category::ALL.map(letter).to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), Category::ALL.len());
    }
}
