//! What the palette finds beyond the menus: what views do, examples and recent files.

use egui::{Key, KeyboardShortcut, Modifiers};
use timeline::{Grouping, Overlay, Step, TimelineCommand};

use crate::command::{Action, Command, actions};
use crate::export::Subject;
use crate::layout::Pane;
use crate::state::State;
use crate::views::figure::Form;
use crate::views::start::EXAMPLES;
use crate::views::{accuracy, planner, scenario, timeline as panes, topology, what_if};
use crate::worker::Slot;

/// The menu of recent files.
pub const RECENT: &str = "Recent";

/// Everything that the palette finds: the entries of the menus first.
pub fn entries(state: &State) -> Vec<Action> {
    let mut list = actions(state);
    list.extend(of_timeline(state));
    list.extend(of_topology(state));
    list.extend(of_planner(state));
    list.extend(of_others(state));
    list.extend(exports(state));
    list.extend(recent(state));
    list.extend(examples());
    list
}

/// An entry that shows its pane and does something in it.
fn within(pane: Pane, name: impl Into<std::borrow::Cow<'static, str>>, command: Command) -> Action {
    Action {
        menu: pane.title(),
        name: format!("{}: {}", pane.title(), name.into()).into(),
        keys: None,
        command: Command::In(pane, Box::new(command)),
        enabled: true,
    }
}

fn keyed(mut action: Action, key: Key) -> Action {
    // The pane listens for it, so that it is only shown here.
    action.keys = Some(KeyboardShortcut::new(Modifiers::NONE, key));
    action
}

fn enabled(mut actions: Vec<Action>, enabled: bool) -> Vec<Action> {
    for action in &mut actions {
        action.enabled &= enabled;
    }
    actions
}

fn of_timeline(state: &State) -> Vec<Action> {
    let entry = |name: &'static str, command: TimelineCommand| {
        let command = Command::Timeline(panes::Command::Widget(command));
        within(Pane::Timeline, name, command)
    };
    let play = if state.playing {
        "Pause the playhead"
    } else {
        "Play from the playhead"
    };
    let search = Command::SearchTimeline;
    let mut list = vec![
        keyed(
            within(Pane::Timeline, "Search names of spans", search),
            Key::Slash,
        ),
        keyed(entry("Whole iteration", TimelineCommand::Home), Key::Home),
        keyed(entry("Fit the selection", TimelineCommand::Fit), Key::F),
        keyed(entry(play, TimelineCommand::TogglePlay), Key::Space),
        entry("Fold all groups", TimelineCommand::FoldAll),
        entry("Unfold all groups", TimelineCommand::UnfoldAll),
        keyed(
            entry("Go to the cause", TimelineCommand::Cause),
            Key::OpenBracket,
        ),
        keyed(
            entry("Go to the effect", TimelineCommand::Effect),
            Key::CloseBracket,
        ),
        entry(
            "Next span of the critical path",
            TimelineCommand::Critical(Step::Next),
        ),
        entry(
            "Previous span of the critical path",
            TimelineCommand::Critical(Step::Previous),
        ),
        entry("Remove all marks", TimelineCommand::ClearMarks),
    ];
    let wrapped = |command| Command::Timeline(panes::Command::Widget(command));
    let run = state.results.current.as_ref();
    let has_ranks = run.is_some_and(|run| run.timeline.has_ranks());
    for grouping in Grouping::ALL.into_iter().filter(|_| has_ranks) {
        let name = format!("Group by {}", grouping.name().to_lowercase());
        let command = wrapped(TimelineCommand::Group(grouping));
        list.push(within(Pane::Timeline, name, command));
    }
    let view = state.view.now();
    for overlay in Overlay::ALL {
        let verb = if view.timeline.shows(overlay) {
            "Hide"
        } else {
            "Show"
        };
        let name = format!("{verb} {}", overlay.name().to_lowercase());
        let command = wrapped(TimelineCommand::Toggle(overlay));
        list.push(within(Pane::Timeline, name, command));
    }
    let as_table = !view.panes.as_table;
    let name = if as_table {
        "Show as table"
    } else {
        "Show as drawing"
    };
    let command = Command::Timeline(panes::Command::AsTable(as_table));
    list.push(within(Pane::Timeline, name, command));
    enabled(list, state.results.current.is_some())
}

fn of_topology(state: &State) -> Vec<Action> {
    use topology::Command as C;
    let entry =
        |name: &'static str, command| within(Pane::Topology, name, Command::Topology(command));
    let compare = match state.view.now().topology.compare {
        Some(_) => entry("Compare no policies", C::Compare(None)),
        None => entry(
            "Compare policies",
            C::Compare(Some(topology::first_policies())),
        ),
    };
    let list = vec![
        entry("Whole graph", C::Look(None)),
        entry("Fold groups", C::FoldAll),
        entry("Averages instead of the playhead", C::Playhead(None)),
        compare,
    ];
    enabled(list, state.results.current.is_some())
}

fn of_planner(state: &State) -> Vec<Action> {
    use planner::{Command as C, Tab};
    let entry =
        |name: &'static str, command| within(Pane::Planner, name, Command::Planner(command));
    let found = &state.results.planner;
    let mut stop = within(
        Pane::Planner,
        "Stop the search",
        Command::Cancel(Slot::Plan),
    );
    stop.enabled = found.live.is_some();
    let mut start = entry("Search plans", C::Search);
    start.enabled = found.live.is_none();
    let mut list = vec![start, stop];
    let shown = [
        ("Show plans", Tab::Plans),
        ("Compare plans", Tab::Compare),
        ("Why not another plan", Tab::WhyNot),
        ("Show launch files", Tab::Launch),
    ];
    let tabs = shown.map(|(name, tab)| entry(name, C::Tab(tab)));
    list.extend(enabled(tabs.into(), found.searched.is_some()));
    enabled(list, state.document.is_some())
}

/// What-if, scenario and accuracy.
fn of_others(state: &State) -> Vec<Action> {
    let tuned = |name: &'static str, command| within(Pane::WhatIf, name, Command::WhatIf(command));
    let edited =
        |name: &'static str, command| within(Pane::Scenario, name, Command::Scenario(command));
    let list = vec![
        tuned("Reset sliders", what_if::Command::Reset),
        tuned("Apply sliders to the scenario", what_if::Command::Apply),
        edited("As form", scenario::Command::As(scenario::Manner::Form)),
        edited("As text", scenario::Command::As(scenario::Manner::Text)),
        edited("Revert all edits", scenario::Command::RevertAll),
    ];
    let mut list = enabled(list, state.document.is_some());
    let read = Command::Accuracy(accuracy::Command::ReadShipped);
    list.push(within(Pane::Accuracy, "Read the shipped runs", read));
    list
}

fn exports(state: &State) -> Vec<Action> {
    let subjects = [Subject::Timeline, Subject::Ledger, Subject::Topology];
    let all = subjects.into_iter().flat_map(|subject| {
        Form::ALL.into_iter().map(move |form| Action {
            menu: "Export",
            name: format!("{}: {}", subject.title(), form.title()).into(),
            keys: None,
            command: Command::Draw(subject, form),
            enabled: true,
        })
    });
    enabled(all.collect(), state.results.current.is_some())
}

/// The files that were open before.
fn recent(state: &State) -> Vec<Action> {
    let recent = state.settings.recent.iter();
    let entry = |path: &std::path::PathBuf| Action {
        menu: RECENT,
        name: format!("Open recent {}", path.display()).into(),
        keys: None,
        command: Command::Open(path.clone()),
        enabled: true,
    };
    recent.map(entry).collect()
}

fn examples() -> Vec<Action> {
    let entry = |example: &session::Example| Action {
        menu: "Example",
        name: format!("Open example {}", example.title).into(),
        keys: None,
        command: Command::OpenExample(example.name.to_owned()),
        enabled: true,
    };
    EXAMPLES.iter().map(entry).collect()
}
