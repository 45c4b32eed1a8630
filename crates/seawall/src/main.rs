//! The command: arguments to settings, one file per verb, exit code.

mod baseline;
mod cli;
mod database;
mod errors;
mod keys;
mod printer;
mod product;
mod progress;
mod registry;
mod save;
mod settings;
mod verbs;
mod vex;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, printer::Printer};

/// What a run comes to. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and nothing at or above a threshold.
    Done,
    /// Something at or above a threshold, or a verdict of deny.
    Failed,
    /// It could not be done, or not wholly.
    Incomplete,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Failed => ExitCode::from(1),
            Outcome::Incomplete => ExitCode::from(2),
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` arrive here too; nothing is left to do
            // when even that cannot be printed.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let printer = Printer::new(&cli.output);
    match verbs::run(cli.verb, &printer) {
        Ok(outcome) => outcome.into(),
        // The reader of our output has seen enough (`seawall scan x | head`).
        Err(error) if errors::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            ExitCode::from(2)
        }
    }
}
