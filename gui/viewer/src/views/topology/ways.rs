//! Where cables lie: straight where nothing is in between, else bent around.

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use session::{Part, Shape, TopologyView};

use super::plan::Plan;

/// Straight pieces of a half of a bent cable.
pub(super) const STEPS: usize = 7;

/// Where a cable lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// Its first end.
    pub from: Pos2,
    /// Its other end.
    pub to: Pos2,
    /// Where it is pulled to; none where it is straight.
    pub bend: Option<Pos2>,
}

/// Points that a line goes through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    points: [Pos2; STEPS + 1],
    n: usize,
}

impl Line {
    pub(super) fn points(&self) -> &[Pos2] {
        &self.points[..self.n]
    }

    /// The line where a camera shows it.
    pub(super) fn map(mut self, at: impl Fn(Pos2) -> Pos2) -> Self {
        for point in &mut self.points[..self.n] {
            *point = at(*point);
        }
        self
    }

    /// A rectangle around it.
    pub(super) fn bounds(&self) -> Rect {
        self.points().iter().fold(Rect::NOTHING, |mut all, point| {
            all.extend_with(*point);
            all
        })
    }

    /// A point on it, by the share of its pieces.
    pub(super) fn at(&self, share: f32) -> Pos2 {
        let points = self.points();
        let far = share * (points.len().saturating_sub(1)) as f32;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and a cast saturates"
        )]
        let piece = (far as usize).min(points.len().saturating_sub(2));
        points[piece].lerp(points[piece + 1], far - piece as f32)
    }
}

impl Way {
    const fn straight(from: Pos2, to: Pos2) -> Self {
        Self {
            from,
            to,
            bend: None,
        }
    }

    /// A point on it, from 0 at its first end to 1.
    pub fn at(&self, share: f32) -> Pos2 {
        match self.bend {
            None => self.from.lerp(self.to, share),
            Some(bend) => {
                let (a, b) = (self.from.lerp(bend, share), bend.lerp(self.to, share));
                a.lerp(b, share)
            }
        }
    }

    /// The half that begins at its first end, or at the other one.
    pub(super) fn half(&self, direction: usize) -> Line {
        let n = if self.bend.is_none() { 1 } else { STEPS };
        let mut points = [self.from; STEPS + 1];
        for (place, point) in points.iter_mut().enumerate().take(n + 1) {
            let share = 0.5 * place as f32 / n as f32;
            *point = self.at(if direction == 0 { share } else { 1.0 - share });
        }
        Line { points, n: n + 1 }
    }
}

/// Where the cables of a drawing lie; none for those with an end that is not drawn.
pub(super) fn ways(view: &TopologyView, plan: &Plan) -> Vec<Option<Way>> {
    let boxes: Vec<(Part, Rect)> = plan.places.iter().map(|(part, at)| (*part, *at)).collect();
    let mut loops: std::collections::BTreeMap<Part, u32> = std::collections::BTreeMap::new();
    let ways = view.cables.iter().map(|cable| {
        let [a, b] = cable.ends;
        let (from, to) = (*plan.places.get(&a)?, *plan.places.get(&b)?);
        if a == b {
            let before = loops.entry(a).or_default();
            *before += 1;
            return Some(around(from, *before));
        }
        let in_row = (from.center().y - to.center().y).abs() < from.height();
        if view.shape == Shape::Levels && !in_row {
            return Some(Way::straight(meet(from, to), meet(to, from)));
        }
        let [begin, end] = [border(from, to.center()), border(to, from.center())];
        let blocked = boxes.iter().any(|(part, rect)| {
            *part != a && *part != b && crosses(rect.shrink(1.0), [begin, end])
        });
        Some(if blocked {
            bent(from, to, view.shape)
        } else {
            Way::straight(begin, end)
        })
    });
    ways.collect()
}

/// From level to level: below the upper one and above the lower one.
fn meet(own: Rect, other: Rect) -> Pos2 {
    let away = other.center() - own.center();
    let reach = own.width() * 0.38;
    let x = own.center().x + (away.x * 0.12).clamp(-reach, reach);
    let y = if away.y < 0.0 {
        own.top()
    } else {
        own.bottom()
    };
    pos2(x, y)
}

/// Where the line from the middle of a box to a place leaves the box.
fn border(own: Rect, to: Pos2) -> Pos2 {
    let away = to - own.center();
    let half = own.size() / 2.0;
    let share = |half: f32, away: f32| {
        if away.abs() < 1e-6 {
            f32::INFINITY
        } else {
            half / away.abs()
        }
    };
    let out = share(half.x, away.x).min(share(half.y, away.y)).min(1.0);
    own.center() + away * out
}

/// Above what lies between two boxes of a row, to the left of what lies between two of a column.
fn bent(from: Rect, to: Rect, shape: Shape) -> Way {
    let (a, b) = (from.center(), to.center());
    let along = b - a;
    let across = along.normalized().rot90();
    let turned = if along.y.abs() <= along.x.abs() {
        0.0 < across.y
    } else {
        0.0 < across.x
    };
    let across = if turned { -across } else { across };
    let slope = if matches!(shape, Shape::Grid(_)) {
        0.06
    } else {
        0.1
    };
    let high = slope * along.length() + 0.75 * from.height().min(from.width());
    let bend = a.lerp(b, 0.5) + across * 2.0 * high;
    Way {
        from: border(from, bend),
        to: border(to, bend),
        bend: Some(bend),
    }
}

/// A link from a place to itself, such as the backbone of a switch: a loop above it.
fn around(own: Rect, nth: u32) -> Way {
    let (wide, high) = (9.0 + 3.0 * nth as f32, 26.0 + 20.0 * nth as f32);
    let top = own.center_top();
    Way {
        from: top - vec2(wide.min(own.width() / 2.0), 0.0),
        to: top + vec2(wide.min(own.width() / 2.0), 0.0),
        bend: Some(top - vec2(0.0, 2.0 * high)),
    }
}

/// Whether a stretch of a line lies in a rectangle.
fn crosses(rect: Rect, [from, to]: [Pos2; 2]) -> bool {
    let along: Vec2 = to - from;
    let (mut enter, mut leave) = (0.0_f32, 1.0_f32);
    for (at, along, low, high) in [
        (from.x, along.x, rect.left(), rect.right()),
        (from.y, along.y, rect.top(), rect.bottom()),
    ] {
        if along.abs() < 1e-6 {
            if at < low || high < at {
                return false;
            }
            continue;
        }
        let (a, b) = ((low - at) / along, (high - at) / along);
        enter = enter.max(a.min(b));
        leave = leave.min(a.max(b));
    }
    enter < leave
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, y: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(10.0, 10.0))
    }

    #[test]
    fn a_line_crosses_what_lies_on_it_and_nothing_beside_it() {
        let line = [pos2(0.0, 5.0), pos2(100.0, 5.0)];
        assert!(crosses(square(40.0, 0.0), line));
        assert!(!crosses(square(40.0, 20.0), line));
        assert!(!crosses(square(120.0, 0.0), line));
    }

    #[test]
    fn a_bent_way_leads_above_a_row_and_its_halves_meet() {
        let way = bent(square(0.0, 0.0), square(100.0, 0.0), Shape::Web);
        assert!(way.at(0.5).y < -5.0, "{:?}", way.at(0.5));
        let [one, other] = [0, 1].map(|direction| way.half(direction));
        assert_eq!(one.points().len(), STEPS + 1);
        let end = |line: &Line| line.points()[STEPS];
        assert!((end(&one) - end(&other)).length() < 1e-3);
        assert_eq!(one.points()[0], way.from);
        assert_eq!(other.points()[0], way.to);
    }
}
