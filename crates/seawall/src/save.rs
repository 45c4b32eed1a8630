//! Results in files.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use tempfile::NamedTempFile;

/// Writes a file that is not there yet, as a whole or not at all.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when something of that name is there, be it
/// a link that leads nowhere.
pub(crate) fn save_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = written(path, 0o666, bytes)?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// A file beside `path` that holds `bytes` and has no name to stay under yet.
fn written(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut new = tempfile::Builder::new();
    let mut file = new
        .prefix(".seawall-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(dir.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A regular file is there as a whole or as it was; pipes and devices
/// (`--output /dev/stderr`) are written to.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let kept = fs::metadata(path);
    if kept.as_ref().is_ok_and(|kept| !kept.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(bytes);
    }
    // Behind a link the file itself is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = kept.map_or(0o666, |kept| kept.permissions().mode());
    let file = written(&path, mode, bytes)?;
    file.persist(path)?;
    Ok(())
}
