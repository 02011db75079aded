//! The command on a terminal: widths, colors, the pager.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::command::Scratch;
use crate::run::command;

/// A screen of that many columns and rows, and the terminal that shows on it.
pub(crate) fn screen((columns, rows): (u16, u16)) -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&screen, size).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let path = Path::new(name.to_str().unwrap());
    let mut options = OpenOptions::new();
    let terminal = options.read(true).write(true).open(path).unwrap();
    (File::from(screen), terminal)
}

/// What a command shows on a terminal of that many columns and rows, and its exit status.
fn shown(mut command: Command, size: (u16, u16)) -> (i32, String) {
    let (screen, terminal) = screen(size);
    command
        .stdin(Stdio::null())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    let mut child = command.spawn().unwrap();
    // The command holds the only other handles: reading ends when it does.
    drop(command);
    let mut bytes = Vec::new();
    // Linux reports the end of a terminal as an error.
    drop((&screen).read_to_end(&mut bytes));
    let status = child.wait().unwrap().code().unwrap_or(-1);
    (status, String::from_utf8(bytes).unwrap().replace('\r', ""))
}

/// A command in a folder with a small scenario, in a locale with all characters.
fn on_terminal(folder: &Path, args: &[&str]) -> Command {
    let mut command = command(folder, args);
    command.env("LANG", "C.UTF-8").env("TERM", "xterm");
    command
}

#[test]
fn nothing_is_wider_than_the_terminal_and_wide_ones_show_more() {
    let scratch = Scratch::new("width");
    let report = |columns| {
        let args = ["simulate", ".", "--no-pager"];
        let (status, text) = shown(on_terminal(&scratch.0, &args), (columns, 40));
        assert_eq!(status, 0, "{text}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(usize::from(columns)), "{text}");
        text
    };
    let (narrow, wide) = (report(80), report(200));
    assert!(narrow.contains("(no room for: "), "{narrow}");
    assert!(!wide.contains("(no room for: "), "{wide}");
    let explained = on_terminal(&scratch.0, &["explain", ".", "--no-pager"]);
    let (_, text) = shown(explained, (80, 40));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn errors_have_colors_on_a_terminal_unless_nobody_wants_them() {
    let scratch = Scratch::new("colors");
    let error = || on_terminal(&scratch.0, &["simulate", "nowhere.toml"]);
    let (status, text) = shown(error(), (80, 24));
    assert_eq!(status, 2);
    assert!(text.contains("\u{1b}[1;31merror"), "{text:?}");
    let mut plain = error();
    plain.env("NO_COLOR", "1");
    assert!(!shown(plain, (80, 24)).1.contains('\u{1b}'));
}

#[test]
fn text_longer_than_the_screen_goes_through_the_pager_of_the_user() {
    let scratch = Scratch::new("pager");
    let paged = |args: &[&str], rows| {
        let mut command = on_terminal(&scratch.0, args);
        command.env("PAGER", "/usr/bin/wc -l");
        shown(command, (80, rows))
    };
    let (status, text) = paged(&["simulate", "."], 10);
    let lines: usize = text.trim().parse().unwrap();
    assert!(status == 0 && 30 < lines, "{text}");
    assert!(paged(&["simulate", "."], 200).1.starts_with("# "));
    assert!(
        paged(&["simulate", ".", "--no-pager"], 10)
            .1
            .starts_with("# ")
    );
    assert!(paged(&["simulate", ".", "--json"], 10).1.starts_with('{'));
    let help: usize = paged(&["--help"], 10).1.trim().parse().unwrap();
    assert!(30 < help);
    let mut missing = on_terminal(&scratch.0, &["help", "units"]);
    missing.env("PAGER", "no-such-pager-anywhere");
    let (status, text) = shown(missing, (80, 5));
    assert!(status == 0 && text.starts_with("Units"), "{text}");
}
