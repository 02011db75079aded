//! `SimGrid` itself, behind a driver of ours that is built here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The oracle's settings: the model without cross traffic and without a window, every rate solved
/// over all links again, since the default drops links from a solve (3.32).
const SETTINGS: [&str; 6] = [
    "--cfg=network/model:CM02",
    "--cfg=network/crosstraffic:0",
    "--cfg=network/TCP-gamma:1e30",
    "--cfg=network/optim:Full",
    "--cfg=network/maxmin-selective-update:no",
    "--log=root.thres:error",
];

/// How shares are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By the latency of routes.
    Cm02,
    /// Equally.
    Equal,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Cm02 => "cm02",
            Self::Equal => "equal",
        }
    }
}

/// The driver, built, and a folder for what it reads.
#[derive(Debug)]
pub(crate) struct Driver {
    program: PathBuf,
    folder: PathBuf,
}

impl Driver {
    /// The driver, built once for all tests, and a folder of that name; or why there is nothing to
    /// compare with.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let program = BUILT.get_or_init(build).clone()?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("a folder for the driver's input");
        Ok(Self { program, folder })
    }

    /// When each flow ends, in seconds.
    pub(crate) fn ends(&self, platform: &str, flows: &str, mode: Mode) -> Vec<f64> {
        let files = [
            self.folder.join("platform.xml"),
            self.folder.join("flows.csv"),
        ];
        fs::write(&files[0], platform).expect("a file");
        fs::write(&files[1], flows).expect("a file");
        let mut driver = Command::new(&self.program);
        driver.args(&files).arg(mode.name()).args(SETTINGS);
        let text = succeeded(&driver.output().expect("the driver"));
        let ends = text.lines().map(|line| {
            let (_, end) = line.split_once(',').expect("two cells");
            end.parse().expect("seconds")
        });
        ends.collect()
    }
}

/// Builds the driver where there is a compiler that finds `SimGrid`; then it must succeed.
fn build() -> Result<PathBuf, String> {
    if let Some(why) = obstacle() {
        return Err(why);
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("driver");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("simgrid/driver.cpp");
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
    compiler.arg(&program).arg(source).arg("-lsimgrid");
    succeeded(&compiler.output().expect("a compiler"));
    Ok(program)
}

/// What is missing: a compiler, or a `SimGrid` that it finds.
fn obstacle() -> Option<String> {
    let mut compiler = Command::new("g++");
    let source = "#include <simgrid/s4u.hpp>\nint main() {}\n";
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
    compiler
        .args(["-std=c++17", "-x", "c++", "-o"])
        .arg(output)
        .args(["-", "-lsimgrid"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = match compiler.spawn() {
        Ok(child) => child,
        Err(error) => return Some(format!("g++: {error}")),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // Where it stopped reading, its status says why.
        let _ = std::io::Write::write_all(&mut stdin, source.as_bytes());
    }
    let output = child.wait_with_output().expect("the compiler ends");
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    (!output.status.success()).then_some(why)
}

/// What a command printed; it must not have failed.
fn succeeded(output: &Output) -> String {
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
