//! requirements.txt and constraints.txt (pip, "Requirements File Format").

use seawall_model::{GapKind, Span};

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "requirements-txt",
    "pypi",
    [
        Interest::Name(NAMES[0]),
        Interest::Name(NAMES[1]),
        Interest::Name(NAMES[2]),
        Interest::Name(NAMES[3]),
        Interest::Name(NAMES[4]),
        Interest::Name(NAMES[5]),
        Interest::Name(NAMES[6]),
        Interest::Name(NAMES[7]),
        Interest::Name(NAMES[8]),
        Interest::Name(NAMES[9]),
    ],
    parse
);

/// The names that are read.
const NAMES: [&str; 10] = [
    "requirements.txt",
    "requirements.lock",
    "constraints.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements-prod.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
];

/// The file that an option includes: `-r base.txt`, `--constraint=c.txt`.
fn included(option: &str) -> Option<&str> {
    ["--requirement", "--constraint", "-r", "-c"]
        .into_iter()
        .find_map(|word| option.strip_prefix(word))
        .map(|rest| rest.trim_start().trim_start_matches('=').trim())
        .and_then(|rest| rest.split_whitespace().next())
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut unpinned = 0;
    let mut direct_references = 0;
    for (start, line) in logical_lines(text) {
        let line = strip_comment(line);
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if trimmed.starts_with('-') {
            // `-e` and paths are projects of this machine or of a repository;
            // `-r` and `-c` files are read under their own names, where those
            // tell what they are.
            let is_project = trimmed.starts_with("-e") || trimmed.starts_with("--editable");
            direct_references += usize::from(is_project);
            if let Some(path) = included(trimmed)
                && !path
                    .rsplit('/')
                    .next()
                    .is_some_and(|name| NAMES.contains(&name))
            {
                let reason = format!("it includes `{path}`, which is not read under that name");
                out.gap(GapKind::Unsupported, &reason);
            }
            continue;
        }
        let name_end = trimmed
            .find(|letter: char| {
                !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '_' | '.')
            })
            .unwrap_or(trimmed.len());
        let (name, rest) = trimmed.split_at_checked(name_end).unwrap_or_default();
        let rest = rest.trim_start();
        // Extras stand in brackets behind the name.
        let rest = match rest.strip_prefix('[') {
            Some(inner) => inner
                .split_once(']')
                .map_or("", |(_, rest)| rest)
                .trim_start(),
            None => rest,
        };
        if name.is_empty() || rest.starts_with(['@', ':', '/', '+']) {
            direct_references += 1;
            continue;
        }
        // Markers and options follow the version.
        let end = rest.find([';', ' ', '\\']).map_or(rest.len(), |at| {
            let head = rest.get(..at).unwrap_or_default();
            // `== 1.0`: the space belongs to the specifier.
            if head.chars().all(|letter| "=<>!~".contains(letter)) {
                let after = rest.get(at..).unwrap_or_default();
                let skipped = after.len() - after.trim_start().len();
                let tail = after.trim_start();
                at + skipped + tail.find([';', ' ', '\\']).unwrap_or(tail.len())
            } else {
                at
            }
        });
        let specifier = rest.get(..end).unwrap_or_default();
        let pin = specifier.split(',').map(str::trim).find_map(|one| {
            one.strip_prefix("===")
                .or_else(|| one.strip_prefix("=="))
                .map(str::trim)
        });
        let Some(version) = pin.filter(|version| !version.is_empty() && !version.contains('*'))
        else {
            unpinned += 1;
            continue;
        };
        let span = span_of(text, name).map_or(Span::new(start, start), |from| {
            let to = span_of(text, version).map_or(from.end, |to| to.end);
            Span::new(from.start, to)
        });
        out.push(&Declared {
            name,
            version,
            span,
            ..Declared::default()
        });
    }
    if unpinned > 0 {
        let reason = format!(
            "{unpinned} requirements name no single version (`==`), so that nothing can be said \
             of them"
        );
        out.gap(GapKind::Missing, &reason);
    }
    if direct_references > 0 {
        let reason = format!("{direct_references} requirements name an address or a folder");
        out.gap(GapKind::Unsupported, &reason);
    }
    Ok(())
}

/// Lines with those joined that end in a backslash, with their offset. A pinned
/// name and version stand in the first piece; what follows are hashes, so that
/// joining means passing over the rest.
fn logical_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    let mut goes_on = false;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = offset;
        offset += line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        let is_first = !goes_on;
        goes_on = content.ends_with('\\') && !content.trim_start().starts_with('#');
        is_first.then_some((start, content))
    })
}

/// A comment starts at a `#` at the head of the line or behind a space.
fn strip_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #")
        .and_then(|at| line.get(..at))
        .unwrap_or(line)
}
