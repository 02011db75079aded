//! The application: draws the state, gathers commands, applies them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use egui::{CentralPanel, Context, Panel, Ui, ViewportCommand};
use egui_tiles::{Behavior, TileId, UiResponse};
use look::Theme;

use crate::command::{Command, pressed};
use crate::dialogs::Dialogs;
use crate::headless::{Frame, Studio};
use crate::keep::Keeper;
use crate::layout::{Layout, Pane};
use crate::overlay::{Overlay, Reply, overlay_ui};
use crate::shell::{answer_ui, menus_ui, status_ui};
use crate::state::{State, Wish};
use crate::views::{self, Canvases};
use crate::worker::{Ask, Mode, Slot, Worker};

/// The application.
pub struct App {
    state: State,
    worker: Worker,
    dialogs: Arc<Mutex<dyn Dialogs>>,
    keeper: Keeper,
    canvases: Canvases,
    /// Whether the context was told to move less.
    is_calm: Option<bool>,
    /// Set from any thread when the graphics device is gone.
    lost: Arc<AtomicBool>,
    /// Whether a new window takes the place of one whose device is gone.
    restarts: bool,
    /// Whether somebody waits to be told that the first frame is there.
    tells_first_frame: bool,
    /// What gets the focus after so many frames: what lay over the window holds it for one more.
    focus: Option<(u8, egui::Id)>,
    title: String,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.title)
    }
}

impl App {
    /// An application without a document.
    pub fn new(ctx: &Context, mode: Mode, dialogs: impl Dialogs + 'static, keeper: Keeper) -> Self {
        look::install(ctx);
        let waker = ctx.clone();
        let worker = Worker::new(mode, Arc::new(move || waker.request_repaint()));
        Self {
            state: State::default(),
            worker,
            dialogs: Arc::new(Mutex::new(dialogs)),
            keeper,
            canvases: Canvases::default(),
            is_calm: None,
            lost: Arc::default(),
            restarts: false,
            tells_first_frame: false,
            focus: None,
            title: String::new(),
        }
    }

    /// Brings back the last session and opens a file, as at the start of the window.
    pub fn start(&mut self, file: Option<PathBuf>) {
        let mut keeper = std::mem::replace(&mut self.keeper, Keeper::nothing());
        keeper.restore(&mut self.state, file.is_none());
        self.keeper = keeper;
        if let Some(file) = file {
            self.state.apply(Command::Open(file));
        }
    }

    /// Says on standard error when the first frame is there: scripts wait for it.
    pub const fn tell_first_frame(&mut self) {
        self.tells_first_frame = true;
    }

    /// Draws marks of timelines on a device instead of as meshes.
    pub fn use_device(&mut self, render: &eframe::egui_wgpu::RenderState) {
        self.canvases.use_device(render, &self.worker);
        let lost = Arc::clone(&self.lost);
        render
            .device
            .set_device_lost_callback(move |reason, message| {
                if reason != eframe::egui_wgpu::wgpu::DeviceLostReason::Destroyed {
                    eprintln!("windtunnel: the graphics device was lost: {message}");
                    lost.store(true, Ordering::Relaxed);
                }
            });
    }

    /// Lets a new window take the place of this one when its device is gone.
    pub const fn restart_when_lost(&mut self) {
        self.restarts = true;
    }

    /// What a driver does that crashes, for tests.
    pub fn lose_device(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether the device is gone: the session is kept, and only a new window can draw it.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The state, for tests.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Does what a person could ask for.
    pub fn send(&mut self, command: Command) {
        self.state.apply(command);
    }

    /// Lays the panes out anew without an entry of "previous view".
    pub fn only(&mut self, layout: Layout) {
        self.state.glance(|view| view.layout = layout);
    }

    /// The worker, for tests.
    pub const fn worker(&mut self) -> &mut Worker {
        &mut self.worker
    }

    /// Whether nothing is going on and nothing is asked for.
    pub fn is_idle(&self) -> bool {
        self.worker.is_idle() && self.state.asks.is_empty() && self.state.wishes.is_empty()
    }

    /// One frame.
    pub fn frame_ui(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        self.give_focus(&ctx);
        self.take_results(&ctx);
        self.apply_settings(&ctx);
        let is_covered = self.state.overlay != Overlay::None || egui::Popup::is_any_open(&ctx);
        self.canvases.timeline.listen(!is_covered);
        self.state.running = self.worker.going().get(&Slot::Run).cloned();
        let mut commands = dropped(&ctx);
        if self.state.overlay == Overlay::None || is_palette(&self.state.overlay) {
            commands.extend(pressed(&ctx, &self.state));
        }
        commands.extend(self.panels_ui(ui));
        for command in commands {
            self.state.apply(command);
        }
        if let Some(reply) = overlay_ui(&ctx, &self.state) {
            self.reply(reply);
        }
        views::start::drop_ui(&ctx);
        self.after(&ctx);
    }

    fn panels_ui(&mut self, ui: &mut Ui) -> Vec<Command> {
        let state = &self.state;
        let going = self.worker.going();
        let mut commands = Vec::new();
        Panel::top("menus").show(ui, |ui| commands.extend(menus_ui(ui, state)));
        let has_status = state.is_open() || !state.notices.is_empty() || !going.is_empty();
        if has_status {
            Panel::bottom("status").show(ui, |ui| {
                commands.extend(status_ui(ui, state, going));
            });
        }
        if state.is_open() {
            Panel::top("answer").show(ui, |ui| commands.extend(answer_ui(ui, state, going)));
        }
        let canvases = &mut self.canvases;
        CentralPanel::no_frame().show(ui, |ui| {
            if state.is_open() || state.view.now().front == Pane::Accuracy {
                commands.extend(panes_ui(ui, state, canvases));
            } else {
                commands.extend(views::start::start_ui(ui, state));
            }
        });
        commands
    }

    fn reply(&mut self, reply: Reply) {
        match reply {
            Reply::Change(overlay) => self.state.overlay = overlay,
            Reply::Close => {
                self.state.close_overlay();
                self.state.forget_intent();
            }
            Reply::Command(command) => {
                self.state.close_overlay();
                self.state.apply(*command);
            }
            Reply::Path(then, path) => {
                self.state.close_overlay();
                self.state.go_on(then, path);
            }
        }
    }

    fn give_focus(&mut self, ctx: &Context) {
        match self.focus.take() {
            None => {}
            Some((0, id)) => ctx.memory_mut(|memory| memory.request_focus(id)),
            Some((frames, id)) => {
                self.focus = Some((frames - 1, id));
                ctx.request_repaint();
            }
        }
    }

    fn take_results(&mut self, ctx: &Context) {
        for outcome in self.worker.collect() {
            outcome(&mut self.state);
            ctx.request_repaint();
        }
    }

    fn apply_settings(&mut self, ctx: &Context) {
        let settings = &self.state.settings;
        if ctx.options(|options| options.theme_preference) != settings.theme {
            ctx.set_theme(settings.theme);
        }
        let zoom = f32::from(settings.zoom) / 100.0;
        if (ctx.zoom_factor() - zoom).abs() > 1e-3 {
            ctx.set_zoom_factor(zoom);
        }
        let calm = settings.reduced_motion;
        if self.is_calm.replace(calm) != Some(calm) {
            let time = if calm { 0.0 } else { look::ANIMATION };
            ctx.all_styles_mut(|style| style.animation_time = time);
        }
    }

    /// Gives work to the worker, and asks of the desktop what only it can do.
    fn after(&mut self, ctx: &Context) {
        views::timeline::advance(&mut self.state, ctx);
        let asks = std::mem::take(&mut self.state.asks);
        if !asks.is_empty() {
            ctx.request_repaint();
        }
        for ask in asks {
            self.worker.ask(ask);
        }
        for wish in std::mem::take(&mut self.state.wishes) {
            self.grant(ctx, wish);
        }
        if self.worker.going().keys().any(|slot| slot.is_shown()) {
            ctx.request_repaint_after(std::time::Duration::from_millis(100));
        }
        if self.is_lost() {
            self.keeper.keep_now(&self.state);
        }
        let now = ctx.input(|input| input.time);
        if let Some(rest) = self.keeper.tick(&self.state, now) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(rest));
        }
        self.set_title(ctx);
        if std::mem::take(&mut self.tells_first_frame) {
            eprintln!("windtunnel: first frame");
        }
    }

    fn grant(&mut self, ctx: &Context, wish: Wish) {
        match wish {
            Wish::Copy(text) => ctx.copy_text(text),
            Wish::Focus(id) => {
                self.focus = Some((1, id));
                ctx.request_repaint();
            }
            Wish::Cancel(slot) => self.worker.cancel(slot),
            Wish::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            Wish::Choose(question, then) => {
                let dialogs = Arc::clone(&self.dialogs);
                self.worker.ask(Ask::new(
                    Slot::Choose,
                    question.title.clone(),
                    move |_| {
                        let dialogs = dialogs
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        let chosen = dialogs.choose(&question);
                        drop(dialogs);
                        (question, then, chosen)
                    },
                    |state, (question, then, chosen)| state.chose(question, then, chosen),
                ));
                ctx.request_repaint();
            }
            Wish::CopyPicture(figure) => {
                let theme = ctx.theme();
                let ctx = ctx.clone();
                self.worker.ask(Ask::new(
                    Slot::Export,
                    format!("Drawing {}", figure.title),
                    move |_| drawn(&figure, theme),
                    move |state, drawn| match drawn {
                        Ok(picture) => ctx.copy_image(picture.image()),
                        Err(error) => {
                            state
                                .notices
                                .error(crate::state::hinted(&error, error.hint()));
                        }
                    },
                ));
            }
            Wish::Draw(figure, path) => {
                let theme = ctx.theme();
                self.worker.ask(Ask::new(
                    Slot::Export,
                    format!("Drawing {}", path.display()),
                    move |_| {
                        let drawn = drawn(&figure, theme);
                        (drawn.and_then(|picture| picture.save(&path)), path)
                    },
                    |state, (drawn, path)| match drawn {
                        Ok(()) => state.notices.info(format!("Wrote {}", path.display())),
                        Err(error) => {
                            state
                                .notices
                                .error(crate::state::hinted(&error, error.hint()));
                        }
                    },
                ));
                ctx.request_repaint();
            }
        }
    }

    fn set_title(&mut self, ctx: &Context) {
        let title = match (&self.state.document, &self.state.results.current) {
            (Some(edits), _) => format!("{} – Windtunnel", edits.now().name()),
            (None, Some(run)) => format!("{} – Windtunnel", run.caption.scenario),
            (None, None) => "Windtunnel".to_owned(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

/// A figure as a picture for paper and slides.
fn drawn(
    figure: &chart::Figure,
    theme: egui::Theme,
) -> Result<crate::headless::Picture, crate::headless::PictureError> {
    const MARGIN: f32 = 24.0;
    let frame = Frame {
        size: figure.picture() + egui::Vec2::splat(2.0 * MARGIN),
        scale: 2.0,
        theme,
    };
    let ctx = Context::default();
    look::install(&ctx);
    let ui = |ui: &mut Ui| {
        let theme = Theme::of(ui.ctx());
        let rect = ui.max_rect();
        ui.painter().rect_filled(rect, 0.0, theme.ground);
        chart::paint(ui.painter(), rect.shrink(MARGIN), figure, &theme);
    };
    Studio::open()?.draw(&ctx, frame, ui, || true)
}

const fn is_palette(overlay: &Overlay) -> bool {
    matches!(overlay, Overlay::Palette { .. } | Overlay::Shortcuts)
}

/// Files that were dropped on the window.
fn dropped(ctx: &Context) -> Vec<Command> {
    let paths: Vec<PathBuf> = ctx.input(|input| {
        let files = input.raw.dropped_files.iter();
        files.map(|file| file.path().to_owned()).collect()
    });
    paths.into_iter().map(Command::Open).collect()
}

/// The panes in their places.
fn panes_ui(ui: &mut Ui, state: &State, canvases: &mut Canvases) -> Vec<Command> {
    /// Less than this has no room for panes beside each other.
    const LEAST: egui::Vec2 = egui::vec2(720.0, 400.0);
    let view = state.view.now();
    let room = ui.available_size();
    let is_small = (room.x < LEAST.x || room.y < LEAST.y) && view.layout.is_whole();
    let layout = if is_small {
        &Layout::tabs(view.front)
    } else {
        &view.layout
    };
    let mut tree = layout.0.clone();
    let mut panes = Panes {
        state,
        canvases,
        commands: Vec::new(),
        edited: false,
    };
    tree.ui(&mut panes, ui);
    let edited = panes.edited;
    let mut commands = panes.commands;
    if edited && tree != layout.0 {
        let layout = Layout(tree);
        // Of the tabs of a small window only the one in front is kept.
        let front = layout.active().filter(|front| *front != view.front);
        match (is_small, front) {
            (false, _) => commands.push(Command::Layout(layout)),
            (true, Some(front)) => commands.push(Command::Show(front)),
            (true, None) => {}
        }
    }
    commands
}

struct Panes<'a> {
    state: &'a State,
    canvases: &'a mut Canvases,
    commands: Vec<Command>,
    edited: bool,
}

impl Behavior<Pane> for Panes<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        let theme = Theme::of(ui.ctx());
        ui.painter().rect_filled(ui.max_rect(), 0.0, theme.panel);
        let commands = views::pane_ui(ui, self.state, self.canvases, *pane);
        self.commands.extend(commands);
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> egui::WidgetText {
        pane.title().into()
    }

    fn on_edit(&mut self, _: egui_tiles::EditAction) {
        self.edited = true;
    }

    fn tab_bar_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        visuals.window_fill
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        3.0
    }

    fn simplification_options(&self) -> egui_tiles::SimplificationOptions {
        egui_tiles::SimplificationOptions {
            all_panes_must_have_tabs: true,
            ..egui_tiles::SimplificationOptions::default()
        }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.frame_ui(ui);
        if self.is_lost() && self.restarts {
            self.keeper.let_go();
            crate::start::again();
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn on_exit(&mut self) {
        for slot in self.worker.going().keys().copied().collect::<Vec<_>>() {
            self.worker.cancel(slot);
        }
        if !self.is_lost() {
            self.keeper.close(&self.state);
        }
    }
}
