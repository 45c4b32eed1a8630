//! `seawall completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Outcome, cli::Cli, printer::Printer};

/// What can be typed behind `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seawall completions bash > \
    ~/.local/share/bash-completion/completions/seawall")]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "seawall", &mut script);
    printer.result(&script)?;
    Ok(Outcome::Done)
}
