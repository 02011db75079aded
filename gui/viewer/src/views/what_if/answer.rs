//! What the values of the sliders do: of the estimate at once, of the chosen engine when they rest.

use egui::{Grid, Label, ProgressBar, RichText, Role, Ui};
use look::{Theme, Told, Worth, number, told_value};
use session::{Prediction, doubted, rehearsed_since};

use super::{Tuned, work};
use crate::state::State;
use crate::views::pick::named;
use crate::views::told::Figures;

/// A number of the answer.
struct Quantity {
    label: &'static str,
    /// As `simulate --json` writes it.
    key: &'static str,
    of: fn(&Prediction) -> f64,
    shown: fn(&Prediction) -> String,
    /// Whether more of it is better.
    more_is_better: bool,
}

const QUANTITIES: [Quantity; 4] = [
    Quantity {
        label: "Iteration",
        key: "iteration_time_s",
        of: |one| one.iteration_time_s,
        shown: |one| number::secs(one.iteration_time_s),
        more_is_better: false,
    },
    Quantity {
        label: "Tokens/s",
        key: "tokens_per_s",
        of: |one| one.tokens_per_s,
        shown: |one| number::digits(one.tokens_per_s),
        more_is_better: true,
    },
    Quantity {
        label: "MFU",
        key: "mfu",
        of: |one| one.mfu,
        shown: |one| number::percent(one.mfu),
        more_is_better: true,
    },
    Quantity {
        label: "Memory",
        key: "device_used_bytes",
        of: |one| one.device_used_bytes.as_u64() as f64,
        shown: |one| number::bytes(one.device_used_bytes),
        more_is_better: false,
    },
];

/// Draws both answers.
pub(super) fn answer_ui(ui: &mut Ui, state: &State, tuned: &Tuned) {
    let theme = Theme::of(ui.ctx());
    let found = &state.results.what_if;
    let tuning = state.view.now().what_if.tuning();
    let base = tuned.tuner.base();
    let estimate = found.estimate.as_ref();
    let is_fresh = estimate.is_some_and(|one| one.tuning == tuning);
    let is_moving = |one: &Prediction| doubted(one).is_some();
    let note = match estimate.map(|one| &one.answer) {
        None => "estimating",
        Some(_) if !is_fresh => "stale: of earlier values",
        Some(Err(_)) => "none with these values",
        Some(Ok(_)) if tuning.is_empty() => "the scenario as it is",
        Some(Ok(one)) if is_moving(one) => "while the sliders move",
        Some(Ok(_)) => "with these values",
    };
    head_ui(ui, "Estimate", note, estimate.is_some() && !is_fresh);
    match estimate.map(|one| &one.answer) {
        Some(Ok(now)) => {
            table_ui(ui, "estimate", base, Some(now));
            doubt_ui(ui, now, tuned.tuner.doubt().is_some());
        }
        Some(Err(error)) => {
            ui.label(RichText::new(error).color(theme.bad));
        }
        None => table_ui(ui, "estimate", base, None),
    }
    simulated_ui(ui, state, tuned);
}

/// What formulas are in doubt of, and what was done about it.
fn doubt_ui(ui: &mut Ui, now: &Prediction, is_scaled: bool) {
    let theme = Theme::of(ui.ctx());
    let (text, color) = match (doubted(now), rehearsed_since(now)) {
        (Some(doubt), _) if is_scaled => {
            let text =
                format!("Scaled from the rehearsed scenario until the slider rests: {doubt}");
            (text, theme.warn)
        }
        (Some(doubt), _) => {
            let text = format!("Formulas alone until the slider rests: {doubt}");
            (text, theme.warn)
        }
        (None, Some(doubt)) => (format!("Rehearsed: {doubt}"), theme.faint),
        (None, None) => return,
    };
    ui.add(Label::new(RichText::new(text).small().color(color)).wrap());
}

/// The answer of the chosen engine, where that is another one than the estimate.
fn simulated_ui(ui: &mut Ui, state: &State, tuned: &Tuned) {
    let theme = Theme::of(ui.ctx());
    let engine = tuned.draft.value("settings.engine");
    let engine = engine.unwrap_or_else(|| "flow".to_owned());
    if engine == "estimate" {
        return;
    }
    let tuning = state.view.now().what_if.tuning();
    let title = format!("Engine {engine}");
    let base = work::base_run(state).and_then(|run| run.prediction());
    let found = &state.results.what_if;
    // An answer for a scenario that was edited since says nothing of this one.
    let last = found.simulated.as_ref();
    let last = last.filter(|one| one.of == tuned.draft && base.is_some());
    let now = work::simulated(state, &tuning).filter(|_| base.is_some());
    let going = found.simulating.as_ref();
    let going = going.filter(|going| going.tuning == tuning && now.is_none());
    let of_now = last.filter(|one| one.tuning == tuning && going.is_none());
    let refused = of_now.and_then(|one| one.answer.as_ref().err());
    let note = match (tuning.is_empty(), now, going, last) {
        (true, ..) if base.is_none() => "run the scenario, or move a slider, to see it",
        (true, ..) => "the scenario as it is",
        (false, Some(_), ..) => "simulated",
        (false, None, Some(_), None) => "simulating",
        (false, None, Some(_), Some(_)) => "simulating; below are earlier values",
        (false, None, None, None) => "let the slider go to simulate",
        (false, None, None, Some(_)) if refused.is_some() => "none with these values",
        (false, None, None, Some(_)) => "stale: of earlier values",
    };
    let is_stale = !tuning.is_empty() && now.is_none() && last.is_some() && refused.is_none();
    head_ui(ui, &title, note, is_stale);
    if let Some(going) = going {
        let share = crate::worker::share(&going.control);
        let bar = ui.add(ProgressBar::new(share.unwrap_or(0.0)).desired_height(6.0));
        named(&bar, Role::ProgressIndicator, "Simulating these values");
    }
    if let Some(error) = refused {
        ui.label(RichText::new(error).color(theme.bad));
        return;
    }
    let Some(base) = base else { return };
    let shown = now.or_else(|| last.and_then(|one| one.answer.as_ref().ok()));
    let shown = if tuning.is_empty() {
        Some(base)
    } else {
        shown.and_then(|run| run.prediction())
    };
    table_ui(ui, &engine, base, shown);
}

fn head_ui(ui: &mut Ui, title: &str, note: &str, warns: bool) {
    let theme = Theme::of(ui.ctx());
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).strong());
        let color = if warns { theme.warn } else { theme.faint };
        ui.label(RichText::new(note).small().color(color));
    });
}

/// The width of a number, and what is between two of them, in points.
const NUMBER: f32 = 66.0;
const GAP: f32 = 8.0;
/// A difference with less room than this is told without a word.
const WORDED: f32 = 92.0;

/// A row for each number: what it was, what it is, and the difference.
fn table_ui(ui: &mut Ui, name: &str, base: &Prediction, now: Option<&Prediction>) {
    let figures = Figures::of(base);
    let figures_now = now.map(Figures::of);
    // A grid has the widths of the last frame: where numbers come in, they have their room already.
    let room = ui.available_width() - 3.0 * (NUMBER + GAP);
    Grid::new(("what if", name))
        .num_columns(4)
        .min_col_width(NUMBER.min(ui.available_width() / 4.0 - GAP))
        .spacing(egui::vec2(GAP, 2.0))
        .min_row_height(17.0)
        .show(ui, |ui| {
            for quantity in &QUANTITIES {
                let now = now.zip(figures_now.as_ref());
                row_ui(ui, quantity, (base, &figures), now, room);
            }
        });
}

/// A prediction with its figures explained.
type Explained<'a> = (&'a Prediction, &'a Figures);

fn row_ui(
    ui: &mut Ui,
    quantity: &Quantity,
    base: Explained<'_>,
    now: Option<Explained<'_>>,
    room: f32,
) {
    let theme = Theme::of(ui.ctx());
    ui.spacing_mut().interact_size.y = 17.0;
    ui.label(RichText::new(quantity.label).color(theme.faint));
    let was = told(quantity, base, "as the scenario is");
    told_value(ui, RichText::new(&was.value).color(theme.faint), &was);
    let Some(now) = now else {
        ui.label(RichText::new("…").color(theme.faint));
        ui.end_row();
        return;
    };
    let is = told(quantity, now, "with these values");
    told_value(ui, RichText::new(&is.value).strong(), &is);
    difference_ui(ui, quantity, (base.0, now.0), room);
    ui.end_row();
}

fn difference_ui(
    ui: &mut Ui,
    quantity: &Quantity,
    (base, now): (&Prediction, &Prediction),
    room: f32,
) {
    let theme = Theme::of(ui.ctx());
    let (text, verdict) = difference(quantity, base, now);
    let color = match verdict {
        Verdict::Same => theme.faint,
        Verdict::Better => theme.good,
        Verdict::Worse => theme.bad,
    };
    let is_memory = quantity.label == "Memory";
    let label = if is_memory && !now.fits {
        RichText::new("does not fit").color(theme.bad)
    } else if is_memory && verdict == Verdict::Same {
        RichText::new("fits").color(color)
    } else if is_memory {
        let change = text.trim_end_matches(" better").trim_end_matches(" worse");
        RichText::new(format!("{change}, fits")).color(color)
    } else if room < WORDED {
        let short = match verdict {
            Verdict::Same => "same",
            _ => text.trim_end_matches(" better").trim_end_matches(" worse"),
        };
        RichText::new(short).color(color)
    } else {
        RichText::new(&text).color(color)
    };
    // What has no room must not widen the panel.
    ui.scope(|ui| {
        ui.set_max_width(room.max(30.0));
        ui.add(Label::new(label).truncate()).on_hover_text(&text);
    });
}

/// A number with where it is from.
fn told(quantity: &Quantity, (prediction, figures): Explained<'_>, of: &str) -> Told {
    let label = format!("{}, {of}", quantity.label);
    let value = (quantity.shown)(prediction);
    let mut told = figures.told(quantity.key, &label, value);
    if let Some(doubt) = doubted(prediction) {
        told.worth = Worth::Derived;
        told.source = format!(
            "formulas alone, times what a rehearsal of the scenario found over theirs where it was rehearsed; {doubt}"
        );
    }
    told
}

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Better,
    Worse,
}

fn difference(quantity: &Quantity, base: &Prediction, now: &Prediction) -> (String, Verdict) {
    let (was, is) = ((quantity.of)(base), (quantity.of)(now));
    let change = if was == 0.0 { 0.0 } else { is / was - 1.0 };
    if change.abs() < 5e-5 {
        return ("no change".to_owned(), Verdict::Same);
    }
    let percent = number::signed_percent(change);
    if (0.0 < change) == quantity.more_is_better {
        (format!("{percent} better"), Verdict::Better)
    } else {
        (format!("{percent} worse"), Verdict::Worse)
    }
}
