//! What registries answer, apart from images: refusals, tags, referrers, the
//! next page. Parsers without input or output, for hostile bytes.

use seawall_model::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::address::plain;

/// Characters of a registry's own words that are shown.
const SHOWN: usize = 300;

/// A registry's own words for a refusal (OCI distribution-spec 1.1, "Error
/// Codes"), to be shown: `UNAUTHORIZED: authentication required`; of a plain
/// text, such as a proxy's, its first line. Empty where there are none.
pub fn refusal_words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        let text = std::str::from_utf8(body).unwrap_or_default().trim_start();
        // No page for people, and no other JSON.
        let is_plain = !text.starts_with(['<', '{', '[']);
        let line = text.lines().next().filter(|_| is_plain);
        return plain(line.unwrap_or_default().trim(), SHOWN);
    };
    let words: Vec<String> = answer
        .errors
        .iter()
        .take(3)
        .map(|one| match (one.code.as_str(), one.message.as_str()) {
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        })
        .filter(|words| !words.is_empty())
        .collect();
    plain(words.join("; ").trim(), SHOWN)
}

/// A page of a list of tags (OCI distribution-spec 1.1, "Listing Tags"). A
/// repository without tags may have `null`.
///
/// # Errors
/// When it is no such page.
pub fn tags(body: &[u8]) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Answer {
        tags: Option<Vec<String>>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(answer.tags.unwrap_or_default())
}

/// What an index lists (OCI image-spec 1.1, image-index.md), and how many
/// entries have digests that are not SHA-256. Of an entry only its digest is
/// believed, and that once the content is held against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The digests of manifests, in the index' order.
    pub entries: Vec<Digest>,
    /// Entries that cannot be followed.
    pub foreign: usize,
}

/// Reads an index of referrers.
///
/// # Errors
/// When it is none.
pub fn index(body: &[u8]) -> Result<Index, String> {
    #[derive(Deserialize)]
    struct Answer {
        manifests: Option<Vec<One>>,
    }
    #[derive(Deserialize)]
    struct One {
        digest: String,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut index = Index::default();
    // `null` is an empty list in Go.
    for one in answer.manifests.unwrap_or_default() {
        match one.digest.parse() {
            Ok(digest) => index.entries.push(digest),
            Err(_) => index.foreign += 1,
        }
    }
    Ok(index)
}

/// What a manifest says of itself, as far as referrers go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it is about.
    pub subject: Option<String>,
    /// `artifactType`, else the form of its config (OCI distribution-spec 1.1,
    /// "Listing Referrers").
    pub artifact_type: String,
    /// Its own annotations.
    pub annotations: Vec<(String, String)>,
    /// `mediaType`, where it is written.
    pub media_type: Option<String>,
    /// Docker's oldest form.
    pub is_schema_1: bool,
    /// Whether it lists manifests, and whether it lists layers.
    pub lists: (bool, bool),
}

/// Reads what a manifest says of itself.
///
/// # Errors
/// When it is no manifest.
pub fn about(body: &[u8]) -> Result<About, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        schema_version: Option<i64>,
        media_type: Option<String>,
        artifact_type: Option<String>,
        config: Option<Config>,
        subject: Option<Subject>,
        annotations: Option<std::collections::BTreeMap<String, String>>,
        #[serde(borrow)]
        manifests: Option<&'a RawValue>,
        #[serde(borrow)]
        layers: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        #[serde(default)]
        media_type: String,
    }
    #[derive(Deserialize)]
    struct Subject {
        digest: String,
    }
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let config = answer.config.map(|config| config.media_type);
    let stated = answer.artifact_type.filter(|stated| !stated.is_empty());
    Ok(About {
        subject: answer.subject.map(|subject| subject.digest),
        artifact_type: stated.or(config).unwrap_or_default(),
        annotations: answer.annotations.unwrap_or_default().into_iter().collect(),
        media_type: answer.media_type.filter(|stated| !stated.is_empty()),
        is_schema_1: answer.schema_version == Some(1),
        lists: (answer.manifests.is_some(), answer.layers.is_some()),
    })
}

/// The target of a `Link` header with `rel="next"` (RFC 8288, 3).
pub fn next_link(value: &str) -> Option<&str> {
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, behind) = rest.strip_prefix('<')?.split_once('>')?;
        let mut is_next = false;
        rest = behind;
        // Parameters, up to a comma outside of quotes.
        loop {
            rest = rest.trim_start();
            let Some(behind) = rest.strip_prefix(';') else {
                break;
            };
            let end = behind.find(['=', ';', ',']).unwrap_or(behind.len());
            let (name, behind) = behind.split_at_checked(end)?;
            let Some(text) = behind.strip_prefix('=') else {
                rest = behind;
                continue;
            };
            let text = text.trim_start();
            let (text, behind) = match text.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => {
                    let end = text.find([';', ',']).unwrap_or(text.len());
                    text.split_at_checked(end)?
                }
            };
            if name.trim().eq_ignore_ascii_case("rel") {
                let mut words = text.split_ascii_whitespace();
                is_next = words.any(|word| word.eq_ignore_ascii_case("next"));
            }
            rest = behind;
        }
        if is_next {
            return Some(target);
        }
        if !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_shown_bounded_and_without_what_moves_a_terminal() {
        let body =
            br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m \u202eway"},{"code":"X"}]}"#;
        assert_eq!(refusal_words(body), "DENIED: no [31m  way; X");
        let proxy = b"Client sent an HTTP request to an HTTPS server.\nmore";
        let line = "Client sent an HTTP request to an HTTPS server.";
        assert_eq!(refusal_words(proxy), line);
        let long = format!(r#"{{"errors":[{{"message":"{}"}}]}}"#, "a".repeat(1000));
        assert_eq!(refusal_words(long.as_bytes()).chars().count(), 301);
        for bad in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"errors":null}"#,
            r#"{"errors":[1]}"#,
        ] {
            assert_eq!(refusal_words(bad.as_bytes()), "", "{bad}");
        }
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (value, next) in [
            (
                r#"</v2/a/tags/list?n=1&last=b>; rel="next""#,
                Some("/v2/a/tags/list?n=1&last=b"),
            ),
            ("<x>; rel=next", Some("x")),
            ("<x>;rel=NEXT", Some("x")),
            (
                r#"<a,b>; title="x, rel=next"; rel="prev", <c>; rel="last next""#,
                Some("c"),
            ),
            (r#"<a>; rel="prev""#, None),
            ("<a>", None),
            ("<a>; next", None),
            ("", None),
            ("<a", None),
            ("a>; rel=next", None),
            (r#"<a>; rel="next"#, None),
        ] {
            assert_eq!(next_link(value), next, "{value}");
        }
    }

    #[test]
    fn a_manifest_tells_its_own_type() {
        let own = br#"{"artifactType":"a/b","config":{"mediaType":"c/d"},"subject":{"digest":"sha256:x"}}"#;
        let about_own = about(own).unwrap();
        assert_eq!(about_own.artifact_type, "a/b");
        assert_eq!(about_own.subject.as_deref(), Some("sha256:x"));
        let config = about(br#"{"artifactType":"","config":{"mediaType":"c/d"}}"#).unwrap();
        assert_eq!(config.artifact_type, "c/d");
        assert!(
            about(br#"{"schemaVersion":1,"fsLayers":[]}"#)
                .unwrap()
                .is_schema_1
        );
    }
}
