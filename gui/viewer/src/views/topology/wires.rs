//! Cables as one mesh: each half is the traffic that leaves its end.

use egui::epaint::Mesh;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2};
use look::{Theme, number, palette};

use super::camera::Camera;
use super::scene::Scene;

/// Loads that are written beside their cables at most.
const NUMBERS: usize = 6;
/// How full a link is before that is written beside it.
const WORTH_A_NUMBER: f64 = 0.5;
/// How near a pointer must be to a cable, in points.
const NEAR: f32 = 7.0;

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

impl Wires<'_> {
    /// Where a half of a cable is on the screen: from its end to the middle. None where it is out of
    /// sight.
    fn half(&self, (cable, direction): Half) -> Option<[Pos2; 2]> {
        let ends = self.scene.graph.ends[cable]?;
        let [a, b] = ends.map(|end| self.camera.at(end, self.screen));
        let middle = a.lerp(b, 0.5);
        let from = if direction == 0 { a } else { b };
        let seen = Rect::from_two_pos(from, middle).expand(8.0);
        self.screen.intersects(seen).then_some([from, middle])
    }

    fn halves(&self) -> impl Iterator<Item = (Half, [Pos2; 2])> {
        let cables = 0..self.scene.graph.view.cables.len();
        let halves = cables.flat_map(|cable| [(cable, 0), (cable, 1)]);
        halves.filter_map(|half| Some((half, self.half(half)?)))
    }

    fn width(&self, cable: usize) -> f32 {
        // Many cables leave room for each other.
        let n = self.scene.graph.view.cables.len() as f32;
        let many = (40.0 / n.max(1.0)).sqrt().clamp(0.45, 1.0);
        let own = 1.6 + 3.4 * self.scene.graph.widths[cable] * many;
        own * self.camera.zoom.clamp(0.6, 1.4)
    }

    /// Draws all cables: idle ones as hairlines, loaded ones above them, the fullest last.
    pub(super) fn paint(&self, painter: &Painter, marked: &[(Half, Color32)]) {
        let mut loaded: Vec<(f64, Half, [Pos2; 2])> = Vec::new();
        let mut mesh = Mesh::default();
        let mut broken = Vec::new();
        for (half, ends) in self.halves() {
            let cable = &self.scene.graph.view.cables[half.0];
            if cable.is_down {
                broken.push((half, ends));
                continue;
            }
            let share = self.scene.fullest(half.0, half.1, self.shares);
            if share <= 0.0 {
                strip(&mut mesh, ends, 1.0, self.theme.hatch);
            } else {
                loaded.push((share, half, ends));
            }
        }
        for (half, color) in marked {
            if let Some(ends) = self.half(*half) {
                strip(&mut mesh, ends, self.width(half.0) + 7.0, *color);
            }
        }
        loaded.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (share, half, ends) in &loaded {
            self.loaded(&mut mesh, *share, *half, *ends);
        }
        painter.add(Shape::mesh(mesh));
        for (half, ends) in broken {
            self.broken(painter, half, ends);
        }
        self.numbers(painter, &loaded);
    }

    /// A loaded half, with a rim where its color is close to that of the ground.
    fn loaded(&self, mesh: &mut Mesh, share: f64, (cable, _): Half, ends: [Pos2; 2]) {
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let color = palette::load(share as f32, self.theme.dark);
        let width = self.width(cable);
        if palette::contrast(color, self.theme.ground) < 3.0 {
            strip(mesh, ends, width + 1.6, self.theme.faint);
        }
        strip(mesh, ends, width, color);
    }

    /// A cable that is down: dashed, with a cross in the middle.
    fn broken(&self, painter: &Painter, (_, direction): Half, ends: [Pos2; 2]) {
        let stroke = Stroke::new(1.6, self.theme.bad);
        painter.extend(Shape::dashed_line(&ends, stroke, 5.0, 4.0));
        if direction == 0 {
            for turned in [Vec2::new(4.5, 4.5), Vec2::new(4.5, -4.5)] {
                painter.line_segment(
                    [ends[1] - turned, ends[1] + turned],
                    Stroke::new(2.2, self.theme.bad),
                );
            }
        }
    }

    /// Writes how full the fullest are.
    fn numbers(&self, painter: &Painter, loaded: &[(f64, Half, [Pos2; 2])]) {
        let mut written: Vec<Rect> = Vec::new();
        let fullest = loaded.iter().rev().take(4 * NUMBERS);
        for (share, _, ends) in fullest.filter(|(share, ..)| WORTH_A_NUMBER <= *share) {
            if (ends[1] - ends[0]).length() < 30.0 || NUMBERS <= written.len() {
                continue;
            }
            let at = ends[0].lerp(ends[1], 0.62);
            let text = format!("{:.0} %", share * 100.0);
            let font = FontId::proportional(10.5);
            let galley = painter.layout_no_wrap(text, font, self.theme.text);
            let rect = Align2::CENTER_CENTER.anchor_size(at, galley.size());
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
            .map(|(half, ends)| (distance(pointer, ends), half));
        let near = halves.filter(|(away, half)| *away <= NEAR.max(self.width(half.0) / 2.0));
        near.min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, half)| half)
    }

    /// Where a half is, for readers and tips.
    pub(super) fn bounds(&self, half: Half) -> Option<Rect> {
        self.half(half)
            .map(|[a, b]| Rect::from_two_pos(a, b).expand(3.0))
    }

    /// What is said of a half.
    pub(super) fn sentence(&self, (cable, direction): Half) -> String {
        let of = &self.scene.graph.view.cables[cable];
        let n = of.links[direction].len();
        let way = self.scene.graph.way(cable, direction);
        if of.is_down {
            return format!("Link {way}, down");
        }
        let full = self.scene.fullest(cable, direction, self.shares);
        let rate = number::rate(of.rate);
        let word = super::scene::word(full);
        if n <= 1 {
            return format!("Link {way}, {rate}, {} used, {word}", number::percent(full));
        }
        let mean = self.scene.mean(cable, direction, self.shares);
        format!(
            "{} {way}, {rate} each, fullest {}, mean {}, {word}",
            number::counted(n as u64, "link"),
            number::percent(full),
            number::percent(mean)
        )
    }
}

fn distance(point: Pos2, [a, b]: [Pos2; 2]) -> f32 {
    let along = b - a;
    let length = along.length_sq();
    if length <= 0.0 {
        return (point - a).length();
    }
    let share = ((point - a).dot(along) / length).clamp(0.0, 1.0);
    (point - (a + along * share)).length()
}

/// A straight line with soft edges.
fn strip(mesh: &mut Mesh, [a, b]: [Pos2; 2], width: f32, color: Color32) {
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
