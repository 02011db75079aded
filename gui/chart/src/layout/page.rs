//! The page of a figure: title above, caption below, axes around.

use egui::{Align2, Color32, Pos2, Rect, Vec2, pos2, vec2};
use look::Theme;

use super::Drawing;
use crate::Dash;
use crate::axis::AxisMap;
use crate::item::{Item, Measure, Pen, Text};
use crate::ticks::Tick;

/// Sizes of text and distances, in points.
pub(super) mod size {
    pub(in super::super) const TITLE: f32 = 14.0;
    pub(in super::super) const TEXT: f32 = 11.0;
    pub(in super::super) const CAPTION: f32 = 10.0;
    pub(in super::super) const MARGIN: f32 = 8.0;
    pub(in super::super) const ROW: f32 = 17.0;
    pub(in super::super) const GAP: f32 = 5.0;
}

/// What is laid out so far and the room that is left.
pub(super) struct Page<'a> {
    pub(super) theme: Theme,
    pub(super) measure: &'a dyn Measure,
    pub(super) items: Vec<Item>,
    /// What is left.
    pub(super) room: Rect,
    /// From where to where the row above the axes is written on.
    above: Vec<(f32, f32)>,
}

impl<'a> Page<'a> {
    pub(super) fn new(size: Vec2, theme: Theme, measure: &'a dyn Measure) -> Self {
        let all = Rect::from_min_size(Pos2::ZERO, size.max(Vec2::splat(1.0)));
        Self {
            theme,
            measure,
            items: Vec::new(),
            above: Vec::new(),
            room: all.shrink(size::MARGIN.min(all.width() / 4.0).min(all.height() / 4.0)),
        }
    }

    pub(super) fn width(&self, text: &str) -> f32 {
        self.measure.width(text, size::TEXT)
    }

    pub(super) fn text(
        &mut self,
        at: Pos2,
        anchor: Align2,
        text: impl Into<String>,
        color: Color32,
    ) {
        self.items.push(Item::Text(Text {
            at,
            anchor,
            words: text.into(),
            size: size::TEXT,
            color,
        }));
    }

    /// Text that is cut with an ellipsis where it is wider than its room.
    pub(super) fn fitted(&self, text: &str, room: f32) -> String {
        fitted(self.measure, text, size::TEXT, room)
    }

    pub(super) fn title(&mut self, title: &str) {
        if title.is_empty() {
            return;
        }
        self.items.push(Item::Text(Text {
            at: self.room.left_top(),
            anchor: Align2::LEFT_TOP,
            words: fitted(self.measure, title, size::TITLE, self.room.width()),
            size: size::TITLE,
            color: self.theme.text,
        }));
        self.take_top(size::TITLE + 9.0);
    }

    pub(super) fn caption(&mut self, caption: &str) {
        if caption.is_empty() {
            return;
        }
        self.items.push(Item::Text(Text {
            at: self.room.left_bottom(),
            anchor: Align2::LEFT_BOTTOM,
            words: fitted(self.measure, caption, size::CAPTION, self.room.width()),
            size: size::CAPTION,
            color: self.theme.faint,
        }));
        self.take_bottom(size::CAPTION + 10.0);
    }

    pub(super) fn take_top(&mut self, height: f32) {
        self.room.min.y = (self.room.min.y + height).min(self.room.max.y - 1.0);
    }

    pub(super) fn take_bottom(&mut self, height: f32) {
        self.room.max.y = (self.room.max.y - height).max(self.room.min.y + 1.0);
    }

    /// A row above the axes for names of limits.
    pub(super) fn take_row_above(&mut self) {
        self.above.push((self.room.left(), self.room.left()));
        self.take_top(size::ROW);
    }

    /// The title of the upward axis, level above it.
    pub(super) fn y_title(&mut self, title: &str) {
        if title.is_empty() {
            return;
        }
        let text = self.fitted(title, self.room.width());
        let at = self.room.left_top();
        self.above.push((at.x, at.x + self.width(&text)));
        self.text(at, Align2::LEFT_TOP, text, self.theme.text);
        self.take_top(size::ROW + 2.0);
    }

    /// The title of the axis to the right, at its right end.
    pub(super) fn x_title(&mut self, title: &str, plot: Rect, at: f32) {
        let text = self.fitted(title, self.room.width());
        let x = plot.right().min(self.room.right());
        self.text(pos2(x, at), Align2::RIGHT_TOP, text, self.theme.text);
    }

    /// Labels and grid of an upward axis.
    pub(super) fn y_ticks(&mut self, ticks: &[Tick], map: AxisMap, plot: Rect) {
        let places = ticks
            .iter()
            .filter_map(|tick| Some((map.at(tick.value)?, tick)));
        let places: Vec<_> = places.collect();
        let ends = places
            .iter()
            .map(|(y, _)| [pos2(plot.left(), *y), pos2(plot.right(), *y)]);
        self.grid(ends.collect());
        for (y, tick) in places {
            let at = pos2(plot.left() - size::GAP, y);
            self.text(
                at,
                Align2::RIGHT_CENTER,
                tick.label.clone(),
                self.theme.faint,
            );
        }
    }

    /// Labels and grid of an axis to the right; labels that would touch the last one are left out.
    pub(super) fn x_ticks(&mut self, ticks: &[Tick], map: AxisMap, plot: Rect, grid: bool) {
        let places = ticks
            .iter()
            .filter_map(|tick| Some((map.at(tick.value)?, tick)));
        let places: Vec<_> = places.collect();
        let top = if grid { plot.top() } else { plot.bottom() };
        let ends = places
            .iter()
            .map(|(x, _)| [pos2(*x, top), pos2(*x, plot.bottom() + 3.0)]);
        self.grid(ends.collect());
        let mut free = f32::MIN;
        for (x, tick) in places {
            let half = self.width(&tick.label) / 2.0;
            if x - half < free || self.room.right() + size::MARGIN < x + half {
                continue;
            }
            free = x + half + 6.0;
            let at = pos2(x, plot.bottom() + size::GAP);
            self.text(at, Align2::CENTER_TOP, tick.label.clone(), self.theme.faint);
        }
    }

    fn grid(&mut self, ends: Vec<[Pos2; 2]>) {
        if !ends.is_empty() {
            let pen = Pen::new(1.0, self.theme.line.gamma_multiply(0.6));
            self.items.push(Item::Segments { ends, pen });
        }
    }

    /// The line on which marks stand.
    pub(super) fn baseline(&mut self, from: Pos2, to: Pos2) {
        let pen = Pen::new(1.0, self.theme.faint.gamma_multiply(0.7));
        self.items.push(Item::Segments {
            ends: vec![[from, to]],
            pen,
        });
    }

    /// A limit with its name at the far end, above the line where there is room.
    pub(super) fn limit(&mut self, name: &str, color: Color32, line: [Pos2; 2], plot: Rect) {
        let pen = Pen {
            width: 1.5,
            color,
            dash: Dash::Dashed,
        };
        // A casing sets it apart from what it crosses.
        let casing = Pen::new(3.5, self.theme.ground);
        for pen in [casing, pen] {
            self.items.push(Item::Segments {
                ends: vec![line],
                pen,
            });
        }
        let level = (line[0].y - line[1].y).abs() < 0.5;
        let (at, anchor) = if level {
            let right = plot.right() - 2.0;
            let has_room = plot.top() + size::ROW <= line[0].y;
            let above = has_room || self.is_free(right - self.width(name), right);
            let (offset, anchor) = if above {
                (-3.0, Align2::RIGHT_BOTTOM)
            } else {
                (3.0, Align2::RIGHT_TOP)
            };
            (pos2(right, line[0].y + offset), anchor)
        } else {
            self.upright_label(name, line[0].x, plot)
        };
        let size = vec2(self.width(name), size::TEXT + 2.0);
        let behind = anchor.anchor_size(at, size).expand2(vec2(3.0, 0.0));
        if plot.intersects(behind.shrink(2.0)) {
            self.items.push(Item::Rect {
                rect: behind,
                fill: self.theme.ground,
            });
        }
        self.text(at, anchor, name, color);
    }

    /// Whether nothing is written above the axes between two places.
    fn is_free(&self, from: f32, to: f32) -> bool {
        let clear = |taken: &(f32, f32)| to + 6.0 < taken.0 || taken.1 + 6.0 < from;
        !self.above.is_empty() && self.above.iter().all(clear)
    }

    /// Where the name of an upright line goes: above the axes, or beside the line where that is taken.
    fn upright_label(&mut self, name: &str, x: f32, plot: Rect) -> (Pos2, Align2) {
        let wide = self.width(name);
        let right = self.room.right() + size::MARGIN;
        let from = (x - wide / 2.0).min(right - wide);
        let (from, to) = (from, from + wide);
        if self.is_free(from, to) {
            self.above.push((from, to));
            return (pos2(from, plot.top() - 2.0), Align2::LEFT_BOTTOM);
        }
        if x + wide + 6.0 < plot.right() {
            (pos2(x + 4.0, plot.top() + 1.0), Align2::LEFT_TOP)
        } else {
            (pos2(x - 4.0, plot.top() + 1.0), Align2::RIGHT_TOP)
        }
    }

    /// A figure without anything to show.
    pub(super) fn no_data(mut self) -> Drawing {
        let center = self.room.center();
        self.text(center, Align2::CENTER_CENTER, "No data", self.theme.faint);
        Drawing {
            items: self.items,
            targets: Vec::new(),
            plot: self.room,
            axes: Vec::new(),
            stems: Vec::new(),
        }
    }
}

/// Text that is cut with an ellipsis where it is wider than its room.
pub(crate) fn fitted(measure: &dyn Measure, text: &str, size: f32, room: f32) -> String {
    if measure.width(text, size) <= room {
        return text.to_owned();
    }
    let mut cut = text.to_owned();
    while cut.pop().is_some() {
        let shown = format!("{}…", cut.trim_end());
        if measure.width(&shown, size) <= room {
            return shown;
        }
    }
    String::new()
}

/// A rectangle between two corners in any order.
pub(super) fn between(a: Pos2, b: Pos2) -> Rect {
    Rect::from_two_pos(a, b)
}

/// A color without its weight, because others stand out.
pub(super) fn pale(color: Color32, theme: &Theme) -> Color32 {
    color.lerp_to_gamma(theme.ground, 0.72)
}
