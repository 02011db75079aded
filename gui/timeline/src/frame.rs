//! Where everything stands in one frame.

use std::sync::Arc;

use egui::{Pos2, Rect, Ui, pos2};
use look::Theme;
use trace::{Bar, SpanId};
use units::SimTime;

use crate::camera::Camera;
use crate::columns::cell_at;
use crate::paint::Band;
use crate::round::{column, single};
use crate::rows::{Row, Rows, Shows};
use crate::tile::Scale;
use crate::timeline::Timeline;
use crate::view::TimelineView;

/// Share of a panel that titles take at most.
const HEADER_SHARE: f32 = 0.4;
const RULER_HEIGHT: f32 = 22.0;
const SCROLL_BAR: f32 = 10.0;
/// Lanes go before the whole run where there is less room than this.
const LEAST_FOR_OVERVIEW: f32 = 190.0;

/// Which of two runs is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The only one.
    Alone,
    /// The one above.
    Base,
    /// The one below.
    Other,
}

impl Side {
    /// What names begin with, so that those of two runs differ.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Alone => "",
            Self::Base => "base: ",
            Self::Other => "now: ",
        }
    }

    /// The height of the whole run, small, above a panel of a height.
    const fn overview_height(self, of: f32) -> f32 {
        if of < LEAST_FOR_OVERVIEW {
            return 0.0;
        }
        match self {
            Self::Alone => 40.0,
            Self::Base | Self::Other => 26.0,
        }
    }

    /// The height of the axis: two runs have one, above both.
    const fn ruler_height(self) -> f32 {
        match self {
            Self::Alone | Self::Base => RULER_HEIGHT,
            Self::Other => 0.0,
        }
    }
}

/// What one frame draws, and where.
pub(crate) struct Frame<'a> {
    pub(crate) timeline: &'a Arc<Timeline>,
    pub(crate) view: &'a TimelineView,
    pub(crate) theme: Theme,
    pub(crate) side: Side,
    /// The end of the run; of the longer one of two.
    pub(crate) end: SimTime,
    pub(crate) rows: Arc<Rows>,
    pub(crate) id: egui::Id,
    /// The whole run, small.
    pub(crate) overview: Rect,
    /// The axis of time.
    pub(crate) ruler: Rect,
    /// Titles of rows.
    pub(crate) headers: Rect,
    /// All rows of lanes, those that stay at the top first.
    pub(crate) lanes: Rect,
    /// The part of the lanes that scrolls.
    pub(crate) scrolled: Rect,
    pub(crate) scroll_bar: Rect,
    /// How far the rows are scrolled: what the view asks for, as far as there are rows.
    pub(crate) scroll: f32,
    pub(crate) pixels_per_point: f32,
    pub(crate) scale: Scale,
    /// The column of pixels at the left edge of the lanes.
    pub(crate) first_column: u64,
}

/// What lies under the pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    /// The longest of the spans.
    pub(crate) span: SpanId,
    /// The spans within a pixel, where they are several.
    pub(crate) bar: Bar,
}

impl<'a> Frame<'a> {
    /// Divides what is left of a panel.
    pub(crate) fn new(
        ui: &Ui,
        timeline: &'a Arc<Timeline>,
        view: &'a TimelineView,
        rows: Arc<Rows>,
        (side, end, header): (Side, SimTime, f32),
    ) -> Self {
        let pixels_per_point = ui.pixels_per_point();
        let snap = |at: f32| (at * pixels_per_point).round() / pixels_per_point;
        let rect = ui.available_rect_before_wrap();
        let (top, bottom) = (snap(rect.top()), snap(rect.bottom()));
        let header = header.min(rect.width() * HEADER_SHARE);
        let (left, middle) = (rect.left(), snap(rect.left() + header));
        let right = snap(rect.right() - SCROLL_BAR).max(middle + 1.0);
        let of = |x: [f32; 2], y: [f32; 2]| Rect::from_min_max(pos2(x[0], y[0]), pos2(x[1], y[1]));
        let ruler_top = snap(top + side.overview_height(rect.height()));
        let lanes_top = snap(ruler_top + side.ruler_height());
        let bottom = bottom.max(lanes_top + 1.0);
        let pinned = snap(lanes_top + rows.pinned_height()).min(bottom);
        let lanes = of([middle, right], [lanes_top, bottom]);
        let scrolled = of([middle, right], [pinned, bottom]);
        let columns = (lanes.width() * pixels_per_point).round().max(1.0);
        let most = (rows.height() - scrolled.height()).max(0.0);
        let (scale, first_column) = grid(view.camera, columns);
        Self {
            timeline,
            view,
            theme: Theme::of(ui.ctx()),
            side,
            end,
            id: ui.scope_id().with("timeline"),
            overview: of([middle, right], [top, (ruler_top - 4.0).max(top)]),
            ruler: of([middle, right], [ruler_top, lanes_top]),
            headers: of([left, middle], [lanes_top, bottom]),
            lanes,
            scrolled,
            scroll_bar: of([right, rect.right()], [pinned, bottom]),
            scroll: snap(view.scroll.min(most)),
            pixels_per_point,
            scale,
            first_column,
            rows,
        }
    }

    /// Picoseconds in a column of pixels, and the column at the left edge, where another window of
    /// time is seen.
    pub(crate) fn grid_of(&self, camera: Camera) -> (Scale, u64) {
        let columns = (self.lanes.width() * self.pixels_per_point).round();
        grid(camera, columns.max(1.0))
    }

    /// Everything.
    pub(crate) fn rect(&self) -> Rect {
        let top = self.overview.top();
        self.headers.union(self.scroll_bar).with_min_y(top)
    }

    /// How far the rows can be scrolled.
    pub(crate) fn most_scroll(&self) -> f32 {
        (self.rows.height() - self.scrolled.height()).max(0.0)
    }

    /// Where a moment stands.
    pub(crate) fn x(&self, time: SimTime) -> f32 {
        let share = self.view.camera.share_of(time);
        // Far outside stays outside, near enough that all drawing copes with it.
        let share = single(share.clamp(-10.0, 10.0));
        self.lanes.left() + share * self.lanes.width()
    }

    /// The moment at a place.
    pub(crate) fn time(&self, x: f32) -> SimTime {
        let share = f64::from(x - self.lanes.left()) / f64::from(self.lanes.width().max(1.0));
        let time = self.view.camera.time_at(share);
        time.min(self.timeline.end())
    }

    /// The rows that are seen, with their places on the screen.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&Row, Rect)> {
        let pinned = self.rows.pinned.iter();
        let pinned = pinned.map(|row| (row, self.row_rect(row, true)));
        let bottom = self.scroll + self.scrolled.height();
        let scrolled = self.rows.between(self.scroll, bottom).iter();
        pinned.chain(scrolled.map(|row| (row, self.row_rect(row, false))))
    }

    /// Where a row stands, though part of it may be out of sight.
    pub(crate) fn row_rect(&self, row: &Row, pinned: bool) -> Rect {
        let top = if pinned {
            self.lanes.top() + row.y
        } else {
            self.scrolled.top() + row.y - self.scroll
        };
        Rect::from_x_y_ranges(self.lanes.x_range(), top..=top + row.height)
    }

    /// The place of a row in physical pixels from the top left of the lanes.
    pub(crate) fn band(&self, rect: Rect, pinned: bool) -> Band {
        let pixel = |y: f32| ((y - self.lanes.top()) * self.pixels_per_point).round();
        let area = if pinned { self.lanes } else { self.scrolled };
        Band {
            top: pixel(rect.top()),
            height: pixel(rect.bottom()) - pixel(rect.top()),
            clip: (pixel(area.top()), pixel(area.bottom())),
        }
    }

    /// The row at a place.
    pub(crate) fn row_at(&self, pos: Pos2) -> Option<&Row> {
        if !self.lanes.contains(pos) {
            return None;
        }
        if pos.y < self.scrolled.top() {
            let y = pos.y - self.lanes.top();
            return self.rows.pinned.iter().find(|row| y < row.bottom());
        }
        let y = pos.y - self.scrolled.top() + self.scroll;
        self.rows.between(y, y + 0.01).first()
    }

    /// What lies at a place, within a pixel.
    pub(crate) fn hit(&self, pos: Pos2) -> Option<Hit> {
        let row = self.row_at(pos)?;
        let Shows::Spans(tracks) = &row.shows else {
            return None;
        };
        let [one] = tracks.as_ref() else {
            return self.hit_of_several(tracks, pos.x);
        };
        let pixel = self.pixels_per_point.recip();
        let from = self.time(pos.x - pixel);
        let to = self
            .time(pos.x + pixel)
            .max(SimTime::from_picos(from.as_picos() + 1));
        let at = self.time(pos.x);
        let spans = &self.timeline.tracks()[*one as usize].spans;
        // What the pointer is on goes before what is near.
        let on = spans.touching(at..SimTime::from_picos(at.as_picos() + 1));
        let wide = spans.joined(on).filter(|bar| {
            let picos = bar.end.as_picos() - bar.start.as_picos();
            bar.count == 1 && self.scale.0 <= picos as f64
        });
        let bar = wide.or_else(|| spans.joined(spans.touching(from..to)))?;
        Some(Hit {
            span: bar.longest,
            bar,
        })
    }

    /// What the column at a place shows of several tracks, or one beside it.
    fn hit_of_several(&self, tracks: &[u32], x: f32) -> Option<Hit> {
        let own = f64::from((x - self.lanes.left()) * self.pixels_per_point);
        let own = self.first_column.saturating_add(column(own));
        let near = [own, own.saturating_sub(1), own.saturating_add(1)].into_iter();
        let mut cells = near.map(|at| cell_at(self.timeline, tracks, self.scale, at));
        let cell = cells.find(|cell| cell.span.is_some())?;
        let id = cell.span?;
        let span = self.timeline.span(id)?;
        Some(Hit {
            span: id,
            bar: Bar {
                start: span.start,
                end: span.end,
                // Whatever lies below it, what is seen is one span.
                count: if cell.wide { 1 } else { cell.count },
                busy: SimTime::from_picos(cell.busy),
                longest: id,
            },
        })
    }

    /// Where a span stands, if its row is one of those that scroll; it may be out of sight.
    pub(crate) fn span_rect(&self, id: SpanId) -> Option<Rect> {
        let track = crate::round::index(self.timeline.track_of(id)?);
        let row = self.rows.of_track(track)?;
        let span = self.timeline.span(id)?;
        let rect = self.row_rect(row, false);
        let (left, right) = (self.x(span.start), self.x(span.end));
        let least = self.pixels_per_point.recip();
        Some(Rect::from_x_y_ranges(
            left..=right.max(left + least),
            rect.y_range(),
        ))
    }
}

fn grid(camera: Camera, columns: f32) -> (Scale, u64) {
    let scale = Scale(camera.span() as f64 / f64::from(columns));
    let first = (camera.start().as_picos() as f64 / scale.0).round();
    (scale, column(first))
}
