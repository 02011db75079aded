//! Commands of this machine, and whether it lets us build networks.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// The program that runs inside namespaces.
pub(crate) const TRANSFER: &str = env!("CARGO_BIN_EXE_transfer");

/// Before the process number in names of namespaces.
pub(crate) const PREFIX: &str = "windtunnel";

/// What a token bucket lets pass at once, and how much waits behind it: 3 ms and 25 ms at
/// 40 Mbit/s. A smaller queue loses more, a larger one only makes round trips longer.
pub(crate) const BUCKET: &str = "burst 16kb limit 128kb";

/// Why this machine cannot build such networks, if it cannot: one cable is tried. Also removes what
/// processes left behind that were killed.
pub(crate) fn obstacle() -> Option<String> {
    remove_orphans();
    let name = format!("{PREFIX}{}-probe", std::process::id());
    let n = name.as_str();
    let steps: [&[&str]; 5] = [
        &["ip", "netns", "add", n],
        &["ip", "netns", "exec", n, TRANSFER, "forward"],
        &[
            "ip", "-n", n, "link", "add", "l0", "type", "veth", "peer", "name", "l1",
        ],
        &["ip", "-n", n, "link", "set", "l0", "gso_max_segs", "1"],
        &[
            "tc", "-n", n, "qdisc", "add", "dev", "l0", "root", "tbf", "rate", "1mbit", "burst",
            "16kb", "limit", "128kb",
        ],
    ];
    let failed = steps.iter().find_map(|step| run(step, &[]).err());
    let _ = run(&["ip", "netns", "delete", n], &[]);
    failed.map(|error| error.to_string())
}

/// Deletes namespaces of ours whose process is gone.
fn remove_orphans() {
    let list = run(&["ip", "netns", "list"], &[]).unwrap_or_default();
    let names = list.lines().filter_map(|line| line.split(' ').next());
    for name in names {
        let process = name.strip_prefix(PREFIX).and_then(|n| n.split('-').next());
        let Some(process) = process.and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        if !Path::new(&format!("/proc/{process}")).exists() {
            let _ = run(&["ip", "netns", "delete", name], &[]);
        }
    }
}

/// Runs a command to its end, with those lines as its input, and gives what it printed.
pub(crate) fn run(words: &[&str], input: &[String]) -> io::Result<String> {
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", words[0])))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Where it stopped reading, its status says why.
        let _ = stdin.write_all(input.join("\n").as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = format!("`{}`: {}", words.join(" "), why.trim());
    Err(io::Error::other(why))
}
