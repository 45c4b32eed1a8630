//! Errors on one line.

use std::error::Error;

/// An error with its causes, on one line. A wrapper that repeats what it wraps
/// is written once.
pub fn in_full(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut all = said.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if text != said {
            all += ": ";
            all += &text;
            said = text;
        }
        cause = error.source();
    }
    all
}
