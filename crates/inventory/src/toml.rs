//! TOML with spans, for lock files.

use seawall_model::Span;
use toml_span::{Value, value::ValueInner};

use crate::declared::Declarations;

/// Parses a document.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn parse<'a>(text: &'a str, out: &Declarations<'_>) -> Result<Value<'a>, String> {
    toml_span::parse(text).map_err(|error| {
        format!(
            "it is no TOML: {} ({})",
            error.kind,
            out.place(error.span.start)
        )
    })
}

/// The value under `key` of a table.
pub(crate) fn get<'v, 'a>(value: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    match value.as_ref() {
        ValueInner::Table(table) => table.get(key),
        _ => None,
    }
}

/// The text under `key` of a table.
pub(crate) fn text<'v>(value: &'v Value<'_>, key: &str) -> Option<&'v str> {
    get(value, key)?.as_str()
}

/// The items of the array under `key`; none when there is no array.
pub(crate) fn items<'v, 'a>(value: &'v Value<'a>, key: &str) -> &'v [Value<'a>] {
    get(value, key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Where a value stands.
pub(crate) fn span(value: &Value<'_>) -> Span {
    Span::new(value.span.start, value.span.end)
}
