//! The table and the engine, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod hostile;
mod peers;
mod stream;
mod table;
