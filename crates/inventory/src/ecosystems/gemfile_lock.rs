//! Gemfile.lock (Bundler, `Bundler::LockfileParser`).

use std::collections::{HashMap, HashSet};

use seawall_model::{GapKind, Hash, Requirement, Span};

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
    let mut gem: Option<Gem<'_>> = None;
    let hashes = hashes(text);
    let mut is_any = false;
    for line in text.lines() {
        if let Some(need) = need(line) {
            if let Some(gem) = &mut gem {
                gem.requires.push(need);
            }
            continue;
        }
        if let Some(gem) = gem.take() {
            gem.push(&hashes, direct.as_ref(), out);
        }
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
            gem = spec(text, line, &source, out);
        }
    }
    if let Some(gem) = gem {
        gem.push(&hashes, direct.as_ref(), out);
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

/// Six spaces: what the gem above needs, `name (~> 1.0)`.
fn need(line: &str) -> Option<Requirement> {
    let need = line.strip_prefix("      ")?;
    let name = need.split_whitespace().next()?;
    (!need.starts_with(' ')).then(|| Requirement {
        name: name.trim_end_matches('!').to_owned(),
        version: None,
    })
}

/// The digests under `CHECKSUMS` (since Bundler 2.5), `name (1.0-java)
/// sha256=…`, by what stands before them.
fn hashes(text: &str) -> HashMap<&str, Vec<Hash>> {
    let mut section = "";
    let mut all = HashMap::new();
    for line in text.lines() {
        if let Some(head) = head(line) {
            section = head;
        } else if let ("CHECKSUMS", Some((gem, digests))) = (section, line.rsplit_once(") ")) {
            let digests = digests.split(',').filter_map(Hash::parse);
            all.insert(gem.trim_start(), digests.collect());
        }
    }
    all
}

/// One gem of one platform.
struct Gem<'a> {
    /// `name (1.0-java`, as the digests are kept.
    key: &'a str,
    name: &'a str,
    version: &'a str,
    span: Span,
    from: Option<(&'static str, String)>,
    requires: Vec<Requirement>,
}

impl Gem<'_> {
    fn push(
        self,
        hashes: &HashMap<&str, Vec<Hash>>,
        direct: Option<&HashSet<&str>>,
        out: &mut Declarations<'_>,
    ) {
        out.push(&Declared {
            name: self.name,
            version: self.version,
            direct: direct.map(|direct| direct.contains(self.name)),
            span: self.span,
            from: self.from,
            hashes: hashes.get(self.key).cloned().unwrap_or_default(),
            requires: self.requires,
            ..Declared::default()
        });
    }
}

/// Four spaces: a gem.
fn spec<'a>(
    text: &str,
    line: &'a str,
    source: &Source<'_>,
    out: &mut Declarations<'_>,
) -> Option<Gem<'a>> {
    // What lies in `PATH` is the project's own.
    if !matches!(source.section, "GEM" | "GIT" | "PLUGIN SOURCE") {
        return None;
    }
    let spec = line
        .strip_prefix("    ")
        .filter(|spec| !spec.starts_with(' ') && !spec.trim().is_empty())?;
    let offset = span_of(text, spec).unwrap_or_default().start;
    let key = spec.trim_end().trim_end_matches('!').strip_suffix(')');
    let Some((key, (name, version))) = key.and_then(|key| Some((key, key.split_once(" (")?)))
    else {
        out.problem(offset, "a gem has no version");
        return None;
    };
    Some(Gem {
        key,
        name,
        // `1.2.3-x86_64-linux`: the platform is no part of the version, which
        // has no dash (`Gem::Version` writes `.pre.` for one).
        version: version.split('-').next().unwrap_or(version),
        span: span_of(text, name).unwrap_or_default(),
        from: (source.section == "GIT").then(|| git(source.remote, Some(source.revision))),
        requires: Vec::new(),
    })
}
