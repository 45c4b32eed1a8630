//! What can be typed. Each verb's own arguments stand in the verb's file.

use clap::{Args, Parser, Subcommand, ValueEnum, builder::styling};

use crate::verbs::{completions, db, explain, init, man, sbom, scan, vex};

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

/// Container security from the Dockerfile to the running process.
#[derive(Debug, Parser)]
#[command(
    name = "seawall",
    version,
    styles = STYLES,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, nothing at or above --fail-on; 1 something is; \
                  2 it could not be done, or not wholly.\n\
                  Every option can also be given in seawall.toml; see docs/settings.md."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// How the terminal is talked to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Terminal")]
pub(crate) struct Output {
    /// Say nothing but the result and errors.
    #[arg(long, short, global = true, env = "SEAWALL_QUIET", value_parser = boolish(), conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what is done.
    #[arg(long, short, global = true, env = "SEAWALL_VERBOSE", value_parser = boolish())]
    pub(crate) verbose: bool,
    /// Show no progress bars (there are none anyway when stderr is no terminal).
    #[arg(long, global = true, env = "SEAWALL_NO_PROGRESS", value_parser = boolish())]
    pub(crate) no_progress: bool,
    /// When to use colour. `NO_COLOR` is honoured too.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "SEAWALL_COLOR",
        default_value = "auto"
    )]
    pub(crate) color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Also into files and pipes.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Look for what is unsafe in images, root file systems, projects and SBOMs.
    Scan(scan::Arguments),
    /// Write a bill of materials: CycloneDX, SPDX or Syft's.
    Sbom(sbom::Arguments),
    /// Say why a vulnerability did or did not match, or what a rule means.
    Explain(explain::Arguments),
    /// Write a seawall.toml with every setting, and on request what a CI system runs.
    Init(init::Arguments),
    /// The advisory database: update it, say what is in it.
    #[command(subcommand)]
    Db(db::Verb),
    /// Write VEX statements: say of a flaw that it does no harm, or what to do about it.
    #[command(subcommand)]
    Vex(vex::Verb),
    /// Print a completion script for a shell.
    Completions(completions::Arguments),
    /// Print the manual page, or write all of them to a folder.
    Man(man::Arguments),
}

/// What an environment variable may say for a flag: `1`, `true`, `yes`, `on`,
/// and their opposites.
pub(crate) fn boolish() -> clap::builder::BoolishValueParser {
    clap::builder::BoolishValueParser::new()
}
