//! A window or a picture, as the command line says.

use std::path::{Path, PathBuf};

use egui::{Context, ViewportBuilder};
use look::number;
use session::Failure;

use crate::app::App;
use crate::command::Command;
use crate::dialogs::{Desktop, Typed};
use crate::document::placed;
use crate::headless::{Frame, PictureError, Studio};
use crate::keep::Keeper;
use crate::layout::{Layout, Pane};
use crate::options::{Options, ShownTheme};
use crate::state::State;
use crate::views;
use crate::worker::Mode;

/// Why there is no window or picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no display.
    #[error("there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set")]
    NoDisplay,
    /// The window cannot be opened.
    #[error("the window cannot be opened: {0}")]
    Window(String),
    /// The picture cannot be made.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// What was to be shown is wrong.
    #[error("{0}")]
    Input(String),
    /// The scenario has errors.
    #[error("{}", wrong(.file, .failures))]
    Scenario {
        /// What was opened.
        file: PathBuf,
        /// Everything that is wrong with it.
        failures: Vec<Failure>,
        /// The picture that shows them, where one was made.
        picture: Option<PathBuf>,
    },
}

/// All errors of a scenario, one a line.
fn wrong(file: &Path, failures: &[Failure]) -> String {
    let n = number::counted(failures.len() as u64, "error");
    let mut lines = vec![format!("{} has {n}", file.display())];
    for failure in failures {
        lines.push(format!("  {}", placed(failure)));
        lines.extend(failure.hint().map(|hint| format!("    hint: {hint}")));
    }
    lines.join("\n")
}

impl StartError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDisplay => Some(
                "set DISPLAY or WAYLAND_DISPLAY, or draw a picture instead: `--screenshot FILE.png` needs no display"
                    .to_owned(),
            ),
            Self::Window(_) => Some(
                "a window needs a display (DISPLAY or WAYLAND_DISPLAY) and a Vulkan or OpenGL driver: on Debian and Ubuntu, `apt-get install mesa-vulkan-drivers libxkbcommon-x11-0`; `--screenshot FILE.png` needs no display"
                    .to_owned(),
            ),
            Self::Picture(error) => error.hint().map(str::to_owned),
            Self::Scenario { picture, .. } => picture
                .as_ref()
                .map(|path| format!("{} shows them beside their fields", path.display())),
            Self::Input(_) => None,
        }
    }

    /// The exit status: 2 for bad input, else 1.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Scenario { .. } => 2,
            Self::NoDisplay | Self::Window(_) | Self::Picture(_) => 1,
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

/// Whether a display is named; where displays have no names there is one.
fn has_display() -> bool {
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"];
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || names.into_iter().any(is_set)
}

/// An error of the windowing library without the place in its source, which is of no use here.
fn without_source(error: &str) -> String {
    let at = error.split_once("error at ");
    let rest = at.and_then(|(_, place)| place.split_once(": "));
    rest.map_or(error, |(_, what)| what).to_owned()
}

fn window(options: &Options) -> Result<(), StartError> {
    if !has_display() {
        return Err(StartError::NoDisplay);
    }
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
    created.map_err(|error| StartError::Window(without_source(&error.to_string())))
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
    if options.file.is_none() {
        start_page(&mut app, options.view)?;
    }
    let frame = Frame {
        size: egui::vec2(options.size.0, options.size.1),
        scale: options.scale,
        theme: theme.into(),
    };
    let picture = picture(&studio, &ctx, frame, &mut app, (pane, options.only))?;
    let state = app.state();
    let failures = state.checked.as_ref().map_or(&[][..], |one| one.failures());
    if let (false, Some(file)) = (failures.is_empty(), &options.file) {
        let shows_them = pane == Pane::Scenario;
        if shows_them {
            picture.save(path)?;
        }
        return Err(StartError::Scenario {
            file: file.clone(),
            failures: failures.to_vec(),
            picture: shows_them.then(|| path.to_owned()),
        });
    }
    let errors = state.notices.errors();
    let is_missing = options.file.is_some() && !state.is_open() && !shows_runs(state);
    if is_missing || !errors.is_empty() {
        return Err(StartError::Input(errors.join("\n")));
    }
    picture.save(path)?;
    Ok(())
}

/// Whether measured runs are shown, which need nothing that is open.
fn shows_runs(state: &State) -> bool {
    state.view.now().front == Pane::Accuracy
}

/// What is shown without a file: the start page, or measured runs.
fn start_page(app: &mut App, view: Option<Pane>) -> Result<(), StartError> {
    match view {
        None => Ok(()),
        Some(Pane::Accuracy) => {
            app.send(Command::Show(Pane::Accuracy));
            views::prepare(app, Pane::Accuracy);
            Ok(())
        }
        Some(view) => {
            let text = format!("a picture of {} needs a FILE", view.title());
            Err(StartError::Input(text))
        }
    }
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
    let prepared = std::cell::Cell::new(false);
    let ui = |ui: &mut egui::Ui| {
        let mut app = app.borrow_mut();
        if app.state().is_open() && !shown.replace(true) {
            app.send(Command::Show(pane));
            if only {
                app.only(Layout::only(pane));
            }
        }
        // What a view needs beyond a run may hang on the run.
        if shown.get() && app.is_idle() && !prepared.replace(true) {
            views::prepare(&mut app, pane);
        }
        app.frame_ui(ui);
    };
    studio.draw(ctx, frame, ui, || {
        let app = app.borrow();
        app.is_idle() && (prepared.get() || !app.state().is_open())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_windowing_library_lose_their_place_in_its_source() {
        let error = "os error at /root/.cargo/registry/src/winit/lib.rs:12: nothing answers";
        assert_eq!(without_source(error), "nothing answers");
        assert_eq!(without_source("nothing answers"), "nothing answers");
    }

    #[test]
    fn a_broken_scenario_is_told_with_every_line_and_hint() {
        let text = session::Draft::example("llama3-8b-dgx-h100").unwrap();
        let draft = text.set("training.global_batch", "many").unwrap();
        let checked = crate::document::Checked::new(draft);
        let error = StartError::Scenario {
            file: PathBuf::from("mine.toml"),
            failures: checked.failures().to_vec(),
            picture: None,
        };
        let text = error.to_string();
        for part in [
            "mine.toml has 1 error",
            "line ",
            "`training.global_batch`",
            "hint: ",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(error.status(), 2);
    }
}
