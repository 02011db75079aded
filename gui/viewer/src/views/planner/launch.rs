//! The files that start a plan: chosen, read, then saved.

use std::path::PathBuf;

use egui::{RichText, Role, ScrollArea, TextEdit, Ui};
use look::{Theme, number, space};
use session::{Bundle, Consumer, Existing, LaunchFile};

use super::row::PlanRow;
use super::search::Searched;
use super::work::named_consumer;
use super::{Command, Launch, wrapped};
use crate::command::Command as Any;
use crate::state::State;
use crate::views::pick::{named, pick_ui};

/// Shows the launch files of the selected plan.
pub(super) fn launch_ui(ui: &mut Ui, state: &State, searched: &Searched) -> Vec<Any> {
    let view = &state.view.now().planner;
    let id = view.selected.unwrap_or(0);
    let Some(row) = searched.row(id) else {
        crate::views::empty_ui(ui, "No plan is selected", "Select one in the table.");
        return Vec::new();
    };
    let consumer = named_consumer(&view.consumer);
    let launch = state.results.planner.launch.as_deref();
    let launch = launch.filter(|launch| launch.plan == id && launch.consumer == consumer.name());
    let mut commands = choose_ui(ui, row, consumer, launch.is_none());
    match launch.map(|launch| (launch, &launch.result)) {
        None => crate::views::empty_ui(
            ui,
            "No launch files yet",
            "Make the files of this plan for the consumer above.",
        ),
        Some((_, Err(error))) => {
            let theme = Theme::of(ui.ctx());
            ui.label(RichText::new(error).color(theme.bad));
        }
        Some((launch, Ok(bundle))) => commands.extend(bundle_ui(ui, state, launch, bundle)),
    }
    commands
}

fn choose_ui(ui: &mut Ui, row: &PlanRow, consumer: Consumer, makes: bool) -> Vec<Any> {
    let mut commands = Vec::new();
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        ui.label(format!("Plan {}: {}", row.name(), row.label()));
        let text = |consumer: Consumer| consumer.name().to_owned();
        let chosen = pick_ui(ui, "For", consumer, &Consumer::ALL, text);
        commands.extend(chosen.map(|to| wrapped(Command::Launch(row.id, to.name()))));
        if makes && ui.button("Make files").clicked() {
            commands.push(wrapped(Command::Launch(row.id, consumer.name())));
        }
    });
    commands
}

/// The files of a bundle, one of them to read.
fn bundle_ui(ui: &mut Ui, state: &State, launch: &Launch, bundle: &Bundle) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let view = &state.view.now().planner;
    let mut commands = save_ui(ui, state, launch, bundle);
    for warning in &bundle.warnings {
        ui.label(RichText::new(warning).color(theme.warn));
    }
    let at = view.file.min(bundle.files.len().saturating_sub(1));
    egui::Panel::left("launch files")
        .resizable(false)
        .exact_size(190.0)
        .show(ui, |ui| {
            for (index, file) in bundle.files.iter().enumerate() {
                let label = ui
                    .selectable_label(index == at, file.name)
                    .on_hover_text(about(file));
                if label.clicked() {
                    commands.push(wrapped(Command::ReadFile(index)));
                }
            }
        });
    egui::CentralPanel::no_frame().show(ui, |ui| {
        if let Some(file) = bundle.files.get(at) {
            commands.extend(read_ui(ui, file));
        }
    });
    commands
}

fn about(file: &LaunchFile) -> String {
    let kind = if file.is_script() {
        "a script to run"
    } else {
        "a file that a program reads"
    };
    let lines = number::counted(file.text.lines().count() as u64, "line");
    format!("{kind}, {lines}")
}

fn read_ui(ui: &mut Ui, file: &LaunchFile) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        ui.label(RichText::new(about(file)).color(theme.faint));
        if ui.button("Copy this file").clicked() {
            commands.push(Any::Copy(file.text.clone()));
        }
    });
    ScrollArea::both()
        .id_salt(("launch file", file.name))
        .auto_shrink(false)
        .show(ui, |ui| {
            let mut text = file.text.as_str();
            let shown = ui.add(
                TextEdit::multiline(&mut text)
                    .code_editor()
                    .desired_width(f32::INFINITY),
            );
            named(
                &shown,
                Role::MultilineTextInput,
                &format!("Text of {}", file.name),
            );
        });
    commands
}

/// Where the files go.
fn save_ui(ui: &mut Ui, state: &State, launch: &Launch, bundle: &Bundle) -> Vec<Any> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    let typed = &state.view.now().planner.folder;
    let replaces_id = egui::Id::unique("launch files replace others");
    let mut replaces: bool = ui.data(|data| data.get_temp(replaces_id)).unwrap_or(false);
    ui.horizontal_wrapped(|ui| {
        ui.add_space(space::SMALL);
        ui.label(RichText::new("Folder").color(theme.faint));
        let mut text = if typed.is_empty() {
            usual_folder(state, launch).display().to_string()
        } else {
            typed.clone()
        };
        let field = ui.add(TextEdit::singleline(&mut text).desired_width(300.0));
        named(&field, Role::TextInput, "Folder of the launch files");
        if field.changed() {
            commands.push(wrapped(Command::TypeFolder(text.clone())));
        }
        if ui.button("Choose…").clicked() {
            commands.push(wrapped(Command::AskFolder));
        }
        if ui
            .checkbox(&mut replaces, "Replace files that are there")
            .changed()
        {
            ui.data_mut(|data| data.insert_temp(replaces_id, replaces));
        }
        let existing = if replaces {
            Existing::Replace
        } else {
            Existing::Refuse
        };
        let save = format!("Save all {} files", bundle.files.len());
        if ui.button(save).clicked() {
            let folder = PathBuf::from(text.trim());
            commands.push(wrapped(Command::SaveLaunch(folder, existing)));
        }
    });
    ui.add_space(space::SMALL);
    commands
}

/// A folder named for the scenario in the working directory, and one in it for who reads the files.
fn usual_folder(state: &State, launch: &Launch) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let name = state.draft().map_or("scenario", |draft| draft.name());
    let safe = |letter: char| {
        if letter.is_alphanumeric() || "-_.".contains(letter) {
            letter
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(safe).collect();
    here.join(name).join(format!("launch-{}", launch.consumer))
}
