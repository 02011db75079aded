//! Which part of the drawing is seen.

use egui::{Pos2, Rect, Vec2, pos2};
use serde::{Deserialize, Serialize};

/// How much of the drawing fits on the screen at least and at most.
const ZOOM: std::ops::RangeInclusive<f32> = 0.02..=4.0;

/// A place in the drawing and how large it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// What is in the middle, to the right.
    pub x: f32,
    /// What is in the middle, downward.
    pub y: f32,
    /// Points on the screen for each unit of the drawing.
    pub zoom: f32,
}

impl Camera {
    /// Shows a part of the drawing whole.
    pub fn fitting(part: Rect, screen: Vec2) -> Self {
        let size = part.size().max(Vec2::splat(1.0));
        let zoom = (screen.x / size.x).min(screen.y / size.y) * 0.94;
        Self {
            x: part.center().x,
            y: part.center().y,
            zoom: zoom.clamp(*ZOOM.start(), 1.6),
        }
    }

    /// Moves the drawing by points of the screen.
    #[must_use]
    pub fn dragged(mut self, by: Vec2) -> Self {
        self.x -= by.x / self.zoom;
        self.y -= by.y / self.zoom;
        self
    }

    /// Zooms about a place of the screen, which stays where it is.
    #[must_use]
    pub fn zoomed(self, factor: f32, about: Pos2, screen: Rect) -> Self {
        let zoom = (self.zoom * factor).clamp(*ZOOM.start(), *ZOOM.end());
        let away = about - screen.center();
        let shift = away / self.zoom - away / zoom;
        Self {
            x: self.x + shift.x,
            y: self.y + shift.y,
            zoom,
        }
    }

    /// Where a place of the drawing is on the screen.
    pub fn at(&self, place: Pos2, screen: Rect) -> Pos2 {
        screen.center() + (place - pos2(self.x, self.y)) * self.zoom
    }

    /// Where a rectangle of the drawing is on the screen.
    pub fn rect(&self, rect: Rect, screen: Rect) -> Rect {
        Rect::from_min_max(self.at(rect.min, screen), self.at(rect.max, screen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays_there_while_it_zooms() {
        let screen = Rect::from_min_size(pos2(100.0, 50.0), Vec2::new(400.0, 300.0));
        let camera = Camera::fitting(
            Rect::from_min_size(Pos2::ZERO, Vec2::splat(1_000.0)),
            screen.size(),
        );
        let place = pos2(300.0, 200.0);
        let before = camera.at(place, screen);
        let after = camera.zoomed(1.5, before, screen).at(place, screen);
        assert!((before - after).length() < 1e-3, "{before:?} {after:?}");
    }
}
