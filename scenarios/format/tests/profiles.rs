//! Profiles are read by the functions that describe their fields, and written as their types are
//! serialized: both must mean the same keys and the same defaults.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::path::Path;

use format::curves::{ProfileFile, read_profile};
use format::{At, Library, NoFiles, Shelf, Source};
use profile::{CommProfile, ProfileSpec};

fn shipped() -> Vec<ProfileFile> {
    let library = Library {
        files: &NoFiles,
        base: Path::new(""),
    };
    let read = |name| library.profile(name, &At::default()).unwrap();
    Shelf::Profiles.names().map(read).collect()
}

fn read(text: String) -> ProfileFile {
    read_profile(&Source::new("profile.toml", text)).unwrap()
}

#[test]
fn curves_that_are_written_read_back_the_same() {
    let curves: Vec<ProfileSpec> = shipped().into_iter().filter_map(|file| file.gpu).collect();
    assert!(!curves.is_empty());
    for own in curves {
        let written = toml::to_string(&own).unwrap();
        assert_eq!(read(written).gpu, Some(own));
    }
}

#[test]
fn constants_of_collectives_that_are_written_read_back_the_same() {
    let shipped = shipped().into_iter().filter_map(|file| file.comm);
    for own in shipped.chain([CommProfile::nccl()]) {
        let section = toml::Table::from_iter([
            ("name".to_owned(), "own".into()),
            ("comm".to_owned(), toml::Value::try_from(&own).unwrap()),
        ]);
        assert_eq!(read(toml::to_string(&section).unwrap()).comm, Some(own));
    }
}

#[test]
fn what_a_file_leaves_out_means_the_same_to_both_readers() {
    let curve = "dtypes = [\"bf16\"]\nefficiency = 0.8\nbandwidth = 0.9\nsource = \"a test\"\n";
    let attention = format!("{curve}kernel = \"flash2\"\nhead_dim = 128\nbackward = 1.2\n");
    let text = format!(
        "name = \"x\"\ngpu = \"h100-sxm\"\ndate = \"2025-01-01\"\n\
         [stream]\nbandwidth = 0.9\nsource = \"a test\"\n\
         [[gemm]]\n{curve}fit = {{ rows = 3, mape = 0.1 }}\n[[attention]]\n{attention}"
    );
    let derived: ProfileSpec = toml::from_str(&text).unwrap();
    assert_eq!(read(text).gpu, Some(derived));
}
