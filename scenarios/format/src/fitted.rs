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

/// What a device must have free beside the predicted use, as a share of it, so that a plan fits
/// where the memory model is off: a quantile of left-out runs, which the fit of memory writes.
pub fn memory_margin() -> MemoryMargin {
    let text = include_str!("../../fitted/memory.toml");
    let source = Source::new("zoo/fitted/memory.toml", text);
    read_source(&source, &margin_file).unwrap_or_default()
}

/// How far measured peaks of memory lay above predictions that had not seen them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryMargin {
    /// Measured over predicted, less 1.
    pub margin: f64,
    /// Share of runs that lay below.
    pub covers: f64,
    /// Runs.
    pub rows: u64,
    /// What was compared.
    pub source: String,
}

fn margin_file(t: &mut Fields<'_, '_>) -> MemoryMargin {
    schema(t);
    let share = || number(Limits::at_least(0.0));
    MemoryMargin {
        margin: t
            .get("margin", "measured over predicted, less 1", share())
            .required(),
        covers: t
            .get("covers", "share of runs that lay below", share())
            .required(),
        rows: t.get("rows", "runs", whole(1)).required(),
        source: t.get("source", "what was compared", text()).required(),
    }
}

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

impl Unseen {
    /// Everything that may be unseen.
    pub const ALL: [Self; 3] = [Self::Model, Self::Framework, Self::Gpu];

    /// The name as files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Framework => "framework",
            Self::Gpu => "gpu",
        }
    }
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
    let unseen = Unseen::ALL.map(|thing| (thing.name(), thing)).to_vec();
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
    /// natural logarithm. Whatever the fit has not seen adds the width that leaving out such a thing
    /// gave:
    ///
    /// ```text
    /// w² = m² + m²·[model stands in] + f²·[framework not seen] + g²·[GPU not seen]
    /// ```
    ///
    /// `m` is the width of models that were left out of runs of that framework: on GPUs of that
    /// architecture, else on any, else of the nearest framework that has one. Squares add as those of
    /// independent errors do. Widths of frameworks and GPUs hold some of `m` already, so that sums
    /// are rather too wide than too narrow. With GPUs of several kinds the widest counts.
    ///
    /// * `frameworks` — the framework, then its nearest, and so on. One of which no run was fitted
    ///   is not seen.
    /// * `gpus` — a GPU that is not among [`Self::gpus`] is not seen.
    /// * `stands_in` — what besides was not seen, since what the scenario names stands in for it.
    pub fn spread(
        &self,
        frameworks: &[&str],
        gpus: &[GpuSpec],
        stands_in: &[Unseen],
    ) -> Option<f64> {
        let own = frameworks.first().copied();
        let has = |thing| stands_in.contains(&thing);
        let times = |holds: bool, width: Option<f64>| match width {
            Some(width) if holds => width * width,
            _ => 0.0,
        };
        let new_framework = has(Unseen::Framework) || own.is_none_or(|own| !self.has_seen(own));
        let framework = self.width(Unseen::Framework, None, None);
        let on = |gpu: &GpuSpec| {
            let architecture = Some(gpu.architecture.as_str());
            let of = |name: &&str| {
                let near = self.width(Unseen::Model, Some(name), architecture);
                near.or_else(|| self.width(Unseen::Model, Some(name), None))
            };
            let model = frameworks.iter().find_map(of);
            let known = model.or(framework)?;
            let new_gpu = has(Unseen::Gpu) || !self.has_fitted(gpu);
            let square = known * known
                + times(has(Unseen::Model), model)
                + times(new_framework && model.is_some(), framework)
                + times(new_gpu, self.width(Unseen::Gpu, None, None));
            Some(square.sqrt())
        };
        gpus.iter().filter_map(on).reduce(f64::max)
    }

    /// Whether runs of that framework were fitted.
    fn has_seen(&self, framework: &str) -> bool {
        let is = |own: &Option<String>| {
            own.as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(framework))
        };
        self.intervals.iter().any(|one| is(&one.framework))
    }

    /// Whether runs on that GPU were fitted.
    fn has_fitted(&self, gpu: &GpuSpec) -> bool {
        let is = |name: &String| name.eq_ignore_ascii_case(&gpu.name);
        self.gpus.iter().any(is)
    }

    /// The width of what was left out of runs of exactly that framework and architecture.
    fn width(
        &self,
        unseen: Unseen,
        framework: Option<&str>,
        architecture: Option<&str>,
    ) -> Option<f64> {
        let is = |own: &Option<String>, name: Option<&str>| match (own, name) {
            (None, None) => true,
            (Some(own), Some(name)) => own.eq_ignore_ascii_case(name),
            _ => false,
        };
        let holds = |one: &&Interval| {
            one.unseen == unseen
                && is(&one.framework, framework)
                && is(&one.architecture, architecture)
        };
        self.intervals.iter().find(holds).map(|one| one.half_width)
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

    const WIDTHS: &str = "schema = 1\nname = \"x\"\ngpus = [\"h100-sxm\"]\n\
        [[interval]]\nunseen = \"model\"\nframework = \"nemo\"\nhalf_width = 0.03\n\
        [[interval]]\nunseen = \"framework\"\nhalf_width = 0.2\n\
        [[interval]]\nunseen = \"gpu\"\nhalf_width = 0.04\n";

    fn spread(frameworks: &[&str], gpus: &[GpuSpec], stands_in: &[Unseen]) -> Option<f64> {
        let file = read_source(&Source::new("x.toml", WIDTHS), &fitted_file).unwrap();
        file.spread(frameworks, gpus, stands_in)
    }

    /// A GPU of which no run was fitted.
    fn other() -> GpuSpec {
        GpuSpec {
            name: "other".to_owned(),
            ..example::h100()
        }
    }

    #[test]
    fn what_a_fit_has_not_seen_adds_its_width_in_squares() {
        let of = |frameworks: &[&str], gpu: GpuSpec, stands_in: &[Unseen]| {
            spread(frameworks, &[gpu], stands_in).unwrap()
        };
        let is = |found: f64, squares: &[f64]| {
            let sum: f64 = squares.iter().map(|width| width * width).sum();
            assert!((found - sum.sqrt()).abs() < 1e-12, "{found} {squares:?}");
        };
        is(of(&["nemo"], example::h100(), &[]), &[0.03]);
        is(of(&["nemo"], other(), &[]), &[0.03, 0.04]);
        is(of(&["ours", "nemo"], example::h100(), &[]), &[0.03, 0.2]);
        is(of(&["ours", "nemo"], other(), &[]), &[0.03, 0.2, 0.04]);
        is(of(&["ours", "neutral"], example::h100(), &[]), &[0.2]);
    }

    #[test]
    fn what_stands_in_for_another_is_as_uncertain_as_what_a_fit_has_not_seen() {
        let of = |stands_in: &[Unseen]| spread(&["nemo"], &[example::h100()], stands_in).unwrap();
        let new_gpu = spread(&["nemo"], &[other()], &[]).unwrap();
        assert!((of(&[Unseen::Gpu]) - new_gpu).abs() < 1e-12);
        let new_framework = spread(&["ours", "nemo"], &[example::h100()], &[]).unwrap();
        assert!((of(&[Unseen::Framework]) - new_framework).abs() < 1e-12);
        let new_model = of(&[Unseen::Model]);
        assert!((new_model - 0.03 * 2_f64.sqrt()).abs() < 1e-12);
        let all = of(&Unseen::ALL);
        assert!(new_framework < all && new_gpu < all && new_model < all);
    }

    #[test]
    fn of_several_kinds_of_gpus_the_least_certain_counts() {
        let both = spread(&["nemo"], &[example::h100(), other()], &[]);
        assert_eq!(both, spread(&["nemo"], &[other()], &[]));
        assert_eq!(
            FittedFile::default().spread(&["nemo"], &[other()], &[]),
            None
        );
    }

    #[test]
    fn the_shipped_widths_grow_with_what_is_unknown() {
        let mut gpu = example::h100();
        let fitted = shipped();
        gpu.name.clone_from(&fitted.gpus[0]);
        for one in fitted
            .intervals
            .iter()
            .filter(|one| one.architecture.is_some())
        {
            let name = one.framework.as_deref().unwrap();
            gpu.architecture = one.architecture.clone().unwrap();
            let of = |gpu: &GpuSpec, stands_in: &[Unseen]| {
                fitted.spread(&[name], std::slice::from_ref(gpu), stands_in)
            };
            let known = of(&gpu, &[]);
            assert_eq!(known, Some(one.half_width));
            for thing in Unseen::ALL {
                assert!(known < of(&gpu, &[thing]), "{name} {}", thing.name());
            }
            let elsewhere = GpuSpec {
                name: "other".to_owned(),
                ..gpu.clone()
            };
            assert!(known < of(&elsewhere, &[]), "{name}");
        }
    }

    #[test]
    fn the_shipped_file_reads() {
        assert!(!shipped().name.is_empty());
    }
}
