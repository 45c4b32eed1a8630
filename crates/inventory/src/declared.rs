//! What all lock files have in common: packages that a project declares, each
//! with its place in the file.

use std::collections::HashSet;

use seawall_image::{Evidence, View};
use seawall_model::{
    Gap, GapKind, LineColumn, LineIndex, Origin, Package, Relation, Span, TextRange,
};

use crate::{
    Inventory,
    purl::Purl,
    record::{Reader, Writer},
};

/// Bytes of one lock file.
pub(crate) const LOCK_LIMIT: u64 = 128 << 20;

/// One declared package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Named by the project itself, where the file tells.
    pub(crate) direct: Option<bool>,
    pub(crate) development: bool,
    /// The stretch that names it.
    pub(crate) span: Span,
    /// Where it comes from, if not from the ecosystem's registry: a purl
    /// qualifier.
    pub(crate) from: Option<(&'static str, &'a str)>,
}

/// Gathers the packages of one file.
pub(crate) struct Declarations<'a> {
    kind: &'static str,
    index: LineIndex<'a>,
    seen: HashSet<(String, String)>,
    out: Writer,
}

/// Marks a record that is a gap.
const GAP: &str = "!gap";

impl<'a> Declarations<'a> {
    /// For the purl type `kind`, over the file's text.
    pub(crate) fn new(kind: &'static str, text: &'a str) -> Self {
        Declarations {
            kind,
            index: LineIndex::new(text.as_bytes()),
            seen: HashSet::new(),
            out: Writer::default(),
        }
    }

    /// Adds a package; the first place of a name and version counts.
    pub(crate) fn push(&mut self, one: &Declared<'_>) {
        if one.name.is_empty()
            || !self
                .seen
                .insert((one.name.to_owned(), one.version.to_owned()))
        {
            return;
        }
        let range = TextRange::new(&self.index, one.span);
        let numbers = [
            range.span.start as u64,
            range.span.end as u64,
            range.start.line.into(),
            range.start.column.into(),
            range.end.line.into(),
            range.end.column.into(),
        ]
        .map(|number| number.to_string());
        let [a, b, c, d, e, f] = &numbers;
        let direct = match one.direct {
            Some(true) => "1",
            Some(false) => "0",
            None => "",
        };
        let development = if one.development { "1" } else { "" };
        let (key, value) = one.from.unwrap_or_default();
        self.out.push(&[
            self.kind,
            one.name,
            one.version,
            direct,
            development,
            a,
            b,
            c,
            d,
            e,
            f,
            key,
            value,
        ]);
    }

    /// Says that something in the file could not be used.
    pub(crate) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.out.push(&[GAP, kind.as_str(), reason]);
    }

    /// Line and column of a byte, for messages.
    pub(crate) fn place(&self, offset: usize) -> String {
        let LineColumn { line, column } = self.index.line_column(offset);
        format!("line {line}, column {column}")
    }

    /// The evidence.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        self.out.finish()
    }
}

/// Turns the evidence of `analyser` into packages.
pub(crate) fn read(analyser: &str, view: &View, inventory: &mut Inventory) {
    for evidence in view.of(analyser) {
        for record in Reader::new(&evidence.data) {
            if record.get(0) == GAP {
                const KINDS: [GapKind; 3] =
                    [GapKind::Unsupported, GapKind::Missing, GapKind::Damaged];
                let kind = KINDS
                    .into_iter()
                    .find(|kind| kind.as_str() == record.get(1));
                inventory.gaps.push(Gap::new(
                    kind.unwrap_or(GapKind::Unsupported),
                    evidence.path.clone(),
                    record.get(2),
                ));
                continue;
            }
            inventory
                .packages
                .push(package(&record, evidence, !view.layers.is_empty()));
        }
    }
}

fn package(record: &crate::record::Record<'_>, evidence: &Evidence, has_layers: bool) -> Package {
    let number = |index: usize| record.get(index).parse::<u64>().unwrap_or(0);
    let small = |index: usize| u32::try_from(number(index)).unwrap_or(0);
    let offset = |index: usize| usize::try_from(number(index)).unwrap_or(0);
    let (name, version) = (record.get(1), record.get(2));
    // The kind is one of the constants that ecosystems pass to
    // `Declarations::new`; the cache gives it back as text.
    let kind = record.get(0).to_owned();
    let purl = Purl::new(&kind, name, version);
    let purl = match record.get(11) {
        "" => purl,
        key => purl.qualifier(key, record.get(12)),
    };
    let purl = purl.build();
    let range = TextRange {
        span: Span::new(offset(5), offset(6)),
        start: LineColumn {
            line: small(7),
            column: small(8),
        },
        end: LineColumn {
            line: small(9),
            column: small(10),
        },
    };
    let origin = Origin {
        path: evidence.path.clone(),
        layer: has_layers.then_some(evidence.layer),
        range: Some(range),
    };
    Package {
        relation: Relation {
            direct: match record.get(3) {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            },
            development: record.get(4) == "1",
        },
        ..Package::new(kind, name, version, purl, origin)
    }
}

/// Where `part`, a piece of `text`, lies in it. Pieces that are no part of it
/// (a string with escapes that a parser had to copy) have no place.
pub(crate) fn span_of(text: &str, part: &str) -> Option<Span> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then(|| Span::new(start, end))
}

/// Defines the analyser of a lock file: its unit struct, interests and parser.
macro_rules! lock_file {
    ($name:literal, $kind:literal, [$($interest:expr),+ $(,)?], $parse:path) => {
        pub(crate) static ECOSYSTEM: $crate::Ecosystem = $crate::Ecosystem {
            name: $name,
            contexts: &[$crate::Context::Project],
            analysers: &[&Lock],
            read: |view, inventory| $crate::declared::read($name, view, inventory),
        };

        struct Lock;

        impl seawall_image::Analyser for Lock {
            fn name(&self) -> &'static str {
                $name
            }

            fn version(&self) -> u32 {
                1
            }

            fn interests(&self) -> &'static [seawall_image::Interest] {
                use seawall_image::Interest;
                &[$($interest),+]
            }

            fn need(&self) -> seawall_image::Need {
                seawall_image::Need::Whole($crate::declared::LOCK_LIMIT)
            }

            fn analyse(
                &self,
                _: &seawall_image::Entry<'_>,
                body: seawall_image::Body<'_>,
            ) -> Result<Option<Vec<u8>>, String> {
                let text = $crate::text::lossy(&body)?;
                // A byte order mark is no part of the text.
                let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
                let mut out = $crate::declared::Declarations::new($kind, text);
                $parse(text, &mut out)?;
                Ok(out.finish())
            }
        }

        /// Parses the file: for tests with hostile input. The evidence.
        ///
        /// # Errors
        /// What is wrong with it.
        pub fn parse_bytes(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
            let text = String::from_utf8_lossy(bytes);
            let mut out = $crate::declared::Declarations::new($kind, &text);
            $parse(&text, &mut out)?;
            Ok(out.finish())
        }
    };
}
pub(crate) use lock_file;
