//! An integer program as a value.

use crate::SolveError;

/// A linear program, some of whose variables are integers.
///
/// ```text
/// minimize (or maximize)  c·x
/// subject to              each constraint: a·x  <=, >= or =  b
///                         lower <= x <= upper, some x integer
/// ```
///
/// Invariant: coefficients and right-hand sides are finite, bounds are ordered, and constraints
/// name variables of this program only. Every way in checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    name: String,
    direction: Direction,
    pub(crate) variables: Vec<Variable>,
    pub(crate) objective: Vec<(VarId, f64)>,
    pub(crate) constraints: Vec<Constraint>,
}

/// Whether a small or a large objective is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Small.
    Minimize,
    /// Large.
    Maximize,
}

/// Which values a variable may take between its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// All of them.
    Real,
    /// Whole numbers.
    Integer,
}

/// How the two sides of a constraint compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Left side at most the right one.
    AtMost,
    /// Left side at least the right one.
    AtLeast,
    /// Equal sides.
    Equal,
}

/// A variable of the program that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub(crate) usize);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) domain: Domain,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    pub(crate) terms: Vec<(VarId, f64)>,
    pub(crate) relation: Relation,
    pub(crate) right: f64,
}

impl Program {
    /// A program without variables, whose objective is 0.
    pub fn new(name: &str, direction: Direction) -> Self {
        Self {
            name: name.to_owned(),
            direction,
            variables: Vec::new(),
            objective: Vec::new(),
            constraints: Vec::new(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which objectives are good.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// How many variables it has.
    pub const fn n_variables(&self) -> usize {
        self.variables.len()
    }

    /// How many constraints it has, bounds of variables not counted.
    pub const fn n_constraints(&self) -> usize {
        self.constraints.len()
    }

    /// Adds a variable; infinite bounds are no bounds.
    ///
    /// # Errors
    ///
    /// [`SolveError::Bounds`] where no value lies between the bounds.
    pub fn variable(
        &mut self,
        name: &str,
        domain: Domain,
        lower: f64,
        upper: f64,
    ) -> Result<VarId, SolveError> {
        let reachable = lower < f64::INFINITY && f64::NEG_INFINITY < upper;
        if !(lower <= upper && reachable) {
            let name = name.to_owned();
            return Err(SolveError::Bounds { name, lower, upper });
        }
        self.variables.push(Variable {
            name: name.to_owned(),
            domain,
            lower,
            upper,
        });
        Ok(VarId(self.variables.len() - 1))
    }

    /// Adds a variable that is 0 or 1.
    pub fn binary(&mut self, name: &str) -> VarId {
        self.variables.push(Variable {
            name: name.to_owned(),
            domain: Domain::Integer,
            lower: 0.0,
            upper: 1.0,
        });
        VarId(self.variables.len() - 1)
    }

    /// Sets the objective; a variable that occurs twice counts with the sum of its factors.
    ///
    /// # Errors
    ///
    /// [`SolveError::NotFinite`] and [`SolveError::UnknownVariable`].
    pub fn set_objective(&mut self, terms: &[(VarId, f64)]) -> Result<(), SolveError> {
        self.objective = self.merged("the objective", terms)?;
        Ok(())
    }

    /// Adds the constraint `terms relation right`; a variable that occurs twice counts with the
    /// sum of its factors.
    ///
    /// # Errors
    ///
    /// [`SolveError::NotFinite`] and [`SolveError::UnknownVariable`].
    pub fn constrain(
        &mut self,
        name: &str,
        terms: &[(VarId, f64)],
        relation: Relation,
        right: f64,
    ) -> Result<(), SolveError> {
        let terms = self.merged(name, terms)?;
        self.constraints.push(Constraint {
            name: name.to_owned(),
            terms,
            relation,
            right: finite(name, right)?,
        });
        Ok(())
    }

    /// How many variables are integers.
    pub fn n_integers(&self) -> usize {
        let integer = |v: &&Variable| v.domain == Domain::Integer;
        self.variables.iter().filter(integer).count()
    }

    /// The objective of an assignment, one value a variable in the order of their making.
    pub fn value(&self, values: &[f64]) -> f64 {
        let term = |&(id, factor): &(VarId, f64)| factor * values.get(id.0).unwrap_or(&0.0);
        self.objective.iter().map(term).sum()
    }

    fn merged(&self, what: &str, terms: &[(VarId, f64)]) -> Result<Vec<(VarId, f64)>, SolveError> {
        let mut sorted = terms.to_vec();
        sorted.sort_by_key(|term| term.0);
        let mut merged: Vec<(VarId, f64)> = Vec::with_capacity(sorted.len());
        for (id, factor) in sorted {
            if self.variables.len() <= id.0 {
                let variables = self.variables.len();
                return Err(SolveError::UnknownVariable {
                    index: id.0,
                    variables,
                });
            }
            finite(what, factor)?;
            match merged.last_mut() {
                Some(last) if last.0 == id => last.1 += factor,
                _ => merged.push((id, factor)),
            }
        }
        Ok(merged)
    }
}

fn finite(what: &str, value: f64) -> Result<f64, SolveError> {
    if value.is_finite() {
        Ok(value)
    } else {
        let what = what.to_owned();
        Err(SolveError::NotFinite { what, value })
    }
}
