//! Exit statuses: the one list of them.

use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked.
    Done,
    /// It could not, and the input is not to blame.
    Failed,
    /// The command line or a file is wrong.
    BadInput,
    /// No plan fits; `plan` alone ends so.
    NoFeasiblePlan,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// Every status, in the order of its code.
    pub(crate) const ALL: [Self; 5] = [
        Self::Done,
        Self::Failed,
        Self::BadInput,
        Self::NoFeasiblePlan,
        Self::Interrupted,
    ];

    /// The code that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::NoFeasiblePlan => 3,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for the help.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::BadInput => "bad usage or bad input",
            Self::NoFeasiblePlan => "no feasible plan (`plan` only)",
            Self::Interrupted => "interrupted",
        }
    }

    /// The section of the help.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|exit| format!("  {:<4} {}", exit.code(), exit.words()));
        format!("Exit status:\n{}", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_code_of_its_own_and_is_in_the_help() {
        let help = Exit::help();
        let mut codes = Exit::ALL.map(Exit::code).to_vec();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 130]);
        assert!(Exit::ALL.iter().all(|exit| help.contains(exit.words())));
    }
}
