//! Why there is no solution.

use units::{Bytes, Interrupted};

use crate::partition::{Lack, Rule};

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SolveError {
    #[error("{what} has the value {value}, which cannot be computed with")]
    NotFinite { what: String, value: f64 },
    #[error("variable {name} has no value between {lower} and {upper}")]
    Bounds {
        name: String,
        lower: f64,
        upper: f64,
    },
    #[error("variable {index} is none of the program's {variables}")]
    UnknownVariable { index: usize, variables: usize },
    #[error("no values satisfy all constraints of program {name}")]
    Infeasible { name: String },
    #[error("the objective of program {name} has no bound")]
    Unbounded { name: String },
    #[error("no solution of program {name} with {integers} integers was found in {secs} s")]
    TimeLimit {
        name: String,
        secs: f64,
        integers: usize,
    },
    #[error("the solver refuses the program: {message}")]
    Solver { message: String },
    #[error("no solver was built in")]
    NoSolver,
    #[error("{field} is 0, but at least 1 is needed")]
    Zero { field: &'static str },
    #[error("{field} has {given} entries, but there are {needed} {of}")]
    Length {
        field: &'static str,
        given: usize,
        needed: usize,
        of: &'static str,
    },
    #[error("a rule names {what} {index}, but there are only {count}")]
    RuleOutside {
        what: &'static str,
        index: usize,
        count: usize,
    },
    #[error("{layers} layers cannot be spread over stages that need {needed} at least")]
    TooFewLayers { layers: usize, needed: usize },
    #[error("no split satisfies all of these rules: {}", listed(rules))]
    Conflict { rules: Vec<Rule> },
    #[error("no split fits in memory; the nearest lacks {}", lacking(lacks))]
    Memory { lacks: Vec<Lack> },
    #[error("times or bytes of all layers add up to more than 2⁶⁴ picoseconds or bytes")]
    TooLarge,
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl SolveError {
    /// What to change, where we can tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TimeLimit { .. } => Some(
                "allow more time, or build with the feature `highs`; the split of layers without \
                 extra constraints needs no integer program"
                    .to_owned(),
            ),
            Self::NoSolver => Some("build with the feature `microlp` or `highs`".to_owned()),
            Self::TooFewLayers { layers, .. } => {
                Some(format!("take at most {layers} stages, counting chunks"))
            }
            Self::Conflict { rules } if rules.len() == 1 => Some("drop this rule".to_owned()),
            Self::Conflict { .. } => {
                Some("drop any one of these rules: the others agree".to_owned())
            }
            Self::Memory { lacks } => memory_hint(lacks),
            _ => None,
        }
    }
}

fn memory_hint(lacks: &[Lack]) -> Option<String> {
    let worst = lacks.iter().max_by_key(|lack| lack.bytes)?;
    let in_flight = match worst.in_flight_share {
        share if 0.0 < share => format!(
            "; {:.0} % of what lies there are activations of micro-batches in flight, which \
             recomputing or a smaller micro-batch would shrink",
            100.0 * share
        ),
        _ => String::new(),
    };
    Some(format!(
        "{} more on device {} of each pipeline would do{in_flight}",
        gib(worst.bytes),
        worst.device
    ))
}

fn listed(rules: &[Rule]) -> String {
    let texts: Vec<String> = rules.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

fn lacking(lacks: &[Lack]) -> String {
    let one = |lack: &Lack| format!("{} on device {}", gib(lack.bytes), lack.device);
    let texts: Vec<String> = lacks.iter().map(one).collect();
    texts.join(", ")
}

fn gib(bytes: Bytes) -> String {
    format!("{:.2} GiB", bytes.as_gib())
}
