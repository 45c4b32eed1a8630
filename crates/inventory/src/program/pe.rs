//! PE (Microsoft, "PE Format").

use std::io;

use super::{Format, Program, Section, Segment, name};
use crate::bytes::{Bytes, Fields};

/// `IMAGE_SCN_CNT_INITIALIZED_DATA`, `_MEM_READ` and `_MEM_WRITE`.
const DATA: u32 = 0xC000_0040;
/// The bits that tell the alignment.
const ALIGN: u32 = 0x00F0_0000;

/// What Windows keeps in a file besides its code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    base: u64,
    /// Address relative to the base, and bytes.
    resources: (u64, u64),
    /// Whether it is an assembly of .NET (ECMA-335, II.25.2.3.3).
    pub(crate) is_assembly: bool,
}

/// The type of resources that tell a version, and bytes of them.
const RT_VERSION: u32 = 16;
const MOST_VERSION: u64 = 64 << 10;
/// Bytes of the tree of resources that are read.
const MOST_TREE: u64 = 1 << 20;

impl Program<'_> {
    /// The version resource (`VS_VERSIONINFO`): the first of its language.
    pub(crate) fn version_resource(&self) -> Option<Vec<u8>> {
        let Windows {
            base, resources, ..
        } = self.windows?;
        let size = resources.1.min(MOST_TREE);
        let tree = self.stretch(base.checked_add(resources.0)?)?;
        let tree = tree.read(0, size.min(tree.length())).ok()?;
        let tree = Fields::little(&tree);
        // By type, by name and by language: three levels.
        let by_type = child(&tree, 0, Some(RT_VERSION))?;
        let by_name = child(&tree, by_type?, None)?;
        let leaf = match by_name {
            Some(level) => child(&tree, level, None)?.is_none().then_some(level)?,
            None => return None,
        };
        let entry = usize::try_from(tree.u32(leaf + 16 + 4)?).ok()?;
        let (address, size) = (tree.u32(entry)?, tree.u32(entry + 4)?);
        let size = u64::from(size).min(MOST_VERSION);
        let bytes = self.at(base.checked_add(address.into())?, size)?;
        Some(bytes.into_owned())
    }
}

/// The entry of this id, or the first, of a folder of the tree: where the folder
/// below it starts, or none when it is a leaf.
fn child(tree: &Fields<'_>, folder: usize, id: Option<u32>) -> Option<Option<usize>> {
    const FOLDER: u32 = 1 << 31;
    let count = tree
        .u16(folder + 12)?
        .saturating_add(tree.u16(folder + 14)?);
    let entry = (0..usize::from(count))
        .map(|index| folder + 16 + index * 8)
        .find(|at| id.is_none() || tree.u32(*at) == id)?;
    let below = tree.u32(entry + 4)?;
    let start = usize::try_from(below & !FOLDER).ok()?;
    Some((below & FOLDER != 0).then_some(start))
}

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
    let directories = if optional.u16(0) == Some(0x20B) {
        112
    } else {
        96
    };
    let directory = |index: usize| {
        let field = |at: usize| optional.u32(directories + index * 8 + at);
        let both = field(0).zip(field(4));
        both.map_or((0, 0), |(start, size)| (u64::from(start), u64::from(size)))
    };
    let windows = Windows {
        base,
        resources: directory(2),
        is_assembly: directory(14).1 > 0,
    };
    let table = start + 24 + optional_size;
    let mut program = Program {
        bytes,
        format: Format::Pe,
        big_endian: false,
        sections: Vec::new(),
        segments: Vec::new(),
        windows: Some(windows),
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
