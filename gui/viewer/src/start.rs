//! A window or a picture, as the command line says.

use std::path::Path;

use egui::{Context, ViewportBuilder};

use crate::app::App;
use crate::command::Command;
use crate::dialogs::{Desktop, Typed};
use crate::headless::{Frame, PictureError, Studio};
use crate::keep::Keeper;
use crate::layout::{Layout, Pane};
use crate::options::{Options, ShownTheme};
use crate::views;
use crate::worker::Mode;

/// Why there is no window or picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The window cannot be opened.
    #[error("the window cannot be opened: {0}")]
    Window(String),
    /// The picture cannot be made.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// What was to be shown is wrong.
    #[error("{0}")]
    Input(String),
}

impl StartError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Window(_) => Some(
                "a window needs a display (DISPLAY or WAYLAND_DISPLAY) and a Vulkan or OpenGL driver: on Debian and Ubuntu, `apt-get install mesa-vulkan-drivers libxkbcommon-x11-0`; `--screenshot FILE.png` needs no display",
            ),
            Self::Picture(error) => error.hint(),
            Self::Input(_) => None,
        }
    }

    /// The exit status: 2 for bad input, else 1.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Window(_) | Self::Picture(_) => 1,
        }
    }
}

/// Opens the window, or makes a picture.
///
/// # Errors
///
/// [`StartError`].
pub fn run(options: &Options) -> Result<(), StartError> {
    match &options.screenshot {
        Some(path) => screenshot(options, path),
        None => window(options),
    }
}

fn window(options: &Options) -> Result<(), StartError> {
    let viewport = ViewportBuilder::default()
        .with_title("Windtunnel")
        .with_app_id("windtunnel")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([640.0, 400.0])
        .with_drag_and_drop(true);
    let native = eframe::NativeOptions {
        viewport,
        ..eframe::NativeOptions::default()
    };
    let options = options.clone();
    let created = eframe::run_native(
        "Windtunnel",
        native,
        Box::new(move |cc| {
            let mut app = App::new(&cc.egui_ctx, Mode::Threads, Desktop, Keeper::of_user());
            if let Some(render) = &cc.wgpu_render_state {
                app.use_device(render);
            }
            app.start(options.file.clone());
            if let Some(theme) = options.theme {
                app.send(Command::SetTheme(preference(theme)));
            }
            if let Some(view) = options.view {
                app.send(Command::Show(view));
            }
            app.restart_when_lost();
            app.tell_first_frame();
            Ok(Box::new(app))
        }),
    );
    created.map_err(|error| StartError::Window(error.to_string()))
}

/// Set for a window that takes the place of one whose device was lost.
pub const LOST: &str = "WINDTUNNEL_DEVICE_LOST";

/// Starts a window in place of this one, whose device was lost; only once, since a driver that fails
/// again will go on to.
pub fn again() {
    if std::env::var_os(LOST).is_some() {
        eprintln!("windtunnel: the graphics device was lost again; the session is kept");
        return;
    }
    let started = std::env::current_exe()
        .and_then(|program| std::process::Command::new(program).env(LOST, "1").spawn());
    if let Err(error) = started {
        eprintln!("windtunnel: no new window could be started: {error}; the session is kept");
    }
}

const fn preference(theme: ShownTheme) -> egui::ThemePreference {
    match theme {
        ShownTheme::Dark => egui::ThemePreference::Dark,
        ShownTheme::Light => egui::ThemePreference::Light,
    }
}

fn screenshot(options: &Options, path: &Path) -> Result<(), StartError> {
    let ctx = Context::default();
    let mut app = App::new(&ctx, Mode::Inline, Typed, Keeper::nothing());
    let studio = Studio::open()?;
    app.use_device(&studio.render);
    let theme = options.theme.unwrap_or(ShownTheme::Light);
    app.send(Command::SetTheme(preference(theme)));
    if let Some(file) = &options.file {
        app.send(Command::Open(file.clone()));
    }
    let pane = options.view.unwrap_or_default();
    let frame = Frame {
        size: egui::vec2(options.size.0, options.size.1),
        scale: options.scale,
        theme: theme.into(),
    };
    let picture = picture(&studio, &ctx, frame, &mut app, (pane, options.only))?;
    let errors = app.state().notices.errors();
    if !app.state().is_open() || !errors.is_empty() {
        return Err(StartError::Input(errors.join("\n")));
    }
    picture.save(path)?;
    Ok(())
}

/// A picture of the application with a view in front, once everything that the view needs is there.
///
/// # Errors
///
/// [`PictureError`].
pub fn picture(
    studio: &Studio,
    ctx: &Context,
    frame: Frame,
    app: &mut App,
    (pane, only): (Pane, bool),
) -> Result<crate::headless::Picture, PictureError> {
    // Work runs inline, so that a frame after another takes what the one before asked for.
    let app = std::cell::RefCell::new(app);
    let shown = std::cell::Cell::new(false);
    let ui = |ui: &mut egui::Ui| {
        let mut app = app.borrow_mut();
        if app.state().is_open() && !shown.replace(true) {
            app.send(Command::Show(pane));
            if only {
                app.only(Layout::only(pane));
            }
            views::prepare(&mut app, pane);
        }
        app.frame_ui(ui);
    };
    studio.draw(ctx, frame, ui, || app.borrow().is_idle())
}
