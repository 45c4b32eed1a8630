//! Gemfile.lock (Bundler, `Bundler::LockfileParser`).

use std::collections::HashSet;

use seawall_model::GapKind;

use crate::declared::{Declarations, Declared, git, lock_file, span_of};

lock_file!(
    "gemfile-lock",
    "gem",
    [
        Interest::Name("Gemfile.lock"),
        Interest::Name("gems.locked")
    ],
    parse
);

/// Where the gems of a section come from.
#[derive(Default)]
struct Source<'a> {
    section: &'a str,
    remote: &'a str,
    revision: &'a str,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut section = "";
    let mut direct = None;
    for line in text.lines() {
        if let Some(head) = head(line) {
            section = head;
            if head == "DEPENDENCIES" {
                direct.get_or_insert_with(HashSet::new);
            }
        } else if let (Some(direct), "DEPENDENCIES") = (&mut direct, section) {
            // `name (~> 1.0)`, with `!` behind what comes from elsewhere.
            let name = line.split_whitespace().next();
            direct.extend(name.map(|name| name.trim_end_matches('!')));
        }
    }
    let mut source = Source::default();
    let mut is_any = false;
    for line in text.lines() {
        if let Some(section) = head(line) {
            is_any |= ["GEM", "GIT", "PATH", "PLUGIN SOURCE", "PLATFORMS"].contains(&section);
            source = Source {
                section,
                ..Source::default()
            };
        } else if let Some(url) = line.strip_prefix("  remote: ") {
            source.remote = url.trim();
        } else if let Some(revision) = line.strip_prefix("  revision: ") {
            source.revision = revision.trim();
        } else {
            spec(text, line, &source, direct.as_ref(), out);
        }
    }
    match direct {
        Some(_) => Ok(()),
        None if is_any => {
            // Bundler writes it behind every list of gems.
            let reason = "it has no `DEPENDENCIES`: it may have been cut off";
            out.gap(GapKind::Damaged, reason);
            Ok(())
        }
        None => Err("it is no lock file of Bundler: it has no section that one has".to_owned()),
    }
}

fn head(line: &str) -> Option<&str> {
    (!line.starts_with(' ') && !line.trim().is_empty()).then(|| line.trim())
}

fn spec(
    text: &str,
    line: &str,
    source: &Source<'_>,
    direct: Option<&HashSet<&str>>,
    out: &mut Declarations<'_>,
) {
    // What lies in `PATH` is the project's own.
    if !matches!(source.section, "GEM" | "GIT" | "PLUGIN SOURCE") {
        return;
    }
    // Four spaces: a gem; six: what it needs.
    let Some(spec) = line
        .strip_prefix("    ")
        .filter(|spec| !spec.starts_with(' ') && !spec.trim().is_empty())
    else {
        return;
    };
    let offset = span_of(text, spec).unwrap_or_default().start;
    let parts = spec
        .trim_end()
        .trim_end_matches('!')
        .strip_suffix(')')
        .and_then(|spec| spec.split_once(" ("));
    let Some((name, version)) = parts else {
        out.problem(offset, "a gem has no version");
        return;
    };
    // `1.2.3-x86_64-linux`: the platform is no part of the version, which has
    // no dash (`Gem::Version` writes `.pre.` for one).
    let version = version.split('-').next().unwrap_or(version);
    out.push(&Declared {
        name,
        version,
        direct: direct.map(|direct| direct.contains(name)),
        span: span_of(text, name).unwrap_or_default(),
        from: (source.section == "GIT").then(|| git(source.remote, Some(source.revision))),
        ..Declared::default()
    });
}
