//! Over what time averages are: each run its own.

use std::ops::Range;

use look::number;
use timeline::Camera;
use units::SimTime;

use crate::run::Run;
use crate::state::State;
use crate::views::timeline as timeline_view;

/// The time of a run that averages are over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) time: Range<SimTime>,
    /// Whether it is the whole run.
    pub(super) is_whole: bool,
}

/// The windows of all scenes: each its whole run where the timeline shows all of its own, else what the
/// timeline shows, as far as the run lasts.
pub(super) fn windows(state: &State, run: &Run) -> Vec<Window> {
    let camera = state.view.now().timeline.camera;
    let pair = timeline_view::shown_pair(state);
    let end = pair.map_or_else(|| run.timeline.end(), |pair| pair.end());
    let scenes = state.results.topology.scenes.iter();
    scenes
        .map(|scene| of_run(camera, end, scene.side.end))
        .collect()
}

/// * `all` — the end of what the timeline shows when it shows everything.
fn of_run(camera: Camera, all: SimTime, end: SimTime) -> Window {
    let is_whole = camera == Camera::whole(all);
    let seen = camera.window();
    let time = if is_whole {
        SimTime::ZERO..end
    } else {
        seen.start.min(end)..seen.end.min(end)
    };
    Window { time, is_whole }
}

/// What is averaged, in words.
pub(super) fn text(windows: &[Window]) -> String {
    let secs = |time: SimTime| number::secs(time.as_seconds().as_secs());
    let first = windows.first();
    if first.is_none_or(|first| first.is_whole) {
        return match windows.len() {
            0 | 1 => "mean over the whole run".to_owned(),
            _ => "mean over each whole run".to_owned(),
        };
    }
    let starts = windows.iter().map(|one| one.time.start).min();
    let start = starts.unwrap_or_default();
    let mut ends: Vec<SimTime> = windows.iter().map(|one| one.time.end).collect();
    ends.dedup();
    let ends: Vec<String> = ends.into_iter().map(secs).collect();
    format!("mean from {} to {}", secs(start), ends.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> SimTime {
        SimTime::from_picos(micros * 1_000_000)
    }

    #[test]
    fn a_whole_window_is_the_whole_of_each_run() {
        let ends = [at(95), at(708)];
        let windows = ends.map(|end| of_run(Camera::whole(at(95)), at(95), end));
        assert_eq!(windows[0].time, at(0)..at(95));
        assert_eq!(windows[1].time, at(0)..at(708));
        assert_eq!(text(&windows), "mean over each whole run");
    }

    #[test]
    fn a_part_is_cut_to_what_each_run_has_and_says_so() {
        let camera = Camera::new(at(40).as_picos(), at(50).as_picos(), at(95));
        let windows = [at(95), at(60)].map(|end| of_run(camera, at(95), end));
        assert_eq!(windows[0].time, at(40)..at(90));
        assert_eq!(windows[1].time, at(40)..at(60));
        let text = text(&windows);
        assert!(text.contains("to 90.00 µs and 60.00 µs"), "{text}");
    }
}
