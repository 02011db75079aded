//! Tiles that take long are made by a worker, while the last ones stand in.

use std::cell::RefCell;
use std::rc::Rc;

use egui::{Painter, Rect};
use timeline::{Background, Batch, Canvas, Grouping, Layer, Overlay, QuadSink, TimelineCommand};

use crate::fixtures::{pipeline, timeline};
use crate::stage::stage;

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
    // Many rows of many spans in sight at a time.
    stage.state_mut().apply(vec![
        TimelineCommand::Group(Grouping::None),
        TimelineCommand::Toggle(Overlay::Memory),
        TimelineCommand::RowHeight(6.0),
    ]);
    stage.run();
    let waiting: Vec<_> = jobs.borrow_mut().drain(..).collect();
    assert!(!waiting.is_empty(), "the worker was asked");
    let before = *drawn.borrow().last().expect("something was drawn");
    for job in waiting {
        job();
    }
    stage.run();
    let after = *drawn.borrow().last().expect("something was drawn");
    assert!(before < after, "{before} and {after}");
}
