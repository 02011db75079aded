//! What a frame of the window costs: all of it on the first adapter that is found, software first.
//!
//! Throughput is in frames: `elem/s` are frames a second. `cpu` is a frame without the adapter.

#[path = "../../timeline/benches/load/mod.rs"]
mod load;

use std::cell::RefCell;
use std::fs::File;
use std::io::BufWriter;

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
    fn new(size: Vec2, open: Command, pane: Option<Pane>) -> Self {
        let ctx = Context::default();
        let mut app = App::new(&ctx, Mode::Threads, Typed, Keeper::nothing());
        let studio = Studio::open().expect("an adapter: apt-get install mesa-vulkan-drivers");
        app.use_device(&studio.render);
        app.send(open);
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
        window.settle();
        if let Some(pane) = pane {
            let app = window.app.get_mut();
            app.send(Command::Show(pane));
            app.only(Layout::only(pane));
            views::prepare(app, pane);
        }
        window.settle();
        window
    }

    /// Draws until all work is done and every layout has found its place.
    fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 8 {
            self.draw();
            quiet = if self.app.get_mut().is_idle() {
                quiet + 1
            } else {
                0
            };
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
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
        self.send(TimelineCommand::Pan(by));
    }

    /// Zooms in and out again.
    fn zoom(&mut self) {
        let factor = if self.drawn % 40 < 20 {
            1.05
        } else {
            1.0 / 1.05
        };
        self.send(TimelineCommand::Zoom {
            about: None,
            factor,
        });
    }

    fn send(&mut self, command: TimelineCommand) {
        let command = timeline_view::Command::Widget(command);
        self.app.get_mut().send(Command::Timeline(command));
    }
}

fn example() -> Command {
    Command::OpenExample(SCENARIO.to_owned())
}

/// A file with a million spans on 64 lanes.
fn million() -> Command {
    let path = std::env::temp_dir().join("windtunnel-a-million-spans.wtt");
    let file = File::create(&path).expect("the folder for temporary files takes it");
    let header = formats::Header::default();
    let trace = load::run(1_000_000, 64);
    formats::wtt::write(BufWriter::new(file), &header, &trace).expect("the disk takes it");
    Command::Open(path)
}

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("adapter");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for (name, open) in [("example", example()), ("a million spans", million())] {
        for (width, height) in [(1_280.0, 800.0), (640.0, 400.0)] {
            let mut window = Window::new(vec2(width, height), open.clone(), None);
            let id =
                |what| BenchmarkId::new(format!("{name}, {what}"), format!("{width}x{height}"));
            group.bench_function(id("still"), |b| b.iter(|| window.draw()));
            window.send(TimelineCommand::Zoom {
                about: None,
                factor: 3.0,
            });
            group.bench_function(id("pan"), |b| {
                b.iter(|| {
                    window.pan();
                    window.draw();
                });
            });
            group.bench_function(id("zoom"), |b| {
                b.iter(|| {
                    window.zoom();
                    window.draw();
                });
            });
        }
    }
    group.finish();
}

fn panes(c: &mut Criterion) {
    let mut group = c.benchmark_group("cpu");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for pane in Pane::ALL {
        let mut window = Window::new(vec2(1_280.0, 800.0), example(), Some(pane));
        group.bench_function(pane.title(), |b| b.iter(|| window.cpu()));
    }
    group.finish();
}

criterion_group!(benches, whole, panes);
criterion_main!(benches);
