//! The way from one window of time to the next: short, so that a person sees where a zoom leads.

use units::math::powf;

use crate::camera::Camera;
use crate::round::picos;
use crate::tile::Scale;

/// The longest time that a way takes, in seconds.
const LONGEST: f32 = 0.12;

/// The first step of a way, in seconds: a frame.
const FRAME: f64 = 1.0 / 60.0;

/// A window of time on its way to the one that is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ease {
    /// What is asked for.
    to: Option<Camera>,
    /// What is drawn.
    drawn: Camera,
    /// When it was drawn, in seconds.
    at: f64,
    way: Option<Way>,
}

/// Where a way began, and when, in seconds.
#[derive(Clone, Copy, Debug)]
struct Way {
    from: Camera,
    began: f64,
    /// The scale at which all tiles were at hand then.
    scale: Option<Scale>,
}

impl Ease {
    /// The window to draw now.
    ///
    /// * `to` — the window that is asked for.
    /// * `now` — the time, in seconds.
    /// * `lasts` — how long a way takes, in seconds; none is taken where it is 0.
    /// * `scale` — the scale at which all tiles are at hand.
    pub(crate) fn step(
        &mut self,
        to: Camera,
        (now, lasts): (f64, f32),
        scale: Option<Scale>,
    ) -> Camera {
        let lasts = lasts.min(LONGEST);
        if self.to != Some(to) {
            let is_far = self.to.is_some() && far(self.drawn, to);
            // Where every frame asks for another window, each takes a step towards it.
            let since = now - self.at;
            let step = if self.way.is_some() {
                since
            } else {
                since.min(FRAME)
            };
            self.way = (0.0 < lasts && is_far).then(|| Way {
                from: self.drawn,
                began: now - step,
                scale: self.way.and_then(|way| way.scale).or(scale),
            });
            self.to = Some(to);
        }
        self.at = now;
        self.drawn = match self.way {
            Some(way) => {
                let share = (now - way.began) / f64::from(lasts.max(f32::EPSILON));
                if 1.0 <= share || lasts <= 0.0 {
                    self.way = None;
                    to
                } else {
                    between(way.from, to, 1.0 - (1.0 - share.max(0.0)).powi(3))
                }
            }
            None => to,
        };
        self.drawn
    }

    /// Goes no way: what is dragged follows the pointer.
    pub(crate) const fn stop(&mut self) {
        self.to = None;
        self.way = None;
    }

    /// The scale whose tiles are drawn on the way, until those of its end are at hand and cover what
    /// is seen; none where nothing is under way.
    pub(crate) fn scale(&self) -> Option<Scale> {
        self.way.and_then(|way| way.scale)
    }

    /// Whether something is under way.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.way.is_some()
    }
}

/// Whether a window differs from another in length so that it is seen, or lies so far off that it is a jump.
const fn far(from: Camera, to: Camera) -> bool {
    let (a, b) = (from.start().as_picos(), to.start().as_picos());
    let longer = from.span().abs_diff(to.span());
    from.span() / 200 < longer || from.span() / 2 < a.abs_diff(b)
}

/// A window on the way: its length changes by equal factors, and what keeps its place at both ends keeps it all
/// the way.
fn between(from: Camera, to: Camera, share: f64) -> Camera {
    let (a, b) = (from.span() as f64, to.span() as f64);
    let span = a * powf(b / a, share);
    let along = if from.span() == to.span() {
        share
    } else {
        (span - a) / (b - a)
    };
    let (first, last) = (from.start().as_picos() as f64, to.start().as_picos() as f64);
    let start = picos(first + (last - first) * along);
    Camera::within(start, picos(span).max(1))
}

#[cfg(test)]
mod tests {
    use units::SimTime;

    use super::*;

    const END: SimTime = SimTime::from_picos(1_000_000_000_000);

    #[test]
    fn a_zoom_takes_a_tenth_of_a_second_and_keeps_the_moment_under_the_pointer() {
        let whole = Camera::whole(END);
        let about = SimTime::from_picos(300_000_000_000);
        let close = whole.zoomed(about, 1_000.0, END);
        let mut ease = Ease::default();
        assert_eq!(ease.step(whole, (0.0, 0.12), None), whole);
        let mut last = whole;
        for frame in 0..7 {
            let now = 1.0 + f64::from(frame) / 60.0;
            let seen = ease.step(close, (now, 0.12), None);
            assert!(seen.span() <= last.span());
            assert!((seen.share_of(about) - 0.3).abs() < 1e-3);
            assert!(ease.is_under_way());
            last = seen;
        }
        assert_eq!(ease.step(close, (1.13, 0.12), None), close);
        assert!(!ease.is_under_way());
    }

    #[test]
    fn a_zoom_that_goes_on_is_followed_in_every_frame() {
        let about = SimTime::from_picos(300_000_000_000);
        let mut to = Camera::whole(END);
        let mut ease = Ease::default();
        let mut last = ease.step(to, (0.0, 0.12), None);
        for frame in 1..60 {
            to = to.zoomed(about, 1.1, END);
            let seen = ease.step(to, (f64::from(frame) / 60.0, 0.12), None);
            assert!(to.span() < seen.span() && seen.span() < last.span());
            last = seen;
        }
        assert!((last.span() as f64) < 1.5 * to.span() as f64);
        // And what is only panned after it is not held back.
        for frame in 60..75 {
            to = to.panned(0.01, END);
            let _ = ease.step(to, (f64::from(frame) / 60.0, 0.12), None);
        }
        assert!(!ease.is_under_way());
    }

    #[test]
    fn small_moves_and_reduced_motion_are_at_once() {
        let whole = Camera::whole(END).zoomed(SimTime::from_picos(0), 10.0, END);
        let mut ease = Ease::default();
        let _ = ease.step(whole, (0.0, 0.12), None);
        let moved = whole.panned(0.1, END);
        assert_eq!(ease.step(moved, (0.1, 0.12), None), moved);
        let close = moved.zoomed(moved.start(), 8.0, END);
        assert_eq!(ease.step(close, (0.2, 0.0), None), close);
        assert!(!ease.is_under_way());
    }
}
