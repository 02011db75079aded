//! Brushing the axes of parallel coordinates.

use egui::{Response, Ui};

use crate::figure::Content;
use crate::figure_ui::{Brush, Shown};

/// How far from an axis it can be grabbed.
const REACH: f32 = 14.0;

/// The brush that a drag along an axis draws; a click on a brushed axis clears it.
pub(crate) fn brushed(shown: &Shown<'_>, ui: &Ui, response: &Response) -> Option<Brush> {
    let Content::Parallel(parallel) = &shown.figure.content else {
        return None;
    };
    let offset = shown.rect.min.to_vec2();
    let origin = ui.input(|input| input.pointer.press_origin());
    let dragged = response.dragged() || response.drag_stopped();
    if let (true, Some(from), Some(to)) = (dragged, origin, response.interact_pointer_pos()) {
        let (from, to) = (from - offset, to - offset);
        let axis = axis_at(shown, from.x)?;
        let map = shown.drawing.axes.get(axis)?;
        let plot = shown.drawing.plot.y_range();
        let ends = [plot.clamp(from.y), plot.clamp(to.y)].map(|y| map.value(y));
        let range = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        return (range.0 < range.1).then_some(Brush {
            axis,
            range: Some(range),
        });
    }
    if response.clicked() {
        let at = response.interact_pointer_pos()? - offset;
        let axis = axis_at(shown, at.x)?;
        parallel.axes.get(axis)?.brush?;
        return Some(Brush { axis, range: None });
    }
    None
}

fn axis_at(shown: &Shown<'_>, x: f32) -> Option<usize> {
    let stems = shown.drawing.stems.iter().enumerate();
    let near = stems.map(|(axis, stem)| ((stem - x).abs(), axis));
    let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0));
    nearest
        .filter(|(distance, _)| *distance <= REACH)
        .map(|(_, axis)| axis)
}
