//! Reads every manifest and fails when a dependency points down the list of layers.

use std::fs;
use std::path::{Path, PathBuf};

use layers::{LAYERS, place};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every crate of the workspace with its folder and the names in its `[dependencies]`.
fn crates() -> Vec<(String, String, Vec<String>)> {
    let mut found = Vec::new();
    for (folder, _) in LAYERS {
        let Ok(entries) = fs::read_dir(root().join(folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.expect("a folder that lists its entries");
            let manifest = entry.path().join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else {
                continue;
            };
            let table: toml::Table = text.parse().expect("a manifest is TOML");
            if table.contains_key("workspace") {
                continue;
            }
            let name = table["package"]["name"].as_str();
            let name = name.expect("a package has a name").to_owned();
            let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
            let names = dependencies
                .map(|t| t.keys().cloned().collect())
                .unwrap_or_default();
            found.push(((*folder).to_owned(), name, names));
        }
    }
    found.sort();
    found
}

#[test]
fn every_crate_stands_in_its_folder_of_the_list() {
    let crates = crates();
    assert!(13 <= crates.len(), "only {} manifests found", crates.len());
    for (folder, name, _) in crates {
        let (at, _) = place(&name).unwrap_or_else(|| panic!("{name} is not in the list of layers"));
        assert_eq!(LAYERS[at].0, folder, "{name} stands in the wrong folder");
    }
}

#[test]
fn no_dependency_points_down_the_list() {
    for (_, name, dependencies) in crates() {
        let own = place(&name).unwrap();
        for dependency in dependencies {
            if let Some(other) = place(&dependency) {
                assert!(
                    other < own,
                    "{name} depends on {dependency}, which stands below it"
                );
            }
        }
    }
}

#[test]
fn only_a_feature_that_is_off_brings_parquet() {
    let text = fs::read_to_string(root().join("app/cli/Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("a manifest is TOML");
    let parquet = &manifest["dependencies"]["parquet"];
    assert_eq!(parquet["optional"].as_bool(), Some(true));
    assert!(manifest["features"].get("default").is_none());
    let others = crates().into_iter().filter(|(_, name, _)| name != "cli");
    for (_, name, dependencies) in others {
        assert!(!dependencies.contains(&"parquet".to_owned()), "{name}");
    }
}

#[test]
fn a_dependency_that_points_down_would_be_caught() {
    assert!(place("predict").unwrap() > place("engine").unwrap());
    assert!(place("units").unwrap() < place("cluster").unwrap());
    assert!(place("cli").unwrap() > place("session").unwrap());
}

#[test]
fn the_command_is_built_without_a_window() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    let lock: toml::Table = lock.parse().expect("the lock file is TOML");
    let packages = lock["package"].as_array().expect("a list of packages");
    let dependencies = |name: &str| -> Vec<String> {
        let named = packages
            .iter()
            .filter(|package| package["name"].as_str() == Some(name));
        let lists = named.filter_map(|package| package.get("dependencies")?.as_array());
        let entries = lists.flatten().filter_map(toml::Value::as_str);
        // A name that several versions bear is followed by the version.
        entries
            .map(|name| name.split(' ').next().unwrap_or(name).to_owned())
            .collect()
    };
    let mut reached = std::collections::BTreeSet::new();
    let mut open = vec!["cli".to_owned()];
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(dependencies(&name));
        }
    }
    assert!(reached.contains("session"));
    for heavy in [
        "egui", "eframe", "wgpu", "winit", "viewer", "timeline", "chart",
    ] {
        assert!(!reached.contains(heavy), "cli depends on {heavy}");
    }
}
