//! Secrets as evidence of files, and as findings.

mod config;
mod evidence;

use std::collections::BTreeMap;

use seawall_image::{Analyser, Body, Entry, Evidence, ImageConfig, Interest, Need, Stream, View};
use seawall_model::{Finding, Fingerprint, Gap, GapKind, Location, Severity, TextRange};
use seawall_secrets::{Detector, Scanner};

use evidence::Seen;

/// The analyser's name.
const NAME: &str = "secrets";

/// Looks for secrets in every regular file.
pub(crate) struct Secrets;

impl Analyser for Secrets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        // The table's own number, and the form of the evidence.
        seawall_secrets::version() ^ evidence::FORM
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Any]
    }

    fn wants(&self, path: &str) -> bool {
        seawall_secrets::wants(path)
    }

    fn need(&self) -> Need {
        Need::Stream
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    fn begin(&self, entry: &Entry<'_>) -> Option<Box<dyn Stream + '_>> {
        (entry.size > 0).then(|| {
            let looking: Box<dyn Stream> = Box::new(Looking(Scanner::new(entry.path, entry.size)));
            looking
        })
    }
}

struct Looking(Scanner);

impl Stream for Looking {
    fn feed(&mut self, bytes: &[u8]) -> bool {
        self.0.feed(bytes)
    }

    fn end(self: Box<Self>) -> Result<Option<Vec<u8>>, String> {
        Ok(evidence::encode(&self.0.finish()))
    }
}

/// A secret in one state of a file.
struct Place<'a> {
    evidence: &'a Evidence,
    seen: Seen,
}

/// The secrets in a target's files and configuration, and what was left out.
pub(crate) fn findings(view: &View, config: &ImageConfig) -> (Vec<Finding>, Vec<Gap>) {
    let mut gaps = Vec::new();
    // The same secret in the same file is one finding, in whichever layers that
    // file lies.
    let mut places: BTreeMap<(&str, &str, u16), Vec<Place<'_>>> = BTreeMap::new();
    // The visible state of a file comes first.
    let states = view.files.iter().chain(&view.hidden);
    for evidence in states.filter(|one| one.analyser == NAME) {
        let Some(decoded) = evidence::decode(&evidence.data) else {
            let reason = "the evidence of secrets in it is damaged";
            gaps.push(Gap::new(GapKind::Damaged, evidence.path.clone(), reason));
            continue;
        };
        if decoded.more {
            let reason = "it holds more secrets than are kept of one file";
            gaps.push(Gap::new(GapKind::Limit, evidence.path.clone(), reason));
        }
        for seen in decoded.secrets {
            let key = (evidence.path.as_str(), seen.detector.id, seen.mark);
            places
                .entry(key)
                .or_default()
                .push(Place { evidence, seen });
        }
    }
    let mut findings: Vec<Finding> = places
        .into_values()
        .filter_map(|places| of_places(&places, !view.layers.is_empty()))
        .collect();
    findings.extend(config::findings(config));
    (findings, gaps)
}

/// One finding of a secret in all states of one file: the visible one first.
fn of_places(places: &[Place<'_>], has_layers: bool) -> Option<Finding> {
    let first = places.first()?;
    let (evidence, seen) = (first.evidence, &first.seen);
    let location = |place: &Place<'_>| Location::File {
        path: place.evidence.path.clone(),
        layer: has_layers.then_some(place.evidence.layer),
        range: Some(place.seen.range),
    };
    let mut message = what(seen.detector, &seen.shown);
    if let Some(by) = evidence.hidden_by {
        let (own, by) = (evidence.layer + 1, by + 1);
        message += &format!(
            " stays readable in layer {own}, though layer {by} removes or replaces the file"
        );
    }
    if let Some(note) = &seen.note {
        message += &format!(" ({note})");
    }
    Some(Finding {
        location: location(first),
        related: places.iter().skip(1).map(location).collect(),
        ..finding(
            seen.detector,
            message,
            severity(seen.detector, seen.note.is_some()),
            &evidence.path,
            seen.mark,
        )
    })
}

/// A key that a passphrase protects is no open door.
fn severity(detector: &Detector, is_protected: bool) -> Severity {
    if is_protected {
        detector.severity.min(Severity::Medium)
    } else {
        detector.severity
    }
}

/// What was found, with as much of it as may be shown.
fn what(detector: &Detector, shown: &str) -> String {
    match shown {
        "…" => detector.summary.to_owned(),
        shown => format!("{} `{shown}`", detector.summary),
    }
}

fn finding(
    detector: &'static Detector,
    message: String,
    severity: Severity,
    path: &str,
    mark: u16,
) -> Finding {
    Finding {
        target: 0,
        rule: detector.id,
        aliases: detector
            .aliases
            .iter()
            .copied()
            .map(str::to_owned)
            .collect(),
        severity,
        confidence: detector.confidence,
        message,
        fingerprint: Fingerprint::of(&[detector.id, path, &format!("{mark:04x}")]),
        location: Location::Target,
        related: Vec::new(),
        package: None,
        vulnerability: None,
        fix: None,
    }
}

/// What a step or a command of an image says, as reports may show it.
pub(crate) fn redacted(step: &str) -> String {
    seawall_secrets::redact(config::STEP, step)
}

fn range(secret: &seawall_secrets::Secret) -> TextRange {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    TextRange {
        span: seawall_model::Span::new(
            number(secret.offset),
            number(secret.offset.saturating_add(secret.length)),
        ),
        start: secret.start,
        end: secret.end,
    }
}
