//! Text from outside, made harmless for whoever shows it.

use seawall_formats::text::is_harmful;
pub use seawall_formats::text::plain;

/// Text of several lines, fit for a terminal: line breaks and tabs stay.
pub fn plain_lines(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\t' => letter,
            letter if is_harmful(letter) => '\u{FFFD}',
            letter => letter,
        })
        .collect()
}

/// [`plain`], and at most `most` letters of it: a name as long as a book must
/// not push everything else out of sight.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(most).collect();
    let rest = letters.count();
    match rest {
        0 => plain(&start),
        rest => format!("{}… ({rest} more letters)", plain(&start)),
    }
}
