//! `windtunnel man`: manual pages, one for each command.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use session::{Existing, SaveError, check, save};

use crate::args::{Cli, ManArgs};
use crate::commands::{Context, existing, refuse_save};
use crate::exit::Exit;

/// Writes the pages into a folder, which is made where it is missing.
pub(crate) fn run(args: &ManArgs, context: &Context) -> Exit {
    let existing = existing(args.force);
    let folder = std::fs::create_dir_all(&args.folder).map_err(|source| SaveError::Unwritable {
        path: args.folder.clone(),
        source,
    });
    let written = folder
        .and_then(|()| pages())
        .and_then(|pages| write(&args.folder, existing, &pages));
    match written {
        Ok(n_pages) => {
            context.note(&format!("{n_pages} pages are in {}", args.folder.display()));
            Exit::Done
        }
        Err(error) => refuse_save(&error, context),
    }
}

/// Writes all pages or, where one is there already, none.
fn write(
    folder: &Path,
    existing: Existing,
    pages: &[(String, Vec<u8>)],
) -> Result<usize, SaveError> {
    for (name, _) in pages {
        check(&folder.join(name), existing)?;
    }
    for (name, page) in pages {
        save(&folder.join(name), existing, |out| out.write_all(page))?;
    }
    Ok(pages.len())
}

/// The name and the text of each page.
fn pages() -> Result<Vec<(String, Vec<u8>)>, SaveError> {
    let mut cli = Cli::command();
    cli.build();
    let commands: Vec<Command> = cli.get_subcommands().cloned().collect();
    let mut pages = Vec::new();
    for command in std::iter::once(cli.clone()).chain(commands) {
        // Built commands know their full name.
        let name = command.get_display_name().unwrap_or(command.get_name());
        pages.push((format!("{name}.1"), page(command)?));
    }
    Ok(pages)
}

fn page(command: Command) -> Result<Vec<u8>, SaveError> {
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    Man::new(command)
        .render(&mut text)
        .map_err(|source| SaveError::Unwritable {
            path: name.into(),
            source,
        })?;
    Ok(text)
}
