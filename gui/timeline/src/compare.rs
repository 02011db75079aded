//! Two runs, one above the other, with one window of time.

use egui::{Align2, FontId, Rect, RichText, Ui, UiBuilder, vec2};
use look::{Theme, number, palette, space};
use trace::SpanId;

use crate::canvas::Canvas;
use crate::command::TimelineCommand;
use crate::details::grid;
use crate::frame::Side;
use crate::pair::Pair;
use crate::timeline::Timeline;
use crate::view::{Selection, TimelineView};
use crate::widget::side_ui;

/// What the widget keeps between frames for both runs.
#[derive(Debug)]
pub struct PairCanvas {
    /// For the run above.
    pub base: Canvas,
    /// For the run below.
    pub other: Canvas,
}

/// Names of the two runs, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairNames<'a> {
    /// The run above.
    pub base: &'a str,
    /// The run below.
    pub other: &'a str,
}

/// Draws both runs over what is left of a panel; what is selected in one is selected in the
/// other, where it has a match. Apply the commands with [`Pair::apply`].
pub fn compare_ui(
    ui: &mut Ui,
    pair: &Pair,
    view: &TimelineView,
    canvas: &mut PairCanvas,
    names: PairNames<'_>,
) -> Vec<TimelineCommand> {
    const TITLE: f32 = 20.0;
    let rect = ui.available_rect_before_wrap();
    let half = ((rect.height() - 2.0 * TITLE - 4.0) / 2.0).max(80.0);
    let part = |top: f32, height: f32| {
        Rect::from_min_size(egui::pos2(rect.left(), top), vec2(rect.width(), height))
    };
    let first = rect.top() + TITLE;
    let second = first + half + 4.0 + TITLE;
    title(ui, part(rect.top(), TITLE), names.base, pair.base(), None);
    title(
        ui,
        part(second - TITLE, TITLE),
        names.other,
        pair.other(),
        Some(pair.base()),
    );
    let mut area = ui.new_child(
        UiBuilder::new()
            .id_salt("base run")
            .max_rect(part(first, half)),
    );
    let end = pair.end();
    let view_of_base = pair.view_of_base(view);
    let view_of_other = pair.view_of_other(view);
    // Both axes of time begin below each other.
    let header = canvas
        .base
        .header(ui, pair.base(), &view_of_base)
        .max(canvas.other.header(ui, pair.other(), &view_of_other));
    let of_base = (Side::Base, end, header);
    let mut commands = side_ui(
        &mut area,
        pair.base(),
        &view_of_base,
        &mut canvas.base,
        of_base,
    );
    let mut area = ui.new_child(
        UiBuilder::new()
            .id_salt("other run")
            .max_rect(part(second, half)),
    );
    let of_other = side_ui(
        &mut area,
        pair.other(),
        &view_of_other,
        &mut canvas.other,
        (Side::Other, end, header),
    );
    let of_other = of_other.into_iter();
    commands.extend(of_other.map(|command| pair.command_of_other(command)));
    ui.allocate_rect(rect, egui::Sense::hover());
    commands
}

fn title(ui: &Ui, rect: Rect, name: &str, run: &Timeline, base: Option<&std::sync::Arc<Timeline>>) {
    let theme = Theme::of(ui.ctx());
    let secs = run.end().as_seconds().as_secs();
    let mut text = format!("{name} · {}", number::secs(secs));
    if let Some(base) = base {
        let share = secs / base.end().as_seconds().as_secs().max(f64::MIN_POSITIVE) - 1.0;
        text = format!("{text} ({})", number::signed_percent(share));
    }
    let at = rect.left_center() + vec2(8.0, 0.0);
    let font = FontId::proportional(12.0);
    ui.painter()
        .text(at, Align2::LEFT_CENTER, text, font, theme.text);
}

/// Draws how the selected span and all kinds differ.
pub fn differences_ui(ui: &mut Ui, pair: &Pair, view: &TimelineView) -> Vec<TimelineCommand> {
    let mut commands = Vec::new();
    match &view.selection {
        Selection::Span(id) => span_ui(ui, pair, [Some(*id), pair.other_of(*id)]),
        Selection::Other(id) => span_ui(ui, pair, [pair.base_of(*id), Some(*id)]),
        Selection::None | Selection::Range { .. } => {
            let theme = Theme::of(ui.ctx());
            let text = "Select a span to compare it with its match.";
            ui.label(RichText::new(text).color(theme.faint));
        }
    }
    commands.extend(match_ui(ui, pair, view));
    ui.add_space(space::MEDIUM);
    kinds_ui(ui, pair);
    commands
}

/// A span of the base and one of the other run, one of which was selected.
fn span_ui(ui: &mut Ui, pair: &Pair, [base, other]: [Option<SpanId>; 2]) {
    let base = base.and_then(|id| pair.base().span(id));
    let other = other.and_then(|id| pair.other().span(id));
    let name = match (base, other) {
        (Some(span), _) => pair.base().name(span),
        (None, Some(span)) => pair.other().name(span),
        (None, None) => return,
    };
    ui.label(RichText::new(name).size(15.0).strong());
    let (Some(base), Some(other)) = (base, other) else {
        let which = if base.is_none() {
            "The base"
        } else {
            "The run of now"
        };
        ui.label(format!("{which} has no such span"));
        return;
    };
    let spans = [base, other];
    grid("difference of a span").num_columns(4).show(ui, |ui| {
        heading(ui, "");
        let lengths = spans.map(|span| span.end.since(span.start).as_secs());
        let starts = spans.map(|span| span.start.as_seconds().as_secs());
        let ends = spans.map(|span| span.end.as_seconds().as_secs());
        for (name, [base, other]) in [("Duration", lengths), ("Start", starts), ("End", ends)] {
            difference_row(ui, name, base, other);
        }
    });
}

/// Leads to the match of the selected span where it lies outside of the window.
fn match_ui(ui: &mut Ui, pair: &Pair, view: &TimelineView) -> Option<TimelineCommand> {
    let (which, span) = match view.selection {
        Selection::Span(id) => ("Now", pair.other().span(pair.other_of(id)?)?),
        Selection::Other(id) => ("Base", pair.base().span(pair.base_of(id)?)?),
        _ => return None,
    };
    let window = view.camera.window();
    if span.start < window.end && window.start < span.end {
        return None;
    }
    let at = number::secs(span.start.as_seconds().as_secs());
    let text = format!("Show its match in {which}, at {at}");
    let link = ui.link(text).on_hover_text("It lies outside of the window");
    link.clicked().then(|| {
        let camera = view.camera.revealing(span.start..span.end, pair.end());
        TimelineCommand::Look(camera)
    })
}

fn heading(ui: &mut Ui, first: &str) {
    let theme = Theme::of(ui.ctx());
    for text in [first, "Base", "Now", "Difference"] {
        ui.label(RichText::new(text).color(theme.faint));
    }
    ui.end_row();
}

fn difference_row(ui: &mut Ui, name: &str, base: f64, other: f64) {
    ui.label(name);
    ui.label(number::secs(base));
    ui.label(number::secs(other));
    ui.label(number::difference_of_secs(base, other));
    ui.end_row();
}

fn kinds_ui(ui: &mut Ui, pair: &Pair) {
    let theme = Theme::of(ui.ctx());
    ui.label(RichText::new("By kind, mean of ranks").strong());
    grid("differences by kind")
        .num_columns(5)
        .striped(true)
        .show(ui, |ui| {
            for text in ["Kind", "Base", "Now", "Difference", "Matched"] {
                ui.label(RichText::new(text).color(theme.faint));
            }
            ui.end_row();
            for kind in pair.kinds() {
                let letter = palette::letter(kind.category);
                ui.label(format!("{letter} {}", kind.category.name()));
                ui.label(number::secs(kind.base));
                ui.label(number::secs(kind.other));
                ui.label(number::difference_of_secs(kind.base, kind.other));
                let all = kind.matched * 2 + kind.unmatched;
                let share = (kind.matched * 2) as f64 / all.max(1) as f64;
                ui.label(number::percent(share));
                ui.end_row();
            }
            let end = |run: &Timeline| run.end().as_seconds().as_secs();
            difference_row(ui, "Run", end(pair.base()), end(pair.other()));
        });
}
