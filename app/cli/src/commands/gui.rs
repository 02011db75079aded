//! `gui`: starts the program with the window, which is built apart.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::Context;
use crate::args::GuiArgs;
use crate::exit::Exit;

/// What the program is called.
const PROGRAM: &str = "windtunnel-gui";

/// Starts the window and waits for it.
pub(crate) fn run(args: &GuiArgs, context: &Context) -> Exit {
    let program = beside_this().unwrap_or_else(|| PathBuf::from(PROGRAM));
    match Command::new(&program).args(args.arguments()).status() {
        Ok(status) => match status.code() {
            Some(0) => Exit::Done,
            Some(2) => Exit::BadInput,
            _ => Exit::Failed,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("{PROGRAM} is neither beside this program nor on the path");
            let hint = "the window is built apart: `cargo build --release -p viewer` puts it beside `windtunnel`, \
                        `cargo install --path gui/viewer` on the path";
            context.error(&text, Some(hint));
            Exit::Failed
        }
        Err(error) => {
            let text = format!("{} cannot be started: {error}", program.display());
            context.error(&text, None);
            Exit::Failed
        }
    }
}

/// The program beside this one, where both were built or installed together.
fn beside_this() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.to_owned();
    let program = folder.join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}
