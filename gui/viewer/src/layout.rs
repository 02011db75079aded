//! Where the panes are.

use egui::Id;
use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

/// A part of the window with a subject of its own.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// The scenario and its errors.
    Scenario,
    /// What happened when.
    #[default]
    Timeline,
    /// The cluster and the load of its links.
    Topology,
    /// The search for plans.
    Planner,
    /// Peaks and levels of memory.
    Memory,
    /// Predicted beside measured.
    Accuracy,
    /// Sliders.
    WhatIf,
    /// What is selected.
    Details,
    /// The critical path in seconds by cause.
    Ledger,
}

impl Pane {
    /// Every pane.
    pub const ALL: [Self; 9] = [
        Self::Scenario,
        Self::Timeline,
        Self::Topology,
        Self::Planner,
        Self::Memory,
        Self::Accuracy,
        Self::WhatIf,
        Self::Details,
        Self::Ledger,
    ];

    /// Whether it shows what came of a run.
    pub const fn shows_run(self) -> bool {
        matches!(
            self,
            Self::Timeline | Self::Topology | Self::Memory | Self::Details | Self::Ledger
        )
    }

    /// What its tab says.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Scenario => "Scenario",
            Self::Timeline => "Timeline",
            Self::Topology => "Topology",
            Self::Planner => "Planner",
            Self::Memory => "Memory",
            Self::Accuracy => "Accuracy",
            Self::WhatIf => "What if",
            Self::Details => "Details",
            Self::Ledger => "Critical path",
        }
    }
}

/// Where the panes are: nested rows, columns and tabs.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Layout(pub Tree<Pane>);

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layout({} tiles)", self.0.tiles.len())
    }
}

impl Default for Layout {
    /// The scenario to the left, results in tabs, what is selected below them.
    fn default() -> Self {
        let mut tiles = Tiles::default();
        let mut tabs = |panes: &[Pane]| {
            let children: Vec<TileId> = panes.iter().map(|pane| tiles.insert_pane(*pane)).collect();
            tiles.insert_tab_tile(children)
        };
        let left = tabs(&[Pane::Scenario, Pane::WhatIf]);
        let results = tabs(&[
            Pane::Timeline,
            Pane::Topology,
            Pane::Planner,
            Pane::Memory,
            Pane::Accuracy,
        ]);
        let below = tabs(&[Pane::Ledger, Pane::Details]);
        let right = shared(
            &mut tiles,
            LinearDir::Vertical,
            &[(results, 0.7), (below, 0.3)],
        );
        let root = shared(
            &mut tiles,
            LinearDir::Horizontal,
            &[(left, 0.27), (right, 0.73)],
        );
        Self(Tree::new(Id::unique("panes"), root, tiles))
    }
}

fn shared(tiles: &mut Tiles<Pane>, dir: LinearDir, children: &[(TileId, f32)]) -> TileId {
    let ids = children.iter().map(|(id, _)| *id).collect();
    let mut linear = Linear::new(dir, ids);
    for (id, share) in children {
        linear.shares.set_share(*id, *share);
    }
    tiles.insert_new(Tile::Container(Container::Linear(linear)))
}

impl Layout {
    /// Brings a pane to the front of its tabs; puts it back where it was closed.
    pub fn show(&mut self, pane: Pane) {
        let found = self.0.tiles.find_pane(&pane);
        if let Some(id) = found {
            self.0.set_visible(id, true);
            self.0.make_active(|other, _| other == id);
            return;
        }
        *self = Self::default();
        if let Some(id) = self.0.tiles.find_pane(&pane) {
            self.0.make_active(|other, _| other == id);
        }
    }

    /// Brings a pane to the front of its tabs, where it is in the layout.
    pub fn raise(&mut self, pane: Pane) {
        if let Some(id) = self.0.tiles.find_pane(&pane) {
            self.0.make_active(|other, _| other == id);
        }
    }

    /// All panes as tabs, for a window without room for several beside each other.
    pub fn tabs(front: Pane) -> Self {
        let mut layout = Self(Tree::new_tabs(Id::unique("panes"), Pane::ALL.to_vec()));
        layout.raise(front);
        layout
    }

    /// The pane that is in front, where all are tabs.
    pub fn active(&self) -> Option<Pane> {
        let active = self.0.active_tiles().into_iter();
        let mut panes = active.filter_map(|id| self.0.tiles.get_pane(&id));
        panes.next().copied()
    }

    /// Whether a pane is seen: it is in front of its tabs.
    pub fn shows(&self, pane: Pane) -> bool {
        let active = self.0.active_tiles().into_iter();
        let mut panes = active.filter_map(|id| self.0.tiles.get_pane(&id));
        panes.any(|other| *other == pane)
    }

    /// Only one pane, which fills the window.
    pub fn only(pane: Pane) -> Self {
        Self(Tree::new_tabs(Id::unique("panes"), vec![pane]))
    }

    /// Whether every pane is there once: a layout from a file may lack some.
    pub fn is_whole(&self) -> bool {
        Pane::ALL
            .iter()
            .all(|pane| self.0.tiles.find_pane(pane).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_layout_has_every_pane() {
        assert!(Layout::default().is_whole());
        assert!(!Layout::only(Pane::Memory).is_whole());
    }

    #[test]
    fn a_pane_that_is_not_there_comes_back() {
        let mut layout = Layout::only(Pane::Memory);
        layout.show(Pane::Topology);
        assert!(layout.is_whole());
    }

    #[test]
    fn tabs_have_one_in_front() {
        for pane in Pane::ALL {
            let layout = Layout::tabs(pane);
            assert!(layout.is_whole());
            assert_eq!(layout.active(), Some(pane));
        }
    }

    #[test]
    fn a_layout_survives_a_file() {
        let text = serde_json::to_string(&Layout::default()).unwrap();
        let back: Layout = serde_json::from_str(&text).unwrap();
        assert!(back == Layout::default());
    }
}
