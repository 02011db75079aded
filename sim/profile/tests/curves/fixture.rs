//! What the tests of this crate share: two data sheets, a plain profile, and the shipped files.

use cluster::GpuSpec;
use profile::{GemmSpec, PackingKind, Profile, ProfileSpec};
use units::{Bytes, BytesPerSec, DType, FlopsPerSec, Watts};

/// The data sheet of the H100 SXM, under the name that the shipped profile has.
pub(crate) fn h100() -> GpuSpec {
    let tera = FlopsPerSec::from_tera;
    GpuSpec {
        name: "h100-sxm".to_owned(),
        vendor: "NVIDIA".to_owned(),
        architecture: "Hopper".to_owned(),
        form: "SXM5".to_owned(),
        fp32: tera(67.0),
        peaks: vec![
            (DType::Tf32, tera(494.5)),
            (DType::Fp16, tera(989.0)),
            (DType::Bf16, tera(989.0)),
            (DType::Fp8, tera(1979.0)),
        ],
        memory: Bytes::from_gib(80.0),
        bandwidth: BytesPerSec::from_gbytes(3350.0).expect("positive"),
        l2: None,
        sms: 132,
        boost_mhz: None,
        tdp: Watts::new(700.0),
        source: "NVIDIA H100 data sheet".to_owned(),
        notes: String::new(),
    }
}

/// A product curve without losses besides waves, so slow that memory time hardly counts.
pub(crate) fn plain_product(wave: f64) -> GemmSpec {
    GemmSpec {
        dtypes: vec![DType::Bf16],
        packing: PackingKind::Single,
        efficiency: 0.05,
        half_k: 0.0,
        half_rows: 0.0,
        wave,
        tile: [128, 128],
        split_k: 1,
        bandwidth: 1.0,
        accumulate: 1.0,
        product_us: 0.0,
        base_us: 0.0,
        source: "made up".to_owned(),
        fit: None,
        grid: None,
        points: Vec::new(),
    }
}

/// A file that says nothing but its products.
pub(crate) fn file_with(gemm: Vec<GemmSpec>) -> ProfileSpec {
    ProfileSpec {
        schema: 1,
        name: "test".to_owned(),
        gpu: "h100-sxm".to_owned(),
        relatives: Vec::new(),
        scaled_from: None,
        only_by_name: false,
        date: "2026-01-01".to_owned(),
        sustained: 1.0,
        launch_us: 1.0,
        gemm,
        attention: Vec::new(),
        unfused: None,
        stream: None,
        scan: None,
        host: None,
        memory: None,
        interference: None,
    }
}

/// The profile of that file on the H100.
pub(crate) fn built(spec: &ProfileSpec) -> Profile {
    Profile::build(spec, &h100()).expect("the file is in order")
}

/// The files under `scenarios/profiles` that are of a GPU, by name, without their constants of
/// collectives.
pub(crate) fn shipped() -> Vec<(String, ProfileSpec)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/profiles");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the shipped profiles are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    files.iter().filter_map(|path| read(path)).collect()
}

fn read(path: &std::path::Path) -> Option<(String, ProfileSpec)> {
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let mut table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    table.remove("comm");
    table.get("gpu")?;
    let spec = table
        .try_into()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stem = path.file_stem().expect("a file has a name");
    Some((stem.to_string_lossy().into_owned(), spec))
}

/// The shipped profile of the H100.
pub(crate) fn shipped_h100() -> Profile {
    let files = shipped();
    let (_, spec) = files
        .iter()
        .find(|(name, _)| name == "h100-sxm")
        .expect("the H100 has a profile");
    built(spec)
}
