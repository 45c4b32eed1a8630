//! Installed gems: `specifications/*.gemspec` and `specifications/default`, as
//! RubyGems writes them (rubygems, `Gem::Specification#to_ruby` and
//! `Gem::StubSpecification`).

use seawall_model::Technique;

use crate::{
    found::{self, Finds, Found, records},
    literal::{literal, literals},
};

records!(
    "gems",
    [Interest::Suffix(".gemspec")],
    is_installed,
    8 << 20,
    parse,
    home
);

/// Elsewhere they are sources.
fn is_installed(path: &str) -> bool {
    let mut folders = path.rsplit('/').skip(1);
    match folders.next() {
        Some("default") => folders.next() == Some("specifications"),
        parent => parent == Some("specifications"),
    }
}

/// The `GEM_HOME` that a specification lies in.
fn home(path: &str) -> &str {
    path.rsplit_once("specifications/")
        .map_or("", |(home, _)| home)
}

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let mut found = Found {
        kind: "gem",
        ..Found::default()
    };
    let mut platform = String::new();
    let mut names = Vec::new();
    // RubyGems up to 3.4 wrote all dependencies once more, for versions of it
    // that did not know which are for development.
    let mut is_for_old = false;
    for line in text.lines() {
        let line = line.trim();
        if matches!(line, "else" | "end") {
            is_for_old = line == "else";
        }
        if let Some(stub) = line.strip_prefix("# stub: ") {
            // A second line names extensions.
            let words: Vec<&str> = stub.split(' ').collect();
            if let [name, version, on, _, ..] = words.as_slice()
                && found.name.is_empty()
            {
                found.name = (*name).to_owned();
                found.version = (*version).to_owned();
                platform = (*on).to_owned();
            }
            continue;
        }
        // `s.name = "rake".freeze`, whatever the variable is called.
        let Some((_, call)) = line.split_once('.') else {
            continue;
        };
        let end = call.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        let (method, rest) = call
            .split_at_checked(end.unwrap_or(call.len()))
            .unwrap_or_default();
        let rest = rest.trim_start();
        match (method, rest.strip_prefix('=').map(str::trim_start)) {
            ("name", Some(value)) if found.name.is_empty() => {
                found.name = text_of(value);
            }
            ("version", Some(value)) if found.version.is_empty() => {
                let value = value.strip_prefix("Gem::Version.new").unwrap_or(value);
                found.version = text_of(value.trim_start_matches('('));
            }
            ("platform", Some(value)) if platform.is_empty() => platform = text_of(value),
            ("license", Some(value)) => found.licenses.extend(literal(value).map(|it| it.0)),
            ("licenses", Some(value)) => {
                found.licenses = literals(value.trim_start_matches('['), ']');
            }
            ("add_runtime_dependency" | "add_dependency", None) if !is_for_old => {
                let name = literal(rest.trim_start_matches('('));
                names.extend(name.map(|it| it.0));
            }
            _ => {}
        }
    }
    if found.name.is_empty() || found.version.is_empty() {
        // Its code computes them; RubyGems names the file by what came out.
        let (name, version) = by_name(path).ok_or("it names no gem and no version")?;
        found.name = name.to_owned();
        found.version = version.to_owned();
        found.technique = Technique::FileName;
    }
    found.requires = found::names(names);
    if !matches!(platform.as_str(), "" | "ruby") {
        found.qualifiers.push(("platform", platform));
    }
    out.push(&found);
    Ok(())
}

fn text_of(code: &str) -> String {
    literal(code).map(|it| it.0).unwrap_or_default()
}

/// `NAME-VERSION[-PLATFORM].gemspec`.
fn by_name(path: &str) -> Option<(&str, &str)> {
    let name = path.rsplit('/').next()?.strip_suffix(".gemspec")?;
    let at = name.match_indices('-').map(|(at, _)| at).find(|at| {
        name.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()))
    })?;
    let version = name.get(at + 1..)?.split('-').next()?;
    Some((name.get(..at)?, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_one_is_told_from_a_source() {
        for (path, expected) in [
            ("usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec", true),
            ("gems/3.1.0/specifications/default/a-1.gemspec", true),
            ("usr/lib/ruby/gems/3.1.0/gems/a-1/a.gemspec", false),
            ("src/default/a.gemspec", false),
        ] {
            assert_eq!(is_installed(path), expected, "{path}");
        }
        assert_eq!(by_name("x/a-b-1.2-java.gemspec"), Some(("a-b", "1.2")));
        assert_eq!(by_name("x/a-b.gemspec"), None);
    }
}
