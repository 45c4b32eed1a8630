//! vcpkg.json (vcpkg, "vcpkg.json Reference").

use std::borrow::Cow;

use seawall_model::GapKind;
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    json::{self, Key},
    text::list,
};

lock_file!("vcpkg-json", "vcpkg", [Interest::Name("vcpkg.json")], parse);

const SECTIONS: [&str; 2] = ["dependencies", "overrides"];

/// A dependency, or an override, which has a version.
#[derive(Deserialize)]
struct Port<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    /// Needed by the machine that builds.
    #[serde(default)]
    host: bool,
    /// Of the kind that the port itself uses, or of a named one.
    #[serde(
        borrow,
        alias = "version-string",
        alias = "version-semver",
        alias = "version-date"
    )]
    version: Option<Cow<'a, str>>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "vcpkg", &SECTIONS, "", out)?;
    let mut dependencies = Vec::new();
    let mut overrides = Vec::new();
    for entry in &sections.entries {
        if !out.has_room(dependencies.len()) {
            break;
        }
        // A name alone, or an object with one.
        let port = match serde_json::from_str::<Key<'_>>(entry.value.get()) {
            Ok(name) if entry.section == 0 => Port {
                name: name.0,
                host: false,
                version: None,
            },
            _ => match json::entry::<Port<'_>>(text, entry.value, out) {
                Some(port) => port,
                None => continue,
            },
        };
        let span = span_of(text, &port.name).or_else(|| span_of(text, entry.value.get()));
        match entry.section {
            0 => dependencies.push((port, span.unwrap_or_default())),
            _ => overrides.push((port, span.unwrap_or_default())),
        }
    }
    let is_host = |name: &str| {
        let mut all = dependencies
            .iter()
            .filter(|(one, _)| one.name == name)
            .peekable();
        all.peek().is_some() && all.all(|(one, _)| one.host)
    };
    let is_direct = |name: &str| dependencies.iter().any(|(one, _)| one.name == name);
    for (one, span) in &overrides {
        let version = one.version.as_deref().unwrap_or_default();
        // A revision of the port, not of what it builds.
        let version = version.split('#').next().unwrap_or_default();
        if version.is_empty() {
            out.problem(span.start, "an override has no version");
            continue;
        }
        out.push(&Declared {
            name: &one.name,
            version,
            direct: Some(is_direct(&one.name)),
            development: is_host(&one.name),
            span: *span,
            ..Declared::default()
        });
    }
    let is_overridden = |name: &str| overrides.iter().any(|(one, _)| one.name == name);
    let mut open = Vec::new();
    for (one, span) in &dependencies {
        if is_overridden(&one.name) {
            continue;
        }
        open.push(one.name.as_ref());
        out.push(&Declared {
            name: &one.name,
            direct: Some(true),
            development: one.host,
            span: *span,
            ..Declared::default()
        });
    }
    if !open.is_empty() {
        let reason = format!(
            "the versions of {} are those of a baseline, which is not in the project",
            list(open)
        );
        out.gap(GapKind::Missing, &reason);
    }
    Ok(())
}
