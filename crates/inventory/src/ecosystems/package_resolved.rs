//! Package.resolved, versions 1 to 3 (Swift Package Manager,
//! `ResolvedPackagesStore`).

use seawall_model::{GapKind, Span};
use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, git, lock_file, span_of},
    json::{self, Key},
    swift::name_of,
};

lock_file!(
    "package-resolved",
    "swift",
    [Interest::Name("Package.resolved")],
    parse
);

/// The newest version of the format that is known.
const NEWEST: u64 = 3;

#[derive(Deserialize)]
struct Pin<'a> {
    #[serde(borrow)]
    identity: Option<Key<'a>>,
    #[serde(borrow)]
    kind: Option<Key<'a>>,
    /// Versions 2 and 3.
    #[serde(borrow)]
    location: Option<Key<'a>>,
    /// Version 1.
    #[serde(borrow, rename = "repositoryURL")]
    address: Option<Key<'a>>,
    #[serde(borrow, default)]
    state: State<'a>,
}

#[derive(Default, Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    revision: Option<Key<'a>>,
    #[serde(borrow)]
    version: Option<Key<'a>>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "Swift", &["pins", "object/*"], "version", out)?;
    if sections.found.is_empty() {
        return Err("it is no lock file of Swift: it has no `pins`".to_owned());
    }
    if sections.number.is_some_and(|version| version > NEWEST) {
        let reason = "its format is newer than what is known of Swift";
        out.gap(GapKind::Unsupported, reason);
    }
    for entry in &sections.entries {
        // Version 1 has them below `object`.
        if entry.section == 0 || entry.group == "pins" {
            read(text, entry, out);
        }
    }
    Ok(())
}

fn read(text: &str, entry: &json::Entry<'_>, out: &mut Declarations<'_>) {
    let Some(pin) = json::entry::<Pin<'_>>(text, entry.value, out) else {
        return;
    };
    let span = span_of(text, entry.value.get()).unwrap_or_default();
    // A folder of this machine.
    if matches!(
        text_of(&pin.kind),
        Some("localSourceControl" | "fileSystem")
    ) {
        return;
    }
    let version = text_of(&pin.state.version).unwrap_or_default();
    let revision = text_of(&pin.state.revision);
    let address = text_of(&pin.location).or(text_of(&pin.address));
    let place = |part: &str| span_of(text, part).unwrap_or(Span::new(span.start, span.start + 1));
    let (name, from, span) = match (address, text_of(&pin.identity)) {
        (Some(address), _) => {
            // What no version names is at a branch or a revision.
            let from = version.is_empty().then(|| git(address, revision));
            (name_of(address), from, place(address))
        }
        // A registry's package goes by `scope.name`.
        (None, Some(identity)) => (identity.to_owned(), None, place(identity)),
        (None, None) => {
            out.problem(span.start, "a package has no name");
            return;
        }
    };
    if version.is_empty() && revision.is_none() {
        out.problem(span.start, "a package has no version");
        return;
    }
    out.push(&Declared {
        name: &name,
        version,
        span,
        from,
        ..Declared::default()
    });
}

fn text_of<'k>(key: &'k Option<Key<'_>>) -> Option<&'k str> {
    key.as_ref()
        .map(AsRef::as_ref)
        .filter(|text: &&str| !text.is_empty())
}
