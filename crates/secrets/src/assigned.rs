//! What a name in a text is set to, in any of the ways that languages and
//! configuration files have: `NAME=v`, `name: "v"`, `"name" => 'v'`,
//! `name := v`, `set("name", "v")`, `<name>v</name>`,
//! `<add key="name" value="v"/>`, with quotes escaped or not.

/// A name and the place of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'a> {
    /// The whole name.
    pub(crate) name: &'a [u8],
    /// Where the value starts, behind its quote.
    pub(crate) value: usize,
    /// The quote that it stands in.
    pub(crate) quote: Option<u8>,
}

/// Bytes of a name on either side of the keyword.
const NAME: usize = 40;
/// Blanks beside the operator.
const BLANKS: usize = 16;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn run(text: &[u8], from: usize, most: usize, test: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let within = rest.iter().take(most);
    from + within.take_while(|byte| test(**byte)).count()
}

fn blanks(text: &[u8], from: usize) -> usize {
    run(text, from, BLANKS, |byte| matches!(byte, b' ' | b'\t'))
}

/// What the name around `start..end` is set to.
pub(crate) fn assignment(text: &[u8], start: usize, end: usize) -> Option<Assignment<'_>> {
    let before = text.get(start.saturating_sub(NAME)..start)?;
    let back = before
        .iter()
        .rev()
        .take_while(|byte| is_name(**byte))
        .count();
    let name_end = run(text, end, NAME, is_name);
    let name = text.get(start - back..name_end)?;
    let closed = run(text, name_end, 4, |byte| {
        matches!(byte, b'"' | b'\'' | b'`' | b']' | b')' | b'\\')
    });
    let mut at = blanks(text, closed);
    let starts = |at: usize, word: &[u8]| {
        let head = text.get(at..at + word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    if starts(at, b"value=") {
        at += b"value=".len();
    } else {
        // A type may stand between a name and what it is set to.
        let word = run(text, at, 12, |byte| byte.is_ascii_alphabetic());
        let behind = blanks(text, word);
        if word > at && behind > word && text.get(behind) == Some(&b'=') {
            at = behind;
        }
        let end = operator(text, at, closed > name_end)?;
        at = blanks(text, end);
        // `name: string = "v"`.
        let word = run(text, at, 12, |byte| byte.is_ascii_alphabetic());
        let behind = blanks(text, word);
        if word > at && text.get(behind) == Some(&b'=') && operator(text, behind, false).is_some() {
            at = blanks(text, behind + 1);
        }
        if text.get(end.wrapping_sub(1)) == Some(&b'>') {
            // An element's text may stand on a line of its own.
            at = run(text, at, 64, |byte| byte.is_ascii_whitespace());
        }
    }
    let mut quote = None;
    let escaped = run(text, at, 2, |byte| byte == b'\\');
    if let Some(mark @ (b'"' | b'\'' | b'`')) = text.get(escaped).copied() {
        quote = Some(mark);
        at = escaped + 1;
    }
    for word in [b"Bearer ".as_slice(), b"Basic ", b"Token "] {
        let head = text.get(at..at + word.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(word)) {
            at += word.len();
        }
    }
    Some(Assignment {
        name,
        value: at,
        quote,
    })
}

/// Where the operator that starts at `at` ends: `=`, `:`, `=>`, `:=`, `?=`,
/// `.=`, `||`, `>`, and `,` behind a name in quotes, but no comparison.
fn operator(text: &[u8], at: usize, is_quoted: bool) -> Option<usize> {
    let is_part = |byte: u8| matches!(byte, b'=' | b':' | b'>' | b'?' | b'.' | b'|' | b'+');
    let end = run(text, at, 4, is_part);
    let found = text.get(at..end)?;
    if found.is_empty() {
        return (is_quoted && text.get(at) == Some(&b',')).then_some(at + 1);
    }
    let compares = found.starts_with(b"==") || text.get(end) == Some(&b'~');
    let sets = found.ends_with(b"=") || matches!(found, b":" | b"=>" | b">" | b"||" | b"::");
    (sets && !compares).then_some(end)
}

/// Whether a name speaks of a secret.
pub(crate) fn speaks_of_a_secret(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] = [
        b"key", b"token", b"secret", b"pass", b"pwd", b"auth", b"cred", b"pat", b"sid", b"jwt",
    ];
    let lower = name.to_ascii_lowercase();
    WORDS
        .iter()
        .any(|word| memchr::memmem::find(&lower, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_set_a_name() {
        for text in [
            "MY_ACME_KEY=v",
            "acme.key = \"v\"",
            "\"acmeKey\": \"v\"",
            "{\\\"acmeKey\\\": \\\"v\\\"}",
            "'acme_key' => 'v'",
            "acmeKey := `v`",
            "set(\"acme-key\", \"v\")",
            "<acmeKey>v</acmeKey>",
            "<add key=\"acmeKey\" value=\"v\"/>",
            "export ACME_KEY='v'",
            "config['acme_key'] = 'v'",
            "acme_key: Bearer v",
            "var acmeKey string = \"v\"",
            "acmeKey: string = \"v\"",
            "$acmeKey .= \"v\"",
            "acme_key ::= \"v\"",
            "<acmeKey>\n    v\n</acmeKey>",
        ] {
            let start = text.to_ascii_lowercase().find("acme").unwrap();
            let found = assignment(text.as_bytes(), start, start + 4).expect(text);
            assert_eq!(text.as_bytes()[found.value], b'v', "{text}");
            assert!(speaks_of_a_secret(found.name), "{text}");
        }
    }

    #[test]
    fn what_sets_nothing() {
        for text in [
            "if acme_key == v",
            "acme_key v",
            "acme_key",
            "f(acme_key, v)",
            "acme_key()",
        ] {
            assert_eq!(
                assignment(
                    text.as_bytes(),
                    text.find("acme").unwrap(),
                    4 + text.find("acme").unwrap()
                ),
                None,
                "{text}"
            );
        }
    }
}
