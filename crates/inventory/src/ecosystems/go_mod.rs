//! go.mod (Go Modules Reference, "go.mod files").

use std::collections::HashMap;

use seawall_model::{GapKind, Span};

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!("go-mod", "golang", [Interest::Name("go.mod")], parse);

/// A line of a directive, its words without quotes.
struct Line<'a> {
    verb: &'a str,
    words: Vec<&'a str>,
    is_indirect: bool,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut block = None;
    text.lines().filter_map(move |line| {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let comment = comment.trim();
        let is_indirect = comment == "indirect" || comment.starts_with("indirect;");
        let mut words: Vec<&str> = code
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']))
            .collect();
        match words.as_slice() {
            [] => None,
            [")"] => {
                block = None;
                None
            }
            [verb, "("] => {
                block = Some(*verb);
                None
            }
            [first, ..] => {
                let verb = match block {
                    Some(verb) => verb,
                    None => {
                        let verb = *first;
                        words.remove(0);
                        verb
                    }
                };
                Some(Line {
                    verb,
                    words,
                    is_indirect,
                })
            }
        }
    })
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    // `old [version] => new [version]`.
    let mut replaced: HashMap<(&str, Option<&str>), &[&str]> = HashMap::new();
    let all: Vec<Line<'_>> = lines(text).collect();
    if !all
        .iter()
        .any(|line| matches!(line.verb, "module" | "go" | "require"))
    {
        return Err("it is no go.mod: it has no module, go or require line".to_owned());
    }
    for line in all.iter().filter(|line| line.verb == "replace") {
        let Some(arrow) = line.words.iter().position(|word| *word == "=>") else {
            continue;
        };
        if let (Some(old), Some(new)) = (line.words.first(), line.words.get(arrow + 1..)) {
            let version = if arrow == 2 {
                line.words.get(1).copied()
            } else {
                None
            };
            replaced.insert((old, version), new);
        }
    }
    let mut go = None;
    let mut toolchain = None;
    let mut count = 0;
    for line in &all {
        match (line.verb, line.words.as_slice()) {
            ("go", [version, ..]) => go = Some(*version),
            // `go1.21.3-custom` is Go 1.21.3 of somebody's own making, not what
            // comes before 1.21.3 (Go Toolchains, "Version selection").
            ("toolchain", [name, ..]) => {
                let version = name.strip_prefix("go");
                toolchain = version.and_then(|version| version.split(['-', '+']).next());
            }
            ("require", [name, version, ..]) => {
                count += 1;
                let new = replaced
                    .get(&(*name, Some(*version)))
                    .or_else(|| replaced.get(&(*name, None)));
                let (real_name, real_version) = match new {
                    Some([new, version, ..]) => (*new, *version),
                    // A folder of this machine: other people's advisories say
                    // nothing about it.
                    Some(_) => continue,
                    None => (*name, *version),
                };
                out.push(&Declared {
                    name: real_name,
                    version: real_version,
                    direct: Some(!line.is_indirect),
                    span: span_of(text, name)
                        .zip(span_of(text, version))
                        .map(|(name, version)| Span::new(name.start, version.end))
                        .unwrap_or_default(),
                    ..Declared::default()
                });
            }
            _ => {}
        }
    }
    // The standard library is what the toolchain brings; `go` is the least
    // version that will do.
    if let Some(version) = toolchain.or(go) {
        out.push(&Declared {
            name: "stdlib",
            version,
            direct: Some(true),
            span: span_of(text, version).unwrap_or_default(),
            ..Declared::default()
        });
    }
    // Before Go 1.17 go.mod did not list what direct dependencies need.
    let is_old = go.and_then(minor).is_none_or(|minor| minor < 17);
    if is_old && count > 0 {
        out.gap(
            GapKind::Missing,
            "before `go 1.17` a go.mod does not name indirect dependencies; `go mod tidy -go=1.17` \
             makes it name them",
        );
    }
    Ok(())
}

/// `21` of `1.21.3`; a major version other than 1 counts as new.
fn minor(version: &str) -> Option<u32> {
    let mut parts = version.split('.');
    match parts.next()? {
        "1" => {
            let digits: String = parts
                .next()?
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse().ok()
        }
        _ => Some(u32::MAX),
    }
}
