//! Bytes that mean harm.

use seawall_secrets::{Scanner, detectors, scan};

fn fed(path: &str, size: u64, chunks: impl Iterator<Item = Vec<u8>>) -> usize {
    let mut scanner = Scanner::new(path, size);
    for chunk in chunks {
        if !scanner.feed(&chunk) {
            break;
        }
    }
    scanner.finish().secrets.len()
}

#[test]
fn a_line_without_an_end_is_read_in_bounded_memory() {
    // 64 MiB and no line end, of characters that tokens are made of.
    let chunk: Vec<u8> = (0..1 << 17)
        .map(|at| b"abcdefghijklmnopqrstuvwxyz0123456789-_="[at * 7 % 39])
        .collect();
    let secret = seawall_secrets::expand(" ghp_<crc:30> ").into_bytes();
    let chunks = std::iter::repeat_n(chunk, 512).chain([secret]);
    assert_eq!(fed("x", u64::MAX, chunks), 1);
}

#[test]
fn a_file_of_nothing_but_keywords_comes_to_an_end() {
    for between in ["", " ", "\n", "=", ":", "\"", "=\"", ": "] {
        let mut text = Vec::new();
        for one in detectors().flat_map(|one| one.keywords) {
            text.extend_from_slice(one.as_bytes());
            text.extend_from_slice(between.as_bytes());
        }
        let text = text.repeat((128 << 10) / text.len());
        scan(".env", &text);
    }
}

#[test]
fn each_keyword_over_and_over_comes_to_an_end() {
    for word in detectors().flat_map(|one| one.keywords) {
        for between in ["", "-", "=", "a"] {
            let text = format!("{word}{between}").repeat(300);
            scan("Dockerfile", text.as_bytes());
        }
    }
}

#[test]
fn random_bytes_and_broken_utf_8_hold_no_secrets() {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    for round in 0..8 {
        let bytes: Vec<u8> = (0..200_000)
            .map(|_| byte().max(u8::from(round % 2 == 0)))
            .collect();
        assert_eq!(scan("x", &bytes).secrets.len(), 0);
        let wide = [&[0xFF, 0xFE][..], &bytes].concat();
        assert_eq!(scan("x", &wide).secrets.len(), 0);
    }
    let broken = seawall_secrets::expand("\u{FF}ghp_<crc:30>").replace('\u{FF}', "");
    let broken = [
        b"\xC3\x28\xFF\xFE\x80 ".as_slice(),
        broken.as_bytes(),
        b" \xF0\x28\x8C",
    ]
    .concat();
    assert_eq!(scan("x", &broken).secrets.len(), 1);
}

#[test]
fn more_secrets_than_are_kept_are_named() {
    let text: String = (0..500)
        .map(|number| seawall_secrets::expand(&format!("ghp_<crc:30>\n# {number}\n")))
        .collect();
    let found = scan("x", text.as_bytes());
    assert!(found.more);
    assert_eq!(found.secrets.len(), 200);
}

#[test]
fn armour_that_is_cut_or_repeated_is_no_key() {
    let key = seawall_secrets::expand("<rsa>");
    assert_eq!(scan("k", key.as_bytes()).secrets.len(), 1);
    for cut in (1..key.len()).step_by(97) {
        let part = key.get(..cut).unwrap();
        assert_eq!(scan("k", part.as_bytes()).secrets.len(), 0, "{cut}");
    }
    let many = "-----BEGIN RSA PRIVATE KEY-----\n".repeat(20_000);
    assert_eq!(scan("k", many.as_bytes()).secrets.len(), 0);
    // Only the last of many beginnings is the key's.
    let many = "-----BEGIN RSA PRIVATE KEY-----\n".repeat(100);
    let found = scan("k", (many.clone() + &key).as_bytes()).secrets;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].offset, many.len() as u64);
}
