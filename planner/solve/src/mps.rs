//! The MPS format in its free form, for solvers that read no LP files.

use std::fmt::Write as _;

use crate::names::{escape, number, title};
use crate::program::{Direction, Domain, Program, Relation, Variable};

impl Program {
    /// The program as text in free MPS format. Names are escaped as in LP files.
    ///
    /// MPS minimizes: of a program that maximizes, the objective is negated, and a comment in the
    /// first line says so.
    pub fn to_mps(&self) -> String {
        let mut text = String::new();
        if self.direction() == Direction::Maximize {
            text.push_str("* the objective is negated: maximize becomes minimize\n");
        }
        let _ = writeln!(text, "NAME {}", title(self.name()));
        text.push_str("ROWS\n N objective\n");
        for (at, constraint) in self.constraints.iter().enumerate() {
            let kind = match constraint.relation {
                Relation::AtMost => 'L',
                Relation::AtLeast => 'G',
                Relation::Equal => 'E',
            };
            let _ = writeln!(text, " {kind} {}", escape(&constraint.name, at));
        }
        self.columns(&mut text);
        self.right_sides(&mut text);
        text.push_str("BOUNDS\n");
        for (at, variable) in self.variables.iter().enumerate() {
            bounds(&mut text, variable, &escape(&variable.name, at));
        }
        text.push_str("ENDATA\n");
        text
    }

    fn columns(&self, text: &mut String) {
        text.push_str("COLUMNS\n");
        let columns = self.entries();
        let mut integers = false;
        for (at, variable) in self.variables.iter().enumerate() {
            if (variable.domain == Domain::Integer) != integers {
                integers = !integers;
                marker(text, at, integers);
            }
            let name = escape(&variable.name, at);
            for (row, factor) in &columns[at] {
                let _ = writeln!(text, " {name} {row} {}", number(*factor));
            }
        }
        if integers {
            marker(text, self.variables.len(), false);
        }
    }

    /// Rows and factors of every variable. A variable without any has a zero in the objective,
    /// since a column exists by its entries.
    fn entries(&self) -> Vec<Vec<(String, f64)>> {
        let sign = match self.direction() {
            Direction::Minimize => 1.0,
            Direction::Maximize => -1.0,
        };
        let mut columns = vec![Vec::new(); self.variables.len()];
        for (id, factor) in &self.objective {
            columns[id.0].push(("objective".to_owned(), sign * factor));
        }
        for (at, constraint) in self.constraints.iter().enumerate() {
            let name = escape(&constraint.name, at);
            for (id, factor) in &constraint.terms {
                columns[id.0].push((name.clone(), *factor));
            }
        }
        for column in columns.iter_mut().filter(|column| column.is_empty()) {
            column.push(("objective".to_owned(), 0.0));
        }
        columns
    }

    fn right_sides(&self, text: &mut String) {
        text.push_str("RHS\n");
        for (at, constraint) in self.constraints.iter().enumerate() {
            let name = escape(&constraint.name, at);
            let _ = writeln!(text, " rhs {name} {}", number(constraint.right));
        }
    }
}

fn marker(text: &mut String, at: usize, begins: bool) {
    let kind = if begins { "INTORG" } else { "INTEND" };
    let _ = writeln!(text, " marker_{at} 'MARKER' '{kind}'");
}

/// Both bounds, always: readers disagree on those that are left out.
fn bounds(text: &mut String, variable: &Variable, name: &str) {
    let mut line = |kind: &str, value: Option<f64>| {
        let value = value.map(|v| format!(" {}", number(v))).unwrap_or_default();
        let _ = writeln!(text, " {kind} bound {name}{value}");
    };
    match (variable.lower.is_finite(), variable.upper.is_finite()) {
        (false, false) => line("FR", None),
        (lower, upper) => {
            line(
                if lower { "LO" } else { "MI" },
                lower.then_some(variable.lower),
            );
            line(
                if upper { "UP" } else { "PL" },
                upper.then_some(variable.upper),
            );
        }
    }
}
