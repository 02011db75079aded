//! How the results are looked at: everything that "previous view" brings back.

use serde::{Deserialize, Serialize};
use timeline::TimelineView;

use crate::layout::{Layout, Pane};
use crate::views::{accuracy, memory, planner, scenario, timeline as panes, topology, what_if};

/// How the results are looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Where the panes are.
    pub layout: Layout,
    /// The pane in front, to which keys go.
    pub front: Pane,
    /// The scenario panel.
    pub scenario: scenario::View,
    /// Camera, selection and folds of the timeline; its playhead is everyone's.
    pub timeline: TimelineView,
    /// What the timeline's panes show beside that.
    pub panes: panes::View,
    /// The topology.
    pub topology: topology::View,
    /// The planner.
    pub planner: planner::View,
    /// The memory view.
    pub memory: memory::View,
    /// The accuracy view.
    pub accuracy: accuracy::View,
    /// The sliders.
    pub what_if: what_if::View,
}
