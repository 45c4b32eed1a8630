//! Values in Secrets of Kubernetes (its API reference, "Secret").

use crate::{base64, detector::Candidate};

/// Bytes before its keyword that code may look at.
pub(crate) const BACK: usize = 2048;

/// The first value of a Kubernetes Secret that is one: base64 of printable text
/// under `data`, text under `stringData`. Both may stand before the kind: what
/// `kubectl get` prints is sorted.
pub(crate) fn secret(candidate: &Candidate<'_>) -> Option<(usize, usize)> {
    let text = candidate.text.get(candidate.end..candidate.limit)?;
    // `SecretList` and the like are other kinds.
    if text.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    mapping_before(candidate)
        .and_then(|start| value(candidate.text, start, candidate.start))
        .or_else(|| value(candidate.text, candidate.end, candidate.limit))
}

/// Where the mapping starts that the keyword is a key of: behind the last line
/// that is indented less, or at the document's start.
fn mapping_before(candidate: &Candidate<'_>) -> Option<usize> {
    let far = candidate.start.saturating_sub(BACK);
    let before = candidate.text.get(far..candidate.start)?;
    let line = memchr::memrchr(b'\n', before)? + 1;
    let (before, own) = before.split_at_checked(line)?;
    if !own.iter().all(|byte| *byte == b' ') {
        return None;
    }
    let mut start = before.len();
    for line in before.split_inclusive(|byte| *byte == b'\n').rev() {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let is_outside = indent < own.len() && !line.trim_ascii().is_empty();
        if is_outside || line.starts_with(b"---") {
            break;
        }
        start -= line.len();
    }
    Some(far + start)
}

fn value(text: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let text = text.get(from..to)?;
    let mut at = from;
    let mut section: Option<(bool, usize)> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let trimmed = line.trim_ascii();
        if trimmed.starts_with(b"---") {
            return None;
        }
        if matches!(
            trimmed,
            b"data:" | b"stringData:" | b"\"data\": {" | b"\"stringData\": {"
        ) {
            section = Some((
                trimmed.starts_with(b"data") || trimmed.starts_with(b"\"data"),
                indent,
            ));
            continue;
        }
        let Some((packed, outer)) =
            section.filter(|_| !trimmed.is_empty() && !trimmed.starts_with(b"#"))
        else {
            continue;
        };
        if indent <= outer {
            section = None;
            continue;
        }
        let Some(colon) = memchr::memmem::find(line, b": ") else {
            continue;
        };
        let value = line.get(colon + 2..)?;
        let lead = value
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'"' | b'\''))
            .count();
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',');
        let rest = value.get(lead..)?;
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        let value = rest.get(..length)?;
        let plain = if packed {
            base64::decode(value, 4 << 10).unwrap_or_default()
        } else {
            value.to_vec()
        };
        let is_text = plain.len() >= 6
            && plain
                .iter()
                .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        let has_link = memchr::memmem::find(&plain, b"://").is_some();
        if is_text
            && !has_link
            && !crate::allow::is_placeholder(&plain)
            && !crate::allow::is_placeholder(value)
        {
            let from = start + colon + 2 + lead;
            return Some((from, from + length));
        }
    }
    None
}
