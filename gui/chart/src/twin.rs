//! The numbers of a figure: as a table for readers and as CSV for other programs.

use crate::Unit;
use crate::axis::titled;
use crate::bars::{Bars, Grouping};
use crate::figure::{Content, Figure};
use crate::gantt::Gantt;
use crate::parallel::Parallel;
use crate::table::{Cell, Column, Row, Table};
use crate::xy::{Columns, Layer, Limit, Points, Xy};

impl Figure {
    /// The same numbers as a table, one row for each mark with its id.
    pub fn table(&self) -> Table {
        let mut table = match &self.content {
            Content::Xy(xy) => self.table_of_xy(xy),
            Content::Bars(bars) => self.table_of_bars(bars),
            Content::Parallel(parallel) => self.table_of_parallel(parallel),
            Content::Gantt(gantt) => table_of_gantt(gantt),
            Content::Diagram(diagram) => diagram.table.clone(),
        };
        table.name = if self.title.is_empty() {
            self.name()
        } else {
            self.title.clone()
        };
        table
    }

    /// The heading of what marks are called.
    fn heading(&self) -> String {
        let mut letters = self.noun.chars();
        match letters.next() {
            Some(first) => first.to_uppercase().chain(letters).collect(),
            None => "Name".to_owned(),
        }
    }

    fn table_of_xy(&self, xy: &Xy) -> Table {
        let points: Vec<_> = xy
            .layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Points(points) => Some(points),
                _ => None,
            })
            .collect();
        if !points.is_empty() {
            return self.table_of_points(xy, &points);
        }
        let columns = xy.layers.iter().find_map(|layer| match layer {
            Layer::Columns(columns) => Some(columns),
            _ => None,
        });
        columns.map_or_else(
            || table_of_samples(xy),
            |columns| table_of_columns(xy, columns),
        )
    }

    fn table_of_points(&self, xy: &Xy, series: &[&Points]) -> Table {
        let is_named = series.iter().any(|points| !points.name.is_empty());
        let all = || {
            series
                .iter()
                .flat_map(|points| points.points.iter().map(move |point| (points, point)))
        };
        let has_interval = all().any(|(_, point)| point.interval.is_some());
        let mut columns = vec![Column::text(self.heading())];
        columns.extend(is_named.then(|| Column::text("Series")));
        columns.push(number(&xy.x.label, &xy.x.unit));
        columns.push(number(&xy.y.label, &xy.y.unit));
        if has_interval {
            columns.push(number(&format!("{}, low", xy.y.label), &xy.y.unit));
            columns.push(number(&format!("{}, high", xy.y.label), &xy.y.unit));
        }
        let mut table = Table::new("", columns);
        table.rows = all()
            .map(|(points, point)| {
                let mut cells = vec![Cell::from(point.label.as_str())];
                cells.extend(is_named.then(|| Cell::from(points.name.as_str())));
                cells.extend([Cell::from(point.x), Cell::from(point.y)]);
                if has_interval {
                    cells.push(point.interval.map(|interval| interval.0).into());
                    cells.push(point.interval.map(|interval| interval.1).into());
                }
                Row::new(point.id, cells)
            })
            .collect();
        table
    }

    fn table_of_bars(&self, bars: &Bars) -> Table {
        let has_sum = bars.grouping == Grouping::Stacked && 1 < bars.series.len();
        let mut columns = vec![Column::text(self.heading())];
        columns.extend(bars.series.iter().map(|series| {
            let name = if series.name.is_empty() {
                &bars.value.label
            } else {
                &series.name
            };
            number(name, &bars.value.unit)
        }));
        columns.extend(has_sum.then(|| number("Sum", &bars.value.unit)));
        let mut table = Table::new("", columns);
        table.rows = bars
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| {
                let values = bars.series.iter().map(|series| series.value(index));
                let mut cells = vec![Cell::from(group.label.as_str())];
                cells.extend(values.clone().map(Cell::from));
                cells.extend(has_sum.then(|| Cell::Number(values.flatten().sum())));
                Row::new(group.id, cells)
            })
            .collect();
        table
    }

    fn table_of_parallel(&self, parallel: &Parallel) -> Table {
        let mut columns = vec![Column::text(self.heading())];
        columns.extend(parallel.axes.iter().map(|axis| Column {
            is_number: axis.categories.is_empty(),
            ..number(&axis.axis.label, &axis.axis.unit)
        }));
        let mut table = Table::new("", columns);
        table.rows = parallel
            .lines
            .iter()
            .map(|line| {
                let mut cells = vec![Cell::from(line.label.as_str())];
                for (axis, &value) in parallel.axes.iter().zip(&line.values) {
                    cells.push(if axis.categories.is_empty() {
                        value.into()
                    } else {
                        Cell::Worded(value, axis.text(value))
                    });
                }
                Row::new(line.id, cells)
            })
            .collect();
        table
    }

    fn limits(&self) -> Vec<(&Limit, &Unit)> {
        match &self.content {
            Content::Xy(xy) => xy
                .layers
                .iter()
                .filter_map(|layer| match layer {
                    Layer::Limit(limit) if limit.of == crate::Along::X => Some((limit, &xy.x.unit)),
                    Layer::Limit(limit) => Some((limit, &xy.y.unit)),
                    _ => None,
                })
                .collect(),
            Content::Bars(bars) => bars
                .limits
                .iter()
                .map(|limit| (limit, &bars.value.unit))
                .collect(),
            Content::Parallel(_) | Content::Gantt(_) | Content::Diagram(_) => Vec::new(),
        }
    }
}

fn number(label: &str, unit: &Unit) -> Column {
    Column::number(label, unit.clone())
}

/// One row for each place to the right at which a line or an area has a sample.
fn table_of_samples(xy: &Xy) -> Table {
    let mut places = Vec::new();
    let mut columns = vec![number(&xy.x.label, &xy.x.unit)];
    let mut series: Vec<Vec<(f64, f64)>> = Vec::new();
    for layer in &xy.layers {
        match layer {
            Layer::Line(line) => {
                let name = if line.name.is_empty() {
                    &xy.y.label
                } else {
                    &line.name
                };
                columns.push(number(name, &xy.y.unit));
                places.extend(line.samples.iter().map(|sample| sample.0));
                series.push(line.samples.clone());
            }
            Layer::Areas(areas) => {
                places.extend(&areas.x);
                for band in &areas.bands {
                    columns.push(number(&band.name, &xy.y.unit));
                    series.push(
                        areas
                            .x
                            .iter()
                            .copied()
                            .zip(band.values.iter().copied())
                            .collect(),
                    );
                }
            }
            _ => {}
        }
    }
    places.retain(|place| place.is_finite());
    places.sort_by(f64::total_cmp);
    places.dedup();
    let mut table = Table::new("", columns);
    table.rows = (0..)
        .zip(&places)
        .map(|(id, &place)| {
            let value = |samples: &Vec<(f64, f64)>| {
                let at = samples.partition_point(|sample| sample.0 < place);
                samples
                    .get(at)
                    .filter(|sample| sample.0 <= place)
                    .map(|sample| sample.1)
            };
            let cells = series.iter().map(|samples| value(samples).into());
            Row::new(
                id,
                std::iter::once(Cell::Number(place)).chain(cells).collect(),
            )
        })
        .collect();
    table
}

/// One row for each bar, in the order of the rows.
fn table_of_gantt(gantt: &Gantt) -> Table {
    let unit = &gantt.time.unit;
    let mut columns = vec![
        Column::text("Row"),
        Column::text("Name"),
        Column::text("Kind"),
        number("Start", unit),
        number("End", unit),
        number("Spans", &Unit::Count),
    ];
    let has_levels = gantt.bars().any(|(.., bar)| bar.level < 1.0);
    columns.extend(has_levels.then(|| number("Level", &Unit::Share)));
    let mut table = Table::new("", columns);
    let rows = gantt.bars().map(|(id, (row, _), bar)| {
        let mut cells = vec![
            Cell::from(gantt.rows[row].full_name()),
            Cell::from(bar.name.as_str()),
            Cell::from(gantt.kind_name(bar.kind)),
            Cell::from(bar.from),
            Cell::from(bar.to),
            Cell::from(f64::from(bar.count)),
        ];
        cells.extend(has_levels.then(|| Cell::from(f64::from(bar.level))));
        Row::new(id, cells)
    });
    table.rows = rows.collect();
    table
}

fn table_of_columns(xy: &Xy, columns: &Columns) -> Table {
    let edge = |which: &str| number(&format!("{}, {which}", xy.x.label), &xy.x.unit);
    let mut table = Table::new(
        "",
        vec![edge("from"), edge("to"), number(&xy.y.label, &xy.y.unit)],
    );
    let heights = columns.edges.windows(2).zip(&columns.heights);
    table.rows = (0..)
        .zip(heights)
        .map(|(id, (edges, &height))| {
            Row::new(id, vec![edges[0].into(), edges[1].into(), height.into()])
        })
        .collect();
    table
}

/// A figure as comma-separated values: title, caption and limits as comments, a header with units, and one
/// row for each mark in base units.
///
/// # Panics
///
/// Never: memory takes every record.
pub fn csv(figure: &Figure) -> String {
    let mut out = String::new();
    let mut comment = |text: &str| {
        if !text.is_empty() {
            let line: Vec<_> = text.split_whitespace().collect();
            out.push_str("# ");
            out.push_str(&line.join(" "));
            out.push('\n');
        }
    };
    comment(&figure.title);
    comment(&figure.caption.line());
    for (limit, unit) in figure.limits() {
        comment(format!("{}: {} {}", limit.name, limit.value, unit.base()).trim_end());
    }
    out.push_str(&csv_of_table(&figure.table()));
    out
}

/// A table as comma-separated values: a header with units, and the rows as they stand in base units.
///
/// # Panics
///
/// Never: memory takes every record.
pub fn csv_of_table(table: &Table) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = table.columns.iter().map(|column| {
        let unit = if column.is_number {
            column.unit.base()
        } else {
            ""
        };
        titled(&column.label, unit)
    });
    let rows = table.rows.iter().map(|row| {
        let cells = (0..table.columns.len())
            .map(|column| row.cells.get(column).map_or_else(String::new, raw));
        cells.collect::<Vec<_>>()
    });
    for record in std::iter::once(header.collect::<Vec<_>>()).chain(rows) {
        writer
            .write_record(&record)
            .expect("memory takes every record of equal length");
    }
    let bytes = writer.into_inner().expect("memory can be flushed");
    String::from_utf8(bytes).expect("made of strings")
}

/// A cell as other programs read it.
fn raw(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Worded(_, text) => text.clone(),
        // Sums of nothing are negative zeros.
        Cell::Number(value) if value.is_finite() => (value + 0.0).to_string(),
        Cell::Number(_) | Cell::Missing => String::new(),
    }
}
