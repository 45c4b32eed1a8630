//! What all lock files have in common: packages that a project declares, each
//! with its place in the file, and what is wrong with the file.

use std::collections::{HashMap, HashSet};

use seawall_image::{Evidence, View};
use seawall_model::{
    Gap, GapKind, Hash, LineColumn, Origin, Package, Relation, Requirement, Span, TextRange,
};

use crate::{
    Inventory,
    document::{self, Cursor, Document},
    found::{self, MOST_ITEMS, MOST_NAME},
    purl::Purl,
    record::{Reader, Record, Writer},
    requires::Room,
};

/// Bytes of one lock file.
pub(crate) const LOCK_LIMIT: u64 = 128 << 20;
/// Packages of one lock file, and of all of a project: the largest projects
/// have some ten thousand.
pub(crate) const MOST_PACKAGES: usize = 250_000;

/// One declared package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared<'a> {
    /// The purl type, where it is another one than the file's.
    pub(crate) kind: Option<&'static str>,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Named by the project itself, where the file tells.
    pub(crate) direct: Option<bool>,
    pub(crate) development: bool,
    /// The stretch that names it.
    pub(crate) span: Span,
    /// Where it comes from, if not from the ecosystem's registry: a purl
    /// qualifier.
    pub(crate) from: Option<(&'static str, String)>,
    /// Digests of its archive, where the file has them.
    pub(crate) hashes: Vec<Hash>,
    /// What it asks for, where the file says so.
    pub(crate) requires: Vec<Requirement>,
    /// Its licences, where the file has them.
    pub(crate) licenses: Vec<String>,
}

/// Gathers the packages of one file.
pub(crate) struct Declarations<'a> {
    kind: &'static str,
    cursor: Cursor<'a>,
    seen: HashMap<(&'static str, String, String, String), usize>,
    kept: Vec<Kept>,
    is_over: bool,
    problem: Option<(String, usize)>,
    has_gap: bool,
    room: Room,
    out: Writer,
}

/// A package and where it was first named.
struct Kept {
    kind: &'static str,
    name: String,
    version: String,
    relation: Relation,
    range: TextRange,
    from: Option<(&'static str, String)>,
    hashes: Vec<Hash>,
    requires: Vec<Requirement>,
    licenses: Vec<String>,
}

/// Marks a record that is the path of a file that this one includes.
const INCLUDES: &str = "!includes";
/// Marks a file that was read, whatever it holds.
const READ: &str = "!read";

/// Marks a name under which the project's manifest may ask for a package.
const KEY: &str = "!key";

/// Marks a remark about the whole file.
const REMARK: &str = "!remark";

/// How an ecosystem reads the text of its file; an error is what is wrong with
/// all of it.
pub(crate) type Parse = fn(&str, &mut Declarations<'_>) -> Result<(), String>;

/// The evidence of a file: the packages that `parse` finds in it and what is
/// wrong with it.
pub(crate) fn evidence(kind: &'static str, bytes: &[u8], parse: Parse) -> Option<Vec<u8>> {
    let document = Document::new(bytes);
    let document::Sides { texts, conflict } = document.sides();
    let mut out = Declarations {
        kind,
        cursor: document.cursor(),
        seen: HashMap::new(),
        kept: Vec::new(),
        is_over: false,
        problem: None,
        has_gap: false,
        room: Room::default(),
        out: Writer::default(),
    };
    for text in &texts {
        if let Err(reason) = parse(text, &mut out) {
            out.gap(GapKind::Damaged, &reason);
        }
    }
    if let Some(offset) = conflict {
        let reason = format!(
            "it holds a merge conflict that nobody has resolved ({}): the packages of both sides \
             are listed",
            out.place(offset)
        );
        out.gap(GapKind::Damaged, &reason);
    }
    if let Some(offset) = document.broken {
        let reason = format!("it holds bytes that are no text ({})", out.place(offset));
        out.gap(GapKind::Damaged, &reason);
    }
    out.finish()
}

impl Declarations<'_> {
    /// Adds a package. The first place of a name and version counts; it is
    /// direct when any place says so, and for development only when all do.
    pub(crate) fn push(&mut self, one: &Declared<'_>) {
        if one.name.len().max(one.version.len()) > MOST_NAME {
            self.problem(
                one.span.start,
                "a package's name or version is no such thing",
            );
            return;
        }
        if one.name.is_empty() {
            return;
        }
        let requires = self.room.keep(&one.requires);
        let from = one.from.clone().filter(|(_, value)| !value.is_empty());
        let kind = one.kind.unwrap_or(self.kind);
        let key = (
            kind,
            one.name.to_owned(),
            one.version.to_owned(),
            from.clone().unwrap_or_default().1,
        );
        if let Some(kept) = self.seen.get(&key).and_then(|at| self.kept.get_mut(*at)) {
            kept.relation.direct = kept.relation.direct.max(one.direct);
            kept.relation.development &= one.development;
            return;
        }
        if !self.has_room(self.kept.len()) {
            return;
        }
        for reason in found::too_many(&one.requires, &one.licenses, &one.hashes) {
            self.gap(GapKind::Limit, &reason);
        }
        let range = self.range(one.span);
        self.seen.insert(key, self.kept.len());
        self.kept.push(Kept {
            kind,
            name: one.name.to_owned(),
            version: one.version.to_owned(),
            relation: Relation {
                direct: one.direct,
                development: one.development,
            },
            range,
            from,
            hashes: one.hashes.iter().take(MOST_ITEMS).cloned().collect(),
            requires: requires.to_vec(),
            licenses: found::short(&one.licenses).cloned().collect(),
        });
    }

    /// The requirements of a package: see [`Room::gather`].
    pub(crate) fn gather<'t>(
        &self,
        targets: impl IntoIterator<Item = (&'t str, Option<&'t str>)>,
    ) -> Vec<Requirement> {
        self.room.gather(targets)
    }

    /// Whether there is room for more entries than `count`; says it when there
    /// is none. For what must be gathered before it can be added.
    pub(crate) fn has_room(&mut self, count: usize) -> bool {
        self.is_over |= count >= MOST_PACKAGES;
        count < MOST_PACKAGES
    }

    /// Whether some entries found no room.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Says that something in the file could not be used.
    pub(crate) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.has_gap = true;
        self.out.gap(kind, reason);
    }

    /// Says that one entry is damaged: the first becomes a gap with its place,
    /// the others are counted in it.
    pub(crate) fn problem(&mut self, offset: usize, what: &str) {
        match &mut self.problem {
            Some((_, more)) => *more += 1,
            None => self.problem = Some((format!("{what} ({})", self.place(offset)), 0)),
        }
    }

    /// Whether anything was said to be wrong.
    pub(crate) fn has_problem(&self) -> bool {
        self.has_gap || self.problem.is_some()
    }

    /// Says that the file includes another one, relative to its own folder.
    pub(crate) fn includes(&mut self, path: &str) {
        self.out.push(&[INCLUDES, path]);
    }

    /// Notes that the file was read: others may include it.
    pub(crate) fn read(&mut self) {
        self.out.push(&[READ]);
    }

    /// Adds a record as it is, for an ecosystem with a `read` of its own.
    pub(crate) fn record(&mut self, fields: &[&str]) {
        self.out.push(fields);
    }

    /// Where a stretch of the text stands in the file.
    pub(crate) fn range(&mut self, span: Span) -> TextRange {
        TextRange {
            span: Span::new(self.cursor.offset(span.start), self.cursor.offset(span.end)),
            start: self.cursor.place(span.start),
            end: self.cursor.place(span.end),
        }
    }

    /// Notes that a manifest which asks for `asked` gets the package of this
    /// name and version.
    pub(crate) fn answers(&mut self, asked: &str, name: &str, version: &str) {
        self.out.push(&[KEY, asked, name, version]);
    }

    /// Notes something about the whole file, for what reads its evidence.
    pub(crate) fn remark(&mut self, text: &str) {
        self.out.push(&[REMARK, text]);
    }

    /// Line and column of a byte, for messages.
    pub(crate) fn place(&mut self, offset: usize) -> String {
        let LineColumn { line, column } = self.cursor.place(offset);
        format!("line {line}, column {column}")
    }

    /// The line of a byte.
    pub(crate) fn line(&mut self, offset: usize) -> u32 {
        self.cursor.place(offset).line
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        if let Some((reason, more)) = self.problem.take() {
            let reason = match more {
                0 => reason,
                _ => format!("{reason}, and {more} more entries are damaged"),
            };
            self.gap(GapKind::Damaged, &reason);
        }
        if let Some(reason) = self.room.gap() {
            self.gap(GapKind::Limit, &reason);
        }
        if self.is_over {
            let reason = format!("there are more than {MOST_PACKAGES} packages");
            self.gap(GapKind::Limit, &reason);
        }
        for one in &self.kept {
            let [a, b, c, d, e, f] = &range_fields(one.range);
            let direct = match one.relation.direct {
                Some(true) => "1",
                Some(false) => "0",
                None => "",
            };
            let development = if one.relation.development { "1" } else { "" };
            let (key, value) = one
                .from
                .as_ref()
                .map_or(("", ""), |(key, value)| (*key, value.as_str()));
            self.out.push(&[
                one.kind,
                &one.name,
                &one.version,
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
                &found::join(one.hashes.iter().map(Hash::to_string)),
                &found::join_requirements(&one.requires),
                &found::join(&one.licenses),
            ]);
        }
        self.out.finish()
    }
}

/// A place in a file, as fields of a record.
pub(crate) fn range_fields(range: TextRange) -> [String; 6] {
    let TextRange { span, start, end } = range;
    [
        span.start as u64,
        span.end as u64,
        start.line.into(),
        start.column.into(),
        end.line.into(),
        end.column.into(),
    ]
    .map(|number| number.to_string())
}

/// The place that the fields from `first` on tell.
pub(crate) fn range_of(record: &Record<'_>, first: usize) -> TextRange {
    let number = |index: usize| record.get(first + index).parse::<u64>().unwrap_or(0);
    let small = |index: usize| u32::try_from(number(index)).unwrap_or(0);
    let offset = |index: usize| usize::try_from(number(index)).unwrap_or(0);
    let place = |line: usize, column: usize| LineColumn {
        line: small(line),
        column: small(column),
    };
    TextRange {
        span: Span::new(offset(0), offset(1)),
        start: place(2, 3),
        end: place(4, 5),
    }
}

/// Turns the evidence of `analyser` into packages.
pub(crate) fn read(analyser: &str, view: &View, inventory: &mut Inventory) {
    let all: HashSet<&str> = view
        .of(analyser)
        .map(|evidence| evidence.path.as_str())
        .collect();
    let mut declared = inventory.packages.len();
    for evidence in view.of(analyser) {
        let mut is_over = false;
        for record in Reader::new(&evidence.data) {
            if let Some(gap) = record.gap(&evidence.path) {
                inventory.gaps.push(gap);
                continue;
            }
            match record.get(0) {
                READ | KEY | REMARK => {}
                INCLUDES => {
                    let path = record.get(1);
                    let target = document::beside(&evidence.path, path);
                    if !target.is_some_and(|target| all.contains(target.as_str())) {
                        let reason = format!("it includes `{path}`, which is not there");
                        let gap = Gap::new(GapKind::Missing, evidence.path.clone(), reason);
                        inventory.gaps.push(gap);
                    }
                }
                _ if declared >= MOST_PACKAGES => is_over = true,
                _ => {
                    declared += 1;
                    let package = package(&record, evidence, !view.layers.is_empty());
                    inventory.packages.push(package);
                }
            }
        }
        if is_over {
            let reason = format!("with it there are more than {MOST_PACKAGES} packages");
            let gap = Gap::new(GapKind::Limit, evidence.path.clone(), reason);
            inventory.gaps.push(gap);
        }
    }
}

/// Whether [`Declarations::remark`] noted this.
pub(crate) fn has_remark(evidence: &Evidence, text: &str) -> bool {
    Reader::new(&evidence.data).any(|record| record.get(0) == REMARK && record.get(1) == text)
}

/// What the lock file says of what manifests ask for, as [`Declarations::answers`]
/// noted it: asked, name and version.
pub(crate) fn answers(evidence: &Evidence) -> impl Iterator<Item = [&str; 3]> {
    Reader::new(&evidence.data)
        .filter(|record| record.get(0) == KEY)
        .map(|record| [record.get(1), record.get(2), record.get(3)])
}

fn package(record: &Record<'_>, evidence: &Evidence, has_layers: bool) -> Package {
    let (name, version) = (record.get(1), record.get(2));
    // The kind is one of the constants that ecosystems pass to `lock_file!`;
    // the cache gives it back as text.
    let kind = record.get(0).to_owned();
    let purl = Purl::new(&kind, name, version);
    let purl = match record.get(11) {
        "" => purl,
        key => purl.qualifier(key, record.get(12)),
    };
    let purl = purl.build();
    let origin = Origin {
        path: evidence.path.clone(),
        layer: has_layers.then_some(evidence.layer),
        range: Some(range_of(record, 5)),
        ..Origin::default()
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
        hashes: found::split(record.get(13))
            .filter_map(Hash::parse)
            .collect(),
        requires: found::requirements(record.get(14)),
        licenses: found::split(record.get(15)).map(str::to_owned).collect(),
        ..Package::new(kind, name, version, purl, origin)
    }
}

/// The purl qualifier of a package that comes from a Git repository, in the
/// form that SPDX has (7.7, "Package download location"):
/// `git+https://host/path@revision`. The address may bear a `git+` in front, a
/// query and the revision as its fragment, as Cargo, npm and uv write it.
pub(crate) fn git(address: &str, revision: Option<&str>) -> (&'static str, String) {
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    let address = address.split('?').next().unwrap_or(address);
    let address = address.strip_prefix("git+").unwrap_or(address);
    let url = match revision.unwrap_or(fragment) {
        "" => format!("git+{address}"),
        revision => format!("git+{address}@{revision}"),
    };
    ("vcs_url", url)
}

/// Where `part`, a piece of `text`, lies in it. Pieces that are no part of it
/// (a string with escapes that a parser had to copy) have no place.
pub(crate) fn span_of(text: &str, part: &str) -> Option<Span> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then(|| Span::new(start, end))
}

/// Defines the analyser of a lock file: its unit struct, interests and parser;
/// where several files make the packages, also what turns evidence into them.
/// With a manifest's analyser and a function `(&View, &mut Inventory)` behind
/// them, what the manifest beside the file says is added to the packages.
macro_rules! lock_file {
    ($name:literal, $kind:literal, [$($interest:expr),+ $(,)?], $parse:path) => {
        $crate::declared::lock_file!(
            $name,
            $kind,
            [$($interest),+],
            $parse,
            |view, inventory| $crate::declared::read($name, view, inventory)
        );
    };
    ($name:literal, $kind:literal, [$($interest:expr),+ $(,)?], $parse:path, $read:expr) => {
        $crate::declared::lock_file!(@ $name, $kind, [$($interest),+], $parse, [], $read);
    };
    (
        $name:literal, $kind:literal, [$($interest:expr),+ $(,)?], $parse:path,
        [$($manifest:expr)?], $finish:expr
    ) => {
        $crate::declared::lock_file!(
            @ $name, $kind, [$($interest),+], $parse, [$($manifest)?],
            |view, inventory| {
                $crate::declared::read($name, view, inventory);
                let finish: fn(&seawall_image::View, &mut $crate::Inventory) = $finish;
                finish(view, inventory);
            }
        );
    };
    (
        @ $name:literal, $kind:literal, [$($interest:expr),+], $parse:path,
        [$($manifest:expr)?], $read:expr
    ) => {
        pub(crate) static ECOSYSTEM: $crate::Ecosystem = $crate::Ecosystem {
            name: $name,
            contexts: &[$crate::Context::Project],
            analysers: &[&Lock $(, $manifest)?],
            read: $read,
        };

        struct Lock;

        impl seawall_image::Analyser for Lock {
            fn name(&self) -> &'static str {
                $name
            }

            fn version(&self) -> u32 {
                4
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
                $crate::text::in_memory(&body).map(parse_bytes)
            }
        }

        fn parse_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
            $crate::declared::evidence($kind, bytes, $parse)
        }
    };
}
pub(crate) use lock_file;
