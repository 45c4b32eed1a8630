//! Text from outside, made harmless for whoever shows it.

/// Whether a letter moves the cursor, starts an escape sequence, breaks a line
/// or turns or hides the text around it: what follows such a letter may not
/// read as it is written (Unicode TR 36, section 2).
pub(crate) fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Marks, embeddings, overrides and isolates of direction.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Separators of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // Invisible tags.
            | '\u{E0000}'..='\u{E007F}')
}

/// One line of text from outside, fit for a terminal or a page: each harmful
/// letter becomes U+FFFD, so that it is seen that something stood there.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if is_harmful(letter) {
                '\u{FFFD}'
            } else {
                letter
            }
        })
        .collect()
}

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
