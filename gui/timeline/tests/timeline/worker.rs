//! Tiles that take long are made by a worker, while the last ones stand in.

use std::cell::RefCell;
use std::rc::Rc;

use egui::{Key, Painter, Rect};
use timeline::{Background, Batch, Canvas, Layer, QuadSink};

use crate::fixtures::{pipeline, timeline};
use crate::stage::{press, stage};

type Jobs = Rc<RefCell<Vec<Box<dyn FnOnce() + Send>>>>;

/// Runs nothing before it is told to.
struct Later(Jobs);

impl Background for Later {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.borrow_mut().push(job);
    }
}

/// Counts what it is given.
struct Counting(Rc<RefCell<Vec<usize>>>);

impl QuadSink for Counting {
    fn quads(&mut self, _: &Painter, rect: Rect, batch: &Batch) {
        if batch.layer != Layer::Lanes {
            return;
        }
        for quad in batch.quads.iter() {
            let inside = 0.0 <= quad.x && quad.x + quad.width <= rect.width() + 0.5;
            assert!(inside, "{quad:?} in {rect:?}");
            assert!(f32::from(quad.top() + quad.height()) <= rect.height() + 0.5);
        }
        self.0.borrow_mut().push(batch.quads.len());
    }
}

#[test]
fn a_large_query_waits_for_the_worker_and_then_is_drawn() {
    let timeline = timeline(pipeline(16, 400, 24));
    let (jobs, drawn) = (Jobs::default(), Rc::default());
    let mut stage = stage(&timeline);
    stage.state_mut().canvas = Canvas::new(
        Box::new(Counting(Rc::clone(&drawn))),
        Some(Box::new(Later(Rc::clone(&jobs)))),
    );
    for _ in 0..6 {
        press(&mut stage, Key::ArrowDown);
    }
    stage.run();
    let waiting: Vec<_> = jobs.borrow_mut().drain(..).collect();
    if waiting.is_empty() {
        // Too little is in sight to need the worker.
        assert!(drawn.borrow().last().is_some_and(|&n| 100 < n));
        return;
    }
    let before = *drawn.borrow().last().expect("something was drawn");
    for job in waiting {
        job();
    }
    stage.run();
    let after = *drawn.borrow().last().expect("something was drawn");
    assert!(before < after, "{before} and {after}");
}
