//! The shipped profiles: that they load, and that the H100's predicts measured kernels.

use profile::{
    Attention, AttentionKernel, Gemm, Kernel, Mask, Pass, Profile, ProfileError, Provenance,
};
use units::DType;

use crate::fixture::{built, file_with, h100, plain_product, shipped, shipped_h100};

/// A row of `data/h100_kernels.csv`: the kernel and its measured time in microseconds.
fn measured() -> Vec<(Kernel, f64)> {
    let text = include_str!("../data/h100_kernels.csv");
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| kernel(&row.split(',').collect::<Vec<_>>()))
        .collect()
}

fn kernel(cells: &[&str]) -> (Kernel, f64) {
    let whole = |at: usize| cells[at].parse().unwrap_or(0);
    let us = cells[5].parse().expect("the last column is a time");
    let kernel = if cells[0] == "gemm" {
        Kernel::Gemm(Gemm::new(whole(1), whole(2), whole(3), DType::Bf16))
    } else {
        Kernel::Attention(Attention {
            pass: Pass::Forward,
            batch: whole(1),
            q_len: whole(2),
            kv_len: whole(2),
            heads: whole(3),
            kv_heads: whole(4),
            qk_dim: 128,
            v_dim: 128,
            mask: Mask::Causal,
            kernel: AttentionKernel::Flash3,
            dtype: DType::Bf16,
            dropout: false,
        })
    };
    (kernel, us)
}

#[test]
fn the_h100_profile_predicts_measured_kernels_within_six_percent() {
    let profile = shipped_h100();
    let rows = measured();
    let error = |(kernel, us): &(Kernel, f64)| {
        let timed = profile.alone(kernel);
        assert_eq!(timed.provenance, Provenance::Interpolated, "{kernel:?}");
        timed.time.as_micros() / us - 1.0
    };
    let errors: Vec<f64> = rows.iter().map(error).collect();
    let mean = errors.iter().map(|error| error.abs()).sum::<f64>() / rows.len() as f64;
    let bias = errors.iter().sum::<f64>() / rows.len() as f64;
    assert_eq!(rows.len(), 52);
    assert!(mean < 0.06, "mean absolute error {mean}");
    assert!(bias.abs() < 0.03, "bias {bias}");
}

#[test]
fn every_shipped_profile_is_in_order_and_states_its_source_and_error() {
    let files = shipped();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["a100-sxm", "h100-sxm", "h200-sxm"] {
        assert!(names.contains(&name), "{name} is missing");
    }
    for (name, spec) in &files {
        assert_eq!(*name, spec.name);
        Profile::build(spec, &h100()).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        for gemm in &spec.gemm {
            let fit = gemm.fit.as_ref().expect("a shipped curve states its fit");
            assert!(
                fit.held_out.is_some(),
                "{name} states its error on unseen rows"
            );
            assert!(!gemm.source.is_empty());
        }
    }
}

#[test]
fn a_profile_of_another_chip_is_worth_an_extrapolation() {
    let mut specs = shipped().into_iter().map(|(_, spec)| spec);
    let spec = specs.find(|spec| spec.name == "a100-sxm").unwrap();
    let gemm = Kernel::Gemm(Gemm::new(4096, 4096, 4096, DType::Bf16));
    assert_eq!(spec.gpu, "a100-sxm-80gb");
    let timed = built(&spec).time(&gemm);
    assert_eq!(timed.provenance, Provenance::Extrapolated);
}

#[test]
fn a_shape_outside_the_fitted_range_is_extrapolated() {
    let gemm = Gemm::new(4096, 4096, 64, DType::Bf16);
    let timed = shipped_h100().time(&Kernel::Gemm(gemm));
    assert_eq!(timed.provenance, Provenance::Extrapolated);
}

#[test]
fn a_nominal_profile_says_so_and_has_no_error() {
    let profile = Profile::nominal(&h100());
    let gemm = Kernel::Gemm(Gemm::new(4096, 4096, 4096, DType::Bf16));
    assert_eq!(profile.time(&gemm).provenance, Provenance::Nominal);
    assert_eq!(profile.error(&gemm), None);
    assert!(shipped_h100().error(&gemm).is_some());
    let sources = profile.sources();
    assert!(
        sources
            .iter()
            .all(|(_, worth, _)| *worth == Provenance::Nominal)
    );
}

#[test]
fn all_wrong_values_are_named_at_once() {
    let mut product = plain_product(0.0);
    product.efficiency = 1.7;
    product.bandwidth = f64::NAN;
    let mut spec = file_with(vec![product.clone(), product]);
    spec.sustained = 0.0;
    let errors = Profile::build(&spec, &h100()).unwrap_err();
    assert_eq!(errors.len(), 6, "{errors:?}");
    let text = errors[1].to_string();
    assert_eq!(
        text,
        "`efficiency` of [[gemm]] number 1 is 1.7, outside 0.000001 to 1"
    );
    assert!(errors[1].hint().is_some());
    assert!(
        errors
            .iter()
            .any(|error| matches!(error, ProfileError::Twice { .. }))
    );
}
