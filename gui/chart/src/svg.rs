//! Drawing items as SVG: vectors and text that can be searched.

use std::fmt::Write;

use egui::{Align, Color32, Pos2, Rect, Vec2};
use look::Theme;

use crate::figure::Figure;
use crate::item::{EmWidths, Item, Mark, Pen, Text};
use crate::layout::{Ranges, Surface, layout};

/// A figure as an SVG document with its caption.
///
/// * `size` — in points, which are the units of the document.
///
/// Fonts are those of the reader's machine.
pub fn svg(figure: &Figure, size: Vec2, theme: &Theme) -> String {
    let size = size.clamp(Vec2::splat(1.0), Vec2::splat(20_000.0));
    let drawing = layout(
        figure,
        Ranges::default(),
        Surface::Paper,
        size,
        theme,
        &EmWidths,
    );
    let (width, height) = (number(size.x), number(size.y));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n"
    );
    line(
        &mut out,
        &format!("<title>{}</title>", escaped(&figure.name())),
    );
    rect(
        &mut out,
        Rect::from_min_size(Pos2::ZERO, size),
        theme.ground,
    );
    items(&mut out, &drawing.items);
    out.push_str("</svg>\n");
    out
}

fn items(out: &mut String, all: &[Item]) {
    for item in all {
        match item {
            Item::Polyline { points, pen } => path(out, &subpath(points), *pen),
            Item::Segments { ends, pen } => {
                let all: Vec<_> = ends.iter().map(|ends| subpath(ends)).collect();
                path(out, &all.join(""), *pen);
            }
            Item::Strip { upper, lower, fill } => {
                let around: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
                polygon(out, &around, *fill);
            }
            Item::Rect { rect: place, fill } => rect(out, *place, *fill),
            Item::Marks(marks) => marks.iter().for_each(|of| mark(out, of)),
            Item::Text(of) => text(out, of),
            Item::Clip {
                rect,
                items: inside,
            } => clip(out, *rect, inside),
        }
    }
}

/// A group that hides what leaves a rectangle. The id says which one, so that documents in one page agree.
fn clip(out: &mut String, rect: Rect, inside: &[Item]) {
    let (x, y) = (number(rect.min.x), number(rect.min.y));
    let (width, height) = (number(rect.width()), number(rect.height()));
    let id = format!("clip-{x}-{y}-{width}-{height}");
    let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
    let path = format!("<clipPath id=\"{id}\"><rect {place}/></clipPath>");
    if !out.contains(&path) {
        line(out, &path);
    }
    line(out, &format!("<g clip-path=\"url(#{id})\">"));
    items(out, inside);
    line(out, "</g>");
}

fn mark(out: &mut String, mark: &Mark) {
    if mark.symbol == crate::Symbol::Circle {
        let (x, y, r) = (
            number(mark.at.x),
            number(mark.at.y),
            number(mark.radius + 0.5),
        );
        let (fill, rim) = (paint_of("fill", mark.fill), paint_of("stroke", mark.rim));
        line(
            out,
            &format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{fill}{rim}/>"),
        );
        return;
    }
    let corners = mark.symbol.corners().into_iter();
    let corners: Vec<_> = corners
        .map(|corner| mark.at + corner * (mark.radius + 0.5))
        .collect();
    let (fill, rim) = (paint_of("fill", mark.fill), paint_of("stroke", mark.rim));
    line(
        out,
        &format!("<path d=\"{}Z\"{fill}{rim}/>", subpath(&corners)),
    );
}

fn text(out: &mut String, text: &Text) {
    let anchor = match text.anchor.x() {
        Align::Min => "",
        Align::Center => " text-anchor=\"middle\"",
        Align::Max => " text-anchor=\"end\"",
    };
    let down = match text.anchor.y() {
        Align::Min => 0.85,
        Align::Center => 0.35,
        Align::Max => -0.2,
    };
    let (x, y) = (number(text.at.x), number(text.at.y + down * text.size));
    let (size, fill) = (number(text.size), paint_of("fill", text.color));
    let words = escaped(&text.words);
    line(
        out,
        &format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{fill}>{words}</text>"),
    );
}

fn rect(out: &mut String, rect: Rect, fill: Color32) {
    let (x, y) = (number(rect.min.x), number(rect.min.y));
    let (width, height) = (number(rect.width()), number(rect.height()));
    let fill = paint_of("fill", fill);
    line(
        out,
        &format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{fill}/>"),
    );
}

fn polygon(out: &mut String, corners: &[Pos2], fill: Color32) {
    let fill = paint_of("fill", fill);
    line(out, &format!("<path d=\"{}Z\"{fill}/>", subpath(corners)));
}

fn path(out: &mut String, d: &str, pen: Pen) {
    if d.is_empty() {
        return;
    }
    let stroke = paint_of("stroke", pen.color);
    let width = number(pen.width);
    let dash = pen.dash.lengths().map_or_else(String::new, |(dash, gap)| {
        format!(" stroke-dasharray=\"{} {}\"", number(dash), number(gap))
    });
    line(
        out,
        &format!("<path d=\"{d}\" fill=\"none\"{stroke} stroke-width=\"{width}\"{dash}/>"),
    );
}

fn subpath(points: &[Pos2]) -> String {
    let mut d = String::new();
    for (index, point) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(d, "{command}{} {}", number(point.x), number(point.y));
    }
    d
}

/// A color as an attribute, with its opacity where it is not opaque.
fn paint_of(attribute: &str, color: Color32) -> String {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    let paint = format!(" {attribute}=\"#{r:02x}{g:02x}{b:02x}\"");
    if a == 255 {
        return paint;
    }
    format!(
        "{paint} {attribute}-opacity=\"{}\"",
        number(f32::from(a) / 255.0)
    )
}

/// At most two decimals.
fn number(value: f32) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text as XML takes it: without control characters, which XML forbids.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push(' ');
            }
            letter => out.push(letter),
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}
