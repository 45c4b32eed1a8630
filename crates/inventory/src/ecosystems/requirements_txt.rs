//! requirements.txt and constraints.txt (pip, "Requirements File Format").

use std::borrow::Cow;

use seawall_model::{GapKind, Span};

use crate::{
    declared::{Declarations, Declared, lock_file, span_of},
    python::wheel_version,
};

lock_file!(
    "requirements-txt",
    "pypi",
    [
        Interest::Name(NAMES[0]),
        Interest::Name(NAMES[1]),
        Interest::Name(NAMES[2]),
        Interest::Name(NAMES[3]),
        Interest::Name(NAMES[4]),
        Interest::Name(NAMES[5]),
        Interest::Name(NAMES[6]),
        Interest::Name(NAMES[7]),
        Interest::Name(NAMES[8]),
        Interest::Name(NAMES[9]),
    ],
    parse
);

/// The names that are read.
const NAMES: [&str; 10] = [
    "requirements.txt",
    "requirements.lock",
    "constraints.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements-prod.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
];

/// Requirements that say nothing of a version, and where the first one is.
#[derive(Default)]
struct Count {
    number: usize,
    first: usize,
}

impl Count {
    fn add(&mut self, offset: usize) {
        if self.number == 0 {
            self.first = offset;
        }
        self.number += 1;
    }

    fn finish(&self, kind: GapKind, what: &str, out: &mut Declarations<'_>) {
        if self.number > 0 {
            let line = out.line(self.first);
            let reason = format!(
                "{} requirements {what}; line {line} is the first",
                self.number
            );
            out.gap(kind, &reason);
        }
    }
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    out.read();
    let mut open = Count::default();
    let mut addresses = Count::default();
    for line in logical_lines(text) {
        let code = strip_comment(&line.text).trim();
        if code.is_empty() {
            continue;
        }
        // Options follow the requirement, or stand alone.
        let (requirement, options) = split_options(code);
        if requirement.is_empty() {
            option(options, &line, &mut addresses, out);
            continue;
        }
        match Requirement::read(requirement) {
            Some(Requirement::Pinned { name, version, url }) => {
                let part = |part| line.offset(span_of(&line.text, part).unwrap_or_default());
                let span = match url {
                    Some(url) => Span::new(part(name).start, part(url).end),
                    None => Span::new(part(name).start, part(version).end),
                };
                let from = url.map(|url| ("download_url", url.to_owned()));
                out.push(&Declared {
                    name,
                    version,
                    span,
                    from,
                    ..Declared::default()
                });
            }
            Some(Requirement::Open) => open.add(line.start()),
            Some(Requirement::Address) => addresses.add(line.start()),
            None => out.problem(line.start(), "a line is no requirement"),
        }
    }
    open.finish(
        GapKind::Missing,
        "name no single version (`==`), so that nothing can be said of them",
        out,
    );
    addresses.finish(GapKind::Unsupported, "name an address or a folder", out);
    Ok(())
}

/// A line of options: `-r base.txt`, `--constraint=c.txt`, `-e .`, `--index-url
/// URL`. Only those that bring requirements count.
fn option(options: &str, line: &Logical<'_>, addresses: &mut Count, out: &mut Declarations<'_>) {
    let long = |name: &str| {
        let rest = options.strip_prefix(name)?;
        rest.starts_with(['=', ' ', '\t'])
            .then(|| rest.trim_start_matches('='))
    };
    // A short option may touch its value.
    let short = |name: &str| options.strip_prefix(name);
    if long("--editable").or_else(|| short("-e")).is_some() {
        // A project of this machine or of a repository.
        addresses.add(line.start());
        return;
    }
    let included = long("--requirement")
        .or_else(|| long("--constraint"))
        .or_else(|| short("-r"))
        .or_else(|| short("-c"));
    let Some(path) = included.map(unquoted).filter(|path| !path.is_empty()) else {
        return;
    };
    let is_url = path.contains("://") || path.contains("${");
    let name = path.rsplit(['/', '\\']).next();
    if is_url || !name.is_some_and(|name| NAMES.contains(&name)) {
        let reason = format!("it includes `{path}`, which is not read under that name");
        out.gap(GapKind::Unsupported, &reason);
    } else {
        out.includes(path);
    }
}

/// The first word, which may be in quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim_start();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default();
        }
    }
    text.split_whitespace().next().unwrap_or_default()
}

/// The requirement and the options behind it: those start at the first word
/// with a dash in front (pip, `break_args_options`).
fn split_options(code: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(rest) = code.get(from..) {
        let at = from + (rest.len() - rest.trim_start().len());
        if code.get(at..).is_some_and(|word| word.starts_with('-')) {
            let (requirement, options) = code.split_at_checked(at).unwrap_or((code, ""));
            return (requirement.trim_end(), options);
        }
        let word = code.get(at..).unwrap_or_default();
        match word.find(char::is_whitespace) {
            Some(length) => from = at + length,
            None => break,
        }
    }
    (code, "")
}

/// One requirement (PEP 508, and pip's paths and addresses).
enum Requirement<'a> {
    /// One version and no other will do.
    Pinned {
        name: &'a str,
        version: &'a str,
        /// The wheel that it is installed from.
        url: Option<&'a str>,
    },
    /// Several versions will do.
    Open,
    /// An address or a folder, whose version only what lies there can tell.
    Address,
}

impl<'a> Requirement<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let is_name =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        let is_word = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !is_word || rest.starts_with([':', '/', '\\', '+']) || is_archive(text) {
            return is_place(text).then_some(Requirement::Address);
        }
        let mut rest = rest.trim_start();
        // Extras stand in brackets behind the name.
        if let Some(inner) = rest.strip_prefix('[') {
            rest = inner.split_once(']')?.1.trim_start();
        }
        if let Some(address) = rest.strip_prefix('@') {
            let url = address.split_whitespace().next()?;
            return Some(match wheel_version(url) {
                Some(version) => Requirement::Pinned {
                    name,
                    version,
                    url: Some(url),
                },
                None => Requirement::Address,
            });
        }
        // Markers follow the version.
        let specifier = rest.split(';').next().unwrap_or_default().trim();
        let specifier = specifier
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
            .unwrap_or(specifier);
        if specifier.is_empty() {
            return Some(Requirement::Open);
        }
        let mut pin = None;
        for one in specifier.split(',').map(str::trim) {
            // A comma may end the list.
            if one.is_empty() {
                continue;
            }
            let version = one.trim_start_matches(['=', '<', '>', '!', '~']);
            let sign = one.strip_suffix(version)?;
            let version = version.trim();
            let is_sign = matches!(sign, "==" | "===" | "<" | "<=" | ">" | ">=" | "!=" | "~=");
            if !is_sign || version.is_empty() || version.contains(char::is_whitespace) {
                return None;
            }
            // A variable of the environment is known when pip runs.
            let is_single = !version.ends_with(".*") && !version.contains("${");
            if (sign == "===" || sign == "==") && is_single {
                pin.get_or_insert(version);
            }
        }
        Some(match pin {
            Some(version) => Requirement::Pinned {
                name,
                version,
                url: None,
            },
            None => Requirement::Open,
        })
    }
}

fn is_archive(text: &str) -> bool {
    // `name@address`: the address is one, the name is none.
    if text
        .split_once('@')
        .is_some_and(|(name, _)| !name.contains(['/', '\\']))
    {
        return false;
    }
    let path = text.split([';', ' ', '#']).next().unwrap_or_default();
    let path = path.split('[').next().unwrap_or_default();
    [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// Whether pip takes it for an address or a path.
fn is_place(text: &str) -> bool {
    text.starts_with('.') || text.contains(['/', '\\']) || text.contains("${") || is_archive(text)
}

/// A line with those joined that end in a backslash.
struct Logical<'a> {
    text: Cow<'a, str>,
    /// Where each piece starts: in `text`, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl Logical<'_> {
    /// Where a stretch of the line stands in the file.
    fn offset(&self, span: Span) -> Span {
        let find = |at: usize, is_end: bool| {
            let before = |piece: &&(usize, usize)| piece.0 < at || (!is_end && piece.0 == at);
            let piece = self.pieces.iter().rev().find(before);
            piece.map_or(at, |(start, offset)| offset + (at - start))
        };
        Span::new(find(span.start, false), find(span.end, true))
    }

    fn start(&self) -> usize {
        let text = self.text.len() - self.text.trim_start().len();
        self.offset(Span::new(text, text)).start
    }
}

/// Lines joined as pip joins them (`join_lines`): a backslash at the end takes
/// the next line in, but for one that is a comment.
fn logical_lines(text: &str) -> impl Iterator<Item = Logical<'_>> {
    let mut lines = physical_lines(text).peekable();
    std::iter::from_fn(move || {
        let (offset, line) = lines.next()?;
        let is_comment = |line: &str| line.trim_start().starts_with('#');
        let mut joined = Logical {
            text: line.into(),
            pieces: vec![(0, offset)],
        };
        let mut last = line;
        while last.ends_with('\\') && !is_comment(last) {
            let text = joined.text.to_mut();
            text.truncate(text.trim_end_matches('\\').len());
            let Some((offset, line)) = lines.next() else {
                break;
            };
            // A comment ends the line that it stands in.
            if is_comment(line) {
                text.push(' ');
            }
            joined.pieces.push((text.len(), offset));
            text.push_str(line);
            last = line;
        }
        Some(joined)
    })
}

/// Lines as Python splits them, without their ends.
fn physical_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_end = |letter: char| {
        matches!(
            letter,
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{1C}'..='\u{1E}' | '\u{85}'
        ) || matches!(letter, '\u{2028}' | '\u{2029}')
    };
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = text.get(offset..).filter(|rest| !rest.is_empty())?;
        let start = offset;
        let end = rest.find(is_end).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(end)?;
        let width = match after.chars().next() {
            Some('\r') if after.starts_with("\r\n") => 2,
            Some(letter) => letter.len_utf8(),
            None => 0,
        };
        offset = start + end + width;
        Some((start, line))
    })
}

/// A comment starts at a `#` at the head of the line or behind a space.
fn strip_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| rest.find('#')) {
        let at = from + at;
        let before = line.get(..at).unwrap_or_default();
        if before.is_empty() || before.ends_with(char::is_whitespace) {
            return before;
        }
        from = at + 1;
    }
    line
}
