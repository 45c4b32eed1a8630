//! The client against servers that misbehave, and containerd's own files.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod containerd;
mod hanging;
