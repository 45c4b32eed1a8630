//! Values that stand where a secret would and are none.

/// Words that nobody's secret holds, in lower case.
const WORDS: [&[u8]; 30] = [
    b"example",
    b"changeme",
    b"change_me",
    b"change-me",
    b"placeholder",
    b"replace",
    b"redacted",
    b"dummy",
    b"sample",
    b"xxxx",
    b"****",
    b"....",
    b"----",
    b"____",
    b"0000000",
    b"1234567",
    b"abcdefgh",
    b"notreal",
    b"not-real",
    b"not_real",
    b"insert",
    b"yourkey",
    b"your_",
    b"your-",
    b"yourtoken",
    b"my-secret",
    b"mysecret",
    b"deadbeef",
    b"fakekey",
    b"todo",
];

/// Whether the value is a stand-in: words of documentation, a reference to a
/// variable, one character over and over.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    is_reference(value)
        || WORDS
            .iter()
            .any(|word| memchr::memmem::find(&lower, word).is_some())
        || is_monotone(value)
        || is_one_word(value)
}

/// `${X}`, `$X`, `{{ x }}`, `<x>`, `%X%`, `%s`, `$(x)`, `[x]`, `@x@`, `#{x}`.
pub(crate) fn is_reference(value: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(value, word).is_some();
    let (first, last) = (value.first().copied(), value.last().copied());
    has(b"${")
        || has(b"{{")
        || has(b"$(")
        || has(b"#{")
        || has(b"%(")
        || has(b"<%")
        || first == Some(b'$')
            && !value.starts_with(b"$2")
            && !value.starts_with(b"$6")
            && !value.starts_with(b"$y")
            && !value.starts_with(b"$1")
            && !value.starts_with(b"$5")
            && !value.starts_with(b"$a")
        || matches!(
            (first, last),
            (Some(b'<'), _)
                | (Some(b'%'), _)
                | (Some(b'{'), _)
                | (Some(b'['), Some(b']'))
                | (Some(b'@'), Some(b'@'))
        )
}

/// Fewer than four kinds of bytes, or eight of one kind in a row.
fn is_monotone(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in value {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let kinds = seen.iter().filter(|seen| **seen).count();
    let runs = value.windows(8);
    let mut runs = runs.filter(|run| run.iter().all(|byte| Some(byte) == run.first()));
    kinds < 4 || runs.next().is_some()
}

/// What documentation and tests give as a password.
fn is_one_word(value: &[u8]) -> bool {
    const KNOWN: [&[u8]; 28] = [
        b"password",
        b"passwd",
        b"passw0rd",
        b"secret",
        b"token",
        b"admin",
        b"root",
        b"user",
        b"username",
        b"test",
        b"testing",
        b"guest",
        b"default",
        b"postgres",
        b"mysql",
        b"mongo",
        b"redis",
        b"pass",
        b"pwd",
        b"none",
        b"null",
        b"undefined",
        b"true",
        b"false",
        b"string",
        b"foobar",
        b"hunter2",
        b"letmein",
    ];
    let value = value.to_ascii_lowercase();
    let core: Vec<u8> = value
        .iter()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    KNOWN.contains(&value.as_slice()) || KNOWN.contains(&core.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_told_from_secrets() {
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            "xxxxxxxxxxxxxxxx",
            "changeme",
            "${DB_PASSWORD}",
            "$TOKEN",
            "<token>",
            "{{ secret }}",
            "%s",
            "aaaaaaaaaaaaaaaa",
            "password",
            "YOUR_API_KEY",
            "******",
            "[token]",
            "ababababababab",
            "k11111111f82hd7",
            "",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
        for value in [
            "kq8Zr2Lm9Xv4",
            "S3cr3tP4ss!",
            "correct horse battery",
            "a9f$k2",
        ] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }
}
