//! Each detector as a rule with a page.

use std::{
    fmt::Write as _,
    sync::{LazyLock, OnceLock},
};

use seawall_model::Rule;

use crate::{Detector, expand};

/// The detectors, sorted by id. A page looks for the secret in its example,
/// which takes the whole engine: it is made when it is asked for.
static RULES: LazyLock<Vec<(&'static Detector, OnceLock<Rule>)>> = LazyLock::new(|| {
    let mut rules: Vec<_> = crate::detectors()
        .map(|detector| (detector, OnceLock::new()))
        .collect();
    rules.sort_by_key(|(detector, _)| detector.id);
    rules
});

/// A rule for each detector, sorted by id.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES
        .iter()
        .map(|(detector, rule)| rule.get_or_init(|| made(detector)))
}

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    let at = RULES
        .binary_search_by_key(&id, |(detector, _)| detector.id)
        .ok()?;
    let (detector, rule) = RULES.get(at)?;
    Some(rule.get_or_init(|| made(detector)))
}

fn made(detector: &'static Detector) -> Rule {
    Rule {
        id: detector.id,
        summary: detector.summary,
        // Made once in the life of the process, as long-lived as a constant.
        doc: String::leak(page(detector)),
        severity: detector.severity,
        confidence: detector.confidence,
        aliases: detector.aliases,
        references: detector.references,
    }
}

fn page(detector: &Detector) -> String {
    let mut page = format!("## What it finds\n{}.\n", capital(detector.summary));
    if let Some(example) = detector.finds.first() {
        let text = crate::redact(path(detector), &expand(example));
        let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
        let _ = write!(
            page,
            "\nFor example, with the secret cut off:\n\n{}\n",
            lines.join("\n")
        );
    }
    page.push_str(
        "\n## Why is this bad?\n\
         Whoever can read the file, or pull the image, can use it. In an image it stays\n\
         readable in its layer even where a later layer removes or replaces the file.\n\
         \n## How it decides\n",
    );
    if detector.keywords.is_empty() {
        page.push_str("It reads the start of files of certain names");
    } else {
        let words: Vec<String> = detector
            .keywords
            .iter()
            .map(|word| format!("`{word}`"))
            .collect();
        let _ = write!(
            page,
            "It looks where one of these words stands: {}",
            words.join(", ")
        );
    }
    if !detector.files.is_empty() {
        let files: Vec<String> = detector
            .files
            .iter()
            .map(|file| format!("`{file}`"))
            .collect();
        let _ = write!(
            page,
            "; in files whose path ends in one of {}",
            files.join(", ")
        );
    }
    page.push_str(".\n");
    if detector.check.is_some() {
        page.push_str("What has the right form is checked further: its checksum, its encoding or its parts.\n");
    }
    page.push_str(
        "Placeholders, references to variables and values that are not random enough are\n\
         passed over, and so are the tests and manuals of installed packages.\n\
         \n## What to do\n\
         Take it for known to others: withdraw it where it was issued, and issue another.\n\
         Then keep it out: give it to a build with `RUN --mount=type=secret`, to a running\n\
         container with its engine's secrets. Removing the file in a later layer does not\n\
         help; build the image anew without it.\n",
    );
    page
}

/// A path at which the detector looks.
fn path(detector: &Detector) -> &'static str {
    match detector.files.first() {
        Some(file) if file.ends_with('*') => ".env",
        Some(file) => file,
        None => "text",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>());
    first.unwrap_or_default() + chars.as_str()
}
