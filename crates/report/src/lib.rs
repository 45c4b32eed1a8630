//! Findings as people and programs read them: one format = one file.
//!
//! Only this crate knows what a report looks like on the wire. Every format is
//! a pure function of the report: the same report gives the same bytes.

mod files;
mod github;
mod github_annotations;
mod gitlab;
mod html;
mod json;
mod junit;
mod markdown;
mod plain;
mod read;
mod sarif;
mod sbom;
mod table;
mod words;

use std::{fmt, io, str::FromStr};

use seawall_model::Report;

pub use plain::{plain, plain_lines};
pub use read::{Decision, ReadError, ReportTarget, decisions, earlier};

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
    /// CycloneDX 1.6 as JSON, with what is wrong.
    CycloneDx,
    /// SPDX 2.3 as JSON: what there is, without what is wrong.
    Spdx,
    /// A snapshot for GitHub's dependency submission API.
    Github,
    /// Remarks beside a change, as the runner of GitHub's workflows reads them
    /// from a step's output.
    GithubAnnotations,
    /// GitLab's report of container scanning, schema 15.
    GitlabContainerScanning,
    /// GitLab's report of dependency scanning, schema 15.
    GitlabDependencyScanning,
    /// GitLab's report of code quality: Code Climate's issues.
    GitlabCodeQuality,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 13] = [
        Format::Table,
        Format::Json,
        Format::Sarif,
        Format::Junit,
        Format::Html,
        Format::Markdown,
        Format::CycloneDx,
        Format::Spdx,
        Format::Github,
        Format::GithubAnnotations,
        Format::GitlabContainerScanning,
        Format::GitlabDependencyScanning,
        Format::GitlabCodeQuality,
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
            Format::CycloneDx => "cyclonedx",
            Format::Spdx => "spdx",
            Format::Github => "github",
            Format::GithubAnnotations => "github-annotations",
            Format::GitlabContainerScanning => "gitlab-container-scanning",
            Format::GitlabDependencyScanning => "gitlab-dependency-scanning",
            Format::GitlabCodeQuality => "gitlab-code-quality",
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
    /// When a bill of materials says that it was made, RFC 3339.
    pub created: Option<&'a str>,
    /// What [`Format::Github`] needs.
    pub snapshot: Option<&'a Snapshot>,
    /// The repository that is being checked, for formats that point into it;
    /// without it paths are taken to be relative to its root.
    pub checkout: Option<&'a Checkout>,
    /// When the run started and when it ended, RFC 3339 in UTC, for formats that
    /// ask for it; empty where nobody knows.
    pub run: (&'a str, &'a str),
}

/// Where a repository lies that is being checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Its root, an absolute path.
    pub root: String,
    /// The folder that Seawall was started in, an absolute path.
    pub started: String,
}

/// What GitHub wants to know of a run (REST API, "Create a snapshot of
/// dependencies for a repository").
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The commit, 40 hexadecimal digits.
    pub sha: String,
    /// The branch, `refs/heads/main`.
    pub reference: String,
    /// The job's id.
    pub job: String,
    /// What groups snapshots: the newest of each replaces the one before.
    pub correlator: String,
    /// When, RFC 3339.
    pub scanned: String,
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
    /// A bill of materials is about one thing.
    #[error("a bill of materials is about one target, and there are {0}")]
    Targets(usize),
    /// Something that the format cannot do without.
    #[error("GitHub takes no snapshot without {0}")]
    Snapshot(&'static str),
    /// None of the targets is what the format is about.
    #[error("a report of {about} is about {wanted}, and no target is one")]
    About {
        /// `container scanning`.
        about: &'static str,
        /// `images`.
        wanted: &'static str,
        /// The format that would do.
        instead: Format,
    },
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
        Format::CycloneDx => sbom::write(report, seawall_formats::Format::CycloneDx, options, out),
        Format::Spdx => sbom::write(report, seawall_formats::Format::Spdx, options, out),
        Format::Github => github::write(report, options, out),
        Format::GithubAnnotations => github_annotations::write(report, options, out),
        Format::GitlabContainerScanning => gitlab::container_scanning::write(report, options, out),
        Format::GitlabDependencyScanning => {
            gitlab::dependency_scanning::write(report, options, out)
        }
        Format::GitlabCodeQuality => gitlab::code_quality::write(report, options, out),
    }
}
