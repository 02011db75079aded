//! The studies that rows come from, each with the name that tables and figures print.

use crate::row::Row;

/// Rows of one study.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subset {
    /// What tables call it.
    pub(super) name: &'static str,
    /// Which rows belong to it.
    pub(super) has: fn(&Row) -> bool,
}

fn from(row: &Row, repo: &str, path: &str) -> bool {
    row.label.source_repo.ends_with(repo) && row.label.source_path.contains(path)
}

fn has_experts(row: &Row) -> bool {
    row.facts.as_ref().is_some_and(|facts| facts.experts)
}

/// The studies that have a name here; a row belongs to the first that has it.
pub(super) const SUBSETS: [Subset; 14] = [
    Subset {
        name: "vTrain, one node",
        has: |row| from(row, "/vTrain", "single"),
    },
    Subset {
        name: "vTrain, several nodes",
        has: |row| from(row, "/vTrain", "multi"),
    },
    Subset {
        name: "Megatron-LM, SC21 Table 1",
        has: |row| from(row, "/bigscience", "megatron-lm.md"),
    },
    Subset {
        name: "BLOOM, A100",
        has: |row| from(row, "/bigscience", "tr11-176B"),
    },
    Subset {
        name: "BigScience, V100",
        has: |row| from(row, "/bigscience", ""),
    },
    Subset {
        name: "SimuMax, B200",
        has: |row| from(row, "/SimuMax", ""),
    },
    Subset {
        name: "llm-foundry",
        has: |row| from(row, "/llm-foundry", ""),
    },
    Subset {
        name: "Megatron-Bridge, experts",
        has: |row| from(row, "/Megatron-Bridge", "") && has_experts(row),
    },
    Subset {
        name: "Megatron-Bridge, dense",
        has: |row| from(row, "/Megatron-Bridge", ""),
    },
    Subset {
        name: "NeMo documents",
        has: |row| from(row, "/NeMo", ""),
    },
    Subset {
        name: "NeMo launcher",
        has: |row| from(row, "/NeMo-Framework-Launcher", ""),
    },
    Subset {
        name: "Megatron-LM, integration tests",
        has: |row| from(row, "/Megatron-LM", ""),
    },
    Subset {
        name: "AMP, GPT-2 on T4 and mixed GPUs",
        has: |row| from(row, "/AMP", "") && row.label.gpu.contains("T4"),
    },
    Subset {
        name: "AMP, TransGAN",
        has: |row| from(row, "/AMP", ""),
    },
];

/// The name of the study of a row; its repository where it has none here.
pub(super) fn study(row: &Row) -> &str {
    let known = SUBSETS.iter().find(|subset| (subset.has)(row));
    known.map_or(row.label.source_repo.as_str(), |subset| subset.name)
}

/// Whether a row is of a study that has a name here.
pub(super) fn is_named(row: &Row) -> bool {
    SUBSETS.iter().any(|subset| (subset.has)(row))
}

/// Whether a row is an integration test: a model of seconds, timed by a test machine.
pub(super) fn is_test(row: &Row) -> bool {
    from(row, "/Megatron-LM", "test_cases")
}
