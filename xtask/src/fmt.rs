//! Formats every Rust file, also those that build scripts find and that
//! `cargo fmt` does not see.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

pub(crate) fn run(check: bool) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "bench", "fuzz"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut rustfmt = Command::new("rustfmt");
    rustfmt
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"));
    if check {
        rustfmt.arg("--check");
    }
    // Modules are reached from several files; each is formatted the same way.
    let status = rustfmt.args(&files).status()?;
    ensure!(
        status.success(),
        "some files are not formatted: run `cargo xtask fmt`"
    );
    Ok(format!("{} files", files.len()))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if name != "target" && name != "corpus" && name != "fixtures" {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
