//! The one door into a [`Profile`](crate::Profile): every value of a file, checked.

use crate::{
    AttentionKernel, AttentionSpec, FitSpec, GemmSpec, GridSpec, ProfileError, ProfileSpec,
};

/// Everything that is wrong with a file.
pub(crate) fn check(spec: &ProfileSpec) -> Vec<ProfileError> {
    let mut errors = Vec::new();
    if spec.schema != 1 {
        errors.push(ProfileError::Schema { found: spec.schema });
    }
    let mut top = Checker::new("the profile", &mut errors);
    top.positive("sustained", spec.sustained, 2.0);
    top.within("launch_us", spec.launch_us, 0.0, 1e6);
    for (at, gemm) in spec.gemm.iter().enumerate() {
        product(at, gemm, &mut errors);
        overlap(at, &spec.gemm, &mut errors);
    }
    for (at, attention) in spec.attention.iter().enumerate() {
        fused(at, attention, &mut errors);
        repeated(at, &spec.attention, &mut errors);
    }
    sections(spec, &mut errors);
    errors
}

/// Collects the errors of one section.
struct Checker<'a> {
    section: String,
    errors: &'a mut Vec<ProfileError>,
}

impl<'a> Checker<'a> {
    fn new(section: impl Into<String>, errors: &'a mut Vec<ProfileError>) -> Self {
        Self {
            section: section.into(),
            errors,
        }
    }

    /// A value in `[low, high]`, ends included.
    fn within(&mut self, field: &'static str, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            self.errors.push(ProfileError::OutOfRange {
                section: self.section.clone(),
                field,
                value,
                low,
                high,
            });
        }
    }

    /// A value in `(0, high]`: anything below a millionth is taken for zero.
    fn positive(&mut self, field: &'static str, value: f64, high: f64) {
        self.within(field, value, 1e-6, high);
    }

    fn empty(&mut self, field: &'static str, is_empty: bool) {
        if is_empty {
            let section = self.section.clone();
            self.errors.push(ProfileError::Empty { section, field });
        }
    }

    fn fit(&mut self, fit: Option<&FitSpec>) {
        let Some(fit) = fit else { return };
        self.within("mape", fit.mape, 0.0, 10.0);
        self.within("held_out", fit.held_out.unwrap_or(0.0), 0.0, 10.0);
        for (axis, range) in [("x", fit.x), ("y", fit.y), ("z", fit.z)] {
            if let Some([low, high]) = range {
                self.within(axis, low, 0.0, f64::MAX);
                self.within(axis, high, low, f64::MAX);
            }
        }
    }

    fn grid(&mut self, grid: Option<&GridSpec>) {
        let Some(grid) = grid else { return };
        for (axis, nodes) in [('m', &grid.m), ('n', &grid.n), ('k', &grid.k)] {
            let rises = nodes.windows(2).all(|pair| pair[0] < pair[1]);
            let large = nodes.iter().all(|node| (1.0..1e15).contains(node));
            if nodes.is_empty() || !rises || !large {
                let section = self.section.clone();
                self.errors.push(ProfileError::GridAxis { section, axis });
            }
        }
        let expected = grid.m.len() * grid.n.len() * grid.k.len();
        if grid.factor.len() != expected {
            self.errors.push(ProfileError::GridSize {
                section: self.section.clone(),
                found: grid.factor.len(),
                expected,
            });
        }
        for factor in &grid.factor {
            self.within("factor", *factor, 0.125, 8.0);
        }
    }
}

/// `[[gemm]]` counted from 1, as a reader of the file counts.
fn entry(table: &str, at: usize) -> String {
    format!("[[{table}]] number {}", at + 1)
}

fn product(at: usize, gemm: &GemmSpec, errors: &mut Vec<ProfileError>) {
    let mut checker = Checker::new(entry("gemm", at), errors);
    checker.empty("dtypes", gemm.dtypes.is_empty());
    checker.positive("efficiency", gemm.efficiency, 1.0);
    checker.within("half_k", gemm.half_k, 0.0, 1e6);
    checker.within("half_rows", gemm.half_rows, 0.0, 1e6);
    checker.within("wave", gemm.wave, 0.0, 1.0);
    checker.within("tile", f64::from(gemm.tile[0]), 1.0, 65_536.0);
    checker.within("tile", f64::from(gemm.tile[1]), 1.0, 65_536.0);
    checker.within("split_k", f64::from(gemm.split_k), 1.0, 1024.0);
    checker.positive("bandwidth", gemm.bandwidth, 1.0);
    checker.positive("accumulate", gemm.accumulate, 1.0);
    checker.within("product_us", gemm.product_us, 0.0, 1e6);
    checker.within("base_us", gemm.base_us, 0.0, 1e6);
    checker.fit(gemm.fit.as_ref());
    checker.grid(gemm.grid.as_ref());
    for point in &gemm.points {
        checker.positive("us", point.us, 1e12);
    }
}

/// Two curves for one packing and format.
fn overlap(at: usize, list: &[GemmSpec], errors: &mut Vec<ProfileError>) {
    let (earlier, current) = (&list[..at], &list[at]);
    let same = earlier.iter().position(|other| {
        other.packing == current.packing
            && other
                .dtypes
                .iter()
                .any(|dtype| current.dtypes.contains(dtype))
    });
    twice("gemm", at, same, errors);
}

fn twice(table: &str, at: usize, same: Option<usize>, errors: &mut Vec<ProfileError>) {
    if let Some(earlier) = same {
        errors.push(ProfileError::Twice {
            section: entry(table, at),
            earlier: entry(table, earlier),
        });
    }
}

fn fused(at: usize, attention: &AttentionSpec, errors: &mut Vec<ProfileError>) {
    let mut checker = Checker::new(entry("attention", at), errors);
    checker.empty("dtypes", attention.dtypes.is_empty());
    checker.positive("efficiency", attention.efficiency, 1.0);
    checker.within("head_dim", attention.head_dim as f64, 1.0, 65_536.0);
    checker.within("half_len", attention.half_len, 0.0, 1e6);
    checker.within("wave", attention.wave, 0.0, 1.0);
    checker.within("tile", f64::from(attention.tile), 1.0, 65_536.0);
    checker.within("tail", attention.tail, 0.0, 10.0);
    checker.positive("bandwidth", attention.bandwidth, 1.0);
    checker.within("backward", attention.backward, 0.4, 100.0);
    checker.within("base_us", attention.base_us, 0.0, 1e6);
    checker.fit(attention.fit.as_ref());
    for point in &attention.points {
        checker.positive("us", point.us, 1e12);
    }
    if attention.kernel == AttentionKernel::Unfused {
        errors.push(ProfileError::NotFused {
            section: entry("attention", at),
            kernel: attention.kernel,
        });
    }
}

/// Two curves for one kernel, head size and format.
fn repeated(at: usize, list: &[AttentionSpec], errors: &mut Vec<ProfileError>) {
    let (earlier, current) = (&list[..at], &list[at]);
    let same = earlier.iter().position(|other| {
        other.kernel == current.kernel
            && other.head_dim == current.head_dim
            && other
                .dtypes
                .iter()
                .any(|dtype| current.dtypes.contains(dtype))
    });
    twice("attention", at, same, errors);
}

fn sections(spec: &ProfileSpec, errors: &mut Vec<ProfileError>) {
    if let Some(unfused) = &spec.unfused {
        let mut checker = Checker::new("[unfused]", errors);
        checker.positive("misaligned", unfused.misaligned, 1.0);
        checker.positive("score_bytes", unfused.score_bytes, 1e3);
        let least = unfused.score_bytes;
        checker.within("loose_score_bytes", unfused.loose_score_bytes, least, 1e4);
    }
    if let Some(stream) = &spec.stream {
        let mut checker = Checker::new("[stream]", errors);
        checker.positive("bandwidth", stream.bandwidth, 1.0);
        checker.within("ramp_bytes", stream.ramp_bytes, 0.0, 1e12);
        for kind in &stream.kinds {
            checker.positive("bandwidth", kind.bandwidth, 1.0);
        }
    }
    if let Some(scan) = &spec.scan {
        let mut checker = Checker::new("[scan]", errors);
        checker.positive("efficiency", scan.efficiency, 1.0);
        checker.positive("bandwidth", scan.bandwidth, 1.0);
        checker.fit(scan.fit.as_ref());
    }
    constants(spec, errors);
}

fn constants(spec: &ProfileSpec, errors: &mut Vec<ProfileError>) {
    if let Some(host) = &spec.host {
        let mut checker = Checker::new("[host]", errors);
        checker.within("kernel_us", host.kernel_us, 0.0, 1e9);
        checker.within("layer_us", host.layer_us, 0.0, 1e9);
        checker.within("expert_layer_us", host.expert_layer_us, 0.0, 1e9);
        checker.within("micro_batch_us", host.micro_batch_us, 0.0, 1e9);
    }
    if let Some(memory) = &spec.memory {
        let mut checker = Checker::new("[memory]", errors);
        checker.within("context_mib", memory.context_mib, 0.0, 1e6);
        checker.within("framework_mib", memory.framework_mib, 0.0, 1e6);
        checker.within("workspace_mib", memory.workspace_mib, 0.0, 1e6);
        checker.within(
            "module_workspace_mib",
            memory.module_workspace_mib,
            0.0,
            1e6,
        );
        checker.within("borders", memory.borders, 0.0, 100.0);
        checker.within("communicator_mib", memory.communicator_mib, 0.0, 1e6);
        checker.within("slack", memory.slack, 0.0, 0.99);
    }
    if let Some(interference) = &spec.interference {
        let mut checker = Checker::new("[interference]", errors);
        checker.within("channels", interference.channels, 0.0, 1e4);
        checker.within("bandwidth", interference.bandwidth, 0.0, 0.99);
    }
}
