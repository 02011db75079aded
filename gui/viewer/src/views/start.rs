//! The page without a document: examples, recent files, what can be opened.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, Context, FontId, Id, Order, Rect, RichText, Role, ScrollArea, Sense, TextStyle, Ui,
    UiBuilder, WidgetInfo,
};
use look::{Theme, space};
use session::{Draft, Example};

use super::scenario::focus_ring;
use crate::command::Command;
use crate::state::State;

/// The widest that the page gets, in points.
const WIDTH: f32 = 1080.0;

/// The examples, read once.
pub(crate) static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(Draft::examples);

/// Draws the start page.
pub fn start_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let mut commands = Vec::new();
    let theme = Theme::of(ui.ctx());
    ui.painter().rect_filled(ui.max_rect(), 0.0, theme.ground);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let all = ui.available_rect_before_wrap();
        let margin = ((all.width() - WIDTH) / 2.0).max(24.0);
        let page = Rect::from_x_y_ranges(
            all.left() + margin..=all.right() - margin,
            all.top() + 32.0..=all.bottom(),
        );
        ui.scope_builder(UiBuilder::new().max_rect(page), |ui| {
            commands.extend(page_ui(ui, state));
            ui.add_space(32.0);
        });
    });
    commands
}

fn page_ui(ui: &mut Ui, state: &State) -> Vec<Command> {
    let theme = Theme::of(ui.ctx());
    ui.label(RichText::new("Windtunnel").size(28.0).strong());
    let about = "Which configuration to run, how fast it goes, whether it fits, and what the network does to it.";
    ui.label(RichText::new(about).size(14.0).color(theme.faint));
    ui.add_space(space::LARGE);
    let mut commands: Vec<Command> = open_ui(ui).into_iter().collect();
    if !state.settings.recent.is_empty() {
        ui.add_space(space::LARGE);
        ui.heading("Recent files");
        for path in &state.settings.recent {
            commands.extend(recent_ui(ui, path));
        }
    }
    ui.add_space(space::LARGE);
    commands.extend(examples_ui(ui));
    commands
}

fn open_ui(ui: &mut Ui) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let mut clicked = false;
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new("Open file…").color(theme.on_accent);
        let button = egui::Button::new(text).fill(theme.accent);
        clicked = ui.add(button.min_size(egui::vec2(96.0, 30.0))).clicked();
        let hint =
            "or drop a scenario (.toml), a timeline (.wtt) or measured runs (.csv) anywhere here";
        ui.label(RichText::new(hint).color(theme.faint));
    });
    clicked.then_some(Command::AskOpen)
}

/// A file that was open before: its name, and its folder behind it.
fn recent_ui(ui: &mut Ui, path: &Path) -> Option<Command> {
    let theme = Theme::of(ui.ctx());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().map(Path::display);
    let folder = folder.map(|folder| folder.to_string()).unwrap_or_default();
    let mut clicked = false;
    ui.horizontal(|ui| {
        clicked = ui
            .link(name.as_ref())
            .on_hover_text(path.display().to_string())
            .clicked();
        let folder = RichText::new(folder).small().color(theme.faint);
        ui.add(egui::Label::new(folder).truncate());
    });
    clicked.then(|| Command::Open(path.to_owned()))
}

fn examples_ui(ui: &mut Ui) -> Vec<Command> {
    let mut commands = Vec::new();
    ui.heading("Examples");
    ui.add_space(space::SMALL);
    let gap = 10.0;
    let columns = match ui.available_width() {
        width if width < 560.0 => 1,
        width if width < 860.0 => 2,
        _ => 3,
    };
    let width = (ui.available_width() - gap * (columns - 1) as f32) / columns as f32;
    ui.spacing_mut().item_spacing = egui::vec2(gap, gap);
    for row in EXAMPLES.chunks(columns) {
        let heights = row
            .iter()
            .map(|example| Card::new(ui, width, example).height());
        let height = heights.fold(0.0, f32::max);
        ui.horizontal(|ui| {
            for example in row {
                if card_ui(ui, egui::vec2(width, height), example) {
                    commands.push(Command::OpenExample(example.name.to_owned()));
                }
            }
        });
    }
    commands
}

/// Between the edge of a card and its text.
const PAD: f32 = 12.0;

/// The text of a card, laid out.
struct Card {
    title: Arc<egui::Galley>,
    about: Arc<egui::Galley>,
    /// What is told of the example, without marks of names that mean nothing here.
    plain: String,
}

impl Card {
    /// Between the title and what is told.
    const GAP: f32 = 4.0;

    fn new(ui: &Ui, width: f32, example: &Example) -> Self {
        const ROWS: usize = 8;
        let theme = Theme::of(ui.ctx());
        let plain = example.about.replace('`', "");
        let inner = width - 2.0 * PAD;
        let title = FontId::proportional(14.0);
        let body = TextStyle::Body.resolve(ui.style());
        Self {
            title: elided(ui, example.title, (title, theme.text), inner, 1),
            about: elided(ui, &plain, (body, theme.faint), inner, ROWS),
            plain,
        }
    }

    fn height(&self) -> f32 {
        self.title.size().y + Self::GAP + self.about.size().y + 2.0 * PAD
    }
}

/// A card that can be clicked; whether it was. Cards of a row have one height.
fn card_ui(ui: &mut Ui, size: egui::Vec2, example: &Example) -> bool {
    let theme = Theme::of(ui.ctx());
    let text = Card::new(ui, size.x, example);
    let (rect, card) = ui.allocate_exact_size(size, Sense::click());
    card.widget_info(|| {
        WidgetInfo::labeled(Role::Button, true, format!("Example {}", example.title))
    });
    ui.ctx().accesskit_node_builder(card.id, |node| {
        node.set_description(text.plain.as_str());
    });
    if !ui.is_rect_visible(rect) {
        return card.clicked();
    }
    let fill = if card.hovered() {
        theme.raised
    } else {
        theme.panel
    };
    let stroke = egui::Stroke::new(1.0, theme.line);
    ui.painter()
        .rect(rect, 6.0, fill, stroke, egui::StrokeKind::Inside);
    let inner = rect.min + egui::Vec2::splat(PAD);
    let below = inner + egui::vec2(0.0, text.title.size().y + Card::GAP);
    ui.painter().galley(inner, text.title, theme.text);
    let is_cut = text.about.elided;
    ui.painter().galley(below, text.about, theme.faint);
    focus_ring(ui, &card);
    let card = card.on_hover_cursor(egui::CursorIcon::PointingHand);
    // What stands on the card need not be said again.
    if is_cut {
        card.on_hover_text(text.plain).clicked()
    } else {
        card.clicked()
    }
}

/// Text in at most so many rows.
fn elided(
    ui: &Ui,
    text: &str,
    (font, color): (FontId, Color32),
    width: f32,
    rows: usize,
) -> Arc<egui::Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, color));
    job.wrap.max_width = width;
    job.wrap.max_rows = rows;
    job.wrap.break_anywhere = false;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// While files hover over the window: what letting them go does.
pub fn drop_ui(ctx: &Context) {
    let names: Vec<String> = ctx.input(|input| {
        let files = input.raw.hovered_files.iter();
        files
            .map(|file| {
                let name = file.path.as_deref().and_then(Path::file_name);
                name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            })
            .collect()
    });
    if names.is_empty() {
        return;
    }
    let theme = Theme::of(ctx);
    let rect = ctx.content_rect();
    let area = egui::Area::new(Id::unique("drop"))
        .order(Order::Foreground)
        .fixed_pos(rect.min)
        .interactable(false);
    area.show(ctx, |ui| {
        ui.set_min_size(rect.size());
        let painter = ui.painter();
        painter.rect_filled(rect, 0.0, theme.ground.gamma_multiply(0.9));
        painter.rect_stroke(
            rect.shrink(12.0),
            8.0,
            egui::Stroke::new(2.0, theme.accent),
            egui::StrokeKind::Inside,
        );
        ui.vertical_centered(|ui| {
            ui.add_space(rect.height() / 2.0 - 30.0);
            ui.label(RichText::new("Drop to open").size(22.0));
            ui.label(
                RichText::new(names.join(", "))
                    .size(14.0)
                    .color(theme.faint),
            );
        });
    });
}
