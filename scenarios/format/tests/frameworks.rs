//! Framework files: releases, scalars by GPU, files of users.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::path::Path;
use std::sync::Arc;

use cluster::{GpuSpec, example};
use format::tree::parse;
use format::{
    At, Failure, Files, Habits, Library, Problem, Resolved, Source, read_whole_scenario, resolve,
};
use lower::{ScaleKey, Scales};
use workload::TpOverlap;

/// Files in memory: name and text.
struct Written(Vec<(&'static str, &'static str)>);

impl Files for Written {
    fn read(&self, path: &Path, _: u64) -> Result<Arc<Source>, Problem> {
        let path = path.to_string_lossy().trim_start_matches("./").to_owned();
        let found = self.0.iter().find(|(name, _)| *name == path);
        match found {
            Some((_, text)) => Ok(Source::new(path, *text)),
            None => Err(Problem::NoSuchFile {
                path,
                similar: Vec::new(),
            }),
        }
    }
}

const OURS: &str = "schema = 1\nname = \"ours\"\nnearest = \"megatron-core\"\nsource = \"a test\"\n\
    [choices]\noverlap_tp = { value = false, source = \"a test\" }\n\
    cuda_graphs = { value = true, source = \"a test\" }\n\
    [host]\nlayer_pass_us = 10\nsource = \"a test\"\n\
    [scales]\ngemm = 1.5\ntp = { value = 2.0, log_sd = 0.3, source = \"a test\" }\n\
    [[scales_on]]\narchitecture = \"hopper\"\ngemm = 1.25\n\
    [[release]]\nfrom = \"26.06\"\nsource = \"a test\"\nscales = { moe_traffic = 0.5 }\n\
    [[release]]\nfrom = \"26.02\"\ngpu = \"h100-sxm\"\nsource = \"a test\"\nscales = { moe_traffic = 0.75 }\n\
    choices = { vocab_multiple = { value = 64, source = \"a test\" } }\n";

fn chain(files: &Written, name: &str) -> Result<Vec<format::FrameworkFile>, Vec<Failure>> {
    let library = Library {
        files,
        base: Path::new(""),
    };
    library.frameworks(name, &At::default())
}

/// The scalars of a version on one GPU.
fn scales(version: Option<&str>, gpu: &GpuSpec) -> Scales {
    let files = Written(vec![("ours.toml", OURS)]);
    let chain = chain(&files, "ours.toml").unwrap();
    Habits::of(&chain, version, std::slice::from_ref(gpu)).scales[0]
}

fn resolved(files: &Written, framework: &str) -> Result<Resolved, Vec<Failure>> {
    let text = format!(
        "schema = 1\n[model]\nconfig = \"llama3-8b\"\n\
         [cluster]\nname = \"dgx-h100\"\nnodes = 1\n\
         [training]\nglobal_batch = 64\nseq_len = 8192\n[plan]\ntp = 2\n\
         [framework]\n{framework}\n"
    );
    let document = parse(&Source::new("scenario.toml", text)).unwrap();
    let library = Library {
        files,
        base: Path::new(""),
    };
    let spec = read_whole_scenario(&document, &library)?;
    resolve("test", &spec, &document, &library)
}

fn assert_is(scales: &Scales, key: ScaleKey, expected: f64) {
    let found = scales[key];
    assert!((found - expected).abs() < 1e-12, "{}: {found}", key.name());
}

#[test]
fn a_gpu_has_its_own_scalars_over_those_of_all() {
    let hopper = scales(None, &example::h100());
    assert_is(&hopper, ScaleKey::Gemm, 1.25);
    assert_is(&hopper, ScaleKey::Tp, 2.0);
    assert_is(&hopper, ScaleKey::Dp, 1.0);
    let other = GpuSpec {
        name: "b200-sxm".to_owned(),
        architecture: "Blackwell".to_owned(),
        ..example::h100()
    };
    assert_is(&scales(None, &other), ScaleKey::Gemm, 1.5);
}

#[test]
fn a_release_changes_scalars_from_its_version_on() {
    let gpu = GpuSpec {
        name: "h100-sxm".to_owned(),
        ..example::h100()
    };
    let traffic = |version, gpu: &GpuSpec| scales(version, gpu)[ScaleKey::MoeTraffic];
    for (version, expected) in [
        (Some("25.11"), 1.0),
        (Some("26.04"), 0.75),
        (Some("26.06"), 0.5),
        (None, 0.5),
    ] {
        assert!((traffic(version, &gpu) - expected).abs() < 1e-12);
    }
    let other = GpuSpec {
        name: "h200-sxm".to_owned(),
        ..gpu
    };
    assert!((traffic(Some("26.04"), &other) - 1.0).abs() < 1e-12);
}

#[test]
fn a_file_of_ones_own_says_what_differs_from_the_nearest() {
    let files = Written(vec![("ours.toml", OURS)]);
    let scenario = resolved(&files, "file = \"ours.toml\"").unwrap().scenario;
    assert_eq!(scenario.framework.name, "ours");
    assert_eq!(scenario.framework.vocab_multiple, 64);
    assert!(scenario.framework.overlaps.grad_reduce);
    assert_eq!(scenario.plan.overlap().tp, TpOverlap::None);
    assert!(scenario.plan.cuda_graphs());
    let host = scenario.profiles[0].host();
    assert!((host.layer.as_micros() - 10.0).abs() < 1e-9);
    // What was fitted on runs of the nearest framework counts times what the file says.
    let nearest = resolved(&files, "name = \"megatron-core\"")
        .unwrap()
        .scenario;
    let over = scenario.framework.axes.tp / nearest.framework.axes.tp;
    assert!((over - 2.0).abs() < 1e-12, "{over}");
    let fields = scenario.assumptions.iter().map(|one| one.field.as_str());
    let fields: Vec<&str> = fields.collect();
    assert!(fields.contains(&"framework.version"), "{fields:?}");
    assert!(fields.contains(&"plan.overlap.tp"), "{fields:?}");
}

#[test]
fn a_framework_that_shards_weights_in_nodes_does_so_without_being_asked() {
    let files = Written(Vec::new());
    let scenario = resolved(&files, "name = \"hierarchical-zero\"")
        .unwrap()
        .scenario;
    let shards = scenario.plan.shards();
    assert_eq!((shards.weights, shards.optimizer), (4, 4));
}

#[test]
fn a_version_that_nothing_is_told_of_has_no_effect_and_is_said_to() {
    let files = Written(Vec::new());
    let warnings = resolved(&files, "name = \"torchtitan\"\nversion = \"0.2\"")
        .unwrap()
        .warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("framework.version")),
        "{warnings:?}"
    );
    let told = resolved(&files, "name = \"megatron-bridge\"\nversion = \"26.04\"").unwrap();
    assert_eq!(told.warnings, Vec::<String>::new());
}

#[test]
fn frameworks_that_name_each_other_are_refused() {
    let one = "name = \"a\"\nsource = \"a test\"\nnearest = \"b.toml\"\n";
    let other = "name = \"b\"\nsource = \"a test\"\nnearest = \"a.toml\"\n";
    let files = Written(vec![("a.toml", one), ("b.toml", other)]);
    let failures = resolved(&files, "file = \"a.toml\"").unwrap_err();
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0].to_string().contains("name each other"),
        "{}",
        failures[0]
    );
}

#[test]
fn errors_in_a_framework_file_are_all_told() {
    let wrong = "name = \"x\"\n[choices]\ncuda_graphs = { value = true }\n\
        [scales]\ngemm = -1\ntp_exposed = 2\nspeed = 1\n[[scales_on]]\ngemm = 1\n";
    let files = Written(vec![("wrong.toml", wrong)]);
    let failures = resolved(&files, "file = \"wrong.toml\"").unwrap_err();
    let mut fields: Vec<&str> = failures.iter().map(|one| one.field.as_str()).collect();
    fields.sort_unstable();
    let expected = [
        "choices.cuda_graphs.source",
        "scales.gemm",
        "scales.speed",
        "scales.tp_exposed",
        "scales_on[0].architecture",
        "source",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_name_and_a_file_exclude_each_other() {
    let files = Written(vec![("ours.toml", OURS)]);
    let both = "name = \"nemo\"\nfile = \"ours.toml\"";
    let failures = resolved(&files, both).unwrap_err();
    assert_eq!(failures[0].field, "framework.file");
}
