//! The client against servers that misbehave.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod hanging;
