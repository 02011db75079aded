//! Round moments on the axis of time.

use units::SimTime;

use crate::camera::Camera;
use crate::round::picos;

/// A moment on the axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) time: SimTime,
    pub(crate) text: String,
}

/// The step between ticks, in picoseconds: 1, 2 or 5 times a power of ten, so that at most so
/// many fit in the window.
pub(crate) fn step(camera: Camera, most: usize) -> u64 {
    let least = camera.span() / (most.max(1) as u64);
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = factor * step;
            if least <= step {
                return step;
            }
        }
        step *= 10;
        if 1_000_000_000_000_000_000 <= step {
            return step;
        }
    }
}

/// The ticks of a window.
pub(crate) fn ticks(camera: Camera, most: usize) -> Vec<Tick> {
    let step = step(camera, most);
    let first = camera.start().as_picos().div_ceil(step);
    let last = camera.end().as_picos() / step;
    let times = (first..=last).map(|at| at * step);
    times
        .map(|time| Tick {
            time: SimTime::from_picos(time),
            text: text(time, step),
        })
        .collect()
}

/// A moment in the unit of the window, with as many digits as the step needs.
fn text(time: u64, step: u64) -> String {
    if time == 0 {
        return "0".to_owned();
    }
    let (unit, name) = match time {
        t if 1_000_000_000_000 <= t => (1e12, "s"),
        t if 1_000_000_000 <= t => (1e9, "ms"),
        t if 1_000_000 <= t => (1e6, "µs"),
        t if 1_000 <= t => (1e3, "ns"),
        _ => (1.0, "ps"),
    };
    let mut digits = 0;
    let mut rest = step as f64 / unit;
    while rest < 0.999_999 && digits < 12 {
        rest *= 10.0;
        digits += 1;
    }
    format!("{:.digits$} {name}", time as f64 / unit)
}

/// A moment with as many digits as a pixel of the window tells apart.
pub(crate) fn moment(time: SimTime, picos_per_pixel: f64) -> String {
    let mut step = 1;
    while (step * 10) < picos(picos_per_pixel).max(1) {
        step *= 10;
    }
    text(time.as_picos(), step)
}
