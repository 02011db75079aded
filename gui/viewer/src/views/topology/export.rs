//! The graph as a figure: boxes and cables with the load of their links.

use chart::{Caption, Cell, Column, Diagram, DiagramBox, DiagramLine, Figure, Ink, Table};
use egui::{Rect, Vec2, pos2};
use look::number;
use session::Part;
use units::SimTime;

use super::boxes::{number_of, short};
use super::links::Tables;
use super::scene::Scene;
use super::window::Window;
use crate::export::Make;
use crate::run::Run;
use crate::state::State;

/// Loads that are written on cables at most, and how full a cable is before it is written.
const NUMBERS: (usize, f64) = (6, 0.5);
/// Between two graphs.
const APART: f32 = 80.0;
/// What is loaded is drawn above what is idle, in these colors.
const LEGEND: [(&str, f32); 4] = [
    ("light, below 25 %", 0.15),
    ("moderate, below 60 %", 0.45),
    ("heavy, below 90 %", 0.75),
    ("full", 1.0),
];

/// What is seen of the cluster, all of it.
pub fn figure(state: &State) -> Option<Make> {
    let run = state.results.current.as_ref()?;
    let found = &state.results.topology;
    if !found.is_of(run) {
        return None;
    }
    let playhead = state.view.now().timeline.playhead;
    let windows = super::window::windows(state, run);
    let scenes = found.scenes.clone();
    let caption = if 1 < scenes.len() {
        caption(run, &scenes)
    } else {
        run.caption.clone()
    };
    Some(Box::new(move || {
        let sheet = Sheet {
            scenes: &scenes,
            playhead,
            windows: &windows,
        };
        sheet.figure().with_caption(caption)
    }))
}

/// What stands under a figure of some of the scenes: of policies their names, too.
pub(super) fn caption(run: &Run, scenes: &[Scene]) -> Caption {
    let mut caption = run.caption.clone();
    let names = scenes.iter().map(|scene| scene.side.name.as_str());
    let names: Vec<&str> = names.filter(|name| *name != caption.scenario).collect();
    if let Some(first) = scenes.first().filter(|_| !names.is_empty()) {
        caption.scenario = format!("{} under {}", caption.scenario, names.join(" and "));
        caption.engine.clone_from(&first.side.engine);
    }
    caption
}

struct Sheet<'a> {
    scenes: &'a [Scene],
    playhead: Option<SimTime>,
    /// By scene.
    windows: &'a [Window],
}

impl Sheet<'_> {
    fn figure(&self) -> Figure {
        let mut diagram = Diagram {
            legend: self.legend(),
            table: self.table(),
            ..Diagram::default()
        };
        let mut shift = Vec2::ZERO;
        let mut first = 0;
        for (scene, window) in self.scenes.iter().zip(self.windows) {
            self.add(&mut diagram, (scene, window), (first, shift));
            shift.x += scene.graph.plan.bounds.width() + APART;
            first += 2 * scene.graph.view.cables.len() as u64;
        }
        if let Some(scene) = self.scenes.first() {
            let bands = scene.graph.plan.bands.iter();
            let levels = bands.map(|band| {
                let middle = f32::midpoint(band.top, band.bottom);
                (middle, band.name.clone())
            });
            diagram.levels = levels.collect();
        }
        Figure::new(format!("Load of links, {}", self.when()), "link", diagram)
    }

    fn legend(&self) -> Vec<(String, Ink)> {
        let loads = LEGEND.iter();
        let loads = loads.map(|(name, share)| ((*name).to_owned(), Ink::Load(*share)));
        let unknown = self.scenes.iter().any(Scene::has_unknown);
        let unknown = unknown.then(|| ("dashed: not modelled".to_owned(), Ink::Faint));
        loads.chain(unknown).collect()
    }

    fn when(&self) -> String {
        let secs = |time: SimTime| number::secs(time.as_seconds().as_secs());
        match self.playhead {
            Some(time) => format!("at {}", secs(time)),
            None => super::window::text(self.windows),
        }
    }

    /// Adds a graph, moved by a shift; the rows of its cables begin at a number.
    fn add(
        &self,
        diagram: &mut Diagram,
        (scene, window): (&Scene, &Window),
        (first, shift): (u64, Vec2),
    ) {
        let graph = &scene.graph;
        if 1 < self.scenes.len() {
            // A frame tells the two apart.
            let rect = graph.plan.bounds.translate(shift).expand(24.0);
            diagram.frames.push(boxed(rect, &scene.side.name, false));
        }
        for group in &graph.view.groups {
            let frame = graph.plan.frames.get(&group.id);
            if let Some(rect) = frame {
                let rect = rect.translate(shift);
                diagram.frames.push(boxed(rect, &group.name, false));
            } else if let Some(rect) = graph.plan.places.get(&Part::Group(group.id)) {
                let rect = rect.translate(shift);
                diagram.boxes.push(boxed(rect, &group.name, false));
            }
        }
        for device in &graph.view.devices {
            if let Some(rect) = graph.plan.places.get(&device.part) {
                let is_odd = 1e-9 < (device.speed - 1.0).abs();
                let rect = rect.translate(shift);
                diagram.boxes.push(boxed(rect, &device.name, is_odd));
            }
        }
        let shares = scene.shares(self.playhead, &window.time);
        diagram.lines.extend(lines(scene, &shares, (first, shift)));
    }

    /// All cables; of two graphs with what each is of.
    fn table(&self) -> Table {
        let mut all = Table::default();
        let several = 1 < self.scenes.len();
        let mut first = 0;
        for (scene, window) in self.scenes.iter().zip(self.windows) {
            let tables = Tables {
                scene,
                fill: &scene.fill(self.playhead, &window.time),
                playhead: self.playhead,
                order: None,
                selected: None,
                part: None,
                of: "",
                height: 0.0,
            };
            let mut table = tables.cables();
            if several {
                table.columns.insert(0, Column::text("Policy"));
            }
            for row in &mut table.rows {
                row.id += first;
                if several {
                    row.cells.insert(0, Cell::from(scene.side.name.as_str()));
                }
            }
            first += 2 * scene.graph.view.cables.len() as u64;
            all.name = table.name;
            all.columns = table.columns;
            all.rows.extend(table.rows);
        }
        all
    }
}

/// Both halves of every cable, the fullest last.
fn lines(scene: &Scene, shares: &[f64], (first, shift): (u64, Vec2)) -> Vec<DiagramLine> {
    let n = scene.graph.view.cables.len() as f32;
    let many = (40.0 / n.max(1.0)).sqrt().clamp(0.45, 1.0);
    let mut halves: Vec<(f64, Vec<DiagramLine>)> = Vec::new();
    for (at, cable) in scene.graph.view.cables.iter().enumerate() {
        let Some(way) = scene.graph.ways[at] else {
            continue;
        };
        for direction in [0, 1] {
            let load = scene.load(at, direction, shares);
            let (ink, width) = match load {
                _ if cable.is_down => (Ink::Bad, 1.6),
                None | Some(0.0) => (Ink::Faint, 0.7),
                #[expect(clippy::cast_possible_truncation, reason = "a share")]
                Some(share) => {
                    let width = 1.6 + 3.4 * scene.graph.widths[at] * many;
                    (Ink::Load(share as f32), width)
                }
            };
            let line = way.half(direction);
            let pieces = line.points().windows(2).map(|ends| DiagramLine {
                id: first + 2 * at as u64 + direction as u64,
                ends: [ends[0] + shift, ends[1] + shift],
                width,
                ink,
                dashed: cable.is_down || load.is_none(),
                label: String::new(),
            });
            halves.push((load.unwrap_or(0.0), pieces.collect()));
        }
    }
    halves.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (share, pieces) in halves.iter_mut().rev().take(NUMBERS.0) {
        let middle = pieces.len() / 2;
        if let Some(piece) = pieces.get_mut(middle).filter(|_| NUMBERS.1 <= *share) {
            piece.label = number::percent(*share);
        }
    }
    halves.into_iter().flat_map(|(_, pieces)| pieces).collect()
}

fn boxed(rect: Rect, name: &str, warns: bool) -> DiagramBox {
    DiagramBox {
        // Plans may hold boxes without extent, which have no place on paper.
        rect: if rect.is_finite() {
            rect
        } else {
            Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0))
        },
        names: vec![
            name.to_owned(),
            short(name).to_owned(),
            number_of(name).to_owned(),
        ],
        warns,
    }
}
