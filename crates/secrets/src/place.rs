//! Lines and columns in a text that goes by.

use seawall_model::LineColumn;

/// Counts lines and columns up to a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    line: u64,
    column: u64,
    /// UTF-16 code units before the place.
    units: u64,
    counts_units: bool,
}

impl Place {
    /// The start of a file. UTF-16 code units are counted where they are asked
    /// for only: that takes a look at every byte.
    pub(crate) fn start(counts_units: bool) -> Self {
        Place {
            line: 1,
            column: 1,
            units: 0,
            counts_units,
        }
    }

    /// The place behind `text`.
    pub(crate) fn after(mut self, text: &[u8]) -> Self {
        if self.counts_units {
            let starts = text.iter().filter(|byte| starts_code_point(**byte)).count();
            let pairs = text.iter().filter(|byte| **byte >= 0xF0).count();
            self.units += (starts + pairs) as u64;
        }
        self.line += memchr::memchr_iter(b'\n', text).count() as u64;
        let line = match memchr::memrchr(b'\n', text) {
            Some(at) => {
                self.column = 1;
                text.get(at + 1..).unwrap_or_default()
            }
            None => text,
        };
        let starts = line.iter().filter(|byte| starts_code_point(**byte)).count();
        self.column += starts as u64;
        self
    }

    pub(crate) fn units(&self) -> u64 {
        self.units
    }

    pub(crate) fn line_column(&self) -> LineColumn {
        LineColumn {
            line: u32::try_from(self.line).unwrap_or(u32::MAX),
            column: u32::try_from(self.column).unwrap_or(u32::MAX),
        }
    }
}

fn starts_code_point(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}
