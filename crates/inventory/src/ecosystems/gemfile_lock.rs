//! Gemfile.lock (Bundler).

use std::collections::HashSet;

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "gemfile-lock",
    "gem",
    [
        Interest::Name("Gemfile.lock"),
        Interest::Name("gems.locked")
    ],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut section = "";
    let mut direct = HashSet::new();
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            section = line.trim();
        } else if section == "DEPENDENCIES" {
            // `name (~> 1.0)`, with `!` behind what comes from elsewhere.
            direct.extend(
                line.split_whitespace()
                    .next()
                    .map(|name| name.trim_end_matches('!')),
            );
        }
    }
    if !["GEM", "GIT", "PATH", "DEPENDENCIES", "PLATFORMS"]
        .iter()
        .any(|head| text.lines().any(|line| line.trim_end() == *head))
    {
        return Err("it is no lock file of Bundler: it has no section that one has".to_owned());
    }
    let mut remote = "";
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            section = line.trim();
        }
        if let Some(url) = line.strip_prefix("  remote: ") {
            remote = url.trim();
        }
        // Four spaces: a gem; six: what it needs.
        let Some(spec) = line
            .strip_prefix("    ")
            .filter(|spec| !spec.starts_with(' '))
        else {
            continue;
        };
        if !matches!(section, "GEM" | "GIT") {
            continue;
        }
        let Some((name, version)) = spec.split_once(" (") else {
            continue;
        };
        let version = version.trim_end().trim_end_matches(')');
        // `1.2.3-x86_64-linux`: the platform is no part of the version.
        let version = version.split('-').next().unwrap_or(version);
        out.push(&Declared {
            name,
            version,
            direct: Some(direct.contains(name)),
            span: span_of(text, name).unwrap_or_default(),
            from: (section == "GIT").then_some(("vcs_url", remote)),
            ..Declared::default()
        });
    }
    Ok(())
}
