//! poetry.lock, of Poetry 1 and 2.

use crate::{
    declared::{Declarations, Declared, lock_file},
    toml,
};

lock_file!(
    "poetry-lock",
    "pypi",
    [Interest::Name("poetry.lock")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let document = toml::parse(text, out)?;
    for package in toml::items(&document, "package") {
        let (Some(name), Some(version)) =
            (toml::get(package, "name"), toml::text(package, "version"))
        else {
            continue;
        };
        // Poetry 1.0 wrote `category`; 2 writes `groups`.
        let groups = toml::items(package, "groups");
        let development = toml::text(package, "category") == Some("dev")
            || (!groups.is_empty() && groups.iter().all(|group| group.as_str() != Some("main")));
        let source = toml::get(package, "source");
        let kind = source.and_then(|source| toml::text(source, "type"));
        if matches!(kind, Some("directory")) {
            continue;
        }
        let url = source.and_then(|source| toml::text(source, "url"));
        out.push(&Declared {
            name: name.as_str().unwrap_or_default(),
            version,
            development,
            span: toml::span(name),
            from: match kind {
                Some("git") => url.map(|url| ("vcs_url", url)),
                Some("url" | "file") => url.map(|url| ("download_url", url)),
                _ => None,
            },
            ..Declared::default()
        });
    }
    Ok(())
}
