//! Installed Lua rocks: `rocks-5.1/NAME/VERSION/NAME-VERSION.rockspec`
//! (LuaRocks, "Rockspec format" and "File locations").

use crate::{
    found::{self, Finds, Found, records},
    literal::{literal, literals},
    requires::folder,
};

records!(
    "luarocks",
    [Interest::Suffix(".rockspec")],
    |path: &str| installed_as(path).is_some(),
    4 << 20,
    parse,
    |path| folder(folder(folder(path)))
);

/// Name and version of the folder that a rock is installed in: sources have
/// others.
fn installed_as(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let file = parts.next()?.strip_suffix(".rockspec")?;
    let (version, name) = (parts.next()?, parts.next()?);
    let is_one = file.strip_prefix(name)?.strip_prefix('-')? == version;
    is_one.then_some((name, version))
}

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let (name, version) = installed_as(path).ok_or("its folder names no rock")?;
    let after = |key: &str| {
        let mut rest = text;
        // A word of its own, with its value behind `=`.
        loop {
            let (before, after) = rest.split_once(key)?;
            let is_end = |it: char| !it.is_ascii_alphanumeric() && it != '_';
            let value = after.trim_start().strip_prefix('=');
            match value.filter(|value| before.ends_with(is_end) && !value.starts_with('=')) {
                Some(value) => return Some(value.trim_start()),
                None => rest = after,
            }
        }
    };
    let license = after("license").and_then(literal).map(|it| it.0);
    let list = after("dependencies").and_then(|list| list.strip_prefix('{'));
    let list = list.map(|list| literals(list, '}')).unwrap_or_default();
    // `lpeg >= 1.0`.
    let names = list.iter().filter_map(|one| {
        one.split(|it: char| it.is_whitespace() || "<>=~".contains(it))
            .next()
    });
    out.push(&Found {
        kind: "luarocks",
        name: name.to_owned(),
        version: version.to_owned(),
        licenses: license.into_iter().collect(),
        requires: found::names(names),
        ..Found::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_one_is_told_from_a_source() {
        let path = "usr/local/lib/luarocks/rocks-5.1/lpeg/1.0.2-1/lpeg-1.0.2-1.rockspec";
        assert_eq!(installed_as(path), Some(("lpeg", "1.0.2-1")));
        assert_eq!(installed_as("src/lpeg-1.0.2-1.rockspec"), None);
    }
}
