//! How long the spans of one name take: a histogram.

use std::sync::Arc;

use egui::{Align2, FontId, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use look::{Theme, number, palette, space};
use trace::{Pass, Span, SpanId};

use crate::names::with_pass;
use crate::round::{count, single};
use crate::timeline::Timeline;

const BINS: usize = 32;
/// Spans that are looked at; of more, every so many.
const MOST: usize = 65_536;

/// Durations of the spans of a name and pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    /// How many spans there are.
    pub n: usize,
    /// How many of them were looked at.
    pub looked_at: usize,
    /// The shortest, in picoseconds.
    pub least: u64,
    /// The longest, in picoseconds.
    pub most: u64,
    /// The median, in picoseconds.
    pub median: u64,
    /// How many fall into each of equal parts from the shortest to the longest.
    pub bins: Vec<u32>,
}

impl Durations {
    /// Of all spans with a name and a pass; `None` where there are none.
    pub fn of(timeline: &Timeline, name: u32, pass: Pass) -> Option<Self> {
        let ids = timeline.names().spans(name);
        let every = ids.len().div_ceil(MOST).max(1);
        let spans = ids
            .iter()
            .step_by(every)
            .filter_map(|&id| timeline.span(id));
        let mut picos: Vec<u64> = spans
            .filter(|span| span.pass == pass)
            .map(|span| span.end.as_picos() - span.start.as_picos())
            .collect();
        picos.sort_unstable();
        let (&least, &most) = (picos.first()?, picos.last()?);
        let mut bins = vec![0; BINS];
        for &one in &picos {
            bins[bin(one, least, most)] += 1;
        }
        Some(Self {
            n: ids.len(),
            looked_at: picos.len(),
            least,
            most,
            median: picos[picos.len() / 2],
            bins,
        })
    }
}

fn bin(picos: u64, least: u64, most: u64) -> usize {
    let share = (picos - least) as f64 / (most - least).max(1) as f64;
    count(single(share * BINS as f64)).min(BINS - 1)
}

#[derive(Clone)]
struct Kept {
    of: (usize, u32, Pass),
    durations: Option<Arc<Durations>>,
}

fn kept(ui: &Ui, timeline: &Arc<Timeline>, span: &Span) -> Option<Arc<Durations>> {
    let id = egui::Id::unique("timeline durations of a name");
    let of = (Arc::as_ptr(timeline) as usize, span.name, span.pass);
    if let Some(kept) = ui.data(|data| data.get_temp::<Kept>(id))
        && kept.of == of
    {
        return kept.durations;
    }
    let durations = Durations::of(timeline, span.name, span.pass).map(Arc::new);
    let kept = Kept {
        of,
        durations: durations.clone(),
    };
    ui.data_mut(|data| data.insert_temp(id, kept));
    durations
}

/// Draws the histogram of the spans that are called as one is, with that one in it.
pub(crate) fn durations_ui(ui: &mut Ui, timeline: &Arc<Timeline>, (_, span): (SpanId, &Span)) {
    let Some(durations) = kept(ui, timeline, span) else {
        return;
    };
    if durations.looked_at < 2 {
        return;
    }
    let theme = Theme::of(ui.ctx());
    let secs = |picos: u64| number::secs(picos as f64 * 1e-12);
    ui.add_space(space::SMALL);
    let all = number::counted(durations.looked_at as u64, "span");
    let name = with_pass(timeline.name(span), span.pass);
    ui.label(RichText::new(format!("Durations of {all} called {name}")).strong());
    let (least, median, most) = (
        secs(durations.least),
        secs(durations.median),
        secs(durations.most),
    );
    if durations.least == durations.most {
        ui.label(format!("All take {least}"));
        return;
    }
    let size = vec2(ui.available_width().min(360.0), 72.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::focusable_noninteractive());
    response.widget_info(|| {
        let text = format!("Histogram: {least} to {most}, median {median}");
        WidgetInfo::labeled(Role::Image, true, text)
    });
    let plot = Rect::from_min_max(rect.min, rect.max - vec2(0.0, 16.0));
    let own = bin(
        span.end.as_picos() - span.start.as_picos(),
        durations.least,
        durations.most,
    );
    bars(
        ui,
        plot,
        &durations,
        own,
        palette::span(span.category, span.pass),
    );
    let font = FontId::proportional(10.0);
    for (at, align, text) in [
        (rect.left_bottom(), Align2::LEFT_BOTTOM, least),
        (
            rect.center_bottom(),
            Align2::CENTER_BOTTOM,
            format!("median {median}"),
        ),
        (rect.right_bottom(), Align2::RIGHT_BOTTOM, most),
    ] {
        ui.painter()
            .text(at, align, text, font.clone(), theme.faint);
    }
}

fn bars(ui: &Ui, plot: Rect, durations: &Durations, own: usize, color: egui::Color32) {
    let theme = Theme::of(ui.ctx());
    let painter = ui.painter();
    painter.rect_filled(plot, 2.0, theme.ground);
    let most = durations.bins.iter().copied().max().unwrap_or(1).max(1) as f32;
    let width = plot.width() / BINS as f32;
    for (at, &n) in durations.bins.iter().enumerate() {
        let height = n as f32 / most * (plot.height() - 6.0);
        let height = if n == 0 { 0.0 } else { height.max(1.5) };
        let left = plot.left() + at as f32 * width;
        let bar = Rect::from_x_y_ranges(
            left + 0.5..=left + width - 0.5,
            plot.bottom() - height..=plot.bottom(),
        );
        painter.rect_filled(bar, 0.0, color);
        if at == own {
            let stroke = egui::Stroke::new(2.0, theme.accent);
            painter.rect_stroke(bar.expand(1.5), 1.0, stroke, egui::StrokeKind::Outside);
        }
    }
}
