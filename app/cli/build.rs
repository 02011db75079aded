//! Hands the commit to the binary, so that every output can say what made it.

use std::process::Command;

/// Names the commit in builds outside a repository.
const VARIABLE: &str = "WINDTUNNEL_COMMIT";

fn main() {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let commit = given().or_else(|| git(&["rev-parse", "--short=10", "HEAD"]));
    println!(
        "cargo:rustc-env=WINDTUNNEL_COMMIT={}",
        commit.as_deref().unwrap_or("unknown")
    );
    // The reflog grows with every commit, whichever branch is checked out.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={VARIABLE}");
}

/// The commit that whoever builds from an archive names; no repository is there to ask.
///
/// # Panics
///
/// Where it is no commit: the build should not carry it into every output.
fn given() -> Option<String> {
    let given = std::env::var(VARIABLE)
        .ok()
        .filter(|text| !text.is_empty())?;
    let is_hex = given.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(
        is_hex && (7..=40).contains(&given.len()),
        "{VARIABLE}={given:?} is no commit: give 7 to 40 hexadecimal digits"
    );
    Some(given.to_ascii_lowercase())
}
