//! cabal.project.freeze (Cabal, "cabal freeze").

use seawall_model::Span;

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "cabal-freeze",
    "hackage",
    [Interest::Name("cabal.project.freeze")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut field = "";
    let mut is_known = false;
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
                is_known |= matches!(field, "constraints" | "active-repositories" | "index-state");
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
    if is_known || out.has_problem() {
        return Ok(());
    }
    Err("it is no freeze file of Cabal: it has no `constraints`".to_owned())
}

/// `any.NAME ==VERSION`, or flags of a package: `NAME +flag -flag`.
fn constraint(text: &str, one: &str, out: &mut Declarations<'_>) {
    let Some((qualified, version)) = one.split_once("==") else {
        // Flags, `installed`, `source`: no version.
        let is_range = one.contains(['<', '>']);
        if is_range {
            let start = span_of(text, one).unwrap_or_default().start;
            out.problem(start, "a package has several versions");
        }
        return;
    };
    // `setup.` is for what a package is built with, `PACKAGE:setup.` for what
    // one of them is.
    let qualified = qualified.trim();
    let (scope, name) = qualified.rsplit_once('.').unwrap_or(("", qualified));
    let version = version.trim();
    let is_version = !version.is_empty()
        && version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let span = span_of(text, one).unwrap_or_default();
    if name.is_empty() || !is_version {
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
