//! Tables that read well on a terminal and paste as Markdown.

use std::fmt::Write as _;

/// On which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// A column: its header, and on which side its cells stand.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    header: String,
    side: Side,
}

/// A table of texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&str, Side)]) -> Self {
        let columns = columns.iter().map(|(header, side)| Column {
            header: (*header).to_owned(),
            side: *side,
        });
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a row; a cell for each column.
    pub(crate) fn wide_row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. Where it is wider than the terminal, columns are left out from the
    /// right, and a line says which.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| self.width(at)).collect();
        let mut shown = self.columns.len();
        let total = |shown: usize| 1 + widths[..shown].iter().map(|w| w + 3).sum::<usize>();
        while 2 < shown && width.is_some_and(|width| width < total(shown)) {
            shown -= 1;
        }
        let mut text = String::new();
        let headers: Vec<String> = self.columns.iter().map(|c| c.header.clone()).collect();
        self.line(&headers, &widths[..shown], &mut text);
        for (column, width) in self.columns.iter().zip(&widths[..shown]) {
            let dashes = "-".repeat(width + 1);
            let _ = match column.side {
                Side::Left => write!(text, "|:{dashes}"),
                Side::Right => write!(text, "|{dashes}:"),
            };
        }
        text.push_str("|\n");
        for row in &self.rows {
            self.line(row, &widths[..shown], &mut text);
        }
        if shown < self.columns.len() {
            let left_out: Vec<&str> = headers[shown..].iter().map(String::as_str).collect();
            let _ = writeln!(text, "\n(no room for: {})", left_out.join(", "));
        }
        text
    }

    fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let header = &self.columns[at].header;
        cells
            .chain([header])
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    }

    fn line(&self, cells: &[String], widths: &[usize], text: &mut String) {
        for ((cell, column), width) in cells.iter().zip(&self.columns).zip(widths) {
            // A bar would end the cell.
            let cell = cell.replace('|', "/");
            let _ = match column.side {
                Side::Left => write!(text, "| {cell:<width$} "),
                Side::Right => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            ("Part", Side::Left),
            ("Time", Side::Right),
            ("Why", Side::Left),
        ]);
        table.row(["compute".into(), "9.1 s".into(), "because|so".into()]);
        table.row(["tp".into(), "12.25 ms".into(), String::new()]);
        table
    }

    #[test]
    fn numbers_stand_right_and_the_text_is_markdown() {
        let text = table().render(None);
        let expected = "\
| Part    |     Time | Why        |
|:--------|---------:|:-----------|
| compute |    9.1 s | because/so |
| tp      | 12.25 ms |            |
";
        assert_eq!(text, expected);
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out_and_named() {
        let text = table().render(Some(30));
        assert!(
            text.lines().all(|line| line.chars().count() <= 30),
            "{text}"
        );
        assert!(text.ends_with("(no room for: Why)\n"));
    }
}
