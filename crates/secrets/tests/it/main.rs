//! The table and the engine, from outside.

mod table;
