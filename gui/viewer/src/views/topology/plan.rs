//! Where everything is drawn: levels above each other, groups around what is in them.
//!
//! ```text
//! core    ┌──────────────────────────┐     a row for each level that is seen
//! spine   │ ┌──────┐                 │     groups side by side, their own switches above them
//! leaf    │ │ leaf │                 │     a folded group stands in the row of its highest device
//! NIC     │ │ node │                 │
//! GPU     └─┴──────┴─────────────────┘
//! ```

use std::collections::BTreeMap;

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use session::{DeviceView, GroupId, GroupView, Level, Part, Shape, TopologyView};

use super::web::plan_web;

/// Between things side by side.
const GAP: f32 = 8.0;
/// Between a frame and what is in it.
pub(super) const PAD: f32 = 10.0;
/// Room for the name of a frame.
pub(super) const HEAD: f32 = 24.0;
/// Between levels of a node.
const IN_NODE: f32 = 46.0;
/// Between levels of the fabric, at least and at most: wide drawings are higher, too.
const IN_FABRIC: (f32, f32) = (84.0, 320.0);
/// How wide a drawing is for its height, where that can be chosen.
const ASPECT: f32 = 1.7;
/// Devices side by side before they stand in several rows.
const SIDE_BY_SIDE: usize = 16;

/// A drawing of a cluster, in units of its own: points where it is not zoomed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where each device and each folded group is.
    pub places: BTreeMap<Part, Rect>,
    /// The frame of each open group but the whole.
    pub frames: BTreeMap<GroupId, Rect>,
    /// Levels, the highest first: their names, and from where to where they go down.
    pub bands: Vec<Band>,
    /// Around everything.
    pub bounds: Rect,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            frames: BTreeMap::new(),
            bands: Vec::new(),
            bounds: Rect::ZERO,
        }
    }
}

/// A level of the drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// What stands in it.
    pub name: String,
    /// Its upper end.
    pub top: f32,
    /// Its lower end.
    pub bottom: f32,
}

/// Things of one size in rows.
#[derive(Clone, Debug)]
struct Grid {
    level: Level,
    parts: Vec<Part>,
    size: Vec2,
    columns: usize,
}

impl Grid {
    fn new(level: Level, parts: Vec<Part>, size: Vec2, side_by_side: usize) -> Self {
        let n = parts.len();
        let columns = if n <= side_by_side {
            n.max(1)
        } else {
            let mut columns = side_by_side.max(1);
            // About four times as wide as high, counted in things.
            while columns * columns < 4 * n {
                columns += 1;
            }
            // As many in each row.
            n.div_ceil(n.div_ceil(columns))
        };
        Self {
            level,
            parts,
            size,
            columns,
        }
    }

    fn n_rows(&self) -> usize {
        self.parts.len().div_ceil(self.columns)
    }

    fn width(&self) -> f32 {
        self.columns as f32 * (self.size.x + GAP) - GAP
    }

    fn height(&self) -> f32 {
        self.n_rows() as f32 * (self.size.y + GAP) - GAP
    }
}

/// What stands beside something else in a group.
#[derive(Clone, Debug)]
enum Piece {
    Block(Block),
    Grid(Grid),
}

impl Piece {
    fn width(&self) -> f32 {
        match self {
            Self::Block(block) => block.width,
            Self::Grid(grid) => grid.width(),
        }
    }
}

/// An open group, measured.
#[derive(Clone, Debug)]
struct Block {
    id: GroupId,
    /// Groups of nodes, side by side.
    body: Vec<Piece>,
    /// Groups of switches, side by side above them.
    above: Vec<Piece>,
    /// Devices of its own.
    own: Vec<Grid>,
    width: f32,
}

/// Lays a cluster out.
pub fn plan(view: &TopologyView) -> Plan {
    let Some(whole) = view.groups.iter().find(|group| group.parent.is_none()) else {
        return Plan::default();
    };
    if !whole.is_open {
        return alone(whole);
    }
    let seen = Seen::new(view);
    if view.shape != Shape::Levels {
        return plan_web(view, &seen, whole);
    }
    let (mut plan, rows) = leveled(&seen, whole.id);
    plan.bands = bands(view, &rows);
    plan
}

/// A group with everything in it in rows.
fn leveled(seen: &Seen<'_>, id: GroupId) -> (Plan, Rows) {
    let block = block(seen, id);
    let rows = rows(&block);
    let mut plan = Plan::default();
    let mut placing = Placing {
        rows: &rows,
        plan: &mut plan,
    };
    placing.block(&block, 0.0);
    plan.bounds = plan.around();
    (plan, rows)
}

/// An open node alone.
pub(super) fn of_node(seen: &Seen<'_>, id: GroupId) -> Plan {
    leveled(seen, id).0
}

impl Plan {
    /// A rectangle around everything.
    pub(super) fn around(&self) -> Rect {
        let all = self.places.values().chain(self.frames.values());
        all.fold(Rect::NOTHING, |all, rect| all.union(*rect))
    }
}

/// A cluster that is folded to one box.
fn alone(whole: &GroupView) -> Plan {
    let rect = Rect::from_min_size(Pos2::ZERO, size_of_group(whole.id));
    Plan {
        places: BTreeMap::from([(Part::Group(whole.id), rect)]),
        bounds: rect,
        ..Plan::default()
    }
}

/// What is seen, by the group that it lies in.
pub(super) struct Seen<'a> {
    pub(super) inside: BTreeMap<GroupId, Vec<&'a GroupView>>,
    pub(super) devices: BTreeMap<GroupId, Vec<&'a DeviceView>>,
}

impl<'a> Seen<'a> {
    fn new(view: &'a TopologyView) -> Self {
        let mut inside: BTreeMap<GroupId, Vec<&GroupView>> = BTreeMap::new();
        for group in &view.groups {
            if let Some(parent) = group.parent {
                inside.entry(parent).or_default().push(group);
            }
        }
        let mut devices: BTreeMap<GroupId, Vec<&DeviceView>> = BTreeMap::new();
        for device in &view.devices {
            devices.entry(device.parent).or_default().push(device);
        }
        Self { inside, devices }
    }
}

/// The row in which a folded group stands.
const fn level_of_group(id: GroupId) -> Level {
    match id {
        GroupId::Node(_) => Level::Nic,
        GroupId::Leaves(_) => Level::Leaf,
        GroupId::Pod(_) | GroupId::Spines(_) => Level::Spine,
        GroupId::Cores | GroupId::Whole => Level::Core,
    }
}

pub(super) const fn size_of_group(id: GroupId) -> Vec2 {
    match id {
        GroupId::Node(_) => vec2(62.0, 34.0),
        GroupId::Leaves(_) => vec2(104.0, 46.0),
        GroupId::Pod(_) | GroupId::Spines(_) | GroupId::Cores | GroupId::Whole => vec2(140.0, 50.0),
    }
}

pub(super) const fn size_of_device(level: Level) -> Vec2 {
    match level {
        Level::Gpu | Level::Nic => vec2(52.0, 28.0),
        _ => vec2(68.0, 28.0),
    }
}

fn block(seen: &Seen<'_>, id: GroupId) -> Block {
    let (mut body, mut above) = (Vec::new(), Vec::new());
    for group in seen.inside.get(&id).into_iter().flatten() {
        let is_switches = matches!(group.id, GroupId::Spines(_) | GroupId::Cores);
        let pieces = if is_switches { &mut above } else { &mut body };
        if group.is_open {
            pieces.push(Piece::Block(block(seen, group.id)));
        } else {
            add_folded(pieces, group.id);
        }
    }
    for piece in body.iter_mut().chain(&mut above) {
        if let Piece::Grid(grid) = piece {
            let parts = std::mem::take(&mut grid.parts);
            let side_by_side = if grid.level == Level::Nic { 4 } else { 8 };
            *grid = Grid::new(grid.level, parts, grid.size, side_by_side);
        }
    }
    let own = own(seen.devices.get(&id).map_or(&[], Vec::as_slice));
    let wide = |pieces: &[Piece]| {
        let widths: f32 = pieces.iter().map(|piece| piece.width() + GAP).sum();
        (widths - GAP).max(0.0)
    };
    let inner = own.iter().map(Grid::width).fold(wide(&body), f32::max);
    Block {
        width: inner.max(wide(&above)) + 2.0 * PAD,
        id,
        body,
        above,
        own,
    }
}

/// Adds a folded group to those of its kind that it follows.
fn add_folded(pieces: &mut Vec<Piece>, id: GroupId) {
    let level = level_of_group(id);
    match pieces.last_mut() {
        Some(Piece::Grid(grid)) if grid.level == level => grid.parts.push(Part::Group(id)),
        _ => pieces.push(Piece::Grid(Grid {
            level,
            parts: vec![Part::Group(id)],
            size: size_of_group(id),
            columns: 1,
        })),
    }
}

/// The devices of a group, a grid for each level.
fn own(devices: &[&DeviceView]) -> Vec<Grid> {
    let mut levels: BTreeMap<Level, Vec<Part>> = BTreeMap::new();
    for device in devices {
        levels.entry(device.level).or_default().push(device.part);
    }
    let grids = levels.into_iter();
    grids
        .map(|(level, parts)| Grid::new(level, parts, size_of_device(level), SIDE_BY_SIDE))
        .collect()
}

/// A row: its upper end, and its height.
type Rows = BTreeMap<Level, (f32, f32)>;

/// The rows that a block and all in it need.
fn rows(block: &Block) -> Rows {
    let mut heights: BTreeMap<Level, f32> = BTreeMap::new();
    measure(block, &mut heights);
    let mut rows = Rows::new();
    let n_inside = heights.keys().filter(|level| **level < Level::Nic).count();
    let n_between = heights.len().saturating_sub(1);
    let n_fabric = n_between.saturating_sub(n_inside.min(n_between));
    let fixed = heights.values().sum::<f32>() + IN_NODE * n_inside as f32;
    let left = (block.width / ASPECT - fixed) / n_fabric.max(1) as f32;
    let in_fabric = left.clamp(IN_FABRIC.0, IN_FABRIC.1);
    let (mut y, mut last) = (0.0, None);
    for (level, height) in heights.into_iter().rev() {
        if last.is_some() {
            let inside = level < Level::Nic;
            y += if inside { IN_NODE } else { in_fabric };
        }
        rows.insert(level, (y, height));
        y += height;
        last = Some(level);
    }
    rows
}

fn measure(block: &Block, heights: &mut BTreeMap<Level, f32>) {
    let mut grid = |grid: &Grid| {
        let height = heights.entry(grid.level).or_default();
        *height = height.max(grid.height());
    };
    block.own.iter().for_each(&mut grid);
    let pieces = || block.body.iter().chain(&block.above);
    for piece in pieces() {
        if let Piece::Grid(of) = piece {
            grid(of);
        }
    }
    for piece in pieces() {
        if let Piece::Block(block) = piece {
            measure(block, heights);
        }
    }
}

struct Placing<'a> {
    rows: &'a Rows,
    plan: &'a mut Plan,
}

impl Placing<'_> {
    /// Places a block with its left end at a place; the rectangle around it.
    fn block(&mut self, block: &Block, left: f32) -> Rect {
        let inner = block.width - 2.0 * PAD;
        let mut around = self.pieces(&block.body, left + PAD, inner);
        around = around.union(self.pieces(&block.above, left + PAD, inner));
        for grid in &block.own {
            around = around.union(self.grid(grid, left + PAD, inner));
        }
        if block.id == GroupId::Whole {
            return around;
        }
        let mut frame = around.expand(PAD);
        frame.min.y -= HEAD - PAD;
        frame.min.x = frame.min.x.min(left);
        frame.max.x = frame.max.x.max(left + block.width);
        self.plan.frames.insert(block.id, frame);
        frame
    }

    /// Places pieces side by side in the middle of a width.
    fn pieces(&mut self, pieces: &[Piece], left: f32, width: f32) -> Rect {
        let wide: f32 = pieces.iter().map(|piece| piece.width() + GAP).sum();
        let mut x = left + (width - (wide - GAP)) / 2.0;
        let mut around = Rect::NOTHING;
        for piece in pieces {
            let own = piece.width();
            let rect = match piece {
                Piece::Block(block) => self.block(block, x),
                Piece::Grid(grid) => self.grid(grid, x, own),
            };
            around = around.union(rect);
            x += own + GAP;
        }
        around
    }

    /// Places a grid, its columns spread evenly over a width.
    fn grid(&mut self, grid: &Grid, left: f32, width: f32) -> Rect {
        let (top, height) = self.rows.get(&grid.level).copied().unwrap_or_default();
        let cell = (width + GAP) / grid.columns as f32;
        let above = (height - grid.height()) / 2.0;
        let mut around = Rect::NOTHING;
        for (at, part) in grid.parts.iter().enumerate() {
            let (column, row) = (at % grid.columns, at / grid.columns);
            let x = left + cell * (column as f32 + 0.5) - GAP / 2.0 - grid.size.x / 2.0;
            let y = top + above + (grid.size.y + GAP) * row as f32;
            let rect = Rect::from_min_size(pos2(x, y), grid.size);
            self.plan.places.insert(*part, rect);
            around = around.union(rect);
        }
        around
    }
}

/// The names of the rows.
fn bands(view: &TopologyView, rows: &Rows) -> Vec<Band> {
    let mut names: BTreeMap<Level, Vec<&str>> = BTreeMap::new();
    let mut add = |level: Level, name: &'static str| {
        let known = names.entry(level).or_default();
        if !known.contains(&name) {
            known.push(name);
        }
    };
    for device in &view.devices {
        let of_platform = matches!(device.part, Part::Host(_) | Part::Junction(_));
        let name = match device.level {
            Level::Gpu if of_platform => "Host",
            _ if of_platform => "Switch",
            level => short(level),
        };
        add(device.level, name);
    }
    for group in view.groups.iter().filter(|group| !group.is_open) {
        let name = match group.id {
            GroupId::Node(_) => "Node",
            GroupId::Leaves(_) => "Leaf group",
            GroupId::Pod(_) => "Pod",
            GroupId::Spines(_) => "Spine",
            GroupId::Cores => "Core",
            GroupId::Whole => continue,
        };
        add(level_of_group(group.id), name);
    }
    let rows = rows.iter().rev();
    rows.map(|(level, (top, height))| Band {
        name: names
            .get(level)
            .map_or_else(String::new, |names| names.join(", ")),
        top: *top,
        bottom: top + height,
    })
    .collect()
}

/// The name of a level at the edge of the drawing.
const fn short(level: Level) -> &'static str {
    match level {
        Level::Gpu => "GPU",
        Level::Domain | Level::NvSwitch => "NVSwitch",
        Level::Socket => "CPU",
        Level::PciSwitch => "PCIe",
        Level::Nic => "NIC",
        Level::Leaf => "Leaf",
        Level::Spine => "Spine",
        Level::Core => "Core",
    }
}

#[cfg(test)]
mod tests {
    use session::{Draft, Extent};

    use super::*;

    /// A small cluster of several levels, with everything unfolded that there is room for.
    fn two_jobs() -> TopologyView {
        let draft = Draft::example("two-jobs-one-fabric").unwrap();
        let ready = draft.open().unwrap().ready().unwrap();
        let cluster = &ready.scenario.cluster;
        session::topology(cluster, &Extent::within(cluster, 200))
    }

    #[test]
    fn every_visible_part_has_a_place_and_none_lies_on_another() {
        let view = two_jobs();
        let plan = plan(&view);
        let folded = view.groups.iter().filter(|group| !group.is_open).count();
        assert_eq!(plan.places.len(), view.devices.len() + folded);
        let rects: Vec<&Rect> = plan.places.values().collect();
        for (at, a) in rects.iter().enumerate() {
            for b in &rects[at + 1..] {
                assert!(!a.shrink(0.1).intersects(b.shrink(0.1)), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn higher_levels_are_drawn_above_lower_ones() {
        let plan = plan(&two_jobs());
        let tops: Vec<f32> = plan.bands.iter().map(|band| band.top).collect();
        assert!(tops.is_sorted());
        assert_eq!(plan.bands.last().unwrap().name, "GPU");
    }
}
