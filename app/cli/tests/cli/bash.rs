//! What bash itself makes of the tab key, with the script that the command prints.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use crate::command::here;
use crate::screen::screen;

/// The command lines that bash makes of keys; each is typed to its end, none is run.
fn completed(lines: &[&str]) -> Vec<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_windtunnel"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let (mut screen, terminal) = screen((200, 24));
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"])
        .current_dir(here())
        .env_clear()
        .env("PATH", path)
        .env("TERM", "dumb")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    let mut child = bash.spawn().unwrap();
    drop(bash);
    screen
        .write_all(b"source <(windtunnel completions bash)\n")
        .unwrap();
    for line in lines {
        // At the start of the line: what follows is to be shown, not run.
        let keys = format!("{line}\t\u{1}echo MADE '\u{5}'\n");
        screen.write_all(keys.as_bytes()).unwrap();
    }
    screen.write_all(b"exit\n").unwrap();
    let mut bytes = Vec::new();
    // Linux reports the end of a terminal as an error.
    drop(screen.read_to_end(&mut bytes));
    child.wait().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let made = text.lines().filter_map(|line| line.strip_prefix("MADE "));
    made.map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn values_complete_behind_an_equals_sign_at_which_bash_cuts_words() {
    let made = completed(&[
        "windtunnel simulate . --set settings.engine=an",
        "windtunnel simulate . --set=settings.engine=an",
        "windtunnel simulate . --set \"settings.engine=an",
        "windtunnel simulate . --set settings.en",
        "windtunnel simulate . --set plan.tp=2 --unf",
        "windtunnel simulate . --engine=fl",
        "windtunnel expl",
    ]);
    let expected = [
        "windtunnel simulate . --set settings.engine=analytic",
        "windtunnel simulate . --set=settings.engine=analytic",
        "windtunnel simulate . --set \"settings.engine=analytic\"",
        "windtunnel simulate . --set settings.engine=",
        "windtunnel simulate . --set plan.tp=2 --unfold",
        "windtunnel simulate . --engine=flow",
        "windtunnel explain",
    ];
    assert_eq!(made, expected);
}
