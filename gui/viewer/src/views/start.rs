//! The page without a document: examples, recent files, what can be opened.

use egui::{Align, Frame, Layout, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo};
use look::{Theme, space};
use session::Draft;

use crate::command::Command;
use crate::state::State;

/// The widest that the page gets, in points.
const WIDTH: f32 = 960.0;

/// Draws the start page.
pub fn start_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    ui.painter().rect_filled(ui.max_rect(), 0.0, theme.ground);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let margin = ((ui.available_width() - WIDTH) / 2.0).max(space::LARGE);
        Frame::new()
            .inner_margin(egui::Margin::symmetric(whole(margin), 32))
            .show(ui, |ui| {
                ui.label(RichText::new("Windtunnel").size(28.0).strong());
                ui.label(
                    RichText::new("Which configuration to run, how fast it goes, whether it fits, and what the network does to it.")
                        .size(14.0)
                        .color(theme.faint),
                );
                ui.add_space(space::LARGE);
                commands.extend(open_ui(ui, state));
                ui.add_space(space::LARGE);
                commands.extend(examples_ui(ui));
            });
    });
    commands
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a margin of some hundred points"
)]
const fn whole(points: f32) -> i8 {
    // Frames take margins up to 127 points a side; more is added as space by the layout.
    points.min(127.0) as i8
}

fn open_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    ui.horizontal(|ui| {
        let text = RichText::new("Open file…").color(theme.on_accent);
        if ui.add(egui::Button::new(text).fill(theme.accent)).clicked() {
            commands.push(Command::AskOpen);
        }
        ui.label(
            RichText::new(
                "or drop a scenario (.toml), a timeline (.wtt) or measured runs (.csv) here",
            )
            .color(theme.faint),
        );
    });
    if !state.settings.recent.is_empty() {
        ui.add_space(space::LARGE);
        ui.heading("Recent files");
        for path in &state.settings.recent {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let folder = path.parent().map(|folder| folder.display().to_string());
            ui.horizontal(|ui| {
                if ui.link(name).clicked() {
                    commands.push(Command::Open(path.clone()));
                }
                ui.label(RichText::new(folder.unwrap_or_default()).color(theme.faint));
            });
        }
    }
    commands
}

fn examples_ui(ui: &mut Ui) -> Vec<Command> {
    let mut commands = Vec::new();
    ui.heading("Examples");
    ui.add_space(space::SMALL);
    let gap = space::MEDIUM;
    let columns = if ui.available_width() < 620.0 { 1 } else { 2 };
    let width = (ui.available_width() - gap * (columns - 1) as f32) / columns as f32;
    let examples = Draft::examples();
    for row in examples.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for example in row {
                if card_ui(ui, width, example.title, &example.about) {
                    commands.push(Command::OpenExample(example.name.to_owned()));
                }
            }
        });
        ui.add_space(2.0);
    }
    commands
}

/// A card that can be clicked; whether it was.
fn card_ui(ui: &mut Ui, width: f32, title: &str, about: &str) -> bool {
    const HEIGHT: f32 = 92.0;
    let theme = Theme::of(ui.ctx());
    let (rect, card) = ui.allocate_exact_size(egui::vec2(width, HEIGHT), Sense::click());
    card.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Example {title}")));
    let fill = if card.hovered() {
        theme.raised
    } else {
        theme.panel
    };
    let edge = if card.has_focus() {
        theme.accent
    } else {
        theme.line
    };
    ui.painter().rect(
        rect,
        6.0,
        fill,
        egui::Stroke::new(1.0, edge),
        egui::StrokeKind::Inside,
    );
    let inner = rect.shrink2(egui::vec2(12.0, 10.0));
    let layout = Layout::top_down(Align::LEFT);
    let builder = egui::UiBuilder::new().max_rect(inner).layout(layout);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(inner.intersect(ui.clip_rect()));
        let label = |text: RichText| egui::Label::new(text).selectable(false);
        ui.add(label(RichText::new(title).strong()));
        ui.add(label(RichText::new(about).color(theme.faint)).wrap());
    });
    card.on_hover_text(about).clicked()
}
