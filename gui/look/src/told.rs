//! Numbers that explain themselves.

use egui::{Id, Response, RichText, Role, Sense, Ui, WidgetInfo, WidgetText};

use crate::{Theme, space};

/// How well a number is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Somebody measured just this.
    Measured,
    /// Between measured points, or from a fit to them.
    Interpolated,
    /// Beyond all measured points.
    Extrapolated,
    /// From a data sheet.
    Nominal,
    /// Follows from the scenario by a formula or by counting.
    Derived,
    /// What an engine found.
    Simulated,
    /// What the user wrote.
    Given,
    /// What was taken because nobody said.
    Assumed,
}

impl Worth {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Extrapolated => "extrapolated",
            Self::Nominal => "nominal",
            Self::Derived => "derived",
            Self::Simulated => "simulated",
            Self::Given => "given",
            Self::Assumed => "assumed",
        }
    }
}

/// A number with what it means and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is called.
    pub label: String,
    /// The number with its unit.
    pub value: String,
    /// What it means, in a sentence.
    pub meaning: String,
    /// How it follows from others.
    pub formula: Option<String>,
    /// How well it is founded.
    pub worth: Worth,
    /// On what: a table, a data sheet, a field, an engine.
    pub source: String,
    /// Within what the truth lies, and how often.
    pub interval: Option<String>,
}

impl Told {
    /// A number of which no formula and no interval is known.
    pub fn new(
        label: impl Into<String>,
        value: impl Into<String>,
        meaning: impl Into<String>,
        worth: Worth,
        source: impl Into<String>,
    ) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            meaning: meaning.into(),
            formula: None,
            worth,
            source: source.into(),
            interval: None,
        }
    }

    /// The same with its formula.
    #[must_use]
    pub fn with_formula(mut self, formula: impl Into<String>) -> Self {
        self.formula = Some(formula.into());
        self
    }

    /// The same with its interval.
    #[must_use]
    pub fn with_interval(mut self, interval: impl Into<String>) -> Self {
        self.interval = Some(interval.into());
        self
    }

    /// Everything as lines of text: what the card shows, for readers who cannot see it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.label, self.value)];
        lines.push(self.meaning.clone());
        if let Some(formula) = &self.formula {
            lines.push(formula.clone());
        }
        if let Some(interval) = &self.interval {
            lines.push(format!("interval: {interval}"));
        }
        lines.push(format!("{}: {}", self.worth.name(), self.source));
        lines
    }
}

/// A number as a large figure under its label; hovering or focusing it shows the card.
pub fn told_ui(ui: &mut Ui, told: &Told) -> Response {
    let theme = Theme::of(ui.ctx());
    let shown = ui.scope(|ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(&told.label).small().color(theme.faint));
            ui.label(RichText::new(&told.value).size(17.0).color(theme.text));
        });
    });
    explained(ui, &shown.response, told)
}

/// A number in a line of text: its label to the left, the value to the right.
pub fn told_line(ui: &mut Ui, told: &Told) -> Response {
    let theme = Theme::of(ui.ctx());
    let shown = ui.horizontal(|ui| {
        ui.label(RichText::new(&told.label).color(theme.faint));
        ui.label(RichText::new(&told.value).color(theme.text));
    });
    explained(ui, &shown.response, told)
}

/// A number alone, written in its own way; hovering or focusing it shows the card.
pub fn told_value(ui: &mut Ui, text: impl Into<WidgetText>, told: &Told) -> Response {
    let shown = ui.label(text);
    explained_as(ui, &shown, told, shown.id.with("told"))
}

/// Makes what was drawn answer to pointer, focus and readers.
fn explained(ui: &Ui, shown: &Response, told: &Told) -> Response {
    let id = ui.scope_id().with(("told", &told.label));
    explained_as(ui, shown, told, id)
}

fn explained_as(ui: &Ui, shown: &Response, told: &Told, id: Id) -> Response {
    let response = ui.interact(
        shown.rect,
        id,
        Sense::focusable_noninteractive() | Sense::hover(),
    );
    response.widget_info(|| {
        let name = format!("{} {}", told.label, told.value);
        WidgetInfo::labeled(Role::Label, true, name)
    });
    if response.has_focus() {
        let theme = Theme::of(ui.ctx());
        ui.painter().rect_stroke(
            response.rect.expand(2.0),
            3.0,
            egui::Stroke::new(1.5, theme.accent),
            egui::StrokeKind::Outside,
        );
    }
    response.on_hover_ui(|ui| told_card(ui, told))
}

/// The card alone, for what is painted and hovered elsewhere.
pub fn told_card(ui: &mut Ui, told: &Told) {
    let theme = Theme::of(ui.ctx());
    ui.set_max_width(360.0);
    ui.label(RichText::new(format!("{}  {}", told.label, told.value)).strong());
    ui.label(WidgetText::from(&told.meaning));
    if let Some(formula) = &told.formula {
        ui.add_space(space::SMALL);
        ui.label(RichText::new(formula).monospace());
    }
    ui.add_space(space::SMALL);
    let row = |ui: &mut Ui, what: &str, text: &str| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(what).color(theme.faint));
            ui.label(text);
        });
    };
    if let Some(interval) = &told.interval {
        row(ui, "interval", interval);
    }
    row(ui, told.worth.name(), &told.source);
}
