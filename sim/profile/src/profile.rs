//! A checked profile, and the one function that everything asks: how long does this take?

use cluster::GpuSpec;
use units::Seconds;

use crate::assemble::Parts;
use crate::attention::{FlashCurve, Unfused, width};
use crate::check::check;
use crate::gemm::GemmCurve;
use crate::nominal;
use crate::sheet::{Sheet, slot};
use crate::stream::{ScanCurve, StreamCurve};
use crate::{
    Attention, AttentionKernel, Exposed, Gemm, HostCost, Interference, Kernel, KernelScales,
    MemoryConstants, Packing, PackingKind, Place, ProfileError, ProfileSpec, Provenance, Timed,
};

/// What one kind of GPU achieves.
///
/// Invariant: every constant is finite and inside the range that [`ProfileSpec`] prints, so that
/// no time is negative, NaN or, before [`Profile::scaled`], below the roofline of the data sheet.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
    launch: f64,
    /// By packing, then by format.
    gemm: [Vec<GemmCurve>; 3],
    flash: Vec<FlashCurve>,
    unfused: Unfused,
    stream: StreamCurve,
    scan: ScanCurve,
    host: HostCost,
    memory: MemoryConstants,
    interference: Interference,
    sources: Vec<(String, Provenance, String)>,
    scales: KernelScales,
    exposed: Exposed,
}

impl Profile {
    /// A profile from the data sheet and the habits of the GPU's architecture.
    ///
    /// # Panics
    ///
    /// Never: the nominal constants are in range whatever the data sheet says.
    pub fn nominal(gpu: &GpuSpec) -> Self {
        Self::assemble(&nominal::spec(gpu), gpu)
    }

    /// A profile from a file, for that GPU. What the file leaves out is nominal; where the file
    /// is of another chip, its shares of the peaks are kept and nothing is worth more than
    /// extrapolated.
    ///
    /// # Errors
    ///
    /// All values that are out of range, at once.
    pub fn build(spec: &ProfileSpec, gpu: &GpuSpec) -> Result<Self, Vec<ProfileError>> {
        let errors = check(spec);
        if errors.is_empty() {
            Ok(Self::assemble(spec, gpu))
        } else {
            Err(errors)
        }
    }

    fn assemble(spec: &ProfileSpec, gpu: &GpuSpec) -> Self {
        let sheet = Sheet::of(gpu);
        let fallback = nominal::spec(gpu);
        let parts = Parts {
            spec,
            fallback: &fallback,
            sheet: &sheet,
            best: worth(spec, gpu),
        };
        let interference = parts.section(|spec| spec.interference.as_ref());
        Self {
            name: spec.name.clone(),
            launch: spec.launch_us * 1e-6,
            gemm: [
                PackingKind::Single,
                PackingKind::Batched,
                PackingKind::Grouped,
            ]
            .map(|packing| parts.products(packing)),
            flash: parts.kernels(),
            unfused: Unfused::new(parts.section(|spec| spec.unfused.as_ref())),
            stream: parts.stream(),
            scan: parts.scan(),
            host: HostCost::new(parts.section(|spec| spec.host.as_ref())),
            memory: MemoryConstants::new(parts.section(|spec| spec.memory.as_ref())),
            interference: Interference::new(interference, sheet.sms),
            sources: parts.sources(),
            scales: KernelScales::ONE,
            exposed: Exposed::default(),
        }
    }

    /// The same profile with its times multiplied, on top of what was multiplied before.
    #[must_use]
    pub fn scaled(mut self, by: &KernelScales) -> Self {
        self.scales = self.scales.times(by);
        self.launch *= by.launch;
        self.host = by.on_host(self.host);
        self
    }

    /// The same profile with another host.
    #[must_use]
    pub fn with_host(mut self, host: HostCost) -> Self {
        self.host = host;
        self
    }

    /// The same profile where communication takes something else from kernels.
    #[must_use]
    pub fn with_interference(mut self, interference: Interference) -> Self {
        self.interference = interference;
        self
    }

    /// The same profile with other memory that no tensor explains.
    #[must_use]
    pub fn with_memory(mut self, memory: MemoryConstants) -> Self {
        self.memory = memory;
        self
    }

    /// The same profile where that much more of what runs beside kernels is waited for.
    #[must_use]
    pub fn exposing(mut self, more: Exposed) -> Self {
        self.exposed = self.exposed.and(more);
        self
    }

    /// The profile's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long a kernel takes while nothing else runs, without the gap to the next one.
    ///
    /// Takes 45 to 145 ns on one core of a 2020s server (`benches/time.rs`).
    ///
    /// ```
    /// use profile::{Gemm, Kernel, Profile, Provenance};
    /// use units::DType;
    /// # let gpu = cluster::GpuSpec {
    /// #     name: "v100".to_owned(), vendor: "NVIDIA".to_owned(),
    /// #     architecture: "Volta".to_owned(), form: "SXM2".to_owned(),
    /// #     fp32: units::FlopsPerSec::from_tera(15.7),
    /// #     peaks: vec![(DType::Fp16, units::FlopsPerSec::from_tera(125.0))],
    /// #     memory: units::Bytes::from_gib(32.0),
    /// #     bandwidth: units::BytesPerSec::from_gbytes(900.0).unwrap(),
    /// #     l2: None, sms: 80, boost_mhz: None, tdp: units::Watts::new(300.0),
    /// #     source: String::new(), notes: String::new(),
    /// # };
    ///
    /// // Nothing was measured on this V100 of 125 TFLOP/s: 70 % of its peak, or a little less.
    /// let gemm = Gemm::new(8192, 8192, 8192, DType::Fp16);
    /// let timed = Profile::nominal(&gpu).time(&Kernel::Gemm(gemm));
    /// let rate = gemm.flops() / timed.time;
    /// assert!((80.0..88.0).contains(&rate.as_tera()));
    /// assert_eq!(timed.provenance, Provenance::Nominal);
    /// ```
    pub fn time(&self, kernel: &Kernel) -> Timed {
        self.time_at(kernel, Place::Dense)
    }

    /// The same for a kernel at some place of a model.
    pub fn time_at(&self, kernel: &Kernel, place: Place) -> Timed {
        let scale = self.scales.of(kernel, place);
        let (secs, provenance) = match kernel {
            Kernel::Gemm(gemm) => times(self.product(gemm).time(gemm), scale),
            Kernel::Attention(attention) => match self.fused(attention) {
                Some(curve) => times(curve.time(attention), scale),
                None => self.unfused(attention),
            },
            Kernel::Stream(stream) => {
                let gaps = f64::from(stream.launches.saturating_sub(1)) * self.launch;
                let (time, provenance) = times(self.stream.time(stream), scale);
                (time + gaps, provenance)
            }
            Kernel::Scan(scan) => times(self.scan.time(scan), scale),
        };
        Timed {
            time: Seconds::from_secs(secs),
            provenance,
        }
    }

    /// Whether a kernel is an attention core with a softmax of several kernels.
    pub fn is_loose(&self, kernel: &Kernel) -> bool {
        match kernel {
            Kernel::Attention(attention) => {
                self.fused(attention).is_none() && !self.unfused.softmax_is_fused(attention)
            }
            _ => false,
        }
    }

    /// How long a microbenchmark of that kernel alone would take: [`Profile::time`] and the
    /// latency of a kernel that nothing hides. For comparison with tables.
    pub fn alone(&self, kernel: &Kernel) -> Timed {
        let timed = self.time(kernel);
        let base = match kernel {
            Kernel::Gemm(gemm) => self.product(gemm).base,
            Kernel::Attention(attention) => self.fused(attention).map_or(0.0, |curve| curve.base),
            Kernel::Stream(_) | Kernel::Scan(_) => 0.0,
        };
        Timed {
            time: timed.time + Seconds::from_secs(base),
            ..timed
        }
    }

    /// Mean absolute relative error of the curve behind a kernel, where one was fitted.
    pub fn error(&self, kernel: &Kernel) -> Option<f64> {
        match kernel {
            Kernel::Gemm(gemm) => self.product(gemm).range.error,
            Kernel::Attention(attention) => self.fused(attention)?.range.error,
            Kernel::Scan(_) => self.scan.range.error,
            Kernel::Stream(_) => None,
        }
    }

    /// Gap on the GPU between two kernels of a stream.
    pub fn launch(&self) -> Seconds {
        Seconds::from_secs(self.launch)
    }

    /// What the host needs to issue work.
    pub fn host(&self) -> HostCost {
        self.host
    }

    /// Memory that no tensor explains.
    pub fn memory(&self) -> &MemoryConstants {
        &self.memory
    }

    /// What communication takes from compute while both run.
    pub fn interference(&self) -> Interference {
        self.interference
    }

    /// What of communication beside kernels is waited for.
    pub fn exposed(&self) -> Exposed {
        self.exposed
    }

    /// Where each part comes from: what it is, its worth inside the range of its data, and its
    /// source.
    pub fn sources(&self) -> Vec<(String, Provenance, String)> {
        self.sources.clone()
    }

    fn product(&self, gemm: &Gemm) -> &GemmCurve {
        let packing = match gemm.packing {
            Packing::Single => 0,
            Packing::Batched(_) => 1,
            Packing::Grouped(_) => 2,
        };
        &self.gemm[packing][slot(gemm.dtype)]
    }

    /// The curve of a fused kernel: of its generation, format and the nearest head size. Where
    /// 8-bit inputs have no curve, the kernel computes in 16 bits.
    fn fused(&self, attention: &Attention) -> Option<&FlashCurve> {
        if attention.kernel == AttentionKernel::Unfused {
            return None;
        }
        let width = width(attention.dtype);
        self.flash
            .iter()
            .filter(|curve| curve.kernel == attention.kernel && curve.width <= width)
            .min_by_key(|curve| {
                let far = curve.head_dim.abs_diff(attention.qk_dim);
                (width - curve.width, far)
            })
    }

    fn unfused(&self, attention: &Attention) -> (f64, Provenance) {
        let parts = self.unfused.parts(attention);
        let mut time = self.stream.plain(parts.softmax.as_f64()) * self.scales.stream;
        let mut provenance = self.stream.provenance;
        for (gemm, count) in [parts.scores, parts.outputs] {
            let (secs, worth) = self.product(&gemm).time(&gemm);
            time += secs * count * parts.slow * self.scales.product(&gemm);
            provenance = provenance.max(worth);
        }
        let gaps = f64::from(parts.kernels.saturating_sub(1)) * self.launch;
        (time + gaps, provenance)
    }
}

fn times((secs, provenance): (f64, Provenance), scale: f64) -> (f64, Provenance) {
    (secs * scale, provenance)
}

/// The most that anything of a file is worth on a GPU.
fn worth(spec: &ProfileSpec, gpu: &GpuSpec) -> Provenance {
    let same = spec.gpu == gpu.name || spec.relatives.contains(&gpu.name);
    if same && spec.scaled_from.is_none() {
        Provenance::Measured
    } else {
        Provenance::Extrapolated
    }
}
