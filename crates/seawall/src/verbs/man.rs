//! `seawall man [DIR]`.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Args, CommandFactory};

use crate::{Outcome, cli::Cli, printer::Printer};

/// What can be typed behind `man`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  seawall man | man -l -\n  seawall man /usr/local/share/man/man1"
)]
pub(crate) struct Arguments {
    /// Write seawall.1 and a page for each verb here, instead of printing one.
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> anyhow::Result<Outcome> {
    let command = Cli::command();
    match &arguments.dir {
        Some(dir) => {
            fs::create_dir_all(dir)
                .with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
            clap_mangen::generate_to(command, dir)
                .with_context(|| format!("cannot write manual pages to `{}`", dir.display()))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            printer.result(&page)?;
        }
    }
    Ok(Outcome::Done)
}
