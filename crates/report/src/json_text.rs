//! JSON that is safe to look at.

use std::io;

use serde::Serialize;

use crate::{Error, plain::is_harmful};

/// Writes `value` indented. Letters that JSON may hold as they are, but that
/// an editor or a terminal would obey (C1 controls, changes of direction),
/// are written as escapes: the value is the same, the sight is harmless.
pub(crate) fn write(value: &impl Serialize, out: &mut dyn io::Write) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)?;
    let mut clean = 0;
    // Outside of strings there is none of these but line breaks.
    for (at, letter) in text.char_indices() {
        if letter == '\n' || !is_harmful(letter) {
            continue;
        }
        out.write_all(text.as_bytes().get(clean..at).unwrap_or_default())?;
        for unit in letter.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        clean = at + letter.len_utf8();
    }
    out.write_all(text.as_bytes().get(clean..).unwrap_or_default())?;
    writeln!(out)?;
    Ok(())
}
