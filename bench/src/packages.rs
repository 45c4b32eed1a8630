//! The packages of an image beside what Syft reports of it, line by line.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::say;

/// Kind, name with namespace, version: what two package URLs are compared by.
type Identity = (String, String, String);

/// Prints counts by kind and every package that only one of both reports.
pub(crate) fn compare(seawall: &Path, image: &Path) -> Result<()> {
    let own = own(seawall, image)?;
    let peer = syft(image)?;
    let kinds: BTreeSet<&str> = own
        .keys()
        .chain(peer.keys())
        .map(|(kind, _, _)| kind.as_str())
        .collect();
    say("| kind | Seawall | Syft | of these Seawall reports |\n|---|---|---|---|");
    for kind in kinds {
        let of = |all: &BTreeMap<Identity, String>| {
            all.keys()
                .filter(|one| one.0 == kind)
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        let (ours, theirs) = (of(&own), of(&peer));
        say(&format!(
            "| {kind} | {} | {} | {} |",
            ours.len(),
            theirs.len(),
            theirs.intersection(&ours).count()
        ));
    }
    let only = |a: &BTreeMap<Identity, String>, b: &BTreeMap<Identity, String>, whose: &str| {
        for (identity, place) in a.iter().filter(|(one, _)| !b.contains_key(*one)) {
            let (kind, name, version) = identity;
            let others: Vec<&str> = b
                .keys()
                .filter(|one| one.0 == *kind && one.1 == *name)
                .map(|one| one.2.as_str())
                .collect();
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!("; the other has {}", others.join(", ")),
            };
            let why = why(kind, version, place);
            say(&format!(
                "only {whose}: {kind} {name} {version} ({place}){others}{why}"
            ));
        }
    };
    say("");
    only(&peer, &own, "Syft");
    only(&own, &peer, "Seawall");
    Ok(())
}

/// Why one of both leaves a package out, where that is known.
fn why(kind: &str, version: &str, path: &str) -> &'static str {
    if kind != "npm" {
        return "";
    }
    // What Node installs lies in `node_modules/NAME` or
    // `node_modules/@SCOPE/NAME`; other manifests are parts of a package.
    let mut parts = path.rsplit('/').skip(1);
    let (name, above, further) = (parts.next(), parts.next(), parts.next());
    let is_installed = above == Some("node_modules")
        || (above.is_some_and(|scope| scope.starts_with('@')) && further == Some("node_modules"));
    match (name, version) {
        _ if !is_installed => ": not installed, a manifest inside another package",
        (_, "") => ": it has no version",
        _ => "",
    }
}

fn json(command: &mut Command) -> Result<Value> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn own(seawall: &Path, image: &Path) -> Result<BTreeMap<Identity, String>> {
    let mut command = Command::new(seawall);
    command
        .args(["scan", "--offline", "--no-cache", "--quiet", "--packages"])
        .args(["--only", "vulnerabilities", "--format", "json"])
        .arg(image);
    let report = json(&mut command)?;
    let packages = report["packages"].as_array().context("no packages")?;
    let all = packages.iter().filter_map(|one| {
        let path = one["location"]["path"].as_str().unwrap_or_default();
        Some((identity(one["purl"].as_str()?)?, path.to_owned()))
    });
    Ok(all.collect())
}

fn syft(image: &Path) -> Result<BTreeMap<Identity, String>> {
    let mut command = Command::new("syft");
    command
        .args(["scan", "-q", "-o", "json"])
        .arg(format!("docker-archive:{}", image.display()))
        .env("SYFT_CHECK_FOR_APP_UPDATE", "false");
    let report = json(&mut command)?;
    let packages = report["artifacts"].as_array().context("no artifacts")?;
    let all = packages.iter().filter_map(|one| {
        let path = one["locations"][0]["path"].as_str().unwrap_or_default();
        let purl = one["purl"].as_str().filter(|purl| !purl.is_empty());
        // Some of its packages have no package URL.
        let Some(purl) = purl else {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            return Some((
                (text("type"), text("name"), text("version")),
                path.to_owned(),
            ));
        };
        Some((identity(purl)?, path.to_owned()))
    });
    Ok(all.collect())
}

/// Tools percent-encode differently, and add qualifiers of their own.
fn identity(purl: &str) -> Option<Identity> {
    let rest = purl.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next()?;
    let (kind, rest) = rest.split_once('/')?;
    let (name, version) = rest.rsplit_once('@').unwrap_or((rest, ""));
    Some((kind.to_owned(), decoded(name), decoded(version)))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
