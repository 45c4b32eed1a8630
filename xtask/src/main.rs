//! Tasks of the project itself: `cargo xtask TASK`.

mod fmt;
mod starter_db;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  fmt [--check]      format every Rust file
  starter-db [DIR]   make crates/advisories/data/starter.db from a folder of OSV dumps";

#[expect(clippy::print_stderr, reason = "a task talks to the developer")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("starter-db") => starter_db::run(arguments.next()),
        Some("fmt") => fmt::run(arguments.next().as_deref() == Some("--check")),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match result {
        Ok(said) => {
            eprintln!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
