//! Looks at all targets of a command line.

use std::sync::{Arc, Once};

use anyhow::{Context, Result};
use seawall_image::{Cache, Limits, Platform, Progress, Registries};
use seawall_registry::Client;
use seawall_scan::{Bases, Inspected, LooksFor, Place};

use super::{
    Looked, setting,
    tags::{self, Tags},
};
use crate::{
    printer::Printer,
    progress::ByteBar,
    registry,
    settings::{self, File as Settings},
};

/// What all targets are looked at with.
pub(super) struct With<'a> {
    looks_for: LooksFor,
    platform: Option<Platform>,
    pub(super) cache: Option<Cache>,
    bases: Bases,
    /// Holds the evidence of one run where none is to be kept.
    _dir: Option<tempfile::TempDir>,
    /// `None` where none may be asked.
    pub(super) registries: Option<Arc<Registries>>,
    printer: &'a Printer,
}

impl<'a> With<'a> {
    pub(super) fn new(
        looks_for: LooksFor,
        looked: &Looked,
        tags: &Tags,
        file: &Settings,
        printer: &'a Printer,
    ) -> Result<Self> {
        let mib = file.cache.max_mib.unwrap_or(settings::CACHE_MIB);
        // Images of a repository share layers, which are read once all the same.
        let dir = (looked.no_cache && tags.all_tags).then(tempfile::tempdir);
        let dir = dir
            .transpose()
            .context("there is no room for temporary files")?;
        let cache = match &dir {
            Some(dir) => Some(Cache::new(dir.path(), mib.saturating_mul(1 << 20))),
            None => (!looked.no_cache).then(|| {
                let dir = looked.cache_dir.clone().or_else(|| file.cache.dir.clone());
                let dir = dir.unwrap_or_else(|| settings::cache_home().join("layers"));
                Cache::new(dir, mib.saturating_mul(1 << 20))
            }),
        };
        let is_offline = looked.offline || file.offline.unwrap_or(false);
        let mut with = With {
            looks_for,
            platform: setting(looked.platform.clone(), file.platform.as_deref())?,
            cache,
            _dir: dir,
            bases: Bases::default(),
            registries: match is_offline {
                true => None,
                false => {
                    let settings = registry::settings(&looked.registry, &file.registry)?;
                    Some(Arc::new(Registries::new(Client::new(&settings))))
                }
            },
            printer,
        };
        let mut bases = Bases::default();
        if let Some(path) = &looked.dockerfile {
            bases.dockerfile(path)?;
        }
        let bars = printer.bars();
        for text in &looked.base {
            let place = seawall_scan::recognise(text)?;
            let bar = bars.bytes(text);
            bases
                .add(&place, &with.settings(&bar))
                .with_context(|| format!("cannot read the base image `{text}`"))?;
        }
        with.bases = bases;
        Ok(with)
    }

    fn settings<'s>(&'s self, progress: &'s dyn Progress) -> seawall_scan::Settings<'s> {
        seawall_scan::Settings {
            looks_for: self.looks_for,
            platform: self.platform.clone(),
            cache: self.cache.as_ref(),
            limits: Limits::default(),
            progress,
            bases: &self.bases,
            registries: self.registries.as_ref(),
        }
    }

    /// Tells what there is to say of registries since the last time.
    pub(super) fn tell(&self) {
        let clients = self.registries.iter().map(|all| all.client());
        for note in clients.flat_map(Client::notes) {
            self.printer.detail(&note);
        }
    }

    /// Looks at one place, which the user calls `text`.
    pub(super) fn look(&self, place: &Place, text: &str, bar: &ByteBar) -> Result<Inspected> {
        let seen = Seen {
            bar,
            printer: self.printer,
            text,
            first: Once::new(),
        };
        let inspected = seawall_scan::inspect(place, &self.settings(&seen));
        self.tell();
        let inspected = inspected?;
        for one in &inspected.tried {
            self.printer.detail(&format!("`{text}` is not in {one}"));
        }
        if !inspected.tried.is_empty() {
            let scheme = &inspected.target.scheme;
            self.printer
                .detail(&format!("`{text}` comes from `{scheme}:`"));
        }
        Ok(inspected)
    }
}

/// Shows how far a target is.
struct Seen<'a> {
    bar: &'a ByteBar,
    printer: &'a Printer,
    text: &'a str,
    first: Once,
}

impl Progress for Seen<'_> {
    fn bytes(&self, bytes: u64) {
        self.bar.bytes(bytes);
    }

    fn evidence(&self, analyser: &str, path: &str) {
        self.first.call_once(|| {
            let text = self.text;
            self.printer.detail(&format!(
                "`{text}` is being read: the first evidence is `{path}` ({analyser})"
            ));
        });
    }

    fn label(&self, text: &str) {
        self.bar.label(text);
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
    look_at(targets, looks_for, looked, &Tags::default(), file, printer)
}

/// The same for repositories too, where all tags are asked for.
pub(super) fn look_at(
    targets: &[String],
    looks_for: LooksFor,
    looked: &Looked,
    tags: &Tags,
    file: &Settings,
    printer: &Printer,
) -> Result<(Vec<Inspected>, Vec<anyhow::Error>)> {
    let with = With::new(looks_for, looked, tags, file, printer)?;
    if tags.all_tags {
        let results = targets.iter().flat_map(|text| {
            let results = tags::look(text, tags, &with, printer);
            let results = results
                .with_context(|| format!("cannot scan all of `{}`", seawall_scan::shown(text)));
            results.unwrap_or_else(|error| vec![Err(error)])
        });
        return sorted(results.collect(), printer);
    }
    let bars = printer.bars();
    let results = targets.iter().map(|text| {
        let name = seawall_scan::shown(text);
        let bar = bars.bytes(&name);
        seawall_scan::recognise(text)
            .map_err(anyhow::Error::new)
            .and_then(|place| with.look(&place, text, &bar))
            .with_context(|| format!("cannot scan `{name}`"))
    });
    sorted(results.collect(), printer)
}

/// What could be looked at, and what could not. If nothing could, the first
/// error ends the run.
fn sorted(
    results: Vec<Result<Inspected>>,
    printer: &Printer,
) -> Result<(Vec<Inspected>, Vec<anyhow::Error>)> {
    let mut inspected = Vec::new();
    let mut failures: Vec<anyhow::Error> = Vec::new();
    for result in results {
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
