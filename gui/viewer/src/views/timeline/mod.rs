//! The timeline with what is selected on it.
//!
//! Where a run is compared with another, both lie under each other on one cursor, and the selection
//! says of which of them it is: each span leads to its match.

mod bar;
mod below;
mod export;
mod facts;
mod play;

use std::sync::Arc;

use eframe::egui_wgpu::RenderState;
use egui::Ui;
use serde::{Deserialize, Serialize};
use session::{Ready, SpanFacts};
use timeline::{Background, Pair, PairCanvas, PairNames, Selection, TimelineCommand, TimelineView};
use units::SimTime;

use crate::command::Command as Any;
use crate::device::DeviceSink;
use crate::layout::Pane;
use crate::run::Run;
use crate::state::State;
use crate::worker::{Ask, Slot, Worker};

pub use below::{details_ui, ledger_ui};
pub use export::{figure, ledger_figure};
pub use play::advance;

/// What the timeline's panes show, beside the view of the widget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Whether the current run stands alone though there is a base.
    pub alone: bool,
    /// Whether tables take the place of drawings.
    pub as_table: bool,
}

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// What the widget says.
    Widget(TimelineCommand),
    /// Show the current run alone, or beside its base.
    Alone(bool),
    /// Show tables in place of drawings.
    AsTable(bool),
}

/// What came of matching runs.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The base and the current run, matched.
    pub pair: Option<Arc<Pair>>,
    /// What the spans of the current run are made of, with the scenario that they belong to.
    pub facts: Option<(Arc<Ready>, Arc<SpanFacts>)>,
    /// Until when the window of time could reach.
    end: Option<SimTime>,
}

/// What is kept between frames.
#[derive(Debug)]
pub struct Canvas {
    /// One run alone.
    alone: timeline::Canvas,
    /// Two runs.
    pair: PairCanvas,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            alone: timeline::Canvas::default(),
            pair: PairCanvas {
                base: timeline::Canvas::default(),
                other: timeline::Canvas::default(),
            },
        }
    }
}

impl Canvas {
    /// Draws quads on a device.
    pub fn use_device(&mut self, render: &RenderState, worker: &Worker) {
        let sink = DeviceSink::new(render);
        let canvas = || {
            let beside = worker
                .beside()
                .map(|beside| Box::new(beside) as Box<dyn Background>);
            timeline::Canvas::new(Box::new(sink), beside)
        };
        self.alone = canvas();
        self.pair = PairCanvas {
            base: canvas(),
            other: canvas(),
        };
    }
}

impl Canvas {
    /// Whether keys are meant for the timeline, and not for something that lies over it.
    pub const fn listen(&mut self, listens: bool) {
        self.alone.listen(listens);
        self.pair.base.listen(listens);
        self.pair.other.listen(listens);
    }
}

/// The runs that are matched, where they are shown beside each other.
pub fn shown_pair(state: &State) -> Option<&Arc<Pair>> {
    let pair = state.results.timeline.pair.as_ref()?;
    (!state.view.now().panes.alone).then_some(pair)
}

/// Draws the timeline.
pub fn timeline_ui(ui: &mut Ui, state: &State, canvas: &mut Canvas) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::empty_ui(ui, "No run yet", "Run the scenario to see its timeline.");
        return Vec::new();
    };
    let view = &state.view.now().timeline;
    let mut commands = bar::bar_ui(ui, state, run);
    let from_widget = match (shown_pair(state), &state.results.base) {
        _ if state.view.now().panes.as_table => timeline::table_ui(ui, &run.timeline, view),
        (Some(pair), Some(base)) => {
            let names = PairNames {
                base: &format!("Base: {}", base.caption.scenario),
                other: &format!("Now: {}", run.caption.scenario),
            };
            timeline::compare_ui(ui, pair, view, &mut canvas.pair, names)
        }
        _ => timeline::timeline_ui(ui, &run.timeline, view, &mut canvas.alone),
    };
    commands.extend(wrapped(from_widget));
    commands
}

fn wrapped(commands: Vec<TimelineCommand>) -> Vec<Any> {
    let wrap = |command| Any::Timeline(Command::Widget(command));
    commands.into_iter().map(wrap).collect()
}

/// Selects the longest span of the critical path, where there is one.
pub fn select_longest(state: &State) -> Option<Any> {
    let timeline = &state.results.current.as_ref()?.timeline;
    let spans = timeline.path().segments.iter();
    let spans = spans.filter_map(|segment| Some((segment.span, timeline.span(segment.span)?)));
    let longest = spans.max_by_key(|(_, span)| span.end.as_picos() - span.start.as_picos());
    let select = TimelineCommand::Select(Selection::Span(longest?.0));
    wrapped(vec![select]).pop()
}

/// How an undo of views treats a command.
enum Entry {
    /// It is an entry.
    Own,
    /// Those in a row are one entry.
    Within(u64),
    /// It is none.
    None,
}

const fn entry(command: &TimelineCommand) -> Entry {
    use TimelineCommand as C;
    match command {
        C::Look(_) | C::Zoom { .. } | C::Pan(_) => Entry::Within(10),
        C::Scroll(_) | C::Playhead(_) | C::Search(_) | C::Filter(_) => Entry::None,
        C::RowHeight(_) => Entry::Within(11),
        _ => Entry::Own,
    }
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::Alone(alone) => {
            let change = |view: &mut crate::view::View| view.panes.alone = alone;
            turn(state, change);
        }
        Command::AsTable(table) => state.look(|view| view.panes.as_table = table),
        Command::Widget(TimelineCommand::TogglePlay) => {
            state.playing = !state.playing && state.results.current.is_some();
        }
        Command::Widget(command) => widget(state, &command),
    }
}

fn widget(state: &mut State, command: &TimelineCommand) {
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    let pair = shown_pair(state).map(Arc::clone);
    let change = |view: &mut crate::view::View| {
        match &pair {
            Some(pair) => pair.apply(&mut view.timeline, command),
            None => view.timeline.apply(&run.timeline, command),
        }
        // Who clicks a span wants to know about it.
        if let TimelineCommand::Select(Selection::Span(_) | Selection::Other(_)) = command {
            view.layout.raise(Pane::Details);
        }
    };
    match entry(command) {
        Entry::Own => state.look(change),
        Entry::Within(gesture) => state.look_within(gesture, change),
        Entry::None => state.glance(change),
    }
}

/// Changes which run the selection belongs to: it follows to its match.
fn turn(state: &mut State, change: impl FnOnce(&mut crate::view::View)) {
    let was = shown_pair(state).is_some();
    let pair = state.results.timeline.pair.as_ref().map(Arc::clone);
    state.look(change);
    let is = shown_pair(state).is_some();
    let (Some(pair), true) = (pair, was != is) else {
        return;
    };
    fit(state);
    state.glance(|view| {
        let pinned = view.timeline.pinned.iter();
        if is {
            let selection = view.timeline.selection.clone();
            view.timeline.pinned = pinned.filter_map(|key| pair.base_track(*key)).collect();
            view.timeline.selection = Pair::selection_of_other(selection);
        } else {
            let of_other = pair.view_of_other(&view.timeline);
            view.timeline.pinned = of_other.pinned;
            view.timeline.selection = of_other.selection;
        }
    });
}

/// What is shown may end at another moment than before: a whole window stays whole, and nothing lies
/// beyond the end.
fn fit(state: &mut State) {
    let pair = shown_pair(state).map(|pair| pair.end());
    let run = state.results.current.as_ref();
    let Some(end) = pair.or_else(|| run.map(|run| run.timeline.end())) else {
        return;
    };
    let before = state.results.timeline.end.replace(end);
    if before != Some(end) {
        state.glance(|view| view.timeline.move_to(before, end));
    }
}

/// The run that is shown or its base has changed: the first run of a document is shown whole, and two
/// runs are matched.
pub fn ran(state: &mut State) {
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    facts::gather(state, &run);
    let fresh = TimelineView::default();
    if state.view.now().timeline == fresh {
        state.glance(|view| view.timeline = TimelineView::of(&run.timeline));
    }
    let same = |one: &Arc<Run>| Arc::ptr_eq(one, &run);
    let base = state.results.base.as_ref().filter(|base| !same(base));
    let is_matched = state.results.timeline.pair.as_ref().is_some_and(|pair| {
        base.is_some_and(|base| {
            Arc::ptr_eq(pair.base(), &base.timeline) && Arc::ptr_eq(pair.other(), &run.timeline)
        })
    });
    if is_matched {
        return;
    }
    let base = base.map(|base| Arc::clone(&base.timeline));
    state.results.timeline.pair = None;
    if base.is_none() {
        fit(state);
    }
    // A span of another run is another span.
    let selection = &state.view.now().timeline.selection;
    if matches!(selection, Selection::Span(_) | Selection::Other(_)) {
        let keeps = state.results.base.as_ref().is_some_and(same);
        if !keeps {
            state.glance(|view| view.timeline.selection = Selection::None);
        }
    }
    if let Some(base) = base {
        let other = Arc::clone(&run.timeline);
        state.asks.push(Ask::new(
            Slot::Match,
            "Matching two runs",
            move |_| Arc::new(Pair::new(base, other)),
            |state, pair| {
                state.results.timeline.pair = Some(pair);
                fit(state);
            },
        ));
    }
}
