//! What predictions must reach on each study, and what other tools reach there.

use runs::{MemoryKind, Quantity};

use super::subset::{SUBSETS, is_test, study};
use crate::row::Row;

/// What is to be reached on some rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// What tables call the rows.
    pub(super) name: &'static str,
    /// Which rows.
    pub(super) has: fn(&Row) -> bool,
    /// What is predicted.
    pub(super) is_memory: bool,
    /// What groups are that the fit leaves out, with the mean error to be reached.
    pub(super) schemes: &'static [Scheme],
    /// The rank correlation to be reached within cells of five rows and more.
    pub(super) spearman: Option<f64>,
    /// What other tools reach on the same rows.
    pub(super) others: &'static str,
    /// What studies of single rows showed, printed where a goal is missed. How large errors are
    /// stands in no text: the report computes it.
    pub(super) why: &'static str,
    /// What tells rows apart that lie off differently.
    pub(super) by: Split,
}

/// A way to leave out groups of a study.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheme {
    /// What a group is.
    pub(super) name: &'static str,
    /// The mean error to be reached.
    pub(super) goal: f64,
    /// What a model of 15 parameters reached, fitted in an afternoon on the same rows.
    pub(super) quick: Option<f64>,
}

/// By what the errors of a study are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// What it is called.
    pub(super) name: &'static str,
    /// The part that a row belongs to.
    pub(super) part: fn(&Row) -> String,
}

const MODEL: Split = Split {
    name: "model",
    part: |row| match row.record.text("model") {
        Some(name) => name.to_owned(),
        None => row.record.or_empty("test_case").to_owned(),
    },
};

const TENSOR: Split = Split {
    name: "tensor parallelism",
    part: |row| {
        let tp = row.facts.as_ref().map_or(1, |facts| facts.tp);
        format!("tp {tp}")
    },
};

const MODEL_AND_DEGREE: Split = Split {
    name: "model and tensor parallelism",
    part: |row| format!("{}, {}", (MODEL.part)(row), (TENSOR.part)(row)),
};

const SECTION: Split = Split {
    name: "section",
    part: |row| row.record.or_empty("section").to_owned(),
};

const LENGTH: Split = Split {
    name: "model, GPU and sequence length",
    part: |row| {
        let cell = |column| row.record.or_empty(column).to_owned();
        format!(
            "{} on {}, {} tokens",
            cell("model"),
            cell("gpu"),
            cell("seq_len")
        )
    },
};

const MODEL_AND_GPU: Split = Split {
    name: "model and GPU",
    part: |row| format!("{} on {}", row.record.or_empty("model"), row.label.gpu),
};

impl Target {
    const fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    const fn split(self, by: Split) -> Self {
        Self { by, ..self }
    }
}

const fn scheme(name: &'static str, goal: f64, quick: f64) -> Scheme {
    Scheme {
        name,
        goal,
        quick: Some(quick),
    }
}

const fn new_scheme(name: &'static str, goal: f64) -> Scheme {
    Scheme {
        name,
        goal,
        quick: None,
    }
}

const fn time(
    name: &'static str,
    has: fn(&Row) -> bool,
    schemes: &'static [Scheme],
    others: &'static str,
) -> Target {
    Target {
        name,
        has,
        is_memory: false,
        schemes,
        spearman: None,
        others,
        why: "",
        by: MODEL,
    }
}

const fn memory(name: &'static str, has: fn(&Row) -> bool, schemes: &'static [Scheme]) -> Target {
    Target {
        is_memory: true,
        ..time(name, has, schemes, "")
    }
}

/// Billions of parameters from which a model of the integration tests counts as large.
const LARGE: u64 = 1_000_000_000;

fn is_small_dense(row: &Row) -> bool {
    let facts = row.facts.as_ref();
    is_test(row) && facts.is_some_and(|facts| !facts.experts && facts.params < LARGE)
}

fn is_large_dense(row: &Row) -> bool {
    let facts = row.facts.as_ref();
    is_test(row) && facts.is_some_and(|facts| !facts.experts && LARGE <= facts.params)
}

fn is_moe_test(row: &Row) -> bool {
    is_test(row) && row.facts.as_ref().is_some_and(|facts| facts.experts)
}

fn is_megatron_on_v100(row: &Row) -> bool {
    row.record.text("section") == Some("Allocation > Megatron")
}

/// The targets of iteration time, then those of peak memory.
pub(super) const TARGETS: [Target; 20] = [
    time(
        "vTrain, one node",
        SUBSETS[0].has,
        &[scheme("hidden x layers", 0.05, 0.061)],
        "Calculon 39 %, vTrain claims 8.4 %",
    )
    .because(
        "an iteration is a constant and a time for each layer and micro-batch, to within 1 % in each series of equal width, tensor \
         parallelism and micro-batch; between series these times do not follow work: where the host binds at tp 4, a layer of width \
         2,048 takes less than one of width 1,024, and at tp 2 micro-batches of 2 take longer than of 4 for the tokens that they hold.",
    )
    .split(TENSOR),
    time(
        "vTrain, several nodes",
        SUBSETS[1].has,
        &[scheme("size", 0.08, 0.091)],
        "Calculon 11.1 % (tp up to 8), vTrain claims 14.7 %",
    )
    .because(
        "where tensor parallelism does not fill a node, replicas or stages share its network cards; which ranks share a node, and when \
         their traffic meets, the table does not say.",
    )
    .split(TENSOR),
    time(
        "Megatron-LM, SC21 Table 1",
        SUBSETS[2].has,
        &[scheme("row", 0.03, 0.029)],
        "Calculon 10.3 %",
    ),
    Target {
        spearman: Some(0.75),
        ..time(
            "BLOOM, A100",
            SUBSETS[3].has,
            &[scheme("size", 0.07, 0.083)],
            "Calculon 24.5 %, rank correlation 0.59; quick model 0.65 to 0.73",
        )
    }
    .split(TENSOR),
    time(
        "BigScience, V100",
        |row| study(row) == "BigScience, V100",
        &[scheme("section x size", 0.18, 0.2)],
        "",
    )
    .because(
        "there is no kernel table of V100, so its products scale from A100's. The table itself says that its network made times vary by \
         40 %, and of two plans of section 'Allocation > Megatron' with equal work for each GPU one takes twice as long as the other (39B on 32, 18B on 16 GPUs).",
    )
    .split(SECTION),
    time(
        "BigScience, V100, without section 'Allocation > Megatron'",
        |row| study(row) == "BigScience, V100" && !is_megatron_on_v100(row),
        &[scheme("section x size", 0.06, 0.067)],
        "",
    )
    .because(
        "the ten runs of width 2,048 reach the pace of those of width 8,192 with all their unfused attention on top: products of \
         width 8,192 are slower beside those of 2,048 than A100's curve, from which V100's is scaled, has them.",
    )
    .split(SECTION),
    time(
        "SimuMax, B200",
        SUBSETS[5].has,
        &[scheme("layout", 0.04, 0.056), scheme("model", 0.08, 0.16)],
        "SimuMax 5.4 %",
    )
    .split(MODEL_AND_DEGREE),
    time(
        "llm-foundry",
        SUBSETS[6].has,
        &[scheme("model", 0.04, 0.052)],
        "",
    )
    .because(
        "MPT 30B on A100 with sequences of 8,192 tokens: the table gives it 39 % MFU, and 51 to 56 % to the same model with shorter ones.",
    )
    .split(LENGTH),
    time(
        "Megatron-Bridge, dense",
        |row| study(row) == "Megatron-Bridge, dense",
        &[scheme("model", 0.06, 0.073)],
        "",
    )
    .because(
        "two models, Llama 3 8B and 70B: where one is left out, the other and models with experts alone say how fast the framework is.",
    )
    .split(MODEL_AND_GPU),
    time(
        "Megatron-Bridge, experts",
        SUBSETS[7].has,
        &[
            scheme("model x gpu", 0.09, 0.12),
            scheme("model", 0.18, 0.27),
        ],
        "",
    )
    .because(
        "without Nemotron 3 Nano one other run has state-space layers, so little but the prior says how long their scan takes; \
         releases change what a recipe does, and the table does not say how.",
    ),
    time(
        "NeMo documents",
        SUBSETS[9].has,
        &[scheme("model", 0.07, 0.107)],
        "",
    )
    .because(
        "long sequences were timed of one model on each GPU, Llama 2 7B on H100 and Llama 3 8B on B200: without it no other run says \
         what attention over long sequences and context parallelism cost in that release on that GPU.",
    )
    .split(MODEL_AND_GPU),
    time(
        "AMP, T4",
        |row| study(row).starts_with("AMP") && row.label.gpu == "T4",
        &[scheme("mbs x pp", 0.08, 0.08)],
        "AMP 48 %",
    ),
    time(
        "AMP, T4 and V100",
        |row| study(row).starts_with("AMP") && row.label.gpu == "V100+T4",
        &[scheme("mbs x pp", 0.18, 0.28)],
        "AMP 49 %",
    ),
    time(
        "AMP, TransGAN",
        |row| study(row) == "AMP, TransGAN",
        &[scheme("mbs x pp", 0.25, 0.45)],
        "AMP 16 %",
    ),
    memory(
        "integration tests, dense, below 1 B parameters",
        is_small_dense,
        &[new_scheme("case", 0.04)],
    ),
    memory(
        "integration tests, dense, 1 B parameters and more",
        is_large_dense,
        &[new_scheme("case", 0.03)],
    ),
    memory(
        "integration tests, experts",
        is_moe_test,
        &[new_scheme("case", 0.08)],
    ),
    memory(
        "SimuMax, B200",
        SUBSETS[5].has,
        &[new_scheme("model", 0.015)],
    ),
    memory(
        "BLOOM, A100 (nvidia-smi)",
        SUBSETS[3].has,
        &[new_scheme("size", 0.07)],
    ),
    memory(
        "BigScience, V100 (nvidia-smi)",
        |row| study(row) == "BigScience, V100",
        &[],
    ),
];

impl Target {
    /// Whether it speaks of a quantity of a row.
    pub(super) fn speaks_of(&self, row: &Row, quantity: Quantity) -> bool {
        let is_memory = matches!(quantity, Quantity::PeakMemory(_));
        self.is_memory == is_memory && (self.has)(row)
    }

    /// Whether its rows have no license, so that they can be read from a path alone.
    pub(super) fn is_unpublished(&self) -> bool {
        self.name.starts_with("AMP")
    }

    /// The quantity, for tables.
    pub(super) const fn quantity(&self) -> &'static str {
        if self.is_memory {
            Quantity::PeakMemory(MemoryKind::AllocatedMax).name()
        } else {
            Quantity::IterationTime.name()
        }
    }
}

/// What a group is in the first scheme of the target of a row.
pub(super) fn first_scheme(row: &Row, quantity: Quantity) -> Option<&'static str> {
    let target = TARGETS
        .iter()
        .find(|target| target.speaks_of(row, quantity))?;
    target.schemes.first().map(|scheme| scheme.name)
}
