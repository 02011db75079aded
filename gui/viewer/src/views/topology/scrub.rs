//! The moment that is shown, under the graph: one playhead for all views.

use std::ops::Range;

use egui::{Align2, FontId, Key, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use look::{Theme, number, palette};
use units::SimTime;

use super::Command;
use super::scene::Scene;

/// What the scrubber shows.
pub(super) struct Scrub<'a> {
    pub(super) playhead: Option<SimTime>,
    /// What the timeline shows; none where that is all.
    pub(super) window: Option<Range<SimTime>>,
    /// What is averaged, in words.
    pub(super) mean: String,
    pub(super) end: SimTime,
    pub(super) playing: bool,
    pub(super) strips: Vec<Strip<'a>>,
}

/// How full the fullest link of a run is over time.
pub(super) struct Strip<'a> {
    /// What tells it from another one.
    pub(super) name: Option<&'a str>,
    /// When the run ended.
    pub(super) end: SimTime,
    /// Over equal stretches of it.
    pub(super) shares: &'a [f64],
}

/// Draws the scrubber.
pub(super) fn scrub_ui(ui: &mut Ui, scrub: &Scrub<'_>) -> Vec<Command> {
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        let word = if scrub.playing { "Pause" } else { "Play" };
        let play = egui::Button::new(word).min_size(vec2(52.0, 0.0));
        let play = ui.add(play).on_hover_text("Move the playhead (Space)");
        play.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{word} the loads")));
        if play.clicked() {
            commands.push(Command::TogglePlay);
        }
        let mean = ui
            .selectable_label(scrub.playhead.is_none(), "Mean")
            .on_hover_text(
                "Show averages: over each whole run where the timeline shows all of it, else over the time \
                 that it shows, as far as each run lasts",
            );
        mean.widget_info(|| {
            let on = scrub.playhead.is_none();
            WidgetInfo::selected(Role::Button, true, on, "Mean over the window")
        });
        if mean.clicked() {
            commands.push(Command::Playhead(None));
        }
        let time = scrub.playhead.map_or_else(
            || scrub.mean.clone(),
            |time| number::secs(time.as_seconds().as_secs()),
        );
        let theme = Theme::of(ui.ctx());
        let font = FontId::proportional(12.5);
        let galley = ui
            .painter()
            .layout_no_wrap(time.clone(), font, theme.text);
        // Moments of all lengths leave the strip where it is.
        let size = vec2(galley.size().x.max(132.0), 20.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &time));
        let place = Align2::LEFT_CENTER.anchor_size(rect.left_center(), galley.size());
        ui.painter().galley(place.min, galley, theme.text);
        commands.extend(strip_ui(ui, scrub));
    });
    commands
}

fn strip_ui(ui: &mut Ui, scrub: &Scrub<'_>) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let high = 22.0_f32.max(15.0 * scrub.strips.len() as f32);
    let size = vec2((ui.available_width() - 8.0).max(60.0), high);
    let (_, rect) = ui.allocate_space(size);
    let id = ui.scope_id().with("scrubber");
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let now = scrub.playhead.unwrap_or_default();
    response.widget_info(|| {
        let secs = now.as_seconds().as_secs();
        WidgetInfo::slider(true, secs, "Playhead in seconds")
    });
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, theme.ground);
    heats(&painter, rect, scrub, theme);
    let end = scrub.end.as_picos().max(1) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a share of the width")]
    let x = |time: SimTime| rect.left() + (time.as_picos() as f64 / end) as f32 * rect.width();
    if let Some(window) = &scrub.window {
        let window = Rect::from_x_y_ranges(x(window.start)..=x(window.end), rect.y_range());
        let window = window.intersect(rect).shrink2(vec2(0.0, 0.5));
        painter.rect_stroke(
            window,
            2.0,
            Stroke::new(1.0, theme.accent),
            egui::StrokeKind::Inside,
        );
    }
    if scrub.playhead.is_some() {
        let x = x(now).clamp(rect.left() + 1.0, rect.right() - 1.0);
        painter.vline(x, rect.y_range(), Stroke::new(2.0, theme.playhead));
        painter.circle_filled(pos2(x, rect.top() + 3.0), 3.5, theme.playhead);
    }
    let outline = if response.has_focus() {
        theme.accent
    } else {
        theme.line
    };
    painter.rect_stroke(
        rect,
        3.0,
        Stroke::new(1.0, outline),
        egui::StrokeKind::Inside,
    );
    let moment = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the run"
        )]
        let picos = (share.clamp(0.0, 1.0) * end) as u64;
        Some(Command::Playhead(Some(SimTime::from_picos(
            picos.min(scrub.end.as_picos()),
        ))))
    };
    if (response.dragged() || response.clicked())
        && let Some(at) = response.interact_pointer_pos()
    {
        return moment(f64::from((at.x - rect.left()) / rect.width()));
    }
    if !response.has_focus() {
        return None;
    }
    let filter = egui::EventFilter {
        horizontal_arrows: true,
        ..egui::EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let pressed = |key| ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key));
    let share = now.as_picos() as f64 / end;
    if pressed(Key::ArrowRight) {
        moment(share + 0.01)
    } else if pressed(Key::ArrowLeft) {
        moment(share - 0.01)
    } else {
        None
    }
}

/// The strips of all runs below each other, on one axis of time.
fn heats(painter: &egui::Painter, rect: Rect, scrub: &Scrub<'_>, theme: Theme) {
    let each = rect.height() / scrub.strips.len().max(1) as f32;
    let end = scrub.end.as_picos().max(1) as f64;
    for (at, strip) in scrub.strips.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "a share of the width")]
        let share = (strip.end.as_picos() as f64 / end) as f32;
        let top = rect.top() + each * at as f32;
        let own = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width() * share, each));
        heat(painter, own, strip.shares, theme);
        let Some(name) = strip.name else { continue };
        let font = FontId::proportional(10.0);
        let galley = painter.layout_no_wrap(name.to_owned(), font, theme.text);
        let at = pos2(rect.right() - 5.0, top + each / 2.0);
        let words = Align2::RIGHT_CENTER.anchor_size(at, galley.size());
        painter.rect_filled(
            words.expand2(vec2(3.0, 0.0)),
            2.0,
            theme.ground.gamma_multiply(0.85),
        );
        painter.galley(words.min, galley, theme.text);
    }
}

/// Columns as high as the fullest link is full.
fn heat(painter: &egui::Painter, rect: Rect, strip: &[f64], theme: Theme) {
    let width = rect.width() / strip.len().max(1) as f32;
    let mut mesh = egui::Mesh::default();
    for (at, share) in strip.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let share = *share as f32;
        if share <= 0.0 {
            continue;
        }
        let left = rect.left() + width * at as f32;
        let top = rect.bottom() - 1.0 - (rect.height() - 4.0) * share.min(1.0);
        let column = Rect::from_min_max(pos2(left, top), pos2(left + width, rect.bottom() - 1.0));
        mesh.add_colored_rect(column, palette::load(share, theme.dark));
        // The cap is seen where the color is close to the ground.
        mesh.add_colored_rect(column.with_max_y(top + 1.0), theme.faint);
    }
    painter.add(mesh);
}

/// How wide the scale of colors is.
const SCALE: f32 = 190.0;

/// The scale of colors, in percent and in words, and how links are drawn whose loads nobody knows.
pub(super) fn legend_ui(ui: &mut Ui, scene: Option<&Scene>) {
    let theme = Theme::of(ui.ctx());
    let unknown = scene.filter(|scene| scene.has_unknown());
    let width = SCALE + if unknown.is_some() { 112.0 } else { 0.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
    let why = unknown.map_or(String::new(), |scene| {
        format!(" Gray dashes are {}.", scene.why_unknown())
    });
    response.widget_info(|| {
        let [idle, half, full] = if theme.dark {
            ["dark blue", "gray", "yellow"]
        } else {
            ["pale", "blue", "dark blue"]
        };
        let label =
            format!("Colors of links: {idle} is idle, {half} is half full, {full} is full.{why}");
        WidgetInfo::labeled(Role::Label, true, label)
    });
    response.on_hover_text(format!(
        "How full a link is. Each half of a cable is the traffic that leaves its end; wide cables carry more. \
         Hairlines are idle, red dashes with a cross are down.{why}"
    ));
    let bar = Rect::from_min_size(rect.min + vec2(0.0, 2.0), vec2(SCALE, 8.0));
    scale(ui.painter(), bar, theme);
    if unknown.is_some() {
        let y = bar.center().y;
        let ends = [pos2(bar.right() + 18.0, y), pos2(rect.right(), y)];
        let stroke = Stroke::new(1.0, theme.hatch);
        let dashes = egui::Shape::dashed_line(&ends, stroke, 4.0, 5.0);
        ui.painter().extend(dashes);
        let at = pos2(bar.right() + 18.0, bar.bottom() + 2.0);
        let font = FontId::proportional(10.5);
        ui.painter()
            .text(at, Align2::LEFT_TOP, "not modelled", font, theme.faint);
    }
}

fn scale(painter: &egui::Painter, bar: Rect, theme: Theme) {
    let mut mesh = egui::Mesh::default();
    let steps = 48_u8;
    for step in 0..steps {
        let share = f32::from(step) / f32::from(steps);
        let left = bar.left() + share * bar.width();
        let right = left + bar.width() / f32::from(steps);
        let column = Rect::from_x_y_ranges(left..=right, bar.y_range());
        mesh.add_colored_rect(column, palette::load(share, theme.dark));
    }
    painter.add(mesh);
    painter.rect_stroke(
        bar,
        0.0,
        Stroke::new(1.0, theme.hatch),
        egui::StrokeKind::Outside,
    );
    let font = FontId::proportional(10.5);
    let marks = [
        (0.0, "0 % idle", Align2::LEFT_TOP),
        (0.5, "50 %", Align2::CENTER_TOP),
        (1.0, "100 % full", Align2::RIGHT_TOP),
    ];
    for (share, text, anchor) in marks {
        let at = pos2(bar.left() + share * bar.width(), bar.bottom() + 2.0);
        painter.text(at, anchor, text, font.clone(), theme.faint);
    }
}
