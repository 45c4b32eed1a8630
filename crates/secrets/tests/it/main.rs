//! The table and the engine, from outside.

mod hostile;
mod peers;
mod stream;
mod table;
