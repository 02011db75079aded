//! What is known of the selected device or group.

use egui::{RichText, Ui};
use look::{Theme, Told, Worth, number, told_line};
use session::{DeviceView, GroupView, Part};

use super::Command;
use super::scene::Scene;

/// Links that are listed at most.
const LINKS: usize = 40;

/// Draws the card of a device or a group.
///
/// * `of` — what tells the scene from another one.
/// * `shares` — how full the links of each class are.
pub(super) fn card_ui(
    ui: &mut Ui,
    scene: &Scene,
    of: Option<&str>,
    shares: &[f64],
    name: &str,
) -> Vec<Command> {
    let view = &scene.graph.view;
    let mut commands = Vec::new();
    let group = view.groups.iter().find(|group| group.name == name);
    let device = view.devices.iter().find(|device| device.name == name);
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).strong());
        if let Some(group) = group.filter(|group| group.has_parts) {
            let word = if group.is_open {
                "Fold it"
            } else {
                "Unfold it"
            };
            if ui.small_button(word).clicked() {
                commands.push(Command::Toggle(group.id));
            }
        }
        if ui.small_button("Close card").clicked() {
            commands.push(Command::Inspect(None));
        }
    });
    if let Some(of) = of {
        ui.label(RichText::new(format!("Under {of}")).strong());
    }
    let facts = match (group, device) {
        (Some(group), _) => of_group(scene, group),
        (None, Some(device)) => of_device(scene, device),
        (None, None) => {
            let theme = Theme::of(ui.ctx());
            let text = "It lies in a group that is folded.";
            ui.label(RichText::new(text).color(theme.faint));
            return commands;
        }
    };
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.spacing_mut().interact_size.y = 18.0;
        for told in facts {
            told_line(ui, &told);
        }
    });
    let part = match (group, device) {
        (Some(group), _) => Part::Group(group.id),
        (None, Some(device)) => device.part,
        (None, None) => return commands,
    };
    commands.extend(links_ui(ui, scene, shares, part));
    commands
}

fn derived(label: &str, value: String, meaning: &str) -> Told {
    Told::new(label, value, meaning, Worth::Derived, "the cluster file")
}

fn of_group(scene: &Scene, group: &GroupView) -> Vec<Told> {
    let mut facts = Vec::new();
    let counts = super::boxes::counts(group);
    if !counts.is_empty() {
        facts.push(derived("Has", counts, "What lies in the group"));
    }
    if let Some(parent) = group.parent {
        let parent = scene.graph.name(Part::Group(parent)).to_owned();
        facts.push(derived("In", parent, "The group around it"));
    }
    let is_inside = |node: u32| group.members.binary_search(&node).is_ok();
    let ranks = scene.side.ranks.iter().filter(|rank| is_inside(rank.node));
    let ranks: Vec<u32> = ranks.map(|rank| rank.rank).collect();
    facts.extend(ranks_told(&ranks));
    facts
}

fn of_device(scene: &Scene, device: &DeviceView) -> Vec<Told> {
    let level = super::boxes::what(device).to_owned();
    let mut facts = vec![derived("What", level, "Where it stands in the cluster")];
    if let Some(kind) = &device.kind {
        facts.push(derived("Kind", kind.clone(), "The kind of GPU"));
    }
    if (device.speed - 1.0).abs() > 1e-9 {
        facts.push(Told::new(
            "Speed",
            number::percent(device.speed),
            "Share of the speed of its kind",
            Worth::Given,
            "the scenario",
        ));
    }
    let parent = scene.graph.name(Part::Group(device.parent)).to_owned();
    facts.push(derived("In", parent, "The group around it"));
    let ranks = scene.side.ranks.iter();
    let ranks = ranks.filter(|rank| rank.gpu == device.name);
    let ranks: Vec<u32> = ranks.map(|rank| rank.rank).collect();
    facts.extend(ranks_told(&ranks));
    facts
}

fn ranks_told(ranks: &[u32]) -> Option<Told> {
    let (first, last) = (*ranks.first()?, *ranks.last()?);
    let text = if ranks.len() == 1 {
        number::count(u64::from(first))
    } else if (last - first) as usize == ranks.len() - 1 {
        format!("{first} to {last}")
    } else {
        let shown: Vec<String> = ranks.iter().take(6).map(u32::to_string).collect();
        let more = if 6 < ranks.len() { ", …" } else { "" };
        format!("{}{more} ({})", shown.join(", "), ranks.len())
    };
    let label = if ranks.len() == 1 { "Rank" } else { "Ranks" };
    Some(Told::new(
        label,
        text,
        "The ranks of the job that run there",
        Worth::Derived,
        "the plan",
    ))
}

/// The cables that end at a part, the fullest first; a click selects a link.
fn links_ui(ui: &mut Ui, scene: &Scene, shares: &[f64], part: Part) -> Vec<Command> {
    let theme = Theme::of(ui.ctx());
    let mut commands = Vec::new();
    let cables = scene.graph.view.cables.iter().enumerate();
    let mut halves: Vec<(Option<f64>, usize, usize)> = cables
        .filter(|(_, cable)| cable.ends.contains(&part))
        .flat_map(|(at, _)| [0, 1].map(|way| (scene.load(at, way, shares), at, way)))
        .collect();
    halves.sort_by(|a, b| {
        let share = |load: Option<f64>| load.unwrap_or(-1.0);
        share(b.0)
            .total_cmp(&share(a.0))
            .then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    if halves.is_empty() {
        let text = "No cable ends at it; unfold it for those inside.";
        ui.label(RichText::new(text).color(theme.faint));
        return commands;
    }
    ui.add_space(look::space::SMALL);
    ui.label(RichText::new("Links").color(theme.faint));
    for (load, cable, way) in halves.iter().take(LINKS) {
        let links = &scene.graph.view.cables[*cable].links[*way];
        let full = match load {
            _ if scene.graph.view.cables[*cable].is_down => "down".to_owned(),
            Some(load) => number::percent(*load),
            None => "not modelled".to_owned(),
        };
        let n = match links.len() {
            0 | 1 => String::new(),
            n => format!(" ({n})"),
        };
        let text = format!("{}{n}: {full}", scene.graph.way(*cable, *way));
        if ui.link(RichText::new(text).size(12.0)).clicked() {
            commands.push(Command::Select(scene.link(*cable, *way, shares)));
        }
    }
    if LINKS < halves.len() {
        let text = format!(
            "and {} more, all in the table of cables",
            halves.len() - LINKS
        );
        ui.label(RichText::new(text).color(theme.faint));
    }
    commands
}
