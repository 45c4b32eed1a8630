//! What is kept of the secrets of one file: a line each, never the secret.

use std::fmt::Write as _;

use seawall_model::{LineColumn, Span, TextRange};
use seawall_secrets::{Detector, Found};

use super::range;

/// Raised whenever the form below changes.
pub(super) const FORM: u32 = 1;

/// A secret as it was kept.
pub(super) struct Seen {
    pub(super) detector: &'static Detector,
    pub(super) range: TextRange,
    pub(super) shown: String,
    pub(super) mark: u16,
    pub(super) note: Option<String>,
}

/// The secrets of one file.
pub(super) struct Decoded {
    pub(super) secrets: Vec<Seen>,
    pub(super) more: bool,
}

/// The evidence; `None` without a secret.
pub(super) fn encode(found: &Found) -> Option<Vec<u8>> {
    if found.secrets.is_empty() {
        return None;
    }
    let mut text = format!("{}\n", u8::from(found.more));
    for one in &found.secrets {
        let TextRange { span, start, end } = range(one);
        // What is shown is printable and the note is ours: neither has a tab.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            one.detector.id,
            span.start,
            span.end,
            start.line,
            start.column,
            end.line,
            end.column,
            one.mark,
            one.shown,
            one.note.unwrap_or_default(),
        );
    }
    Some(text.into_bytes())
}

/// The evidence read back; `None` when it is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let more = lines.next()? == "1";
    let secrets = lines.map(line).collect::<Option<Vec<Seen>>>()?;
    Some(Decoded { secrets, more })
}

fn line(line: &str) -> Option<Seen> {
    let mut fields = line.split('\t');
    let detector = seawall_secrets::detector(fields.next()?)?;
    let mut offset = || fields.next()?.parse::<usize>().ok();
    let span = Span::new(offset()?, offset()?);
    let mut place = || {
        Some(LineColumn {
            line: fields.next()?.parse().ok()?,
            column: fields.next()?.parse().ok()?,
        })
    };
    let (start, end) = (place()?, place()?);
    Some(Seen {
        detector,
        range: TextRange { span, start, end },
        mark: fields.next()?.parse().ok()?,
        shown: fields.next()?.to_owned(),
        note: fields
            .next()
            .filter(|note| !note.is_empty())
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_and_holds_no_secret() {
        let text = seawall_secrets::expand("first line\nGH_TOKEN=ghp_<crc:30>\n<encrypted>\n");
        let found = seawall_secrets::scan("x", text.as_bytes());
        let bytes = encode(&found).unwrap();
        let back = decode(&bytes).unwrap();
        let ids: Vec<_> = back.secrets.iter().map(|one| one.detector.id).collect();
        assert_eq!(ids, ["secret/github-token", "secret/private-key"]);
        let token = &back.secrets[0];
        assert_eq!((token.range.start.line, token.range.start.column), (2, 10));
        assert_eq!(token.range.span.end - token.range.span.start, 40);
        assert_eq!(token.shown, "ghp_…");
        assert!(token.note.is_none() && back.secrets[1].note.is_some());
        let secret = text
            .get(token.range.span.start + 4..token.range.span.end)
            .unwrap();
        assert!(!String::from_utf8(bytes).unwrap().contains(secret));
    }

    #[test]
    fn damaged_evidence_is_none() {
        for text in [
            "",
            "0\nsecret/github-token\t1",
            "0\nsecret/none\t1\t2\t1\t1\t1\t1\t1\tx\t",
            "\u{0}",
        ] {
            assert!(
                decode(text.as_bytes()).is_none_or(|decoded| decoded.secrets.is_empty()),
                "{text}"
            );
        }
        assert!(decode(b"\xFF").is_none());
    }
}
