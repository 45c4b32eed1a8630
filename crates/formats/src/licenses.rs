//! Licences of documents.

use std::{borrow::Cow, collections::HashMap};

/// What documents write where nothing is known.
pub(crate) fn is_known(text: &str) -> bool {
    !matches!(text, "" | "NOASSERTION" | "NONE")
}

/// A licence as it was written before it became a reference into the list of
/// the document's own licences.
pub(crate) fn plain<'a>(text: &'a str, own: &HashMap<&str, &'a str>) -> Cow<'a, str> {
    // A long text is no name.
    match own.get(text) {
        Some(name) if is_known(name) && name.len() < 256 => Cow::Borrowed(*name),
        _ => Cow::Borrowed(text),
    }
}
