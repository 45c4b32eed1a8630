//! Names of images, as Docker understands them (distribution/reference).

use std::{fmt, str::FromStr};

use seawall_model::Digest;

use crate::address::plain;

/// Docker Hub: the registry of names without one.
const DOCKER_HUB: &str = "docker.io";
/// Longest name of a repository (distribution/reference, `NameTotalLengthMax`).
const LONGEST_NAME: usize = 255;
/// Longest tag (OCI distribution-spec 1.1, "Pulling manifests").
const LONGEST_TAG: usize = 128;

/// Algorithms of digests, by which `@DIGEST` is told from `@HOST`.
const ALGORITHMS: [&str; 7] = [
    "md5", "sha1", "sha256", "sha384", "sha512", "blake2b", "blake3",
];

/// A repository of a registry: `docker.io/library/debian`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: String,
    path: String,
}

impl Repository {
    /// One by the registry that really serves it. The path has to come from a
    /// repository.
    pub(crate) fn served_by(host: String, path: &str) -> Self {
        Repository {
            host,
            path: path.to_owned(),
        }
    }

    /// One by its two parts, if they are such.
    pub fn new(host: &str, path: &str) -> Option<Self> {
        let is_one =
            is_host(host) && path.split('/').all(is_component) && path.len() <= LONGEST_NAME;
        is_one.then(|| Repository {
            host: lowered(host),
            path: path.to_owned(),
        })
    }

    /// The registry with its port: `docker.io`, `localhost:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name below the registry: `library/debian`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An image of it, by its digest.
    pub fn at(&self, digest: Digest) -> Reference {
        Reference {
            repository: self.clone(),
            tag: None,
            digest: Some(digest),
        }
    }

    /// An image of it, by its tag.
    ///
    /// # Errors
    /// When the tag is none.
    pub fn tagged(&self, tag: &str) -> Result<Reference, ParseReferenceError> {
        if !is_tag(tag) {
            return Err(ParseReferenceError::new(tag, "it is no tag"));
        }
        Ok(Reference {
            repository: self.clone(),
            tag: Some(tag.to_owned()),
            digest: None,
        })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// An image of a registry, by tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Where it lies.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag that was written; `None` by digest alone, or where neither was.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that was written.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What a registry is asked for: the digest, else the tag, else `latest`.
    pub fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// A text that names no image of a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no image of a registry: {why}")]
pub struct ParseReferenceError {
    text: String,
    why: &'static str,
}

impl ParseReferenceError {
    fn new(text: &str, why: &'static str) -> Self {
        let text = without_credentials(text).unwrap_or_else(|| text.to_owned());
        ParseReferenceError {
            text: plain(&text, 300),
            why,
        }
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    /// Strict, because the parts become parts of addresses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |why| ParseReferenceError::new(text, why);
        if without_credentials(text).is_some() {
            return Err(fail("credentials do not belong in a name"));
        }
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((rest, digest)) => {
                let why = "behind `@` a digest is expected, `sha256:` and 64 hexadecimal digits";
                (rest, Some(digest.parse().map_err(|_| fail(why))?))
            }
        };
        let name_from = rest.rfind('/').map_or(0, |slash| slash + 1);
        let colon = rest
            .get(name_from..)
            .and_then(|name| name.find(':'))
            // `host:5000` alone is no image with the tag 5000.
            .map(|at| name_from + at);
        let (name, tag) = match colon.and_then(|at| rest.split_at_checked(at)) {
            None => (rest, None),
            Some((name, tag)) => (name, tag.strip_prefix(':').map(str::to_owned)),
        };
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(fail(
                "a tag has at most 128 letters, digits, `_`, `.` and `-`, and starts with one of \
                 the first three",
            ));
        }
        let (host, path) = match name.split_once('/') {
            Some((first, rest)) if is_host_like(first) => (first, rest.to_owned()),
            Some(_) => (DOCKER_HUB, name.to_owned()),
            None => (DOCKER_HUB, format!("library/{name}")),
        };
        let (host, path) = match (host, path) {
            // Docker Hub's old names.
            ("docker.io" | "index.docker.io" | "registry-1.docker.io", path) => {
                let is_official = !path.contains('/');
                let path = if is_official {
                    format!("library/{path}")
                } else {
                    path
                };
                (DOCKER_HUB, path)
            }
            other => other,
        };
        if !is_host(host) {
            return Err(fail("the registry is no host name with an optional port"));
        }
        if !path.split('/').all(is_component) {
            return Err(fail(
                "the repository has lower-case letters and digits, with single `.`, `_`, `__` or \
                 any number of `-` between them, in parts that `/` separates",
            ));
        }
        if path.len() > LONGEST_NAME {
            return Err(fail("the repository's name is longer than 255 characters"));
        }
        Ok(Reference {
            repository: Repository {
                host: lowered(host),
                path,
            },
            tag,
            digest,
        })
    }
}

/// A name as it can be shown, where somebody has typed credentials into it
/// (`joe:password@host/app`); `None` where none has. Of a name that is damaged
/// in another way rather too much is taken for credentials.
pub fn without_credentials(name: &str) -> Option<String> {
    let digest = name.rfind('@').filter(|at| {
        let behind = name.get(at + 1..).unwrap_or_default();
        let algorithm = behind.split_once(':').map_or(behind, |(word, _)| word);
        ALGORITHMS.contains(&algorithm.to_ascii_lowercase().as_str()) && !behind.contains('/')
    });
    let (head, digest) = name.split_at_checked(digest.unwrap_or(name.len()))?;
    let (before, behind) = head.rsplit_once('@')?;
    let is_secret = !before.is_empty() && (before.contains(':') || behind.contains('/'));
    is_secret.then(|| format!("…@{behind}{digest}"))
}

/// The name under which a registry is known here: Docker Hub has several.
pub(crate) fn usual_host(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    }
}

/// A registry's name in lower case, unless its capitals are all that tells it
/// from a user of Docker Hub: then it would be written as another name.
fn lowered(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    if is_host_like(&lower) {
        lower
    } else {
        host.to_owned()
    }
}

/// Whether the first part of a name is a registry, not a user of Docker Hub.
pub(crate) fn is_host_like(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost" || part.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        // An IPv6 address.
        Some(rest) => match rest.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => (
                "x",
                rest.strip_prefix(':')
                    .map_or((!rest.is_empty()).then_some(""), Some),
            ),
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port =
        |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit());
    name.len() <= 253 && name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(part: &str) -> bool {
    let bytes = part.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = bytes.first().is_some_and(is_plain) && bytes.last().is_some_and(is_plain);
    let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    ends && separators.into_iter().all(is_separator)
}

/// Whether a tag is no name of an image but a place where clients keep what is
/// about one: the index that stands in for the referrers API, `sha256-…`
/// (distribution-spec 1.1, "Referrers Tag Schema"), and cosign's signatures,
/// attestations and bills of materials, `sha256-….sig`.
pub fn is_attachment_tag(tag: &str) -> bool {
    let Some((hex, end)) = tag
        .strip_prefix("sha256-")
        .and_then(|rest| rest.split_at_checked(64))
    else {
        return false;
    };
    let is_hex = hex
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex && matches!(end, "" | ".sig" | ".att" | ".sbom")
}

pub(crate) fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String, String)> {
        let reference: Reference = text.parse().ok()?;
        let repository = reference.repository();
        Some((
            repository.host().to_owned(),
            repository.path().to_owned(),
            reference.wanted(),
        ))
    }

    #[test]
    fn names_are_completed_as_docker_does() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, host, path, wanted) in [
            ("debian", "docker.io", "library/debian", "latest"),
            ("debian:12", "docker.io", "library/debian", "12"),
            ("user/app", "docker.io", "user/app", "latest"),
            ("docker.io/debian:12", "docker.io", "library/debian", "12"),
            ("index.docker.io/a/b", "docker.io", "a/b", "latest"),
            ("localhost/app", "localhost", "app", "latest"),
            ("localhost:5000/a/b/c:v1", "localhost:5000", "a/b/c", "v1"),
            (
                "ghcr.io/a/b-c__d.e:V1.0-x",
                "ghcr.io",
                "a/b-c__d.e",
                "V1.0-x",
            ),
            ("HOST/app", "HOST", "app", "latest"),
            ("Host.Example/app", "host.example", "app", "latest"),
            ("LOCALHOST/app", "localhost", "app", "latest"),
            ("[::1]:5000/app:1", "[::1]:5000", "app", "1"),
            (
                &format!("quay.io/a/b:1@{digest}"),
                "quay.io",
                "a/b",
                &digest,
            ),
        ] {
            let expected = Some((host.to_owned(), path.to_owned(), wanted.to_owned()));
            assert_eq!(read(text), expected, "{text}");
            // A name is written as it is read.
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string().parse(), Ok(reference), "{text}");
        }
    }

    #[test]
    fn tags_for_what_is_about_images_are_told_from_names() {
        let tag = format!("sha256-{}", "0f".repeat(32));
        assert!(is_attachment_tag(&tag));
        assert!(is_attachment_tag(&format!("{tag}.sig")));
        for name in [
            "latest",
            "sha256-0f",
            &format!("{tag}x"),
            &tag.to_uppercase(),
        ] {
            assert!(!is_attachment_tag(name), "{name}");
        }
    }

    #[test]
    fn credentials_in_a_name_are_not_shown() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, shown) in [
            ("joe:hunter2@x.test/app", "…@x.test/app"),
            ("joe:hunter2@x.test:5000/app:1", "…@x.test:5000/app:1"),
            ("joe:hunter2@localhost:5000", "…@localhost:5000"),
            ("hunter2@x.test/app", "…@x.test/app"),
            ("https://joe:hun/ter2@x.test/app", "…@x.test/app"),
            ("joe:hun@ter2@x.test/app", "…@x.test/app"),
            (
                &format!("joe:hunter2@x.test/app@{digest}"),
                &format!("…@x.test/app@{digest}"),
            ),
        ] {
            assert_eq!(without_credentials(text).as_deref(), Some(shown));
            let error = text.parse::<Reference>().unwrap_err();
            let said = "names no image of a registry: credentials do not belong in a name";
            assert_eq!(error.to_string(), format!("`{shown}` {said}"));
            assert!(!format!("{error:?}").contains("ter2"));
        }
        for text in [
            "debian",
            "debian@latest",
            "x.y:5000/a@sha256",
            "x.y:5000/a:1@SHA256:00",
            "@x/y",
            &format!("x.y:5000/a:1@{digest}"),
        ] {
            assert_eq!(without_credentials(text), None, "{text}");
        }
    }

    #[test]
    fn what_could_leave_its_place_in_an_address_is_refused() {
        let long = format!("x.y/{}", "a".repeat(256));
        let tag = format!("a:{}", "b".repeat(129));
        for text in [
            "",
            ":",
            "a:",
            "a:-x",
            "a@sha256:00",
            "a@md5:00",
            "x.y/../z",
            "x.y/a//b",
            "x.y/a/",
            "x.y/A",
            "x.y/a..b",
            "x.y/a___b",
            "x.y/-a",
            "x.y/a%2fb",
            "x.y/a?b",
            "x.y/a#b",
            "x.y/a b",
            "x.y/ä",
            "user:pass@x.y/a",
            "x.y:99999/a",
            "x.y:/a",
            "x.y:+5/a",
            "x..y/a",
            "-x.y/a",
            "[::1/a",
            "[::1]x/a",
            "[::zz]:1/a",
            "a\n",
            &long,
            &tag,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
