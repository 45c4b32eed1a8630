//! Text from files that may hold anything.

use std::borrow::Cow;

use seawall_image::Body;

/// The body.
///
/// # Errors
/// When it is not in memory, which no analyser of text asks for.
pub(crate) fn in_memory<'a>(body: &Body<'a>) -> Result<&'a [u8], String> {
    match body {
        Body::Bytes(bytes) => Ok(bytes),
        Body::File(..) => Err("the file is too large to be read as text".to_owned()),
    }
}

/// The body as text; bytes that are not UTF-8 are replaced.
///
/// # Errors
/// As [`in_memory`].
pub(crate) fn lossy<'a>(body: &Body<'a>) -> Result<Cow<'a, str>, String> {
    in_memory(body).map(String::from_utf8_lossy)
}

/// Evidence that was written as text.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Whether it is numbers with dots between them, as all versions of some
/// ecosystems are.
pub(crate) fn is_dotted_number(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').all(is_number)
}

/// Names that a message lists.
const MOST_NAMED: usize = 20;

/// Names in a message, sorted, each once: the first of them and how many more
/// there are.
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quote = |name: S| format!("`{}`", name.as_ref());
    let mut names: Vec<String> = names.into_iter().map(quote).collect();
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    let names = names.join(", ");
    match more {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
