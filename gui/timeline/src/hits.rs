//! Where the hits of a search are: marks on the whole run and on the axis, outlines of spans that can be read.

use egui::{Painter, Rect, Ui};

use crate::canvas::Canvas;
use crate::frame::Frame;
use crate::names::Found;
use crate::round::{count, single};
use crate::timeline::Timeline;

/// The height of a mark, in points.
const HIGH: f32 = 3.0;

/// Spans that end after a window and are asked whether they began in it, for each name.
const MOST_LATER: usize = 1_024;

/// What was found last, and where it stands.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    search: String,
    found: Found,
    whole: Columns,
    window: Columns,
}

/// The columns of pixels with a hit in a window of time.
#[derive(Debug, Default)]
struct Columns {
    key: Option<(u64, u64, u32)>,
    at: Vec<u32>,
}

impl Hits {
    /// Searches where the text is another one.
    fn turn_to(&mut self, timeline: &Timeline, search: &str) {
        if self.search == search {
            return;
        }
        search.clone_into(&mut self.search);
        self.found = timeline.names().find(search);
        self.whole.key = None;
        self.window.key = None;
    }

    /// Whether a span bears a name that was found.
    pub(crate) fn has(&self, name: u32) -> bool {
        self.found.names.binary_search(&name).is_ok()
    }
}

impl Columns {
    /// The columns of a window from a moment on that lasts some picoseconds.
    fn of(&mut self, timeline: &Timeline, found: &Found, key: (u64, u64, u32)) -> &[u32] {
        if self.key != Some(key) {
            self.key = Some(key);
            self.at = columns(timeline, found, key);
        }
        &self.at
    }
}

/// The columns in which a hit ends or, where it is wider than that, begins.
fn columns(timeline: &Timeline, found: &Found, (start, span, width): (u64, u64, u32)) -> Vec<u32> {
    let spans = &timeline.trace().spans;
    let each = span as f64 / f64::from(width.max(1));
    let end = start.saturating_add(span);
    let mut has = vec![false; width as usize];
    let column = |picos: u64| {
        let at = picos.saturating_sub(start) as f64 / each.max(f64::MIN_POSITIVE);
        count(single(at)).min(has.len().saturating_sub(1))
    };
    let mut marked = Vec::new();
    for &name in &*found.names {
        let ids = timeline.names().spans(name);
        // They lie in the order in which they ended.
        let ended = |until: u64| move |id: &u32| spans[*id as usize].end.as_picos() < until;
        let mut at = ids.partition_point(ended(start));
        while let Some(span) = ids.get(at).map(|&id| &spans[id as usize]) {
            let (from, to) = (span.start.as_picos(), span.end.as_picos());
            if end <= to {
                // What goes on at the end of the window is among the next that end, one a lane.
                let ends_later = &ids[at..(at + MOST_LATER).min(ids.len())];
                let starts = ends_later
                    .iter()
                    .map(|&id| spans[id as usize].start.as_picos());
                let within = starts.filter(|&from| from < end);
                marked.extend(within.map(|from| column(from.max(start))));
                break;
            }
            marked.push(column(from.max(start)));
            // At most one for each pixel.
            let next = crate::round::shift(to, each.max(1.0));
            at += 1;
            at += ids[at..].partition_point(ended(next));
        }
    }
    for at in marked {
        has[at] = true;
    }
    let all = (0..width).zip(&has);
    all.filter(|(_, has)| **has).map(|(at, _)| at).collect()
}

/// Marks the hits on the whole run and on the axis.
pub(crate) fn hits_ui(ui: &Ui, frame: &Frame<'_>, canvas: &mut Canvas) {
    let hits = &mut canvas.hits;
    hits.turn_to(frame.timeline, &frame.view.search);
    if hits.found.count == 0 {
        return;
    }
    let whole = (0, frame.end.as_picos().max(1));
    let camera = frame.view.camera;
    let window = (camera.start().as_picos(), camera.span());
    for (rect, columns, (start, span)) in [
        (frame.overview, &mut hits.whole, whole),
        (frame.ruler, &mut hits.window, window),
    ] {
        if rect.is_positive() {
            let width = count(rect.width());
            let key = (start, span, u32::try_from(width).unwrap_or(u32::MAX));
            let columns = columns.of(frame.timeline, &hits.found, key);
            let painter = ui.painter().with_clip_rect(rect);
            marks(&painter, frame, rect, columns);
        }
    }
}

/// Columns in a row are one mark.
fn marks(painter: &Painter, frame: &Frame<'_>, rect: Rect, columns: &[u32]) {
    for run in columns.chunk_by(|a, b| b - a <= 1) {
        let x = |at: u32| rect.left() + single(f64::from(at));
        let (first, last) = (run[0], run[run.len() - 1]);
        let mark = Rect::from_x_y_ranges(
            x(first)..=x(last) + 2.0,
            rect.bottom() - HIGH..=rect.bottom(),
        );
        painter.rect_filled(mark, 0.0, frame.theme.warn);
    }
}
