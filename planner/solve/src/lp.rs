//! The LP format, for people and for most solvers.
//!
//! The dialect is what CPLEX, Gurobi, HiGHS, GLPK, SCIP and CBC share.

use std::fmt::Write as _;

use crate::names::{escape, number, title};
use crate::program::{Direction, Domain, Program, Relation, VarId, Variable};

/// Terms in one line; some readers stop at 510 characters.
const TERMS_A_LINE: usize = 6;

impl Program {
    /// The program as text in LP format. Names are escaped and end in the index of the variable
    /// or constraint.
    pub fn to_lp(&self) -> String {
        let mut text = format!("\\ {}\n", title(self.name()));
        text.push_str(match self.direction() {
            Direction::Minimize => "Minimize\n",
            Direction::Maximize => "Maximize\n",
        });
        self.row(&mut text, "objective", &self.objective);
        text.push_str("\nSubject To\n");
        self.rows(&mut text);
        text.push_str("Bounds\n");
        for (at, variable) in self.variables.iter().enumerate() {
            bounds(&mut text, variable, &escape(&variable.name, at));
        }
        self.integers(&mut text);
        text.push_str("End\n");
        text
    }

    fn rows(&self, text: &mut String) {
        for (at, constraint) in self.constraints.iter().enumerate() {
            self.row(text, &escape(&constraint.name, at), &constraint.terms);
            let relation = match constraint.relation {
                Relation::AtMost => "<=",
                Relation::AtLeast => ">=",
                Relation::Equal => "=",
            };
            let _ = writeln!(text, " {relation} {}", number(constraint.right));
        }
    }

    /// `name: terms`, without an end of line. Readers want a term, so that no terms are zero
    /// times the first variable.
    fn row(&self, text: &mut String, name: &str, terms: &[(VarId, f64)]) {
        let _ = write!(text, " {name}:");
        let nothing = [(VarId(0), 0.0)];
        let none = terms.is_empty() && !self.variables.is_empty();
        let terms = if none { &nothing } else { terms };
        for (at, (id, factor)) in terms.iter().enumerate() {
            if at != 0 && at % TERMS_A_LINE == 0 {
                text.push_str("\n   ");
            }
            let sign = if factor.is_sign_negative() { '-' } else { '+' };
            let name = escape(&self.variables[id.0].name, id.0);
            let _ = write!(text, " {sign} {} {name}", number(factor.abs()));
        }
    }

    fn integers(&self, text: &mut String) {
        let numbered = self.variables.iter().enumerate();
        let integers: Vec<_> = numbered
            .filter(|(_, v)| v.domain == Domain::Integer)
            .collect();
        if integers.is_empty() {
            return;
        }
        text.push_str("General\n");
        for (at, variable) in integers {
            let _ = writeln!(text, " {}", escape(&variable.name, at));
        }
    }
}

fn bounds(text: &mut String, variable: &Variable, name: &str) {
    let (lower, upper) = (number(variable.lower), number(variable.upper));
    let _ = match (variable.lower.is_finite(), variable.upper.is_finite()) {
        (true, true) => writeln!(text, " {lower} <= {name} <= {upper}"),
        (true, false) => writeln!(text, " {name} >= {lower}"),
        (false, true) => writeln!(text, " -inf <= {name} <= {upper}"),
        (false, false) => writeln!(text, " {name} free"),
    };
}
