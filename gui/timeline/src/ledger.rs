//! Where the time of the critical path goes: seconds by cause.

use egui::{Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use look::{Theme, number, palette, space};
use trace::{NO_INDEX, Segment, SpanId, Stretch};

use crate::command::{Step, TimelineCommand};
use crate::details::grid;
use crate::timeline::Timeline;
use crate::view::{LedgerLine, TimelineView};

/// The line that sums up a stretch.
pub(crate) fn line_of(timeline: &Timeline, segment: &Segment) -> LedgerLine {
    match (segment.stretch, timeline.span(segment.span)) {
        (Stretch::Work, Some(span)) => LedgerLine::Work(span.category),
        _ => LedgerLine::Waiting,
    }
}

/// The span of the path that follows or precedes one, on a line of the ledger where one is given.
pub(crate) fn step(
    timeline: &Timeline,
    line: Option<LedgerLine>,
    here: Option<SpanId>,
    step: Step,
) -> Option<SpanId> {
    let here = here.and_then(|id| timeline.span(id));
    let mut segments = timeline.path().segments.iter().filter(|segment| {
        let fits = line.is_none_or(|line| line_of(timeline, segment) == line);
        fits && segment.span != NO_INDEX
    });
    let found = match step {
        Step::Next => segments.find(|segment| here.is_none_or(|here| here.end <= segment.start)),
        Step::Previous => {
            segments.rfind(|segment| here.is_none_or(|here| segment.end <= here.start))
        }
    };
    found.map(|segment| segment.span)
}

impl LedgerLine {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Work(category) => category.name(),
            Self::Waiting => "waiting",
        }
    }
}

/// The lines of a ledger with their picoseconds, the longest first; those without time are left
/// out.
pub fn ledger(timeline: &Timeline) -> Vec<(LedgerLine, u64)> {
    let path = timeline.path();
    let work = trace::Category::ALL.into_iter().map(|category| {
        let time = path.by_category[category.index()];
        (LedgerLine::Work(category), time.as_picos())
    });
    let mut lines: Vec<_> = work
        .chain([(LedgerLine::Waiting, path.waiting.as_picos())])
        .collect();
    lines.retain(|line| line.1 != 0);
    lines.sort_by_key(|&(_, time)| std::cmp::Reverse(time));
    lines
}

/// Draws the ledger: a click on a line highlights its spans, the arrows step through them.
pub fn ledger_ui(ui: &mut Ui, timeline: &Timeline, view: &TimelineView) -> Vec<TimelineCommand> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    let total = timeline.end().as_picos();
    let lines = ledger(timeline);
    if timeline.tracks().is_empty() {
        let text = if timeline.trace().links.is_empty() {
            "Nothing ran"
        } else {
            "The run has no spans, so that nothing is known of a critical path; its links are in the timeline"
        };
        ui.label(RichText::new(text).color(theme.faint));
        return commands;
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new("Critical path").strong());
        ui.label(RichText::new(secs(total)).color(theme.faint));
        for (text, name, step) in [
            ("‹", "Previous span of the path", Step::Previous),
            ("›", "Next span of the path", Step::Next),
        ] {
            let button = ui.small_button(text).on_hover_text(name);
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
            if button.clicked() {
                commands.push(TimelineCommand::Critical(step));
            }
        }
    });
    ScrollArea::vertical()
        .id_salt("ledger")
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for &(line, time) in &lines {
                let chosen = view.ledger == Some(line);
                if line_ui(ui, line, (time, total, lines[0].1), chosen).clicked() {
                    commands.push(TimelineCommand::Ledger((!chosen).then_some(line)));
                }
            }
            ui.add_space(space::MEDIUM);
            names_ui(ui, timeline);
        });
    commands
}

fn secs(picos: u64) -> String {
    number::secs(picos as f64 * 1e-12)
}

/// A line: letter, name, time, share, and a bar for the eye.
fn line_ui(
    ui: &mut Ui,
    line: LedgerLine,
    (time, total, most): (u64, u64, u64),
    chosen: bool,
) -> egui::Response {
    let theme = Theme::of(ui.ctx());
    let size = vec2(ui.available_width(), 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let share = number::percent(time as f64 / total.max(1) as f64);
    response.widget_info(|| {
        let text = format!(
            "{} {} {share} of the critical path",
            line.name(),
            secs(time)
        );
        WidgetInfo::selected(Role::Button, true, chosen, text)
    });
    let painter = ui.painter();
    if chosen || response.hovered() || response.has_focus() {
        let fill = if chosen {
            theme.selection
        } else {
            theme.raised
        };
        painter.rect_filled(rect, 3.0, fill);
    }
    let (color, letter) = match line {
        LedgerLine::Work(category) => (palette::category(category), palette::letter(category)),
        LedgerLine::Waiting => (theme.hatch, 'W'),
    };
    let swatch = Rect::from_min_size(rect.min + vec2(4.0, 4.0), vec2(16.0, 16.0));
    painter.rect_filled(swatch, 2.0, color);
    let text = |at, align, text: String, color| {
        painter.text(at, align, text, FontId::proportional(12.0), color)
    };
    let on = palette::text_on(color);
    text(
        swatch.center(),
        Align2::CENTER_CENTER,
        letter.to_string(),
        on,
    );
    let middle = rect.center().y;
    let at = |x: f32| egui::pos2(x, middle);
    text(
        at(rect.left() + 28.0),
        Align2::LEFT_CENTER,
        line.name().to_owned(),
        theme.text,
    );
    text(
        at(rect.left() + 168.0),
        Align2::RIGHT_CENTER,
        secs(time),
        theme.text,
    );
    text(
        at(rect.left() + 228.0),
        Align2::RIGHT_CENTER,
        share,
        theme.faint,
    );
    let room = rect.right() - rect.left() - 244.0;
    if 24.0 < room {
        let width = crate::round::single(time as f64 / most.max(1) as f64) * room;
        let left = rect.left() + 238.0;
        let bar = Rect::from_x_y_ranges(
            left..=left + width.max(1.0),
            rect.top() + 8.0..=rect.bottom() - 8.0,
        );
        painter.rect_filled(bar, 1.0, color);
    }
    response
}

/// The names that take most of the path.
fn names_ui(ui: &mut Ui, timeline: &Timeline) {
    const MOST: usize = 8;
    let theme = Theme::of(ui.ctx());
    let total = timeline.end().as_picos().max(1) as f64;
    ui.label(RichText::new("Longest on the path").color(theme.faint));
    grid("ledger names").num_columns(3).show(ui, |ui| {
        for ((name, pass), time) in timeline.path().by_name.iter().take(MOST) {
            let name = timeline.trace().names.get(*name);
            ui.label(format!("{name} {}", pass.name()));
            ui.label(secs(time.as_picos()));
            let share = number::percent(time.as_picos() as f64 / total);
            ui.label(RichText::new(share).color(theme.faint));
            ui.end_row();
        }
    });
}
