//! The tool bar of the timeline.

use egui::{ComboBox, RichText, TextEdit, Ui};
use look::{Theme, number};
use timeline::{Grouping, Overlay, Timeline, TimelineCommand, TimelineView, search_field_id};

use super::step;
use crate::overlay::name;

/// Draws the tool bar.
pub(super) fn bar_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    playing: bool,
) -> Vec<TimelineCommand> {
    let mut commands = Vec::new();
    egui::Frame::new()
        .inner_margin(egui::Margin::symmetric(8, 4))
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                let word = if playing { "Pause" } else { "Play" };
                if ui
                    .button(word)
                    .on_hover_text("Move the playhead (Space)")
                    .clicked()
                {
                    commands.push(TimelineCommand::TogglePlay);
                }
                search_ui(ui, timeline, view, &mut commands);
                filter_ui(ui, view, &mut commands);
                grouping_ui(ui, view, &mut commands);
                shown_ui(ui, view, &mut commands);
                if ui.button("Whole run").on_hover_text("Home").clicked() {
                    commands.push(TimelineCommand::Home);
                }
            });
        });
    commands
}

fn search_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    commands: &mut Vec<TimelineCommand>,
) {
    let mut text = view.search.clone();
    let field = ui.add(
        TextEdit::singleline(&mut text)
            .id(search_field_id())
            .hint_text("Search spans  /")
            .desired_width(150.0),
    );
    name(&field, "Search spans");
    if text != view.search {
        commands.push(TimelineCommand::Search(text.clone()));
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
        let back = ui.input(|input| input.modifiers.shift);
        commands.push(TimelineCommand::Hit(step(!back)));
        field.request_focus();
    }
    if !view.search.is_empty() {
        let theme = Theme::of(ui.ctx());
        let hits = timeline.names().find(&view.search).count;
        ui.label(RichText::new(number::counted(hits, "hit")).color(theme.faint));
        if ui.small_button("Previous hit").clicked() {
            commands.push(TimelineCommand::Hit(step(false)));
        }
        if ui.small_button("Next hit").clicked() {
            commands.push(TimelineCommand::Hit(step(true)));
        }
    }
}

fn filter_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    let mut text = view.filter.clone();
    let field = ui.add(
        TextEdit::singleline(&mut text)
            .hint_text("Filter tracks")
            .desired_width(110.0),
    );
    name(&field, "Filter tracks");
    if text != view.filter {
        commands.push(TimelineCommand::Filter(text));
    }
}

fn grouping_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    let combo = ComboBox::from_id_salt("grouping")
        .selected_text(view.grouping.name())
        .show_ui(ui, |ui| {
            for grouping in Grouping::ALL {
                let chosen = view.grouping == grouping;
                if ui.selectable_label(chosen, grouping.name()).clicked() {
                    commands.push(TimelineCommand::Group(grouping));
                }
            }
        });
    name(&combo.response, "Group tracks by");
}

fn shown_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    ui.menu_button("Show", |ui| {
        for overlay in Overlay::ALL {
            let mut shown = view.shows(overlay);
            if ui.checkbox(&mut shown, overlay.name()).clicked() {
                commands.push(TimelineCommand::Toggle(overlay));
            }
        }
        ui.separator();
        if ui.button("Fold all").clicked() {
            commands.push(TimelineCommand::FoldAll);
        }
        if ui.button("Unfold all").clicked() {
            commands.push(TimelineCommand::UnfoldAll);
        }
    });
}
