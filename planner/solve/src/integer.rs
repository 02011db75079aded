//! The solvers behind `good_lp`.

use good_lp::solvers::{SolutionStatus, WithTimeLimit};
use good_lp::{
    Expression, ProblemVariables, ResolutionError, SolverModel, Variable, WithMipGap, variable,
};
use units::{Control, Seconds};

use crate::SolveError;
use crate::program::{Constraint, Direction, Domain, Program, Relation, VarId};

/// Which solver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// Branch and bound in Rust: some hundred integers in seconds.
    #[cfg(feature = "microlp")]
    Microlp,
    /// HiGHS: some thousand integers in seconds.
    #[cfg(feature = "highs")]
    Highs,
}

/// Values of all variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    values: Vec<f64>,
    objective: f64,
    proven: bool,
}

impl Solution {
    /// The value of a variable; 0 for one of another program.
    pub fn value(&self, id: VarId) -> f64 {
        self.values.get(id.0).copied().unwrap_or(0.0)
    }

    /// The value of every variable, in the order of their making.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The objective of these values.
    pub const fn objective(&self) -> f64 {
        self.objective
    }

    /// Whether no other values are better; otherwise the time ran out.
    pub const fn is_proven(&self) -> bool {
        self.proven
    }
}

/// Solves a program with the best solver that was built in, in `limit` of wall time.
///
/// A solver cannot be stopped from outside: `control` is asked before and after.
///
/// # Errors
///
/// [`SolveError::Infeasible`], [`SolveError::Unbounded`], [`SolveError::TimeLimit`] where no
/// feasible values were found in time, [`SolveError::Solver`] for what a solver refuses, and
/// [`SolveError::Interrupted`].
pub fn solve(program: &Program, limit: Seconds, control: &Control) -> Result<Solution, SolveError> {
    #[cfg(feature = "highs")]
    return solve_with(Backend::Highs, program, limit, control);
    #[cfg(all(feature = "microlp", not(feature = "highs")))]
    return solve_with(Backend::Microlp, program, limit, control);
    #[cfg(not(any(feature = "microlp", feature = "highs")))]
    {
        let _ = (program, limit, control);
        Err(SolveError::NoSolver)
    }
}

/// [`solve`] with the solver named.
///
/// # Errors
///
/// As [`solve`].
pub fn solve_with(
    backend: Backend,
    program: &Program,
    limit: Seconds,
    control: &Control,
) -> Result<Solution, SolveError> {
    control.check()?;
    if !(limit.is_finite() && Seconds::ZERO < limit) {
        let (what, value) = ("the time limit".to_owned(), limit.as_secs());
        return Err(SolveError::NotFinite { what, value });
    }
    let solution = match backend {
        #[cfg(feature = "microlp")]
        Backend::Microlp => run(program, limit, good_lp::microlp),
        #[cfg(feature = "highs")]
        Backend::Highs => run(program, limit, good_lp::highs),
    }?;
    control.check()?;
    Ok(solution)
}

fn run<S, M>(program: &Program, limit: Seconds, using: S) -> Result<Solution, SolveError>
where
    S: FnMut(good_lp::variable::UnsolvedProblem) -> M,
    M: SolverModel<Error = ResolutionError> + WithTimeLimit + WithMipGap,
{
    let mut variables = ProblemVariables::new();
    let ids = declare(program, &mut variables);
    let objective = expression(&ids, &program.objective);
    let unsolved = match program.direction() {
        Direction::Minimize => variables.minimise(objective),
        Direction::Maximize => variables.maximise(objective),
    };
    let mut model = unsolved
        .using(using)
        .with_time_limit(limit.as_secs())
        .with_mip_gap(0.0)
        .expect("a gap of zero is a gap");
    for constraint in &program.constraints {
        model.add_constraint(translated(&ids, constraint));
    }
    let answer = model
        .solve()
        .map_err(|error| refused(program, limit, error))?;
    Ok(read(program, &ids, &answer))
}

fn declare(program: &Program, variables: &mut ProblemVariables) -> Vec<Variable> {
    let one = |v: &crate::program::Variable| {
        let bounded = variable().min(v.lower).max(v.upper);
        match v.domain {
            Domain::Real => variables.add(bounded),
            Domain::Integer => variables.add(bounded.integer()),
        }
    };
    program.variables.iter().map(one).collect()
}

fn expression(ids: &[Variable], terms: &[(VarId, f64)]) -> Expression {
    let mut sum = Expression::with_capacity(terms.len());
    for (id, factor) in terms {
        sum.add_mul(*factor, ids[id.0]);
    }
    sum
}

fn translated(ids: &[Variable], constraint: &Constraint) -> good_lp::Constraint {
    let left = expression(ids, &constraint.terms);
    match constraint.relation {
        Relation::AtMost => left.leq(constraint.right),
        Relation::AtLeast => left.geq(constraint.right),
        Relation::Equal => left.eq(constraint.right),
    }
}

fn read(program: &Program, ids: &[Variable], answer: &impl good_lp::Solution) -> Solution {
    let rounded = |(id, v): (&Variable, &crate::program::Variable)| {
        let value = answer.value(*id);
        match v.domain {
            Domain::Real => value,
            Domain::Integer => value.round(),
        }
    };
    let values: Vec<f64> = ids.iter().zip(&program.variables).map(rounded).collect();
    Solution {
        objective: program.value(&values),
        proven: matches!(answer.status(), SolutionStatus::Optimal),
        values,
    }
}

/// What `good_lp` says of microlp and of HiGHS when they found no values in time.
fn is_late(message: &str) -> bool {
    message.starts_with("Time limit") || message == "NoSolutionFound"
}

fn refused(program: &Program, limit: Seconds, error: ResolutionError) -> SolveError {
    let name = program.name().to_owned();
    match error {
        ResolutionError::Infeasible => SolveError::Infeasible { name },
        ResolutionError::Unbounded => SolveError::Unbounded { name },
        ResolutionError::Other(text) if is_late(text) => SolveError::TimeLimit {
            name,
            secs: limit.as_secs(),
            integers: program.n_integers(),
        },
        ResolutionError::Other(text) => SolveError::Solver {
            message: text.to_owned(),
        },
        ResolutionError::Str(message) => SolveError::Solver { message },
    }
}
