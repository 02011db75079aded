//! To come.
use std::sync::Arc;
use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use units::SimTime;
/// A stub.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineView { /// Moment.
 pub playhead: Option<SimTime> }
/// A stub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TimelineCommand { /// Play.
 TogglePlay }
/// A stub.
#[derive(Debug)]
pub struct Timeline(Arc<trace::Trace>);
impl Timeline { /// Makes it.
 pub fn new(t: Arc<trace::Trace>) -> Self { Self(t) } }
/// A stub.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Quad { /// x
 pub x: f32, /// w
 pub width: f32, /// r
 pub rows: u32, /// c
 pub color: u32 }
/// A stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer { /// a
 Overview, /// b
 Lanes, /// c
 OtherLanes }
/// A stub.
#[derive(Clone, Debug)]
pub struct Batch { /// a
 pub layer: Layer, /// b
 pub quads: Arc<[Quad]>, /// c
 pub generation: u64 }
/// A stub.
pub trait QuadSink { /// a
 fn quads(&mut self, painter: &egui::Painter, rect: egui::Rect, batch: &Batch); }
