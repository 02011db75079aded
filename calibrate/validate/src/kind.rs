//! Which columns a table has, and so who reads its rows.

use runs::{Draft, Measured, Record, RunsError, Table, megatron_ci, training};

/// The kinds of tables of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Training runs: `gpu`, `gbs`, `tp`, `iter_time_s` and more.
    Training,
    /// Continuous-integration cases of Megatron-LM: its arguments as columns.
    MegatronCi,
}

impl Kind {
    /// The kind of a table.
    ///
    /// # Errors
    ///
    /// [`RunsError::NoColumn`] where it is of no kind.
    pub fn of(table: &Table) -> Result<Self, RunsError> {
        if megatron_ci::is_megatron_ci(table) {
            return Ok(Self::MegatronCi);
        }
        training::check(table)?;
        Ok(Self::Training)
    }

    /// The scenarios that a row may stand for, the most likely first.
    pub(crate) fn drafts(self, record: &Record, table: &Table) -> Result<Vec<Draft>, RunsError> {
        match self {
            Self::Training => training::drafts(record, table),
            Self::MegatronCi => Ok(vec![megatron_ci::draft(record)?]),
        }
    }

    /// What a row measured besides a time that needs the scenario.
    pub(crate) fn measured(self, record: &Record) -> Result<Vec<Measured>, RunsError> {
        match self {
            Self::Training => training::measured(record),
            Self::MegatronCi => megatron_ci::measured(record),
        }
    }

    /// Why a row is printed outside every group, where it is.
    pub(crate) fn apart(self, record: &Record) -> Option<&'static str> {
        match self {
            Self::Training => {
                let contradicts = training::contradicts(record).unwrap_or(false);
                contradicts.then_some("the source contradicts itself")
            }
            // Without a figure of memory there is none to set apart.
            Self::MegatronCi if record.text("mem_max_allocated_bytes").is_none() => None,
            Self::MegatronCi => megatron_ci::set_apart(record),
        }
    }

    /// Where a row is from.
    pub(crate) fn label(self, record: &Record) -> Label {
        let path = record.or_empty("source_path");
        match self {
            Self::Training => Label {
                source_repo: record.or_empty("source_repo").to_owned(),
                source_path: path.to_owned(),
                folder: path.to_owned(),
                gpu: record.or_empty("gpu").to_owned(),
            },
            Self::MegatronCi => Label {
                source_repo: MEGATRON.to_owned(),
                source_path: path.to_owned(),
                folder: family_folder(path).to_owned(),
                gpu: ci_gpu(record).to_owned(),
            },
        }
    }
}

/// The repository whose integration cases the table holds; it has no column for it.
const MEGATRON: &str = "NVIDIA/Megatron-LM";

/// Where a row is from, as reports print it and group it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The repository.
    pub source_repo: String,
    /// The file of the repository.
    pub source_path: String,
    /// What groups call the path: the file, or the folder of a family of cases where every case
    /// has a file of its own.
    pub folder: String,
    /// The GPU, as the row says it.
    pub gpu: String,
}

/// `tests/functional_tests/test_cases/gpt` of a case's file.
fn family_folder(path: &str) -> &str {
    let case = path.rsplit_once('/').map_or(path, |(case, _)| case);
    case.rsplit_once('/').map_or(case, |(family, _)| family)
}

/// The GPU that the environment of a case names; without one A100, on which the oldest
/// environments run.
fn ci_gpu(record: &Record) -> &'static str {
    let named = |column: &str| record.or_empty(column).to_ascii_lowercase();
    let text = format!("{} {}", named("platform"), named("env"));
    let known = [("gb200", "GB200"), ("h100", "H100")];
    let found = known.iter().find(|(word, _)| text.contains(word));
    found.map_or("A100", |(_, gpu)| gpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_say_of_which_kind_a_table_is() {
        let kind = |header: &str| {
            Kind::of(&Table::parse("x", format!("{header}\n1,1,1\n").as_bytes()).unwrap())
        };
        assert_eq!(kind("gpu,gbs,tp").unwrap(), Kind::Training);
        let ci = kind("test_case,env,tensor-model-parallel-size").unwrap();
        assert_eq!(ci, Kind::MegatronCi);
        let error = kind("a,b,c").unwrap_err();
        assert_eq!(error.to_string(), "x has no column \"gpu\"");
    }

    #[test]
    fn integration_cases_are_grouped_by_family() {
        let path = "tests/functional_tests/test_cases/gpt/gpt3_tp1/golden.json";
        assert_eq!(family_folder(path), "tests/functional_tests/test_cases/gpt");
        assert_eq!(family_folder("golden.json"), "golden.json");
    }
}
