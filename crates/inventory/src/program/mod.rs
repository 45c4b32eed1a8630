//! Programs: the sections and segments of ELF, PE and Mach-O files, as far as
//! they are needed to find what a linker or a compiler noted in them.
//!
//! Only headers are read. All counts and offsets are the file's word for it:
//! each is held against the file's length before anything is read by it.

mod elf;
mod mach_o;
mod pe;

use std::{borrow::Cow, io};

use seawall_image::{Body, Interest, Need};

use crate::{bytes::Bytes, found::Finds};

/// What programs start with: ELF, PE, Mach-O of both widths and byte orders,
/// and Mach-O files of several architectures. These begin as Java's classes
/// do, where a version of 45 or more stands in place of their number.
pub(crate) const MAGICS: &[Interest] = &[
    Interest::Magic(b"\x7FELF"),
    Interest::Magic(b"MZ"),
    Interest::Magic(b"\xFE\xED\xFA\xCE"),
    Interest::Magic(b"\xFE\xED\xFA\xCF"),
    Interest::Magic(b"\xCE\xFA\xED\xFE"),
    Interest::Magic(b"\xCF\xFA\xED\xFE"),
    Interest::Magic(b"\xCA\xFE\xBA\xBE\0\0\0\x01"),
    Interest::Magic(b"\xCA\xFE\xBA\xBE\0\0\0\x02"),
    Interest::Magic(b"\xCA\xFE\xBA\xBE\0\0\0\x03"),
    Interest::Magic(b"\xCA\xFE\xBA\xBE\0\0\0\x04"),
    Interest::Magic(b"\xCA\xFE\xBA\xBE\0\0\0\x05"),
    Interest::Magic(b"\xCA\xFE\xBA\xBF\0\0\0"),
];

/// Bytes of a program: the largest that are shipped have some hundred million.
pub(crate) const NEED: Need = Need::Seek(2 << 30);

/// Sections or segments of one program. ELF can number more, and no linker of
/// programs makes a hundredth of it.
const MOST_PARTS: u64 = 65_535;
/// Bytes of the table of section names that are read.
const MOST_NAMES: u64 = 4 << 20;

/// The evidence of a program: what `list` finds in it. A file that is none has
/// none.
///
/// # Errors
/// That the file cannot be read.
pub(crate) fn evidence(
    body: &Body<'_>,
    list: impl FnOnce(&Program<'_>, &mut Finds),
) -> Result<Option<Vec<u8>>, String> {
    let program = Program::open(body).map_err(|error| format!("cannot be read: {error}"))?;
    let mut finds = Finds::default();
    if let Some(program) = program {
        list(&program, &mut finds);
    }
    Ok(finds.finish())
}

/// A program with its headers read.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    bytes: Bytes<'a>,
    pub(crate) format: Format,
    pub(crate) big_endian: bool,
    pub(crate) sections: Vec<Section>,
    pub(crate) segments: Vec<Segment>,
    /// What a PE file has besides.
    pub(crate) windows: Option<pe::Windows>,
    /// What is wrong with its headers: what they name is not all there is.
    pub(crate) damage: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Elf,
    Pe,
    MachO,
}

/// A named part of a program.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    /// Bytes in the file.
    pub(crate) size: u64,
}

/// A part of a program that is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) address: u64,
    pub(crate) offset: u64,
    /// Bytes in the file.
    pub(crate) size: u64,
    /// Data that a program may change.
    pub(crate) is_data: bool,
    /// Notes (ELF).
    pub(crate) is_note: bool,
}

impl<'a> Program<'a> {
    /// Reads the headers; `None` when it is no program: a library in parts, a
    /// memory dump, or something else that starts alike.
    ///
    /// # Errors
    /// What kept the file from being read.
    pub(crate) fn open(body: &Body<'a>) -> io::Result<Option<Self>> {
        let bytes = Bytes::body(body);
        let mut magic = [0; 4];
        if bytes.read_into(&mut magic, 0).is_err() {
            return Ok(None);
        }
        let opened = match magic {
            [0x7F, b'E', b'L', b'F'] => elf::open(bytes),
            [b'M', b'Z', ..] => pe::open(bytes),
            _ => mach_o::open(bytes),
        };
        match opened {
            Ok(program) => Ok(program),
            // Its headers lie beyond its end: cut off, or something else.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Bytes of the whole file.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.length()
    }

    /// The bytes of a section or a segment.
    ///
    /// # Errors
    /// That they do not lie in the file, or are more than `limit`.
    pub(crate) fn content(
        &self,
        offset: u64,
        size: u64,
        limit: u64,
    ) -> Result<Cow<'a, [u8]>, String> {
        if size > limit {
            return Err(format!("has {size} bytes, more than the limit of {limit}"));
        }
        let read = self.bytes.read(offset, size);
        read.map_err(|_| "lies beyond the file's end".to_owned())
    }

    /// Exactly `length` bytes at an address, from the segment that holds it.
    pub(crate) fn at(&self, address: u64, length: u64) -> Option<Cow<'a, [u8]>> {
        self.stretch(address)?.read(0, length).ok()
    }

    /// The bytes from an address to its segment's end.
    pub(crate) fn stretch(&self, address: u64) -> Option<Bytes<'a>> {
        self.segments.iter().find_map(|segment| {
            let inside = address.checked_sub(segment.address)?;
            let left = segment.size.checked_sub(inside).filter(|left| *left > 0)?;
            let start = segment.offset.checked_add(inside)?;
            // A segment that ends beyond the file still starts in it.
            let left = left.min(self.bytes.length().checked_sub(start)?);
            self.bytes.part(start, left)
        })
    }

    /// Whether it was packed by UPX, which hides what it holds
    /// (upx/src/stub/src/include/header.S).
    pub(crate) fn is_packed(&self) -> bool {
        let names = ["UPX0", "UPX1"];
        if self.format == Format::Pe {
            return names.iter().all(|name| self.section(name).is_some());
        }
        // Behind the program headers, of which there are few.
        const NEAR: u64 = 1024;
        let near = self.bytes.length().min(NEAR);
        self.bytes
            .read(0, near)
            .is_ok_and(|head| memchr::memmem::find(&head, b"UPX!").is_some())
    }
}

/// The name at `offset` of a table: ended by a zero, and short.
fn name(table: &[u8], offset: usize) -> String {
    const LONGEST: usize = 64;
    let rest = table.get(offset..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(LONGEST)).unwrap_or_default();
    let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}
