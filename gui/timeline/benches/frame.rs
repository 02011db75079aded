//! What a frame costs, and what opening costs.

mod load;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use criterion::{Criterion, criterion_group, criterion_main};
use egui::{Context, Painter, RawInput, Rect, pos2, vec2};
use timeline::{
    Background, Batch, Canvas, Grouping, Placement, QuadSink, Timeline, TimelineCommand,
    TimelineView, timeline_ui,
};
use units::SimTime;

use load::run;

/// Takes what a graphics card would be given.
struct Upload(Vec<u8>);

impl QuadSink for Upload {
    fn quads(&mut self, _: &Painter, _: Rect, batch: &Batch) {
        self.0.clear();
        self.0.extend_from_slice(bytemuck::cast_slice(&batch.quads));
    }
}

/// A window without a screen.
struct Window {
    ctx: Context,
    timeline: Arc<Timeline>,
    view: TimelineView,
    canvas: Canvas,
}

impl Window {
    fn new(timeline: Arc<Timeline>, background: Option<Box<dyn Background>>) -> Self {
        let ctx = Context::default();
        look::install(&ctx);
        let mut view = TimelineView::of(&timeline);
        view.apply(&timeline, &TimelineCommand::Group(Grouping::None));
        view.apply(&timeline, &TimelineCommand::UnfoldAll);
        let rows = timeline.tracks().len() as f32;
        view.apply(
            &timeline,
            &TimelineCommand::RowHeight((690.0 / rows - 0.01).min(9.0)),
        );
        Self {
            ctx,
            timeline,
            view,
            canvas: Canvas::new(Box::new(Upload(Vec::new())), background),
        }
    }

    /// One frame, all of it but what the card does.
    fn frame(&mut self) -> usize {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1_280.0, 800.0))),
            ..RawInput::default()
        };
        let mut output = self.ctx.run_ui(input, |ui| {
            let commands = timeline_ui(ui, &self.timeline, &self.view, &mut self.canvas);
            for command in commands {
                self.view.apply(&self.timeline, &command);
            }
        });
        output.textures_delta.clear();
        self.ctx
            .tessellate(output.shapes, output.pixels_per_point)
            .len()
    }
}

/// Makes tiles on a thread, as the window does.
struct Beside(Sender<Box<dyn FnOnce() + Send>>);

impl Beside {
    #[expect(
        clippy::disallowed_methods,
        reason = "the thread draws, and simulates nothing"
    )]
    fn new() -> Self {
        let (sender, jobs) = channel::<Box<dyn FnOnce() + Send>>();
        std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
        Self(sender)
    }
}

impl Background for Beside {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.send(job).expect("the thread lives");
    }
}

fn a_million(c: &mut Criterion) {
    let timeline = Arc::new(Timeline::new(
        Arc::new(run(1_000_000, 64)),
        Placement::default(),
    ));
    // As the window draws it: tiles that take long are made beside it.
    let beside = Some(Box::new(Beside::new()) as Box<dyn Background>);
    let mut window = Window::new(Arc::clone(&timeline), beside);
    window.frame();
    std::thread::sleep(std::time::Duration::from_millis(200));
    window.frame();
    zoom(c, "zoom_1m_beside", &mut window);
    // And with all of it on one thread.
    let mut window = Window::new(timeline, None);
    window.frame();
    c.bench_function("still_1m", |b| b.iter(|| window.frame()));
    c.bench_function("bars_1m", |b| {
        b.iter(|| {
            let mut n = 0;
            for track in window.timeline.tracks() {
                let window = SimTime::ZERO..window.timeline.end();
                track.spans.each_bar(window, 1_060, |_| n += 1);
            }
            n
        });
    });
    zoom(c, "zoom_1m", &mut window);
    // A part of the run, which can be panned.
    let close = TimelineCommand::Zoom {
        about: None,
        factor: 4.0,
    };
    window.view.apply(&window.timeline, &close);
    c.bench_function("pan_1m", |b| {
        b.iter(|| {
            let end = window.timeline.end();
            let back = end <= window.view.camera.end();
            let pan = TimelineCommand::Pan(if back { -1.0 } else { 0.01 });
            window.view.apply(&window.timeline, &pan);
            window.frame()
        });
    });
}

fn ten_million(c: &mut Criterion) {
    let trace = Arc::new(run(10_000_000, 256));
    let mut file = Vec::new();
    let header = formats::Header::default();
    formats::wtt::write(&mut file, &header, &trace).expect("memory takes it");
    c.bench_function("read_10m", |b| {
        b.iter(|| formats::wtt::read(file.as_slice(), formats::wtt::Limits::default()));
    });
    c.bench_function("build_10m", |b| {
        b.iter(|| Timeline::new(Arc::clone(&trace), Placement::default()));
    });
    let timeline = Arc::new(Timeline::new(trace, Placement::default()));
    let mut window = Window::new(timeline, None);
    zoom(c, "query_10m", &mut window);
}

/// A frame at a scale that was not seen before: no tile helps.
fn zoom(c: &mut Criterion, name: &str, window: &mut Window) {
    let shown = window.view.clone();
    let mut to = 0.02;
    c.bench_function(name, |b| {
        b.iter(|| {
            to += 1e-6;
            window.view = shown.clone();
            let zoom = TimelineCommand::Zoom {
                about: None,
                factor: 1.0 + to,
            };
            window.view.apply(&window.timeline, &zoom);
            window.frame()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = a_million, ten_million
}
criterion_main!(benches);
