//! Addresses that a registry is asked at, and those that it points to.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use ureq::http::Uri;

/// Longest address that is followed: bytes of it. Signed addresses of stores
/// of blobs have about 2 KiB.
const LONGEST: usize = 16 << 10;

/// An absolute address over HTTP or HTTPS, without user, password and
/// fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    is_plain: bool,
    host: String,
    port: Option<u16>,
    /// From the first slash on.
    path: String,
}

/// Why an address is not gone to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("`{0}` is no address over HTTP")]
    Malformed(String),
    /// It has another scheme.
    #[error("`{0}` is neither `http:` nor `https:`")]
    Scheme(String),
    /// It brings a user or a password.
    #[error("`{0}` has a user or a password in it")]
    Credentials(String),
}

impl Address {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// When it is none over HTTP, or has a user in it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let shown = || shown(text);
        let malformed = || AddressError::Malformed(shown());
        if text.len() > LONGEST || text.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f) {
            return Err(malformed());
        }
        let text = text.split('#').next().unwrap_or_default();
        let scheme = text.split(':').next().unwrap_or_default();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.len() < text.len()
            && scheme.chars().all(is_scheme)
            && !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
        {
            return Err(AddressError::Scheme(shown()));
        }
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            Some(_) | None => return Err(malformed()),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::Credentials(shown()));
        }
        // A port that is too large would be passed over otherwise.
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => None,
            Some(rest) => {
                let port = rest
                    .strip_prefix(':')
                    .filter(|port| port.bytes().all(is_digit));
                Some(
                    port.and_then(|port| port.parse().ok())
                        .ok_or_else(malformed)?,
                )
            }
            None => return Err(malformed()),
        };
        let host = host.to_ascii_lowercase();
        if host.is_empty() {
            return Err(malformed());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = match path.strip_prefix('?') {
            Some(query) => format!("/?{query}"),
            None => path.to_owned(),
        };
        Ok(Address {
            is_plain,
            host,
            port,
            path,
        })
    }

    /// Where a `Location` or a `Link` of this address' answer points to (RFC
    /// 3986, 5.2).
    ///
    /// # Errors
    /// When that is no address over HTTP, or has a user in it.
    pub fn join(&self, target: &str) -> Result<Self, AddressError> {
        let target = target.trim();
        let scheme = target
            .find(':')
            .filter(|colon| target.find(['/', '?', '#']).is_none_or(|at| at > *colon));
        if scheme.is_some() {
            return Address::parse(target);
        }
        let origin = self.origin();
        if let Some(rest) = target.strip_prefix("//") {
            return Address::parse(&format!("{}://{rest}", self.scheme()));
        }
        if target.starts_with('/') {
            return Address::parse(&format!("{origin}{target}"));
        }
        let path = self.path.split('?').next().unwrap_or("/");
        if target.starts_with('?') {
            return Address::parse(&format!("{origin}{path}{target}"));
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Address::parse(&format!("{origin}{folder}/{target}"))
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_plain { "http" } else { "https" }
    }

    /// Whether anybody between here and there can listen in and change things.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The host, an IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        let own = if self.is_plain { 80 } else { 443 };
        self.port.unwrap_or(own)
    }

    /// The host, with the port that was written: a registry's name.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// Whether both are served by the same party, so that what was meant for
    /// the one may be told the other.
    pub fn is_same_origin(&self, other: &Address) -> bool {
        self.is_plain == other.is_plain && self.host == other.host && self.port() == other.port()
    }

    /// The same over TLS, where `other` is that host over TLS: what a registry
    /// behind a proxy that takes TLS off says of itself.
    #[must_use]
    pub(crate) fn secured_as(mut self, other: &Address) -> Self {
        let is_host = self.host == other.host && (self.port.is_none() || self.port == other.port);
        if self.is_plain && !other.is_plain && is_host {
            self.is_plain = false;
            self.port = other.port;
        }
        self
    }

    /// The same with one more item in the query, which is escaped already.
    #[must_use]
    pub(crate) fn with(mut self, item: &str) -> Self {
        self.path
            .push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(item);
        self
    }

    /// Whether the host is this machine by its name or address.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for Address {
    /// Without the query, which may hold a signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{}{path}", self.origin())
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Whether nobody but this machine can listen in; a port may follow.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| is_own(address, IpAddr::is_loopback))
}

/// Whether an address, or the IPv4 address in it, is so.
fn is_own(address: IpAddr, is: fn(&IpAddr) -> bool) -> bool {
    let inner = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Ipv6Addr::to_ipv4_mapped(&address),
    };
    is(&address) || inner.is_some_and(|inner| is(&IpAddr::V4(inner)))
}

/// A target that is no address, to be shown: without what may be a password or
/// a signature in it.
pub(crate) fn shown(target: &str) -> String {
    let target = target.split('?').next().unwrap_or_default();
    match target.rsplit_once('@') {
        None => plain(target, 200),
        Some((_, rest)) => format!("…@{}", plain(rest, 200)),
    }
}

/// A text from outside, to be shown: bounded, without control characters.
pub(crate) fn plain(text: &str, longest: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(longest)
        .map(|c| {
            if c.is_control() || is_invisible(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that turn or hide their neighbours (Unicode TR 36).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, target: &str) -> Option<String> {
        let base = Address::parse(base).unwrap();
        let joined = base.join(target).ok()?;
        Some(format!("{}{}", joined.origin(), joined.path()))
    }

    #[test]
    fn targets_are_joined_as_the_standard_says() {
        let base = "https://r.example:5000/v2/a/blobs/x?y=z";
        for (target, expected) in [
            ("https://o.example/p?q#f", "https://o.example/p?q"),
            ("HTTPS://O.Example:443/p", "https://o.example:443/p"),
            ("//o.example/p", "https://o.example/p"),
            ("/p?q", "https://r.example:5000/p?q"),
            ("p", "https://r.example:5000/v2/a/blobs/p"),
            ("?q", "https://r.example:5000/v2/a/blobs/x?q"),
            ("p/a:b", "https://r.example:5000/v2/a/blobs/p/a:b"),
            ("http://o.example", "http://o.example/"),
            ("http://o.example?q", "http://o.example/?q"),
            ("http://[::1]:5/p", "http://[::1]:5/p"),
        ] {
            assert_eq!(joined(base, target).as_deref(), Some(expected), "{target}");
        }
        for bad in [
            "http://",
            "http:///p",
            "http:p",
            "http://h:/p",
            "http://h:99999/",
            "http://h:x/",
            "http://u@h/",
            "http://u:p@h/",
            "http://h/a b",
            "http://h/a\nb",
            "http:\\h",
            "file:///etc/passwd",
            "javascript:x",
            "http://[::1/p",
            "http://h\u{0}/",
        ] {
            assert_eq!(joined(base, bad), None, "{bad}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |a: &str, b: &str| {
            Address::parse(a)
                .unwrap()
                .is_same_origin(&Address::parse(b).unwrap())
        };
        assert!(same("https://h/a", "https://H:443/b"));
        assert!(same("http://h:80/", "http://h/"));
        assert!(!same("https://h/", "http://h/"));
        assert!(!same("https://h/", "https://h:8443/"));
        assert!(!same("https://h/", "https://h.evil/"));
        assert!(!same("https://h/", "https://x.h/"));
    }

    #[test]
    fn neither_password_nor_signature_is_shown() {
        let error = Address::parse("https://user:secret@h/p").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        let signed = Address::parse("https://h/p?sig=secret").unwrap();
        assert_eq!(signed.to_string(), "https://h/p");
    }

    #[test]
    fn a_host_behind_a_proxy_that_takes_tls_off_is_still_spoken_to_over_tls() {
        let registry = Address::parse("https://h:8443/v2/").unwrap();
        let of = |text: &str| Address::parse(text).unwrap().secured_as(&registry).origin();
        assert_eq!(of("http://h/x"), "https://h:8443");
        assert_eq!(of("http://h:8443/x"), "https://h:8443");
        assert_eq!(of("http://h:80/x"), "http://h:80");
        assert_eq!(of("http://other/x"), "http://other");
        let plain = Address::parse("http://h/v2/").unwrap();
        let at = Address::parse("http://h/x").unwrap().secured_as(&plain);
        assert_eq!(at.origin(), "http://h");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for here in [
            "localhost",
            "a.localhost:5",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for away in [
            "localhost.evil",
            "evil-localhost",
            "128.0.0.1",
            "127.0.0.1.evil",
            "[::2]",
        ] {
            assert!(!is_loopback(away), "{away}");
        }
    }
}
