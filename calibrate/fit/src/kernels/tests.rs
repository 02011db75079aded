//! The committed profiles against the committed tables.

use std::path::{Path, PathBuf};

use format::{Source, curves};
use profile::{AttentionKernel, Profile, ProfileSpec, Provenance};
use units::DType;

use super::curve::{Folds, Row};
use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn tables() -> PathBuf {
    root().join("calibrate/data/kernels")
}

fn committed(name: &str) -> String {
    let path = root().join(format!("scenarios/profiles/{name}.toml"));
    std::fs::read_to_string(path).unwrap()
}

fn spec(name: &str) -> ProfileSpec {
    let source = Source::new(name, committed(name));
    curves::read_profile(&source).unwrap().gpu.unwrap()
}

/// Mean absolute relative error of a profile on rows.
fn mape(profile: &Profile, rows: &[Row]) -> f64 {
    let error = |row: &Row| {
        let timed = profile.alone(&row.kernels[0]);
        assert_ne!(timed.provenance, Provenance::Nominal);
        (timed.time.as_micros() / row.us - 1.0).abs()
    };
    rows.iter().map(error).sum::<f64>() / rows.len() as f64
}

#[test]
fn the_committed_profiles_of_simumax_are_what_the_committed_table_gives() {
    let kin = systems::fit(&tables()).unwrap();
    for lent in [kin.ampere, kin.blackwell] {
        let FittedProfile { spec, text, .. } = lent.profile;
        assert!(
            committed(&spec.name) == text,
            "fit again: windtunnel calibrate fit --only kernels --output scenarios"
        );
        assert_eq!(
            self::spec(&spec.name),
            spec,
            "the text says what was fitted"
        );
    }
}

#[test]
fn the_committed_curves_have_the_error_that_they_state() {
    let folder = tables().join("aiconfigurator");
    for (name, gpu, kernel) in [
        ("a100-sxm", "a100-sxm-80gb", AttentionKernel::Flash2),
        ("h100-sxm", "h100-sxm", AttentionKernel::Flash3),
    ] {
        let spec = spec(name);
        let profile = Profile::build(&spec, &sheet(gpu)).unwrap();
        let products = gemm::read(&folder.join(name).join("gemm.csv.gz"), DType::Bf16).unwrap();
        let stated = spec.gemm[0].fit.as_ref().unwrap();
        assert_eq!(stated.rows, products.len() as u64);
        assert!(
            (mape(&profile, &products) - stated.mape).abs() < 6e-4,
            "{name}"
        );
        let path = folder.join(name).join("attention.csv.gz");
        let cores = attention::read(&path, kernel, 128).unwrap();
        let curve = spec.attention.iter().find(|curve| curve.head_dim == 128);
        let stated = curve.unwrap().fit.as_ref().unwrap();
        assert_eq!(stated.rows, cores.len() as u64);
        assert!(
            (mape(&profile, &cores) - stated.mape).abs() < 6e-4,
            "{name}"
        );
    }
}

#[test]
fn products_and_attention_hold_on_shapes_that_were_not_fitted() {
    for (name, products, core) in [
        ("a100-sxm", 0.061, 0.07),
        ("h100-sxm", 0.061, 0.08),
        ("h200-sxm", 0.078, 0.084),
    ] {
        let spec = spec(name);
        let held_out = |fit: &Option<profile::FitSpec>| fit.as_ref().unwrap().held_out.unwrap();
        assert!(held_out(&spec.gemm[0].fit) <= products, "{name}");
        let curve = spec.attention.iter().find(|curve| curve.head_dim == 128);
        assert!(held_out(&curve.unwrap().fit) <= core, "{name}");
    }
}

#[test]
fn what_was_scaled_from_another_gpu_is_worth_an_extrapolation() {
    for name in ["t4", "v100"] {
        let spec = spec(name);
        assert_eq!(spec.scaled_from.as_deref(), Some("a100-sxm-80gb"));
        let profile = Profile::build(&spec, &sheet(&spec.gpu)).unwrap();
        let gemm = profile::Gemm::new(4096, 4096, 4096, DType::Fp16);
        let timed = profile.time(&profile::Kernel::Gemm(gemm));
        assert_eq!(timed.provenance, Provenance::Extrapolated);
    }
}

#[test]
fn a_table_of_another_machine_is_refused_by_its_line() {
    let folder = std::env::temp_dir().join(format!("kernels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("gemm.csv");
    std::fs::write(
        &path,
        "dtype,m,n,k,us\nbf16,128,128,128,5\nbf17,128,128,128,5\n",
    )
    .unwrap();
    let error = gemm::read(&path, DType::Bf16).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        error.starts_with("`dtype` is \"bf17\", but a number format"),
        "{error}"
    );
    assert!(error.ends_with("gemm.csv, line 3"), "{error}");
}

#[test]
fn folds_leave_every_inner_group_out_once() {
    let kernel = attention::causal(
        AttentionKernel::Flash2,
        profile::Pass::Forward,
        [1, 512],
        [8, 8],
        [128, 128],
    );
    let rows: Vec<Row> = (1..=8)
        .map(|group| Row::alone(kernel, 1.0, group))
        .collect();
    let inner = Folds::Interior(4).of(&rows);
    assert_eq!(inner, [vec![2, 6], vec![3, 7], vec![4], vec![5]]);
    assert_eq!(Folds::All(8).of(&rows).len(), 8);
}
