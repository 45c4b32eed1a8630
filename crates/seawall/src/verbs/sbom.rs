//! `seawall sbom [TARGET]`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use seawall_formats::{Content, Format};
use seawall_scan::LooksFor;

use crate::{
    Outcome,
    printer::Printer,
    save::save,
    settings,
    verbs::scan::{Looked, look},
};

/// What can be typed behind `sbom`.
#[derive(Debug, Args)]
#[command(after_help = "\
Formats:
  cyclonedx        CycloneDX 1.6 as JSON
  cyclonedx-xml    CycloneDX 1.6 as XML
  spdx             SPDX 2.3 as JSON
  spdx-tag-value   SPDX 2.3 as tag-value
  spdx3            SPDX 3.0.1 as JSON-LD
  syft             JSON as Syft writes it (schema 16)

A target is what `seawall scan` takes; a bill of materials is converted. The same target gives the
same bytes: the time in the document is SOURCE_DATE_EPOCH, else when the image was made.

Examples:
  seawall sbom debian:12 > debian.cdx.json
  seawall sbom --format spdx --output bom.spdx.json image.tar
  seawall sbom --format spdx3 .
  seawall sbom --format cyclonedx bom.spdx.json")]
pub(crate) struct Arguments {
    /// What to look at; the current folder without.
    #[arg(value_name = "TARGET", default_value = ".")]
    target: String,
    /// Format of the document: cyclonedx, cyclonedx-xml, spdx, spdx-tag-value, spdx3 or syft.
    #[arg(long, short, value_name = "FORMAT", default_value = "cyclonedx")]
    format: Format,
    /// Write the document to this file.
    #[arg(long, short, value_name = "FILE", env = "SEAWALL_OUTPUT")]
    output: Option<PathBuf>,
    #[command(flatten)]
    looked: Looked,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Result<Outcome> {
    let file = settings::read(arguments.looked.config.as_deref())?;
    let targets = std::slice::from_ref(&arguments.target);
    let (inspected, _) = look(
        targets,
        LooksFor::PACKAGES,
        &arguments.looked,
        &file,
        printer,
    )?;
    for one in &inspected {
        let created = settings::created(one.created.as_deref());
        let document = seawall_formats::write(
            &Content {
                target: &one.target,
                packages: &one.packages,
                findings: &[],
                version: env!("CARGO_PKG_VERSION"),
                created: created.as_deref(),
            },
            arguments.format,
        )?;
        // A document has no place for them, and must not look whole without.
        for gap in &one.gaps {
            printer.warning(&format!(
                "not in the document: {}: {}",
                gap.subject, gap.reason
            ));
        }
        match arguments.output.as_deref() {
            None => printer.result(document.as_bytes())?,
            Some(path) => {
                save(path, document.as_bytes()).with_context(|| {
                    format!("cannot write the document to `{}`", path.display())
                })?;
                printer.note(&format!(
                    "{} packages written to `{}`",
                    one.packages.len(),
                    path.display()
                ));
            }
        }
    }
    Ok(Outcome::Done)
}
