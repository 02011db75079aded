//! Pictures of every view alone and of the whole window, dark at one pixel a point and light at two,
//! against those in `snapshots/`.
//!
//! They are made on Mesa's software adapter, as on the machines of the checks; where no adapter is
//! installed they are skipped and say so, unless `WINDTUNNEL_NEEDS_ADAPTER` is set.

use ::timeline::{Selection, TimelineCommand};
use egui_kittest::{Harness, SnapshotResults};
use viewer::app::App;
use viewer::command::Command;
use viewer::dialogs::Typed;
use viewer::headless::Studio;
use viewer::keep::Keeper;
use viewer::layout::{Layout, Pane};
use viewer::views::prepare;
use viewer::views::timeline;
use viewer::worker::Mode;

/// Whether there is something to draw with.
fn has_adapter() -> bool {
    match Studio::open() {
        Ok(studio) => {
            let info = studio.render.adapter.get_info();
            let is_software = info.driver_info.contains("Mesa") && info.name.contains("llvmpipe");
            if !is_software {
                eprintln!(
                    "skipped: pictures are compared on Mesa's llvmpipe, not on {}",
                    info.name
                );
            }
            is_software
        }
        Err(error) => {
            let needed = std::env::var_os("WINDTUNNEL_NEEDS_ADAPTER").is_some();
            assert!(!needed, "{error}");
            eprintln!("skipped: {error}");
            false
        }
    }
}

/// The size of the whole window, and that of a view alone, in points.
const WINDOW: egui::Vec2 = egui::vec2(1_100.0, 700.0);
const ALONE: egui::Vec2 = egui::vec2(760.0, 480.0);

/// An example with a node, and one with several nodes and stages.
const SMALL: &str = "llama3-8b-dgx-h100";
const LARGE: &str = "llama3-70b-dgx-h100";

fn app_harness(size: egui::Vec2, theme: egui::Theme, scale: f32) -> Harness<'static, App> {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_pixels_per_point(scale)
        .wgpu()
        .build_eframe(move |cc| {
            let mut app = App::new(&cc.egui_ctx, Mode::Inline, Typed, Keeper::nothing());
            if let Some(render) = &cc.wgpu_render_state {
                app.use_device(render);
            }
            let preference = match theme {
                egui::Theme::Dark => egui::ThemePreference::Dark,
                egui::Theme::Light => egui::ThemePreference::Light,
            };
            app.send(Command::SetTheme(preference));
            app.send(Command::SetReducedMotion(true));
            app
        })
}

fn settle(harness: &mut Harness<'static, App>) {
    for _ in 0..30 {
        harness.run_steps(2);
        if harness.state().is_idle() {
            break;
        }
    }
    harness.remove_cursor();
    harness.run_steps(3);
}

fn open(harness: &mut Harness<'static, App>, example: &str) {
    let command = Command::OpenExample(example.to_owned());
    harness.state_mut().send(command);
    settle(harness);
}

/// Selects a backward kernel of the first stage.
fn select(app: &mut App) {
    let run = app.state().results.current.clone();
    let run = run.expect("an example has run");
    let spans = (0..).zip(&run.trace.spans);
    let mut backward = spans.filter(|(_, span)| {
        span.pass == trace::Pass::Backward && span.category == trace::Category::Compute
    });
    let (id, _) = backward.next().expect("training runs backward");
    let select = TimelineCommand::Select(Selection::Span(id));
    app.send(Command::Timeline(timeline::Command::Widget(select)));
}

#[test]
fn views_look_as_they_were_signed() {
    if !has_adapter() {
        return;
    }
    let mut results = SnapshotResults::new();
    for (theme, scale, suffix) in [
        (egui::Theme::Dark, 1.0, "dark"),
        (egui::Theme::Light, 2.0, "light"),
    ] {
        let mut harness = app_harness(WINDOW, theme, scale);
        settle(&mut harness);
        results.add(harness.try_snapshot(format!("start-{suffix}")));
        open(&mut harness, SMALL);
        results.add(harness.try_snapshot(format!("window-{suffix}")));
        let mut small = app_harness(ALONE, theme, scale);
        open(&mut small, SMALL);
        let mut large = app_harness(ALONE, theme, scale);
        open(&mut large, LARGE);
        select(large.state_mut());
        for pane in Pane::ALL {
            // The space of plans of many nodes takes a moment to search.
            let harness = if pane == Pane::Planner {
                &mut small
            } else {
                &mut large
            };
            let app = harness.state_mut();
            app.send(Command::Show(pane));
            app.only(Layout::only(pane));
            prepare(app, pane);
            settle(harness);
            let name = pane.title().to_lowercase().replace(' ', "-");
            results.add(harness.try_snapshot(format!("{name}-{suffix}")));
        }
    }
}
