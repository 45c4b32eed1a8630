//! pylock.toml (PyPA, "pylock.toml Specification").

use std::borrow::Cow;

use seawall_model::{GapKind, Hash, HashAlgorithm, Requirement};
use toml_span::Value;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    python, toml,
};

lock_file!(
    "pylock-toml",
    "pypi",
    [Interest::Name("pylock.toml")],
    parse
);

/// The newest major version of the format that is known.
const NEWEST: i64 = 1;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let text = dates(text);
    let mut format = toml::Format::default();
    let mut has_version = false;
    toml::tables(&text, out, |table, offset, out| {
        format.look(table, &["lock-version", "packages"]);
        let version = toml::text(table, "lock-version");
        has_version |= version.is_some();
        let version = version.and_then(|version| version.split('.').next()?.parse().ok());
        format.version(version, NEWEST);
        for package in toml::items(table, "packages") {
            read(package, offset, out);
        }
    });
    format.finish("Python (PEP 751)", out)?;
    if !has_version && !out.has_problem() {
        let reason = "it has no `lock-version`: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    Ok(())
}

fn read(package: &Value<'_>, offset: usize, out: &mut Declarations<'_>) {
    let name = toml::get(package, "name");
    let Some((name, value)) = name.and_then(|name| Some((name.as_str()?, name))) else {
        let start = toml::span(package, offset).start;
        out.problem(start, "a package has no name");
        return;
    };
    // A folder of this machine.
    if toml::get(package, "directory").is_some() {
        return;
    }
    let archive = toml::get(package, "archive");
    let wheels = toml::items(package, "wheels");
    let url = archive.and_then(|archive| toml::text(archive, "url"));
    let vcs = toml::get(package, "vcs");
    let from = match (vcs, url) {
        (Some(vcs), _) => toml::text(vcs, "url").map(|url| git(url, toml::text(vcs, "commit-id"))),
        (None, Some(url)) => Some(("download_url", url.to_owned())),
        (None, None) => None,
    };
    // What has no version is told by its wheel, if by anything.
    let of_wheel = || {
        let wheel = wheels.iter().find_map(|wheel| toml::text(wheel, "url"));
        url.or(wheel).and_then(python::wheel_version)
    };
    let version = toml::text(package, "version")
        .or_else(of_wheel)
        .unwrap_or_default();
    if version.is_empty() && from.is_none() {
        let start = toml::span(package, offset).start;
        out.problem(start, "a package has no version");
        return;
    }
    let sdist = toml::get(package, "sdist");
    let archives = wheels.iter().chain(sdist).chain(archive);
    let needs = toml::items(package, "dependencies").iter();
    let requires = needs.filter_map(|one| {
        Some(Requirement {
            name: toml::text(one, "name")?.to_owned(),
            version: toml::text(one, "version").map(str::to_owned),
        })
    });
    out.push(&Declared {
        name,
        version,
        span: toml::span(value, offset),
        from,
        hashes: archives.flat_map(hashes).collect(),
        requires: requires.collect(),
        ..Declared::default()
    });
}

fn hashes<'v>(archive: &'v Value<'_>) -> impl Iterator<Item = Hash> + 'v {
    toml::entries(archive, "hashes").filter_map(|(name, hex)| {
        let mut all = HashAlgorithm::ALL.into_iter();
        let algorithm = all.find(|one| one.as_str() == name)?;
        Hash::new(algorithm, hex.as_str()?)
    })
}

/// The text with its dates (TOML 1.0, "Offset Date-Time") in quotes, each in its
/// place: the parser knows none.
fn dates(text: &str) -> Cow<'_, str> {
    const KEY: &str = "upload-time = ";
    if !text.contains(KEY) {
        return text.into();
    }
    let mut out = text.as_bytes().to_vec();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(KEY)) {
        let start = from + at + KEY.len();
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find([',', '}', '\n', '\r', '#']).unwrap_or(rest.len());
        let date = rest.get(..end).unwrap_or_default().trim_end();
        let is_date = date.len() > 9
            && date.starts_with(|first: char| first.is_ascii_digit())
            && date
                .bytes()
                .all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if is_date && !date.contains(['"', '\\']) {
            for place in [start, start + date.len() - 1] {
                if let Some(byte) = out.get_mut(place) {
                    *byte = b'"';
                }
            }
        }
        from = start + end;
    }
    // Letters gave way to quotes, one byte each.
    String::from_utf8(out).map_or(text.into(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_put_in_quotes() {
        let text = "a = { upload-time = 2022-04-28T17:21:27Z, b = 1 }\nupload-time = 2022-04-28 17:21:27Z\n";
        let quoted = dates(text);
        assert_eq!(quoted.len(), text.len());
        let value = toml_span::parse(&quoted).unwrap();
        assert_eq!(
            toml::text(&value, "upload-time"),
            Some("022-04-28 17:21:27")
        );
    }
}
