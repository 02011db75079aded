//! Kinds of memory beside those of a base run.

use chart::{Cell, Column, Row, Table, TableView, Unit, table_ui};
use egui::Ui;
use trace::MemoryKind;

use super::class::Class;
use super::figures::{bytes, title};

/// The kinds of a class and of the base's, with their differences.
pub(super) fn compared(now: &Class, base: &Class) -> Table {
    let mut table = Table::new(
        "Memory by kind against the base",
        vec![
            Column::text("Kind"),
            Column::number("Now", Unit::Bytes),
            Column::number("Base", Unit::Bytes),
            Column::number("Difference", Unit::Plain),
        ],
    )
    .explained("What the allocator has given out at the moment of the class's peak, by the engine of each run");
    let row = |id: u64, name: String, now: f64, base: f64| {
        let sign = if base < now { "+" } else { "" };
        let difference = format!("{sign}{}", bytes(now - base));
        Row::new(
            id,
            vec![
                name.into(),
                Cell::Number(now),
                Cell::Number(base),
                Cell::Worded(now - base, difference),
            ],
        )
    };
    for kind in MemoryKind::ALL {
        let (now, base) = (now.at_peak[kind.index()], base.at_peak[kind.index()]);
        if 0.0 < now || 0.0 < base {
            table
                .rows
                .push(row(kind.index() as u64, title(kind), now, base));
        }
    }
    table
        .rows
        .push(row(99, "Sum".to_owned(), now.peak(), base.peak()));
    table
}

pub(super) fn compared_ui(ui: &mut Ui, now: &Class, base: &Class) {
    let table = compared(now, base);
    let view = TableView {
        height: Some(26.0 + 22.0 * table.rows.len() as f32),
        ..TableView::default()
    };
    // It is there to be read: nothing can be chosen.
    drop(table_ui(ui, &table, &view));
}
