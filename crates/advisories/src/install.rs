//! Putting files of the database in their places: under another name first,
//! then by a rename, so that readers see a whole file or none.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use sha2::{Digest as _, Sha256};

use crate::{
    UpdateError,
    database::{INDEX, Index, IndexShard, hex, index_file},
    published::{safe, short},
};

/// How files begin that are being written.
pub(crate) const UNFINISHED: &str = ".new-";
const SHARD: &str = ".shard";

/// Writes a shard under the name of its content.
pub(crate) fn install(dir: &Path, name: &str, bytes: &[u8]) -> Result<IndexShard, UpdateError> {
    if bytes.len() > u32::MAX as usize {
        return Err(UpdateError::Large(name.to_owned()));
    }
    let sha256 = hex(&Sha256::digest(bytes));
    let file = format!("{}-{}{SHARD}", safe(name), short(&sha256));
    let path = dir.join(&file);
    // The same content under the same name is there already, if it is whole.
    if !digest_of(&path).is_ok_and(|old| old == sha256) {
        persist(dir, &path, bytes)?;
        // What the disk gives back is what counts.
        let writing = |cause| UpdateError::Write {
            path: path.clone(),
            cause,
        };
        if digest_of(&path).map_err(writing)? != sha256 {
            let cause = io::Error::other("the disk gives back something else than was written");
            return Err(UpdateError::Write { path, cause });
        }
    }
    Ok(IndexShard {
        name: name.to_owned(),
        file,
        sha256,
        bytes: bytes.len() as u64,
        newest: String::new(),
        records: 0,
        packages: 0,
        source: String::new(),
        left_out: Vec::new(),
        overlay: None,
    })
}

/// Whether the files of a shard are what was installed.
pub(crate) fn is_sound(dir: &Path, shard: &IndexShard) -> bool {
    let overlay = shard.overlay.iter().map(|one| (&one.file, &one.sha256));
    let mut files = std::iter::once((&shard.file, &shard.sha256)).chain(overlay);
    files.all(|(file, sha256)| digest_of(&dir.join(file)).is_ok_and(|own| own == *sha256))
}

/// SHA-256 of a file, hexadecimal.
pub(crate) fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 128 << 10];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(read) => hasher.update(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a file under another name first.
pub(crate) fn persist(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), UpdateError> {
    let writing = |cause| UpdateError::Write {
        path: path.to_owned(),
        cause,
    };
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        // For every user who may look into the folder; the umask decides.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)
        .map_err(writing)?;
    file.write_all(bytes).map_err(writing)?;
    // The rename must not come to the disk before the content.
    file.as_file().sync_all().map_err(writing)?;
    file.persist(path).map_err(|error| writing(error.error))?;
    Ok(())
}

/// Replaces the index: from now on the new database is the database.
pub(crate) fn write_index(dir: &Path, index: &Index) -> Result<(), UpdateError> {
    let path = dir.join(INDEX);
    let writing = |cause| UpdateError::Write {
        path: path.clone(),
        cause,
    };
    let bytes = index_file(index).map_err(|why| writing(io::Error::other(why)))?;
    // The shards' names must come to the disk before the index does, and the
    // index before the files that only the one before the last names go.
    sync_dir(dir)?;
    persist(dir, &path, &bytes)?;
    sync_dir(dir)
}

/// Brings the names in a folder to the disk.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), UpdateError> {
    let synced = File::open(dir).and_then(|opened| opened.sync_all());
    synced.map_err(|cause| UpdateError::Write {
        path: dir.to_owned(),
        cause,
    })
}

/// Removes files that neither this index nor the one before names, those of
/// updates that were killed among them.
pub(crate) fn collect_garbage(dir: &Path, index: &Index) {
    let kept: BTreeSet<&str> = index
        .shards
        .iter()
        .flat_map(IndexShard::files)
        .chain(index.previous.iter().map(String::as_str))
        .collect();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_ours = name.ends_with(SHARD) || name.starts_with(UNFINISHED);
        if is_ours && !kept.contains(name) {
            // Left for the next time when it cannot be removed.
            let _ = fs::remove_file(entry.path());
        }
    }
}
