//! Haskell packages in GHC's package databases: `package.conf.d` of a compiler
//! and of distributions, `package.db` of Cabal's store, `pkgdb` of Stack (GHC
//! User's Guide, "InstalledPackageInfo: a package specification").

use seawall_model::Requirement;

use crate::{
    found::{Finds, Found, records},
    requires::folder,
    stanza::whole,
};

records!(
    "ghc",
    [Interest::Suffix(".conf")],
    |path: &str| {
        let name = folder(path).rsplit('/').next();
        name.is_some_and(|name| ["package.conf.d", "package.db", "pkgdb"].contains(&name))
    },
    8 << 20,
    parse,
    folder
);

fn parse(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let fields = whole(text);
    let of = |name: &str| fields.get(name).unwrap_or_default().trim();
    // A library of its own inside a package (`z-attoparsec-z-internal`) says
    // which it belongs to.
    let name = match of("package-name") {
        "" => of("name"),
        name => name,
    };
    if name.is_empty() || of("version").is_empty() {
        return Err("it names no package or no version".to_owned());
    }
    let license = Some(of("license")).filter(|license| !license.is_empty());
    out.push(&Found {
        kind: "hackage",
        name: name.to_owned(),
        version: of("version").to_owned(),
        licenses: license.map(str::to_owned).into_iter().collect(),
        requires: of("depends").split_whitespace().filter_map(unit).collect(),
        ..Found::default()
    });
    Ok(())
}

/// Name and version from the id of a unit: `aeson-2.0.3.0-8ZpKz…`.
fn unit(id: &str) -> Option<Requirement> {
    let is_version = |part: &str| {
        part.starts_with(|it: char| it.is_ascii_digit())
            && part.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    };
    let mut length = 0;
    for (index, part) in id.split('-').enumerate() {
        if index > 0 && is_version(part) {
            return Some(Requirement {
                name: id.get(..length - 1)?.to_owned(),
                version: Some(part.to_owned()),
            });
        }
        length += part.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_bear_name_and_version() {
        for (id, expected) in [
            ("base-4.15.1.0", Some(("base", "4.15.1.0"))),
            ("th-lift-0.8-1A2b3c-x", Some(("th-lift", "0.8"))),
            ("4.1", None),
            ("rts", None),
        ] {
            let found = unit(id);
            let found = found.as_ref();
            let found = found.map(|it| (it.name.as_str(), it.version.as_deref().unwrap()));
            assert_eq!(found, expected, "{id}");
        }
    }
}
