//! The cluster as a graph, with the load of its links at the playhead.
//!
//! ```text
//! run ── Side (loads of links) ──┐
//!                                ├── Scene ── shares at the playhead ── wires, tables, card
//! what is open ── Graph (places) ┘
//! ```
//!
//! Scenes are made on the worker, once for a run and what is open. A frame asks them how full links
//! are at one moment and draws what is seen.

mod bar;
mod boxes;
mod camera;
mod card;
mod export;
mod graph;
mod links;
mod part_card;
mod plan;
mod policies;
mod scene;
mod scrub;
mod side;
mod ways;
mod web;
mod window;
mod wires;

use std::ops::Range;
use std::sync::Arc;

use egui::{Panel, Rect, Ui};
use serde::{Deserialize, Serialize};
use session::{Extent, GroupId, Part};
use timeline::{Overlay, TimelineCommand, TrackKey};
use units::{LinkId, SimTime};

use crate::command::Command as Any;
use crate::layout::Pane;
use crate::run::{Answer, Run};
use crate::state::State;
use crate::views::timeline as timeline_view;
use crate::worker::{Ask, Slot};
use scene::Fill;

pub use camera::Camera;
pub use card::samples;
pub use export::figure;
pub use links::{Order, Tab, hot};
pub use plan::{Band, Plan, plan};
pub use policies::{Asked, Comparison, Policies, first_policies};
pub use scene::{Graph, Scene, word};
pub use side::{Fabric, RankPlace, Side};
pub use ways::Way;

/// How it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The open groups; none for those that fit.
    pub extent: Option<Extent>,
    /// What is seen; none for everything.
    pub camera: Option<Camera>,
    /// The selected link.
    pub selected: Option<LinkId>,
    /// The selected device or group, by its name.
    pub part: Option<String>,
    /// In which of two graphs something is selected, counted from 0.
    pub graph: usize,
    /// The table beside the graph.
    pub tab: Tab,
    /// How it is sorted.
    pub order: Option<Order>,
    /// The policies that are compared; none for the run alone.
    pub compare: Option<[String; 2]>,
}

/// What a person can ask of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make what is to be drawn, unless it is there.
    Prepare,
    /// Fold or unfold a group.
    Toggle(GroupId),
    /// Open what fits and fold everything else.
    FoldAll,
    /// Look at a part of the graph; none for everything.
    Look(Option<Camera>),
    /// Select a link.
    Select(Option<LinkId>),
    /// Select a device or a group, by its name.
    Inspect(Option<String>),
    /// Move the playhead; none for averages.
    Playhead(Option<SimTime>),
    /// Play or pause.
    TogglePlay,
    /// Show the lane of a link in the timeline.
    ShowLane(u32),
    /// Show a table.
    Show(Tab),
    /// Sort the table.
    Sort(Order),
    /// Compare two policies, or show the run alone.
    Compare(Option<[String; 2]>),
    /// Run both policies again after that was stopped.
    CompareAgain,
    /// Simulate with an engine that knows links.
    ChooseFlow,
    /// Do it in one of two graphs, counted from 0; the first where none is given.
    In(usize, Box<Self>),
}

/// A command of one of several graphs.
fn of_graph(at: usize, command: Command) -> Command {
    match command {
        Command::Select(_) | Command::Inspect(_) | Command::Toggle(_) if at != 0 => {
            Command::In(at, Box::new(command))
        }
        command => command,
    }
}

/// What scenes were made of.
#[derive(Clone, Debug)]
struct MadeOf {
    run: Arc<Run>,
    extent: Option<Extent>,
    policies: Option<Arc<Policies>>,
}

impl MadeOf {
    fn is(&self, other: &Self) -> bool {
        let same = match (&self.policies, &other.policies) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && Arc::ptr_eq(&self.run, &other.run) && self.extent == other.extent
    }
}

/// What came of its work.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What is drawn: one graph, or one for each policy.
    pub scenes: Vec<Scene>,
    /// The groups that are open in them.
    pub extent: Extent,
    /// Two policies.
    pub comparison: Comparison,
    /// The run's own side, which stays while groups are folded.
    side: Option<(Arc<Run>, Arc<Side>)>,
    asked: Option<MadeOf>,
}

impl Found {
    /// Whether the scenes belong to a run.
    fn is_of(&self, run: &Arc<Run>) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|of| Arc::ptr_eq(&of.run, run))
            && !self.scenes.is_empty()
    }
}

/// A moment from seconds.
fn moment(secs: f64) -> Option<SimTime> {
    SimTime::ZERO
        .after(units::Seconds::from_secs(secs.max(0.0)))
        .ok()
}

/// Draws it.
pub fn topology_ui(ui: &mut Ui, state: &State) -> Vec<Any> {
    let Some(run) = &state.results.current else {
        super::empty_ui(
            ui,
            "No run yet",
            "Run the scenario to see how full links are.",
        );
        return Vec::new();
    };
    if matches!(run.answer, Answer::File { .. }) {
        let advice = "A timeline does not hold its cluster. Open the scenario that it came from.";
        super::empty_ui(ui, "No cluster", advice);
        return Vec::new();
    }
    let mut commands = Vec::new();
    if needs(state, run) {
        commands.push(Any::Topology(Command::Prepare));
    }
    let found = &state.results.topology;
    if !found.is_of(run) {
        super::empty_ui(
            ui,
            "Laying out the cluster",
            "This takes a moment for large clusters.",
        );
        return commands;
    }
    commands.extend(panels_ui(ui, state, run));
    commands
}

fn panels_ui(ui: &mut Ui, state: &State, run: &Arc<Run>) -> Vec<Any> {
    let mut commands: Vec<Any> = Vec::new();
    let frame = egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 5));
    let shown = Shown::new(state, run);
    Panel::top("topology bar").frame(frame).show(ui, |ui| {
        commands.extend(bar::bar_ui(ui, state, &shown));
    });
    Panel::bottom("topology scrubber")
        .frame(frame)
        .show(ui, |ui| {
            let strips = shown.scenes.iter().enumerate();
            let strips = strips.map(|(at, scene)| scrub::Strip {
                name: shown.of(at),
                end: scene.side.end,
                shares: &scene.side.strip,
            });
            let scrub = scrub::Scrub {
                playhead: shown.playhead,
                window: (!shown.windows.iter().all(|one| one.is_whole))
                    .then(|| shown.window.clone()),
                mean: window::text(&shown.windows),
                end: shown.end(),
                playing: state.playing,
                strips: strips.collect(),
            };
            commands.extend(scrub::scrub_ui(ui, &scrub).into_iter().map(Any::Topology));
        });
    let (width, height) = (ui.available_width(), ui.available_height());
    let side = if width < 620.0 {
        Panel::bottom("topology links").default_size(height * 0.42)
    } else {
        Panel::right("topology links side").default_size((width * 0.38).clamp(260.0, 420.0))
    };
    side.frame(frame).resizable(true).show(ui, |ui| {
        commands.extend(side_ui(ui, &shown));
    });
    commands.extend(graphs_ui(ui, &shown).into_iter().map(Any::Topology));
    commands
}

/// What a frame shows.
struct Shown<'a> {
    view: &'a View,
    scenes: &'a [Scene],
    /// By scene.
    fills: Vec<Fill>,
    run: &'a Run,
    playhead: Option<SimTime>,
    /// What the timeline shows.
    window: Range<SimTime>,
    /// Over what averages are, by scene.
    windows: Vec<window::Window>,
}

impl<'a> Shown<'a> {
    fn new(state: &'a State, run: &'a Run) -> Self {
        let view = state.view.now();
        let playhead = view.timeline.playhead;
        let scenes = &state.results.topology.scenes;
        let windows = window::windows(state, run);
        let fills = scenes.iter().zip(&windows);
        let fills = fills.map(|(scene, window)| scene.fill(playhead, &window.time));
        Self {
            view: &view.topology,
            fills: fills.collect(),
            scenes,
            run,
            playhead,
            window: view.timeline.camera.window(),
            windows,
        }
    }

    /// The scene in which something is selected.
    fn selected(&self) -> Option<usize> {
        let last = self.scenes.len().checked_sub(1)?;
        Some(self.view.graph.min(last))
    }

    /// Whether a scene is what ran for the timeline: the run itself, or its policy run again.
    fn is_of_run(&self, at: usize) -> bool {
        let Some(name) = self.of(at) else { return true };
        let policy = self.run.draft.as_ref();
        let policy = policy.and_then(|draft| draft.value(policies::FIELD));
        policy.as_deref() == Some(name) && self.scenes[at].side.engine == self.run.caption.engine
    }

    /// The end of the longest run.
    fn end(&self) -> SimTime {
        let ends = self.scenes.iter().map(|scene| scene.side.end);
        ends.max().unwrap_or_default()
    }

    /// What tells a scene from the other one; none where it is alone.
    fn of(&self, at: usize) -> Option<&'a str> {
        (1 < self.scenes.len()).then(|| self.scenes[at].side.name.as_str())
    }
}

fn graphs_ui(ui: &mut Ui, shown: &Shown<'_>) -> Vec<Command> {
    let rect = ui.available_rect_before_wrap();
    let n = shown.scenes.len().max(1);
    let mut commands = Vec::new();
    for (at, scene) in shown.scenes.iter().enumerate() {
        let share = |place: usize| place as f32 / n as f32;
        let part = if rect.height() < rect.width() {
            let x = |place: usize| rect.left() + rect.width() * share(place);
            Rect::from_x_y_ranges(x(at)..=x(at + 1) - 1.0, rect.y_range())
        } else {
            let y = |place: usize| rect.top() + rect.height() * share(place);
            Rect::from_x_y_ranges(rect.x_range(), y(at)..=y(at + 1) - 1.0)
        };
        let view = graph::GraphView {
            of: shown.of(at),
            camera: shown.view.camera,
            selected: shown.view.selected,
            part: shown.view.part.as_deref(),
        };
        let asked = graph::graph_ui(ui, part, scene, &shown.fills[at].now, &view);
        commands.extend(asked.into_iter().map(|command| of_graph(at, command)));
        bar::title(ui, part, scene, shown.of(at).is_some());
    }
    ui.advance_cursor_after_rect(rect);
    commands
}

/// Tables and the card of what is selected.
fn side_ui(ui: &mut Ui, shown: &Shown<'_>) -> Vec<Any> {
    let mut commands = Vec::new();
    ui.horizontal_wrapped(|ui| {
        for tab in Tab::ALL {
            if ui
                .selectable_label(shown.view.tab == tab, tab.name())
                .clicked()
            {
                commands.push(Any::Topology(Command::Show(tab)));
            }
        }
    });
    let room = ui.available_height();
    let has_card = shown.view.selected.is_some() || shown.view.part.is_some();
    // The card needs the room more than the table, which scrolls.
    let for_tables = if has_card {
        (room * 0.3).clamp(96.0, 190.0)
    } else {
        room
    };
    let n = shown.scenes.len().max(1) as f32;
    for (at, scene) in shown.scenes.iter().enumerate() {
        let of = shown.of(at).unwrap_or("");
        if !of.is_empty() {
            ui.label(egui::RichText::new(of).strong());
        }
        let titles = if of.is_empty() { 0.0 } else { 26.0 };
        let tables = links::Tables {
            scene,
            fill: &shown.fills[at],
            playhead: shown.playhead,
            order: shown.view.order,
            selected: shown.view.selected,
            part: shown.view.part.as_deref(),
            of,
            height: (for_tables / n - titles - 4.0).max(70.0),
        };
        let asked = tables.table_ui(ui, shown.view.tab).into_iter();
        commands.extend(asked.map(|command| Any::Topology(of_graph(at, command))));
    }
    let Some(at) = shown.selected().filter(|_| has_card) else {
        return commands;
    };
    ui.separator();
    egui::ScrollArea::vertical()
        .id_salt("card")
        .auto_shrink(false)
        .show(ui, |ui| commands.extend(cards_ui(ui, shown, at)));
    commands
}

/// The card of the selected link, device or group, of one of the scenes.
fn cards_ui(ui: &mut Ui, shown: &Shown<'_>, at: usize) -> Vec<Any> {
    let scene = &shown.scenes[at];
    if let Some(link) = shown.view.selected {
        let others = shown.scenes.iter().zip(&shown.fills).enumerate();
        let others = others.filter(|(other, _)| *other != at);
        let card = card::Card {
            scene,
            of: shown.of(at),
            others: others
                .map(|(_, (other, fill))| (&*other.side, &*fill.now))
                .collect(),
            link,
            playhead: shown.playhead,
            window: &shown.windows[at].time,
            caption: export::caption(shown.run, shown.scenes.get(at..=at).unwrap_or(&[])),
            trace: shown.is_of_run(at).then_some(&*shown.run.trace),
        };
        return card::card_ui(ui, &card);
    }
    let Some(name) = &shown.view.part else {
        return Vec::new();
    };
    let of = shown.of(at);
    let commands = part_card::card_ui(ui, scene, of, &shown.fills[at].now, name).into_iter();
    commands
        .map(|command| Any::Topology(of_graph(at, command)))
        .collect()
}

/// What is to be drawn now.
fn wanted(state: &State, run: &Arc<Run>) -> MadeOf {
    let view = &state.view.now().topology;
    let asked = asked_policies(state, run);
    let policies = state.results.topology.comparison.done();
    MadeOf {
        run: Arc::clone(run),
        extent: view.extent.clone(),
        policies: policies
            .filter(|policies| asked.as_ref() == Some(&policies.asked))
            .map(Arc::clone),
    }
}

fn asked_policies(state: &State, run: &Run) -> Option<Asked> {
    let names = state.view.now().topology.compare.clone()?;
    let draft = run.draft.clone()?;
    Some(Asked { draft, names })
}

/// Whether something is to be made that nobody has asked for.
fn needs(state: &State, run: &Arc<Run>) -> bool {
    let found = &state.results.topology;
    let wanted = wanted(state, run);
    let compares = asked_policies(state, run);
    let scenes = found.asked.as_ref().is_none_or(|asked| !asked.is(&wanted));
    scenes || (compares.is_some() && found.comparison.asked() != compares.as_ref())
}

fn prepare(state: &mut State) {
    let Some(run) = state.results.current.as_ref().map(Arc::clone) else {
        return;
    };
    if let Some(asked) = asked_policies(state, &run) {
        policies::compare(state, asked, false);
    }
    let of = wanted(state, &run);
    let found = &mut state.results.topology;
    if found.asked.as_ref().is_some_and(|asked| asked.is(&of)) {
        return;
    }
    found.asked = Some(of.clone());
    let known = found.side.as_ref().filter(|(of, _)| Arc::ptr_eq(of, &run));
    let known = known.map(|(_, side)| Arc::clone(side));
    state.asks.push(Ask::new(
        Slot::Graph,
        "Laying out the cluster",
        move |_| made(of, known),
        |state, made| {
            let found = &mut state.results.topology;
            let Some(made) = made else { return };
            // Meanwhile something else may be wanted, which comes next.
            if found.asked.as_ref().is_some_and(|asked| asked.is(&made.of)) {
                found.side = Some((made.of.run, made.side));
                found.scenes = made.scenes;
                found.extent = made.extent;
            }
        },
    ));
}

struct Made {
    of: MadeOf,
    side: Arc<Side>,
    scenes: Vec<Scene>,
    extent: Extent,
}

fn made(of: MadeOf, known: Option<Arc<Side>>) -> Option<Made> {
    let side = known.or_else(|| Side::of_run(&of.run).map(Arc::new))?;
    let extent = of.extent.clone().unwrap_or_else(|| side.fabric.extent());
    let graph = Arc::new(Graph::new(&side.fabric, &extent));
    let scene = |side: &Arc<Side>| Scene::new(Arc::clone(&graph), Arc::clone(side));
    let scenes = match &of.policies {
        Some(policies) => policies.sides.iter().map(scene).collect(),
        None => vec![scene(&side)],
    };
    Some(Made {
        of,
        side,
        scenes,
        extent,
    })
}

/// Does what a command says.
pub fn apply(state: &mut State, command: Command) {
    match command {
        Command::In(graph, command) => apply_in(state, graph, *command),
        command => apply_in(state, 0, command),
    }
}

/// The same in one of two graphs.
fn apply_in(state: &mut State, graph: usize, command: Command) {
    match command {
        Command::Prepare => prepare(state),
        Command::Toggle(group) => {
            // What is drawn may be of what was open before.
            let chosen = state.view.now().topology.extent.clone();
            let extent = chosen.unwrap_or_else(|| state.results.topology.extent.clone());
            let extent = extent.toggled(group);
            let scenes = &state.results.topology.scenes;
            let name = scenes
                .first()
                .map(|scene| scene.graph.name(Part::Group(group)));
            let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
            state.look(|view| {
                view.topology.extent = Some(extent);
                view.topology.selected = None;
                view.topology.part = name;
                view.topology.graph = graph;
            });
        }
        Command::FoldAll => state.look(|view| {
            view.topology.extent = None;
            view.topology.camera = None;
        }),
        Command::Look(camera) => state.look_within(20, |view| view.topology.camera = camera),
        Command::Select(link) => state.look(|view| {
            view.topology.selected = link;
            view.topology.part = None;
            view.topology.graph = graph;
        }),
        Command::Inspect(part) => state.look(|view| {
            view.topology.selected = None;
            view.topology.part = part;
            view.topology.graph = graph;
        }),
        Command::Playhead(time) => state.glance(|view| view.timeline.playhead = time),
        Command::TogglePlay => {
            let toggle = timeline_view::Command::Widget(TimelineCommand::TogglePlay);
            timeline_view::apply(state, toggle);
        }
        Command::ShowLane(link) => show_lane(state, link),
        Command::Show(tab) => state.glance(|view| {
            view.topology.tab = tab;
            view.topology.order = None;
        }),
        Command::Sort(order) => state.glance(|view| view.topology.order = Some(order)),
        Command::Compare(names) => state.look(|view| view.topology.compare = names),
        Command::CompareAgain => {
            let run = state.results.current.as_ref().map(Arc::clone);
            if let Some(asked) = run.and_then(|run| asked_policies(state, &run)) {
                policies::compare(state, asked, true);
            }
        }
        Command::ChooseFlow => choose_flow(state),
        Command::In(graph, command) => apply_in(state, graph, *command),
    }
}

/// Pins the lane of a link of the current run in the timeline and brings it to the front.
fn show_lane(state: &mut State, link: u32) {
    let mut key = TrackKey::Link { link };
    if let Some(pair) = timeline_view::shown_pair(state).map(Arc::clone) {
        // Of two runs the view is that of the base, whose links have other places.
        match pair.base_track(key) {
            Some(of_base) => key = of_base,
            None => timeline_view::apply(state, timeline_view::Command::Alone(true)),
        }
    }
    let mut commands = Vec::new();
    let view = &state.view.now().timeline;
    if !view.pinned.contains(&key) {
        commands.push(TimelineCommand::TogglePin(key));
    }
    if !view.shows(Overlay::Links) {
        commands.push(TimelineCommand::Toggle(Overlay::Links));
    }
    state.apply(Any::Show(Pane::Timeline));
    for command in commands {
        timeline_view::apply(state, timeline_view::Command::Widget(command));
    }
}

fn choose_flow(state: &mut State) {
    let Some(draft) = state.draft() else { return };
    match draft.set("settings.engine", "flow") {
        Ok(draft) => {
            state.edit(draft, None);
            state.run();
        }
        Err(failure) => {
            let text = crate::state::hinted(&failure, failure.hint());
            state.notices.error(text);
        }
    }
}

/// A run has come: what belongs to it is made when the graph is seen.
pub const fn ran(_state: &mut State) {}
