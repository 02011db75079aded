//! A slider: its value, its unit, where the scenario has it.

use egui::{Align, Button, DragValue, Id, Layout, RichText, Slider, Ui};
use look::{Theme, number};
use session::{Knob, Setting};

use super::{Command, any};
use crate::command::Command as Any;
use crate::overlay::name;
use crate::state::State;

/// Draws a slider.
pub(super) fn knob_ui(ui: &mut Ui, state: &State, setting: &Setting) -> Vec<Any> {
    let knob = setting.knob;
    let turned = state.view.now().what_if.tuning().get(knob);
    let value = turned.unwrap_or(setting.value);
    let mut commands = Vec::new();
    ui.push_id(("knob", knob.field()), |ui| {
        commands.extend(head_ui(ui, setting, value, turned.is_some()));
        if let Some(why) = setting.fixed {
            let theme = Theme::of(ui.ctx());
            ui.label(
                RichText::new(format!("Fixed: {why}"))
                    .small()
                    .color(theme.faint),
            );
        } else {
            commands.extend(slider_ui(ui, setting, value));
        }
    });
    ui.add_space(4.0);
    commands
}

/// The name, the value, and what it was.
fn head_ui(ui: &mut Ui, setting: &Setting, value: f64, is_turned: bool) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let knob = setting.knob;
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        let label = ui.label(knob.label());
        label.on_hover_text(format!("{} Sets {}.", knob.help(), knob.field()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if setting.fixed.is_some() {
                ui.label(shown(knob, value));
                return;
            }
            if is_turned {
                let button = ui.add(Button::new("Reset").small());
                name(&button, &format!("Reset {}", knob.label()));
                if button.clicked() {
                    commands.push(turn(knob, None, gesture_of(knob)));
                    commands.push(any(Command::Simulate));
                }
            }
            commands.extend(typed_ui(ui, setting, value));
            if is_turned {
                let was = format!("was {}, is", bare(knob, setting.value));
                ui.label(RichText::new(was).color(theme.faint));
            }
        });
    });
    commands
}

/// The value as a field: a click, and it can be typed exactly.
fn typed_ui(ui: &mut Ui, setting: &Setting, value: f64) -> Vec<Any> {
    let knob = setting.knob;
    let mut typed = value;
    let range = if knob.is_whole() {
        1.0..=f64::from(1_u32 << 30)
    } else {
        0.001..=1_000.0
    };
    // Dragging is what the slider is for.
    let field = DragValue::new(&mut typed)
        .speed(0.0)
        .range(range)
        .update_while_editing(false)
        .custom_formatter(move |value, _| shown(knob, value))
        .custom_parser(parsed);
    let field = ui.add(field);
    name(&field, &format!("Value of {}", knob.label()));
    let field = field.on_hover_text("Click to type a value");
    let typed = if knob.is_whole() {
        typed.round()
    } else {
        typed
    };
    if !field.changed() || typed.to_bits() == value.to_bits() {
        return Vec::new();
    }
    // Back where it was is no change.
    let turned = (typed.to_bits() != setting.value.to_bits()).then_some(typed);
    vec![turn(knob, turned, gesture_of(knob)), any(Command::Simulate)]
}

/// A number as people type it: with commas between thousands, a cross before a factor, a unit behind.
fn parsed(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['×', 'x']).trim_start();
    let number = text.split_whitespace().next()?;
    let number: Option<f64> = number.replace(',', "").parse().ok();
    number.filter(|number| number.is_finite())
}

/// A value with its unit.
pub(super) fn shown(knob: Knob, value: f64) -> String {
    if knob.is_whole() {
        let unit = knob.unit();
        let is_one = (value - 1.0).abs() < 0.5;
        let unit = unit.strip_suffix('s').filter(|_| is_one).unwrap_or(unit);
        format!("{} {unit}", bare(knob, value))
    } else {
        bare(knob, value)
    }
}

/// A value alone; a factor says that it is one.
pub(super) fn bare(knob: Knob, value: f64) -> String {
    if knob.is_whole() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and positive"
        )]
        let whole = value.round() as u64;
        number::count(whole)
    } else {
        let rounded = (value * 1e4).round() / 1e4;
        format!("× {rounded}")
    }
}

/// The slider rests on steps that make a plan; they stand at equal distances, so that a factor of two
/// takes the same way everywhere.
fn slider_ui(ui: &mut Ui, setting: &Setting, value: f64) -> Vec<Any> {
    let knob = setting.knob;
    let last = setting.steps.len().saturating_sub(1);
    let at = nearest(&setting.steps, value);
    let base = nearest(&setting.steps, setting.value);
    let mut place = at;
    let width = ui.available_width();
    ui.spacing_mut().slider_width = width;
    let slider = Slider::new(&mut place, 0..=last).show_value(false);
    let response = ui.add_enabled(0 < last, slider);
    name(&response, knob.label());
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_value(shown(knob, value));
        node.set_description(knob.help());
    });
    mark_ui(ui, response.rect, base, last);
    let response = response.on_hover_text(format!(
        "{} The mark is where the scenario has it: {}.",
        knob.help(),
        shown(knob, setting.value)
    ));
    let mut commands = Vec::new();
    let id = Id::unique("gesture of the sliders");
    if response.drag_started() {
        ui.data_mut(|data| *data.get_temp_mut_or(id, FIRST_DRAG) += 1);
    }
    if place != at {
        let gesture = if response.dragged() {
            ui.data(|data| data.get_temp(id)).unwrap_or(FIRST_DRAG)
        } else {
            gesture_of(knob)
        };
        let value = setting.steps.get(place).copied();
        // Back where it was is no change.
        let value = value.filter(|value| value.to_bits() != setting.value.to_bits());
        commands.push(turn(knob, value, gesture));
    }
    let rests = response.drag_stopped() || place != at && !response.dragged();
    if rests {
        commands.push(any(Command::Simulate));
    }
    commands
}

/// Gestures of drags; those below are named in the code.
const FIRST_DRAG: u64 = 1 << 40;

/// The gesture of the keys on a slider: presses in a row are one.
fn gesture_of(knob: Knob) -> u64 {
    let place = Knob::ALL.iter().position(|one| *one == knob);
    100 + place.unwrap_or_default() as u64
}

const fn turn(knob: Knob, value: Option<f64>, gesture: u64) -> Any {
    any(Command::Turn {
        knob,
        value,
        gesture,
    })
}

fn nearest(steps: &[f64], value: f64) -> usize {
    let distance = |step: f64| (step - value).abs();
    let places = steps.iter().enumerate();
    places
        .min_by(|(_, a), (_, b)| distance(**a).total_cmp(&distance(**b)))
        .map_or(0, |(place, _)| place)
}

/// The mark where the scenario has it.
fn mark_ui(ui: &Ui, rect: egui::Rect, base: usize, last: usize) {
    let theme = Theme::of(ui.ctx());
    // As egui lays out the rail of a slider with a round handle.
    let rail = rect.x_range().shrink(rect.height() / 2.5);
    let share = base as f32 / last.max(1) as f32;
    let x = rail.min + share * rail.span();
    let top = rect.bottom() - 4.0;
    ui.painter().vline(
        x,
        egui::Rangef::new(top, rect.bottom() + 2.0),
        egui::Stroke::new(2.0, theme.text),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_are_shown() {
        assert_eq!(parsed(&shown(Knob::SeqLen, 8192.0)), Some(8192.0));
        assert_eq!(parsed(&shown(Knob::LinkRate, 1.05)), Some(1.05));
        assert_eq!(parsed(" 1.25 "), Some(1.25));
        assert_eq!(parsed("many"), None);
        assert_eq!(parsed("nan"), None);
    }
}
