//! Cables as one mesh: each half is the traffic that leaves its end.

use egui::epaint::Mesh;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2};
use look::{Theme, number, palette};

use super::camera::Camera;
use super::scene::Scene;
use super::ways::Line;

/// Loads that are written beside their cables at most.
const NUMBERS: usize = 6;
/// How full a link is before that is written beside it.
const WORTH_A_NUMBER: f64 = 0.5;
/// How near a pointer must be to a cable, in points.
const NEAR: f32 = 7.0;
/// From how full on a cable is drawn as wide as it is.
const WIDE: f64 = 0.1;
/// Dashed halves at most; more of them are hairlines.
const DASHED: usize = 600;

/// A direction of a cable: its place among the cables, and 0 or 1.
pub(super) type Half = (usize, usize);

/// What cables are drawn from.
pub(super) struct Wires<'a> {
    pub(super) scene: &'a Scene,
    pub(super) shares: &'a [f64],
    pub(super) camera: Camera,
    pub(super) screen: Rect,
    pub(super) theme: Theme,
}

/// A half that carries something.
struct Loaded {
    share: f64,
    half: Half,
    line: Line,
}

impl Wires<'_> {
    /// Where a half of a cable is on the screen: from its end to the middle. None where it is out of
    /// sight.
    fn half(&self, (cable, direction): Half) -> Option<Line> {
        let way = self.scene.graph.ways[cable]?;
        let line = way
            .half(direction)
            .map(|point| self.camera.at(point, self.screen));
        let seen = line.bounds().expand(8.0);
        self.screen.intersects(seen).then_some(line)
    }

    fn halves(&self) -> impl Iterator<Item = (Half, Line)> {
        let cables = 0..self.scene.graph.view.cables.len();
        let halves = cables.flat_map(|cable| [(cable, 0), (cable, 1)]);
        halves.filter_map(|half| Some((half, self.half(half)?)))
    }

    /// How wide a cable is for what it carries in all.
    fn widest(&self, cable: usize) -> f32 {
        // Many cables leave room for each other.
        let n = self.scene.graph.view.cables.len() as f32;
        let many = (40.0 / n.max(1.0)).sqrt().clamp(0.45, 1.0);
        let own = 1.6 + 3.4 * self.scene.graph.widths[cable] * many;
        own * self.camera.zoom.clamp(0.6, 1.4)
    }

    /// How wide a half is drawn: one that is nearly idle is thin, whatever it could carry.
    fn width(&self, cable: usize, share: f64) -> f32 {
        const THIN: f32 = 1.4;
        let widest = self.widest(cable);
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let part = (share / WIDE).clamp(0.0, 1.0) as f32;
        THIN.min(widest) + (widest - THIN.min(widest)) * part
    }

    /// Draws all cables: those of which nothing is known and idle ones as hairlines, loaded ones above
    /// them, the fullest last, and those that stand out on top.
    pub(super) fn paint(&self, painter: &Painter, marked: &[(Half, Color32)]) {
        let mut loaded: Vec<Loaded> = Vec::new();
        let mut unknown: Vec<Line> = Vec::new();
        let mut broken = Vec::new();
        let mut mesh = Mesh::default();
        for (half, line) in self.halves() {
            if self.scene.graph.view.cables[half.0].is_down {
                broken.push((half, line));
                continue;
            }
            match self.scene.load(half.0, half.1, self.shares) {
                None => unknown.push(line),
                Some(share) if share <= 0.0 => strip(&mut mesh, &line, 1.0, self.theme.hatch),
                Some(share) => loaded.push(Loaded { share, half, line }),
            }
        }
        self.unknown(&mut mesh, &unknown);
        loaded.sort_by(|a, b| a.share.total_cmp(&b.share).then(a.half.cmp(&b.half)));
        for one in &loaded {
            self.loaded(&mut mesh, one);
        }
        for (half, color) in marked {
            self.halo(&mut mesh, *half, *color);
        }
        painter.add(Shape::mesh(mesh));
        for (half, line) in broken {
            self.broken(painter, half, &line);
        }
        self.numbers(painter, &loaded);
    }

    /// Halves whose loads nobody knows: dashes of no color.
    fn unknown(&self, mesh: &mut Mesh, lines: &[Line]) {
        let color = self.theme.hatch;
        for line in lines {
            if lines.len() <= DASHED {
                dashes(mesh, line, 1.0, color);
            } else {
                strip(mesh, line, 0.8, color.gamma_multiply(0.6));
            }
        }
    }

    /// A loaded half, with a rim where its color is close to that of the ground.
    fn loaded(&self, mesh: &mut Mesh, of: &Loaded) {
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let color = palette::load(of.share as f32, self.theme.dark);
        let width = self.width(of.half.0, of.share);
        if palette::contrast(color, self.theme.ground) < 3.0 {
            strip(mesh, &of.line, width + 1.0, self.theme.hatch);
        }
        strip(mesh, &of.line, width, color);
    }

    /// A rim around a half, apart from it, so that its color stays what it is.
    fn halo(&self, mesh: &mut Mesh, half: Half, color: Color32) {
        let Some(line) = self.half(half) else {
            return;
        };
        let load = self.scene.load(half.0, half.1, self.shares);
        let width = self.width(half.0, load.unwrap_or(0.0));
        strip(mesh, &line, width + 9.0, color);
        strip(mesh, &line, width + 5.0, self.theme.ground);
        match load {
            Some(share) if 0.0 < share => self.loaded(mesh, &Loaded { share, half, line }),
            Some(_) => strip(mesh, &line, 1.4, self.theme.faint),
            None => dashes(mesh, &line, 1.4, self.theme.faint),
        }
    }

    /// A cable that is down: dashed, with a cross in the middle.
    fn broken(&self, painter: &Painter, (_, direction): Half, line: &Line) {
        let stroke = Stroke::new(1.6, self.theme.bad);
        painter.extend(Shape::dashed_line(line.points(), stroke, 5.0, 4.0));
        if direction == 0 {
            let middle = line.at(1.0);
            for turned in [Vec2::new(4.5, 4.5), Vec2::new(4.5, -4.5)] {
                painter.line_segment(
                    [middle - turned, middle + turned],
                    Stroke::new(2.2, self.theme.bad),
                );
            }
        }
    }

    /// Writes how full the fullest are.
    fn numbers(&self, painter: &Painter, loaded: &[Loaded]) {
        let mut written: Vec<Rect> = Vec::new();
        let fullest = loaded.iter().rev().take(4 * NUMBERS);
        for of in fullest.filter(|of| WORTH_A_NUMBER <= of.share) {
            if of.line.bounds().size().length() < 30.0 || NUMBERS <= written.len() {
                continue;
            }
            let text = format!("{:.0} %", of.share * 100.0);
            let font = FontId::proportional(10.5);
            let galley = painter.layout_no_wrap(text, font, self.theme.text);
            let rect = Align2::CENTER_CENTER.anchor_size(of.line.at(0.62), galley.size());
            let ground = rect.expand2(Vec2::new(3.0, 1.0));
            if written
                .iter()
                .any(|other| other.intersects(ground.expand(2.0)))
            {
                continue;
            }
            painter.rect_filled(ground, 3.0, self.theme.ground.gamma_multiply(0.88));
            painter.galley(rect.min, galley, self.theme.text);
            written.push(ground);
        }
    }

    /// The half that is nearest to a pointer.
    pub(super) fn near(&self, pointer: Pos2) -> Option<Half> {
        let halves = self
            .halves()
            .map(|(half, line)| (distance(pointer, &line), half));
        let near = halves.filter(|(away, half)| *away <= NEAR.max(self.widest(half.0) / 2.0));
        near.min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, half)| half)
    }

    /// Where a half is, for readers and tips.
    pub(super) fn bounds(&self, half: Half) -> Option<Rect> {
        self.half(half).map(|line| line.bounds().expand(3.0))
    }

    /// What is said of a half.
    pub(super) fn sentence(&self, (cable, direction): Half) -> String {
        let of = &self.scene.graph.view.cables[cable];
        let n = of.links[direction].len();
        let way = self.scene.graph.way(cable, direction);
        let what = if n <= 1 {
            format!("Link {way}")
        } else {
            format!("{} {way}", number::counted(n as u64, "link"))
        };
        if of.is_down {
            return format!("{what}, down");
        }
        let rate = number::rate(of.rate);
        let Some(full) = self.scene.load(cable, direction, self.shares) else {
            let each = if n <= 1 { "" } else { " each" };
            return format!("{what}, {rate}{each}, {}", self.scene.why_unknown());
        };
        let word = super::scene::word(full);
        if n <= 1 {
            return format!("{what}, {rate}, {} used, {word}", number::percent(full));
        }
        let mean = self.scene.mean(cable, direction, self.shares);
        format!(
            "{what}, {rate} each, fullest {}, mean {}, {word}",
            number::percent(full),
            number::percent(mean)
        )
    }
}

fn distance(point: Pos2, line: &Line) -> f32 {
    let pieces = line.points().windows(2);
    let away = pieces.map(|piece| {
        let (a, along) = (piece[0], piece[1] - piece[0]);
        let length = along.length_sq();
        if length <= 0.0 {
            return (point - a).length();
        }
        let share = ((point - a).dot(along) / length).clamp(0.0, 1.0);
        (point - (a + along * share)).length()
    });
    away.fold(f32::INFINITY, f32::min)
}

/// A line with soft edges.
fn strip(mesh: &mut Mesh, line: &Line, width: f32, color: Color32) {
    for piece in line.points().windows(2) {
        piece_of(mesh, [piece[0], piece[1]], width, color);
    }
}

/// A line with gaps.
fn dashes(mesh: &mut Mesh, line: &Line, width: f32, color: Color32) {
    const DASH: f32 = 4.0;
    const GAP: f32 = 5.0;
    let mut gone = 0.0;
    for piece in line.points().windows(2) {
        let (from, along) = (piece[0], piece[1] - piece[0]);
        let length = along.length();
        // Where the pattern stands at the beginning of the piece.
        let mut at = -(gone % (DASH + GAP));
        while at < length && 0.0 < length {
            let ends = [at.max(0.0), (at + DASH).clamp(0.0, length)];
            if ends[0] < ends[1] {
                let ends = ends.map(|end| from + along * (end / length));
                piece_of(mesh, ends, width, color);
            }
            at += DASH + GAP;
        }
        gone += length;
    }
}

/// A straight line with soft edges.
fn piece_of(mesh: &mut Mesh, [a, b]: [Pos2; 2], width: f32, color: Color32) {
    const SOFT: f32 = 0.5;
    let along = b - a;
    if along.length_sq() < 1e-6 {
        return;
    }
    let across = along.normalized().rot90();
    let (inner, outer) = ((width / 2.0 - SOFT).max(0.0), width / 2.0 + SOFT);
    let Ok(first) = u32::try_from(mesh.vertices.len()) else {
        return;
    };
    for end in [a, b] {
        for (away, color) in [
            (-outer, Color32::TRANSPARENT),
            (-inner, color),
            (inner, color),
            (outer, Color32::TRANSPARENT),
        ] {
            mesh.colored_vertex(end + across * away, color);
        }
    }
    for lane in 0..3 {
        let corners = [0, 1, 4, 5].map(|corner| first + lane + corner);
        mesh.add_triangle(corners[0], corners[1], corners[2]);
        mesh.add_triangle(corners[1], corners[3], corners[2]);
    }
}
