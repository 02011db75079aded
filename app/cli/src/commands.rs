//! One module per command, and the way to them.

mod calibrate;
mod collective;
mod completions;
mod explain;
mod export;
mod gui;
mod help;
mod import;
mod man;
mod plan;
pub(crate) mod run;
mod scenario;
mod schema;
mod simulate;
mod sweep;
mod traffic;
mod validate;

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::Path;

use clap::Parser;
use session::{Existing, SaveError, save};

use crate::args::{Cli, Color, Command, OutputArgs};
use crate::exit::Exit;
use crate::render::message;
use crate::terminal::Terminal;
use crate::{complete, pager};

/// What every command needs to answer.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// What the user asked of the output.
    pub(crate) output: OutputArgs,
    /// What standard output can show.
    pub(crate) stdout: Terminal,
    /// What standard error can show.
    pub(crate) stderr: Terminal,
}

impl Context {
    fn new(output: OutputArgs) -> Self {
        Self {
            stdout: Terminal::stdout(output.color),
            stderr: Terminal::stderr(output.color),
            output,
        }
    }

    /// Writes a result to standard output. A reader that has gone away ends the command quietly.
    pub(crate) fn print(&self, text: &str) -> Exit {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match written {
            Ok(()) => Exit::Done,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Err(error) => {
                self.error(&format!("standard output cannot be written: {error}"), None);
                Exit::Failed
            }
        }
    }

    /// Shows a text to people: in a pager where it is longer than their screen.
    pub(crate) fn page(&self, text: &str) -> Exit {
        if !self.output.no_pager && pager::show(text, &self.stdout) {
            return Exit::Done;
        }
        self.print(text)
    }

    /// Hands over the result: to the reader, or to the file that was named for it.
    pub(crate) fn hand_over(
        &self,
        text: &str,
        output: Option<&Path>,
        existing: Existing,
    ) -> Result<Exit, Exit> {
        match output {
            None if self.output.json => Ok(self.print(text)),
            None => Ok(self.page(text)),
            Some(path) => {
                save(path, existing, |out| out.write_all(text.as_bytes()))
                    .map_err(|error| refuse_save(&error, self))?;
                Ok(Exit::Done)
            }
        }
    }

    /// Says what went wrong.
    pub(crate) fn error(&self, text: &str, hint: Option<&str>) {
        say(&message("error", text, &self.stderr));
        if let Some(hint) = hint {
            say(&message("hint", hint, &self.stderr));
        }
    }

    /// Says what is suspicious, unless asked to be quiet.
    pub(crate) fn warn(&self, text: &str) {
        if !self.output.quiet {
            say(&message("warning", text, &self.stderr));
        }
    }

    /// Says what is worth knowing, unless asked to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.output.quiet {
            say(&message("note", text, &self.stderr));
        }
    }

    /// Whether progress is shown: unless somebody does not want it.
    pub(crate) const fn shows_progress(&self) -> bool {
        !self.output.no_progress && !self.output.quiet
    }
}

/// What becomes of files that are there already.
pub(crate) const fn existing(force: bool) -> Existing {
    if force {
        Existing::Replace
    } else {
        Existing::Refuse
    }
}

/// Says why a file was not written.
pub(crate) fn refuse_save(error: &SaveError, context: &Context) -> Exit {
    context.error(&error.to_string(), error.hint().as_deref());
    match error {
        SaveError::Exists { .. } => Exit::BadInput,
        _ => Exit::Failed,
    }
}

/// Writes to standard error. Nobody can be told where that fails.
pub(crate) fn say(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Reads the command line and does what it says.
pub(crate) fn command() -> Exit {
    match complete::answer() {
        Ok(false) => {}
        Ok(true) => return Exit::Done,
        Err(error) => return refuse(&error),
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let context = Context::new(cli.output);
    if let Some(threads) = context.output.threads
        && let Err(error) = use_threads(threads)
    {
        context.error(
            &format!("{threads} threads cannot be started: {error}"),
            None,
        );
        return Exit::Failed;
    }
    match cli.command {
        None => help::short(&context),
        Some(Command::Plan(args)) => plan::plan(&args, &context),
        Some(Command::Simulate(args)) => simulate::simulate(&args, &context),
        Some(Command::Sweep(args)) => sweep::sweep(&args, &context),
        Some(Command::Explain(args)) => explain::explain_file(&args, &context),
        Some(Command::Export(args)) => export::export(&args, &context),
        Some(Command::Import(args)) => import::import(&args, &context),
        Some(Command::Collective(args)) => collective::collective(&args, &context),
        Some(Command::Validate(args)) => validate::validate(&args, &context),
        Some(Command::Calibrate(args)) => calibrate::run(&args, &context),
        Some(Command::Gui(args)) => gui::run(&args, &context),
        Some(Command::Schema(args)) => schema::run(&args, &context),
        Some(Command::Completions(args)) => completions::run(&args, &context),
        Some(Command::Man(args)) => man::run(&args, &context),
        Some(Command::Help(args)) => help::run(&args, &context),
    }
}

/// Makes all work that is done side by side take so many threads.
fn use_threads(threads: NonZeroU32) -> Result<(), rayon::ThreadPoolBuildError> {
    let n = usize::try_from(threads.get()).unwrap_or(usize::MAX);
    rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build_global()
}

/// A command line that says nothing that can be done, or asks for help or the version.
fn refuse(error: &clap::Error) -> Exit {
    // Help and version go to standard output, errors to standard error. A closed pipe is none.
    if error.use_stderr() {
        drop(error.print());
        return Exit::BadInput;
    }
    let stdout = Terminal::stdout(Color::Auto);
    let help = error.render();
    let text = if stdout.color {
        help.ansi().to_string()
    } else {
        help.to_string()
    };
    // The command line that asks for help is not read to its end.
    let is_paged = std::env::args_os().all(|arg| arg != "--no-pager");
    if !(is_paged && pager::show(&text, &stdout)) {
        drop(error.print());
    }
    Exit::Done
}
