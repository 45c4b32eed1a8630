//! Installed Nim packages: `pkgs2/NAME-VERSION-CHECKSUM/NAME.nimble` and, of
//! Nimble before 0.14, `pkgs/NAME-VERSION/NAME.nimble` (Nimble, "Directory
//! structure").

use crate::{
    found::{self, Finds, Found, records},
    literal::literal,
    requires::folder,
};

records!(
    "nimble",
    [Interest::Suffix(".nimble")],
    |path: &str| installed_as(path).is_some(),
    4 << 20,
    parse,
    |path| folder(folder(path))
);

/// Name and version of the folder of a package.
fn installed_as(path: &str) -> Option<(&str, &str)> {
    let mut folders = path.rsplit('/').skip(1);
    let name = folders.next()?;
    let parts = match folders.next()? {
        "pkgs2" => name.rsplit_once('-')?.0,
        "pkgs" => name,
        _ => return None,
    };
    let (name, version) = parts.rsplit_once('-')?;
    version
        .starts_with(|it: char| it.is_ascii_digit())
        .then_some((name, version))
}

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let (name, version) = installed_as(path).ok_or("its folder names no package")?;
    let mut licenses = Vec::new();
    let mut names = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let value = |key| line.strip_prefix(key).map(str::trim_start);
        if let Some(value) = value("license") {
            let value = value.trim_start_matches(['=', ':']);
            licenses.extend(literal(value).map(|it| it.0));
        } else if let Some(mut rest) = value("requires") {
            // `requires "a >= 1.0", "b"`.
            while let Some((one, after)) = literal(rest.trim_start_matches([',', ' ', '(', ':'])) {
                let end = one.find(|it: char| it.is_whitespace() || "<>=@#".contains(it));
                names.extend(one.get(..end.unwrap_or(one.len())).map(str::to_owned));
                rest = after;
            }
        }
    }
    out.push(&Found {
        kind: "nim",
        name: name.to_owned(),
        version: version.to_owned(),
        licenses,
        requires: found::names(names),
        ..Found::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_both_times() {
        for (path, expected) in [
            (
                "root/.nimble/pkgs2/json-x-0.4.2-2b26a9e0/json.nimble",
                Some(("json-x", "0.4.2")),
            ),
            (
                "root/.nimble/pkgs/gura-0.1.1/gura.nimble",
                Some(("gura", "0.1.1")),
            ),
            ("src/gura/gura.nimble", None),
        ] {
            assert_eq!(installed_as(path), expected, "{path}");
        }
    }
}
