//! `[training]`: data, formats, optimizer.

mod adapter;
mod optimizer;
mod precision;

use units::DType;
use workload::{JobSpec, Optimizer};

use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{Shape, number, one_of, table, whole};

/// `[training]` as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// The job; what the file does not give has its default.
    pub job: JobSpec,
    /// Fields that the file does not give, with what was taken for each.
    pub taken: Vec<(&'static str, String)>,
}

/// Reads `[training]`.
pub(crate) fn training(t: &mut Fields<'_, '_>) -> Training {
    let mut taken = Vec::new();
    let global_batch = t
        .get(
            "global_batch",
            "sequences that one iteration trains on",
            whole(1),
        )
        .required();
    let seq_len = t
        .get("seq_len", "tokens in each sequence", whole(1))
        .required();
    let precision = precision::precision(t, &mut taken);
    let optimizer = t
        .get("optimizer", OPTIMIZER, optimizer::optimizer())
        .optional();
    let grad_dtype = t
        .get(
            "grad_dtype",
            "number format in which gradients are accumulated and reduced, default fp32",
            dtypes(),
        )
        .optional();
    let mut default = |given: bool, field: &'static str, value: String| {
        if !given {
            taken.push((field, value));
        }
    };
    default(
        optimizer.is_some(),
        "optimizer",
        "adamw with fp32 moments".to_owned(),
    );
    default(grad_dtype.is_some(), "grad_dtype", DType::Fp32.to_string());
    let job = JobSpec {
        global_batch,
        seq_len,
        precision,
        optimizer: optimizer.unwrap_or(Optimizer::ADAMW),
        grad_dtype: grad_dtype.unwrap_or(DType::Fp32),
        dropout: t
            .get(
                "dropout",
                "probability of dropout",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .or(0.0),
        packed: t
            .get(
                "packed",
                "mean tokens of the short sequences that are packed into one; absent: nothing is packed",
                whole(1),
            )
            .optional(),
        peft: t
            .get(
                "peft",
                "adapters that are trained beside frozen weights",
                table(adapter::peft),
            )
            .optional(),
        decoder_seq_len: t
            .get(
                "decoder_seq_len",
                "tokens of the decoder, where there is an encoder",
                whole(1),
            )
            .optional(),
        total_tokens: t
            .get("total_tokens", "tokens of the whole run, to tell its days, energy and cost", whole(1))
            .optional(),
    };
    Training { job, taken }
}

const OPTIMIZER: &str =
    "which optimizer: a name, or a table with kind and its parameters; default adamw";

fn dtypes() -> impl Shape<Out = DType> {
    one_of(
        [DType::Fp32, DType::Fp16, DType::Bf16]
            .map(|dtype| (dtype.name(), dtype))
            .to_vec(),
    )
}
