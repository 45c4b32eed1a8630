//! Bills of materials as targets.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use crate::{InspectError, Inspected, Place};

/// The largest bill of materials that is read, in bytes.
const LIMIT: u64 = 512 << 20;

/// Reads the document at `place`; `-` is standard input.
pub(crate) fn inspect(place: &Place) -> Result<Inspected, InspectError> {
    let path = PathBuf::from(&place.value);
    let reading = |cause| InspectError::Read {
        path: path.clone(),
        cause,
    };
    let mut bytes = Vec::new();
    let file: Box<dyn Read> = match place.value.as_str() {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(&path).map_err(reading)?),
    };
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(reading)?;
    if bytes.len() as u64 > LIMIT {
        return Err(InspectError::SbomSize { path, limit: LIMIT });
    }
    let document =
        seawall_formats::read(&bytes).map_err(|cause| InspectError::Sbom { path, cause })?;
    let mut target = document.target;
    place.scheme.as_str().clone_into(&mut target.scheme);
    if target.name.is_empty() {
        target.name.clone_from(&place.value);
    }
    Ok(Inspected {
        target,
        packages: document.packages,
        gaps: document.gaps,
        epochs_left_out: document.epochs_left_out,
        is_of_image: document.is_of_image,
    })
}
