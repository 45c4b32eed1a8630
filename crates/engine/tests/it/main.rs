//! The client against servers that misbehave.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod hanging;
