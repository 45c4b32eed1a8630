//! Installed Julia packages: `packages/NAME/SLUG/Project.toml` of a depot, and
//! the standard library (Julia, "Pkg: Depots" and "Project.toml").

use crate::{
    found::{self, Finds, Found, records},
    requires::folder,
    toml,
};

records!(
    "julia",
    [Interest::Name("Project.toml")],
    is_installed,
    4 << 20,
    parse,
    |path| folder(folder(folder(path)))
);

fn is_installed(path: &str) -> bool {
    let mut folders = path.rsplit('/').skip(1);
    let (Some(first), Some(second), third) = (folders.next(), folders.next(), folders.next())
    else {
        return false;
    };
    // A slug is made of the hash of the content.
    let is_slug = first.len() == 5 && first.bytes().all(|it| it.is_ascii_alphanumeric());
    (is_slug && third == Some("packages")) || (second.starts_with('v') && third == Some("stdlib"))
}

fn parse(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let table = toml_span::parse(text).map_err(|error| format!("it is no TOML: {}", error.kind))?;
    let of = |key: &str| toml::text(&table, key).unwrap_or_default().to_owned();
    // Parts of the standard library that have no version go by Julia's own.
    if of("name").is_empty() || of("version").is_empty() {
        return Ok(());
    }
    let names = toml::entries(&table, "deps").map(|(name, _)| name);
    out.push(&Found {
        kind: "julia",
        name: of("name"),
        version: of("version"),
        qualifiers: vec![("uuid", of("uuid"))],
        requires: found::names(names),
        ..Found::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_one_is_told_from_a_project() {
        for (path, expected) in [
            ("root/.julia/packages/JSON/93Ea8/Project.toml", true),
            ("usr/share/julia/stdlib/v1.9/Test/Project.toml", true),
            ("root/.julia/packages/JSON/93Ea8/docs/Project.toml", false),
            ("root/.julia/environments/v1.9/Project.toml", false),
            ("src/Project.toml", false),
        ] {
            assert_eq!(is_installed(path), expected, "{path}");
        }
    }
}
