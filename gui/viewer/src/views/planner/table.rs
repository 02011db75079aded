//! The plans as a table, which sorts by any column.

use chart::{Cell, Column, Row, Table, Unit};

use super::Property;
use super::figures::currency;
use super::row::PlanRow;
use super::search::Searched;

/// The plans that are let through.
pub(super) fn table(searched: &Searched, passes: impl Fn(&PlanRow) -> bool) -> Table {
    let currency = searched.planned().map(|planned| currency(planned));
    let currency = currency.unwrap_or_default();
    let has_cost = searched.rows.iter().any(|row| row.cost.is_some());
    let mut columns = figures();
    if has_cost {
        let cost = Column::number("Cost", Property::Cost.unit(&currency));
        columns.push(cost.explained(COST));
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
    let words = words.map(|name| {
        let column = Column::text(name);
        match name {
            "Front" => column.explained(FRONT),
            "Basis" => column.explained(BASIS),
            "Loses most in" => column.explained(LOSES),
            _ => column,
        }
    });
    columns.extend(words);
    let mut table = Table::new("Plans", columns);
    let shown = searched.rows.iter().filter(|row| passes(row));
    table.rows = shown.map(|row| of(row, has_cost)).collect();
    table
}

const COST: &str = "GPU-hours and energy of the whole run at the scenario's prices";
const FRONT: &str = "Whether no plan that an engine judged beats it in time, memory and GPUs";
const BASIS: &str =
    "On what the row's figures rest: an engine, or closed forms of schedule and collectives alone";
const LOSES: &str =
    "The part of the iteration that grew most against the best plan, by the engine's breakdown";

const PLAN: &str = "Its place in the ranking; c1, c2, … are the fastest in closed form that no \
                    engine judged";
const TIME: &str = "From the start of an iteration to the end of its optimizer step, by what the \
                    column Basis says";
const SLOWER: &str = "Its time over that of the best plan, less 1";
const MEMORY: &str = "What the fullest GPU uses, with the allocator's reserve, context and \
                      communicators";
const DIFFERS: &str = "Fields that differ from the best plan's, those without a column of their own \
                       first";
const TOKENS: &str = "Global batch × sequence / iteration time, of all GPUs";
const MFU: &str = "Model FLOPs / (iteration time × GPUs × peak); in closed form from the time beside \
                   the best plan's";

/// The columns of figures, each with what it means and where it is from.
fn figures() -> Vec<Column> {
    vec![
        Column::number("Plan", Unit::Plain).explained(PLAN),
        Column::number("Time", Unit::Seconds).explained(TIME),
        Column::number("Slower", Unit::Share).explained(SLOWER),
        Column::number("Memory", Unit::Bytes).explained(MEMORY),
        Column::text("Differs in").explained(DIFFERS),
        Column::number("Tokens/s", Unit::Count).explained(TOKENS),
        Column::number("MFU", Unit::Share).explained(MFU),
    ]
}

fn of(row: &PlanRow, has_cost: bool) -> Row {
    let choice = &row.choice;
    let degrees = choice.degrees;
    let rank = row.place().map_or(row.id as f64, |place| place as f64);
    let mut cells: Vec<Cell> = vec![
        Cell::Worded(rank, row.name()),
        row.time.into(),
        row.slower.into(),
        row.memory.into(),
        match row.differs.as_str() {
            "" => Cell::Missing,
            differs => differs.into(),
        },
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
    cells.push(row.basis.words().into());
    cells.push(match row.loses {
        Some((part, more)) => Cell::from(format!("{part}, {}", look::number::secs(more))),
        None => Cell::Missing,
    });
    Row::new(row.id, cells)
}
