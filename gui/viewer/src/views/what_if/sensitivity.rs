//! What 10 % more of each would bring, the largest effect first. Steps that are no 10 % stand apart.

use egui::{Align2, Color32, Rect, RichText, Role, Sense, TextStyle, Ui, WidgetInfo};
use look::{Theme, Told, Worth, number, palette, space, told_card};
use session::{Knob, Sensitivity};

use super::{Command, Sensitivities, Tuned, any, knob};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::figure::figure_menu_ui;

/// What the chart is called.
const TITLE: &str = "What 10 % more would bring";

/// How it was found.
const ABOUT: &str = "Change of tokens a second by the estimate engine; one GPU is 10 % slower. \
                     Counts take the nearest step that the plan allows, which is shown without a \
                     bar where it is no 10 %.";

/// Draws the list.
pub(super) fn sensitivity_ui(ui: &mut Ui, state: &State, tuned: &Tuned) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let found = &state.results.what_if;
    ui.horizontal(|ui| {
        ui.label(RichText::new("10 % more of each").strong());
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(layout, |ui| {
            if let Some(all) = found.sensitivities.list() {
                commands.extend(figure_menu_ui(ui, TITLE, || figure(tuned, all)));
            }
        });
    });
    let rehearsed = tuned.tuner.doubt().map_or(String::new(), |doubt| {
        format!(" Each is rehearsed: {doubt}.")
    });
    let about = format!("{ABOUT}{rehearsed}");
    ui.add(egui::Label::new(RichText::new(about).small().color(theme.faint)).wrap());
    let all = match &found.sensitivities {
        Sensitivities::Weighed(all) => all,
        Sensitivities::Going => {
            ui.label(RichText::new("Weighing…").color(theme.faint));
            return commands;
        }
        Sensitivities::Missing => {
            ui.horizontal(|ui| {
                let text = "It was stopped before it was weighed";
                ui.label(RichText::new(text).color(theme.faint));
                if ui.button("Weigh").clicked() {
                    commands.push(any(Command::Weigh));
                }
            });
            return commands;
        }
    };
    let comparable = all.iter().filter(|one| one.is_comparable());
    let largest = comparable
        .map(|one| one.throughput_change.abs())
        .fold(1e-9, f64::max);
    for one in all.iter() {
        row_ui(ui, one, largest);
    }
    for knob in Knob::ALL {
        if all.iter().all(|one| one.knob != knob) {
            missing_ui(ui, tuned, knob);
        }
    }
    commands
}

/// A bar from the middle: to the right where it brings more, to the left where less.
fn row_ui(ui: &mut Ui, one: &Sensitivity, largest: f64) {
    const HEIGHT: f32 = 22.0;
    let theme = Theme::of(ui.ctx());
    let size = egui::vec2(ui.available_width(), HEIGHT);
    let (rect, row) =
        ui.allocate_exact_size(size, Sense::hover() | Sense::focusable_noninteractive());
    let change = number::signed_percent(one.throughput_change);
    let step = format!(
        "{} to {}",
        knob::bare(one.knob, one.was),
        knob::bare(one.knob, one.is)
    );
    let fits = if one.fits { "" } else { ", does not fit" };
    let apart = if one.is_comparable() {
        ""
    } else {
        ", no step of 10 %"
    };
    let told = format!(
        "{} {step}{apart}: {change} tokens a second{fits}",
        one.knob.label()
    );
    row.widget_info(|| WidgetInfo::labeled(Role::Label, true, &told));
    let painter = ui.painter().with_clip_rect(rect);
    let body = TextStyle::Body.resolve(ui.style());
    let small = TextStyle::Small.resolve(ui.style());
    let left = rect.left_center();
    painter.text(
        left,
        Align2::LEFT_CENTER,
        one.knob.label(),
        body.clone(),
        if one.is_comparable() {
            theme.text
        } else {
            theme.faint
        },
    );
    let column = rect.left() + 112.0;
    let at = egui::pos2(column, rect.center().y);
    painter.text(at, Align2::LEFT_CENTER, step, small.clone(), theme.faint);
    let (color, mark) = match (one.fits, one.throughput_change) {
        (false, _) => (theme.bad, "!"),
        (true, change) if change < 0.0 => (palette::okabe_ito::ORANGE, ""),
        (true, _) => (palette::okabe_ito::SKY, ""),
    };
    let text = format!("{mark}{change}");
    let is_comparable = one.is_comparable();
    painter.text(
        rect.right_center(),
        Align2::RIGHT_CENTER,
        text,
        body,
        if is_comparable {
            theme.text
        } else {
            theme.faint
        },
    );
    let bars = Rect::from_x_y_ranges(
        (column + 84.0).min(rect.right() - 90.0)..=rect.right() - 66.0,
        rect.top() + 5.0..=rect.bottom() - 5.0,
    );
    if is_comparable {
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let share = (one.throughput_change / largest) as f32;
        bar_ui(&painter, bars, share, (color, theme.line));
    } else {
        let at = egui::pos2(bars.right(), rect.center().y);
        let text = "no step of 10 %";
        painter.text(at, Align2::RIGHT_CENTER, text, small, theme.faint);
    }
    crate::views::scenario::focus_ring(ui, &row);
    row.on_hover_ui(|ui| told_card(ui, &explained(one, &told)));
}

/// A bar from the middle of a range.
fn bar_ui(painter: &egui::Painter, bars: Rect, share: f32, (color, line): (Color32, Color32)) {
    let middle = bars.center().x;
    let end = middle + share * bars.width() / 2.0;
    let bar = Rect::from_x_y_ranges(middle.min(end)..=middle.max(end), bars.y_range());
    painter.rect_filled(bar, 1.0, color);
    let high = bars.y_range().expand(5.0);
    painter.vline(middle, high, egui::Stroke::new(1.0, line));
}

/// What a row says of itself.
fn explained(one: &Sensitivity, told: &str) -> Told {
    let time = number::signed_percent(one.time_change);
    let meaning = format!(
        "{told}. The iteration takes {} ({time}).",
        number::secs(one.iteration_time_s)
    );
    Told::new(
        one.knob.label(),
        number::signed_percent(one.throughput_change),
        meaning,
        Worth::Simulated,
        "the estimate engine: formulas, rehearsed where they are in doubt",
    )
    .with_formula("tokens a second after the change / before − 1")
}

/// A knob without an answer, and why.
fn missing_ui(ui: &mut Ui, tuned: &Tuned, knob: Knob) {
    let theme = Theme::of(ui.ctx());
    let setting = tuned.settings.iter().find(|setting| setting.knob == knob);
    let why = setting.and_then(|setting| setting.fixed);
    let why = why.unwrap_or("no larger value makes a plan");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let text = format!("{}: {why}", knob.label());
        ui.label(RichText::new(text).color(theme.faint));
    });
}

/// The list as a chart.
fn figure(tuned: &Tuned, all: &[Sensitivity]) -> chart::Figure {
    let all: Vec<&Sensitivity> = all.iter().filter(|one| one.is_comparable()).collect();
    let groups = all
        .iter()
        .zip(0..)
        .map(|(one, id)| chart::Group::new(id, one.knob.label()));
    let bars = chart::Bars {
        direction: chart::Direction::Horizontal,
        grouping: chart::Grouping::Stacked,
        value: chart::Axis::new("Change of tokens a second", chart::Unit::Share),
        groups: groups.collect(),
        series: vec![chart::Series {
            name: "10 % more".to_owned(),
            ink: chart::Ink::Series(0),
            letter: None,
            hatched: false,
            values: all.iter().map(|one| one.throughput_change).collect(),
        }],
        limits: Vec::new(),
    };
    let scenario = &tuned.tuner.opened().name;
    let caption = crate::run::caption(scenario, "estimate", None);
    chart::Figure::new(TITLE, "knob", bars)
        .with_caption(caption)
        .explained(ABOUT)
}
