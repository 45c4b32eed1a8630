//! Looks at all targets of a command line.

use anyhow::{Context, Result};
use seawall_image::{Cache, Limits, Platform, Progress};
use seawall_scan::{Bases, Inspected, LooksFor};

use super::{Looked, setting};
use crate::{
    printer::Printer,
    settings::{self, File as Settings},
};

/// What all targets are looked at with.
struct With {
    looks_for: LooksFor,
    platform: Option<Platform>,
    cache: Option<Cache>,
    bases: Bases,
}

impl With {
    fn settings<'a>(&'a self, progress: &'a dyn Progress) -> seawall_scan::Settings<'a> {
        seawall_scan::Settings {
            looks_for: self.looks_for,
            platform: self.platform.clone(),
            cache: self.cache.as_ref(),
            limits: Limits::default(),
            progress,
            bases: &self.bases,
        }
    }
}

/// Looks at every target. One that fails does not keep the others from being
/// reported; if all do, the first error ends the run.
pub(crate) fn look(
    targets: &[String],
    looks_for: LooksFor,
    looked: &Looked,
    file: &Settings,
    printer: &Printer,
) -> Result<(Vec<Inspected>, Vec<anyhow::Error>)> {
    let platform: Option<Platform> = setting(looked.platform.clone(), file.platform.as_deref())?;
    let mib = file.cache.max_mib.unwrap_or(1024);
    let cache = (!looked.no_cache).then(|| {
        let dir = looked.cache_dir.clone().or_else(|| file.cache.dir.clone());
        let dir = dir.unwrap_or_else(|| settings::cache_home().join("layers"));
        Cache::new(dir, mib.saturating_mul(1 << 20))
    });
    let bars = printer.bars();
    let with = With {
        looks_for,
        platform,
        cache,
        bases: Bases::default(),
    };
    let mut bases = Bases::default();
    if let Some(path) = &looked.dockerfile {
        bases.dockerfile(path)?;
    }
    for text in &looked.base {
        let bar = bars.bytes(text);
        let place = seawall_scan::recognise(text)?;
        bases
            .add(&place, &with.settings(&bar))
            .with_context(|| format!("cannot read the base image `{text}`"))?;
    }
    let with = With { bases, ..with };
    let mut inspected = Vec::new();
    let mut failures: Vec<anyhow::Error> = Vec::new();
    for text in targets {
        let bar = bars.bytes(text);
        let settings = with.settings(&bar);
        let result = seawall_scan::recognise(text)
            .map_err(anyhow::Error::new)
            .and_then(|place| Ok(seawall_scan::inspect(&place, &settings)?))
            .with_context(|| format!("cannot scan `{text}`"));
        match result {
            Ok(one) => inspected.push(one),
            Err(error) => failures.push(error),
        }
    }
    if inspected.is_empty() && !failures.is_empty() {
        let first = failures.remove(0);
        for error in &failures {
            printer.error(error);
        }
        return Err(first);
    }
    Ok((inspected, failures))
}
