//! Bills of materials as targets.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use seawall_model::{Gap, GapKind, Identity, TargetKind, in_full};

use crate::{InspectError, Inspected, Place, inspect::arch};

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
    let mut gaps = document.gaps;
    let (mut statements, mut bom) = (Vec::new(), None);
    match seawall_formats::vex::embedded(&bytes, &place.value) {
        Ok(Some((inside, own))) => {
            statements.extend((!inside.statements.is_empty()).then_some(inside));
            bom = Some(own);
        }
        Ok(None) => {}
        Err(error) => gaps.push(Gap::new(
            GapKind::Damaged,
            "vulnerabilities",
            format!(
                "what it says of flaws counts for nothing: {}",
                in_full(&error)
            ),
        )),
    }
    let mut target = document.target;
    place.scheme.as_str().clone_into(&mut target.scheme);
    if target.name.is_empty() {
        target.name.clone_from(&place.value);
    }
    let digests = [&target.digest, &target.manifest];
    let digests = digests.into_iter().flatten().cloned().collect();
    let is_image = target.what() == TargetKind::Image;
    let names = is_image.then(|| target.name.clone());
    let identity = Identity {
        names: names.into_iter().collect(),
        digests,
        arch: arch(target.platform.as_deref()),
        bom,
    };
    Ok(Inspected {
        identity,
        statements,
        target,
        packages: document.packages,
        findings: Vec::new(),
        gaps,
        epochs_left_out: document.epochs_left_out,
        created: document.created,
        tried: Vec::new(),
    })
}
