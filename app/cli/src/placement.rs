//! Which node takes which place of the best plans: a section of the report, and its JSON.

use serde_json::{Value, json};
use session::{Order, Placed, Planned};

use crate::number::{count, duration, percent};
use crate::plan_report::signed;
use crate::table::{Side, Table};
use crate::terminal::Terminal;

/// Rows of nodes that are shown of an order.
const ROWS: usize = 8;

/// The section; empty where nothing was placed.
pub(crate) fn section(planned: &Planned, terminal: &Terminal) -> String {
    if planned.placed.is_empty() {
        return String::new();
    }
    let mut text = String::from("## Placement\n");
    if !planned.bandwidth.is_empty() {
        let names = planned.bandwidth.join(", ");
        text.push_str(&format!("\nLinks between nodes as in {names}.\n"));
    }
    let mut table = Table::new(&[
        ("Plan", Side::Right),
        ("Nodes as numbered", Side::Right),
        ("Ordered", Side::Right),
        ("Gain", Side::Right),
        ("Under the closed form", Side::Left),
    ]);
    for one in &planned.placed {
        if let Ok(order) = &one.outcome {
            table.row(row(one, order));
        }
    }
    if !table.is_empty() {
        text.push_str(&format!("\n{}", table.render(terminal.width)));
    }
    for one in &planned.placed {
        let plan = one.plan + 1;
        match &one.outcome {
            Err(reason) => text.push_str(&format!("\nPlan {plan}: {reason}.\n")),
            Ok(order) if one.plan == 0 => text.push_str(&rows(order)),
            Ok(_) => {}
        }
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
    let stages = order.stages as usize;
    let all = order.nodes.chunks(stages);
    let mut text = if stages == 1 {
        String::from("\nThe best plan's nodes, in the order of its data-parallel ring:\n\n")
    } else {
        String::from("\nThe best plan's nodes, from the first stage to the last, a line a row:\n\n")
    };
    if stages == 1 {
        let names: Vec<String> = order.nodes.iter().map(|node| format!("n{node}")).collect();
        text.push_str(&format!("    {}\n", names.join(" ")));
        return text;
    }
    let hidden = all.len().saturating_sub(ROWS);
    for row in all.take(ROWS) {
        let names: Vec<String> = row.iter().map(|node| format!("n{node}")).collect();
        text.push_str(&format!("    {}\n", names.join(" ")));
    }
    if 0 < hidden {
        text.push_str(&format!("    and {hidden} more, all in `--json`\n"));
    }
    text
}

/// The same for programs.
pub(crate) fn json(planned: &Planned) -> Value {
    let plans: Vec<Value> = planned.placed.iter().map(one).collect();
    json!({ "bandwidth": planned.bandwidth, "plans": plans })
}

fn one(placed: &Placed) -> Value {
    match &placed.outcome {
        Err(reason) => json!({ "plan": placed.plan, "not_ordered": reason.to_string() }),
        Ok(order) => {
            let model = &order.model;
            let nodes: Vec<u32> = order.nodes.iter().map(|node| node.get()).collect();
            json!({
                "plan": placed.plan,
                "nodes": nodes,
                "stages": order.stages,
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
