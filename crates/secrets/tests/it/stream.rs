//! Files that come in pieces.

use seawall_secrets::{Found, Scanner, detectors, expand, scan};

/// The same bytes in chunks of `size`.
fn in_chunks(path: &str, bytes: &[u8], size: usize) -> Found {
    let mut scanner = Scanner::new(path, bytes.len() as u64);
    for chunk in bytes.chunks(size) {
        if !scanner.feed(chunk) {
            break;
        }
    }
    scanner.finish()
}

/// What a reader is told of each secret.
fn told(found: &Found) -> Vec<String> {
    let secrets = found.secrets.iter();
    secrets
        .map(|one| {
            format!(
                "{} {}+{} {:?} {:?} {} {}",
                one.detector.id, one.offset, one.length, one.start, one.end, one.shown, one.mark
            )
        })
        .collect()
}

/// Every example that is looked for in every file, with text of changing length
/// between, so that they lie everywhere around the ends of blocks.
fn long_text() -> String {
    let mut text = String::new();
    for (number, one) in detectors().filter(|one| one.files.is_empty()).enumerate() {
        text += &"all quiet here, ä line of prose\n".repeat(number * 7 % 61 + 3);
        text += &expand(one.finds[0]);
        text += "\n";
    }
    text
}

#[test]
fn chunks_of_any_size_find_what_one_piece_finds() {
    let text = long_text();
    assert!(text.len() > 200_000, "{}", text.len());
    let whole = scan("x", text.as_bytes());
    // More are kept of one file than there are kinds in this one.
    let kinds = detectors().filter(|one| one.files.is_empty()).count();
    assert!(whole.more || whole.secrets.len() == kinds);
    for size in [
        1,
        7,
        100,
        511,
        4096,
        65_535,
        65_536,
        131_072,
        text.len() - 1,
    ] {
        assert_eq!(
            told(&in_chunks("x", text.as_bytes(), size)),
            told(&whole),
            "{size}"
        );
    }
}

#[test]
fn what_stands_before_its_keyword_is_found_wherever_a_block_ends() {
    let secret = expand("data:\n  password: <password64>\nkind: Secret\n");
    for shift in (0..secret.len() + 40).chain([16_000, 16_384, 16_448, 20_000]) {
        let text = "#\n".repeat((131_112 - shift) / 2) + &secret + &"#\n".repeat(50_000);
        let found = in_chunks("x", text.as_bytes(), 4096);
        assert_eq!(told(&found), told(&scan("x", text.as_bytes())), "{shift}");
        assert_eq!(found.secrets.len(), 1, "{shift}");
    }
}

#[test]
fn a_secret_is_found_wherever_a_block_ends() {
    let secret = expand("GH_TOKEN=ghp_<crc:30>");
    // Blocks are of 64 KiB: the secret is moved over the end of the second.
    for shift in (0..secret.len() + 40).chain([16_000, 16_384, 16_448, 20_000]) {
        let before = (128 << 10) - shift;
        let text = format!(
            "{}\n{secret}\n{}",
            "-".repeat(before - 1),
            "y".repeat(100_000)
        );
        let found = in_chunks("x", text.as_bytes(), 32 << 10);
        assert_eq!(found.secrets.len(), 1, "{shift}");
        assert_eq!(found.secrets[0].offset as usize, before + "GH_TOKEN=".len());
        assert_eq!(
            (found.secrets[0].start.line, found.secrets[0].start.column),
            (2, 10)
        );
    }
}

#[test]
fn lines_and_columns_are_those_of_the_file() {
    let text = expand("é = 1\r\n\n  \u{1F511}: ghp_<crc:30> and\nx");
    let found = scan("x", text.as_bytes());
    let secret = &found.secrets[0];
    assert_eq!((secret.start.line, secret.start.column), (3, 6));
    assert_eq!((secret.end.line, secret.end.column), (3, 46));
    let range = secret.offset as usize..(secret.offset + secret.length) as usize;
    assert!(text.as_bytes()[range].starts_with(b"ghp_"));
}

#[test]
fn utf_16_is_read_with_its_own_offsets() {
    let text = expand("line \u{1F511}\nTOKEN=ghp_<crc:30>\n");
    for big_endian in [false, true] {
        let mut bytes = if big_endian {
            vec![0xFE, 0xFF]
        } else {
            vec![0xFF, 0xFE]
        };
        for unit in text.encode_utf16() {
            bytes.extend(if big_endian {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            });
        }
        for size in [1, 3, 64, bytes.len()] {
            let found = in_chunks("x.reg", &bytes, size);
            assert_eq!(found.secrets.len(), 1, "{size}");
            let secret = &found.secrets[0];
            assert_eq!((secret.start.line, secret.start.column), (2, 7));
            assert_eq!(secret.length, 80);
            let at = secret.offset as usize;
            let unit = [bytes[at], bytes[at + 1]];
            let unit = if big_endian {
                u16::from_be_bytes(unit)
            } else {
                u16::from_le_bytes(unit)
            };
            assert_eq!(unit, u16::from(b'g'));
        }
    }
}

#[test]
fn the_same_secret_twice_is_one_and_two_are_two() {
    let one = expand("ghp_<crc:30>");
    let other = expand("ghp_<crc:30> ");
    let found = scan("x", format!("{one}\n{other}\n{one}\n").as_bytes());
    assert_eq!(found.secrets.len(), 2);
    assert_ne!(found.secrets[0].mark, found.secrets[1].mark);
    let again = scan("another", one.as_bytes());
    assert_eq!(again.secrets[0].mark, found.secrets[0].mark);
}

#[test]
fn compiled_python_is_read_and_other_binaries_are_not() {
    let text = expand("\u{0}\u{0}\u{3}ghp_<crc:30>\u{0}z");
    assert_eq!(
        scan("app/__pycache__/x.cpython-312.pyc", text.as_bytes())
            .secrets
            .len(),
        1
    );
    assert_eq!(scan("app/x", text.as_bytes()).secrets.len(), 0);
    let mut scanner = Scanner::new("x", 1 << 30);
    assert!(
        !scanner.feed(&[0; 4096]),
        "nothing more of a binary is wanted"
    );
}
