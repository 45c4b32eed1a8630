//! Findings as people and programs read them: one format = one file.
//!
//! Only this crate knows what a report looks like on the wire. Every format is
//! a pure function of the report: the same report gives the same bytes.

mod html;
mod json;
mod json_text;
mod junit;
mod markdown;
mod plain;
mod read;
mod sarif;
mod table;
mod words;
mod xml;

use std::{fmt, io, str::FromStr};

use seawall_model::Report;

pub use plain::{plain, plain_lines};
pub use read::{Decision, ReadError, ReportTarget, decisions};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal.
    Table,
    /// `seawall.report/v1`; docs/report.schema.json.
    Json,
    /// SARIF 2.1.0 (OASIS).
    Sarif,
    /// JUnit's XML, as CI systems read it.
    Junit,
    /// One page that needs nothing else.
    Html,
    /// GitHub-flavoured Markdown.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 6] = [
        Format::Table,
        Format::Json,
        Format::Sarif,
        Format::Junit,
        Format::Html,
        Format::Markdown,
    ];

    /// The name used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Junit => "junit",
            Format::Html => "html",
            Format::Markdown => "markdown",
        }
    }
}

/// A word that is no format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFormatError(String);

impl fmt::Display for ParseFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Format::ALL.map(Format::as_str).join(", ");
        write!(
            f,
            "`{}` is no format of this release: use one of {names}",
            self.0
        )
    }
}

impl std::error::Error for ParseFormatError {}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Format::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

/// What a format may want to know beside the report.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Version of Seawall.
    pub version: &'a str,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colour may be used.
    pub color: bool,
    /// Whether all packages are listed.
    pub packages: bool,
    /// Whether a table and Markdown list what was suppressed.
    pub suppressed: bool,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output refused.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
    /// A value has no JSON form; this is our bug.
    #[error("cannot write the report as JSON")]
    Json(#[from] serde_json::Error),
    /// The page cannot be filled; this is our bug.
    #[error("cannot write the report as HTML")]
    Html(#[from] askama::Error),
}

/// Writes `report`.
///
/// # Errors
/// When the output refuses.
pub fn render(
    report: &Report,
    format: Format,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    match format {
        Format::Table => table::write(report, options, out),
        Format::Json => json::write(report, options, out),
        Format::Sarif => sarif::write(report, options, out),
        Format::Junit => junit::write(report, options, out),
        Format::Html => html::write(report, options, out),
        Format::Markdown => markdown::write(report, options, out),
    }
}
