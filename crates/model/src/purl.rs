//! Package URLs of others (ECMA-427): taken apart, never written anew. The
//! string itself is what a report echoes, byte for byte: re-encoding changes
//! `%3A` to `:` and the case of Go's names.

/// The parts of a package URL, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedPurl {
    /// The type, in lower case.
    pub kind: String,
    /// The namespace, its parts joined by slashes.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version; empty without one.
    pub version: String,
    /// Keys in lower case, with their values.
    pub qualifiers: Vec<(String, String)>,
    /// The subpath, its parts joined by slashes; empty without one.
    pub subpath: String,
}

impl ParsedPurl {
    /// The value of a qualifier.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Takes a package URL apart; `None` when it is none.
pub fn parse(text: &str) -> Option<ParsedPurl> {
    let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
    let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, rest) = rest.split_once('/')?;
    // A version never holds a raw `@`, but a name of npm written carelessly
    // starts with one.
    let (path, version) = match rest.rfind('@') {
        Some(at) if at > 0 && rest.as_bytes().get(at - 1) != Some(&b'/') => {
            rest.split_at_checked(at)?
        }
        _ => (rest, ""),
    };
    let version = decode(version.trim_start_matches('@'))?;
    let segments = |path: &str| -> Option<Vec<String>> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(decode).collect()
    };
    let mut parts = segments(path)?;
    let name = parts.pop()?;
    let qualifiers = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| Some((key.to_ascii_lowercase(), decode(value)?)))
        .collect::<Option<_>>()?;
    if kind.is_empty() || name.is_empty() {
        return None;
    }
    Some(ParsedPurl {
        kind: kind.to_ascii_lowercase(),
        namespace: parts.join("/"),
        name,
        version,
        qualifiers,
        subpath: segments(subpath)?.join("/"),
    })
}

/// Undoes percent-encoding; `None` for what is none.
pub fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        rest = after;
        out.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_decoded() {
        let deb = parse("pkg:deb/debian/libc%2B%2B@1%3A2-3?arch=amd64&upstream=gcc%401.0").unwrap();
        assert_eq!(
            (deb.name.as_str(), deb.version.as_str()),
            ("libc++", "1:2-3")
        );
        assert_eq!(deb.qualifier("upstream"), Some("gcc@1.0"));
        let npm = parse("pkg:npm/%40angular/core@1.0.0").unwrap();
        assert_eq!(
            (npm.namespace.as_str(), npm.name.as_str()),
            ("@angular", "core")
        );
        let raw = parse("pkg:npm/@angular/core").unwrap();
        assert_eq!(
            (raw.namespace.as_str(), raw.version.as_str()),
            ("@angular", "")
        );
        let go = parse("pkg:golang/github.com/Azure/x@v1.0.0#sub").unwrap();
        assert_eq!(
            (go.namespace.as_str(), go.name.as_str()),
            ("github.com/Azure", "x")
        );
        assert_eq!(
            (go.version.as_str(), go.subpath.as_str()),
            ("v1.0.0", "sub")
        );
        let deep = parse("pkg:npm/a?x=y#/lib%20s//b/").unwrap();
        assert_eq!(deep.subpath, "lib s/b");
        for bad in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:npm/a%zz",
            "pkg:npm/a#%zz",
            "http://x",
            "pkg:npm/%ff",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
