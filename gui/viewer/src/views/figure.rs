//! What every chart can do: be copied and be saved, with its caption.

use chart::{Figure, FigureResponse, FigureView, Table, csv, csv_of_table, figure_ui, svg};
use egui::Ui;
use look::{Theme, space};

use crate::command::{Command, Content, Export};

/// The size of a chart on paper, in points.
const PAPER: egui::Vec2 = egui::vec2(720.0, 450.0);

/// The menu of a chart.
///
/// * `figure` — makes the chart, when something is done with it.
pub fn figure_menu_ui(ui: &mut Ui, title: &str, figure: impl Fn() -> Figure) -> Vec<Command> {
    let mut commands = Vec::new();
    let name = file_name(title);
    let button = ui.menu_button("Export", |ui| {
        let mut entry = |ui: &mut Ui, text: &str, command: &dyn Fn() -> Command| {
            if ui.button(text).clicked() {
                commands.push(command());
                ui.close();
            }
        };
        let drawn = || svg(&figure(), PAPER, &Theme::LIGHT);
        entry(ui, "Copy as CSV", &|| Command::Copy(csv(&figure())));
        entry(ui, "Copy as SVG", &|| Command::Copy(drawn()));
        entry(ui, "Save as SVG…", &|| {
            export(&name, "svg", Content::Text(drawn()))
        });
        entry(ui, "Save as PNG…", &|| {
            export(&name, "png", Content::Picture(Box::new(figure())))
        });
        entry(ui, "Save as CSV…", &|| {
            export(&name, "csv", Content::Text(csv(&figure())))
        });
    });
    button.response.widget_info(|| {
        let label = format!("Export {title}");
        egui::WidgetInfo::labeled(egui::Role::Button, true, label)
    });
    commands
}

/// A figure over all that is left, with its menu at the upper right.
pub fn plate_ui(ui: &mut Ui, figure: &Figure, view: &FigureView) -> (FigureResponse, Vec<Command>) {
    let (top, right) = (ui.cursor().min.y, ui.max_rect().right());
    let response = figure_ui(ui, figure, view);
    let corner = egui::Rect::from_min_max(
        egui::pos2(right - 80.0, top + 3.0),
        egui::pos2(right - space::MEDIUM, top + 25.0),
    );
    let layout = egui::Layout::right_to_left(egui::Align::TOP);
    let builder = egui::UiBuilder::new()
        .max_rect(corner)
        .layout(layout)
        .id_salt(("menu of", &figure.title));
    // A child of its own: what comes next goes on below the figure, not below its menu.
    let mut menu = ui.new_child(builder);
    let commands = figure_menu_ui(&mut menu, &figure.title, || figure.clone());
    (response, commands)
}

/// The menu of a table that is no twin of a chart.
pub fn table_menu_ui(ui: &mut Ui, table: &Table) -> Vec<Command> {
    let mut commands = Vec::new();
    let button = ui.menu_button("Export", |ui| {
        if ui.button("Copy as CSV").clicked() {
            commands.push(Command::Copy(csv_of_table(table)));
            ui.close();
        }
        if ui.button("Save as CSV…").clicked() {
            let name = file_name(&table.name);
            commands.push(export(&name, "csv", Content::Text(csv_of_table(table))));
            ui.close();
        }
    });
    button.response.widget_info(|| {
        let label = format!("Export {}", table.name);
        egui::WidgetInfo::labeled(egui::Role::Button, true, label)
    });
    commands
}

fn export(name: &str, ending: &str, content: Content) -> Command {
    Command::Export(Export {
        name: format!("{name}.{ending}"),
        content,
    })
}

/// A title as the name of a file.
fn file_name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        "figure".to_owned()
    } else {
        words.join("-")
    }
}
