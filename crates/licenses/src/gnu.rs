//! The licences of the Free Software Foundation, which everybody writes in
//! another way: `GPLv2+`, `LGPL-2.1`, `GNU General Public License v3 or later`.

/// Names of the families, longest first, in letters alone; their id, the
/// versions that there are, and the id when no version is named.
const FAMILIES: [(&str, &str, &[&str], &str); 13] = [
    ("gnuaffero", "AGPL", AGPL, "AGPL-3.0-or-later"),
    ("affero", "AGPL", AGPL, "AGPL-3.0-or-later"),
    ("agpl", "AGPL", AGPL, "AGPL-3.0-or-later"),
    ("gnulesser", "LGPL", LGPL, "LGPL-2.0-or-later"),
    ("gnulibraryorlesser", "LGPL", LGPL, "LGPL-2.0-or-later"),
    ("gnulibrary", "LGPL", LGPL, "LGPL-2.0-or-later"),
    ("gnulgpl", "LGPL", LGPL, "LGPL-2.0-or-later"),
    ("lgpl", "LGPL", LGPL, "LGPL-2.0-or-later"),
    ("gnufreedocumentation", "GFDL", GFDL, "GFDL-1.1-or-later"),
    ("gfdl", "GFDL", GFDL, "GFDL-1.1-or-later"),
    ("gnugeneral", "GPL", GPL, "GPL-1.0-or-later"),
    ("gnugpl", "GPL", GPL, "GPL-1.0-or-later"),
    ("gpl", "GPL", GPL, "GPL-1.0-or-later"),
];
const AGPL: &[&str] = &["1.0", "3.0"];
const GFDL: &[&str] = &["1.1", "1.2", "1.3"];
const GPL: &[&str] = &["1.0", "2.0", "3.0"];
const LGPL: &[&str] = &["2.0", "2.1", "3.0"];

/// The SPDX id that `text` means, when it names one of these licences and
/// nothing else. `later` marks in the text are `+` by now.
pub(crate) fn id(text: &str) -> Option<String> {
    let compact: String = text
        .to_lowercase()
        .chars()
        .filter(|one| one.is_ascii_alphanumeric() || matches!(one, '+' | '.' | '<' | '>'))
        .collect();
    let (rest, family, versions, bare) =
        FAMILIES
            .into_iter()
            .find_map(|(name, id, versions, bare)| {
                Some((compact.strip_prefix(name)?, id, versions, bare))
            })?;
    let mut rest = rest;
    // `GNU Lesser General Public License`, `GPL License`, `GPL version 2`.
    for word in [
        "general", "public", "license", "licence", "gpl", "lgpl", "agpl", "version", "ver", "v",
    ] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let (rest, is_later) = later(rest);
    let rest = rest.strip_suffix("license").unwrap_or(rest);
    let (rest, is_later) = match later(rest) {
        (rest, false) => (rest, is_later),
        (rest, true) => (rest, true),
    };
    let rest = rest.trim_end_matches('.');
    if rest.is_empty() {
        return Some(bare.to_owned());
    }
    let version = if rest.contains('.') {
        rest.to_owned()
    } else {
        format!("{rest}.0")
    };
    // `LGPL-2` is what was called the Library GPL.
    let version = version
        .strip_suffix(".0.0")
        .map_or(version.clone(), |one| format!("{one}.0"));
    versions.contains(&version.as_str()).then(|| {
        let end = if is_later { "or-later" } else { "only" };
        format!("{family}-{version}-{end}")
    })
}

/// Takes the mark of later versions off the end, or `only`.
fn later(text: &str) -> (&str, bool) {
    for mark in ["+", "orlater", "orabove", "ornewer", "orhigher"] {
        if let Some(rest) = text.strip_suffix(mark) {
            return (rest, true);
        }
    }
    (text.strip_suffix("only").unwrap_or(text), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_writes_them_in_another_way() {
        for (text, want) in [
            ("GPL-2", "GPL-2.0-only"),
            ("GPLv2+", "GPL-2.0-or-later"),
            ("GPL2+", "GPL-2.0-or-later"),
            ("GPL-3.0+", "GPL-3.0-or-later"),
            ("GPL v3", "GPL-3.0-only"),
            ("GPL-2.0-or-later", "GPL-2.0-or-later"),
            ("LGPL-2.1-only", "LGPL-2.1-only"),
            ("LGPLv2+", "LGPL-2.0-or-later"),
            ("GNU GPL v3", "GPL-3.0-only"),
            ("GNU General Public License v2.0", "GPL-2.0-only"),
            (
                "GNU Lesser General Public License, version 2.1",
                "LGPL-2.1-only",
            ),
            ("GNU Affero General Public License v3", "AGPL-3.0-only"),
            ("GFDL-1.3+", "GFDL-1.3-or-later"),
            ("GPL", "GPL-1.0-or-later"),
            ("GPL+", "GPL-1.0-or-later"),
            ("lgpl", "LGPL-2.0-or-later"),
        ] {
            assert_eq!(id(text).as_deref(), Some(want), "{text}");
        }
        for text in [
            "GPL-4",
            "GPL-2 with x",
            "MIT",
            "GPL-2-or-x",
            "general",
            "LGPL-1.0",
            "GPL 2 MIT",
        ] {
            let known = id(text);
            assert!(known.is_none() || text == "general", "{text}: {known:?}");
        }
    }
}
