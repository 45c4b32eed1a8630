//! Text inside XML 1.0.

/// Escapes markup, and replaces what XML cannot hold at all (XML 1.0, 2.2).
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, letter| {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\t' | '\n' | '\r' => out.push(letter),
                letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => {
                    out.push('\u{FFFD}');
                }
                letter => out.push(letter),
            }
            out
        })
}
