//! `precision`, `fp8_recipe` and the formats of parameters.

use units::DType;
use workload::{Fp8Recipe, Precision};

use super::dtypes;
use crate::error::Problem;
use crate::fields::Fields;
use crate::shape::{Shape, one_of};

/// What `precision` names: the format of activations, and how products run in fewer bits.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    base: Precision,
    recipe: Option<Fp8Recipe>,
    is_fp8: bool,
}

pub(super) fn precision(
    t: &mut Fields<'_, '_>,
    taken: &mut Vec<(&'static str, String)>,
) -> Precision {
    let format = |base, recipe| Format {
        base,
        recipe,
        is_fp8: false,
    };
    let fp8 = Format {
        is_fp8: true,
        ..format(Precision::BF16, None)
    };
    let tf32 = Precision {
        compute: DType::Tf32,
        ..Precision::FP32
    };
    let formats = vec![
        ("bf16", format(Precision::BF16, None)),
        ("fp16", format(Precision::FP16, None)),
        ("fp8", fp8),
        ("mxfp8", format(Precision::BF16, Some(Fp8Recipe::MxFp8))),
        ("nvfp4", format(Precision::BF16, Some(Fp8Recipe::NvFp4))),
        ("tf32", format(tf32, None)),
        ("fp32", format(Precision::FP32, None)),
    ];
    let given = t
        .get(
            "precision",
            "number format of activations and matrix products, default bf16",
            one_of(formats),
        )
        .optional();
    let recipes = Fp8Recipe::ALL
        .map(|recipe| (recipe.name(), recipe))
        .to_vec();
    let recipe = t
        .get(
            "fp8_recipe",
            "how tensors are scaled to fp8, default delayed",
            one_of(recipes),
        )
        .optional();
    let params = t
        .get(
            "param_dtype",
            "number format of the parameters that layers read",
            dtypes(),
        )
        .optional();
    let main = t
        .get(
            "main_param_dtype",
            "number format of the optimizer's own copy of the parameters, or none",
            main_params(),
        )
        .optional();
    if given.is_none() {
        taken.push(("precision", "bf16".to_owned()));
    }
    let format = given.unwrap_or_else(|| format(Precision::BF16, None));
    if recipe.is_some() && !format.is_fp8 && format.recipe != recipe {
        let problem = Problem::Conflict {
            message: "`fp8_recipe` needs `precision = \"fp8\"`".to_owned(),
            hint: "set `precision = \"fp8\"`, or remove `fp8_recipe`".to_owned(),
        };
        t.report("fp8_recipe", problem);
    }
    if format.is_fp8 && recipe.is_none() {
        taken.push(("fp8_recipe", Fp8Recipe::Delayed.name().to_owned()));
    }
    let recipe = recipe
        .or(format.recipe)
        .or_else(|| format.is_fp8.then_some(Fp8Recipe::Delayed));
    let params = params.unwrap_or(format.base.params);
    Precision {
        fp8: recipe,
        params,
        main_params: match main {
            None => format.base.main_params.filter(|main| *main != params),
            Some(MainParams::None) => None,
            Some(MainParams::Copy(dtype)) => Some(dtype),
        },
        ..format.base
    }
}

/// The optimizer's copy of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MainParams {
    /// It works on the parameters themselves.
    None,
    /// A copy in that format.
    Copy(DType),
}

fn main_params() -> impl Shape<Out = MainParams> {
    let copies = [DType::Fp32, DType::Fp16, DType::Bf16];
    let mut options = vec![("none", MainParams::None)];
    options.extend(copies.map(|dtype| (dtype.name(), MainParams::Copy(dtype))));
    one_of(options)
}
