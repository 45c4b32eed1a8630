//! Records of a zip, one JSON file each, read on all cores.

use std::{
    fs::File,
    io::Read,
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::prelude::*;

use crate::positioned::Positioned;

/// Bytes of one record, unpacked.
const RECORD_LIMIT: u64 = 16 << 20;
/// Bytes of all records of a zip, unpacked: OSV's largest, npm, has 2 GB, and
/// all CVE records together 3.
const ZIP_LIMIT: u64 = 16 << 30;
/// Entries that a core takes at once.
const TAKEN: usize = 256;

/// What was read of a zip.
#[derive(Debug)]
pub(crate) struct Unzipped<T> {
    /// In the order of the zip.
    pub(crate) items: Vec<T>,
    /// Entries that are no records: name and reason.
    pub(crate) refused: Vec<(String, String)>,
}

/// Reads the entries of a zip; `parse` gets a path and the bytes, and says
/// `None` to what is no record and need not be one.
///
/// # Errors
/// When the file is no zip, or unpacks to more than anybody can want.
pub(crate) fn read<T: Send>(
    file: File,
    parse: impl Fn(&str, &[u8]) -> Result<Option<T>, String> + Sync,
) -> Result<Unzipped<T>, String> {
    let too_large = || format!("it unpacks to more than {ZIP_LIMIT} bytes");
    let reader = Positioned::new(file).map_err(|error| error.to_string())?;
    let archive = zip::ZipArchive::new(reader).map_err(|error| error.to_string())?;
    if archive
        .decompressed_size()
        .is_some_and(|size| size > ZIP_LIMIT.into())
    {
        return Err(too_large());
    }
    if archive.has_duplicate_names() {
        return Err("two of its entries have the same name".to_owned());
    }
    // What a zip declares need not be what it holds.
    let left = AtomicU64::new(ZIP_LIMIT);
    let entries: Vec<usize> = (0..archive.len()).collect();
    let parts: Option<Vec<Unzipped<T>>> = entries
        .par_chunks(TAKEN)
        .map(|taken| {
            let mut archive = archive.clone();
            let mut part = Unzipped {
                items: Vec::new(),
                refused: Vec::new(),
            };
            let mut bytes = Vec::new();
            for index in taken {
                let (name, result) = read_entry(&mut archive, *index, &mut bytes);
                let spent = bytes.len() as u64;
                if left.fetch_sub(spent, Ordering::Relaxed) < spent {
                    return None;
                }
                match result.and_then(|is_file| match is_file {
                    true => parse(&name, &bytes),
                    false => Ok(None),
                }) {
                    Ok(item) => part.items.extend(item),
                    Err(reason) => part.refused.push((name, reason)),
                }
            }
            Some(part)
        })
        .collect();
    let mut all = Unzipped {
        items: Vec::new(),
        refused: Vec::new(),
    };
    for part in parts.ok_or_else(too_large)? {
        all.items.extend(part.items);
        all.refused.extend(part.refused);
    }
    Ok(all)
}

/// The name of an entry, and whether it is a file, which `bytes` then holds.
fn read_entry(
    archive: &mut zip::ZipArchive<Positioned>,
    index: usize,
    bytes: &mut Vec<u8>,
) -> (String, Result<bool, String>) {
    bytes.clear();
    let unnamed = || format!("entry {index}");
    let mut entry = match archive.by_index(index) {
        Ok(entry) => entry,
        Err(error) => return (unnamed(), Err(error.to_string())),
    };
    // Only a name in a message: nothing is written under it.
    let name = entry
        .name()
        .map_or_else(|_| unnamed(), std::borrow::Cow::into_owned);
    if entry.is_dir() {
        return (name, Ok(false));
    }
    let result = match entry.by_ref().take(RECORD_LIMIT + 1).read_to_end(bytes) {
        Ok(read) if read as u64 > RECORD_LIMIT => {
            Err(format!("it has more than {RECORD_LIMIT} bytes"))
        }
        Ok(_) => Ok(true),
        Err(error) => Err(error.to_string()),
    };
    (name, result)
}
