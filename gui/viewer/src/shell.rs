//! What surrounds the panes: menus, the answer in a row of numbers, what is going on.

use std::collections::BTreeMap;

use egui::{Align, Layout, MenuBar, ProgressBar, RichText, Ui};
use look::{Theme, Told, Worth, number, space, told_ui};

use crate::command::{Command, actions};
use crate::notice::notices_ui;
use crate::palette::RECENT;
use crate::run::{Answer, Run};
use crate::state::{Standing, State};
use crate::views::told::Figures;
use crate::worker::{Going, Slot, share};

/// The menus.
pub fn menus_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let mut commands = Vec::new();
    let actions = actions(state);
    MenuBar::new().ui(ui, |ui| {
        for menu in ["File", "Edit", "Run", "View", "Help"] {
            ui.menu_button(menu, |ui| {
                for action in actions.iter().filter(|action| action.menu == menu) {
                    let name = action.name.as_ref();
                    let is_now = action.is_now(state);
                    let mut button = egui::Button::selectable(is_now, name);
                    if let Some(keys) = action.keys {
                        button = button.shortcut_text(ui.ctx().format_shortcut(&keys));
                    }
                    if ui.add_enabled(action.enabled, button).clicked() {
                        commands.push(action.command.clone());
                        ui.close();
                    }
                }
                if menu == "File" {
                    commands.extend(recent_ui(ui, state));
                }
            });
        }
        if let Some(edits) = &state.document {
            let document = edits.now();
            let mark = if document.is_changed() {
                " (changed)"
            } else {
                ""
            };
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let theme = Theme::of(ui.ctx());
                let title = format!("{}{mark}", document.name());
                ui.label(RichText::new(title).color(theme.faint));
            });
        }
    });
    commands
}

/// The files that were open before, in a menu of their own.
fn recent_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let mut commands = Vec::new();
    let has_some = !state.settings.recent.is_empty();
    ui.add_enabled_ui(has_some, |ui| {
        ui.menu_button(RECENT, |ui| {
            for path in &state.settings.recent {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let folder = path.parent().and_then(std::path::Path::file_name);
                let folder = folder.unwrap_or_default().to_string_lossy();
                let button = ui.button(format!("{folder}/{name}"));
                if button.on_hover_text(path.display().to_string()).clicked() {
                    commands.push(Command::Open(path.clone()));
                    ui.close();
                }
            }
        });
    });
    commands
}

/// The answer in a row of numbers, with the button that runs.
pub fn answer_ui(ui: &mut Ui, state: &State, going: &BTreeMap<Slot, Going>) -> Vec<Command> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    ui.horizontal(|ui| {
        if going.contains_key(&Slot::Run) {
            if ui.button("Stop run").clicked() {
                commands.push(Command::Cancel(Slot::Run));
            }
        } else {
            let is_stale = state.standing() == Standing::Stale;
            let is_due = is_stale || state.results.current.is_none();
            let text = RichText::new("Run");
            let button = if is_due {
                egui::Button::new(text.color(theme.on_accent)).fill(theme.accent)
            } else {
                egui::Button::new(text)
            };
            let n_wrong = state.checked.as_ref().map_or(0, |one| one.failures().len());
            let can_run = state.document.is_some() && n_wrong == 0;
            let n_wrong = number::counted(n_wrong as u64, "error");
            let button = ui
                .add_enabled(can_run, button.min_size(egui::vec2(64.0, 30.0)))
                .on_hover_text("Simulate the scenario as it stands (F5)")
                .on_disabled_hover_text(format!("The scenario has {n_wrong}"));
            if button.clicked() {
                commands.push(Command::Run);
            }
        }
        ui.add_space(space::MEDIUM);
        for told in numbers(state) {
            told_ui(ui, &told);
            ui.add_space(space::MEDIUM);
        }
        match state.standing() {
            Standing::Fresh => {}
            Standing::Stale => {
                ui.label(RichText::new("Stale: edited since").color(theme.warn))
                    .on_hover_text("These numbers are of the scenario before the last edits");
            }
            Standing::Aside(what) => {
                ui.label(RichText::new(format!("Shown: {what}")).color(theme.accent))
                    .on_hover_text("These numbers are not of the scenario that is edited");
                let back = ui.small_button("Back to the scenario");
                if back.on_hover_text("Shows its run again").clicked() {
                    commands.push(Command::Run);
                }
            }
        }
    });
    commands
}

/// The numbers of the run that is shown, with their differences to the base.
fn numbers(state: &State) -> Vec<Told> {
    let Some(run) = &state.results.current else {
        return Vec::new();
    };
    match &run.answer {
        Answer::Training { outcome, .. } => {
            let base = state.results.compared().and_then(|base| base.prediction());
            session_numbers(&outcome.prediction, base)
        }
        Answer::Traffic { answer, .. } => vec![Told::new(
            "Completion",
            number::secs(answer.makespan.as_seconds().as_secs()),
            "When the last byte of all arrived",
            Worth::Simulated,
            format!("the {} engine", run.caption.engine),
        )],
        Answer::File { header, .. } => of_file(run, &header.prediction),
    }
}

/// What a file of a timeline says of the prediction that it is of, as far as it does.
fn of_file(run: &Run, prediction: &serde_json::Value) -> Vec<Told> {
    let source = format!("a timeline that windtunnel {} wrote", run.caption.version);
    let told = |label: &str, value: String, meaning: &str| {
        Told::new(label, value, meaning, Worth::Simulated, source.clone())
    };
    let mut all = vec![told(
        "Iteration time",
        number::secs(run.trace.end.as_seconds().as_secs()),
        "The end of the last span",
    )];
    if let Some(tokens) = prediction["tokens_per_s"].as_f64() {
        let meaning = "Tokens of all replicas that are trained on in a second";
        all.push(told("Tokens a second", number::digits(tokens), meaning));
    }
    if let Some(mfu) = prediction["mfu"].as_f64() {
        let meaning = "Model FLOPs / (iteration time × GPUs × peak)";
        all.push(told("MFU", number::percent(mfu), meaning));
    }
    let bytes = ["device_used_bytes", "device_memory_bytes"]
        .map(|key| prediction[key].as_u64().map(units::Bytes::new));
    if let [Some(used), Some(device)] = bytes {
        let label = if used <= device {
            "Memory, fits"
        } else {
            "Memory, does not fit"
        };
        let value = format!("{} of {}", number::bytes(used), number::bytes(device));
        all.push(told(
            label,
            value,
            "What the fullest GPU uses, of what it has",
        ));
    }
    all
}

fn session_numbers(now: &session::Prediction, base: Option<&session::Prediction>) -> Vec<Told> {
    let figures = Figures::of(now);
    let against = |text: String, of: fn(&session::Prediction) -> f64| {
        let base = base.map(of).filter(|base| *base != 0.0);
        let difference = base.map_or(String::new(), |base| {
            format!("  ({})", number::signed_percent(of(now) / base - 1.0))
        });
        format!("{text}{difference}")
    };
    let memory = if now.fits {
        "Memory, fits"
    } else {
        "Memory, does not fit"
    };
    let used = format!(
        "{} of {}",
        number::bytes(now.device_used_bytes),
        number::bytes(now.device_memory_bytes)
    );
    let time = number::secs(now.iteration_time_s);
    let tokens = number::digits(now.tokens_per_s);
    let mfu = number::percent(now.mfu);
    vec![
        figures.told(
            "iteration_time_s",
            "Iteration time",
            against(time, |of| of.iteration_time_s),
        ),
        figures.told(
            "tokens_per_s",
            "Tokens a second",
            against(tokens, |of| of.tokens_per_s),
        ),
        figures.told("mfu", "MFU", against(mfu, |of| of.mfu)),
        figures.told("device_used_bytes", memory, used),
    ]
}

/// Messages and what is going on.
pub fn status_ui(ui: &mut Ui, state: &State, going: &BTreeMap<Slot, Going>) -> Vec<Command> {
    let mut commands: Vec<Command> = notices_ui(ui, &state.notices)
        .into_iter()
        .map(Command::CloseNotice)
        .collect();
    let theme = Theme::of(ui.ctx());
    ui.horizontal(|ui| {
        let shown = going.iter().filter(|(slot, _)| slot.is_shown());
        let mut is_idle = true;
        for (slot, going) in shown {
            is_idle = false;
            ui.label(&going.what);
            if let Some(share) = share(&going.control) {
                ui.add(ProgressBar::new(share).desired_width(120.0));
            }
            if *slot == Slot::Run {
                // Its button stands above, in the place of the one that runs.
                continue;
            }
            let stop = ui.small_button(format!("Stop {slot:?}").to_lowercase());
            if stop.clicked() {
                commands.push(Command::Cancel(*slot));
            }
        }
        if is_idle {
            ui.label(RichText::new("Ready").color(theme.faint));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(run) = &state.results.current {
                let line = caption_line(&run.caption);
                ui.label(RichText::new(line).color(theme.faint));
            }
        });
    });
    commands
}

/// The caption of a run as a phrase.
fn caption_line(caption: &chart::Caption) -> String {
    let seed = caption.seed;
    let seed = seed.map_or(String::new(), |seed| format!(", seed {seed}"));
    format!(
        "{}, engine {}{seed}, windtunnel {}",
        caption.scenario, caption.engine, caption.version
    )
}
