//! `[training]`: data, formats, optimizer.

use units::DType;
use workload::{Fp8Recipe, JobSpec, Lora, LoraTargets, Optimizer, Precision};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{Shape, either, list, mapped, number, one_of, table, whole};

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
        .get("global_batch", "sequences of an iteration", whole(1))
        .required();
    let seq_len = t
        .get("seq_len", "tokens of a sequence", whole(1))
        .required();
    let precision = precision(t, &mut taken);
    let optimizer = t.get("optimizer", OPTIMIZER, optimizer()).optional();
    let grad_dtype = t
        .get(
            "grad_dtype",
            "format in which gradients are accumulated and reduced",
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
                "probability",
                number(Limits::within(0.0, 1.0).below_max()),
            )
            .or(0.0),
        packed: t
            .get(
                "packed",
                "mean tokens of the sequences packed into one",
                whole(1),
            )
            .optional(),
        peft: t
            .get("peft", "adapters beside frozen weights", table(peft))
            .optional(),
        decoder_seq_len: t
            .get(
                "decoder_seq_len",
                "tokens of the decoder, where there is an encoder",
                whole(1),
            )
            .optional(),
        total_tokens: t
            .get("total_tokens", "of the whole run, for its time", whole(1))
            .optional(),
    };
    Training { job, taken }
}

const OPTIMIZER: &str = "a name, or a table with kind and its parameters";

fn dtypes() -> impl Shape<Out = DType> {
    one_of(
        [DType::Fp32, DType::Fp16, DType::Bf16]
            .map(|dtype| (dtype.name(), dtype))
            .to_vec(),
    )
}

/// What `precision` names: the format of activations, and how products run in fewer bits.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    base: Precision,
    recipe: Option<Fp8Recipe>,
    is_fp8: bool,
}

fn precision(t: &mut Fields<'_, '_>, taken: &mut Vec<(&'static str, String)>) -> Precision {
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
            "format of activations and products",
            one_of(formats),
        )
        .optional();
    let recipes = Fp8Recipe::ALL
        .map(|recipe| (recipe.name(), recipe))
        .to_vec();
    let recipe = t
        .get("fp8_recipe", "how tensors become fp8", one_of(recipes))
        .optional();
    let params = t
        .get("param_dtype", "parameters as layers read them", dtypes())
        .optional();
    let main = t
        .get(
            "main_param_dtype",
            "the optimizer's copy, or none",
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

/// The kinds of optimizer, as files write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AdamW,
    Adam,
    Adam8bit,
    Sgd,
    Adafactor,
    Muon,
    Galore,
    Frugal,
    Kfac,
    Mkor,
}

const KINDS: [(&str, Kind); 10] = [
    ("adamw", Kind::AdamW),
    ("adam", Kind::Adam),
    ("adam8bit", Kind::Adam8bit),
    ("sgd", Kind::Sgd),
    ("adafactor", Kind::Adafactor),
    ("muon", Kind::Muon),
    ("galore", Kind::Galore),
    ("frugal", Kind::Frugal),
    ("kfac", Kind::Kfac),
    ("mkor", Kind::Mkor),
];

fn optimizer() -> impl Shape<Out = Optimizer> {
    let named = mapped(one_of(KINDS.to_vec()), |kind| Parameters::NONE.of(kind));
    either(named, table(optimizer_table))
}

/// Parameters of optimizers; each kind takes its own.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    moments: Option<DType>,
    momentum: Option<bool>,
    steps: Option<u32>,
    rank: Option<u64>,
    interval: Option<u32>,
    density: Option<f64>,
}

impl Parameters {
    const NONE: Self = Self {
        moments: None,
        momentum: None,
        steps: None,
        rank: None,
        interval: None,
        density: None,
    };

    /// The optimizer of that kind; what is absent has the value of the authors' papers.
    fn of(self, kind: Kind) -> Optimizer {
        let moments = self.moments.unwrap_or(DType::Fp32);
        match kind {
            Kind::AdamW => Optimizer::Adam {
                moments,
                decoupled: true,
            },
            Kind::Adam => Optimizer::Adam {
                moments,
                decoupled: false,
            },
            Kind::Adam8bit => Optimizer::Adam {
                moments: DType::Int8,
                decoupled: true,
            },
            Kind::Sgd => Optimizer::Sgd {
                momentum: self.momentum.unwrap_or(true),
            },
            Kind::Adafactor => Optimizer::Adafactor,
            Kind::Muon => Optimizer::Muon {
                steps: self.steps.unwrap_or(5),
            },
            Kind::Galore => Optimizer::Galore {
                rank: self.rank.unwrap_or(1024),
                interval: self.interval.unwrap_or(200),
                moments,
            },
            Kind::Frugal => Optimizer::Frugal {
                density: self.density.unwrap_or(0.25),
            },
            Kind::Kfac => Optimizer::Kfac {
                interval: self.interval.unwrap_or(100),
            },
            Kind::Mkor => Optimizer::Mkor,
        }
    }
}

fn optimizer_table(t: &mut Fields<'_, '_>) -> Optimizer {
    let kind = t
        .get("kind", "which one", one_of(KINDS.to_vec()))
        .required();
    let moments = [
        DType::Fp32,
        DType::Bf16,
        DType::Fp16,
        DType::Fp8,
        DType::Int8,
    ];
    let moments = moments.map(|dtype| (dtype.name(), dtype)).to_vec();
    let parameters = Parameters {
        moments: t
            .get(
                "moments",
                "adam, galore: format of the moments",
                one_of(moments),
            )
            .optional(),
        momentum: t
            .get(
                "momentum",
                "sgd: whether one is kept",
                crate::shape::boolean(),
            )
            .optional(),
        steps: t
            .get("steps", "muon: Newton-Schulz steps, 5", whole(1))
            .optional(),
        rank: t.get("rank", "galore: the rank, 1024", whole(1)).optional(),
        interval: t
            .get(
                "interval",
                "galore 200, kfac 100: steps between two refreshes",
                whole(1),
            )
            .optional(),
        density: t
            .get(
                "density",
                "frugal: share of values with Adam, 0.25",
                number(Limits::SHARE),
            )
            .optional(),
    };
    refuse_foreign_parameters(t, kind);
    parameters.of(kind)
}

/// A parameter that the kind does not have would be ignored silently.
fn refuse_foreign_parameters(t: &mut Fields<'_, '_>, kind: Kind) {
    let own: &[&str] = match kind {
        Kind::AdamW | Kind::Adam => &["moments"],
        Kind::Adam8bit | Kind::Adafactor | Kind::Mkor => &[],
        Kind::Sgd => &["momentum"],
        Kind::Muon => &["steps"],
        Kind::Galore => &["rank", "interval", "moments"],
        Kind::Frugal => &["density"],
        Kind::Kfac => &["interval"],
    };
    let name = KINDS
        .iter()
        .find(|(_, other)| *other == kind)
        .map_or("", |(name, _)| name);
    for key in [
        "moments", "momentum", "steps", "rank", "interval", "density",
    ] {
        if t.has(key) && !own.contains(&key) {
            let problem = Problem::Conflict {
                message: format!("optimizer {name:?} has no `{key}`"),
                hint: match own {
                    [] => format!("remove `{key}`"),
                    own => format!("remove `{key}`; {name:?} has {}", own.join(", ")),
                },
            };
            t.report(key, problem);
        }
    }
}

fn peft(t: &mut Fields<'_, '_>) -> Lora {
    t.get("kind", "the method", one_of(vec![("lora", ())]))
        .required();
    let targets = vec![
        (
            "qkv",
            LoraTargets {
                qkv: true,
                ..NO_TARGETS
            },
        ),
        (
            "output",
            LoraTargets {
                output: true,
                ..NO_TARGETS
            },
        ),
        (
            "up",
            LoraTargets {
                up: true,
                ..NO_TARGETS
            },
        ),
        (
            "down",
            LoraTargets {
                down: true,
                ..NO_TARGETS
            },
        ),
    ];
    let targets = t
        .get(
            "targets",
            "products with an adapter, default all four",
            list(one_of(targets)),
        )
        .optional();
    Lora {
        rank: t.get("rank", "rank of each adapter", whole(1)).required(),
        targets: targets.map_or(LoraTargets::ALL, |targets| {
            targets.into_iter().fold(NO_TARGETS, |a, b| LoraTargets {
                qkv: a.qkv || b.qkv,
                output: a.output || b.output,
                up: a.up || b.up,
                down: a.down || b.down,
            })
        }),
    }
}

const NO_TARGETS: LoraTargets = LoraTargets {
    qkv: false,
    output: false,
    up: false,
    down: false,
};
