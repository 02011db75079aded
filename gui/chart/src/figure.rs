//! Figures as plain data.

use std::collections::BTreeSet;

use crate::bars::{Bars, Direction, Grouping};
use crate::diagram::Diagram;
use crate::gantt::Gantt;
use crate::parallel::Parallel;
use crate::xy::{Layer, Xy};

/// What a figure shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// Above it; empty for none.
    pub title: String,
    /// What each mark stands for, in the singular, such as "plan".
    pub noun: String,
    /// What the numbers come from; printed under every export.
    pub caption: Caption,
    /// What its numbers mean and where they are from, for those who point at a mark; empty for none.
    pub about: String,
    /// The marks.
    pub content: Content,
    /// Ids that stand out; while there are any, all others are pale.
    pub highlighted: BTreeSet<u64>,
}

/// What the numbers of a figure come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// The scenario.
    pub scenario: String,
    /// The engine.
    pub engine: String,
    /// The seed of all randomness; none where nothing was drawn or nobody says.
    pub seed: Option<u64>,
    /// The version of the program.
    pub version: String,
}

impl Caption {
    /// The caption in one line; empty without a scenario.
    pub fn line(&self) -> String {
        if self.scenario.is_empty() {
            return String::new();
        }
        let Self {
            scenario,
            engine,
            seed,
            version,
        } = self;
        let seed = seed.map_or(String::new(), |seed| format!(" · seed {seed}"));
        format!("{scenario} · engine {engine}{seed} · Windtunnel {version}")
    }
}

/// The ways to lay out marks.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// On two axes.
    Xy(Xy),
    /// Bars of groups.
    Bars(Bars),
    /// On one axis for each property.
    Parallel(Parallel),
    /// Bars in rows along an axis of time.
    Gantt(Gantt),
    /// Boxes with lines between them.
    Diagram(Diagram),
}

impl Default for Content {
    fn default() -> Self {
        Self::Xy(Xy::default())
    }
}

impl From<Xy> for Content {
    fn from(xy: Xy) -> Self {
        Self::Xy(xy)
    }
}

impl From<Bars> for Content {
    fn from(bars: Bars) -> Self {
        Self::Bars(bars)
    }
}

impl From<Parallel> for Content {
    fn from(parallel: Parallel) -> Self {
        Self::Parallel(parallel)
    }
}

impl From<Gantt> for Content {
    fn from(gantt: Gantt) -> Self {
        Self::Gantt(gantt)
    }
}

impl From<Diagram> for Content {
    fn from(diagram: Diagram) -> Self {
        Self::Diagram(diagram)
    }
}

impl Figure {
    /// A figure without caption and highlights.
    pub fn new(
        title: impl Into<String>,
        noun: impl Into<String>,
        content: impl Into<Content>,
    ) -> Self {
        Self {
            title: title.into(),
            noun: noun.into(),
            content: content.into(),
            ..Self::default()
        }
    }

    /// The same with what its numbers mean and where they are from.
    #[must_use]
    pub fn explained(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// The same with its caption.
    #[must_use]
    pub fn with_caption(mut self, caption: Caption) -> Self {
        self.caption = caption;
        self
    }

    /// The size on paper in points: that of most figures, and higher where rows need it.
    pub fn paper(&self) -> egui::Vec2 {
        const WIDE: f32 = 720.0;
        const ROW: f32 = 22.0;
        const BAR: f32 = 34.0;
        match &self.content {
            Content::Gantt(gantt) => {
                let rows = gantt.rows.len() as f32 * ROW + 130.0;
                egui::vec2(1_200.0, rows.clamp(220.0, 3_000.0))
            }
            Content::Bars(bars) if bars.direction == Direction::Horizontal => {
                // Bars get no wider than that, and the rest would stay empty.
                let rows = bars.groups.len() as f32 * BAR + 110.0;
                egui::vec2(WIDE, rows.clamp(180.0, 450.0))
            }
            Content::Diagram(_) => egui::vec2(1_200.0, 760.0),
            _ => egui::vec2(WIDE, 450.0),
        }
    }

    /// The size of a picture in points: a little more than on paper, and no higher than rows fill it.
    pub fn picture(&self) -> egui::Vec2 {
        let has_rows = match &self.content {
            Content::Gantt(_) => true,
            Content::Bars(bars) => bars.direction == Direction::Horizontal,
            _ => false,
        };
        let high = if has_rows { 0.0 } else { 552.0 };
        self.paper().max(egui::vec2(912.0, high))
    }

    /// What a reader hears: the kind of the figure, its axes and how many marks it has.
    pub fn name(&self) -> String {
        let kind = match &self.content {
            Content::Xy(xy) => self.name_of_xy(xy),
            Content::Bars(bars) => self.name_of_bars(bars),
            Content::Parallel(parallel) => {
                let axes: Vec<_> = parallel
                    .axes
                    .iter()
                    .map(|axis| axis.axis.label.as_str())
                    .collect();
                let n = self.counted(parallel.lines.len());
                format!("Parallel coordinates of {}, {n}", axes.join(", "))
            }
            Content::Gantt(gantt) => {
                let rows = look::number::counted(gantt.rows.len() as u64, "row");
                format!("Bars over {} in {rows}", lower(&gantt.time.label))
            }
            Content::Diagram(diagram) => {
                let boxes = diagram.frames.len() + diagram.boxes.len();
                let boxes = look::number::counted(boxes as u64, "part");
                let n = self.counted(diagram.lines.len());
                format!("Graph of {boxes}, {n}")
            }
        };
        if self.title.is_empty() {
            return kind;
        }
        format!("{}: {kind}", self.title)
    }

    fn name_of_xy(&self, xy: &Xy) -> String {
        let (x, y) = (lower(&xy.x.label), lower(&xy.y.label));
        let points = xy.layers.iter().filter_map(|layer| match layer {
            Layer::Points(points) => Some(points.points.len()),
            _ => None,
        });
        let n: usize = points.sum();
        if 0 < n {
            return format!("Scatter of {y} against {x}, {}", self.counted(n));
        }
        let has = |kind: fn(&Layer) -> bool| xy.layers.iter().any(kind);
        if has(|layer| matches!(layer, Layer::Areas(_))) {
            format!("Stacked areas of {y} over {x}")
        } else if has(|layer| matches!(layer, Layer::Columns(_))) {
            format!("Histogram of {y} by {x}")
        } else {
            format!("Lines of {y} over {x}")
        }
    }

    fn name_of_bars(&self, bars: &Bars) -> String {
        let kind = match bars.grouping {
            Grouping::Stacked => "Stacked bars",
            Grouping::Grouped => "Bars side by side",
        };
        let n = self.counted(bars.groups.len());
        format!("{kind} of {}, {n}", lower(&bars.value.label))
    }

    fn counted(&self, n: usize) -> String {
        let noun = if self.noun.is_empty() {
            "mark"
        } else {
            &self.noun
        };
        look::number::counted(n as u64, noun)
    }

    /// Whether a mark is pale because others stand out.
    pub(crate) fn is_pale(&self, id: u64) -> bool {
        !self.highlighted.is_empty() && !self.highlighted.contains(&id)
    }
}

/// A label inside a sentence: its first letter small, unless it is an abbreviation.
fn lower(label: &str) -> String {
    let mut letters = label.chars();
    let (first, second) = (letters.next(), letters.next());
    match (first, second) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            let rest = &label[first.len_utf8()..];
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => label.to_owned(),
    }
}
