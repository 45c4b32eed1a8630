//! PE (Microsoft, "PE Format").

use std::io;

use super::{Format, Program, Section, Segment, name};
use crate::bytes::{Bytes, Fields};

/// `IMAGE_SCN_CNT_INITIALIZED_DATA`, `_MEM_READ` and `_MEM_WRITE`.
const DATA: u32 = 0xC000_0040;
/// The bits that tell the alignment.
const ALIGN: u32 = 0x00F0_0000;

pub(super) fn open(bytes: Bytes<'_>) -> io::Result<Option<Program<'_>>> {
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let start = bytes.read(0x3C, 4)?;
    let start: u64 = Fields::little(&start).u32(0).ok_or_else(end)?.into();
    let head = bytes.read(start, 24)?;
    if !head.starts_with(b"PE\0\0") {
        return Ok(None);
    }
    let head = Fields::little(&head);
    let count = head.u16(6).ok_or_else(end)?;
    let optional_size: u64 = head.u16(20).ok_or_else(end)?.into();
    let optional = bytes.read(start + 24, optional_size)?;
    let optional = Fields::little(&optional);
    let base = match optional.u16(0) {
        Some(0x10B) => optional.u32(28).map(u64::from),
        Some(0x20B) => optional.u64(24),
        _ => return Ok(None),
    };
    let base = base.ok_or_else(end)?;
    let table = start + 24 + optional_size;
    let mut program = Program {
        bytes,
        format: Format::Pe,
        big_endian: false,
        sections: Vec::new(),
        segments: Vec::new(),
        damage: None,
    };
    let Ok(table) = bytes.read(table, u64::from(count) * 40) else {
        program.damage = Some("its section headers lie beyond its end".to_owned());
        return Ok(Some(program));
    };
    for header in table.chunks_exact(40) {
        let fields = Fields::little(header);
        let field = |at: usize| fields.u32(at).map_or(0, u64::from);
        let flags = fields.u32(36).unwrap_or(0);
        let (address, size, offset) = (base.wrapping_add(field(12)), field(16), field(20));
        // What is not in the file, or only padding of it.
        let size = match field(8) {
            0 => size,
            virtual_size => size.min(virtual_size),
        };
        program.sections.push(Section {
            name: name(header.get(..8).unwrap_or_default(), 0),
            address,
            offset,
            size,
        });
        program.segments.push(Segment {
            address,
            offset,
            size,
            is_data: field(12) != 0 && size != 0 && flags & !ALIGN == DATA,
            is_note: false,
        });
    }
    Ok(Some(program))
}
