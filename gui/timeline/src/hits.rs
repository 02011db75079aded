//! Where the hits of a search are: marks on the whole run and on the axis, outlines of spans that can be read.

use egui::{Painter, Rect, Ui};
use trace::Span;

use crate::canvas::Canvas;
use crate::frame::Frame;
use crate::names::Found;
use crate::round::{count, single};
use crate::timeline::Timeline;

/// The height of a mark, in points.
const HIGH: f32 = 3.0;

/// Spans that end after a window and are asked whether they began in it, for each name.
const MOST_LATER: usize = 1_024;
/// Spans that are looked at in a frame, about, at most.
const MOST_STEPS: usize = 50_000;
/// From so many names on the spans of a window are asked for their name, where there are few.
const MANY_NAMES: usize = 16;

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

/// The columns in which a hit begins or ends: all ends, and as many beginnings as one look at each column
/// finds.
fn columns(timeline: &Timeline, found: &Found, (start, span, width): (u64, u64, u32)) -> Vec<u32> {
    let mut marks = Marks::new(start, span, width);
    let spans = &timeline.trace().spans;
    let ended = |until: u64| spans.partition_point(|span| span.end.as_picos() < until);
    let within = ended(start)..ended(marks.end);
    if MANY_NAMES < found.names.len() && within.len() <= MOST_STEPS {
        let until = (within.end + MOST_LATER).min(spans.len());
        let hits = spans[within.start..until].iter();
        let hits = hits.filter(|span| found.names.binary_search(&span.name).is_ok());
        hits.for_each(|span| marks.add(span));
    } else {
        let each = (MOST_STEPS / found.names.len().max(1)).max(1);
        for &name in &*found.names {
            marks.of_name(timeline, name, each);
        }
    }
    let all = (0..).zip(&marks.has);
    all.filter(|(_, has)| **has).map(|(at, _)| at).collect()
}

/// Columns of a window that are being marked.
struct Marks {
    start: u64,
    end: u64,
    /// Picoseconds in a column.
    each: f64,
    has: Vec<bool>,
}

impl Marks {
    fn new(start: u64, span: u64, width: u32) -> Self {
        let width = width.max(1);
        Self {
            start,
            end: start.saturating_add(span),
            each: (span as f64 / f64::from(width)).max(f64::MIN_POSITIVE),
            has: vec![false; width as usize],
        }
    }

    fn column(&self, picos: u64) -> usize {
        let at = picos.saturating_sub(self.start) as f64 / self.each;
        count(single(at)).min(self.has.len() - 1)
    }

    /// Marks both ends of a span that lies in the window.
    fn add(&mut self, span: &Span) {
        let (from, to) = (span.start.as_picos(), span.end.as_picos());
        if from < self.end && self.start <= to {
            let ends = [
                self.column(from),
                self.column(to.saturating_sub(1).max(from)),
            ];
            for at in ends {
                self.has[at] = true;
            }
        }
    }

    /// Marks the spans of a name, one that ends in each column at most.
    ///
    /// * `steps` — spans that are looked at, at most.
    fn of_name(&mut self, timeline: &Timeline, name: u32, mut steps: usize) {
        let spans = &timeline.trace().spans;
        let ids = timeline.names().spans(name);
        // They lie in the order in which they ended.
        let ended = |until: u64| move |id: &u32| spans[*id as usize].end.as_picos() < until;
        let mut at = ids.partition_point(ended(self.start));
        while let Some(span) = ids.get(at).map(|&id| &spans[id as usize])
            && 0 < steps
        {
            let to = span.end.as_picos();
            if self.end <= to {
                break;
            }
            self.add(span);
            steps -= 1;
            at += 1;
            at += ids[at..].partition_point(ended(crate::round::shift(to, self.each.max(1.0))));
        }
        // What goes on at the end of the window is among the next that end, one a lane.
        let later = at.saturating_add(MOST_LATER.min(steps)).min(ids.len());
        for &id in &ids[at..later] {
            self.add(&spans[id as usize]);
        }
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trace::{Category, Lane, Pass, StreamKind, Trace};
    use units::{ClassId, LaneId, SimTime};

    use super::*;
    use crate::key::Placement;

    /// Spans of some names, each with its beginning and its end, on a lane of its own each.
    fn run(names: &[&str], parts: &[(u64, u64)]) -> Timeline {
        let mut trace = Trace::default();
        let mut spans = Vec::new();
        for (lane, (at, &(start, end))) in (0..).zip(parts.iter().enumerate()) {
            trace.lanes.push(Lane {
                class: ClassId::new(lane),
                name: format!("stage {lane}"),
                stage: lane,
                ranks: vec![lane],
                resident: [0; 7],
            });
            spans.push(Span {
                lane: LaneId::new(lane),
                stream: StreamKind::Compute,
                category: Category::Compute,
                pass: Pass::Forward,
                name: trace.names.intern(names[at % names.len()]),
                start: SimTime::from_picos(start),
                end: SimTime::from_picos(end),
                micro_batch: 0,
                stage: 0,
                cause: trace::NO_INDEX,
                detail: trace::NO_INDEX,
            });
        }
        spans.sort_by_key(|span| span.end);
        trace.end = spans.last().map_or(SimTime::ZERO, |span| span.end);
        trace.spans = spans;
        Timeline::new(Arc::new(trace), Placement::default())
    }

    #[test]
    fn a_window_without_width_is_one_column() {
        let timeline = run(&["a"], &[(0, 50), (20, 100)]);
        let found = timeline.names().find("a");
        assert_eq!(columns(&timeline, &found, (0, 100, 0)), [0]);
    }

    #[test]
    fn hits_that_end_together_are_marked_where_they_begin_and_end() {
        let timeline = run(&["a"], &[(700, 801), (100, 802)]);
        let found = timeline.names().find("a");
        let marked = columns(&timeline, &found, (0, 1_000, 1_000));
        assert_eq!(marked, [100, 700, 800, 801]);
        // Where they end in one column, too, the end is marked for both.
        assert_eq!(columns(&timeline, &found, (0, 1_000, 10)), [7, 8]);
    }

    #[test]
    fn many_names_are_found_as_few_are() {
        let texts: Vec<String> = (0..40).map(|n| format!("kernel {n}")).collect();
        let names: Vec<&str> = texts.iter().map(String::as_str).collect();
        let parts: Vec<(u64, u64)> = (0..40).map(|n| (n * 20, n * 20 + 15)).collect();
        let timeline = run(&names, &parts);
        let all = timeline.names().find("kernel");
        assert!(MANY_NAMES < all.names.len());
        let marked = columns(&timeline, &all, (0, 1_000, 100));
        let mut one_by_one: Vec<u32> = Vec::new();
        for text in &texts {
            let found = timeline.names().find(text);
            one_by_one.extend(columns(&timeline, &found, (0, 1_000, 100)));
        }
        one_by_one.sort_unstable();
        one_by_one.dedup();
        assert_eq!(marked, one_by_one);
    }
}
