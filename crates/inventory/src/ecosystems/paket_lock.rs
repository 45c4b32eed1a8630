//! paket.lock (Paket, "The paket.lock file").

use seawall_model::{GapKind, Requirement, Span};

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!("paket-lock", "nuget", [Interest::Name("paket.lock")], parse);

/// A package whose needs follow.
struct Open<'a> {
    name: &'a str,
    version: &'a str,
    span: Span,
    requires: Vec<Requirement>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut section = "";
    let mut is_known = false;
    let mut files = 0;
    let mut open: Option<Open<'_>> = None;
    for line in text.lines() {
        let code = line.trim();
        let depth = line.len() - line.trim_start().len();
        if code.is_empty() {
            continue;
        }
        if depth == 0 {
            flush(&mut open, out);
            // `GROUP name` starts another list of sections; others are options.
            section = code;
            is_known |= matches!(code, "NUGET" | "GITHUB" | "GIT" | "HTTP" | "GIST")
                || code.starts_with("GROUP ");
            continue;
        }
        match (section, depth) {
            ("NUGET", 0..=2) => {}
            ("NUGET", depth) => entry(text, code, depth, &mut open, out),
            (_, depth) if depth >= 4 => files += 1,
            _ => {}
        }
    }
    flush(&mut open, out);
    if files > 0 {
        let reason = format!("{files} files of repositories go by no name and version");
        out.gap(GapKind::Unsupported, &reason);
    }
    if is_known || out.has_problem() {
        return Ok(());
    }
    Err("it is no lock file of Paket: it has no `NUGET`".to_owned())
}

/// `NAME (VERSION) - options`, and below it `NAME (RANGE)`.
fn entry<'a>(
    text: &'a str,
    code: &'a str,
    depth: usize,
    open: &mut Option<Open<'a>>,
    out: &mut Declarations<'_>,
) {
    let name = code.split([' ', '(']).next().unwrap_or_default();
    if depth > 4 {
        if let Some(open) = open {
            open.requires.push(Requirement {
                name: name.to_owned(),
                version: None,
            });
        }
        return;
    }
    flush(open, out);
    let version = code
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(version, _)| version.trim());
    let start = span_of(text, code).unwrap_or_default().start;
    match version.filter(|version| !version.is_empty() && !name.is_empty()) {
        Some(version) => {
            let end = span_of(text, version).map_or(start, |version| version.end + 1);
            *open = Some(Open {
                name,
                version,
                span: Span::new(start, end),
                requires: Vec::new(),
            });
        }
        None => out.problem(start, "a package has no name or no version"),
    }
}

fn flush(open: &mut Option<Open<'_>>, out: &mut Declarations<'_>) {
    if let Some(one) = open.take() {
        out.push(&Declared {
            name: one.name,
            version: one.version,
            span: one.span,
            requires: one.requires,
            ..Declared::default()
        });
    }
}
