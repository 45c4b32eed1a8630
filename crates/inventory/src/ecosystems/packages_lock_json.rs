//! packages.lock.json, versions 1 and 2 (NuGet, "Enabling the lock file").

use std::{borrow::Cow, collections::HashMap};

use seawall_model::{GapKind, Hash, HashAlgorithm};
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, lock_file},
    integrity::base64,
    json::{self, Versions},
};

lock_file!(
    "packages-lock-json",
    "nuget",
    [Interest::Name("packages.lock.json")],
    parse
);

/// The newest version of the format that is known.
const NEWEST: u64 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Locked<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    requested: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content_hash: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    dependencies: Versions<'a>,
}

impl Locked<'_> {
    fn version(&self) -> Option<&str> {
        let resolved = self.resolved.as_deref();
        // What the solution pins is there with its lowest version alone.
        let pinned = self
            .requested
            .as_deref()
            .filter(|_| self.is("CentralTransitive"));
        let pinned = pinned.and_then(|range| {
            let version = range.trim_start_matches('[').split(',').next()?;
            Some(version.trim_end_matches(']').trim())
        });
        resolved.or(pinned).filter(|version| !version.is_empty())
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "NuGet", &["dependencies/*"], "version", out)?;
    if sections.found.is_empty() {
        return Err("it is no lock file of NuGet: it has no `dependencies`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of NuGet";
        out.gap(GapKind::Unsupported, reason);
    }
    // By framework, or by framework and system.
    let frameworks = sections.entries.chunk_by(|a, b| a.group == b.group);
    for framework in frameworks {
        read(text, framework, out);
    }
    Ok(())
}

/// The digest of a package without its signature.
pub(super) fn digest(text: Option<&str>) -> Vec<Hash> {
    let hash = text.and_then(|text| base64(HashAlgorithm::Sha512, text));
    hash.into_iter().collect()
}

/// Reads what is locked for one framework.
fn read(text: &str, members: &[json::Entry<'_>], out: &mut Declarations<'_>) {
    let mut all = Vec::new();
    // A dependency may be named in other letters than the package is.
    let mut versions = HashMap::new();
    for member in members {
        if !out.has_room(all.len()) {
            break;
        }
        let Some(one) = json::entry::<Locked<'_>>(text, member.value, out) else {
            continue;
        };
        // One of the solution's own projects.
        let is_own = one.is("Project");
        let version = one.version().filter(|_| !is_own).map(str::to_owned);
        versions.insert(member.key.to_lowercase(), (member.key.as_ref(), version));
        if !is_own {
            all.push((member, one));
        }
    }
    for (member, one) in &all {
        let span = json::place(text, &member.key, member.value);
        let Some(version) = one
            .resolved
            .as_deref()
            .filter(|version| !version.is_empty())
        else {
            out.problem(span.start, "a package has no version");
            continue;
        };
        let requires = one.dependencies.0.iter().filter_map(|(name, _)| {
            let (name, version) = versions.get(&name.to_lowercase())?;
            Some((*name, Some(version.as_deref()?)))
        });
        out.push(&Declared {
            name: &member.key,
            version,
            direct: Some(one.is("Direct")),
            span,
            hashes: digest(one.content_hash.as_deref()),
            requires: out.gather(requires),
            ..Declared::default()
        });
    }
}
