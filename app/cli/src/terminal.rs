//! What the terminal can show, judged for standard output and standard error separately.

use std::io::IsTerminal;

use anstream::ColorChoice;

use crate::args::Color;

/// Width of text that is not for a terminal: nothing is cut there.
const UNLIMITED: Option<usize> = None;

/// What one stream can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whether colors may be used.
    pub(crate) color: bool,
    /// Whether characters outside ASCII may be used.
    pub(crate) unicode: bool,
    /// Columns; none where the stream is no terminal.
    pub(crate) width: Option<usize>,
    /// Rows; none where the stream is no terminal.
    pub(crate) height: Option<usize>,
}

impl Terminal {
    /// Standard output.
    pub(crate) fn stdout(color: Color) -> Self {
        let stream = std::io::stdout();
        let auto = anstream::AutoStream::choice(&stream);
        Self::of(color, auto, stream.is_terminal())
    }

    /// Standard error.
    pub(crate) fn stderr(color: Color) -> Self {
        let stream = std::io::stderr();
        let auto = anstream::AutoStream::choice(&stream);
        Self::of(color, auto, stream.is_terminal())
    }

    fn of(color: Color, auto: ColorChoice, is_terminal: bool) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => matches!(auto, ColorChoice::Always | ColorChoice::AlwaysAnsi),
        };
        let size = terminal_size::terminal_size();
        let (width, height) = size.map_or((80, 24), |(width, height)| {
            (usize::from(width.0), usize::from(height.0))
        });
        Self {
            color,
            // A file or a pipe takes any text.
            unicode: !is_terminal || unicode_locale(),
            width: if is_terminal { Some(width) } else { UNLIMITED },
            height: is_terminal.then_some(height),
        }
    }
}

/// Whether the locale is UTF-8, as the C library would judge: the first variable set counts.
fn unicode_locale() -> bool {
    if cfg!(windows) {
        return true;
    }
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some(value)
    });
    set.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
