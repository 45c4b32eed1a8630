//! ELF (System V ABI, chapters 4 and 5).

use std::io;

use super::{Format, MOST_NAMES, MOST_PARTS, Program, Section, Segment, name};
use crate::bytes::{Bytes, Fields};

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const SHT_NOBITS: u32 = 8;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

pub(super) fn open(bytes: Bytes<'_>) -> io::Result<Option<Program<'_>>> {
    let mut ident = [0; 16];
    bytes.read_into(&mut ident, 0)?;
    let is_wide = ident[4] == 2;
    let big_endian = ident[5] == 2;
    let head = bytes.read(0, if is_wide { 64 } else { 52 })?;
    let head = Fields {
        bytes: &head,
        big_endian,
    };
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let half = |narrow: usize, wide: usize| head.u16(if is_wide { wide } else { narrow });
    let word = |narrow: usize, wide: usize| head.word(if is_wide { wide } else { narrow }, is_wide);
    let kind = head.u16(16).ok_or_else(end)?;
    if !matches!(kind, ET_EXEC | ET_DYN) {
        return Ok(None);
    }
    let mut program = Program {
        bytes,
        format: Format::Elf,
        big_endian,
        sections: Vec::new(),
        segments: Vec::new(),
        windows: None,
        damage: None,
    };
    let headers = Table {
        bytes,
        start: word(28, 32).ok_or_else(end)?,
        size: half(42, 54).ok_or_else(end)?,
        count: half(44, 56).ok_or_else(end)?.into(),
        big_endian,
    };
    let read = headers.each(if is_wide { 56 } else { 32 }, |fields| {
        program.segments.push(segment(fields, is_wide)?);
        Some(())
    });
    if let Err(reason) = read {
        program.damage = Some(format!("its program headers {reason}"));
    }
    let mut headers = Table {
        start: word(32, 40).ok_or_else(end)?,
        size: half(46, 58).ok_or_else(end)?,
        count: half(48, 60).ok_or_else(end)?.into(),
        ..headers
    };
    if headers.start == 0 {
        return Ok(Some(program));
    }
    let mut names = u32::from(half(50, 62).ok_or_else(end)?);
    let smallest = if is_wide { 64 } else { 40 };
    // Numbers too large for the header stand in the first section's.
    if headers.count == 0 || names == 0xFFFF {
        let mut first = (0, 0);
        let one = Table {
            count: 1,
            ..headers
        };
        let read = one.each(smallest, |fields| {
            let size = fields.word(if is_wide { 32 } else { 20 }, is_wide)?;
            first = (size, fields.u32(if is_wide { 40 } else { 24 })?);
            Some(())
        });
        if let Err(reason) = read {
            program.damage = Some(format!("its section headers {reason}"));
            return Ok(Some(program));
        }
        if headers.count == 0 {
            headers.count = first.0;
        }
        if names == 0xFFFF {
            names = first.1;
        }
    }
    let mut raw = Vec::new();
    let read = headers.each(smallest, |fields| {
        raw.push(section(fields, is_wide)?);
        Some(())
    });
    if let Err(reason) = read {
        program.damage = Some(format!("its section headers {reason}"));
        return Ok(Some(program));
    }
    let table = usize::try_from(names).ok().and_then(|index| raw.get(index));
    let table = table.filter(|table| table.size > 0).and_then(|table| {
        let size = table.size.min(MOST_NAMES);
        bytes.read(table.offset, size).ok()
    });
    let Some(table) = table else {
        if !raw.is_empty() && names != 0 {
            program.damage = Some("the names of its sections lie beyond its end".to_owned());
        }
        return Ok(Some(program));
    };
    let sections = raw.into_iter().filter(|raw| !raw.is_empty);
    program.sections = sections
        .map(|raw| Section {
            name: name(&table, raw.name),
            address: raw.address,
            offset: raw.offset,
            size: raw.size,
        })
        .collect();
    Ok(Some(program))
}

/// A table of headers.
#[derive(Clone, Copy)]
struct Table<'a> {
    bytes: Bytes<'a>,
    start: u64,
    /// Bytes from one to the next.
    size: u16,
    count: u64,
    big_endian: bool,
}

impl Table<'_> {
    /// Visits each header, of at least `smallest` bytes.
    fn each(
        &self,
        smallest: u16,
        mut visit: impl FnMut(&Fields<'_>) -> Option<()>,
    ) -> Result<(), String> {
        if self.count == 0 || self.start == 0 {
            return Ok(());
        }
        if self.size < smallest {
            return Err(format!("have {} bytes each", self.size));
        }
        if self.count > MOST_PARTS {
            let count = self.count;
            return Err(format!("are {count}, more than the limit of {MOST_PARTS}"));
        }
        let all = self
            .bytes
            .read(self.start, self.count * u64::from(self.size));
        let all = all.map_err(|_| "lie beyond its end".to_owned())?;
        for bytes in all.chunks_exact(self.size.into()) {
            let fields = Fields {
                bytes,
                big_endian: self.big_endian,
            };
            visit(&fields).ok_or("are cut short")?;
        }
        Ok(())
    }
}

fn segment(fields: &Fields<'_>, is_wide: bool) -> Option<Segment> {
    let word =
        |narrow: usize, wide: usize| fields.word(if is_wide { wide } else { narrow }, is_wide);
    let kind = fields.u32(0)?;
    let flags = fields.u32(if is_wide { 4 } else { 24 })?;
    Some(Segment {
        address: word(8, 16)?,
        offset: word(4, 8)?,
        // Only what is loaded has an address of its own.
        size: if matches!(kind, PT_LOAD | PT_NOTE) {
            word(16, 32)?
        } else {
            0
        },
        is_data: kind == PT_LOAD && flags & (PF_X | PF_W) == PF_W,
        is_note: kind == PT_NOTE,
    })
}

struct Raw {
    name: usize,
    address: u64,
    offset: u64,
    size: u64,
    is_empty: bool,
}

fn section(fields: &Fields<'_>, is_wide: bool) -> Option<Raw> {
    let word =
        |narrow: usize, wide: usize| fields.word(if is_wide { wide } else { narrow }, is_wide);
    Some(Raw {
        name: usize::try_from(fields.u32(0)?).ok()?,
        address: word(12, 16)?,
        offset: word(16, 24)?,
        size: word(20, 32)?,
        is_empty: fields.u32(4)? == SHT_NOBITS,
    })
}
