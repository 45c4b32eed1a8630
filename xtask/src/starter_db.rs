//! Makes the starter database.

use std::{fs, path::Path};

use anyhow::{Context, Result};

pub(crate) fn run(dir: Option<String>) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let dir = dir.map_or_else(|| root.join("../shared/advisories"), Into::into);
    let bytes = seawall_advisories::make_starter(&dir)
        .with_context(|| format!("cannot make the starter database from `{}`", dir.display()))?;
    let target = root.join("crates/advisories/data/starter.db");
    fs::write(&target, &bytes).with_context(|| format!("cannot write `{}`", target.display()))?;
    Ok(format!(
        "wrote {} bytes to crates/advisories/data/starter.db",
        bytes.len()
    ))
}
