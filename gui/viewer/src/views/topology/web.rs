//! Where everything is drawn in a fabric without levels.
//!
//! ```text
//!      r0 ── r1 ── r2        a torus lies in its grid, planes beside each other;
//!      n0 │  n1 │  n2 │      what hangs on a router stands below it
//!      r3 ── r4 ── r5
//!
//!        s0 ─── s1           anything else lies on a ring, so that each cable is a chord;
//!      s4 ╲  ╳ ╱  s2         what hangs on a switch stands outside
//!          s3
//! ```

use std::collections::BTreeMap;
use std::f32::consts::{FRAC_PI_2, TAU};

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use session::{GroupId, GroupView, Level, Part, Shape, TopologyView};

use super::plan::{HEAD, PAD, Plan, Seen, of_node, size_of_device, size_of_group};

/// Between a switch and what hangs on it, and between what hangs on one.
const NEAR: f32 = 12.0;
/// Between switches.
const APART: f32 = 36.0;
/// Between planes of a grid.
const PLANES: f32 = 90.0;
/// How wide a ring is for its height.
const ASPECT: f32 = 1.5;
/// The same of planes, which stand beside each other rather than below each other.
const PLANES_ASPECT: f32 = 3.0;

/// Things about an origin of their own: the upper left corner of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    places: Vec<(Part, Rect)>,
    frames: Vec<(GroupId, Rect)>,
    size: Vec2,
}

impl Sheet {
    fn of(part: Part, size: Vec2) -> Self {
        Self {
            places: vec![(part, Rect::from_min_size(Pos2::ZERO, size))],
            frames: Vec::new(),
            size,
        }
    }

    /// Everything of a plan.
    pub(super) fn of_plan(plan: Plan) -> Self {
        let mut sheet = Self::default();
        let back = -plan.bounds.min.to_vec2();
        let places = plan.places.into_iter();
        sheet.places = places
            .map(|(part, at)| (part, at.translate(back)))
            .collect();
        let frames = plan.frames.into_iter();
        sheet.frames = frames.map(|(id, at)| (id, at.translate(back))).collect();
        sheet.size = plan.bounds.size();
        sheet
    }

    fn put(&mut self, other: Self, at: Vec2) {
        let places = other.places.into_iter();
        self.places
            .extend(places.map(|(part, rect)| (part, rect.translate(at))));
        let frames = other.frames.into_iter();
        self.frames
            .extend(frames.map(|(id, rect)| (id, rect.translate(at))));
        self.size = self.size.max(at + other.size);
    }

    /// Sheets in rows, the middle of each in the middle of its cell.
    fn tiled(sheets: Vec<Self>, columns: usize, apart: f32) -> Self {
        let cell = sheets
            .iter()
            .fold(Vec2::ZERO, |cell, one| cell.max(one.size));
        let mut all = Self::default();
        for (at, sheet) in sheets.into_iter().enumerate() {
            let (column, row) = ((at % columns) as f32, (at / columns) as f32);
            let corner = vec2(column * (cell.x + apart), row * (cell.y + apart));
            let inside = (cell - sheet.size) / 2.0;
            all.put(sheet, corner + inside);
        }
        all
    }

    /// The same in the frame of a group.
    fn framed(self, id: GroupId) -> Self {
        let mut framed = Self::default();
        let size = self.size + vec2(2.0 * PAD, HEAD + PAD);
        framed.put(self, vec2(PAD, HEAD));
        framed.size = size;
        let frame = Rect::from_min_size(Pos2::ZERO, size);
        framed.frames.push((id, frame));
        framed
    }
}

/// A switch with what hangs on it; or something that hangs on none, alone.
struct Cell {
    head: Sheet,
    hung: Vec<Sheet>,
}

/// Where what hangs on a switch stands.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
    /// Below and to the right, so that a cable can lead straight down.
    Corner,
}

impl Cell {
    fn sheet(self, side: Side) -> Sheet {
        if self.hung.is_empty() {
            return self.head;
        }
        let mut columns = 1;
        while columns * columns < self.hung.len() {
            columns += 1;
        }
        let hung = Sheet::tiled(self.hung, columns, NEAR / 2.0);
        let (own, other) = (self.head.size, hung.size);
        let middle = |size: Vec2| (own.x.max(other.x) - size.x) / 2.0;
        let (head, below) = match side {
            Side::Below => (vec2(middle(own), 0.0), vec2(middle(other), own.y + NEAR)),
            Side::Above => (vec2(middle(own), other.y + NEAR), vec2(middle(other), 0.0)),
            Side::Corner => (Vec2::ZERO, vec2(own.x / 2.0 + NEAR, own.y + NEAR)),
        };
        let mut all = Sheet::default();
        all.put(self.head, head);
        all.put(hung, below);
        all
    }

    /// About how much of a ring it takes.
    fn extent(&self) -> f32 {
        let hung = self.hung.iter().map(|sheet| sheet.size.x * sheet.size.y);
        let size = self.head.size;
        (size.x * size.y + 1.3 * hung.sum::<f32>()).sqrt() + size.x * 0.6 + APART
    }
}

/// Lays a fabric without levels out.
pub(super) fn plan_web(view: &TopologyView, seen: &Seen<'_>, whole: &GroupView) -> Plan {
    let web = Web::new(view, seen);
    let sheet = web.sheet(whole.id);
    let mut plan = Plan {
        places: sheet.places.into_iter().collect(),
        frames: sheet.frames.into_iter().collect(),
        ..Plan::default()
    };
    plan.bounds = plan.around();
    plan
}

struct Web<'a> {
    view: &'a TopologyView,
    seen: &'a Seen<'a>,
    /// The group that a device or a group lies in.
    parents: BTreeMap<Part, GroupId>,
    /// By device, where it stands.
    levels: BTreeMap<Part, Level>,
}

impl<'a> Web<'a> {
    fn new(view: &'a TopologyView, seen: &'a Seen<'a>) -> Self {
        let devices = view.devices.iter();
        let devices = devices.map(|device| (device.part, device.parent));
        let groups = view.groups.iter();
        let groups = groups.filter_map(|group| Some((Part::Group(group.id), group.parent?)));
        Self {
            view,
            seen,
            parents: devices.chain(groups).collect(),
            levels: (view.devices.iter())
                .map(|device| (device.part, device.level))
                .collect(),
        }
    }

    fn is_switch(&self, part: Part) -> bool {
        self.levels
            .get(&part)
            .is_some_and(|level| Level::Leaf <= *level)
    }

    /// The part of a group, seen or open, that another part is or lies in.
    fn within(&self, group: GroupId, mut part: Part) -> Option<Part> {
        loop {
            let parent = *self.parents.get(&part)?;
            if parent == group {
                return Some(part);
            }
            part = Part::Group(parent);
        }
    }

    /// The first switch of a group that each of its other parts hangs on.
    fn hangs_on(&self, group: GroupId) -> BTreeMap<Part, Part> {
        let mut found = BTreeMap::new();
        for cable in &self.view.cables {
            let [a, b] = cable.ends;
            for (switch, other) in [(a, b), (b, a)] {
                if !self.is_switch(switch) || self.parents.get(&switch) != Some(&group) {
                    continue;
                }
                if let Some(part) = self
                    .within(group, other)
                    .filter(|part| !self.is_switch(*part))
                {
                    found.entry(part).or_insert(switch);
                }
            }
        }
        found
    }

    /// Everything in an open group.
    fn sheet(&self, id: GroupId) -> Sheet {
        let hangs_on = self.hangs_on(id);
        let devices = self.seen.devices.get(&id).into_iter().flatten();
        let (switches, others): (Vec<Part>, Vec<Part>) = devices
            .map(|device| device.part)
            .partition(|part| self.is_switch(*part));
        let mut cells: BTreeMap<Part, Cell> = BTreeMap::new();
        let mut order: Vec<Part> = switches;
        for switch in &order {
            cells.insert(*switch, self.cell(*switch));
        }
        let inside = self.seen.inside.get(&id).into_iter().flatten();
        let inside = inside.map(|group| Part::Group(group.id));
        for part in others.into_iter().chain(inside) {
            let switch = hangs_on.get(&part).and_then(|switch| cells.get_mut(switch));
            if let Some(cell) = switch {
                cell.hung.push(self.cell(part).head);
            } else {
                order.push(part);
                cells.insert(part, self.cell(part));
            }
        }
        let cells: Vec<Cell> = order.iter().filter_map(|part| cells.remove(part)).collect();
        let sheet = match self.view.shape {
            Shape::Grid(sizes) if id == GroupId::Whole && is_grid(sizes, cells.len()) => {
                grid(cells, sizes)
            }
            _ => ring(cells),
        };
        if id == GroupId::Whole {
            sheet
        } else {
            sheet.framed(id)
        }
    }

    /// A device, a box or an open group, with nothing on it.
    fn cell(&self, part: Part) -> Cell {
        let head = match part {
            Part::Group(id) => {
                let mut groups = self.view.groups.iter();
                let is_open = groups.any(|group| group.id == id && group.is_open);
                match id {
                    GroupId::Node(_) if is_open => Sheet::of_plan(of_node(self.seen, id)),
                    _ if is_open => self.sheet(id),
                    _ => Sheet::of(part, size_of_group(id)),
                }
            }
            part => {
                let level = self.levels.get(&part).copied().unwrap_or(Level::Gpu);
                Sheet::of(part, size_of_device(level))
            }
        };
        Cell {
            head,
            hung: Vec::new(),
        }
    }
}

/// Whether a torus has more than one dimension and every router of it is there; a single ring is
/// drawn as one.
fn is_grid(sizes: [u32; 3], n: usize) -> bool {
    let routers: usize = sizes.iter().map(|size| *size as usize).product();
    let long = sizes.iter().filter(|size| 1 < **size).count();
    1 < long && routers <= n
}

/// A router for each place of a grid; what comes after the routers stands below.
fn grid(mut cells: Vec<Cell>, sizes: [u32; 3]) -> Sheet {
    let [nx, ny, nz] = sizes.map(|size| size as usize);
    let rest = cells.split_off((nx * ny * nz).min(cells.len()));
    let sheets: Vec<Sheet> = cells
        .into_iter()
        .map(|cell| cell.sheet(Side::Corner))
        .collect();
    let (mut wide, mut high) = (vec![0.0_f32; nx], vec![0.0_f32; ny]);
    for (at, sheet) in sheets.iter().enumerate() {
        let (x, y) = (at % nx, at / nx % ny);
        wide[x] = wide[x].max(sheet.size.x);
        high[y] = high[y].max(sheet.size.y);
    }
    let before = |sizes: &[f32], at: usize| sizes[..at].iter().map(|one| one + APART).sum::<f32>();
    let plane = vec2(before(&wide, nx), before(&high, ny)) + Vec2::splat(PLANES);
    let columns = columns(nz, plane);
    let mut all = Sheet::default();
    for (at, sheet) in sheets.into_iter().enumerate() {
        let (x, y, z) = (at % nx, at / nx % ny, at / (nx * ny));
        let corner = vec2(
            (z % columns) as f32 * plane.x,
            (z / columns) as f32 * plane.y,
        );
        all.put(sheet, corner + vec2(before(&wide, x), before(&high, y)));
    }
    below(all, rest)
}

/// How many planes stand beside each other.
fn columns(planes: usize, plane: Vec2) -> usize {
    let unlike = |columns: usize| {
        let rows = planes.div_ceil(columns);
        let aspect = columns as f32 * plane.x / (rows as f32 * plane.y);
        (aspect / PLANES_ASPECT).ln().abs()
    };
    let all = 1..=planes.max(1);
    all.min_by(|a, b| unlike(*a).total_cmp(&unlike(*b)))
        .unwrap_or(1)
}

/// Adds what has no place below everything.
fn below(mut all: Sheet, rest: Vec<Cell>) -> Sheet {
    if rest.is_empty() {
        return all;
    }
    let rest: Vec<Sheet> = rest
        .into_iter()
        .map(|cell| cell.sheet(Side::Below))
        .collect();
    let widest = rest.iter().map(|sheet| sheet.size.x).fold(1.0, f32::max) + NEAR;
    let mut columns = 1;
    while (columns + 1) as f32 * widest < all.size.x {
        columns += 1;
    }
    let rest = Sheet::tiled(rest, columns, NEAR);
    let top = all.size.y + APART;
    all.put(rest, vec2(0.0, top));
    all
}

/// On an ellipse, from the top, as wide as it must be so that nothing lies on another.
fn ring(cells: Vec<Cell>) -> Sheet {
    let extents: Vec<f32> = cells.iter().map(Cell::extent).collect();
    let whole: f32 = extents.iter().sum();
    let mut before = 0.0;
    let mut placed: Vec<(Vec2, Sheet)> = Vec::new();
    for (cell, extent) in cells.into_iter().zip(extents) {
        let angle = (before + extent / 2.0) / whole.max(1.0) * TAU - FRAC_PI_2;
        before += extent;
        let toward = vec2(angle.cos() * ASPECT, angle.sin());
        let side = if toward.y < 0.0 {
            Side::Above
        } else {
            Side::Below
        };
        placed.push((toward, cell.sheet(side)));
    }
    let mut radius = if placed.len() < 2 {
        0.0
    } else {
        whole / TAU / ASPECT
    };
    for _ in 0..60 {
        if !overlaps(&placed, radius) {
            break;
        }
        radius *= 1.08;
    }
    let corner = placed
        .iter()
        .fold(pos2(0.0, 0.0), |corner, (toward, sheet)| {
            corner.min((*toward * radius - sheet.size / 2.0).to_pos2())
        });
    let mut all = Sheet::default();
    for (toward, sheet) in placed {
        let at = toward * radius - sheet.size / 2.0 - corner.to_vec2();
        all.put(sheet, at);
    }
    all
}

/// Whether sheets around a middle lie on each other.
fn overlaps(placed: &[(Vec2, Sheet)], radius: f32) -> bool {
    const NEIGHBORS: usize = 100;
    let rect = |(toward, sheet): &(Vec2, Sheet)| {
        Rect::from_center_size((*toward * radius).to_pos2(), sheet.size).expand(APART / 3.0)
    };
    let rects: Vec<Rect> = placed.iter().map(rect).collect();
    rects.iter().enumerate().any(|(at, one)| {
        let others = rects[at + 1..].iter().take(NEIGHBORS);
        others.into_iter().any(|other| one.intersects(*other))
            || (at == 0 && 2 < rects.len() && one.intersects(rects[rects.len() - 1]))
    })
}
