//! OCaml packages of an opam switch: `.opam-switch/packages/NAME.VERSION/opam`
//! (opam manual, "File hierarchies" and "opam").

use crate::{
    found::{self, Finds, Found, records},
    literal::{literal, literals},
    requires::folder,
};

records!(
    "opam",
    [Interest::Name("opam")],
    |path: &str| installed_as(path).is_some(),
    8 << 20,
    parse,
    |path| folder(folder(path))
);

/// Name and version of the folder: names have no dot.
fn installed_as(path: &str) -> Option<(&str, &str)> {
    let (_, folder) = path.rsplit_once(".opam-switch/packages/")?;
    folder.strip_suffix("/opam")?.split_once('.')
}

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let (name, version) = installed_as(path).ok_or("its folder names no package")?;
    let field = |key: &str| {
        let mut lines = text.split_inclusive('\n');
        let mut start = 0;
        let at = lines.find_map(|line| {
            let is_it = line
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'));
            start += line.len();
            is_it.then(|| start - line.len() + key.len() + 1)
        });
        at.and_then(|at| text.get(at..)).map(str::trim_start)
    };
    let list = |value: &str| match value.strip_prefix('[') {
        Some(list) => literals(&plain(list), ']'),
        None => literal(value).map(|it| it.0).into_iter().collect(),
    };
    out.push(&Found {
        kind: "opam",
        name: name.to_owned(),
        version: version.to_owned(),
        licenses: field("license").map(list).unwrap_or_default(),
        requires: found::names(field("depends").map(list).unwrap_or_default()),
        ..Found::default()
    });
    Ok(())
}

/// The list without the conditions that stand in braces, up to its end.
fn plain(list: &str) -> String {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut out = String::new();
    let mut letters = list.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if in_text => {
                letters.next();
                continue;
            }
            '"' => in_text = !in_text,
            '{' if !in_text => depth += 1,
            '}' if !in_text => {
                depth = depth.saturating_sub(1);
                continue;
            }
            ']' if !in_text && depth == 0 => {
                out.push(letter);
                break;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_no_names() {
        let list = r#" "a" {>= "1" & ("b" | {"c"})} ("d" | "e") ] "f""#;
        assert_eq!(literals(&plain(list), ']'), ["a", "d", "e"]);
        let path = "root/.opam/5.1/.opam-switch/packages/dune.3.1~x/opam";
        assert_eq!(installed_as(path), Some(("dune", "3.1~x")));
    }
}
