//! Lines of comma-separated values, with what is wrong in them by number.

use std::io::{BufRead, BufReader, Read};

/// Lines that are named; the rest are counted.
const NAMED: usize = 20;
/// Bytes of a line. A file without line ends must not be held as one.
const LINE_LIMIT: u64 = 64 << 10;

/// Reads a table with a header. Lines that start with `#` go to `comment`, the
/// wanted columns of every other line to `row`. Lines that cannot be read are
/// told to `refused` as `NAME:LINE: reason`.
///
/// # Errors
/// When the input cannot be read, its header lacks a column, or no line of it
/// makes sense.
pub(super) fn read<const N: usize>(
    input: impl Read,
    name: &str,
    columns: [&str; N],
    refused: &mut Vec<String>,
    mut comment: impl FnMut(&str),
    mut row: impl FnMut([&str; N]) -> Result<(), String>,
) -> Result<(), String> {
    let mut input = BufReader::with_capacity(64 << 10, input);
    let mut places: Option<[usize; N]> = None;
    let (mut number, mut good, mut bad) = (0usize, 0usize, 0usize);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        number += 1;
        let read = (&mut input).take(LINE_LIMIT).read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| format!("line {number}: {error}"))?;
        if read == 0 {
            break;
        }
        if read as u64 == LINE_LIMIT {
            return Err(format!("line {number} has more than {LINE_LIMIT} bytes"));
        }
        let line = std::str::from_utf8(&bytes)
            .map_err(|_| format!("line {number} is no text"))?
            .trim_end()
            .trim_start_matches('\u{FEFF}');
        if let Some(text) = line.strip_prefix('#') {
            comment(text);
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let Some(places) = &places else {
            places = Some(header(line, columns).map_err(|why| format!("line {number}: {why}"))?);
            continue;
        };
        match fields(line, places).and_then(&mut row) {
            Ok(()) => good += 1,
            Err(reason) => {
                bad += 1;
                if bad <= NAMED {
                    refused.push(format!("{name}:{number}: {reason}"));
                }
            }
        }
    }
    if bad > NAMED {
        refused.push(format!("{name}: {} more lines", bad - NAMED));
    }
    match good {
        0 => Err(format!("it has no line of `{}`", columns.join(","))),
        _ => Ok(()),
    }
}

fn header<const N: usize>(line: &str, columns: [&str; N]) -> Result<[usize; N], String> {
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let found = line.split(',').position(|field| unquoted(field) == column);
        *place = found.ok_or_else(|| format!("the header has no column `{column}`"))?;
    }
    Ok(places)
}

fn fields<'l, const N: usize>(line: &'l str, places: &[usize; N]) -> Result<[&'l str; N], String> {
    let mut found = [""; N];
    for (slot, place) in found.iter_mut().zip(places) {
        let field = line.split(',').nth(*place);
        *slot = unquoted(field.ok_or_else(|| format!("it has no column {}", place + 1))?);
    }
    Ok(found)
}

/// None of the values that are read has a comma or a quote in it.
fn unquoted(field: &str) -> &str {
    let field = field.trim();
    let inner = field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &[u8]) -> (Result<(), String>, Vec<String>, Vec<String>) {
        let (mut refused, mut rows) = (Vec::new(), Vec::new());
        let result = read(
            text,
            "x.csv",
            ["b", "a"],
            &mut refused,
            |_| (),
            |[b, a]| {
                rows.push(format!("{a}{b}"));
                if a == "bad" {
                    Err("it is bad".to_owned())
                } else {
                    Ok(())
                }
            },
        );
        (result, rows, refused)
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let (result, rows, refused) =
            run(b"\xEF\xBB\xBF# c\r\n\r\na,c,\"b\"\r\n1,2,3\r\n\"4\",5,\"6\"\n");
        assert_eq!(result, Ok(()));
        assert_eq!(rows, ["13", "46"]);
        assert!(refused.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_by_line() {
        let (result, _, refused) = run(b"a,b\n1,2\nbad,2\n3\n");
        assert_eq!(result, Ok(()));
        assert_eq!(
            refused,
            ["x.csv:3: it is bad", "x.csv:4: it has no column 2"]
        );
        let many = format!("a,b\n1,2\n{}", "bad,x\n".repeat(50));
        let (_, _, refused) = run(many.as_bytes());
        assert_eq!(refused.len(), 21);
        assert_eq!(refused[20], "x.csv: 30 more lines");
        for (text, want) in [
            (&b"<html>\n"[..], "line 1: the header has no column `b`"),
            (b"a,b\n", "it has no line of `b,a`"),
            (b"", "it has no line of `b,a`"),
            (b"a,b\n\xFF\xFE\n", "line 2 is no text"),
            (&[b'x'; 70_000], "line 1 has more than 65536 bytes"),
        ] {
            assert_eq!(run(text).0.unwrap_err(), want);
        }
    }
}
