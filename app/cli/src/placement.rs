//! Which node takes which place of the best plans: a section of the report, and its JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use session::{Order, Placed, Planned};
use units::NodeId;

use crate::number::{count, duration, percent};
use crate::plan_report::signed;
use crate::table::{Side, Table};
use crate::terminal::Terminal;

/// Rows of nodes that are shown of an order.
const ROWS: usize = 8;
/// Nodes on a line where they do not stand in rows of stages.
const PER_LINE: usize = 16;

/// The section; empty where nothing was placed.
pub(crate) fn section(planned: &Planned, terminal: &Terminal) -> String {
    if planned.placed.is_empty() {
        return String::new();
    }
    let mut text = String::from("## Placement\n");
    if !planned.measured.is_empty() {
        let names = names(planned).join(", ");
        let _ = write!(text, "\nLinks between nodes as in {names}.\n");
    }
    let orders = || {
        let placed = planned.placed.iter();
        placed.filter_map(|one| Some((one, one.outcome.as_ref().ok()?)))
    };
    let mut table = Table::new(&[
        ("Plan", Side::Right),
        ("Nodes as numbered", Side::Right),
        ("Ordered", Side::Right),
        ("Gain", Side::Right),
        ("Under the closed form", Side::Left),
    ]);
    for (one, order) in orders() {
        table.row(row(one, order));
    }
    if !table.is_empty() {
        let _ = write!(text, "\n{}", table.render(terminal.width));
    }
    if let Some((_, best)) = orders().find(|(one, _)| one.plan == 0) {
        text.push_str(&rows(best));
    }
    text.push_str(&reasons(planned));
    text
}

/// Why the nodes of some plans were not ordered, each reason once.
fn reasons(planned: &Planned) -> String {
    let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
    for one in &planned.placed {
        let Err(reason) = &one.outcome else { continue };
        let (reason, plan) = (reason.to_string(), (one.plan + 1).to_string());
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, plans)) => plans.push(plan),
            None => by_reason.push((reason, vec![plan])),
        }
    }
    let mut text = String::new();
    for (reason, plans) in by_reason {
        let noun = if plans.len() == 1 { "Plan" } else { "Plans" };
        let _ = write!(text, "\n{noun} {}: {reason}.\n", plans.join(", "));
    }
    text
}

fn row(one: &Placed, order: &Order) -> [String; 5] {
    let gain = if order.is_taken {
        signed(order.gain())
    } else {
        "the numbered order stays".to_owned()
    };
    let model = &order.model;
    let quality = if model.is_proven() {
        "proven: no order is better".to_owned()
    } else {
        format!("at most {} above the best", percent(model.gap()))
    };
    let tried = count(model.evaluations);
    [
        (one.plan + 1).to_string(),
        duration(order.before),
        duration(order.found),
        gain,
        format!("{quality} ({tried} tried)"),
    ]
}

/// The order of the best plan, a line for each row of stages.
fn rows(order: &Order) -> String {
    let line = |nodes: &[NodeId]| {
        let names: Vec<String> = nodes.iter().map(|node| format!("n{node}")).collect();
        format!("    {}\n", names.join(" "))
    };
    let (head, each) = match order.stages {
        None => ("The best plan's nodes, in the order of its ranks", PER_LINE),
        Some(1) => (
            "The best plan's nodes, in the order of its data-parallel ring",
            order.nodes.len(),
        ),
        Some(stages) => (
            "The best plan's nodes, from the first stage to the last, a line a row",
            stages as usize,
        ),
    };
    let all = order.nodes.chunks(each.max(1));
    let hidden = all.len().saturating_sub(ROWS);
    let mut text = format!("\n{head}:\n\n");
    text.extend(all.take(ROWS).map(line));
    if 0 < hidden {
        let _ = writeln!(text, "    and {hidden} more, all in `--json`");
    }
    if !order.spare.is_empty() {
        let spare = line(&order.spare);
        let _ = write!(text, "\nNodes that it leaves out:\n\n{spare}");
    }
    text
}

/// The same for programs.
pub(crate) fn json(planned: &Planned) -> Value {
    let plans: Vec<Value> = planned.placed.iter().map(one).collect();
    json!({
        "bandwidth": names(planned),
        "bandwidth_in_scenario_toml": planned.carries_rates(),
        "plans": plans,
    })
}

/// Names of the measurements that were given.
fn names(planned: &Planned) -> Vec<&str> {
    let all = planned.measured.iter();
    all.map(|one| one.name.as_str()).collect()
}

fn one(placed: &Placed) -> Value {
    match &placed.outcome {
        Err(reason) => json!({ "plan": placed.plan, "not_ordered": reason.to_string() }),
        Ok(order) => {
            let model = &order.model;
            let numbers =
                |nodes: &[NodeId]| -> Vec<u32> { nodes.iter().map(|node| node.get()).collect() };
            json!({
                "plan": placed.plan,
                "nodes": numbers(&order.nodes),
                "stages": order.stages,
                "spare": numbers(&order.spare),
                "iteration_time_s_as_numbered": order.before,
                "iteration_time_s_ordered": order.found,
                "taken": order.is_taken,
                "gain": order.gain(),
                "model": {
                    "as_numbered_s": model.given.as_secs(),
                    "ordered_s": model.cost.as_secs(),
                    "bound_s": model.bound.as_secs(),
                    "gap": model.gap(),
                    "proven": model.is_proven(),
                    "evaluations": model.evaluations,
                },
            })
        }
    }
}
