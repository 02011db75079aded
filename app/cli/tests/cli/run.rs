//! Runs the binary as a person would, with a clean environment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) args: String,
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Everything together, for snapshots.
    pub(crate) fn text(&self) -> String {
        let section = |name: &str, text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                format!("--- {name}\n{text}")
            }
        };
        format!(
            "$ windtunnel {}\n{}{}--- exit status {}\n",
            self.args,
            section("stdout", &self.stdout),
            section("stderr", &self.stderr),
            self.status
        )
    }
}

/// The command with nothing of this machine in its environment.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.args(args).current_dir(folder).env_clear();
    command.env("XDG_CONFIG_HOME", folder.join("no-settings"));
    command
}

/// Runs it without input.
pub(crate) fn windtunnel(folder: &Path, args: &[&str]) -> Run {
    finish(command(folder, args), args, "")
}

/// Runs it with a text on standard input.
pub(crate) fn finish(mut command: Command, args: &[&str], input: &str) -> Run {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input closes it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    ended(child, args)
}

/// Runs it for a second, and presses Ctrl-C.
#[cfg(unix)]
pub(crate) fn interrupted(folder: &Path, args: &[&str]) -> Run {
    let mut child = command(folder, args);
    child
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    ended(child, args)
}

fn ended(child: Child, args: &[&str]) -> Run {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run {
        args: args.join(" "),
        status: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
