//! The playhead moves by itself.

use egui::Context;
use units::SimTime;

use crate::layout::Pane;
use crate::state::State;

/// Seconds in which a whole run plays.
const WHOLE: f64 = 20.0;

/// Moves the playhead while it plays.
pub fn advance(state: &mut State, ctx: &Context) {
    if !state.playing {
        return;
    }
    let Some(run) = &state.results.current else {
        state.playing = false;
        return;
    };
    let end = end(state, run.timeline.end());
    let now = state.view.now().timeline.playhead.unwrap_or_default();
    // The time of a frame is capped, so that a slow one skips nothing.
    let share = ctx.input(|input| f64::from(input.stable_dt.min(0.1))) / WHOLE;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the run"
    )]
    let step = (end.as_picos() as f64 * share) as u64;
    let next = if end <= now { 0 } else { now.as_picos() + step };
    let next = SimTime::from_picos(next.min(end.as_picos()));
    if next == end {
        state.playing = false;
    }
    state.glance(|view| view.timeline.playhead = Some(next));
    ctx.request_repaint();
}

/// The end of the longest run that is seen: of two runs, and of two policies.
fn end(state: &State, own: SimTime) -> SimTime {
    let pair = super::shown_pair(state).map_or(own, |pair| pair.end());
    let view = state.view.now();
    if view.front != Pane::Topology && !view.layout.shows(Pane::Topology) {
        return pair;
    }
    let scenes = state.results.topology.scenes.iter();
    scenes.map(|scene| scene.side.end).fold(pair, SimTime::max)
}
