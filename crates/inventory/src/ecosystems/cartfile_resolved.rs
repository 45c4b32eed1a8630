//! Cartfile.resolved (Carthage, "Cartfile format").

use seawall_model::{GapKind, Span};

use crate::{
    declared::{Declarations, Declared, git, lock_file, span_of},
    swift::name_of,
};

lock_file!(
    "cartfile-resolved",
    "swift",
    [Interest::Name("Cartfile.resolved")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is no lock file of Carthage: it is empty".to_owned());
    }
    let mut binaries = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let start = span_of(text, line).unwrap_or_default().start;
        // `KIND "ADDRESS" "VERSION"`
        let parts: Vec<&str> = line.split('"').collect();
        let [kind, address, _, version, _] = parts.as_slice() else {
            out.problem(start, "a line is no dependency with its version");
            continue;
        };
        let (name, url) = match kind.trim() {
            // Its own words for a repository, or the address of one elsewhere.
            "github" if address.contains("://") => (name_of(address), (*address).to_owned()),
            "github" => (
                format!("github.com/{address}"),
                format!("https://github.com/{address}"),
            ),
            "git" => (name_of(address), (*address).to_owned()),
            "binary" => {
                binaries.push(*address);
                continue;
            }
            _ => {
                out.problem(start, "a line is no dependency with its version");
                continue;
            }
        };
        let is_revision =
            version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push(&Declared {
            name: &name,
            version: if is_revision { "" } else { version },
            span: Span::new(start, start + line.len()),
            from: is_revision.then(|| git(&url, Some(version))),
            ..Declared::default()
        });
    }
    if let Some(first) = binaries.first() {
        let reason = format!(
            "{} frameworks are built by others and go by no name, such as `{first}`",
            binaries.len()
        );
        out.gap(GapKind::Unsupported, &reason);
    }
    Ok(())
}
