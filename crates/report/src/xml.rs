//! Text inside XML 1.0.

use crate::plain::is_harmful;

/// Escapes markup, for content and attributes alike, and replaces what XML
/// cannot hold at all (XML 1.0, 2.2) or what would turn the text around it.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, letter| {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
                letter if is_harmful(letter) => out.push('\u{FFFD}'),
                letter => out.push(letter),
            }
            out
        })
}
