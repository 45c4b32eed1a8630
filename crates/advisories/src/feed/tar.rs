//! Archives of small files, as some publishers pack their records.

use std::io::Read;

use super::metered::Meter;

/// Bytes of one file: the largest record of any publisher has a tenth of it.
const RECORD_LIMIT: u64 = 64 << 20;
/// Bytes of a file with all that stands before it: long names have a header of
/// their own, which is held as a whole.
const PART_LIMIT: u64 = RECORD_LIMIT + (1 << 20);
/// Files of one archive.
const FILES_LIMIT: usize = 2_000_000;

/// Reads every regular file of a tar; `each` gets its path and its bytes.
/// Paths are only names here: nothing is written under them.
///
/// # Errors
/// When it is no tar, is cut off, or holds more than anybody can want.
pub(crate) fn walk(
    input: impl Read,
    mut each: impl FnMut(&str, &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let meter = Meter::new(PART_LIMIT);
    let mut archive = tar::Archive::new(meter.of(input));
    let entries = archive.entries().map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    for (at, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| format!("entry {at}: {error}"))?;
        if at == FILES_LIMIT {
            return Err(format!("it has more than {FILES_LIMIT} files"));
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        bytes.clear();
        let read = entry
            .by_ref()
            .take(RECORD_LIMIT + 1)
            .read_to_end(&mut bytes);
        let read = read.map_err(|error| format!("{name}: {error}"))?;
        if read as u64 > RECORD_LIMIT {
            return Err(format!("{name}: it has more than {RECORD_LIMIT} bytes"));
        }
        if read as u64 != entry.size() {
            return Err(format!("{name}: it was cut off"));
        }
        each(&name, &bytes)?;
        meter.next();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in [("a/1.json", "one"), ("a/2.json", "two")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn files_come_in_their_order_and_a_cut_is_seen() {
        let bytes = archive();
        let mut seen = Vec::new();
        walk(bytes.as_slice(), |name, bytes| {
            seen.push(format!("{name}={}", String::from_utf8_lossy(bytes)));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, ["a/1.json=one", "a/2.json=two"]);
        for length in [100, 514, 1100] {
            let cut = &bytes[..length];
            assert!(walk(cut, |_, _| Ok(())).is_err(), "{length}");
        }
        // A name without end is not gathered.
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let endless = Read::chain(header.as_bytes().as_slice(), std::io::repeat(b'x'));
        let error = walk(endless, |_, _| Ok(())).unwrap_err();
        assert!(error.contains("a part has more than"), "{error}");
        assert!(walk(&b"<html>not a tar</html>"[..], |_, _| Ok(())).is_err());
    }
}
