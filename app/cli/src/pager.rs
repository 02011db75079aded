//! A pager for text that is longer than the screen: on a terminal, and only for people.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::terminal::Terminal;

/// What is run where the user names none.
const USUAL: &str = "less";

/// What less is told where the user does not: colors pass, one screen needs no key, the text
/// stays.
const LESS: &str = "FRX";

/// Shows a text in the pager. False where none is wanted, needed or there: the caller prints.
pub(crate) fn show(text: &str, terminal: &Terminal) -> bool {
    if !is_longer(text, terminal) {
        return false;
    }
    let named = std::env::var("PAGER").ok();
    let Some(mut pager) = words(named.as_deref()).and_then(|words| start(&words)) else {
        return false;
    };
    // Ctrl-C is the pager's while it runs.
    crate::commands::run::leave_interrupts();
    if let Some(mut input) = pager.stdin.take() {
        // Whoever has seen enough closes the pipe.
        drop(input.write_all(text.as_bytes()));
    }
    drop(pager.wait());
    true
}

/// Whether a text takes more rows than a terminal has.
fn is_longer(text: &str, terminal: &Terminal) -> bool {
    let (Some(width), Some(height)) = (terminal.width, terminal.height) else {
        return false;
    };
    let rows = |line: &str| line.chars().count().div_ceil(width.max(1)).max(1);
    height <= text.lines().map(rows).sum()
}

/// The pager and its arguments; none where the user wants none.
fn words(named: Option<&str>) -> Option<Vec<&str>> {
    let words: Vec<&str> = named.unwrap_or(USUAL).split_whitespace().collect();
    let program = *words.first()?;
    (program != "cat").then_some(words)
}

fn start(words: &[&str]) -> Option<Child> {
    let (program, args) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    command.spawn().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Terminal = Terminal {
        color: false,
        unicode: true,
        width: Some(10),
        height: Some(4),
    };

    #[test]
    fn only_text_that_is_longer_than_a_screen_is_paged() {
        assert!(!is_longer("a\nb\nc\n", &SCREEN), "the prompt needs a row");
        assert!(is_longer("a\nb\nc\nd\n", &SCREEN));
        assert!(is_longer("12345678901\nb\nc\n", &SCREEN), "lines wrap");
        let pipe = Terminal {
            width: None,
            height: None,
            ..SCREEN
        };
        assert!(!is_longer("a\nb\nc\nd\n", &pipe));
    }

    #[test]
    fn the_user_names_the_pager_or_none() {
        assert_eq!(words(None), Some(vec!["less"]));
        assert_eq!(words(Some("most -s")), Some(vec!["most", "-s"]));
        assert_eq!((words(Some("")), words(Some("cat"))), (None, None));
    }
}
