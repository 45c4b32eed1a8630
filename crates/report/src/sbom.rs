//! A report as a bill of materials.

use std::io;

use seawall_formats::{Content, Format};
use seawall_model::Report;

use crate::{Error, Options};

pub(crate) fn write(
    report: &Report,
    format: Format,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let [target] = report.targets.as_slice() else {
        return Err(Error::Targets(report.targets.len()));
    };
    let document = seawall_formats::write(
        &Content {
            target,
            packages: &report.packages,
            findings: &report.findings,
            version: options.version,
            created: options.created,
        },
        format,
    )?;
    out.write_all(document.as_bytes())?;
    Ok(())
}
