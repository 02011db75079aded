//! Embeds the cases beside this workspace: the files of every folder that has a scenario.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What a scenario may name.
const ENDINGS: [&str; 5] = ["toml", "csv", "json", "xml", "md"];

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder of the manifest");
    let cases = Path::new(&here).join("../../scenarios/cases");
    println!("cargo:rerun-if-changed={}", cases.display());
    let mut code = String::from("pub(super) static FILES: &[(&str, &str)] = &[\n");
    for case in entries(&cases) {
        if !case.join("scenario.toml").is_file() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", case.display());
        let name = name_of(&case);
        for file in entries(&case) {
            if ENDINGS
                .iter()
                .any(|ending| file.extension().is_some_and(|e| e == *ending))
            {
                let inside = format!("{name}/{}", name_of(&file));
                let path = file.to_str().expect("the paths of this workspace are text");
                let _ = writeln!(code, "    ({inside:?}, include_str!({path:?})),");
            }
        }
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets the folder of generated code");
    fs::write(Path::new(&out).join("cases.rs"), code)
        .expect("the folder of generated code is ours");
}

/// What lies in a folder, in the order of names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
