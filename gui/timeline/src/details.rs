//! What is known about what is selected.

use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};
use look::{Theme, Told, number, palette, space};
use trace::{KindSum, NO_INDEX, Span, SpanId, Stretch};
use units::SimTime;

use crate::command::TimelineCommand;
use crate::durations::durations_ui;
use crate::key::TrackKey;
use crate::names::with_pass;
use crate::ruler::moment;
use crate::sums::range_sums;
use crate::timeline::Timeline;
use crate::view::{Overlay, Selection, TimelineView};

/// Tells more about a span than the trace knows: operator, shape, bytes, where its time is from.
pub type Tell<'a> = &'a dyn Fn(SpanId) -> Vec<Told>;

/// What a span released, at most so many in a list.
const MOST_LISTED: usize = 12;

/// Draws what is known about the selection.
pub fn details_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
    tell: Option<Tell<'_>>,
) -> Vec<TimelineCommand> {
    let mut commands = Vec::new();
    ScrollArea::vertical()
        .id_salt("details")
        .auto_shrink([false, false])
        .show(ui, |ui| match &view.selection {
            Selection::None | Selection::Other(_) => nothing_ui(ui),
            Selection::Span(id) => match timeline.span(*id) {
                Some(span) => span_ui(ui, timeline, view, (*id, span), tell, &mut commands),
                None => nothing_ui(ui),
            },
            Selection::Range { from, to, tracks } => {
                range_ui(ui, timeline, (*from, *to), tracks);
            }
        });
    commands
}

fn nothing_ui(ui: &mut Ui) {
    let theme = Theme::of(ui.ctx());
    ui.label(RichText::new("Nothing selected").strong());
    let text = "Click a span, or drag over lanes to sum up what lies there.";
    ui.label(RichText::new(text).color(theme.faint));
}

fn secs(time: SimTime) -> String {
    number::secs(time.as_seconds().as_secs())
}

fn duration(span: &Span) -> SimTime {
    SimTime::from_picos(span.end.as_picos().saturating_sub(span.start.as_picos()))
}

/// A table of text, its rows close together.
pub(crate) fn grid(name: &str) -> egui::Grid {
    egui::Grid::new(name)
        .min_row_height(16.0)
        .spacing([12.0, 3.0])
}

/// A fact: what it is called on the left, what it is on the right.
fn fact(ui: &mut Ui, what: &str, value: impl Into<String>) {
    let theme = Theme::of(ui.ctx());
    ui.label(RichText::new(what).color(theme.faint));
    ui.label(value.into());
    ui.end_row();
}

fn span_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
    (id, span): (SpanId, &Span),
    tell: Option<Tell<'_>>,
    commands: &mut Vec<TimelineCommand>,
) {
    /// Room for two columns, in points.
    const BESIDE: f32 = 640.0;
    title_ui(ui, timeline, span);
    let told = tell.map(|tell| tell(id)).unwrap_or_default();
    let place = |ui: &mut Ui, commands: &mut Vec<TimelineCommand>| {
        grid("details of the span").num_columns(2).show(ui, |ui| {
            facts_ui(ui, timeline, (id, span));
        });
        links_ui(ui, timeline, view, id, commands);
    };
    let work = |ui: &mut Ui| {
        inside_ui(ui, (timeline, span), &told);
        durations_ui(ui, timeline, (id, span));
    };
    if ui.available_width() < BESIDE {
        place(ui, commands);
        work(ui);
    } else {
        ui.columns_const(|[left, right]| {
            place(left, commands);
            work(right);
        });
    }
}

fn title_ui(ui: &mut Ui, timeline: &Timeline, span: &Span) {
    ui.horizontal(|ui| {
        let color = palette::span(span.category, span.pass);
        let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, 2.0, color);
        ui.painter().text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            palette::letter(span.category),
            egui::FontId::proportional(11.0),
            palette::text_on(color),
        );
        ui.label(RichText::new(timeline.name(span)).size(15.0).strong());
        ui.label(RichText::new(secs(duration(span))).size(15.0));
    });
}

fn facts_ui(ui: &mut Ui, timeline: &Timeline, (id, span): (SpanId, &Span)) {
    fact(ui, "Kind", with_pass(span.category.name(), span.pass));
    let lane = span.lane.get();
    let setup = timeline.trace().lanes.get(span.lane.index());
    let name = setup.map_or("", |setup| setup.name.as_str());
    fact(ui, "Lane", format!("{name}, {}", timeline.ranks(lane)));
    fact(ui, "Stream", span.stream.name());
    if span.micro_batch != NO_INDEX {
        fact(ui, "Micro-batch", span.micro_batch.to_string());
    }
    if span.stage != NO_INDEX {
        fact(ui, "Virtual stage", span.stage.to_string());
    }
    // Digits enough to tell its ends apart.
    let grain = duration(span).as_picos() as f64 / 100.0;
    fact(ui, "Start", moment(span.start, grain));
    fact(ui, "End", moment(span.end, grain));
    let share = duration(span).as_picos() as f64 / timeline.end().as_picos().max(1) as f64;
    fact(ui, "Share of the run", number::percent(share));
    fact(ui, "Critical path", critical(timeline, id));
    match timeline.slack(id) {
        Some(SimTime::ZERO) => fact(ui, "Slack", "none: later, and the run ends later"),
        Some(slack) => fact(ui, "Slack", format!("at most {}", secs(slack))),
        None => fact(ui, "Slack", "not computed for so many spans"),
    }
}

/// How long a span is on the path, which may be less than it takes.
fn critical(timeline: &Timeline, id: SpanId) -> String {
    if !timeline.is_critical(id) {
        return "no".to_owned();
    }
    let Some(span) = timeline.span(id) else {
        return "no".to_owned();
    };
    let segments = &timeline.path().segments;
    let first = segments.partition_point(|one| one.end <= span.start);
    let inside = segments[first..]
        .iter()
        .take_while(|one| one.start < span.end);
    let own = inside.filter(|one| one.span == id && one.stretch == Stretch::Work);
    let picos = own
        .map(|one| one.end.as_picos() - one.start.as_picos())
        .sum();
    format!("yes, for {}", secs(SimTime::from_picos(picos)))
}

/// What released it and what it released.
fn links_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    id: SpanId,
    commands: &mut Vec<TimelineCommand>,
) {
    let theme = Theme::of(ui.ctx());
    ui.add_space(space::SMALL);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Released by").strong());
        let mut chain = view.shows(Overlay::Chain);
        if ui
            .checkbox(&mut chain, "Show the chain of causes")
            .changed()
        {
            commands.push(TimelineCommand::Toggle(Overlay::Chain));
        }
    });
    match timeline.cause(id) {
        Some(cause) => link_ui(ui, timeline, cause, "Cause", commands),
        None => {
            ui.label(RichText::new("Nothing: it begins a chain").color(theme.faint));
        }
    }
    let effects = timeline.effects(id);
    let heading = match effects.len() {
        0 => "Released nothing".to_owned(),
        n => format!("Released {}", number::counted(n as u64, "span")),
    };
    ui.label(RichText::new(heading).strong());
    for &effect in effects.iter().take(MOST_LISTED) {
        link_ui(ui, timeline, effect, "Effect", commands);
    }
    if MOST_LISTED < effects.len() {
        let more = format!("and {} more", effects.len() - MOST_LISTED);
        ui.label(RichText::new(more).color(theme.faint));
    }
}

/// A span that can be gone to.
fn link_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    id: SpanId,
    role: &str,
    commands: &mut Vec<TimelineCommand>,
) {
    let Some(span) = timeline.span(id) else {
        return;
    };
    let name = timeline.name(span);
    let place = format!(
        "{}, {}",
        timeline.ranks(span.lane.get()),
        span.stream.name()
    );
    let text = format!("{name} · {place} · {}", secs(duration(span)));
    ui.push_id(("link", role, id), |ui| {
        let link = ui
            .link(&text)
            .on_hover_text(format!("Ends at {}", secs(span.end)));
        let name = format!("{role}: {text}");
        link.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, &name));
        if link.clicked() {
            commands.push(TimelineCommand::Reveal(id));
        }
    });
}

/// What a span is made of: kernels or messages with all that is known of each, and kernels by their
/// times alone where no more is known.
fn inside_ui(ui: &mut Ui, (timeline, span): (&Timeline, &Span), told: &[Told]) {
    let details = timeline.trace().details.get(span.detail as usize);
    let details = details.map_or(&[][..], Vec::as_slice);
    if !details.is_empty() {
        ui.add_space(space::SMALL);
        let n = number::counted(details.len() as u64, "kernel");
        ui.label(RichText::new(format!("Inside: {n}")).strong())
            .on_hover_text("With their times when nothing else runs");
    }
    told_ui(ui, told);
    kernels_ui(ui, details.get(told.len()..).unwrap_or_default());
    let total: f64 = details.iter().map(|detail| detail.time.as_secs()).sum();
    let slower = duration(span).as_seconds().as_secs() - total;
    if 1e-12 < slower && 0.0 < total {
        grid("slower").num_columns(2).show(ui, |ui| {
            fact(ui, "Slowed or launched", number::secs(slower));
        });
    }
}

/// Each with what it means below it, and where it is from below the last of those that are from there.
fn told_ui(ui: &mut Ui, told: &[Told]) {
    let theme = Theme::of(ui.ctx());
    let small = |ui: &mut Ui, text: &str| {
        // Lines of a justified column would be stretched.
        ui.horizontal_wrapped(|ui| ui.label(RichText::new(text).size(11.5).color(theme.faint)));
    };
    let source = |of: &Told| (of.worth, of.source.clone());
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.spacing_mut().interact_size.y = 16.0;
        // Kernels of one name are told one by one.
        for (at, of) in told.iter().enumerate() {
            ui.push_id(("told", at), |ui| look::told_line(ui, of));
            if !of.meaning.is_empty() {
                small(ui, &of.meaning);
            }
            if told.get(at + 1).map(source) != Some(source(of)) {
                small(ui, &format!("{}: {}", of.worth.name(), of.source));
            }
        }
    });
}

/// Kernels by their times when nothing else runs.
fn kernels_ui(ui: &mut Ui, details: &[trace::Detail]) {
    if details.is_empty() {
        return;
    }
    let theme = Theme::of(ui.ctx());
    let total: f64 = details.iter().map(|detail| detail.time.as_secs()).sum();
    grid("kernels inside")
        .num_columns(3)
        .striped(true)
        .show(ui, |ui| {
            for detail in details {
                ui.label(&detail.name);
                ui.label(number::secs(detail.time.as_secs()));
                let share = detail.time.as_secs() / total.max(f64::MIN_POSITIVE);
                ui.label(RichText::new(number::percent(share)).color(theme.faint));
                ui.end_row();
            }
        });
}

/// Sums of a range, kept until another is selected.
#[derive(Clone)]
struct KeptSums {
    of: (usize, SimTime, SimTime, Arc<[TrackKey]>),
    sums: Arc<[KindSum]>,
}

fn kept_sums(
    ui: &Ui,
    timeline: &Arc<Timeline>,
    (from, to): (SimTime, SimTime),
    tracks: &[TrackKey],
) -> Arc<[KindSum]> {
    let id = egui::Id::unique("timeline sums of a range");
    let address = Arc::as_ptr(timeline) as usize;
    let kept = ui.data(|data| data.get_temp::<KeptSums>(id));
    if let Some(kept) = kept
        && kept.of.0 == address
        && (kept.of.1, kept.of.2) == (from, to)
        && *kept.of.3 == *tracks
    {
        return kept.sums;
    }
    let sums: Arc<[KindSum]> = range_sums(timeline, (from, to), tracks).into();
    let kept = KeptSums {
        of: (address, from, to, tracks.into()),
        sums: Arc::clone(&sums),
    };
    ui.data_mut(|data| data.insert_temp(id, kept));
    sums
}

/// Count, sum, mean and share by kind.
fn range_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    (from, to): (SimTime, SimTime),
    tracks: &[TrackKey],
) {
    let sums = kept_sums(ui, timeline, (from, to), tracks);
    let length = SimTime::from_picos(to.as_picos() - from.as_picos());
    let n_tracks = number::counted(tracks.len() as u64, "track");
    ui.label(
        RichText::new(format!("{} over {n_tracks}", secs(length)))
            .size(15.0)
            .strong(),
    );
    let theme = Theme::of(ui.ctx());
    let ends = format!("from {} to {}", secs(from), secs(to));
    ui.label(RichText::new(ends).color(theme.faint));
    if sums.is_empty() {
        ui.label("No spans lie there");
        return;
    }
    let count = sums.iter().map(|sum| sum.count).sum();
    let time = sums.iter().map(|sum| sum.time.as_picos()).sum();
    grid("sums of the range")
        .num_columns(5)
        .striped(true)
        .show(ui, |ui| {
            for heading in ["Kind", "Count", "Sum", "Mean", "Share"] {
                ui.label(RichText::new(heading).color(theme.faint));
            }
            ui.end_row();
            for sum in sums.iter() {
                let name = with_pass(sum.category.name(), sum.pass);
                let kind = format!("{} {name}", palette::letter(sum.category));
                sum_row(ui, &kind, (sum.count, sum.time.as_picos()), time);
            }
            sum_row(ui, "All", (count, time), time);
        });
}

fn sum_row(ui: &mut Ui, kind: &str, (count, time): (u64, u64), all: u64) {
    let picos = |picos: f64| number::secs(picos * 1e-12);
    ui.label(kind);
    ui.label(number::count(count));
    ui.label(picos(time as f64));
    ui.label(picos(time as f64 / count.max(1) as f64));
    ui.label(number::percent(time as f64 / all.max(1) as f64));
    ui.end_row();
}
