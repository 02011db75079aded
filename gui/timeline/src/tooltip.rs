//! What is said about what lies under the pointer.

use egui::{Response, RichText, Ui};
use look::{Theme, number, palette};

use crate::frame::{Frame, Hit};
use crate::key::TrackKey;
use crate::names::with_pass;
use crate::rows::Shows;
use crate::ruler::moment;

/// Shows it while the pointer rests.
pub(crate) fn tooltip_ui(frame: &Frame<'_>, response: &Response) {
    let Some(pos) = response.hover_pos() else {
        return;
    };
    let counter = frame.row_at(pos).and_then(|row| match row.shows {
        Shows::Counter(key) => counter_text(frame, key, pos.x),
        _ => None,
    });
    if let Some(text) = counter {
        response.clone().on_hover_text_at_pointer(text);
    } else if let Some(hit) = frame.hit(pos) {
        response
            .clone()
            .on_hover_ui_at_pointer(|ui| hit_ui(ui, frame, &hit));
    }
}

fn counter_text(frame: &Frame<'_>, key: TrackKey, x: f32) -> Option<String> {
    let time = frame.time(x);
    let at = moment(time, frame.scale.0);
    let value = match key {
        TrackKey::Memory { lane } => {
            let bytes = frame.timeline.memory(lane)?.at(time.as_picos());
            number::bytes(units::Bytes::from_f64(bytes))
        }
        TrackKey::Link { link } => {
            let share = frame.timeline.link(link)?.at(time.as_picos());
            let rate = frame.timeline.trace().links.get(link as usize)?.rate;
            let carried = number::bits_per_sec(share * rate.as_f64());
            format!(
                "{} ({carried} of {})",
                number::percent(share),
                number::rate(rate)
            )
        }
        TrackKey::Stream { .. } => return None,
    };
    Some(format!("{}\n{value} at {at}", frame.timeline.title(key)))
}

fn hit_ui(ui: &mut Ui, frame: &Frame<'_>, hit: &Hit) {
    let theme = Theme::of(ui.ctx());
    let Some(span) = frame.timeline.span(hit.span) else {
        return;
    };
    let secs = |picos: u64| number::secs(picos as f64 * 1e-12);
    let duration = span.end.as_picos() - span.start.as_picos();
    let name = frame.timeline.name(span);
    if 1 < hit.bar.count {
        let spans = number::counted(u64::from(hit.bar.count), "span");
        ui.label(RichText::new(spans).strong());
        ui.label(format!(
            "{} busy in this column",
            secs(hit.bar.busy.as_picos())
        ));
        ui.label(format!("longest: {name}, {}", secs(duration)));
        return;
    }
    ui.label(RichText::new(name).strong());
    let kind = with_pass(span.category.name(), span.pass);
    let kind = format!("{} {kind}", palette::letter(span.category));
    ui.label(RichText::new(kind).color(theme.faint));
    ui.label(format!(
        "{} from {}",
        secs(duration),
        moment(span.start, frame.scale.0)
    ));
    if frame.timeline.is_critical(hit.span) {
        ui.label("on the critical path");
    }
}
