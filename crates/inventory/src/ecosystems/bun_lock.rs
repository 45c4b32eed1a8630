//! bun.lock, lockfileVersion 0 to 2 (Bun, "Lockfile"): JSON with comments and
//! commas behind the last item.

use std::{borrow::Cow, collections::HashMap};

use seawall_model::{GapKind, Hash, Span};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    found::MOST_NAME,
    integrity::integrity,
    json::{self, Key, Keys},
    links::{Links, Reached},
    npm,
};

lock_file!("bun-lock", "npm", [Interest::Name("bun.lock")], parse);

/// The newest version of the format that is known.
const NEWEST: u64 = 2;

const SECTIONS: [&str; 2] = ["workspaces", "packages"];

/// A project of the workspace.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Project<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dependencies: Keys<'a>,
    #[serde(borrow)]
    dev_dependencies: Keys<'a>,
    #[serde(borrow)]
    optional_dependencies: Keys<'a>,
    #[serde(borrow)]
    peer_dependencies: Keys<'a>,
}

/// What a package needs.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct About<'a> {
    #[serde(borrow)]
    dependencies: Keys<'a>,
    #[serde(borrow)]
    optional_dependencies: Keys<'a>,
    #[serde(borrow)]
    peer_dependencies: Keys<'a>,
}

/// One package, under the path that leads to it: `a/b` is what `a` gets for `b`.
struct Locked<'a> {
    path: &'a str,
    span: Span,
    name: String,
    version: String,
    from: Option<(&'static str, String)>,
    hashes: Vec<Hash>,
    about: About<'a>,
    /// A project of the workspace, or another folder of this machine.
    is_own: bool,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let plain = plain(text);
    let text = plain.as_str();
    let sections = json::sections(text, "Bun", &SECTIONS, "lockfileVersion", out)?;
    if sections.found.is_empty() && sections.number.is_none() {
        return Err("it is no lock file of Bun: it has no `packages`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of Bun";
        out.gap(GapKind::Unsupported, reason);
    }
    let mut projects: Vec<(&str, Project<'_>)> = Vec::new();
    let mut all: Vec<Locked<'_>> = Vec::new();
    for one in &sections.entries {
        match one.section {
            0 => {
                let project = json::entry::<Project<'_>>(text, one.value, out);
                let name = |project: &Project<'_>| project.name.as_ref().map_or(0, |it| it.len());
                if project.as_ref().is_some_and(|one| name(one) > MOST_NAME) {
                    let start = json::place(text, &one.key, one.value).start;
                    out.problem(start, "a project's name is longer than any");
                    continue;
                }
                projects.extend(project.map(|project| (one.key.as_ref(), project)));
            }
            _ if !out.has_room(all.len()) => break,
            _ => {
                let span = json::place(text, &one.key, one.value);
                // Each part of a path is looked up once for each above it.
                if one.key.len() > MOST_NAME {
                    out.problem(span.start, "a package's path is longer than any");
                    continue;
                }
                match locked(&one.key, span, one.value) {
                    Ok(one) => all.push(one),
                    Err(what) => out.problem(span.start, what),
                }
            }
        }
    }
    push(&all, &projects, out);
    Ok(())
}

/// The same text without comments and without commas that nothing follows, each
/// byte in its place.
fn plain(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut comma: Option<usize> = None;
    let mut at = 0;
    let blank = |out: &mut Vec<u8>, range: std::ops::Range<usize>| {
        for byte in out.get_mut(range).into_iter().flatten() {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    while let Some(byte) = out.get(at).copied() {
        match (byte, out.get(at + 1)) {
            (b'"', _) => {
                comma = None;
                at += 1;
                while let Some(inner) = out.get(at).filter(|inner| **inner != b'"') {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
            }
            (b'/', Some(sign @ (b'/' | b'*'))) => {
                let end: &[u8] = if *sign == b'/' { b"\n" } else { b"*/" };
                let rest = out.get(at + 2..).unwrap_or_default();
                let found = rest.windows(end.len()).position(|window| window == end);
                let stop = found.map_or(out.len(), |found| at + 2 + found + end.len());
                blank(&mut out, at..stop);
                at = stop;
                continue;
            }
            (b',', _) => comma = Some(at),
            (b'}' | b']', _) => {
                if let Some(comma) = comma.take() {
                    blank(&mut out, comma..comma + 1);
                }
            }
            (byte, _) if !byte.is_ascii_whitespace() => comma = None,
            _ => {}
        }
        at += 1;
    }
    // Only whole comments and commas became spaces.
    String::from_utf8(out).unwrap_or_default()
}

/// Reads `["name@version", …]`: what follows depends on where it comes from.
fn locked<'a>(path: &'a str, span: Span, value: &'a RawValue) -> Result<Locked<'a>, &'static str> {
    let parts: Vec<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| "an entry is no array")?;
    let text = |index: usize| -> Option<Cow<'a, str>> {
        let part: &'a RawValue = parts.get(index)?;
        serde_json::from_str::<Key<'a>>(part.get())
            .ok()
            .map(|key| key.0)
    };
    let resolved = text(0).unwrap_or_default();
    let (name, reference) = npm::split(&resolved).ok_or("a package has no name or no version")?;
    // An archive that is no registry's has no name of a registry behind it.
    let about = parts
        .iter()
        .skip(1)
        .find(|part| part.get().starts_with('{'));
    let about = match about {
        Some(about) => serde_json::from_str(about.get()).map_err(|_| "an entry is damaged")?,
        None => About::default(),
    };
    let last = parts.len().checked_sub(1).filter(|last| *last > 1);
    let hashes = integrity(&last.and_then(text).unwrap_or_default());
    let address = reference.split('#').next().unwrap_or(reference);
    let is_archive = address.ends_with(".tgz") || address.ends_with(".tar.gz");
    let is_own = ["workspace:", "link:", "root:"]
        .iter()
        .any(|start| reference.starts_with(start))
        || (reference.starts_with("file:") && !is_archive);
    let (version, from) = match reference {
        version if npm::is_version(version) => (version, None),
        _ if is_own => ("", None),
        git_ if git_.starts_with("git+")
            || git_.starts_with("git:")
            || git_.starts_with("ssh:") =>
        {
            ("", Some(git(git_, None)))
        }
        // `github:owner/repo#revision`
        hub if hub.starts_with("github:") => {
            let path = address.trim_start_matches("github:");
            let url = format!("https://github.com/{path}");
            (
                "",
                Some(git(&url, reference.split_once('#').map(|(_, it)| it))),
            )
        }
        url if url.contains("://") => ("", Some(("download_url", url.to_owned()))),
        _ => ("", None),
    };
    let real = npm::registry_name(address)
        .filter(|_| address.contains("://"))
        .unwrap_or(name);
    // The name of a registry's archive says which version it is.
    let version = match version {
        "" => archive_version(address, real).unwrap_or_default(),
        version => version,
    };
    Ok(Locked {
        path,
        span,
        name: real.to_owned(),
        version: version.to_owned(),
        from,
        hashes,
        about,
        is_own,
    })
}

/// `1.0.0` of `…/name-1.0.0.tgz`.
fn archive_version<'a>(address: &'a str, name: &str) -> Option<&'a str> {
    let base = address.rsplit('/').next()?.strip_suffix(".tgz")?;
    let short = name.rsplit('/').next()?;
    let version = base.strip_prefix(short)?.strip_prefix('-')?;
    npm::is_version(version).then_some(version)
}

/// The package that `name` is to the one at `path`: its own, or that of the
/// nearest one above.
fn resolve(by_path: &HashMap<&str, usize>, path: &str, name: &str) -> Option<usize> {
    let mut above = path;
    loop {
        let target = match above {
            "" => name.to_owned(),
            above => format!("{above}/{name}"),
        };
        if let Some(at) = by_path.get(target.as_str()) {
            return Some(*at);
        }
        if above.is_empty() {
            return None;
        }
        // A name with its scope is one part.
        let (rest, _) = above.rsplit_once('/').unwrap_or_default();
        let last = rest.rsplit('/').next().unwrap_or_default();
        above = match last.starts_with('@') {
            true => rest.rsplit_once('/').map_or("", |(rest, _)| rest),
            false => rest,
        };
    }
}

fn push(all: &[Locked<'_>], projects: &[(&str, Project<'_>)], out: &mut Declarations<'_>) {
    let by_path: HashMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(at, one)| (one.path, at))
        .collect();
    let mut links = Links::default();
    let (mut productive, mut development) = (Vec::new(), Vec::new());
    for (folder, project) in projects {
        let path = match (*folder, &project.name) {
            ("", _) | (_, None) => "",
            (_, Some(name)) => name.as_ref(),
        };
        let mut find = |keys: &Keys<'_>, is_needed: bool| {
            let mut found = Vec::new();
            for name in &keys.0 {
                match resolve(&by_path, path, name) {
                    Some(at) => found.push(at),
                    None if is_needed => links.needed(name),
                    None => {}
                }
            }
            found
        };
        productive.extend(find(&project.dependencies, true));
        productive.extend(find(&project.optional_dependencies, true));
        productive.extend(find(&project.peer_dependencies, false));
        development.extend(find(&project.dev_dependencies, true));
    }
    let edges: Vec<Vec<usize>> = all
        .iter()
        .map(|one| {
            let about = &one.about;
            let mut needs = Vec::new();
            for name in &about.dependencies.0 {
                match resolve(&by_path, one.path, name) {
                    Some(at) => needs.push(at),
                    None => links.needed(name),
                }
            }
            // A peer that need not be there is used, and installed, where it is.
            let peers = &about.peer_dependencies.0;
            let rest = about.optional_dependencies.0.iter().chain(peers);
            needs.extend(rest.filter_map(|name| resolve(&by_path, one.path, name)));
            needs
        })
        .collect();
    let reached = Reached::new(&edges, &productive, &development);
    links.finish(out);
    for (at, one) in all.iter().enumerate().filter(|(_, one)| !one.is_own) {
        let needs = edges.get(at).into_iter().flatten();
        let requires = needs.filter_map(|target| {
            let target = all.get(*target)?;
            Some((target.name.as_str(), Some(target.version.as_str())))
        });
        out.push(&Declared {
            name: &one.name,
            version: &one.version,
            direct: Some(reached.is_direct(at)),
            development: reached.is_development(at),
            span: one.span,
            from: one.from.clone(),
            hashes: one.hashes.clone(),
            requires: out.gather(requires),
            ..Declared::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_last_commas_become_spaces() {
        let text = "{ // a, \"b\"\n \"c\": [1, /* , */ 2 , ],\n \"d,}\\\"/*\": 3,\n}";
        let plain = plain(text);
        assert_eq!(plain.len(), text.len());
        let value: serde_json::Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(value.to_string(), r#"{"c":[1,2],"d,}\"/*":3}"#);
    }
}
