//! `windtunnel help`, and `windtunnel` alone.

use clap::CommandFactory;

use crate::args::{Cli, HelpArgs};
use crate::commands::{Context, say};
use crate::exit::Exit;
use crate::topics::Topic;

/// Short help for a call without a command, which is bad usage.
pub(crate) fn short(context: &Context) -> Exit {
    let help = Cli::command().render_help();
    let text = if context.stderr.color {
        help.ansi().to_string()
    } else {
        help.to_string()
    };
    say(&text);
    Exit::BadInput
}

/// Help about a command or a topic.
pub(crate) fn run(args: &HelpArgs, context: &Context) -> Exit {
    if let Some(topic) = args.as_topic() {
        return context.page(&format!("{}\n", topic.text()));
    }
    let mut cli = Cli::command();
    cli.build();
    let help = match args.topic.as_deref() {
        None => Some(cli.render_long_help()),
        Some(name) => cli
            .find_subcommand_mut(name)
            .map(clap::Command::render_long_help),
    };
    let Some(help) = help else {
        let name = args.topic.as_deref().unwrap_or_default();
        let topics = Topic::ALL.map(Topic::name).join(", ");
        let hint = format!("give a command, or one of {topics}");
        context.error(
            &format!("no command or topic is named {name:?}"),
            Some(&hint),
        );
        return Exit::BadInput;
    };
    if context.stdout.color {
        context.page(&help.ansi().to_string())
    } else {
        context.page(&help.to_string())
    }
}
