//! TOML with spans, for lock files, one table at a time: one that is damaged
//! does not hide the others, and only one lies in memory.

use seawall_model::{GapKind, Span};
use toml_span::{Value, value::ValueInner};

use crate::declared::Declarations;

/// Bytes of one table. Poetry 1.0 kept the hashes of all files in one, some
/// megabytes of them.
const MOST_TABLE: usize = 16 << 20;

/// Hands every table of the document to `with`, in order: each piece is a
/// document of its own that starts at a line such as `[[package]]` or
/// `[metadata]` and holds the tables below it (`[package.source]`); `offset`
/// is where it starts, for [`span`]. Keys before the first come first.
///
/// The lines are told by their look: tools write no such line inside a value.
/// Where one stands in a string both pieces are damaged, and said to be.
pub(crate) fn tables(
    text: &str,
    out: &mut Declarations<'_>,
    with: impl FnMut(&Value<'_>, usize, &mut Declarations<'_>),
) {
    pieces(text, heads(text), out, with);
}

/// The same where the pieces start at other places.
pub(crate) fn pieces(
    text: &str,
    starts: impl Iterator<Item = usize>,
    out: &mut Declarations<'_>,
    mut with: impl FnMut(&Value<'_>, usize, &mut Declarations<'_>),
) {
    let mut start = 0;
    for end in starts.filter(|at| *at > 0).chain([text.len()]) {
        let piece = text.get(start..end).unwrap_or_default();
        let offset = std::mem::replace(&mut start, end);
        if piece.len() > MOST_TABLE {
            let reason = format!(
                "a table has more than {MOST_TABLE} bytes ({})",
                out.place(offset)
            );
            out.gap(GapKind::Limit, &reason);
            continue;
        }
        match toml_span::parse(piece) {
            Ok(table) => with(&table, offset, out),
            Err(error) => {
                let what = format!("it is no TOML: {}", error.kind);
                out.problem(offset + error.span.start, &what);
            }
        }
    }
}

/// Where lines stand that open a table of the document.
fn heads(text: &str) -> impl Iterator<Item = usize> {
    let mut offset = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = offset;
        offset += line.len();
        let name = line.split('#').next()?.trim_end();
        let name = match name.strip_prefix("[[") {
            Some(name) => name.strip_suffix("]]")?,
            None => name.strip_prefix('[')?.strip_suffix(']')?,
        };
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        name.trim().bytes().all(is_key).then_some(start)
    })
}

/// The value under `key` of a table.
pub(crate) fn get<'v, 'a>(value: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    match value.as_ref() {
        ValueInner::Table(table) => table.get(key),
        _ => None,
    }
}

/// The text under `key` of a table.
pub(crate) fn text<'v>(value: &'v Value<'_>, key: &str) -> Option<&'v str> {
    get(value, key)?.as_str()
}

/// The items of the array under `key`; none when there is no array.
pub(crate) fn items<'v, 'a>(value: &'v Value<'a>, key: &str) -> &'v [Value<'a>] {
    get(value, key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The entries of the table under `key`.
pub(crate) fn entries<'v, 'a>(
    value: &'v Value<'a>,
    key: &str,
) -> impl Iterator<Item = (&'v str, &'v Value<'a>)> {
    let table = get(value, key).and_then(Value::as_table);
    table
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.name.as_ref(), value))
}

/// Where a value stands, in a piece that starts at `offset`.
pub(crate) fn span(value: &Value<'_>, offset: usize) -> Span {
    Span::new(offset + value.span.start, offset + value.span.end)
}

/// The name and version of a package, and where the name stands; says that one
/// is missing.
pub(crate) fn package<'v>(
    package: &'v Value<'_>,
    offset: usize,
    out: &mut Declarations<'_>,
) -> Option<(&'v str, &'v str, Span)> {
    let name = get(package, "name");
    let text = name.and_then(Value::as_str);
    if let (Some(name), Some(text), Some(version)) = (name, text, self::text(package, "version")) {
        return Some((text, version, span(name, offset)));
    }
    let start = span(package, offset).start;
    out.problem(start, "a package has no name or no version");
    None
}

/// What a lock file in TOML says of itself.
#[derive(Debug, Default)]
pub(crate) struct Format {
    is_known: bool,
    is_newer: bool,
}

impl Format {
    /// Looks whether a table has one of the `keys` of such a file, or a
    /// package.
    pub(crate) fn look(&mut self, table: &Value<'_>, keys: &[&str]) {
        self.is_known |= keys.iter().any(|key| get(table, key).is_some());
    }

    /// Compares the version of the format with the newest that is known.
    pub(crate) fn version(&mut self, found: Option<i64>, newest: i64) {
        self.is_newer |= found.is_some_and(|found| found > newest);
    }

    /// Says what is odd: an empty file is no list without packages.
    pub(crate) fn finish(&self, tool: &str, out: &mut Declarations<'_>) -> Result<(), String> {
        if self.is_newer {
            let reason = format!("its format is newer than what is known of {tool}");
            out.gap(GapKind::Unsupported, &reason);
        }
        if self.is_known || out.has_problem() {
            return Ok(());
        }
        Err(format!("it is no lock file of {tool}: it has no package"))
    }
}
