//! What rpm stores: its headers, and the SQLite file that holds them.

pub(crate) mod header;
pub(crate) mod sqlite;
