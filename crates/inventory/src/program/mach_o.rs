//! Mach-O (Apple, `mach-o/loader.h` and `mach-o/fat.h`).

use std::io;

use super::{Format, Program, Section, Segment, name};
use crate::bytes::{Bytes, Fields};

const LC_SEGMENT: u32 = 1;
const LC_SEGMENT_64: u32 = 0x19;
const VM_PROT_READ_WRITE: u32 = 3;
/// Bytes of load commands: the largest programs have some ten thousand.
const MOST_COMMANDS: u64 = 4 << 20;

pub(super) fn open(bytes: Bytes<'_>) -> io::Result<Option<Program<'_>>> {
    let mut magic = [0; 4];
    bytes.read_into(&mut magic, 0)?;
    match magic {
        [0xCA, 0xFE, 0xBA, last @ (0xBE | 0xBF)] => {
            // Several architectures: the first stands for all, since all come
            // from one source.
            let is_wide = last == 0xBF;
            let first = bytes.read(8, if is_wide { 32 } else { 20 })?;
            let first = Fields {
                bytes: &first,
                big_endian: true,
            };
            let offset = first.word(8, is_wide);
            let size = first.word(if is_wide { 16 } else { 12 }, is_wide);
            let one = offset.zip(size).and_then(|(at, size)| bytes.part(at, size));
            one.map_or(Ok(None), thin)
        }
        _ => thin(bytes),
    }
}

fn thin(bytes: Bytes<'_>) -> io::Result<Option<Program<'_>>> {
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut magic = [0; 4];
    bytes.read_into(&mut magic, 0)?;
    let (big_endian, is_wide) = match magic {
        [0xFE, 0xED, 0xFA, 0xCE] => (true, false),
        [0xFE, 0xED, 0xFA, 0xCF] => (true, true),
        [0xCE, 0xFA, 0xED, 0xFE] => (false, false),
        [0xCF, 0xFA, 0xED, 0xFE] => (false, true),
        _ => return Ok(None),
    };
    let head_size = if is_wide { 32 } else { 28 };
    let head = bytes.read(0, head_size)?;
    let head = Fields {
        bytes: &head,
        big_endian,
    };
    let count = head.u32(16).ok_or_else(end)?;
    let size: u64 = head.u32(20).ok_or_else(end)?.into();
    let mut program = Program {
        bytes,
        format: Format::MachO,
        big_endian,
        sections: Vec::new(),
        segments: Vec::new(),
        windows: None,
        damage: None,
    };
    let read = match size {
        0..=MOST_COMMANDS => bytes.read(head_size, size).ok(),
        _ => None,
    };
    let Some(commands) = read else {
        program.damage = Some("its load commands lie beyond its end".to_owned());
        return Ok(Some(program));
    };
    let mut rest: &[u8] = &commands;
    for _ in 0..count {
        let fields = Fields {
            bytes: rest,
            big_endian,
        };
        let (Some(kind), Some(size)) = (fields.u32(0), fields.u32(4)) else {
            break;
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some((command, behind)) = rest.split_at_checked(size).filter(|_| size >= 8) else {
            program.damage = Some("its load commands are cut short".to_owned());
            break;
        };
        rest = behind;
        if matches!(kind, LC_SEGMENT | LC_SEGMENT_64) {
            let fields = Fields {
                bytes: command,
                big_endian,
            };
            segment(&fields, kind == LC_SEGMENT_64, &mut program);
        }
    }
    Ok(Some(program))
}

/// `segment_command` and `segment_command_64` with the sections behind them.
fn segment(fields: &Fields<'_>, is_wide: bool, program: &mut Program<'_>) {
    let field = |narrow: usize, wide: usize| {
        fields
            .word(if is_wide { wide } else { narrow }, is_wide)
            .unwrap_or(0)
    };
    let small =
        |narrow: usize, wide: usize| fields.u32(if is_wide { wide } else { narrow }).unwrap_or(0);
    let name_of = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..).unwrap_or_default();
        name(bytes.get(..bytes.len().min(16)).unwrap_or_default(), 0)
    };
    let (address, size) = (field(24, 24), field(36, 48));
    let (most, least) = (small(40, 56), small(44, 60));
    // `__PAGEZERO` is no part of the file.
    if name_of(fields.bytes, 8) != "__PAGEZERO" {
        program.segments.push(Segment {
            address,
            offset: field(32, 40),
            size,
            is_data: address != 0
                && size != 0
                && most == VM_PROT_READ_WRITE
                && least == VM_PROT_READ_WRITE,
            is_note: false,
        });
    }
    let (start, step) = if is_wide { (72, 80) } else { (56, 68) };
    let sections = fields.bytes.get(start..).unwrap_or_default();
    let count = usize::try_from(small(48, 64)).unwrap_or(0);
    for header in sections.chunks_exact(step).take(count) {
        let section = Fields {
            bytes: header,
            big_endian: fields.big_endian,
        };
        let address = section.word(32, is_wide).unwrap_or(0);
        let size = section.word(if is_wide { 40 } else { 36 }, is_wide);
        let offset = section.u32(if is_wide { 48 } else { 40 });
        program.sections.push(Section {
            name: name_of(header, 0),
            address,
            offset: offset.unwrap_or(0).into(),
            size: size.unwrap_or(0),
        });
    }
}
