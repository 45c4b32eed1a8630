//! A stream of parts of which none may be too long: what is held at once is
//! bounded, however long the whole is.

use std::{
    cell::Cell,
    io::{self, Read},
};

/// Fails where a part goes on beyond a limit.
pub(super) struct Metered<'c, R> {
    input: R,
    meter: &'c Meter,
}

/// Counts down while a part is read.
pub(super) struct Meter {
    limit: u64,
    left: Cell<u64>,
}

impl Meter {
    /// For parts of so many bytes.
    pub(super) fn new(limit: u64) -> Self {
        Meter {
            limit,
            left: Cell::new(limit),
        }
    }

    /// Begins the next part.
    pub(super) fn next(&self) {
        self.left.set(self.limit);
    }

    pub(super) fn of<R>(&self, input: R) -> Metered<'_, R> {
        Metered { input, meter: self }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let left = self.meter.left.get().checked_sub(read as u64);
        let too_long = || {
            let limit = self.meter.limit;
            io::Error::other(format!("a part has more than {limit} bytes"))
        };
        self.meter.left.set(left.ok_or_else(too_long)?);
        Ok(read)
    }
}
