//! `seawall db`: the advisory database, for this machine and for others.

mod build;
mod info;
mod keygen;
mod update;

use anyhow::Result;
use clap::Subcommand;

use crate::{Outcome, printer::Printer};

/// What can be typed behind `db`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Fetch or read advisories and build the database from them, or take a published one.
    Update(update::Update),
    /// Say what is in the database, where it came from and how old it is.
    Info(info::Info),
    /// Make a folder of signed shards that a web server can serve to many machines.
    Build(build::Build),
    /// Make the pair of keys that `db build` signs with and `db update` checks with.
    Keygen(keygen::Keygen),
}

pub(crate) fn run(verb: Verb, printer: &Printer) -> Result<Outcome> {
    match verb {
        Verb::Update(arguments) => update::run(arguments, printer),
        Verb::Info(arguments) => info::run(arguments, printer),
        Verb::Build(arguments) => build::run(&arguments, printer),
        Verb::Keygen(arguments) => keygen::run(&arguments, printer),
    }
}
