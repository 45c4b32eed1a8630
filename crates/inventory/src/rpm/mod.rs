//! What rpm stores: its headers.

pub(crate) mod header;
