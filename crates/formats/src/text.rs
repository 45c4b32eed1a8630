//! Documents as text that is safe to look at.

use serde::Serialize;

/// Whether a letter moves the cursor, starts an escape sequence, breaks a line
/// or turns or hides the text around it: what follows such a letter may not
/// read as it is written (Unicode TR 36, section 2).
pub fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Marks, embeddings, overrides and isolates of direction.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Separators of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // Invisible tags.
            | '\u{E0000}'..='\u{E007F}')
}

/// What starts a command of the runner of GitHub's workflows anywhere in a line
/// of a step's output; an older form that it still reads.
pub const OLD_COMMAND: &str = "##[";

/// Each harmful letter becomes U+FFFD, so that it is seen that something stood
/// there.
pub fn plain(text: &str) -> String {
    let mend = |letter: char| match letter {
        letter if is_harmful(letter) => '\u{FFFD}',
        letter => letter,
    };
    text.chars().map(mend).collect()
}

/// Escapes markup, for content and attributes alike, and replaces what XML
/// cannot hold at all (XML 1.0, 2.2) or what would turn the text around it.
/// [`OLD_COMMAND`] is a reference: the value is the same, and no command.
pub fn escape_xml(text: &str) -> String {
    let text = text
        .chars()
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
        });
    text.replace(OLD_COMMAND, "#&#35;[")
}

/// `value` as JSON, indented, with a line's end. Letters that JSON may hold as
/// they are, but that an editor or a terminal would obey (C1 controls, changes
/// of direction), are escapes, and so is a letter of [`OLD_COMMAND`]: the value
/// is the same, the sight is harmless.
///
/// # Errors
/// When a value has no JSON form; that is a bug of its type.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(text.len() + 1);
    let mut clean = 0;
    // Outside of strings there is none of these but line breaks.
    for (at, letter) in text.char_indices() {
        if letter == '\n' || !is_harmful(letter) {
            continue;
        }
        out.push_str(text.get(clean..at).unwrap_or_default());
        for unit in letter.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
        clean = at + letter.len_utf8();
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('\n');
    if out.contains(OLD_COMMAND) {
        out = out.replace(OLD_COMMAND, "#\\u0023[");
    }
    Ok(out)
}
