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
        let shown = || plain(text, 200);
        let malformed = || AddressError::Malformed(shown());
        if text.len() > LONGEST || text.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f) {
            return Err(malformed());
        }
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            Some(_) => return Err(AddressError::Scheme(shown())),
            None => return Err(malformed()),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            // Not shown: the password would be.
            let host = plain(authority.host(), 200);
            return Err(AddressError::Credentials(format!("…@{host}")));
        }
        let port = match authority.port() {
            None => None,
            Some(port) => Some(port.as_str().parse().map_err(|_| malformed())?),
        };
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() || authority.as_str().ends_with(':') {
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
