//! From a licence as somebody wrote it to an SPDX expression.

use spdx::{
    Expression,
    expression::{ExprNode, Operator},
};

use crate::{gnu, known};

/// Letters of a licence; a longer text is the licence itself, or none.
const MOST: usize = 4096;
/// Brackets within brackets.
const DEEP: usize = 16;

/// The SPDX expression that `text` means: an expression already, a name as
/// dpkg, rpm, apk, Python, npm, Maven, CRAN, CPAN or gems write it, or an
/// address. `None` for what nobody can tell.
pub fn normalise(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    if text.is_empty() || text.len() > MOST || is_none(text) {
        return None;
    }
    if let Ok(expression) = Expression::parse(text) {
        return canonical(&expression);
    }
    let text = plain(text);
    let found = expression(&text, DEEP)?;
    // Whatever was pieced together is held against the grammar.
    canonical(&Expression::parse(&found).ok()?)
}

/// An expression with no more brackets than it needs.
fn canonical(expression: &Expression) -> Option<String> {
    let mut stack: Vec<(String, bool)> = Vec::new();
    for node in expression.iter() {
        match node {
            ExprNode::Req(one) => stack.push((one.req.to_string(), false)),
            ExprNode::Op(operator) => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                stack.push(match operator {
                    Operator::Or => (format!("{} OR {}", left.0, right.0), true),
                    Operator::And => {
                        let inner = |(text, is_choice): (String, bool)| {
                            if is_choice { format!("({text})") } else { text }
                        };
                        (format!("{} AND {}", inner(left), inner(right)), false)
                    }
                });
            }
        }
    }
    stack.pop().map(|(text, _)| text)
}

/// The one expression that all licences of a package mean together; the texts
/// that mean nothing beside it.
pub fn of_package<S: AsRef<str>>(texts: &[S]) -> (Option<String>, Vec<&str>) {
    let (mut parts, mut lost): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for text in texts {
        match normalise(text.as_ref()) {
            Some(part) if !parts.contains(&part) => parts.push(part),
            Some(_) => {}
            None if text.as_ref().trim().is_empty() => {}
            None => lost.push(text.as_ref()),
        }
    }
    let is_one = parts.len() == 1;
    let parts = parts.into_iter().map(|part| {
        if !is_one && part.contains(" OR ") {
            format!("({part})")
        } else {
            part
        }
    });
    let all = parts.collect::<Vec<String>>().join(" AND ");
    ((!all.is_empty()).then_some(all), lost)
}

/// What tools write where nothing is known, and what says that there is no
/// licence that one could name.
fn is_none(text: &str) -> bool {
    const NONE: [&str; 12] = [
        "unknown",
        "noassertion",
        "none",
        "n/a",
        "null",
        "unlicensed",
        "custom",
        "other",
        "proprietary",
        "commercial",
        "file license",
        "license.txt",
    ];
    let lower = text.to_lowercase();
    NONE.contains(&lower.as_str()) || lower.starts_with("see ")
}

/// Says "or later" and versions as everybody does: `GPL (>= 2)` becomes
/// `GPL-2+`, `GPL v2 or later` `GPL v2+`.
fn plain(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Python's trove classifiers.
    if let Some((_, last)) = text.rsplit_once("::") {
        text = last.trim().to_owned();
    }
    // CRAN: the year and the holder stand in a file of their own.
    for file in [
        " + file LICENSE",
        " + file LICENCE",
        " | file LICENSE",
        " | file LICENCE",
    ] {
        text = text.replace(file, "");
    }
    for (mark, sign, end) in [("(>=", "-", "+"), ("(>", "-", "+"), ("(==", "-", "")] {
        while let Some((before, rest)) = text.split_once(mark) {
            let Some((version, after)) = rest.split_once(')') else {
                break;
            };
            text = format!("{}{sign}{}{end}{after}", before.trim_end(), version.trim());
        }
    }
    const LATER: [&str; 10] = [
        " or any later version",
        " or (at your option) any later version",
        " or later version",
        " or later",
        ", or later",
        " or newer",
        " or above",
        " or greater",
        " and later",
        " or any later",
    ];
    for words in LATER {
        text = replace_ignoring_case(&text, words, "+");
    }
    text
}

fn replace_ignoring_case(text: &str, what: &str, with: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(what)) {
        out.push_str(text.get(at..at + found).unwrap_or_default());
        out.push_str(with);
        at += found + what.len();
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// What joins licences, the weakest first. A comma or a semicolon lists what
/// applies.
const OR: [&str; 6] = [" or ", " || ", " | ", "||", "|", "/"];
const AND: [&str; 7] = [" and ", " && ", " & ", ";", ",", "\n", " + "];

fn expression(text: &str, depth: usize) -> Option<String> {
    let text = text.trim().trim_end_matches('.').trim();
    if depth == 0 || text.is_empty() {
        return None;
    }
    if let Some(found) = atom(text) {
        return Some(found);
    }
    if let Some(inner) = unwrapped(text) {
        return expression(inner, depth - 1);
    }
    for (signs, joined, other) in [(&OR[..], " OR ", " AND "), (&AND[..], " AND ", " OR ")] {
        for sign in signs {
            let parts = split(text, sign);
            if parts.len() < 2 {
                continue;
            }
            // `GPL-2, or MIT` lists nothing before its `or`.
            let parts = parts.iter().map(|part| part.trim().trim_end_matches(','));
            let parts = parts.filter(|part| !part.is_empty());
            let parts: Option<Vec<String>> =
                parts.map(|part| expression(part, depth - 1)).collect();
            if let Some(parts) = parts {
                let parts = parts.into_iter().map(|part| {
                    if part.contains(other) {
                        format!("({part})")
                    } else {
                        part
                    }
                });
                return Some(parts.collect::<Vec<_>>().join(joined));
            }
        }
    }
    excepted(text).or_else(|| listed(text))
}

/// One licence by its name.
fn atom(text: &str) -> Option<String> {
    if let Some(id) = gnu::id(text) {
        return Some(id);
    }
    if let Some(id) = known::by_address(text) {
        return Some(id.to_owned());
    }
    if let Some(id) = known::by_name(text).filter(|id| !id.is_empty()) {
        // The list's old ids of GNU licences have new names.
        return Some(gnu::id(id).unwrap_or_else(|| id.to_owned()));
    }
    // `GNU Lesser General Public License v2 (LGPLv2)`, `MIT License (MIT)`.
    let (before, rest) = text.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    let is_name = after.trim().is_empty() && !before.trim().is_empty();
    let short = is_name.then(|| atom(inside)).flatten();
    short.or_else(|| is_name.then(|| atom(before.trim())).flatten())
}

/// What stands in one pair of brackets as a whole.
fn unwrapped(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0_i32;
    for letter in inner.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 {
            return None;
        }
    }
    (depth == 0).then_some(inner)
}

/// Splits at a sign outside of brackets, in any case.
fn split<'t>(text: &'t str, sign: &str) -> Vec<&'t str> {
    let lower = text.to_ascii_lowercase();
    let mut parts = Vec::new();
    let (mut depth, mut start, mut skip) = (0_i32, 0, 0);
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        let is_here = lower.get(at..).is_some_and(|rest| rest.starts_with(sign));
        // The slashes of an address join nothing.
        let is_address = sign == "/" && text.contains("://");
        if depth == 0 && at >= skip && is_here && !is_address {
            parts.extend(text.get(start..at));
            start = at + sign.len();
            skip = start;
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// A licence with an exception.
fn excepted(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let at = [" with ", " w/"]
        .iter()
        .find_map(|sign| lower.find(sign).map(|at| (at, sign.len())));
    let (at, length) = at?;
    let base = atom(text.get(..at)?.trim())?;
    let named = text.get(at + length..)?.trim();
    let exception = known::exception(named)?;
    (!base.contains(' ')).then(|| format!("{base} WITH {exception}"))
}

/// Names with nothing but spaces between them, as Alpine wrote them once:
/// `MIT BSD GPL2+`.
fn listed(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let is_short = words.iter().all(|word| {
        word.chars().any(|one| one.is_ascii_uppercase())
            || word.contains(|one: char| one.is_ascii_digit())
    });
    if words.len() < 2 || !is_short {
        return None;
    }
    let parts: Option<Vec<String>> = words.into_iter().map(atom).collect();
    let parts = parts?.into_iter().map(|part| {
        if part.contains(" OR ") {
            format!("({part})")
        } else {
            part
        }
    });
    Some(parts.collect::<Vec<_>>().join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_writes_licences_in_another_way() {
        for (text, want) in [
            // Expressions.
            ("MIT", "MIT"),
            ("BSD-3-Clause OR MIT", "BSD-3-Clause OR MIT"),
            (
                "(MIT OR Apache-2.0) AND Unicode-3.0",
                "(MIT OR Apache-2.0) AND Unicode-3.0",
            ),
            ("mit or apache-2.0", "MIT OR Apache-2.0"),
            (
                "Apache-2.0 WITH LLVM-exception",
                "Apache-2.0 WITH LLVM-exception",
            ),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("LicenseRef-Acme", "LicenseRef-Acme"),
            // dpkg.
            ("GPL-2+", "GPL-2.0-or-later"),
            ("Expat", "MIT"),
            (
                "GPL-2+ or Artistic",
                "GPL-2.0-or-later OR Artistic-1.0-Perl",
            ),
            (
                "GPL-3+ with autoconf exception",
                "GPL-3.0-or-later WITH Autoconf-exception-generic",
            ),
            ("BSD-3-clause, GPL-2+", "BSD-3-Clause AND GPL-2.0-or-later"),
            ("public-domain", "LicenseRef-Public-Domain"),
            ("GFDL-1.3+", "GFDL-1.3-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            // rpm before SPDX.
            (
                "GPLv2+ and LGPLv2+",
                "GPL-2.0-or-later AND LGPL-2.0-or-later",
            ),
            ("ASL 2.0", "Apache-2.0"),
            (
                "(GPLv2+ or LGPLv3+) and BSD",
                "(GPL-2.0-or-later OR LGPL-3.0-or-later) AND BSD-3-Clause",
            ),
            ("MPLv2.0", "MPL-2.0"),
            ("GPL+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
            // apk.
            ("MIT BSD GPL2+", "MIT AND BSD-3-Clause AND GPL-2.0-or-later"),
            // Python.
            ("License :: OSI Approved :: MIT License", "MIT"),
            (
                "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)",
                "LGPL-2.0-or-later",
            ),
            (
                "License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
                "GPL-3.0-only",
            ),
            (
                "License :: OSI Approved :: Apache Software License",
                "Apache-2.0",
            ),
            ("License :: OSI Approved :: BSD License", "BSD-3-Clause"),
            (
                "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
                "MPL-2.0",
            ),
            (
                "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication",
                "CC0-1.0",
            ),
            ("Apache 2.0", "Apache-2.0"),
            ("3-Clause BSD License", "BSD-3-Clause"),
            ("PSF", "PSF-2.0"),
            // Maven.
            ("The Apache Software License, Version 2.0", "Apache-2.0"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            (
                "http://www.apache.org/licenses/LICENSE-2.0.txt",
                "Apache-2.0",
            ),
            ("Eclipse Public License - v 1.0", "EPL-1.0"),
            ("Eclipse Public License v2.0", "EPL-2.0"),
            ("EPL 2.0", "EPL-2.0"),
            ("The MIT License", "MIT"),
            ("https://opensource.org/licenses/MIT", "MIT"),
            ("GNU Lesser General Public License", "LGPL-2.0-or-later"),
            ("GPL2 w/ CPE", "GPL-2.0-only WITH Classpath-exception-2.0"),
            (
                "CDDL + GPLv2 with classpath exception",
                "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
            ),
            // CRAN, CPAN.
            ("GPL (>= 2)", "GPL-2.0-or-later"),
            ("GPL-2 | GPL-3", "GPL-2.0-only OR GPL-3.0-only"),
            ("MIT + file LICENSE", "MIT"),
            (
                "GPL (>= 2) | BSD_3_clause + file LICENSE",
                "GPL-2.0-or-later OR BSD-3-Clause",
            ),
            ("LGPL (>= 2.1)", "LGPL-2.1-or-later"),
            ("Apache License (== 2.0)", "Apache-2.0"),
            ("perl_5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
            ("artistic_2", "Artistic-2.0"),
            ("lgpl_2_1", "LGPL-2.1-only"),
        ] {
            assert_eq!(normalise(text).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn what_nobody_can_tell_is_told_as_such() {
        for text in [
            "",
            "UNKNOWN",
            "SEE LICENSE IN LICENSE.txt",
            "UNLICENSED",
            "custom",
            "NOASSERTION",
            "MIT with care",
            "GPL-2+ with OpenSSL exception",
            "dual",
            "Part of R 4.2.2",
            "ACME Corp 1.0",
            "(((",
            "or",
            "MIT AND",
            "https://example.com/license",
            "Permission is hereby granted, free of charge",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
        assert_eq!(normalise(&"MIT ".repeat(5000)), None);
        let deep = "(".repeat(2000) + "MIT" + &")".repeat(2000);
        assert_eq!(normalise(&deep).as_deref(), Some("MIT"));
        let deep = "(Expat or ".repeat(300) + "BSD" + &")".repeat(300);
        assert_eq!(normalise(&deep), None);
        let many = "MIT or ".repeat(500) + "ACME";
        assert_eq!(normalise(&many), None);
    }

    #[test]
    fn licences_of_a_package_hold_together() {
        let (all, lost) = of_package(&["GPL-2+ or Artistic", "Expat", "MIT", "ACME"]);
        assert_eq!(
            all.as_deref(),
            Some("(GPL-2.0-or-later OR Artistic-1.0-Perl) AND MIT")
        );
        assert_eq!(lost, ["ACME"]);
        assert_eq!(of_package::<&str>(&[]), (None, Vec::new()));
    }
}
