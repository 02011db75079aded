//! Tables: the fullest links, and everything that the graph shows.

use std::ops::Range;

use chart::{Cell, Column, Row, Sort, Table, TableCommand, TableView, Unit, table_ui};
use egui::Ui;
use serde::{Deserialize, Serialize};
use session::{GroupId, Part};
use units::{LinkId, SimTime};

use super::Command;
use super::scene::{Fill, Scene};

/// Rows of the hot links at most.
const HOT: usize = 100;

/// Which table stands beside the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// The fullest links.
    #[default]
    Hot,
    /// The cables of the graph.
    Cables,
    /// The devices and groups of the graph.
    Devices,
}

impl Tab {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Hot, Self::Cables, Self::Devices];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hot => "Hot links",
            Self::Cables => "All cables",
            Self::Devices => "Devices",
        }
    }
}

/// By what a table is sorted; kept with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which column.
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        Self {
            column: sort.column,
            descending: sort.descending,
        }
    }
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        Self {
            column: order.column,
            descending: order.descending,
        }
    }
}

/// What a table is made from.
pub(super) struct Tables<'a> {
    pub(super) scene: &'a Scene,
    pub(super) fill: &'a Fill,
    pub(super) playhead: Option<SimTime>,
    pub(super) order: Option<Order>,
    pub(super) selected: Option<LinkId>,
    /// The selected device or group, by its name.
    pub(super) part: Option<&'a str>,
    /// What tells it from another one; empty where it is alone.
    pub(super) of: &'a str,
    pub(super) height: f32,
}

impl Tables<'_> {
    /// Draws a table.
    pub(super) fn table_ui(&self, ui: &mut Ui, tab: Tab) -> Vec<Command> {
        let mut table = match tab {
            Tab::Hot => hot_of(self.scene, self.playhead, self.fill),
            Tab::Cables => self.cables(),
            Tab::Devices => self.devices(),
        };
        if !self.of.is_empty() {
            table.name = format!("{}, {}", table.name, self.of);
        }
        let sort: Option<Sort> = self.order.map(Sort::from);
        let sort = sort.filter(|sort| sort.column < table.columns.len());
        if let Some(sort) = sort {
            table.sort(sort);
        }
        let view = TableView {
            height: Some(self.height),
            selected: self.selected_row(tab),
            hovered: None,
            sort,
        };
        // How far it is scrolled belongs to the run.
        let side = &self.scene.side;
        let of = (&side.name, &side.engine, side.end.as_picos());
        let commands = ui.push_id(of, |ui| table_ui(ui, &table, &view)).inner;
        commands
            .into_iter()
            .filter_map(|command| self.command(tab, command))
            .collect()
    }

    fn selected_row(&self, tab: Tab) -> Option<u64> {
        if tab == Tab::Devices {
            let view = &self.scene.graph.view;
            let groups = view.groups.iter().map(|group| &group.name);
            let devices = view.devices.iter().map(|device| &device.name);
            let at = groups
                .chain(devices)
                .position(|name| Some(name.as_str()) == self.part)?;
            return Some(at as u64);
        }
        let link = self.selected?;
        match tab {
            Tab::Hot => self
                .scene
                .side
                .loads
                .class_of(link)
                .map(|class| class as u64),
            Tab::Cables => {
                let (cable, direction) = self.scene.graph.cable_of(link)?;
                Some(2 * cable as u64 + direction as u64)
            }
            Tab::Devices => None,
        }
    }

    fn command(&self, tab: Tab, command: TableCommand) -> Option<Command> {
        let row = match command {
            TableCommand::Sort(sort) => return Some(Command::Sort(sort.into())),
            TableCommand::Hover(_) => return None,
            TableCommand::Select(row) | TableCommand::Open(row) => row,
        };
        let opens = matches!(command, TableCommand::Open(_));
        let at = usize::try_from(row).ok()?;
        match tab {
            Tab::Hot => {
                let class = self.scene.side.loads.classes.get(at)?;
                Some(Command::Select(class.members.first().copied()))
            }
            Tab::Cables => {
                let link = self.scene.link(at / 2, at % 2, &self.fill.now);
                Some(Command::Select(link))
            }
            Tab::Devices => {
                let view = &self.scene.graph.view;
                let name = match view.groups.get(at) {
                    Some(group) if opens => return Some(Command::Toggle(group.id)),
                    Some(group) => &group.name,
                    None => &view.devices.get(at - view.groups.len())?.name,
                };
                Some(Command::Inspect(Some(name.clone())))
            }
        }
    }

    /// Every direction of every cable.
    pub(super) fn cables(&self) -> Table {
        let mut table = Table::new(
            "Cables of the graph",
            vec![
                Column::text("From and to"),
                Column::number("Links", Unit::Count),
                Column::number("Fullest", Unit::Share),
                Column::number("Mean", Unit::Share),
                Column::number("Rate", Unit::BytesPerSec),
                Column::text("State"),
            ],
        );
        let shares = &self.fill.now;
        for (at, cable) in self.scene.graph.view.cables.iter().enumerate() {
            for direction in [0, 1] {
                let fullest = self.scene.load(at, direction, shares);
                let mean = fullest.map(|_| self.scene.mean(at, direction, shares));
                let state = match fullest {
                    _ if cable.is_down => "down",
                    Some(fullest) => super::scene::word(fullest),
                    None => "not modelled",
                };
                table.rows.push(Row::new(
                    2 * at as u64 + direction as u64,
                    vec![
                        self.scene.graph.way(at, direction).into(),
                        Cell::Number(cable.links[direction].len() as f64),
                        fullest.into(),
                        mean.into(),
                        Cell::Number(cable.rate.as_f64()),
                        state.into(),
                    ],
                ));
            }
        }
        table
    }

    /// Groups, then devices; the id of a group is its place.
    fn devices(&self) -> Table {
        let view = &self.scene.graph.view;
        let mut table = Table::new(
            "Devices of the graph",
            vec![
                Column::text("Name"),
                Column::text("What"),
                Column::text("In"),
                Column::text("State"),
            ],
        );
        let name = |group: GroupId| self.scene.graph.name(Part::Group(group)).to_owned();
        for (at, group) in view.groups.iter().enumerate() {
            let state = if group.is_open { "open" } else { "folded" };
            let parent = group.parent.map_or(String::new(), name);
            let what = super::boxes::counts(group);
            let cells = vec![
                group.name.clone().into(),
                what.into(),
                parent.into(),
                state.into(),
            ];
            table.rows.push(Row::new(at as u64, cells));
        }
        for (at, device) in view.devices.iter().enumerate() {
            let what = device
                .kind
                .clone()
                .unwrap_or_else(|| device.level.name().to_owned());
            let state = if (device.speed - 1.0).abs() < 1e-9 {
                String::new()
            } else {
                format!("speed {}", look::number::percent(device.speed))
            };
            let cells = vec![
                device.name.clone().into(),
                what.into(),
                name(device.parent).into(),
                state.into(),
            ];
            table
                .rows
                .push(Row::new((view.groups.len() + at) as u64, cells));
        }
        table
    }
}

/// The links that are fullest over a window, with what they carry: at the playhead and on average.
/// The id of a row is its class.
pub fn hot(scene: &Scene, playhead: Option<SimTime>, window: &Range<SimTime>) -> Table {
    hot_of(scene, playhead, &scene.fill(playhead, window))
}

fn hot_of(scene: &Scene, playhead: Option<SimTime>, fill: &Fill) -> Table {
    let shares = [
        playhead.map(|_| Column::number("Now", Unit::Share)),
        Some(Column::number("Mean", Unit::Share)),
    ];
    let mut columns = vec![Column::text("Link")];
    columns.extend(shares.into_iter().flatten());
    columns.push(Column::text("For"));
    let mut table = Table::new("Hot links", columns);
    let loads = &scene.side.loads;
    for (at, share) in loads.fullest_of(&fill.mean, HOT) {
        let class = &loads.classes[at];
        let like = match class.members.len() {
            0 | 1 => String::new(),
            n => format!(" +{}", n - 1),
        };
        let what = playhead.map_or_else(Vec::new, |time| class.what_at(time));
        let what: Vec<&str> = if what.is_empty() {
            class.kinds.iter().map(|kind| kind.what.as_str()).collect()
        } else {
            what.into_iter().map(|(what, _)| what).collect()
        };
        let mut cells: Vec<Cell> = vec![format!("{} {}{like}", class.name, class.direction).into()];
        cells.extend(playhead.map(|_| Cell::from(fill.now.get(at).copied())));
        cells.push(Cell::Number(share.min(1.0)));
        cells.push(what.join(", ").into());
        table.rows.push(Row::new(at as u64, cells));
    }
    table
}
