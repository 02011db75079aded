//! `optimizer`: a name, or a table with `kind` and its parameters.

use units::DType;
use workload::Optimizer;

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{Shape, boolean, either, mapped, number, one_of, table, whole};

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

pub(super) fn optimizer() -> impl Shape<Out = Optimizer> {
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
        .get("kind", "which optimizer", one_of(KINDS.to_vec()))
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
                "adam, galore: number format of the moments, default fp32",
                one_of(moments),
            )
            .optional(),
        momentum: t
            .get(
                "momentum",
                "sgd: whether momentum is kept, default true",
                boolean(),
            )
            .optional(),
        steps: t
            .get("steps", "muon: Newton-Schulz steps, default 5", whole(1))
            .optional(),
        rank: t
            .get(
                "rank",
                "galore: rank of the projection, default 1024",
                whole(1),
            )
            .optional(),
        interval: t
            .get(
                "interval",
                "galore, kfac: steps between two refreshes, default 200 and 100",
                whole(1),
            )
            .optional(),
        density: t
            .get(
                "density",
                "frugal: share of values that Adam updates, default 0.25",
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
