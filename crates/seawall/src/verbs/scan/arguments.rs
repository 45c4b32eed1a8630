//! What can be typed behind `scan`, by what it is about.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use seawall_image::Platform;
use seawall_model::Severity;
use seawall_report::Format;

use super::tags::Tags;
use crate::{
    cli::boolish,
    database::{MAX_AGE, Named},
    settings::File,
};

/// What can be typed behind `scan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Targets:
  debian:12                    an image: of Docker, else Podman, containerd, its registry
                               (docker:…, podman:…, containerd:…, registry:… ask one alone)
  image.tar, image.tar.gz, -   a docker-archive or OCI archive (archive:…)
  layout:v1, layout@sha256:…   an OCI image layout (oci:…)
  /mnt/root                    a root file system (rootfs:…)
  .                            a project: its lock files and its secrets (dir:…)
  bom.json                     an SBOM: CycloneDX, SPDX or Syft's (sbom:…)

Examples:
  seawall scan .
  seawall scan --fail-on high debian:12
  seawall scan --all-tags --tags '1.*' registry:ghcr.io/shop/web
  seawall scan --platform linux/arm64 registry:ghcr.io/shop/web:1.4
  docker save shop | seawall scan -
  seawall scan --format sarif --output seawall.sarif oci:build/image:latest")]
pub(crate) struct Arguments {
    /// What to look at; the current folder without.
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<String>,

    /// Look for these only.
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        env = "SEAWALL_ONLY"
    )]
    pub(super) only: Vec<Kind>,

    #[command(flatten)]
    pub(super) judged: Judged,

    #[command(flatten)]
    pub(super) written: Written,

    #[command(flatten)]
    pub(super) tags: Tags,

    #[command(flatten)]
    pub(crate) looked: Looked,
}

/// What decides the exit code.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verdict")]
pub(super) struct Judged {
    /// Exit with 1 when a finding is this bad or worse, with 2 when none is but something could
    /// not be looked at.
    #[arg(long, value_name = "SEVERITY", env = "SEAWALL_FAIL_ON")]
    pub(super) fail_on: Option<Severity>,
    /// The same for findings whose severity nobody knows.
    #[arg(long, env = "SEAWALL_FAIL_ON_UNKNOWN", value_parser = boolish())]
    pub(super) fail_on_unknown: bool,
    /// The same for flaws in CISA's catalogue of known exploited vulnerabilities.
    #[arg(long, env = "SEAWALL_FAIL_ON_KEV", value_parser = boolish())]
    pub(super) fail_on_kev: bool,
    /// The same for flaws with at least this chance of exploitation (EPSS, 0 to 1).
    #[arg(long, value_name = "CHANCE", env = "SEAWALL_FAIL_ON_EPSS", value_parser = chance)]
    pub(super) fail_on_epss: Option<f64>,
    /// VEX documents, or folders of them (OpenVEX, CSAF, CycloneDX): what they say is not affected
    /// or fixed does not count.
    #[arg(long, value_name = "FILE", env = "SEAWALL_VEX", value_delimiter = ',')]
    pub(super) vex: Vec<PathBuf>,
    /// Show and judge only what is new against this earlier report of ours (JSON); '' for none,
    /// whatever the settings say.
    #[arg(long, value_name = "REPORT", env = "SEAWALL_BASELINE")]
    pub(super) baseline: Option<OsString>,
    /// Do not fail because of gaps.
    #[arg(long, env = "SEAWALL_ALLOW_GAPS", value_parser = boolish())]
    pub(super) allow_gaps: bool,
}

/// What is shown, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct Written {
    /// Format of the report: table, json, sarif, junit, html, markdown, cyclonedx, spdx, github
    /// (a snapshot for its dependency graph), github-annotations (remarks beside a change, read
    /// from a step's output), gitlab-container-scanning, gitlab-dependency-scanning or
    /// gitlab-code-quality (reports that GitLab takes as artifacts).
    #[arg(
        long,
        short,
        value_name = "FORMAT",
        env = "SEAWALL_FORMAT",
        hide_possible_values = true,
        value_parser = formats()
    )]
    pub(super) format: Option<Format>,
    /// Write the report to this file.
    #[arg(long, short, value_name = "FILE", env = "SEAWALL_OUTPUT")]
    pub(super) output: Option<PathBuf>,
    /// Show only findings of this severity or worse.
    #[arg(long, value_name = "SEVERITY", env = "SEAWALL_SEVERITY")]
    pub(super) severity: Option<Severity>,
    /// Leave out flaws that no version mends.
    #[arg(long, env = "SEAWALL_IGNORE_UNFIXED", value_parser = boolish())]
    pub(super) ignore_unfixed: bool,
    /// Order of the findings.
    #[arg(
        long,
        value_name = "ORDER",
        default_value = "severity",
        env = "SEAWALL_SORT"
    )]
    pub(super) sort: Sort,
    /// List all packages too.
    #[arg(long, env = "SEAWALL_PACKAGES", value_parser = boolish())]
    pub(super) packages: bool,
    /// List what was suppressed too, with who said so and why.
    #[arg(long, env = "SEAWALL_SHOW_SUPPRESSED", value_parser = boolish())]
    pub(super) show_suppressed: bool,
    /// How much doubt a finding may hold.
    #[arg(
        long,
        value_name = "PERSONA",
        default_value = "regular",
        env = "SEAWALL_PERSONA"
    )]
    pub(super) persona: Persona,
}

/// Where things are, and what may be asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct Looked {
    /// Platform of an image that has several, as in linux/arm64.
    #[arg(long, value_name = "OS/ARCH", env = "SEAWALL_PLATFORM")]
    pub(crate) platform: Option<Platform>,
    /// An image that targets may be built on (several with commas): a base is told by its layers.
    #[arg(
        long,
        value_name = "IMAGE",
        value_delimiter = ',',
        env = "SEAWALL_BASE"
    )]
    pub(crate) base: Vec<String>,
    /// The Dockerfile of the targets: findings then name the line to change.
    #[arg(long, value_name = "FILE", env = "SEAWALL_DOCKERFILE")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// Folder of the advisory database.
    #[arg(long, value_name = "DIR", env = "SEAWALL_DB")]
    pub(crate) db: Option<PathBuf>,
    /// Where missing and old advisories are fetched from; OSV's public bucket without.
    #[arg(long, value_name = "DIR|URL", env = "SEAWALL_DB_FROM")]
    pub(crate) db_from: Option<String>,
    /// Key of their publisher: the line that minisign shows, or a file with it.
    #[arg(long, value_name = "KEY|FILE", env = "SEAWALL_DB_PUBKEY")]
    pub(crate) db_pubkey: Option<String>,
    /// Days without a newer record before advisories count as old; 30 without.
    #[arg(long, value_name = "DAYS", env = "SEAWALL_MAX_AGE")]
    pub(crate) max_age: Option<u32>,
    /// Fetch nothing.
    #[arg(long, env = "SEAWALL_OFFLINE", value_parser = boolish())]
    pub(crate) offline: bool,
    /// Settings file; seawall.toml here without.
    #[arg(long, value_name = "FILE", env = "SEAWALL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Keep no evidence of layers, and use none.
    #[arg(long, env = "SEAWALL_NO_CACHE", value_parser = boolish())]
    pub(crate) no_cache: bool,
    /// Folder of the evidence cache.
    #[arg(long, value_name = "DIR", env = "SEAWALL_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: crate::registry::Flags,
}

impl Looked {
    /// What is said of the database.
    pub(crate) fn database(&self) -> Named {
        Named {
            dir: self.db.clone(),
            from: self.db_from.clone(),
            feeds: Vec::new(),
            key: self.db_pubkey.clone(),
            offline: self.offline,
        }
    }

    /// Days after which advisories count as old.
    pub(crate) fn max_age(&self, file: &File) -> u32 {
        self.max_age.or(file.database.max_age).unwrap_or(MAX_AGE)
    }
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Known flaws of packages.
    Vulnerabilities,
    /// Dockerfiles, Compose, Kubernetes, image settings.
    Config,
    /// Secrets in files.
    Secrets,
    /// Licences of packages: all of them by number, and what a policy says.
    Licenses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// Worst first.
    Severity,
    /// Known to be exploited first.
    Kev,
    /// Most likely to be exploited first.
    Epss,
    /// By package.
    Package,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Persona {
    /// What a careful reviewer would say.
    Regular,
    /// Every rule.
    Pedantic,
    /// Also matches of low confidence.
    Auditor,
}

/// The formats by name, for completions too.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str)).try_map(|text| text.parse())
}

fn chance(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("`{text}` is not between 0 and 1"))
    }
}
