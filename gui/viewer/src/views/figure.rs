//! What every chart can do: be copied and be saved, with its caption.

use chart::{Figure, FigureResponse, FigureView, Table, csv, csv_of_table, figure_ui, svg};
use egui::Ui;
use look::{Theme, space};

use crate::command::{Command, Content, Export};

/// How a figure leaves the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Form {
    CopyCsv,
    CopyPng,
    CopySvg,
    SaveSvg,
    SavePng,
    SaveCsv,
}

impl Form {
    /// Every form, in the order of menus.
    pub const ALL: [Self; 6] = [
        Self::CopyCsv,
        Self::CopyPng,
        Self::CopySvg,
        Self::SaveSvg,
        Self::SavePng,
        Self::SaveCsv,
    ];

    /// What its entry says.
    pub const fn title(self) -> &'static str {
        match self {
            Self::CopyCsv => "Copy as CSV",
            Self::CopyPng => "Copy as PNG",
            Self::CopySvg => "Copy as SVG",
            Self::SaveSvg => "Save as SVG…",
            Self::SavePng => "Save as PNG…",
            Self::SaveCsv => "Save as CSV…",
        }
    }

    /// The command that brings a figure out.
    pub fn command(self, figure: &Figure) -> Command {
        let name = file_name(&figure.title);
        let svg = || svg(figure, figure.paper(), &Theme::LIGHT);
        match self {
            Self::CopyCsv => Command::Copy(csv(figure)),
            Self::CopyPng => Command::CopyPicture(Box::new(figure.clone())),
            Self::CopySvg => Command::Copy(svg()),
            Self::SaveSvg => export(&name, "svg", Content::Text(svg())),
            Self::SavePng => export(&name, "png", Content::Picture(Box::new(figure.clone()))),
            Self::SaveCsv => export(&name, "csv", Content::Text(csv(figure))),
        }
    }
}

/// The menu of a chart.
///
/// * `figure` — makes the chart, when something is done with it.
pub fn figure_menu_ui(ui: &mut Ui, title: &str, figure: impl Fn() -> Figure) -> Vec<Command> {
    forms_ui(ui, title, |form| form.command(&figure()))
}

/// A menu of all forms; a figure that takes long to make is made after the click.
///
/// * `title` — what is exported.
pub fn forms_ui(ui: &mut Ui, title: &str, command: impl Fn(Form) -> Command) -> Vec<Command> {
    let mut commands = Vec::new();
    let button = ui.menu_button("Export", |ui| {
        for form in Form::ALL {
            if ui.button(form.title()).clicked() {
                commands.push(command(form));
                ui.close();
            }
        }
    });
    button.response.widget_info(|| {
        let label = format!("Export {title}");
        egui::WidgetInfo::labeled(egui::Role::Button, true, label)
    });
    commands
}

/// A figure over all that is left, with its menu at the upper right.
pub fn plate_ui(ui: &mut Ui, figure: &Figure, view: &FigureView) -> (FigureResponse, Vec<Command>) {
    let corner = egui::pos2(ui.max_rect().right() - space::MEDIUM, ui.cursor().min.y);
    let response = figure_ui(ui, figure, view);
    let menu = |ui: &mut Ui| figure_menu_ui(ui, &figure.title, || figure.clone());
    (response, in_corner(ui, corner, &figure.title, menu))
}

/// Draws a menu to the left of and below a corner, without taking room.
pub fn in_corner<T>(
    ui: &mut Ui,
    corner: egui::Pos2,
    salt: &str,
    menu: impl FnOnce(&mut Ui) -> T,
) -> T {
    let rect = egui::Rect::from_min_max(
        corner + egui::vec2(-72.0, 3.0),
        corner + egui::vec2(0.0, 25.0),
    );
    let builder = egui::UiBuilder::new()
        .max_rect(rect)
        .layout(egui::Layout::right_to_left(egui::Align::TOP))
        .id_salt(("menu of", salt));
    // A child of its own: what comes next goes on below the figure, not below its menu.
    menu(&mut ui.new_child(builder))
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
