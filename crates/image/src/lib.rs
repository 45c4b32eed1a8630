//! Opens an image from anywhere and streams its layers once.

mod analyser;
mod view;

pub use analyser::{Analyser, Body, Entry, EntryKind, Interest, Need};
pub use view::{Evidence, View};
