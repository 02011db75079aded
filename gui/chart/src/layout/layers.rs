//! Marks of each layer.

use egui::{Align2, Color32, Pos2, Rect, pos2, vec2};
use look::Theme;

use super::legend::{area, hatch_pen, rim};
use super::page::{Page, between, pale, size};
use super::xy::{finite, total};
use super::{Drawing, Target, Zone};
use crate::axis::AxisMap;
use crate::figure::Figure;
use crate::item::{Item, Mark, Pen, Text, hatching};
use crate::mark::MarkRef;
use crate::xy::{Along, Areas, Columns, Diagonal, Layer, Limit, Line, Path, Point, Points};

/// A page with two axes.
pub(super) struct Sheet<'a> {
    pub(super) page: Page<'a>,
    figure: &'a Figure,
    plot: Rect,
    x: AxisMap,
    y: AxisMap,
    targets: Vec<Target>,
    /// Drawn after all layers: tags of points.
    tags: Vec<Text>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(
        page: Page<'a>,
        figure: &'a Figure,
        plot: Rect,
        x: AxisMap,
        y: AxisMap,
    ) -> Self {
        Self {
            page,
            figure,
            plot,
            x,
            y,
            targets: Vec::new(),
            tags: Vec::new(),
        }
    }

    fn at(&self, x: f64, y: f64) -> Option<Pos2> {
        Some(pos2(self.x.at(x)?, self.y.at(y)?))
    }

    /// Adds items that must not leave the axes.
    fn clipped(&mut self, items: Vec<Item>) {
        if !items.is_empty() {
            let rect = self.plot;
            self.page.items.push(Item::Clip { rect, items });
        }
    }

    pub(super) fn finish(mut self, [from, to]: [Pos2; 2]) -> Drawing {
        self.page.baseline(from, to);
        self.page
            .items
            .extend(self.tags.into_iter().map(Item::Text));
        Drawing {
            items: self.page.items,
            targets: self.targets,
            plot: self.plot,
            axes: vec![self.x, self.y],
            stems: Vec::new(),
        }
    }
}

/// Draws one layer.
pub(super) fn draw(sheet: &mut Sheet<'_>, index: usize, layer: &Layer) {
    match layer {
        Layer::Points(points) => draw_points(sheet, index, points),
        Layer::Line(line) => draw_line(sheet, line),
        Layer::Areas(areas) => draw_areas(sheet, areas),
        Layer::Columns(columns) => draw_columns(sheet, index, columns),
        Layer::Limit(limit) => draw_limit(sheet, limit),
        Layer::Diagonal(diagonal) => draw_diagonal(sheet, diagonal),
    }
}

fn draw_points(sheet: &mut Sheet<'_>, layer: usize, points: &Points) {
    let theme = sheet.page.theme;
    let color = points.ink.color(&theme);
    let rim = rim(color, &sheet.page);
    let usual = if points.points.len() < 400 { 4.0 } else { 3.0 };
    let (mut behind, mut front, mut whiskers) = (Vec::new(), Vec::new(), Vec::new());
    let mut tagged = Vec::new();
    for (index, point) in points.points.iter().enumerate() {
        let Some(at) = sheet
            .at(point.x, point.y)
            .filter(|&at| sheet.plot.expand(1.0).contains(at))
        else {
            continue;
        };
        let is_pale = sheet.figure.is_pale(point.id);
        let mark = Mark {
            at,
            radius: usual * point.size.clamp(0.25, 4.0),
            symbol: points.symbol,
            fill: if is_pale { pale(color, &theme) } else { color },
            rim: if is_pale { theme.ground } else { rim },
        };
        if is_pale { &mut behind } else { &mut front }.push(mark);
        whiskers.extend(whisker(sheet, point, at));
        sheet.targets.push(Target {
            mark: MarkRef::Point { layer, index },
            id: point.id,
            at,
            zone: Zone::Disc(mark.radius),
        });
        if !point.tag.is_empty() {
            tagged.push((point, mark));
        }
    }
    for (point, mark) in tagged {
        tag(sheet, point, &mark);
    }
    if !whiskers.is_empty() {
        let pen = Pen::new(1.0, points.ink.line_color(&theme).gamma_multiply(0.7));
        sheet.clipped(vec![Item::Segments {
            ends: whiskers,
            pen,
        }]);
    }
    for marks in [behind, front] {
        if !marks.is_empty() {
            sheet.page.items.push(Item::Marks(marks));
        }
    }
}

/// The interval of a point, with caps.
fn whisker(sheet: &Sheet<'_>, point: &Point, at: Pos2) -> Vec<[Pos2; 2]> {
    let ends = point
        .interval
        .and_then(|(low, high)| Some((sheet.y.at(low)?, sheet.y.at(high)?)));
    let Some((low, high)) = ends else {
        return Vec::new();
    };
    let cap = |y: f32| [pos2(at.x - 2.5, y), pos2(at.x + 2.5, y)];
    vec![[pos2(at.x, low), pos2(at.x, high)], cap(low), cap(high)]
}

/// Writes the tag of a point beside it, where no other tag and no other point is.
fn tag(sheet: &mut Sheet<'_>, point: &Point, mark: &Mark) {
    let extent = vec2(sheet.page.width(&point.tag), size::TEXT);
    let away = mark.radius * 0.7 + 1.5;
    let places = [
        (vec2(away, -away), Align2::LEFT_BOTTOM),
        (vec2(-away, away), Align2::RIGHT_TOP),
        (vec2(-away, -away), Align2::RIGHT_BOTTOM),
        (vec2(away, away), Align2::LEFT_TOP),
    ];
    for (offset, anchor) in places {
        let at = mark.at + offset;
        let rect = anchor.anchor_size(at, extent);
        let taken = |text: &Text| {
            let width = sheet.page.width(&text.words);
            text.anchor
                .anchor_size(text.at, vec2(width, size::TEXT))
                .expand(1.0)
                .intersects(rect)
        };
        let inside = sheet.plot.expand(size::MARGIN).contains_rect(rect);
        let covers = |target: &Target| target.at != mark.at && target.bounds().intersects(rect);
        if inside && !sheet.tags.iter().any(taken) && !sheet.targets.iter().any(covers) {
            sheet.tags.push(Text {
                at,
                anchor,
                words: point.tag.clone(),
                size: size::TEXT,
                color: sheet.page.theme.text,
            });
            return;
        }
    }
}

fn draw_line(sheet: &mut Sheet<'_>, line: &Line) {
    let pen = Pen {
        width: 1.75,
        color: line.ink.line_color(&sheet.page.theme),
        dash: line.dash,
    };
    let mut pieces = vec![Vec::new()];
    for &(x, y) in &line.samples {
        match (sheet.at(x, y), pieces.last_mut()) {
            (Some(at), Some(piece)) => push(piece, at, line.path),
            _ => pieces.push(Vec::new()),
        }
    }
    let items = pieces
        .into_iter()
        .map(thinned)
        .filter(|piece| 1 < piece.len());
    let items = items.map(|points| Item::Polyline { points, pen }).collect();
    sheet.clipped(items);
}

fn push(piece: &mut Vec<Pos2>, at: Pos2, path: Path) {
    if let (Path::Steps, Some(last)) = (path, piece.last()) {
        piece.push(pos2(at.x, last.y));
    }
    piece.push(at);
}

/// A line with at most four points in each column of pixels: the first, the lowest, the highest, the last.
fn thinned(points: Vec<Pos2>) -> Vec<Pos2> {
    const FEW: usize = 2_000;
    if points.len() <= FEW {
        return points;
    }
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| a.x.floor() >= b.x.floor()) {
        let by_y = |a: &&Pos2, b: &&Pos2| a.y.total_cmp(&b.y);
        let ends = [
            column.first(),
            column.iter().min_by(by_y),
            column.iter().max_by(by_y),
            column.last(),
        ];
        kept.extend(ends.into_iter().flatten());
    }
    kept
}

fn draw_areas(sheet: &mut Sheet<'_>, areas: &Areas) {
    let theme = sheet.page.theme;
    let samples = thinned_samples(sheet, areas);
    let mut heights = vec![0.0; samples.len()];
    let outline = |heights: &[f64], sheet: &Sheet<'_>| {
        let mut points = Vec::new();
        for (&index, &height) in samples.iter().zip(heights) {
            if let Some(at) = sheet.at(areas.x[index], height) {
                push(&mut points, at, areas.path);
            }
        }
        points
    };
    let mut lower = outline(&heights, sheet);
    let mut items = Vec::new();
    for band in &areas.bands {
        for (height, &index) in heights.iter_mut().zip(&samples) {
            *height += finite(&band.values, index);
        }
        let upper = outline(&heights, sheet);
        let color = band.ink.color(&theme);
        if band.hatched {
            let corners: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
            let (fill, ends) = (color, hatching(&corners, 7.0));
            items.push(Item::Strip {
                upper: upper.clone(),
                lower,
                fill,
            });
            items.push(Item::Segments {
                ends,
                pen: hatch_pen(color),
            });
        } else {
            items.push(Item::Strip {
                upper: upper.clone(),
                lower,
                fill: color,
            });
        }
        items.push(Item::Polyline {
            points: upper.clone(),
            pen: Pen::new(1.0, theme.ground),
        });
        lower = upper;
    }
    items.push(Item::Polyline {
        points: lower,
        pen: Pen::new(1.0, theme.faint),
    });
    sheet.clipped(items);
}

/// The samples to draw: in each column of pixels, those with the largest and the smallest sum.
fn thinned_samples(sheet: &Sheet<'_>, areas: &Areas) -> Vec<usize> {
    const FEW: usize = 2_000;
    let shown = |index: &usize| sheet.x.at(areas.x[*index]).is_some();
    let all: Vec<_> = (0..areas.x.len()).filter(shown).collect();
    if all.len() <= FEW {
        return all;
    }
    let column = |index: usize| sheet.x.at(areas.x[index]).unwrap_or(0.0).floor();
    let mut kept = Vec::new();
    for column in all.chunk_by(|a, b| column(*a) >= column(*b)) {
        let by_sum = |a: &&usize, b: &&usize| total(areas, **a).total_cmp(&total(areas, **b));
        let mut ends = [column.iter().min_by(by_sum), column.iter().max_by(by_sum)];
        ends.sort();
        kept.extend(ends.into_iter().flatten());
    }
    kept.dedup();
    kept
}

fn draw_columns(sheet: &mut Sheet<'_>, layer: usize, columns: &Columns) {
    let color = columns.ink.color(&sheet.page.theme);
    let edges = columns.edges.windows(2);
    for (index, (edge, &height)) in edges.zip(&columns.heights).enumerate() {
        let corners = (sheet.at(edge[0], 0.0), sheet.at(edge[1], height));
        let (Some(base), Some(top)) = corners else {
            continue;
        };
        let mut rect = between(base, top).intersect(sheet.plot);
        if 3.0 < rect.width() {
            rect.max.x -= 1.0;
        }
        if !rect.is_positive() {
            continue;
        }
        area(&mut sheet.page, rect, color, false);
        sheet.targets.push(Target {
            mark: MarkRef::Column { layer, index },
            id: index as u64,
            at: rect.center_top(),
            zone: Zone::Rect(rect),
        });
    }
}

fn draw_limit(sheet: &mut Sheet<'_>, limit: &Limit) {
    let (plot, color) = (sheet.plot, limit.ink.line_color(&sheet.page.theme));
    let line = match limit.of {
        Along::X => sheet
            .x
            .at(limit.value)
            .map(|x| [pos2(x, plot.top()), pos2(x, plot.bottom())]),
        Along::Y => sheet
            .y
            .at(limit.value)
            .map(|y| [pos2(plot.left(), y), pos2(plot.right(), y)]),
    };
    let inside = |line: &[Pos2; 2]| plot.expand(0.5).contains(line[0]);
    if let Some(line) = line.filter(inside) {
        sheet.page.limit(&limit.name, color, line, plot);
    }
}

/// The color of the band about the diagonal.
pub(super) fn band_color(theme: &Theme) -> Color32 {
    theme.ground.lerp_to_gamma(theme.faint, 0.22)
}

fn draw_diagonal(sheet: &mut Sheet<'_>, diagonal: &Diagonal) {
    const STEPS: u8 = 64;
    let theme = sheet.page.theme;
    let (left, right) = (sheet.plot.left(), sheet.plot.right());
    let step = |step: u8| left + (right - left) * f32::from(step) / f32::from(STEPS);
    let along = |factor: f64| {
        let points = (0..=STEPS).filter_map(|at| {
            let x = sheet.x.value(step(at));
            Some(pos2(step(at), sheet.y.at(x * factor)?))
        });
        points.collect::<Vec<_>>()
    };
    let mut items = Vec::new();
    if 0.0 < diagonal.band {
        let (upper, lower) = (along(1.0 + diagonal.band), along(1.0 - diagonal.band));
        if upper.len() == lower.len() {
            items.push(Item::Strip {
                upper,
                lower,
                fill: band_color(&theme),
            });
        }
    }
    items.push(Item::Polyline {
        points: along(1.0),
        pen: Pen::new(1.0, theme.faint),
    });
    sheet.clipped(items);
}
