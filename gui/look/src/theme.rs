//! Tokens of color and size.

use egui::epaint::Shadow;
use egui::style::{WidgetVisuals, Widgets};
use egui::{Color32, Context, CornerRadius, FontFamily, FontId, Stroke, TextStyle, Visuals};

/// Distances in points.
pub mod space {
    /// Between things that belong together.
    pub const SMALL: f32 = 4.0;
    /// Between things of a group.
    pub const MEDIUM: f32 = 8.0;
    /// Between groups.
    pub const LARGE: f32 = 16.0;
}

/// What each color is for. Contrast of text against the grounds that it stands on is at least 4.5 : 1, of
/// marks 3 : 1; tests compute both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether it is the dark one.
    pub dark: bool,
    /// Behind charts, lanes and lists.
    pub ground: Color32,
    /// Behind panels and tool bars.
    pub panel: Color32,
    /// Behind cards, menus and every second row.
    pub raised: Color32,
    /// Behind controls that can be clicked.
    pub control: Color32,
    /// The same under the pointer.
    pub control_hovered: Color32,
    /// Hairlines and grids.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight: units, captions, help.
    pub faint: Color32,
    /// What can be acted on, what is on, what has the focus.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is selected.
    pub selection: Color32,
    /// Fits, finished, within its bounds.
    pub good: Color32,
    /// Suspicious, stale, near a limit.
    pub warn: Color32,
    /// Wrong, over a limit.
    pub bad: Color32,
    /// The playhead.
    pub playhead: Color32,
    /// Outline of the critical path.
    pub critical: Color32,
    /// Hatching of bubbles.
    pub hatch: Color32,
}

const fn hex(rgb: u32) -> Color32 {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

impl Theme {
    /// The dark theme.
    pub const DARK: Self = Self {
        dark: true,
        ground: hex(0x12_15_1a),
        panel: hex(0x19_1d_24),
        raised: hex(0x22_27_30),
        control: hex(0x2b_32_3d),
        control_hovered: hex(0x38_41_4f),
        line: hex(0x33_3b_47),
        text: hex(0xe6_ea_f0),
        faint: hex(0xa3_ad_bb),
        accent: hex(0x6f_b7_ff),
        on_accent: hex(0x08_1a_2d),
        selection: hex(0x1f_42_66),
        good: hex(0x5f_d3_a2),
        warn: hex(0xf2_c1_4e),
        bad: hex(0xff_8a_73),
        playhead: hex(0xff_ff_ff),
        critical: hex(0xff_ff_ff),
        hatch: hex(0x004b_5564),
    };

    /// The light theme.
    pub const LIGHT: Self = Self {
        dark: false,
        ground: hex(0xff_ff_ff),
        panel: hex(0xf4_f6_f8),
        raised: hex(0xea_ee_f2),
        control: hex(0xdf_e5_eb),
        control_hovered: hex(0xcf_d8_e1),
        line: hex(0xcd_d5_dd),
        text: hex(0x17_1c_23),
        faint: hex(0x50_5b_69),
        accent: hex(0x0b_5c_ad),
        on_accent: hex(0xff_ff_ff),
        selection: hex(0xc5_de_f7),
        good: hex(0x0a_6b_47),
        warn: hex(0x80_55_00),
        bad: hex(0xb3_2d_12),
        playhead: hex(0x17_1c_23),
        critical: hex(0x00_00_00),
        hatch: hex(0xa9_b3_bf),
    };

    /// The one of the two that a context shows.
    pub fn of(ctx: &Context) -> Self {
        match ctx.theme() {
            egui::Theme::Dark => Self::DARK,
            egui::Theme::Light => Self::LIGHT,
        }
    }

    /// How egui's own widgets take the tokens.
    pub fn visuals(self) -> Visuals {
        let base = if self.dark {
            Visuals::dark()
        } else {
            Visuals::light()
        };
        let radius = CornerRadius::same(4);
        let widget = |fill: Color32, stroke: Color32, text: Color32| WidgetVisuals {
            bg_fill: fill,
            weak_bg_fill: fill,
            bg_stroke: Stroke::new(1.0, stroke),
            corner_radius: radius,
            fg_stroke: Stroke::new(1.0, text),
            expansion: 0.0,
        };
        Visuals {
            widgets: Widgets {
                noninteractive: widget(self.panel, self.line, self.text),
                inactive: widget(self.control, self.control, self.text),
                hovered: widget(self.control_hovered, self.faint, self.text),
                active: widget(self.selection, self.accent, self.text),
                open: widget(self.control, self.line, self.text),
            },
            selection: egui::style::Selection {
                bg_fill: self.selection,
                stroke: Stroke::new(1.0, self.accent),
            },
            hyperlink_color: self.accent,
            faint_bg_color: self.raised,
            extreme_bg_color: self.ground,
            text_edit_bg_color: Some(self.ground),
            code_bg_color: self.raised,
            warn_fg_color: self.warn,
            error_fg_color: self.bad,
            window_corner_radius: CornerRadius::same(8),
            window_fill: self.raised,
            window_stroke: Stroke::new(1.0, self.line),
            menu_corner_radius: CornerRadius::same(6),
            panel_fill: self.panel,
            window_shadow: Shadow {
                offset: [0, 4],
                blur: 16,
                spread: 0,
                color: Color32::from_black_alpha(if self.dark { 120 } else { 40 }),
            },
            weak_text_color: Some(self.faint),
            ..base
        }
    }
}

/// How long what moves takes, in seconds.
pub const ANIMATION: f32 = 0.08;

/// Gives a context both themes, and sizes of text and controls.
pub fn install(ctx: &Context) {
    ctx.set_visuals_of(egui::Theme::Dark, Theme::DARK.visuals());
    ctx.set_visuals_of(egui::Theme::Light, Theme::LIGHT.visuals());
    ctx.all_styles_mut(|style| {
        let font = |size| FontId::new(size, FontFamily::Proportional);
        style.text_styles = [
            (TextStyle::Small, font(11.0)),
            (TextStyle::Body, font(13.0)),
            (TextStyle::Button, font(13.0)),
            (TextStyle::Heading, font(18.0)),
            (
                TextStyle::Monospace,
                FontId::new(12.0, FontFamily::Monospace),
            ),
        ]
        .into();
        style.spacing.item_spacing = egui::vec2(space::MEDIUM, 6.0);
        style.spacing.button_padding = egui::vec2(8.0, 4.0);
        style.spacing.interact_size = egui::vec2(36.0, 22.0);
        style.spacing.tooltip_width = 380.0;
        style.interaction.tooltip_delay = 0.25;
        style.animation_time = ANIMATION;
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::contrast;

    #[test]
    fn text_can_be_read_on_every_ground() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let grounds = [theme.ground, theme.panel, theme.raised, theme.control];
            for ground in grounds {
                for text in [theme.text, theme.faint] {
                    let ratio = contrast(text, ground);
                    assert!(4.5 <= ratio, "{text:?} on {ground:?}: {ratio:.2}");
                }
            }
            for ground in [theme.ground, theme.panel, theme.raised] {
                for text in [theme.good, theme.warn, theme.bad, theme.accent] {
                    let ratio = contrast(text, ground);
                    assert!(4.5 <= ratio, "{text:?} on {ground:?}: {ratio:.2}");
                }
            }
            let selected = [
                (theme.text, theme.selection),
                (theme.on_accent, theme.accent),
            ];
            for (text, ground) in selected {
                assert!(4.5 <= contrast(text, ground), "{text:?} on {ground:?}");
            }
        }
    }
}
