//! Legends: what colors, symbols and letters stand for.

use egui::{Align2, Color32, Rect, pos2, vec2};
use look::palette;

use super::page::{Page, size};
use crate::Symbol;
use crate::item::{Item, Mark, Pen, corners_of, hatching};

/// One entry.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) key: Key,
}

/// What is drawn before the name.
pub(super) enum Key {
    Mark {
        symbol: Symbol,
        color: Color32,
    },
    Line(Pen),
    Area {
        color: Color32,
        letter: Option<char>,
        hatched: bool,
    },
}

const KEY: f32 = 14.0;
const ROW: f32 = 18.0;

/// Draws a legend in rows from the upper left of the room; entries without a name are left out.
pub(super) fn legend(page: &mut Page<'_>, entries: Vec<Entry>) {
    let (mut x, mut rows) = (page.room.left(), 0.0);
    let mut any = false;
    for entry in entries.into_iter().filter(|entry| !entry.name.is_empty()) {
        let name = page.fitted(&entry.name, page.room.width() - KEY - 4.0);
        let wide = KEY + 5.0 + page.width(&name);
        if page.room.left() < x && page.room.right() < x + wide {
            x = page.room.left();
            rows += 1.0;
        }
        let middle = page.room.top() + ROW * (rows + 0.5);
        key(
            page,
            &entry.key,
            Rect::from_center_size(pos2(x + KEY / 2.0, middle), vec2(KEY, 11.0)),
        );
        page.text(
            pos2(x + KEY + 5.0, middle),
            Align2::LEFT_CENTER,
            name,
            page.theme.text,
        );
        x += wide + 14.0;
        any = true;
    }
    if any {
        page.take_top(ROW * (rows + 1.0) + size::GAP);
    }
}

fn key(page: &mut Page<'_>, key: &Key, rect: Rect) {
    match *key {
        Key::Mark { symbol, color } => page.items.push(Item::Marks(vec![Mark {
            at: rect.center(),
            radius: 4.5,
            symbol,
            fill: color,
            rim: rim(color, page),
        }])),
        Key::Line(pen) => page.items.push(Item::Segments {
            ends: vec![[rect.left_center(), rect.right_center()]],
            pen: Pen {
                width: pen.width.max(1.5),
                ..pen
            },
        }),
        Key::Area {
            color,
            letter,
            hatched,
        } => {
            area(page, rect, color, hatched);
            if let Some(letter) = letter {
                letter_on(page, rect, color, letter);
            }
        }
    }
}

/// A filled rectangle, hatched where asked for, outlined where it would fade into the ground.
pub(super) fn area(page: &mut Page<'_>, rect: Rect, color: Color32, hatched: bool) {
    page.items.push(Item::Rect { rect, fill: color });
    if hatched {
        page.items.push(Item::Segments {
            ends: hatching(&corners_of(rect), 5.0),
            pen: hatch_pen(color),
        });
    }
    if palette::contrast(color, page.theme.ground) < 1.6 {
        let [a, b, c, d] = corners_of(rect.shrink(0.5));
        page.items.push(Item::Polyline {
            points: vec![a, b, c, d, a],
            pen: Pen::new(1.0, page.theme.faint),
        });
    }
}

/// The pen of hatching on a color.
pub(super) fn hatch_pen(color: Color32) -> Pen {
    Pen::new(1.0, color.lerp_to_gamma(palette::text_on(color), 0.45))
}

/// A letter in the middle of a colored rectangle.
pub(super) fn letter_on(page: &mut Page<'_>, rect: Rect, color: Color32, letter: char) {
    let text = palette::text_on(color);
    page.items.push(Item::Text(crate::item::Text {
        at: rect.center(),
        anchor: Align2::CENTER_CENTER,
        words: letter.to_string(),
        size: 9.5,
        color: text,
    }));
}

/// What goes around a mark: the ground, or an outline where the mark would fade into it.
pub(super) fn rim(color: Color32, page: &Page<'_>) -> Color32 {
    if palette::contrast(color, page.theme.ground) < 1.6 {
        page.theme.faint
    } else {
        page.theme.ground
    }
}
