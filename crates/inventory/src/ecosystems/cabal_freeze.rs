//! cabal.project.freeze (Cabal, "cabal freeze").

use std::collections::HashSet;

use seawall_model::{GapKind, Span};

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    text::is_dotted_number,
};

lock_file!(
    "cabal-freeze",
    "hackage",
    [Interest::Name("cabal.project.freeze")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut field = "";
    let mut fields = HashSet::new();
    for line in text.lines() {
        let code = line.trim();
        if code.is_empty() || code.starts_with("--") {
            continue;
        }
        // A field stands at the head of a line, its value may go on below.
        let is_head = !line.starts_with([' ', '\t']);
        let value = match code.split_once(':').filter(|_| is_head) {
            Some((name, value)) => {
                field = name.trim();
                fields.insert(field);
                value
            }
            None if is_head => {
                let start = span_of(text, code).unwrap_or_default().start;
                out.problem(start, "a line is no field");
                continue;
            }
            None => code,
        };
        if field == "constraints" {
            for one in value.split(',') {
                constraint(text, one.trim(), out);
            }
        }
    }
    // Since Cabal 3.4 the one is written first and the other last.
    let is_cut = fields.contains("active-repositories") && !fields.contains("index-state");
    if is_cut && !out.has_problem() {
        let reason = "it has no `index-state` at its end: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    if fields.contains("constraints") || out.has_problem() {
        return Ok(());
    }
    Err("it is no freeze file of Cabal: it has no `constraints`".to_owned())
}

/// `any.NAME ==VERSION`, or flags of a package: `NAME +flag -flag`.
fn constraint(text: &str, one: &str, out: &mut Declarations<'_>) {
    let Some((qualified, version)) = one.split_once("==") else {
        let mut words = one.split_whitespace().skip(1).peekable();
        let is_whole = words.peek().is_some()
            && words.all(|word| {
                word.starts_with(['+', '-'])
                    || matches!(word, "installed" | "source" | "test" | "bench")
            });
        if !is_whole && !one.is_empty() {
            let start = span_of(text, one).unwrap_or_default().start;
            out.problem(start, "a package has no single version");
        }
        return;
    };
    // `setup.` is for what a package is built with, `PACKAGE:setup.` for what
    // one of them is.
    let qualified = qualified.trim();
    let (scope, name) = qualified.rsplit_once('.').unwrap_or(("", qualified));
    let version = version.trim();
    let span = span_of(text, one).unwrap_or_default();
    if name.is_empty() || !is_dotted_number(version) {
        out.problem(span.start, "a package has no name or no single version");
        return;
    }
    let start = span_of(text, name).map_or(span.start, |name| name.start);
    out.push(&Declared {
        name,
        version,
        development: scope.ends_with("setup"),
        span: Span::new(start, span.end),
        ..Declared::default()
    });
}
