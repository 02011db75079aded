//! What is known of the selected link.

use std::ops::Range;

use chart::{Axis, Caption, Figure, FigureView, Layer, Limit, Line, Path, Unit, Xy, figure_ui};
use egui::{RichText, Ui};
use look::{Theme, Told, Worth, number, told_line};
use session::LoadClass;
use trace::Trace;
use units::{Bytes, LinkId, SimTime};

use super::Command;
use super::scene::Scene;
use super::side::Side;
use crate::command::Command as Any;
use crate::views::figure::figure_menu_ui;

/// Samples of the chart at most.
const SAMPLES: usize = 300;

/// What a card is made from.
pub(super) struct Card<'a> {
    pub(super) scene: &'a Scene,
    /// What tells the scene from another one.
    pub(super) of: Option<&'a str>,
    /// The other scenes, with how full their links are now.
    pub(super) others: Vec<(&'a Side, &'a [f64])>,
    pub(super) link: LinkId,
    pub(super) playhead: Option<SimTime>,
    pub(super) window: &'a Range<SimTime>,
    pub(super) caption: Caption,
    /// The timeline's data, in which the link may have a lane; none where it is of another run.
    pub(super) trace: Option<&'a Trace>,
}

/// Draws the card of a link.
pub(super) fn card_ui(ui: &mut Ui, card: &Card<'_>) -> Vec<Any> {
    let theme = Theme::of(ui.ctx());
    let loads = &card.scene.side.loads;
    let cable = card.scene.graph.cable_of(card.link);
    let class = loads.class_of(card.link).map(|class| &loads.classes[class]);
    let title = card.scene.side.fabric.link_name(card.link);
    let mut commands = Vec::new();
    ui.horizontal(|ui| {
        let heading = ui.label(RichText::new(format!("Link {title}")).strong());
        heading.on_hover_text(format!("Link number {}", card.link));
        if ui.small_button("Close card").clicked() {
            commands.push(Any::Topology(Command::Select(None)));
        }
    });
    if let Some(of) = card.of {
        ui.label(RichText::new(format!("Under {of}")).strong());
    }
    let alike = class.and_then(|class| alike(class, &title));
    if let Some(alike) = alike {
        ui.label(RichText::new(alike).color(theme.faint));
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.spacing_mut().interact_size.y = 18.0;
        for told in facts(card, class, cable) {
            told_line(ui, &told);
        }
    });
    let Some(class) = class else {
        let load = |(at, direction)| card.scene.load(at, direction, &[]);
        let is_known = cable.is_none_or(|cable| load(cable).is_some());
        let text = if is_known {
            "It carried nothing in this run.".to_owned()
        } else {
            format!("Its load is {}.", card.scene.why_unknown())
        };
        ui.label(RichText::new(text).color(theme.faint));
        return commands;
    };
    let figure = over_time(&title, class, card.window, &card.caption);
    ui.horizontal(|ui| {
        let Some(trace) = card.trace else {
            let text = "The timeline shows another run";
            ui.label(RichText::new(text).color(theme.faint));
            commands.extend(figure_menu_ui(ui, &figure.title, || figure.clone()));
            return;
        };
        let lane = lane(trace, class);
        let button = ui.add_enabled(
            lane.is_some(),
            egui::Button::new("Show its lane in the timeline"),
        );
        let button =
            button.on_disabled_hover_text("The timeline has lanes of the 64 busiest links");
        if let Some(lane) = lane.filter(|_| button.clicked()) {
            commands.push(Any::Topology(Command::ShowLane(lane)));
        }
        commands.extend(figure_menu_ui(ui, &figure.title, || figure.clone()));
    });
    flows_ui(ui, class, card.playhead);
    let view = FigureView {
        height: Some(150.0),
        cursor: card.playhead.map(|time| time.as_seconds().as_secs()),
        ..FigureView::default()
    };
    let shown = figure_ui(ui, &figure, &view);
    if shown.response.clicked()
        && let Some((x, _)) = shown.cursor
    {
        commands.push(Any::Topology(Command::Playhead(super::moment(x))));
    }
    commands
}

/// For how many links it stands, and by which name they go elsewhere.
fn alike(class: &LoadClass, title: &str) -> Option<String> {
    let n = class.members.len();
    let first = format!("{} {}", class.name, class.direction);
    let like = if first == title {
        String::new()
    } else {
        format!(" like {first}")
    };
    (1 < n).then(|| {
        format!(
            "One of {} that carried the same{like}",
            number::count(n as u64)
        )
    })
}

/// The lane of a class among those of the timeline.
pub(super) fn lane(trace: &Trace, class: &LoadClass) -> Option<u32> {
    let name = format!("{} {}", class.name, class.direction);
    let at = trace.links.iter().position(|link| link.name == name)?;
    u32::try_from(at).ok()
}

fn facts(card: &Card<'_>, class: Option<&LoadClass>, cable: Option<(usize, usize)>) -> Vec<Told> {
    let mut facts = Vec::new();
    let source = format!("the {} engine", card.scene.side.engine);
    if let Some(class) = class {
        let now = card
            .playhead
            .map_or_else(|| class.over(card.window), |time| class.at(time));
        let now = now.min(1.0);
        let label = if card.playhead.is_some() {
            "Used now"
        } else {
            "Used, mean"
        };
        facts.push(
            Told::new(
                label,
                format!("{}, {}", number::percent(now), super::scene::word(now)),
                "Share of its rate that the link carries in this direction",
                Worth::Simulated,
                source.clone(),
            )
            .with_formula("bytes a second / rate"),
        );
        if class.is_fat {
            facts.push(Told::new(
                "Fat pipe",
                "never full",
                "It bounds each transfer by itself, so that transfers do not slow each other down",
                Worth::Given,
                "the platform file",
            ));
        }
    }
    for (other, shares) in &card.others {
        let class = other.loads.class_of(card.link);
        let share = class.and_then(|class| shares.get(class).copied());
        facts.push(Told::new(
            format!("Under {}", other.name),
            number::percent(share.unwrap_or(0.0)),
            "What the same link is used under the other policy, at the same moment or on average",
            Worth::Simulated,
            format!("the {} engine", other.engine),
        ));
    }
    let seen = cable.map(|(at, _)| &card.scene.graph.view.cables[at]);
    let rate = class
        .map(|class| class.rate)
        .or_else(|| seen.map(|cable| cable.rate));
    if let Some(rate) = rate {
        facts.push(Told::new(
            "Rate",
            number::rate(rate),
            "What the link carries in one direction at most",
            Worth::Nominal,
            "the cluster file",
        ));
    }
    if let Some(cable) = seen {
        facts.push(Told::new(
            "Latency",
            number::secs(cable.latency.as_secs()),
            "How long a first byte takes, the switch at its end included",
            Worth::Nominal,
            "the cluster file",
        ));
    }
    if let Some(class) = class {
        facts.push(Told::new(
            "Carried",
            bytes(class.bytes()),
            "In the whole run, in this direction",
            Worth::Simulated,
            source,
        ));
    }
    facts
}

fn bytes(bytes: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a cast saturates"
    )]
    let bytes = bytes.round() as u64;
    number::bytes(Bytes::new(bytes))
}

/// Bytes by what they were for, with what is on the link at the playhead.
fn flows_ui(ui: &mut Ui, class: &LoadClass, playhead: Option<SimTime>) {
    let theme = Theme::of(ui.ctx());
    let now = playhead.map_or_else(Vec::new, |time| class.what_at(time));
    for kind in &class.kinds {
        let rate = now.iter().find(|(what, _)| *what == kind.what);
        let rate = rate.map_or(String::new(), |(_, rate)| {
            format!(", now {}", number::bits_per_sec(*rate))
        });
        let text = format!("{}: {}{rate}", kind.what, bytes(kind.bytes()));
        ui.label(RichText::new(text).color(theme.text).size(12.0));
    }
}

/// How full a link is over time.
fn over_time(name: &str, class: &LoadClass, window: &Range<SimTime>, caption: &Caption) -> Figure {
    let secs = |time: SimTime| time.as_seconds().as_secs();
    let x = Axis::new("Time", Unit::Seconds).fixed(secs(window.start), secs(window.end));
    let y = Axis::new("Used", Unit::Share).fixed(0.0, 1.08);
    let line = Line {
        ink: chart::Ink::Accent,
        path: Path::Steps,
        samples: samples(class, window),
        ..Line::default()
    };
    let full = Limit::new("Full", 1.0);
    let xy = Xy::new(x, y).with(Layer::Limit(full)).with(line);
    let title = format!("Load of {name}");
    Figure::new(title, "moment", xy).with_caption(caption.clone())
}

/// Moments and how full a link is from then on, at most full; averages over equal stretches where it
/// changes too often.
pub fn samples(class: &LoadClass, window: &Range<SimTime>) -> Vec<(f64, f64)> {
    let secs = |time: SimTime| time.as_seconds().as_secs();
    let changes = class
        .kinds
        .iter()
        .flat_map(|kind| kind.points().iter().map(|(at, _)| *at));
    let mut moments: Vec<SimTime> = changes.filter(|at| window.contains(at)).collect();
    moments.sort_unstable();
    moments.dedup();
    if moments.len() <= SAMPLES {
        let first = std::iter::once(window.start);
        let at = |time: SimTime| (secs(time), class.at(time).min(1.0));
        let moments = first.chain(moments).map(at);
        let last = at(window.end);
        return moments.chain(std::iter::once(last)).collect();
    }
    let (start, span) = (
        window.start.as_picos(),
        window.end.as_picos() - window.start.as_picos(),
    );
    let at = |step: usize| {
        let picos = u128::from(span) * step as u128 / SAMPLES as u128;
        SimTime::from_picos(start + u64::try_from(picos).unwrap_or(span))
    };
    let stretches = (0..SAMPLES).map(|step| at(step)..at(step + 1));
    stretches
        .map(|stretch| (secs(stretch.start), class.over(&stretch).min(1.0)))
        .collect()
}
