//! Text between quotes, as Ruby, Lua and PHP write it: enough to read what
//! tools write into their records, without running it.

/// The text that `code` starts with and what follows it: between quotes, with
/// `\` before letters that stand for themselves, or Ruby's `%q<…>` and Lua's
/// `[[…]]`.
pub(crate) fn literal(code: &str) -> Option<(String, &str)> {
    let code = code.trim_start();
    for (start, end) in [("%q<", '>'), ("%q(", ')'), ("%q[", ']')] {
        if let Some(rest) = code.strip_prefix(start) {
            let (text, rest) = rest.split_once(end)?;
            return Some((text.to_owned(), rest));
        }
    }
    if let Some(rest) = code.strip_prefix("[[") {
        let (text, rest) = rest.split_once("]]")?;
        return Some((text.to_owned(), rest));
    }
    let quote = code.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    let mut out = String::new();
    let mut letters = code.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => out.extend(letters.next().map(|(_, letter)| letter)),
            _ if letter == quote => return Some((out, code.get(at + 1..)?)),
            _ => out.push(letter),
        }
    }
    None
}

/// All texts of a list, up to the `end` that closes it.
pub(crate) fn literals(code: &str, end: char) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = code;
    while let Some(letter) = rest.chars().next() {
        if letter == end {
            break;
        }
        let is_open = matches!(letter, '"' | '\'')
            || ["%q<", "%q(", "%q[", "[["]
                .iter()
                .any(|open| rest.starts_with(open));
        if !is_open {
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            continue;
        }
        // What does not end is looked through but once.
        let Some((text, after)) = literal(rest) else {
            break;
        };
        out.push(text);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_three_languages() {
        for (code, expected) in [
            (r#" "a\"b" x"#, Some(("a\"b", " x"))),
            ("'it''", Some(("it", "'"))),
            ("%q<a-b>.freeze", Some(("a-b", ".freeze"))),
            ("[[a]b]]", Some(("a]b", ""))),
            ("\"open", None),
            ("VERSION", None),
            ("", None),
        ] {
            let found = literal(code);
            let found = found.as_ref().map(|(text, rest)| (text.as_str(), *rest));
            assert_eq!(found, expected, "{code}");
        }
        assert_eq!(literals(r#""a".freeze, 'é' , x] "b""#, ']'), ["a", "é"]);
        assert_eq!(literals("\"open", ']'), Vec::<String>::new());
    }
}
