//! What a frame of the window costs: all of it on the first adapter that is found, software first.
//!
//! Throughput is in frames: `elem/s` are frames a second. `cpu` is a frame without the adapter.

use std::cell::RefCell;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use egui::{Context, RawInput, Rect, Vec2, pos2, vec2};
use timeline::TimelineCommand;
use viewer::app::App;
use viewer::command::Command;
use viewer::dialogs::Typed;
use viewer::headless::{Frame, Studio};
use viewer::keep::Keeper;
use viewer::layout::{Layout, Pane};
use viewer::views::{self, timeline as timeline_view};
use viewer::worker::Mode;

const SCENARIO: &str = "llama3-70b-dgx-h100";

/// The window with an example, all of it drawn once.
struct Window {
    studio: Studio,
    ctx: Context,
    app: RefCell<App>,
    frame: Frame,
    drawn: usize,
}

impl Window {
    fn new(size: Vec2, pane: Option<Pane>) -> Self {
        let ctx = Context::default();
        let mut app = App::new(&ctx, Mode::Inline, Typed, Keeper::nothing());
        let studio = Studio::open().expect("an adapter: apt-get install mesa-vulkan-drivers");
        app.use_device(&studio.render);
        app.send(Command::OpenExample(SCENARIO.to_owned()));
        let mut window = Self {
            studio,
            ctx,
            app: RefCell::new(app),
            frame: Frame {
                size,
                scale: 1.0,
                theme: egui::Theme::Dark,
            },
            drawn: 0,
        };
        window.draw();
        if let Some(pane) = pane {
            let app = window.app.get_mut();
            app.send(Command::Show(pane));
            app.only(Layout::only(pane));
            views::prepare(app, pane);
        }
        for _ in 0..8 {
            window.draw();
        }
        window
    }

    /// A frame until the adapter is done with it.
    fn draw(&mut self) {
        let ui = |ui: &mut egui::Ui| self.app.borrow_mut().frame_ui(ui);
        let drawn = self.studio.frame(&self.ctx, self.frame, self.drawn, ui);
        drawn.expect("the adapter draws");
        self.drawn += 1;
    }

    /// A frame as far as the processor makes it, without what a driver does.
    fn cpu(&mut self) -> usize {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.frame.size)),
            time: Some(self.drawn as f64 / 60.0),
            ..RawInput::default()
        };
        self.drawn += 1;
        let output = self
            .ctx
            .run_ui(input, |ui| self.app.borrow_mut().frame_ui(ui));
        let scale = output.pixels_per_point;
        self.ctx.tessellate(output.shapes, scale).len()
    }

    /// Moves the timeline, so that the next frame is another one.
    fn pan(&mut self) {
        let by = if self.drawn % 40 < 20 { 0.01 } else { -0.01 };
        let pan = timeline_view::Command::Widget(TimelineCommand::Pan(by));
        self.app.get_mut().send(Command::Timeline(pan));
    }
}

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("adapter");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for (width, height) in [(1_280.0, 800.0), (640.0, 400.0)] {
        let mut window = Window::new(vec2(width, height), None);
        let id = BenchmarkId::new("all panes", format!("{width}x{height}"));
        let zoom = TimelineCommand::Zoom {
            about: None,
            factor: 3.0,
        };
        let zoom = timeline_view::Command::Widget(zoom);
        window.app.get_mut().send(Command::Timeline(zoom));
        group.bench_function(id, |b| {
            b.iter(|| {
                window.pan();
                window.draw();
            });
        });
    }
    group.finish();
}

fn panes(c: &mut Criterion) {
    let mut group = c.benchmark_group("cpu");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for pane in Pane::ALL {
        let mut window = Window::new(vec2(1_280.0, 800.0), Some(pane));
        group.bench_function(pane.title(), |b| b.iter(|| window.cpu()));
    }
    group.finish();
}

criterion_group!(benches, whole, panes);
criterion_main!(benches);
