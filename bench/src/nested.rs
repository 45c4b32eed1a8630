//! A jar in a jar, four thousand times.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use anyhow::Result;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Levels of the jar.
const LEVELS: usize = 4000;

/// Writes the jar as a project of its own.
pub(crate) fn write(project: &Path, packing: CompressionMethod) -> Result<()> {
    let options = SimpleFileOptions::default().compression_method(packing);
    let mut inner = b"the innermost".to_vec();
    for _ in 0..LEVELS {
        let mut jar = ZipWriter::new(Cursor::new(Vec::new()));
        jar.start_file("a.jar", options)?;
        jar.write_all(&inner)?;
        inner = jar.finish()?.into_inner();
    }
    fs::create_dir_all(project)?;
    fs::write(project.join("nested.jar"), inner)?;
    Ok(())
}
