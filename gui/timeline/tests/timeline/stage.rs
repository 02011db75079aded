//! A window with a timeline in it.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, Pos2, Rect, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};
use timeline::{
    Canvas, Timeline, TimelineCommand, TimelineView, details_ui, ledger_ui, table_ui, timeline_ui,
    toolbar_ui,
};

/// What the window keeps.
pub(crate) struct State {
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) view: TimelineView,
    pub(crate) canvas: Canvas,
    /// All commands so far.
    pub(crate) sent: Vec<TimelineCommand>,
    panes: Panes,
}

/// What stands around the timeline.
#[derive(Clone, Copy)]
pub(crate) enum Panes {
    None,
    All,
}

impl State {
    fn new(timeline: &Arc<Timeline>, panes: Panes) -> Self {
        Self {
            panes,
            view: TimelineView::of(timeline),
            timeline: Arc::clone(timeline),
            canvas: Canvas::default(),
            sent: Vec::new(),
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let commands = match self.panes {
            Panes::None => timeline_ui(ui, &self.timeline, &self.view, &mut self.canvas),
            Panes::All => self.all_ui(ui),
        };
        self.apply(commands);
    }

    /// The timeline among its bar, details, ledger and table.
    fn all_ui(&mut self, ui: &mut egui::Ui) -> Vec<TimelineCommand> {
        let (timeline, view) = (&self.timeline, &self.view);
        let mut commands = Vec::new();
        egui::Panel::top("bar").show(ui, |ui| commands.extend(toolbar_ui(ui, timeline, view)));
        egui::Panel::right("details")
            .default_size(360.0)
            .show(ui, |ui| {
                egui::Panel::bottom("ledger")
                    .default_size(260.0)
                    .show(ui, |ui| {
                        commands.extend(ledger_ui(ui, timeline, view));
                    });
                commands.extend(details_ui(ui, timeline, view, None));
            });
        egui::Panel::bottom("table")
            .default_size(200.0)
            .show(ui, |ui| {
                commands.extend(table_ui(ui, timeline, view));
            });
        commands.extend(timeline_ui(ui, timeline, view, &mut self.canvas));
        commands
    }

    pub(crate) fn apply(&mut self, commands: Vec<TimelineCommand>) {
        for command in &commands {
            self.view.apply(&self.timeline, command);
        }
        self.sent.extend(commands);
    }
}

pub(crate) type Stage = Harness<'static, State>;

pub(crate) fn stage(timeline: &Arc<Timeline>) -> Stage {
    dressed(timeline, Panes::None, egui::Theme::Dark, 1.0)
}

/// With bar, details, ledger and table around it.
pub(crate) fn full_stage(timeline: &Arc<Timeline>) -> Stage {
    dressed(timeline, Panes::All, egui::Theme::Dark, 1.0)
}

pub(crate) fn dressed(
    timeline: &Arc<Timeline>,
    panes: Panes,
    theme: egui::Theme,
    scale: f32,
) -> Stage {
    let builder = Harness::builder()
        .with_size(vec2(1_280.0, 800.0))
        .with_theme(theme)
        .with_pixels_per_point(scale);
    let mut stage = seen(builder).build_ui_state(
        |ui, state: &mut State| {
            look::install(ui.ctx());
            state.ui(ui);
        },
        State::new(timeline, panes),
    );
    stage.run();
    stage
}

/// Pictures need an adapter, and nothing else does.
pub(crate) fn seen<S>(builder: HarnessBuilder<S>) -> HarnessBuilder<S> {
    if std::env::var_os("TIMELINE_PICTURES").is_some() {
        builder.wgpu()
    } else {
        builder
    }
}

/// Where the spans are drawn.
pub(crate) fn lanes(stage: &Stage) -> Rect {
    stage.get_by_label_contains("Timeline, ").rect()
}

/// Where a moment of a row stands.
pub(crate) fn place(stage: &Stage, row: &str, share: f32) -> Pos2 {
    let lanes = lanes(stage);
    let named = stage.query_all_by_label_contains(row);
    let row = named
        .filter(|node| {
            node.accesskit_node()
                .label()
                .is_some_and(|name| name.starts_with(row))
        })
        .map(|node| node.rect())
        .next()
        .expect("the row is seen");
    egui::pos2(lanes.left() + share * lanes.width(), row.center().y)
}

pub(crate) fn press(stage: &mut Stage, key: Key) {
    stage.key_press(key);
    stage.run();
}

pub(crate) fn click(stage: &mut Stage, pos: Pos2) {
    stage.hover_at(pos);
    stage.run();
    for pressed in [true, false] {
        stage.event(Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        stage.run();
    }
}

pub(crate) fn drag(stage: &mut Stage, from: Pos2, to: Pos2) {
    stage.hover_at(from);
    stage.run();
    stage.drag_at(from);
    stage.run();
    stage.hover_at(from + (to - from) * 0.5);
    stage.run();
    stage.hover_at(to);
    stage.run();
    stage.drop_at(to);
    stage.run();
}

/// Keeps a picture where somebody asks for it.
pub(crate) fn picture(stage: &mut Stage, name: &str) {
    if let Ok(folder) = std::env::var("TIMELINE_PICTURES") {
        stage.run();
        let image = stage.render().expect("an adapter draws");
        image
            .save(format!("{folder}/{name}.png"))
            .expect("the folder can be written");
    }
}
