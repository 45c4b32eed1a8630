//! OCI image layouts: a folder with `index.json` and `blobs/`
//! (OCI image-spec 1.1, image-layout.md).

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{
    Digest, Error, Image,
    manifest::{self, Documents, PlannedLayer},
    open::Run,
    read::{Blobs, read_plan},
};

pub(crate) fn open(dir: &Path, reference: Option<&str>, run: &Run<'_>) -> Result<Image, Error> {
    let layout = Layout {
        dir: dir.to_owned(),
        json_limit: run.options.limits.json_bytes,
    };
    let limits = &run.options.limits;
    let Some(index) = layout.document("index.json")? else {
        let from = format!("`{}`", dir.display());
        return Err(if dir.is_dir() {
            Error::NotAnImage {
                from,
                what: "a folder without index.json".into(),
            }
        } else {
            let cause = io::ErrorKind::NotFound.into();
            Error::Read {
                path: dir.to_owned(),
                cause,
            }
        });
    };
    let platform = run.options.platform.as_ref();
    let plan = manifest::oci(&layout, &index, reference, platform, limits)?;
    read_plan(plan, &layout, run)
}

/// An image of a content store, by the digest of its manifest or index. The
/// store holds blobs as a layout does, and has no index of its own.
pub(crate) fn open_content(dir: &Path, digest: Digest, run: &Run<'_>) -> Result<Image, Error> {
    let (platform, limits) = (run.options.platform.as_ref(), &run.options.limits);
    let store = Layout {
        dir: dir.to_owned(),
        json_limit: limits.json_bytes,
    };
    let plan = manifest::manifest(&store, digest, Vec::new(), platform, limits)?;
    let mut image = read_plan(plan, &store, run)?;
    image.index_digest = Some(digest).filter(|_| image.manifest_digest != Some(digest));
    Ok(image)
}

/// The file, if it is a regular one.
pub(crate) fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

struct Layout {
    dir: PathBuf,
    json_limit: u64,
}

impl Layout {
    /// Names come from this crate and from digests that passed their strict
    /// parser: they cannot leave the folder.
    fn file(&self, name: &str) -> io::Result<Option<File>> {
        // A pipe in the place of a blob must not be waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match rustix::fs::open(self.dir.join(name), flags, Mode::empty()) {
            Ok(file) => regular(File::from(file)).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Documents for Layout {
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let reading = |cause| Error::Read {
            path: self.dir.join(name),
            cause,
        };
        let Some(file) = self.file(name).map_err(reading)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(self.json_limit + 1)
            .read_to_end(&mut bytes)
            .map_err(reading)?;
        if bytes.len() as u64 > self.json_limit {
            let what = format!("the size of `{name}`");
            return Err(Error::Limit {
                what,
                limit: self.json_limit,
            });
        }
        Ok(Some(bytes))
    }
}

impl Blobs for Layout {
    fn open(&self, layer: &PlannedLayer) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self
            .file(&layer.name)?
            .map(|file| Box::new(file) as Box<dyn Read>))
    }

    fn size(&self, layer: &PlannedLayer) -> u64 {
        self.dir
            .join(&layer.name)
            .metadata()
            .map_or(0, |metadata| metadata.len())
    }
}
