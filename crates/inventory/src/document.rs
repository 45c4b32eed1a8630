//! The text of a file that a project keeps: its encoding, its lines, and merge
//! conflicts in it.

use std::borrow::Cow;

use seawall_model::LineColumn;

/// A decoded file.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    /// Bytes before the text: a byte order mark.
    mark: usize,
    is_utf16: bool,
    /// The first byte that was replaced because it is no text.
    pub(crate) broken: Option<usize>,
}

/// The whole text, or both sides of a merge conflict.
#[derive(Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) texts: Vec<Cow<'a, str>>,
    /// Where the first conflict starts.
    pub(crate) conflict: Option<usize>,
}

const START: LineColumn = LineColumn { line: 1, column: 1 };

impl<'a> Document<'a> {
    /// Decodes a file: UTF-8, or UTF-16 under a byte order mark, as Windows
    /// PowerShell writes it (`pip freeze > requirements.txt`).
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let (text, mark, is_utf16, broken) = match bytes {
            [0xFF, 0xFE, rest @ ..] => {
                let (text, broken) = utf16(rest, u16::from_le_bytes);
                (text, 2, true, broken)
            }
            [0xFE, 0xFF, rest @ ..] => {
                let (text, broken) = utf16(rest, u16::from_be_bytes);
                (text, 2, true, broken)
            }
            _ => {
                let rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
                let (text, broken) = utf8(rest);
                (text, bytes.len() - rest.len(), false, broken)
            }
        };
        Document {
            text,
            mark,
            is_utf16,
            broken,
        }
    }

    /// The text; both sides of it, each at its own place and the other blank,
    /// where a merge left its marks. Either side alone is a file that a tool
    /// wrote; what stands between the marks together is none.
    pub(crate) fn sides(&self) -> Sides<'_> {
        let conflict = lines(&self.text)
            .find(|(_, line)| marks(line, '<'))
            .map(|(offset, _)| offset);
        let texts = match conflict {
            None => vec![Cow::Borrowed(&*self.text)],
            Some(_) => [Side::Ours, Side::Theirs]
                .map(|side| self.side(side).into())
                .into(),
        };
        Sides { texts, conflict }
    }

    fn side(&self, wanted: Side) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut side = Side::Both;
        for (_, line) in lines(&self.text) {
            let next = match side {
                Side::Both => marks(line, '<').then_some(Side::Ours),
                // `|||||||`: what both sides started from.
                Side::Ours if marks(line, '|') => Some(Side::Base),
                Side::Ours | Side::Base => marks(line, '=').then_some(Side::Theirs),
                Side::Theirs => marks(line, '>').then_some(Side::Both),
            };
            if next.is_none() && (side == Side::Both || side == wanted) {
                out.push_str(line);
            } else {
                let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
                out.extend(line.bytes().map(blank));
            }
            side = next.unwrap_or(side);
        }
        out
    }

    /// Places in it.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            document: self,
            at: 0,
            place: START,
            units: 0,
            counted: 0,
        }
    }
}

/// Finds places in a document. Packages ask for theirs in the order of the
/// file, so that all of them together cost one pass.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    document: &'a Document<'a>,
    at: usize,
    place: LineColumn,
    /// UTF-16 code units before `counted`.
    units: usize,
    counted: usize,
}

impl Cursor<'_> {
    /// The line and column of a byte of the text; one past the end is the end.
    pub(crate) fn place(&mut self, offset: usize) -> LineColumn {
        if offset < self.at {
            (self.at, self.place) = (0, START);
        }
        let bytes = self.document.text.as_bytes();
        let offset = offset.min(bytes.len());
        let passed = bytes.get(self.at..offset).unwrap_or_default();
        let breaks = passed.iter().filter(|byte| **byte == b'\n').count();
        let last = passed.iter().rposition(|byte| *byte == b'\n');
        let rest = passed
            .get(last.map_or(0, |at| at + 1)..)
            .unwrap_or_default();
        // Continuation bytes of UTF-8 do not start a code point.
        let columns = rest.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        if breaks > 0 {
            self.place.column = 1;
        }
        self.place.line = self.place.line.saturating_add(small(breaks));
        self.place.column = self.place.column.saturating_add(small(columns));
        self.at = offset;
        self.place
    }

    /// The byte of the file at which a byte of the text stands.
    pub(crate) fn offset(&mut self, offset: usize) -> usize {
        if !self.document.is_utf16 {
            return self.document.mark + offset;
        }
        if offset < self.counted {
            (self.counted, self.units) = (0, 0);
        }
        let passed = self
            .document
            .text
            .get(self.counted..offset)
            .unwrap_or_default();
        self.units += passed.chars().map(char::len_utf16).sum::<usize>();
        self.counted = offset;
        self.document.mark + 2 * self.units
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Ours,
    Base,
    Theirs,
}

/// Whether Git marks a conflict here: seven of the sign, then nothing or a name.
fn marks(line: &str, sign: char) -> bool {
    let rest = line.trim_start_matches(sign);
    line.len() - rest.len() == 7 && (rest.trim().is_empty() || rest.starts_with(' '))
}

/// Lines with their ends and offsets.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line)
    })
}

/// Text of the same length: what is no UTF-8 becomes question marks, and the
/// first place of it.
fn utf8(bytes: &[u8]) -> (Cow<'_, str>, Option<usize>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.into(), None);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut broken = None;
    let is_text = has_letters_of_one_byte(bytes);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            broken = broken.or((!is_text).then_some(text.len()));
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
    }
    (text.into(), broken)
}

/// Whether it is XML that says to have one of the encodings that differ from
/// ASCII in letters only, which are in no name or version.
fn has_letters_of_one_byte(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(100)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.split("?>").next().unwrap_or_default();
    let encoding = head.strip_prefix("<?xml").and_then(|head| {
        let (_, after) = head.split_once("encoding")?;
        after.split(['"', '\'']).nth(1)
    });
    encoding.is_some_and(|name| name.starts_with("iso-8859-") || name.starts_with("windows-12"))
}

fn utf16<'a>(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (Cow<'a, str>, Option<usize>) {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut broken = None;
    for letter in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        if letter.is_err() {
            broken.get_or_insert(text.len());
        }
        text.push(letter.unwrap_or('?'));
    }
    if !rest.is_empty() {
        broken.get_or_insert(text.len());
    }
    (text.into(), broken)
}

/// The path of `included`, named in the file `path`; `None` when it leaves the
/// root.
pub(crate) fn beside(path: &str, included: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    let whole: Cow<'_, str> = included.replace('\\', "/").into();
    for part in folder.split('/').chain(whole.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!included.starts_with('/')).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file() {
        let document = Document::new("\u{FEFF}aé\nzß=1\n".as_bytes());
        let mut utf8 = document.cursor();
        for (offset, line, column) in [
            (0, 1, 1),
            (3, 1, 3),
            (4, 2, 1),
            (7, 2, 3),
            (2000, 3, 1),
            (1, 1, 2),
        ] {
            assert_eq!(utf8.place(offset), LineColumn { line, column }, "{offset}");
        }
        assert_eq!(utf8.offset(4), 7);
        let units: Vec<u8> = "\u{FEFF}a𝄞\nb"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let document = Document::new(&units);
        assert_eq!(document.sides().texts, ["a𝄞\nb"]);
        let mut utf16 = document.cursor();
        let b = "a𝄞\n".len();
        assert_eq!((utf16.offset(b), utf16.offset(0)), (units.len() - 2, 2));
        assert_eq!(utf16.place(b), LineColumn { line: 2, column: 1 });
    }

    #[test]
    fn what_is_no_text_keeps_its_length() {
        let broken = Document::new(b"a\xFF\xC3b");
        assert_eq!(broken.sides().texts, ["a??b"]);
        assert_eq!(broken.broken, Some(1));
    }

    #[test]
    fn xml_may_have_letters_of_one_byte() {
        let head = "<?xml version='1.0' encoding='ISO-8859-1'?>";
        let bytes = [head.as_bytes(), b"<a>\xE9</a>"].concat();
        let document = Document::new(&bytes);
        assert_eq!(document.sides().texts, [format!("{head}<a>?</a>")]);
        assert_eq!(document.broken, None);
        let bytes = String::from_utf8_lossy(&bytes[..43]).replace("ISO-8859-1", "UTF-8");
        let bytes = [bytes.as_bytes(), b"<a>\xE9</a>"].concat();
        assert_eq!(Document::new(&bytes).broken, Some(41));
    }

    #[test]
    fn a_conflict_has_two_sides_in_place() {
        let text = "a\n<<<<<<< HEAD\nb\n||||||| base\nc\n=======\nd\n>>>>>>> other\ne\n=======\n";
        let document = Document::new(text.as_bytes());
        let sides = document.sides();
        assert_eq!(sides.conflict, Some(2));
        let words: Vec<Vec<&str>> = sides
            .texts
            .iter()
            .map(|side| side.split_whitespace().collect())
            .collect();
        assert_eq!(
            words,
            [["a", "b", "e", "======="], ["a", "d", "e", "======="]]
        );
        assert!(sides.texts.iter().all(|side| side.len() == text.len()));
    }

    #[test]
    fn paths_are_named_from_the_file() {
        assert_eq!(
            beside("a/b.txt", "../c/./d.txt").as_deref(),
            Some("c/d.txt")
        );
        assert_eq!(beside("b.txt", "c.txt").as_deref(), Some("c.txt"));
        assert_eq!(beside("b.txt", "../c.txt"), None);
        assert_eq!(beside("b.txt", "/c.txt"), None);
    }
}
