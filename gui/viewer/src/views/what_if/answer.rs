//! What the values of the sliders do: of the closed form at once, of the chosen engine when they rest.

use egui::{Grid, RichText, Ui};
use look::{Theme, number};
use session::Prediction;

use super::{Tuned, work};
use crate::state::State;

/// A number of the answer.
struct Quantity {
    label: &'static str,
    help: &'static str,
    of: fn(&Prediction) -> f64,
    shown: fn(&Prediction) -> String,
    /// Whether more of it is better.
    more_is_better: bool,
}

const QUANTITIES: [Quantity; 4] = [
    Quantity {
        label: "Iteration time",
        help: "From the first kernel of an iteration to the end of the optimizer's step",
        of: |one| one.iteration_time_s,
        shown: |one| number::secs(one.iteration_time_s),
        more_is_better: false,
    },
    Quantity {
        label: "Tokens a second",
        help: "Of all GPUs together: global batch × sequence / iteration time",
        of: |one| one.tokens_per_s,
        shown: |one| number::digits(one.tokens_per_s),
        more_is_better: true,
    },
    Quantity {
        label: "MFU",
        help: "Model FLOPs / (iteration time × GPUs × peak of the data sheet)",
        of: |one| one.mfu,
        shown: |one| number::percent(one.mfu),
        more_is_better: true,
    },
    Quantity {
        label: "Memory",
        help: "Of the fullest GPU, with the allocator's reserve, context and communicators",
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
    let note = match (tuning.is_empty(), is_fresh) {
        (true, _) => "the scenario as it is",
        (false, true) => "while the sliders move",
        (false, false) => "stale: of earlier values",
    };
    head_ui(ui, "Estimate", note, !tuning.is_empty() && !is_fresh);
    match estimate.map(|one| &one.answer) {
        Some(Ok(now)) => table_ui(ui, "estimate", base, Some(now)),
        Some(Err(error)) => {
            ui.label(RichText::new(error).color(theme.bad));
        }
        None => table_ui(ui, "estimate", base, None),
    }
    simulated_ui(ui, state, tuned);
}

/// The answer of the chosen engine, where that is another one than the closed form.
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
    let Some(base) = base else {
        head_ui(ui, &title, "run the scenario to compare with it", true);
        return;
    };
    let last = state.results.what_if.simulated.as_ref();
    let now = work::simulated(state, &tuning);
    let note = match (tuning.is_empty(), now, last) {
        (true, ..) => "the scenario as it is",
        (false, Some(_), _) => "simulated",
        (false, None, None) => "let the slider go to simulate",
        (false, None, Some(_)) => "stale: of earlier values",
    };
    let is_stale = !tuning.is_empty() && now.is_none() && last.is_some();
    head_ui(ui, &title, note, is_stale);
    if let Some(Err(error)) = last
        .filter(|one| one.tuning == tuning)
        .map(|one| &one.answer)
    {
        ui.label(RichText::new(error).color(theme.bad));
        return;
    }
    let shown = now.or_else(|| last.and_then(|one| one.answer.as_ref().ok()));
    let shown = shown.filter(|_| !tuning.is_empty());
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

/// A row for each number: what it was, what it is, and the difference.
fn table_ui(ui: &mut Ui, name: &str, base: &Prediction, now: Option<&Prediction>) {
    Grid::new(("what if", name))
        .num_columns(4)
        .spacing(egui::vec2(10.0, 2.0))
        .min_row_height(17.0)
        .show(ui, |ui| {
            for quantity in &QUANTITIES {
                row_ui(ui, quantity, base, now);
            }
        });
}

fn row_ui(ui: &mut Ui, quantity: &Quantity, base: &Prediction, now: Option<&Prediction>) {
    let theme = Theme::of(ui.ctx());
    ui.spacing_mut().interact_size.y = 17.0;
    let label = ui.label(RichText::new(quantity.label).color(theme.faint));
    label.on_hover_text(quantity.help);
    let was = ui.label(RichText::new((quantity.shown)(base)).color(theme.faint));
    was.on_hover_text("The scenario as it is");
    let Some(now) = now else {
        ui.label(RichText::new("…").color(theme.faint));
        ui.end_row();
        return;
    };
    ui.label(RichText::new((quantity.shown)(now)).strong());
    let (text, verdict) = difference(quantity, base, now);
    let color = match verdict {
        Verdict::Same => theme.faint,
        Verdict::Better => theme.good,
        Verdict::Worse => theme.bad,
    };
    let is_memory = quantity.label == "Memory";
    if is_memory && !now.fits {
        ui.label(RichText::new("does not fit").color(theme.bad));
    } else if is_memory && verdict == Verdict::Same {
        ui.label(RichText::new("fits").color(color));
    } else {
        let fits = if is_memory { ", fits" } else { "" };
        ui.label(RichText::new(format!("{text}{fits}")).color(color));
    }
    ui.end_row();
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
