//! The bar above: search, filter, groups, and what is shown.

use std::sync::Arc;

use egui::{ComboBox, Key, RichText, Role, TextEdit, Ui, WidgetInfo};
use look::{Theme, number};

use crate::command::{Step, TimelineCommand};
use crate::key::Grouping;
use crate::keys::search_field_id;
use crate::timeline::Timeline;
use crate::view::{Overlay, TimelineView};

/// Widths in points from which on everything stands in the bar, and everything but what is rare.
const ROOM: [f32; 2] = [820.0, 420.0];

/// Draws the bar in a row; what has no room goes to a menu.
pub fn toolbar_ui(
    ui: &mut Ui,
    timeline: &Arc<Timeline>,
    view: &TimelineView,
) -> Vec<TimelineCommand> {
    let mut commands = Vec::new();
    let width = ui.available_width();
    let [for_all, for_some] = ROOM;
    ui.horizontal(|ui| {
        search_ui(ui, timeline, view, &mut commands);
        if for_some <= width {
            filter_ui(ui, view, &mut commands);
            grouping_ui(ui, timeline, view, &mut commands);
        }
        if for_all <= width {
            ui.separator();
            folds_ui(ui, &mut commands);
            height_ui(ui, view, &mut commands);
            shown_ui(ui, view, &mut commands);
            ui.separator();
            places_ui(ui, &mut commands);
            return;
        }
        let more = ui.menu_button("More", |ui| {
            ui.set_min_width(180.0);
            if width < for_some {
                filter_ui(ui, view, &mut commands);
                grouping_ui(ui, timeline, view, &mut commands);
                ui.separator();
            }
            folds_ui(ui, &mut commands);
            ui.horizontal(|ui| {
                ui.label("Height of rows");
                height_ui(ui, view, &mut commands);
            });
            ui.separator();
            overlays_ui(ui, view, &mut commands);
            ui.separator();
            places_ui(ui, &mut commands);
        });
        let name = "More of the timeline";
        let more = more.response;
        more.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    });
    commands
}

fn folds_ui(ui: &mut Ui, commands: &mut Vec<TimelineCommand>) {
    for (text, help, command) in [
        ("Fold all", "One row per group", TimelineCommand::FoldAll),
        ("Unfold all", "A row per stream", TimelineCommand::UnfoldAll),
    ] {
        if ui.button(text).on_hover_text(help).clicked() {
            commands.push(command);
        }
    }
}

fn places_ui(ui: &mut Ui, commands: &mut Vec<TimelineCommand>) {
    for (text, help, command) in [
        ("Home", "The whole run (Home)", TimelineCommand::Home),
        (
            "Fit",
            "The selection; twice: nothing but it (F)",
            TimelineCommand::Fit,
        ),
    ] {
        if ui.button(text).on_hover_text(help).clicked() {
            commands.push(command);
        }
    }
}

fn search_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    commands: &mut Vec<TimelineCommand>,
) {
    let theme = Theme::of(ui.ctx());
    let mut text = view.search.clone();
    let field = TextEdit::singleline(&mut text)
        .id(search_field_id())
        .hint_text("Search names (/)")
        .desired_width(130.0);
    let field = ui.add(field).accessible_name("Search names");
    if field.changed() {
        commands.push(TimelineCommand::Search(text));
    }
    let back = ui.input(|input| input.modifiers.shift);
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        let step = if back { Step::Previous } else { Step::Next };
        commands.push(TimelineCommand::Hit(step));
        // One more Enter goes on to the next.
        field.request_focus();
    }
    if view.search.trim().is_empty() {
        return;
    }
    let found = timeline.names().find(&view.search);
    let here = view.selection.span();
    let ordinal = here.and_then(|id| timeline.names().ordinal(timeline.trace(), &found, id));
    let text = match (found.count, ordinal) {
        (0, _) => "no hits".to_owned(),
        (n, Some(at)) => format!("{} of {}", number::count(at), number::counted(n, "hit")),
        (n, None) => number::counted(n, "hit"),
    };
    ui.label(RichText::new(text).color(theme.faint));
    for (text, name, step) in [
        ("‹", "Previous hit", Step::Previous),
        ("›", "Next hit", Step::Next),
    ] {
        let button = ui.add_enabled(found.count != 0, egui::Button::new(text).small());
        button.widget_info(|| WidgetInfo::labeled(Role::Button, found.count != 0, name));
        if button.on_hover_text(name).clicked() {
            commands.push(TimelineCommand::Hit(step));
        }
    }
}

fn filter_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    let mut text = view.filter.clone();
    let field = TextEdit::singleline(&mut text)
        .hint_text("Filter tracks")
        .desired_width(90.0);
    let field = ui.add(field).accessible_name("Filter tracks");
    if field.changed() {
        commands.push(TimelineCommand::Filter(text));
    }
}

fn grouping_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    view: &TimelineView,
    commands: &mut Vec<TimelineCommand>,
) {
    if !timeline.has_ranks() {
        return;
    }
    let placement = timeline.placement();
    let known = |grouping: Grouping| match grouping {
        Grouping::Node => !placement.node_of_rank.is_empty(),
        Grouping::Replica => !placement.replica_of_rank.is_empty(),
        Grouping::Stage | Grouping::None => true,
    };
    let list = ComboBox::from_id_salt("grouping").selected_text(view.grouping.name());
    let shown = list.show_ui(ui, |ui| {
        for grouping in Grouping::ALL.into_iter().filter(|&one| known(one)) {
            let chosen = view.grouping == grouping;
            if ui.selectable_label(chosen, grouping.name()).clicked() {
                commands.push(TimelineCommand::Group(grouping));
            }
        }
    });
    let name = format!("Group lanes by {}", view.grouping.name());
    shown
        .response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &name));
}

fn height_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    for (text, name, factor) in [("−", "Lower rows", 0.8), ("+", "Higher rows", 1.25)] {
        let button = ui.small_button(text);
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
        let help = format!("{name} (Alt and wheel)");
        if button.on_hover_text(help).clicked() {
            commands.push(TimelineCommand::RowHeight(view.row_height * factor));
        }
    }
}

fn shown_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    ui.menu_button("Show", |ui| overlays_ui(ui, view, commands));
}

fn overlays_ui(ui: &mut Ui, view: &TimelineView, commands: &mut Vec<TimelineCommand>) {
    for overlay in Overlay::ALL {
        let mut on = view.shows(overlay);
        if ui.checkbox(&mut on, overlay.name()).changed() {
            commands.push(TimelineCommand::Toggle(overlay));
        }
    }
}
