//! One file per verb: its arguments, what it does, its outcome.

pub(crate) mod completions;
pub(crate) mod db;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod sbom;
pub(crate) mod scan;
pub(crate) mod vex;

use crate::{Outcome, cli::Verb, printer::Printer};

pub(crate) fn run(verb: Verb, printer: &Printer) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Scan(arguments) => scan::run(&arguments, printer),
        Verb::Sbom(arguments) => sbom::run(&arguments, printer),
        Verb::Explain(arguments) => explain::run(arguments, printer),
        Verb::Init(arguments) => init::run(&arguments, printer),
        Verb::Db(verb) => db::run(verb, printer),
        Verb::Vex(verb) => vex::run(verb, printer),
        Verb::Completions(arguments) => completions::run(&arguments, printer),
        Verb::Man(arguments) => man::run(&arguments, printer),
    }
}
