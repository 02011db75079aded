//! Scalars that were fitted on measured runs: a file that `windtunnel calibrate fit` writes.
//!
//! Each entry says where it holds (framework, release, GPU, node) and multiplies one scalar of
//! [`lower::Scales`]; entries that hold for the same run multiply each other. A framework without
//! entries of its own takes those of the nearest framework that has some.

use std::sync::OnceLock;

use cluster::GpuSpec;
use lower::{ScaleKey, Scales};

use crate::fields::Fields;
use crate::framework::{On, on, version_holds};
use crate::hardware::schema;
use crate::kind::Limits;
use crate::library::read_source;
use crate::shape::{list, number, one_of, table, text, whole};
use crate::source::Source;

/// A file of fitted scalars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FittedFile {
    /// What it is called.
    pub name: String,
    /// The rows that were fitted, and the command.
    pub source: String,
    /// The scalars.
    pub scales: Vec<FittedScale>,
    /// How far runs were from predictions that had not seen them.
    pub intervals: Vec<Interval>,
    /// GPUs of which runs were fitted.
    pub gpus: Vec<String>,
}

/// How far runs that were left out of a fit were from their predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// What was left out: `model`, `framework` or `gpu`.
    pub unseen: Unseen,
    /// Of runs of that framework; of all, where none is named.
    pub framework: Option<String>,
    /// On GPUs of that architecture.
    pub architecture: Option<String>,
    /// From a prediction to the 90th percentile, as a natural logarithm; to the 10th it is as far.
    pub half_width: f64,
    /// Runs.
    pub rows: u64,
    /// Groups that they were left out in.
    pub groups: u64,
}

/// What of a run a fit has not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// Its model, or its layout.
    Model,
    /// Its framework.
    Framework,
    /// Its GPU.
    Gpu,
}

/// One fitted scalar, and where it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedScale {
    /// Which scalar.
    pub key: ScaleKey,
    /// Of that framework; all, where none is named.
    pub framework: Option<String>,
    /// From that version of it on.
    pub from: Option<String>,
    /// Up to, and without, that version.
    pub before: Option<String>,
    /// On which GPUs.
    pub on: On,
    /// On that kind of node.
    pub node: Option<String>,
    /// The value: a factor, or a share that is added.
    pub value: f64,
    /// Standard deviation of its logarithm.
    pub log_sd: f64,
    /// Rows that it was fitted on.
    pub rows: u64,
}

/// What a run is, as far as fitted scalars ask.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The framework, then its nearest, and so on.
    pub frameworks: &'a [&'a str],
    /// Its version.
    pub version: Option<&'a str>,
    /// The kind of node.
    pub node: &'a str,
}

/// A file of fitted scalars.
pub(crate) fn fitted_file(t: &mut Fields<'_, '_>) -> FittedFile {
    schema(t);
    FittedFile {
        name: t.get("name", "what it is called", text()).required(),
        source: t
            .get(
                "source",
                "the rows that were fitted, and the command",
                text(),
            )
            .or(String::new()),
        scales: t
            .get("scale", "scalars, and where they hold", list(table(scale)))
            .or_default(),
        intervals: t
            .get(
                "interval",
                "how far runs were from predictions that had not seen them",
                list(table(interval)),
            )
            .or_default(),
        gpus: t
            .get("gpus", "GPUs of which runs were fitted", list(text()))
            .or_default(),
    }
}

fn interval(t: &mut Fields<'_, '_>) -> Interval {
    let unseen = vec![
        ("model", Unseen::Model),
        ("framework", Unseen::Framework),
        ("gpu", Unseen::Gpu),
    ];
    Interval {
        unseen: t
            .get("unseen", "what was left out", one_of(unseen))
            .required(),
        framework: t
            .get("framework", "of runs of this framework", text())
            .optional(),
        architecture: t
            .get("architecture", "on GPUs of this architecture", text())
            .optional(),
        half_width: t
            .get(
                "half_width",
                "to the 90th percentile, as a natural logarithm",
                number(Limits::within(0.0, 10.0)),
            )
            .required(),
        rows: t.get("rows", "runs", whole(0)).or(0),
        groups: t
            .get("groups", "groups that they were left out in", whole(0))
            .or(0),
    }
}

fn scale(t: &mut Fields<'_, '_>) -> FittedScale {
    let keys = ScaleKey::ALL.map(|key| (key.name(), key)).to_vec();
    FittedScale {
        key: t.get("key", "which scalar", one_of(keys)).required(),
        framework: t
            .get("framework", "only of this framework", text())
            .optional(),
        from: t.get("from", "from this version on", text()).optional(),
        before: t.get("before", "before this version", text()).optional(),
        on: on(t),
        node: t
            .get("node", "only on this kind of node", text())
            .optional(),
        value: t
            .get(
                "value",
                "a factor, or a share that is added",
                number(Limits::within(0.0, 100.0)),
            )
            .required(),
        log_sd: t
            .get(
                "log_sd",
                "standard deviation of its logarithm",
                number(Limits::within(0.0, 10.0)),
            )
            .or(0.0),
        rows: t.get("rows", "rows that it was fitted on", whole(0)).or(0),
    }
}

/// The scalars that come with the binary.
pub fn shipped() -> &'static FittedFile {
    static SHIPPED: OnceLock<FittedFile> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let text = include_str!("../../fitted/scales.toml");
        let source = Source::new("zoo/fitted/scales.toml", text);
        read_source(&source, &fitted_file).unwrap_or_default()
    })
}

impl FittedScale {
    fn over(&self, scales: &mut Scales) {
        if self.key.is_share() {
            scales[self.key] = (scales[self.key] + self.value).min(1.0);
        } else if self.key.is_added() {
            scales[self.key] += self.value;
        } else {
            scales[self.key] *= self.value;
        }
    }

    /// Whether it holds for a run on a GPU, taken as of the framework at one place of its chain.
    fn holds(&self, setting: &Setting<'_>, framework: Option<&str>, gpu: &GpuSpec) -> bool {
        let named = |own: &Option<String>, other: &str| {
            own.as_ref()
                .is_none_or(|name| name.eq_ignore_ascii_case(other))
        };
        let of_framework = match (&self.framework, framework) {
            (None, _) => true,
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            (Some(_), None) => false,
        };
        let later = |from: &Option<String>| {
            from.as_ref()
                .is_some_and(|from| version_holds(from, setting.version))
        };
        of_framework
            && self.on.holds(gpu)
            && named(&self.node, setting.node)
            && (self.from.is_none() || later(&self.from))
            && !later(&self.before)
    }
}

impl FittedFile {
    /// The places of the scalars that hold for a run on a GPU.
    pub fn holding(&self, setting: &Setting<'_>, gpu: &GpuSpec) -> Vec<usize> {
        let known = |name: &&&str| {
            let is = |scale: &FittedScale| {
                scale
                    .framework
                    .as_ref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            };
            self.scales.iter().any(is)
        };
        let framework = setting.frameworks.iter().find(known).copied();
        let holds = |at: &usize| self.scales[*at].holds(setting, framework, gpu);
        (0..self.scales.len()).filter(holds).collect()
    }

    /// Half the width of the interval from the 10th to the 90th percentile of what a run takes, as a
    /// natural logarithm. An unknown GPU or framework adds its own uncertainty, in squares.
    ///
    /// * `frameworks` — the framework, then its nearest, and so on.
    pub fn spread(&self, frameworks: &[&str], gpus: &[GpuSpec]) -> Option<f64> {
        let architecture = gpus.first().map(|gpu| gpu.architecture.as_str());
        let is = |own: &Option<String>, name: Option<&str>| match (own, name) {
            (None, None) => true,
            (Some(own), Some(name)) => own.eq_ignore_ascii_case(name),
            _ => false,
        };
        let of = |unseen: Unseen, framework: Option<&str>, architecture: Option<&str>| {
            let holds = |one: &&Interval| {
                one.unseen == unseen
                    && is(&one.framework, framework)
                    && is(&one.architecture, architecture)
            };
            self.intervals.iter().find(holds).map(|one| one.half_width)
        };
        let own = frameworks.first().copied();
        let model = of(Unseen::Model, own, architecture)
            .or_else(|| of(Unseen::Model, own, None))
            .or_else(|| of(Unseen::Framework, None, None))?;
        let seen = |gpu: &GpuSpec| {
            self.gpus
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&gpu.name))
        };
        let far = if gpus.iter().all(seen) {
            0.0
        } else {
            of(Unseen::Gpu, None, None).unwrap_or(0.0)
        };
        Some((model * model + far * far).sqrt())
    }

    /// The scalars of a run on a GPU, over others.
    pub fn over(&self, scales: &mut Scales, setting: &Setting<'_>, gpu: &GpuSpec) {
        for at in self.holding(setting, gpu) {
            self.scales[at].over(scales);
        }
    }

    /// All of its scalars, wherever they hold.
    pub fn all(&self) -> Scales {
        let mut scales = Scales::default();
        for scale in &self.scales {
            scale.over(&mut scales);
        }
        scales
    }
}

#[cfg(test)]
mod tests {
    use cluster::example;

    use super::*;

    const TEXT: &str = "schema = 1\nname = \"x\"\n\
        [[scale]]\nkey = \"gemm\"\nvalue = 1.5\n\
        [[scale]]\nkey = \"gemm\"\nframework = \"nemo\"\nvalue = 2.0\n\
        [[scale]]\nkey = \"host\"\nframework = \"nemo\"\nbefore = \"25.0\"\nvalue = 3.0\n\
        [[scale]]\nkey = \"stream\"\nnode = \"elsewhere\"\nvalue = 7.0\n";

    fn scales(frameworks: &[&str], version: Option<&str>) -> Scales {
        let file = read_source(&Source::new("x.toml", TEXT), &fitted_file).unwrap();
        let setting = Setting {
            frameworks,
            version,
            node: "dgx-h100",
        };
        let mut scales = Scales::default();
        file.over(&mut scales, &setting, &example::h100());
        scales
    }

    #[test]
    fn scalars_hold_where_they_say_and_multiply() {
        let own = scales(&["nemo", "neutral"], Some("24.07"));
        assert!((own[ScaleKey::Gemm] - 3.0).abs() < 1e-12);
        assert!((own[ScaleKey::Host] - 3.0).abs() < 1e-12);
        assert!((own[ScaleKey::Stream] - 1.0).abs() < 1e-12);
        let later = scales(&["nemo", "neutral"], Some("25.04"));
        assert!((later[ScaleKey::Host] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_framework_without_scalars_takes_those_of_its_nearest() {
        let other = scales(&["ours", "nemo", "neutral"], None);
        assert!((other[ScaleKey::Gemm] - 3.0).abs() < 1e-12);
        let far = scales(&["theirs"], None);
        assert!((far[ScaleKey::Gemm] - 1.5).abs() < 1e-12);
    }

    #[test]
    fn what_a_fit_has_not_seen_is_less_certain() {
        let text = "schema = 1\nname = \"x\"\ngpus = [\"h100-sxm\"]\n\
            [[interval]]\nunseen = \"model\"\nframework = \"nemo\"\nhalf_width = 0.03\n\
            [[interval]]\nunseen = \"framework\"\nhalf_width = 0.2\n\
            [[interval]]\nunseen = \"gpu\"\nhalf_width = 0.04\n";
        let file = read_source(&Source::new("x.toml", text), &fitted_file).unwrap();
        let h100 = example::h100();
        let other = GpuSpec {
            name: "other".to_owned(),
            ..h100.clone()
        };
        let of = |frameworks: &[&str], gpu: &GpuSpec| {
            file.spread(frameworks, std::slice::from_ref(gpu)).unwrap()
        };
        assert!((of(&["nemo"], &h100) - 0.03).abs() < 1e-12);
        assert!((of(&["nemo"], &other) - 0.05).abs() < 1e-12);
        assert!((of(&["ours", "nemo"], &h100) - 0.2).abs() < 1e-12);
        assert_eq!(FittedFile::default().spread(&["nemo"], &[h100]), None);
    }

    #[test]
    fn the_shipped_file_reads() {
        assert!(!shipped().name.is_empty());
    }
}
