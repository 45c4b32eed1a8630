//! PAX records: `length keyword=value\n`.

use super::sparse::Map;

/// What a PAX header says of the entry behind it.
#[derive(Default)]
pub(super) struct Attributes {
    /// Whether there was a PAX header at all.
    pub(super) any: bool,
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) capability: Option<Vec<u8>>,
    /// Size of a sparse file once expanded.
    pub(super) real_size: Option<u64>,
    /// GNU sparse 1.0: the map stands in front of the content.
    pub(super) map_in_content: bool,
    /// GNU sparse 0.0 and 0.1: offsets and lengths in turn.
    segments: Option<Vec<u64>>,
    malformed_map: bool,
}

impl Attributes {
    /// `None` when a record does not follow the form.
    pub(super) fn parse(mut records: &[u8]) -> Option<Self> {
        let mut found = Attributes {
            any: true,
            ..Attributes::default()
        };
        let mut sparse_name = None;
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ')?;
            let length = usize::try_from(decimal(records.get(..space)?)?).ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            records = records.get(length..)?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (keyword, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            match keyword {
                b"path" => found.path = Some(value.to_vec()),
                b"linkpath" => found.link = Some(value.to_vec()),
                b"size" => found.size = Some(decimal(value)?),
                b"uid" => found.uid = decimal(value),
                b"gid" => found.gid = decimal(value),
                b"SCHILY.xattr.security.capability" => found.capability = Some(value.to_vec()),
                b"GNU.sparse.name" => sparse_name = Some(value.to_vec()),
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => found.real_size = decimal(value),
                b"GNU.sparse.major" => found.map_in_content = value == b"1",
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    found.segments.get_or_insert_default().push(decimal(value)?);
                }
                b"GNU.sparse.map" => {
                    let numbers = value.split(|byte| *byte == b',').map(decimal);
                    let segments: Option<Vec<u64>> = numbers.collect();
                    found.malformed_map |= segments.is_none() && !value.is_empty();
                    found.segments = Some(segments.unwrap_or_default());
                }
                _ => {}
            }
        }
        // The name in the header is a made-up one for readers that do not know
        // sparse files.
        if sparse_name.is_some() {
            found.path = sparse_name;
        }
        Some(found)
    }

    /// The map of GNU sparse 0.0 and 0.1: `None` when the entry is not of that
    /// kind, `Some(None)` when it contradicts itself.
    pub(super) fn take_sparse_map(&mut self) -> Option<Option<Map>> {
        let segments = self.segments.take()?;
        if self.malformed_map {
            return Some(None);
        }
        Some(Map::new(&segments, self.real_size.unwrap_or(0)))
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text)
        .ok()?
        .parse()
        .ok()
        .filter(|number| *number <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_follow_their_length() {
        let found = Attributes::parse(b"12 path=a=b\n11 size=42\n").unwrap();
        assert_eq!(found.path.as_deref(), Some(b"a=b".as_slice()));
        assert_eq!(found.size, Some(42));
        for bad in [
            &b"12 path=a=b"[..],
            b"x",
            b"0 a=b\n",
            b"999 a=b\n",
            b"5 a\n\n",
            b"9 size=-\n",
        ] {
            assert!(
                Attributes::parse(bad).is_none(),
                "{:?}",
                String::from_utf8_lossy(bad)
            );
        }
    }
}
