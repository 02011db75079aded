//! Errors by group: every run as a dot, half of them in a box, 8 of 10 between whiskers.

use std::sync::Arc;

use chart::{Axis, Figure, Ink, Limit, Point, Points, Symbol, Unit, Xy};
use egui::{
    Align2, FontId, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use look::{Theme, number, space};

use session::quantile;

use super::scatter::{by_size, caption};
use super::{Command, Measurement, Predicted, View};
use crate::command::Command as Any;
use crate::views::figure::figure_menu_ui;
use crate::views::kept::kept;

/// How high a group is.
const ROW: f32 = 24.0;
/// How high the axis above them is.
const HEAD: f32 = 18.0;
/// Share of the width that names take.
const NAMES: f32 = 0.34;

/// Errors of a group.
struct Errors {
    name: String,
    /// Ascending.
    errors: Vec<f64>,
}

impl Errors {
    fn at(&self, share: f64) -> f64 {
        quantile(&self.errors, share).unwrap_or_default()
    }

    fn sentence(&self) -> String {
        let n = number::counted(self.errors.len() as u64, "run");
        format!(
            "Errors of {}: {n}, median {}, half between {} and {}, all between {} and {}",
            self.shown_name(),
            number::signed_percent(self.at(0.5)),
            number::signed_percent(self.at(0.25)),
            number::signed_percent(self.at(0.75)),
            number::signed_percent(self.at(0.0)),
            number::signed_percent(self.at(1.0)),
        )
    }

    fn shown_name(&self) -> &str {
        if self.name.is_empty() {
            "not named"
        } else {
            &self.name
        }
    }

    /// How many lie beyond both ends of an axis.
    fn beyond(&self, reach: f64) -> [usize; 2] {
        let low = self.errors.iter().filter(|error| **error < -reach).count();
        let high = self.errors.iter().filter(|error| reach < **error).count();
        [low, high]
    }
}

/// The groups, the one with the largest median error first.
fn sorted(view: &View, all: &[&Measurement]) -> Vec<Errors> {
    let groups = by_size(view, all).into_iter();
    let mut groups: Vec<Errors> = groups
        .map(|(name, members)| {
            let mut errors: Vec<f64> = members.iter().map(|one| one.error()).collect();
            errors.sort_by(f64::total_cmp);
            Errors {
                name: name.to_owned(),
                errors,
            }
        })
        .collect();
    groups.sort_by(|a, b| b.at(0.5).abs().total_cmp(&a.at(0.5).abs()));
    groups
}

/// Shows the errors.
pub(super) fn strip_ui(
    ui: &mut Ui,
    view: &View,
    predicted: &Arc<Predicted>,
    all: &[&Measurement],
) -> Vec<Any> {
    let mut commands = Vec::new();
    let inputs = super::inputs(view, predicted);
    let groups = kept(ui, "errors by group", inputs, || sorted(view, all));
    let theme = Theme::of(ui.ctx());
    let title = format!("Errors by {}", in_sentence(view));
    ui.horizontal(|ui| {
        ui.label(egui::RichText::new(&title).strong());
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(layout, |ui| {
            ui.add_space(space::MEDIUM);
            commands.extend(figure_menu_ui(ui, &title, || {
                figure(&title, predicted, &groups)
            }));
        });
    });
    let width = ui.available_width();
    let names = (width * NAMES).min(220.0);
    let reach = reach(&groups);
    let (head, _) = ui.allocate_exact_size(vec2(width, HEAD), Sense::hover());
    let plot = |rect: Rect| {
        Rect::from_min_max(pos2(rect.left() + names, rect.top()), rect.max).shrink2(vec2(26.0, 0.0))
    };
    for share in [-1.0, -0.5, 0.0, 0.5, 1.0] {
        let at = place(plot(head), share * reach, reach);
        let text = whole_percent(share * reach);
        ui.painter().text(
            pos2(at, head.center().y),
            Align2::CENTER_CENTER,
            text,
            FontId::proportional(11.0),
            theme.faint,
        );
    }
    ScrollArea::vertical()
        .id_salt("errors by group")
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for group in groups.iter() {
                let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, group.sentence()));
                if response.hovered() || response.has_focus() {
                    ui.painter().rect_filled(rect, 2.0, theme.control);
                }
                if ui.is_rect_visible(rect) {
                    group_ui(ui, group, (rect, names), plot(rect), reach);
                }
                let response = response.on_hover_text(group.sentence());
                if response.clicked() {
                    let command = Command::FilterGroup(group.name.clone());
                    commands.push(Any::Accuracy(command));
                }
            }
            if groups.is_empty() {
                ui.label("Nothing is let through");
            }
            ui.add_space(space::SMALL);
        });
    commands
}

const fn in_sentence(view: &View) -> &'static str {
    match view.by {
        super::By::Gpu => "GPU",
        super::By::Source => "source",
        super::By::Framework => "framework",
    }
}

/// How far the axis reaches to both sides: all whiskers, at most 100 %.
fn reach(groups: &[Errors]) -> f64 {
    let ends = groups
        .iter()
        .flat_map(|group| [group.at(0.1), group.at(0.9)]);
    let most = ends.map(f64::abs).fold(0.1, f64::max);
    ((most * 10.0).ceil() / 10.0).min(1.0)
}

/// A share as a tick says it.
fn whole_percent(share: f64) -> String {
    let text = format!("{:.0} %", share.abs() * 100.0);
    match share {
        share if share < 0.0 => format!("−{text}"),
        share if 0.0 < share => format!("+{text}"),
        _ => text,
    }
}

fn place(plot: Rect, error: f64, reach: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the plot")]
    let share = (error / reach).clamp(-1.0, 1.0) as f32;
    egui::lerp(plot.x_range(), f32::midpoint(share, 1.0))
}

fn group_ui(ui: &Ui, group: &Errors, (rect, names): (Rect, f32), plot: Rect, reach: f64) {
    let theme = Theme::of(ui.ctx());
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let name = format!(
        "{} ({})",
        group.shown_name(),
        number::count(group.errors.len() as u64)
    );
    let mut job =
        egui::text::LayoutJob::simple_singleline(name, FontId::proportional(12.0), theme.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(names - space::MEDIUM);
    let galley = painter.layout_job(job);
    let top = rect.center().y - galley.size().y / 2.0;
    painter.galley(pos2(rect.left() + space::SMALL, top), galley, theme.text);
    let at = |error: f64| place(plot, error, reach);
    let middle = rect.center().y;
    painter.vline(at(0.0), rect.y_range(), Stroke::new(1.0, theme.line));
    let dot = look::palette::okabe_ito::SKY.gamma_multiply(0.45);
    for error in group.errors.iter().filter(|error| error.abs() <= reach) {
        painter.circle_filled(pos2(at(*error), middle), 1.8, dot);
    }
    beyond_ui(&painter, plot, group.beyond(reach), theme.warn);
    painter.hline(
        at(group.at(0.1))..=at(group.at(0.9)),
        middle,
        Stroke::new(1.0, theme.text),
    );
    let half = Rect::from_x_y_ranges(
        at(group.at(0.25))..=at(group.at(0.75)),
        middle - 5.0..=middle + 5.0,
    );
    painter.rect(
        half,
        1.0,
        theme.selection.gamma_multiply(0.7),
        Stroke::new(1.0, theme.text),
        StrokeKind::Inside,
    );
    painter.vline(
        at(group.at(0.5)),
        middle - 7.0..=middle + 7.0,
        Stroke::new(2.0, theme.accent),
    );
}

/// Arrows at both ends of the axis, with how many runs lie beyond.
fn beyond_ui(painter: &egui::Painter, plot: Rect, [low, high]: [usize; 2], color: egui::Color32) {
    let ends = [
        (low, plot.left() - 4.0, -1.0_f32, Align2::RIGHT_CENTER),
        (high, plot.right() + 4.0, 1.0, Align2::LEFT_CENTER),
    ];
    for (count, x, side, anchor) in ends {
        if count == 0 {
            continue;
        }
        let y = plot.center().y;
        let tip = [pos2(x + 5.0 * side, y), pos2(x, y - 4.0), pos2(x, y + 4.0)];
        painter.add(egui::Shape::convex_polygon(tip.into(), color, Stroke::NONE));
        let text = number::count(count as u64);
        let font = FontId::proportional(10.0);
        painter.text(pos2(x + 7.0 * side, y), anchor, text, font, color);
    }
}

/// The same on two axes, for paper and for copying.
fn figure(title: &str, predicted: &Predicted, groups: &[Errors]) -> Figure {
    let (mut dots, mut medians) = (Vec::new(), Vec::new());
    for (place, group) in groups.iter().rev().enumerate() {
        let y = place as f64 + 1.0;
        for error in &group.errors {
            let id = dots.len() as u64;
            dots.push(Point::new(id, *error, y, group.shown_name()));
        }
        let mut median = Point::new(u64::MAX - place as u64, group.at(0.5), y, group.sentence());
        group.shown_name().clone_into(&mut median.tag);
        median.size = 1.6;
        medians.push(median);
    }
    let points = |name: &str, ink, symbol, points| Points {
        name: name.to_owned(),
        ink,
        symbol,
        points,
    };
    let xy = Xy::new(
        Axis::new("Predicted over measured, less 1", Unit::Share),
        Axis::new("Group", Unit::Count),
    )
    .with(Limit::across_x("Exact", 0.0).ink(Ink::Faint))
    .with(points("Runs", Ink::Series(5), Symbol::Circle, dots))
    .with(points("Medians", Ink::Series(0), Symbol::Diamond, medians));
    Figure::new(title, "run", xy)
        .with_caption(caption(predicted))
        .explained(
            "Predicted / measured − 1 of every run; a box is the middle half, its line the median.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_beyond_the_axis_are_counted_at_both_ends() {
        let group = Errors {
            name: "A100".to_owned(),
            errors: vec![-0.9, -0.5, -0.1, 0.0, 0.2, 0.41],
        };
        assert_eq!(group.beyond(0.4), [2, 1]);
        assert_eq!(group.beyond(1.0), [0, 0]);
    }
}
