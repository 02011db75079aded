//! Where the time of the critical path goes: seconds by cause.

use std::collections::BTreeMap;

use egui::{Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use look::{Theme, number, palette, space};
use trace::{NO_INDEX, Segment, SpanId, Stretch};

use crate::command::{Step, TimelineCommand};
use crate::details::grid;
use crate::names::with_pass;
use crate::pair::Pair;
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

/// The first span of the path on a line, of the lane that has most of it.
pub(crate) fn longest(timeline: &Timeline, line: LedgerLine) -> Option<SpanId> {
    let mut of_lane: BTreeMap<u32, (u64, SpanId)> = BTreeMap::new();
    let segments = timeline.path().segments.iter();
    for segment in segments.filter(|segment| line_of(timeline, segment) == line) {
        let Some(span) = timeline.span(segment.span) else {
            continue;
        };
        let time = of_lane.entry(span.lane.get()).or_insert((0, segment.span));
        time.0 += segment.end.as_picos() - segment.start.as_picos();
    }
    let most = of_lane.into_values().max_by_key(|(time, _)| *time);
    most.map(|(_, first)| first)
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

/// A line as it is drawn.
#[derive(Clone, Copy)]
struct Drawn {
    line: LedgerLine,
    /// Picoseconds on the path of the run.
    time: u64,
    /// Picoseconds on the path of the base, where there is one.
    base: Option<u64>,
}

/// Draws the ledger: a click on a line highlights its spans, the arrows step through them.
pub fn ledger_ui(ui: &mut Ui, timeline: &Timeline, view: &TimelineView) -> Vec<TimelineCommand> {
    let lines = ledger(timeline).into_iter().map(|(line, time)| Drawn {
        line,
        time,
        base: None,
    });
    let total = secs(timeline.end().as_picos());
    whole_ui(ui, view, (timeline, &lines.collect::<Vec<_>>()), &total)
}

/// The same of two runs: what each takes, and the difference.
pub fn pair_ledger_ui(ui: &mut Ui, pair: &Pair, view: &TimelineView) -> Vec<TimelineCommand> {
    let (base, other) = (pair.base(), pair.other());
    let total = format!(
        "base {}, now {}",
        secs(base.end().as_picos()),
        secs(other.end().as_picos())
    );
    whole_ui(ui, view, (other, &lines_of_pair(base, other)), &total)
}

/// The lines of two runs with their picoseconds in the base and in the other, the longest first.
pub(crate) fn ledger_of_pair(base: &Timeline, other: &Timeline) -> Vec<(LedgerLine, [u64; 2])> {
    let mut times: BTreeMap<LedgerLine, [u64; 2]> = BTreeMap::new();
    for (which, run) in [base, other].into_iter().enumerate() {
        for (line, time) in ledger(run) {
            times.entry(line).or_default()[which] = time;
        }
    }
    let mut lines: Vec<_> = times.into_iter().collect();
    lines.sort_by_key(|(_, [base, other])| std::cmp::Reverse(*base.max(other)));
    lines
}

fn lines_of_pair(base: &Timeline, other: &Timeline) -> Vec<Drawn> {
    let lines = ledger_of_pair(base, other).into_iter();
    let drawn = lines.map(|(line, [base, time])| Drawn {
        line,
        time,
        base: Some(base),
    });
    drawn.collect()
}

fn whole_ui(
    ui: &mut Ui,
    view: &TimelineView,
    (timeline, lines): (&Timeline, &[Drawn]),
    total: &str,
) -> Vec<TimelineCommand> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    if lines.is_empty() {
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
        ui.label(RichText::new(total).color(theme.faint));
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
    let most = lines.iter().map(|one| one.time.max(one.base.unwrap_or(0)));
    let most = most.max().unwrap_or(1);
    let total = timeline.end().as_picos();
    ScrollArea::both()
        .id_salt("ledger")
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let columns = Columns::of(ui, lines, total);
            if lines[0].base.is_some() {
                headings_ui(ui, &columns);
            }
            for drawn in lines {
                let chosen = view.ledger == Some(drawn.line);
                if line_ui(ui, *drawn, (total, most), &columns, chosen).clicked() {
                    commands.push(TimelineCommand::Ledger((!chosen).then_some(drawn.line)));
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

/// What the columns of two runs are.
const HEADINGS: [&str; 3] = ["Base", "Now", "Difference"];
/// Where names begin, after the letter.
const NAMES: f32 = 28.0;
/// Between two columns.
const APART: f32 = 14.0;
/// A bar that is narrower says nothing.
const LEAST_BAR: f32 = 40.0;

/// Right edges of the columns: as wide as their texts.
struct Columns {
    edges: Vec<f32>,
    /// From where on bars stand.
    bars: f32,
}

impl Columns {
    fn of(ui: &Ui, lines: &[Drawn], total: u64) -> Self {
        let theme = Theme::of(ui.ctx());
        let width = |text: &str, size: f32| {
            let font = FontId::proportional(size);
            let galley = ui
                .painter()
                .layout_no_wrap(text.to_owned(), font, theme.text);
            galley.size().x
        };
        let names = lines.iter().map(|one| width(one.line.name(), 12.0));
        let mut right = NAMES + names.fold(0.0, f32::max);
        let cells: Vec<_> = lines
            .iter()
            .map(|one| columns(*one, total, &theme))
            .collect();
        let n = cells.first().map_or(0, Vec::len);
        let has_base = lines.first().is_some_and(|one| one.base.is_some());
        let edges = (0..n).map(|at| {
            let heading = if has_base {
                width(HEADINGS[at], 11.0)
            } else {
                0.0
            };
            let texts = cells.iter().map(|cells| width(&cells[at].0, 12.0));
            right += APART + texts.fold(heading, f32::max);
            right
        });
        let edges: Vec<f32> = edges.collect();
        Self {
            bars: edges.last().copied().unwrap_or(right) + APART,
            edges,
        }
    }
}

fn headings_ui(ui: &mut Ui, columns: &Columns) {
    let theme = Theme::of(ui.ctx());
    let width = ui.available_width().max(columns.bars);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
    for (x, text) in columns.edges.iter().zip(HEADINGS) {
        let at = egui::pos2(rect.left() + x, rect.center().y);
        let font = FontId::proportional(11.0);
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, text, font, theme.faint);
    }
}

/// A line in words.
fn spoken(drawn: Drawn, total: u64) -> String {
    let (name, time) = (drawn.line.name(), secs(drawn.time));
    match drawn.base {
        None => {
            let share = number::percent(drawn.time as f64 / total.max(1) as f64);
            format!("{name} {time} {share} of the critical path")
        }
        Some(base) => format!("{name} base {}, now {time}", secs(base)),
    }
}

/// A line: letter, name, times, and a bar for the eye.
fn line_ui(
    ui: &mut Ui,
    drawn: Drawn,
    (total, most): (u64, u64),
    edges: &Columns,
    chosen: bool,
) -> egui::Response {
    let theme = Theme::of(ui.ctx());
    let size = vec2(ui.available_width().max(edges.bars), 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, spoken(drawn, total)));
    let painter = ui.painter();
    if chosen || response.hovered() || response.has_focus() {
        let fill = if chosen {
            theme.selection
        } else {
            theme.raised
        };
        painter.rect_filled(rect, 3.0, fill);
    }
    let (color, letter) = match drawn.line {
        LedgerLine::Work(category) => (palette::category(category), palette::letter(category)),
        LedgerLine::Waiting => (theme.hatch, 'W'),
    };
    let swatch = Rect::from_min_size(rect.min + vec2(4.0, 4.0), vec2(16.0, 16.0));
    painter.rect_filled(swatch, 2.0, color);
    let text = |x: f32, align, text: String, color| {
        let at = egui::pos2(x, rect.center().y);
        painter.text(at, align, text, FontId::proportional(12.0), color)
    };
    let on = palette::text_on(color);
    text(
        swatch.center().x,
        Align2::CENTER_CENTER,
        letter.to_string(),
        on,
    );
    let name = drawn.line.name().to_owned();
    text(rect.left() + NAMES, Align2::LEFT_CENTER, name, theme.text);
    let columns = columns(drawn, total, &theme);
    for (x, (words, color)) in edges.edges.iter().zip(columns) {
        text(rect.left() + x, Align2::RIGHT_CENTER, words, color);
    }
    let room = rect.with_min_x(rect.left() + edges.bars);
    bars(painter, room, (drawn, most), color);
    response
}

/// What the columns of a line say.
fn columns(drawn: Drawn, total: u64, theme: &Theme) -> Vec<(String, egui::Color32)> {
    let share = |time: u64, of: u64| time as f64 / of.max(1) as f64;
    let Some(base) = drawn.base else {
        let share = number::percent(share(drawn.time, total));
        return vec![(secs(drawn.time), theme.text), (share, theme.faint)];
    };
    let by = number::difference_of_secs(base as f64 * 1e-12, drawn.time as f64 * 1e-12);
    let color = match drawn.time.cmp(&base) {
        std::cmp::Ordering::Less => theme.good,
        std::cmp::Ordering::Equal => theme.faint,
        std::cmp::Ordering::Greater => theme.bad,
    };
    vec![
        (secs(base), theme.faint),
        (secs(drawn.time), theme.text),
        (by, color),
    ]
}

/// The bar of a line; that of the base above it.
fn bars(painter: &egui::Painter, room: Rect, (drawn, most): (Drawn, u64), color: egui::Color32) {
    if room.width() < LEAST_BAR {
        return;
    }
    let bar = |time: u64, y: egui::Rangef, color| {
        let width = crate::round::single(time as f64 / most.max(1) as f64) * (room.width() - 6.0);
        let x = room.left()..=room.left() + width.max(1.0);
        painter.rect_filled(Rect::from_x_y_ranges(x, y), 1.0, color);
    };
    let (top, bottom) = (room.top(), room.bottom());
    match drawn.base {
        None => bar(drawn.time, (top + 8.0..=bottom - 8.0).into(), color),
        Some(base) => {
            let faint = color.gamma_multiply(0.5);
            bar(base, (top + 6.0..=top + 11.0).into(), faint);
            bar(drawn.time, (top + 12.0..=bottom - 6.0).into(), color);
        }
    }
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
            ui.label(with_pass(name, *pass));
            ui.label(secs(time.as_picos()));
            let share = number::percent(time.as_picos() as f64 / total);
            ui.label(RichText::new(share).color(theme.faint));
            ui.end_row();
        }
    });
}
