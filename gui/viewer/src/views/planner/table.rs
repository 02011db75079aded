//! The plans as a table, which sorts by any column.

use chart::{Cell, Column, Row, Table, Unit};

use super::Property;
use super::figures::currency;
use super::row::{Basis, PlanRow};
use super::search::Searched;

/// The plans that are let through.
pub(super) fn table(searched: &Searched, passes: impl Fn(&PlanRow) -> bool) -> Table {
    let currency = searched.planned().map(|planned| currency(planned));
    let currency = currency.unwrap_or_default();
    let has_cost = searched.rows.iter().any(|row| row.cost.is_some());
    let mut columns = vec![
        Column::number("Plan", Unit::Plain),
        Column::number("Time", Unit::Seconds),
        Column::number("Slower", Unit::Share),
        Column::number("Memory", Unit::Bytes),
        Column::number("Tokens/s", Unit::Count),
        Column::number("MFU", Unit::Share),
    ];
    if has_cost {
        columns.push(Column::number("Cost", Property::Cost.unit(&currency)));
    }
    let counted = ["tp", "pp", "vp", "cp", "ep", "dp", "mbs", "GPUs"];
    columns.extend(counted.map(|name| Column::number(name, Unit::Count)));
    let words = [
        "Schedule",
        "Recompute",
        "Shard",
        "Layers",
        "Front",
        "Basis",
        "Loses most in",
    ];
    columns.extend(words.map(Column::text));
    let mut table = Table::new("Plans", columns);
    let shown = searched.rows.iter().filter(|row| passes(row));
    table.rows = shown.map(|row| of(row, has_cost)).collect();
    table
}

fn of(row: &PlanRow, has_cost: bool) -> Row {
    let choice = &row.choice;
    let degrees = choice.degrees;
    let rank = match row.basis {
        Basis::Simulated(place) => place as f64,
        Basis::ClosedForm => row.id as f64,
    };
    let mut cells: Vec<Cell> = vec![
        Cell::Worded(rank, row.name()),
        row.time.into(),
        row.slower.into(),
        row.memory.into(),
        row.tokens.into(),
        row.mfu.into(),
    ];
    if has_cost {
        cells.push(row.cost.into());
    }
    let counts = [
        degrees.tp, degrees.pp, choice.vp, degrees.cp, degrees.ep, degrees.dp,
    ];
    cells.extend(counts.map(|count| Cell::from(f64::from(count))));
    cells.push((choice.micro_batch as f64).into());
    cells.push((row.gpus as f64).into());
    cells.push(choice.schedule.name().into());
    let recompute = row.field("recompute").to_owned();
    cells.push(Cell::Worded(Property::Recompute.of(row), recompute));
    cells.push(row.field("shard").into());
    cells.push(row.field("layer_split").into());
    cells.push(if row.is_pareto {
        "yes".into()
    } else {
        Cell::Missing
    });
    cells.push(match row.basis {
        Basis::Simulated(_) => "simulated".into(),
        Basis::ClosedForm => "closed form".into(),
    });
    cells.push(match row.loses {
        Some((part, more)) => Cell::from(format!("{part}, {}", look::number::secs(more))),
        None => Cell::Missing,
    });
    Row::new(row.id, cells)
}
