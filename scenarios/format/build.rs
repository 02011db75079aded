//! Embeds the zoo: every hardware file, model, profile and framework beside this crate, by the stem of its
//! name.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Folder, ending, name of the table in the generated code.
const FOLDERS: [(&str, &str, &str); 7] = [
    ("../hardware/gpus", "toml", "GPUS"),
    ("../hardware/nodes", "toml", "NODES"),
    ("../hardware/fabrics", "toml", "FABRICS"),
    ("../hardware/clusters", "toml", "CLUSTERS"),
    ("../models", "json", "MODELS"),
    ("../profiles", "toml", "PROFILES"),
    ("../frameworks", "toml", "FRAMEWORKS"),
];

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder of the manifest");
    let mut code = String::new();
    for (folder, ending, table) in FOLDERS {
        let folder = Path::new(&here).join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        let _ = writeln!(code, "pub(super) static {table}: &[(&str, &str)] = &[");
        for (stem, path) in files(&folder, ending) {
            let _ = writeln!(code, "    ({stem:?}, include_str!({path:?})),");
        }
        code.push_str("];\n");
    }
    let out = env::var("OUT_DIR").expect("cargo sets the folder of generated code");
    fs::write(Path::new(&out).join("zoo.rs"), code).expect("the folder of generated code is ours");
}

/// Stem and path of every file with that ending, in the order of their names.
fn files(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<(String, String)> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .filter_map(|path| {
            let stem = path.file_stem()?.to_str()?.to_owned();
            Some((stem, path.to_str()?.to_owned()))
        })
        .collect();
    found.sort();
    found
}
