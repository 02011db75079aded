//! The spans.

use std::sync::Arc;

use egui::{Align2, FontId, Rect, Ui, pos2, vec2};
use look::palette;

use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::frame::{Frame, Side};
use crate::hits::Hits;
use crate::paint::{Shade, Stretching, tile_quads};
use crate::quad::{Layer, Quad};
use crate::round::single;
use crate::rows::{Row, Shows};
use crate::tile::{Content, Label, Scale, TILE, Tile};
use crate::tiles::Want;
use crate::view::Overlay;

/// Texts in a frame at most.
const MOST_TEXTS: usize = 400;
/// Segments of hatching in a frame at most.
const MOST_HATCHING: usize = 4_000;

/// A row that is seen.
struct Seen<'a> {
    row: &'a Row,
    rect: Rect,
    pinned: bool,
    want: Option<Want>,
}

/// Draws rows.
///
/// * `aim` — the window of time that the frame's is on its way to: its tiles are made, and none in between.
pub(crate) fn lanes_ui(ui: &Ui, frame: &Frame<'_>, aim: Camera, canvas: &mut Canvas) {
    let painter = ui.painter().with_clip_rect(frame.lanes);
    painter.rect_filled(frame.lanes, 0.0, frame.theme.ground);
    let seen: Vec<Seen<'_>> = frame
        .seen()
        .zip(0..)
        .map(|((row, rect), at)| Seen {
            row,
            rect,
            pinned: at < frame.rows.pinned.len(),
            want: want(row),
        })
        .collect();
    let wants: Vec<Want> = seen.iter().filter_map(|seen| seen.want.clone()).collect();
    let columns = u64::from(crate::round::pixels(
        frame.lanes.width() * frame.pixels_per_point,
    ));
    let of = |scale: Scale, from: u64, to: u64| {
        let first = scale.column(from) / u64::from(TILE);
        first..=scale.column(to) / u64::from(TILE)
    };
    let (wanted, first) = frame.grid_of(aim);
    let tiles = first / u64::from(TILE)..=(first + columns) / u64::from(TILE);
    let background = canvas.background.take();
    let ready = canvas.tiles.prepare(
        ui.ctx(),
        frame.timeline,
        (&wants, wanted, tiles.clone()),
        background.as_deref(),
    );
    canvas.background = background;
    let camera = frame.view.camera;
    let old = match canvas.ease.scale() {
        // On the way into a run the tiles of its end cover too little.
        Some(before) if !ready || aim.span() < camera.span() => Some(before),
        _ => canvas.tiles.complete.filter(|_| !ready),
    };
    let (scale, tiles) = match old {
        Some(old) => (
            old,
            of(old, camera.start().as_picos(), camera.end().as_picos()),
        ),
        None if camera == aim => (wanted, tiles),
        None => (
            wanted,
            of(wanted, camera.start().as_picos(), camera.end().as_picos()),
        ),
    };
    let key = batch_key(frame, canvas.tiles.generation, scale);
    let drawn = pieces(frame, canvas, &seen, scale, tiles);
    let layer = match frame.side {
        Side::Other => Layer::OtherLanes,
        Side::Alone | Side::Base => Layer::Lanes,
    };
    let batch = canvas.lanes.batch(layer, key, || {
        let shade = Shade::new(frame.theme);
        let mut quads = Vec::new();
        backgrounds(&mut quads, frame, &seen);
        let critical = frame.view.shows(Overlay::CriticalPath);
        for (row, tile, at) in &drawn {
            let row = &seen[*row];
            let band = frame.band(row.rect, row.pinned);
            tile_quads(&mut quads, &shade, (row.row, tile), (band, *at), critical);
        }
        quads
    });
    canvas.sink.quads(ui.painter(), frame.lanes, &batch);
    if frame.view.shows(Overlay::Bubbles) {
        bubbles(&painter, frame, &seen, &drawn);
    }
    texts(&painter, frame, &canvas.hits, (&seen, &drawn));
}

/// Tiles with the place of their row among those that are seen.
type Piece = (usize, Arc<Tile>, Stretching);

fn pieces(
    frame: &Frame<'_>,
    canvas: &mut Canvas,
    seen: &[Seen<'_>],
    scale: Scale,
    tiles: std::ops::RangeInclusive<u64>,
) -> Vec<Piece> {
    let width = (frame.lanes.width() * frame.pixels_per_point).round();
    let mut pieces = Vec::new();
    for (place, row) in seen.iter().enumerate() {
        let Some(want) = &row.want else { continue };
        for tile in tiles.clone() {
            if let Some(kept) = canvas.tiles.get(scale, want.key, tile) {
                let at = Stretching::new(tile, scale, frame.first_column, frame.scale, width);
                pieces.push((place, kept, at));
            }
        }
    }
    pieces
}

fn want(row: &Row) -> Option<Want> {
    let content = match &row.shows {
        Shows::Title => return None,
        Shows::Spans(tracks) => Content::Spans(Arc::clone(tracks), row.lane),
        Shows::Counter(key) => Content::Counter(*key),
    };
    Some(Want {
        key: content.key(),
        content,
    })
}

/// All that the rectangles depend on.
fn batch_key(frame: &Frame<'_>, generation: u64, scale: Scale) -> Vec<u64> {
    let shown = Overlay::ALL
        .iter()
        .map(|&one| u64::from(frame.view.shows(one)));
    let camera = frame.view.camera;
    let mut key = vec![
        generation,
        scale.0.to_bits(),
        camera.start().as_picos(),
        camera.span(),
        u64::from(frame.scroll.to_bits()),
        u64::from(frame.lanes.width().to_bits()),
        u64::from(frame.lanes.height().to_bits()),
        u64::from(frame.pixels_per_point.to_bits()),
        u64::from(frame.theme.dark),
    ];
    key.extend(shown);
    key
}

/// Grounds of titles and of rows that stay at the top.
fn backgrounds(quads: &mut Vec<Quad>, frame: &Frame<'_>, seen: &[Seen<'_>]) {
    let width = (frame.lanes.width() * frame.pixels_per_point).round();
    for row in seen {
        let title = row.row.shows == Shows::Title;
        if !title && !row.pinned {
            continue;
        }
        let band = frame.band(row.rect, row.pinned);
        let from = band.top.max(band.clip.0);
        let to = (band.top + band.height).min(band.clip.1);
        if from < to {
            let (top, height) = (crate::round::pixels(from), crate::round::pixels(to - from));
            quads.push(Quad::new(0.0, width, top, height, frame.theme.panel));
        }
    }
}

/// Hatches what is idle.
fn bubbles(painter: &egui::Painter, frame: &Frame<'_>, seen: &[Seen<'_>], drawn: &[Piece]) {
    let stroke = egui::Stroke::new(1.0, frame.theme.hatch);
    let mut segments = 0;
    for (place, tile, at) in drawn {
        let row = &seen[*place];
        let painter = painter_of(painter, frame, row);
        for &(from, width) in &tile.idle {
            let Some((x, width)) = at.place(from, width) else {
                continue;
            };
            let left = frame.lanes.left() + x / frame.pixels_per_point;
            let right = left + width / frame.pixels_per_point;
            let rect =
                Rect::from_x_y_ranges(left..=right, row.rect.y_range()).shrink2(vec2(0.0, 3.0));
            let clear = rect.height() < 4.0 || rect.width() < 3.0;
            if clear || MOST_HATCHING < segments {
                continue;
            }
            segments += hatch(&painter, rect, stroke);
        }
    }
}

/// Diagonals through a rectangle that fit together with those beside it; how many.
fn hatch(painter: &egui::Painter, rect: Rect, stroke: egui::Stroke) -> usize {
    const STEP: f32 = 7.0;
    let height = rect.height();
    let mut n = 0;
    // Each line rises from its foot on the lower edge to the right.
    let mut foot = ((rect.left() - height) / STEP).floor() * STEP;
    while foot < rect.right() {
        let (from, to) = (foot.max(rect.left()), (foot + height).min(rect.right()));
        if from < to {
            let y = |x: f32| rect.bottom() - (x - foot);
            painter.line_segment([pos2(from, y(from)), pos2(to, y(to))], stroke);
            n += 1;
        }
        foot += STEP;
    }
    n
}

fn painter_of(painter: &egui::Painter, frame: &Frame<'_>, row: &Seen<'_>) -> egui::Painter {
    let area = if row.pinned {
        frame.lanes
    } else {
        frame.scrolled
    };
    painter.with_clip_rect(area)
}

/// Names and durations, where they fit.
fn texts(
    painter: &egui::Painter,
    frame: &Frame<'_>,
    hits: &Hits,
    (seen, drawn): (&[Seen<'_>], &[Piece]),
) {
    let mut left = MOST_TEXTS;
    for pieces in drawn.chunk_by(|a, b| a.0 == b.0) {
        let row = &seen[pieces[0].0];
        if row.rect.height() < 13.0 || !matches!(row.row.shows, Shows::Spans(_)) {
            continue;
        }
        let painter = painter_of(painter, frame, row);
        for (span, from, to) in joined(pieces) {
            if left == 0 {
                return;
            }
            if frame
                .timeline
                .span(span)
                .is_some_and(|span| hits.has(span.name))
            {
                outline(&painter, frame, row.rect, (from, to));
            }
            left -= usize::from(text(&painter, frame, row.rect, (span, from, to)));
        }
    }
}

/// Labels in pixels; those of one span in neighboring tiles as one.
fn joined(pieces: &[Piece]) -> Vec<(u32, f32, f32)> {
    let mut labels: Vec<(u32, f32, f32)> = Vec::new();
    for (_, tile, at) in pieces {
        for Label { from, width, span } in &tile.labels {
            let Some((x, width)) = at.place(*from, *width) else {
                continue;
            };
            match labels.last_mut() {
                Some(last) if last.0 == *span => last.2 = x + width,
                _ => labels.push((*span, x, x + width)),
            }
        }
    }
    labels
}

/// Lifts a span whose name was searched for.
fn outline(painter: &egui::Painter, frame: &Frame<'_>, row: Rect, (from, to): (f32, f32)) {
    let x = |at: f32| frame.lanes.left() + at / frame.pixels_per_point;
    let rect = Rect::from_x_y_ranges(x(from)..=x(to), row.y_range()).shrink2(vec2(0.0, 1.0));
    // Between two dark lines it stands out from spans of its own color, too.
    let dark = egui::Color32::from_gray(16);
    for (inset, width, color) in [(0.0, 4.0, dark), (1.0, 2.0, frame.theme.warn)] {
        let stroke = egui::Stroke::new(width, color);
        painter.rect_stroke(rect.shrink(inset), 1.0, stroke, egui::StrokeKind::Inside);
    }
}

/// Draws the text of a span, if any fits.
fn text(
    painter: &egui::Painter,
    frame: &Frame<'_>,
    row: Rect,
    (id, from, to): (u32, f32, f32),
) -> bool {
    const PADDING: f32 = 4.0;
    let room = (to - from) / frame.pixels_per_point - 2.0 * PADDING;
    if room < 14.0 {
        return false;
    }
    let Some(span) = frame.timeline.span(id) else {
        return false;
    };
    let color = palette::text_on(palette::span(span.category, span.pass));
    let name = frame.timeline.name(span);
    let font = FontId::proportional(if row.height() < 16.0 { 10.0 } else { 11.0 });
    let at = pos2(
        frame.lanes.left() + from / frame.pixels_per_point + PADDING,
        row.center().y,
    );
    let galley = painter.layout_no_wrap(name.to_owned(), font.clone(), color);
    let width = galley.size().x;
    if width <= room {
        let place = Align2::LEFT_CENTER.anchor_size(at, galley.size()).min;
        painter.galley(place, galley, color);
        let duration = span.end.as_picos() - span.start.as_picos();
        let duration = look::number::secs(duration as f64 * 1e-12);
        let second = painter.layout_no_wrap(duration, font, color);
        if width + second.size().x + 10.0 <= room {
            let at = at + vec2(width + 10.0, 0.0);
            let place = Align2::LEFT_CENTER.anchor_size(at, second.size()).min;
            painter.galley(place, second, color.gamma_multiply(0.8));
        }
        return true;
    }
    let n = name.chars().count();
    let fitting = crate::round::count(single(f64::from(room) / f64::from(width) * n as f64));
    if fitting < 6 {
        return false;
    }
    let short: String = name.chars().take(fitting - 2).chain(['…']).collect();
    painter.text(at, Align2::LEFT_CENTER, short, font, color);
    true
}
