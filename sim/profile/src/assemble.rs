//! From a file and what stands in for its gaps to curves.

use units::DType;

use crate::attention::{FlashCurve, width};
use crate::gemm::GemmCurve;
use crate::range::Range;
use crate::sheet::Sheet;
use crate::stream::{ScanCurve, StreamCurve};
use crate::{AttentionSpec, GemmSpec, PackingKind, ProfileSpec, Provenance};

/// A checked file, the nominal one that fills its gaps, and the GPU.
pub(crate) struct Parts<'a> {
    pub(crate) spec: &'a ProfileSpec,
    pub(crate) fallback: &'a ProfileSpec,
    pub(crate) sheet: &'a Sheet,
    /// The most that anything of the file is worth on this GPU.
    pub(crate) best: Provenance,
}

impl<'a> Parts<'a> {
    /// A section of the file, or the nominal one, which is always there.
    pub(crate) fn section<T: 'a>(&self, pick: impl Fn(&'a ProfileSpec) -> Option<&'a T>) -> &'a T {
        pick(self.spec)
            .or_else(|| pick(self.fallback))
            .expect("the nominal profile has every section")
    }

    /// Curves of one packing, in the order of [`DType::ALL`].
    pub(crate) fn products(&self, packing: PackingKind) -> Vec<GemmCurve> {
        let curve = |dtype| self.product(packing, dtype);
        DType::ALL.into_iter().map(curve).collect()
    }

    /// The curve for a packing and format: the file's; else the file's for single products,
    /// extrapolated; else the nominal one.
    fn product(&self, packing: PackingKind, dtype: DType) -> GemmCurve {
        let nominal = find(&self.fallback.gemm, packing, dtype)
            .expect("the nominal profile has every packing and format");
        if let Some(spec) = find(&self.spec.gemm, packing, dtype) {
            return self.curve(spec, dtype, self.best);
        }
        let Some(single) = find(&self.spec.gemm, PackingKind::Single, dtype) else {
            return self.curve(nominal, dtype, Provenance::Nominal);
        };
        let derived = GemmSpec {
            packing,
            half_rows: nominal.half_rows,
            split_k: nominal.split_k,
            grid: None,
            points: Vec::new(),
            ..single.clone()
        };
        self.curve(&derived, dtype, Provenance::Extrapolated)
    }

    fn curve(&self, spec: &GemmSpec, dtype: DType, best: Provenance) -> GemmCurve {
        let mut curve = GemmCurve::new(spec, dtype, self.sheet, self.spec.sustained);
        curve.range = curve.range.at_best(best);
        curve
    }

    /// The file's fused kernels, and the nominal ones of generations that it has none of.
    pub(crate) fn kernels(&self) -> Vec<FlashCurve> {
        let absent = |spec: &&AttentionSpec| {
            let listed = &self.spec.attention;
            !listed.iter().any(|other| other.kernel == spec.kernel)
        };
        let nominal = self.fallback.attention.iter().filter(absent);
        let mut curves = Vec::new();
        for spec in self.spec.attention.iter().chain(nominal) {
            for format in [DType::Bf16, DType::Fp8] {
                let meant = |dtype: &DType| width(*dtype) == width(format);
                if let Some(dtype) = spec.dtypes.iter().find(|dtype| meant(dtype)) {
                    let sustained = self.spec.sustained;
                    let mut curve = FlashCurve::new(spec, *dtype, self.sheet, sustained);
                    curve.range = curve.range.at_best(self.best);
                    curves.push(curve);
                }
            }
        }
        curves
    }

    pub(crate) fn stream(&self) -> StreamCurve {
        let spec = self.section(|spec| spec.stream.as_ref());
        StreamCurve::new(spec, self.sheet).at_best(self.best)
    }

    pub(crate) fn scan(&self) -> ScanCurve {
        let spec = self.section(|spec| spec.scan.as_ref());
        let mut curve = ScanCurve::new(spec, self.sheet, self.spec.sustained);
        curve.range = curve.range.at_best(self.best);
        curve
    }

    /// What each part is, its worth inside the range of its data, and its source.
    pub(crate) fn sources(&self) -> Vec<(String, Provenance, String)> {
        let mut sources = Vec::new();
        let products = gaps(&self.spec.gemm, &self.fallback.gemm);
        for (spec, given) in products {
            let what = format!("{:?} products of {}", spec.packing, names(&spec.dtypes));
            let worth = self.worth(Range::of(spec.fit.as_ref()), given);
            sources.push((what, worth, spec.source.clone()));
        }
        let kernels = gaps(&self.spec.attention, &self.fallback.attention);
        for (spec, given) in kernels {
            let what = format!("{:?} attention, head size {}", spec.kernel, spec.head_dim);
            let worth = self.worth(Range::of(spec.fit.as_ref()), given);
            sources.push((what, worth, spec.source.clone()));
        }
        for (what, worth, source) in self.constants() {
            sources.push((what.to_owned(), worth, source.to_owned()));
        }
        sources
    }

    /// The sections that are no lists.
    fn constants(&self) -> [(&'static str, Provenance, &str); 6] {
        let stream = self.section(|spec| spec.stream.as_ref());
        let scan = self.section(|spec| spec.scan.as_ref());
        let unfused = self.section(|spec| spec.unfused.as_ref());
        let host = self.section(|spec| spec.host.as_ref());
        let memory = self.section(|spec| spec.memory.as_ref());
        let interference = self.section(|spec| spec.interference.as_ref());
        let (moved, scanned) = (self.stream().provenance, self.scan().range.inside());
        let nominal = Provenance::Nominal;
        [
            ("memory-bound kernels", moved, &stream.source),
            ("state-space scans", scanned, &scan.source),
            ("unfused attention", nominal, &unfused.source),
            ("host time", nominal, &host.source),
            ("memory constants", nominal, &memory.source),
            ("interference", nominal, &interference.source),
        ]
    }

    fn worth(&self, range: Range, given: bool) -> Provenance {
        let best = if given {
            self.best
        } else {
            Provenance::Nominal
        };
        range.at_best(best).inside()
    }
}

/// The entries of a file, or the nominal ones where it has none; and which of the two.
fn gaps<'a, T>(given: &'a [T], nominal: &'a [T]) -> impl Iterator<Item = (&'a T, bool)> {
    let used = if given.is_empty() { nominal } else { given };
    used.iter().map(|spec| (spec, !given.is_empty()))
}

fn find(list: &[GemmSpec], packing: PackingKind, dtype: DType) -> Option<&GemmSpec> {
    list.iter()
        .find(|spec| spec.packing == packing && spec.dtypes.contains(&dtype))
}

fn names(dtypes: &[DType]) -> String {
    let names: Vec<&str> = dtypes.iter().map(|dtype| dtype.name()).collect();
    names.join(", ")
}
