//! Dumps from a folder or over HTTP.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// OSV's public bucket.
pub const PUBLIC_BUCKET: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Bytes of one download.
const DOWNLOAD_LIMIT: u64 = 4 << 30;

/// Where dumps come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A folder with `ECOSYSTEM/all.zip`.
    Dir(PathBuf),
    /// A web server with the same layout.
    Url(String),
}

impl From {
    /// Understands what a user writes: an address or a folder.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            From::Url(text.trim_end_matches('/').to_owned())
        } else {
            From::Dir(PathBuf::from(text))
        }
    }
}

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The server cannot be reached, or answers with an error.
    #[error("cannot fetch `{url}`")]
    Http {
        /// The address.
        url: String,
        /// Why.
        #[source]
        cause: Box<ureq::Error>,
    },
    /// The answer broke off or is too large.
    #[error("cannot fetch `{url}` to its end")]
    Body {
        /// The address.
        url: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The address leads to nothing.
    #[error("there is no `{0}`")]
    NotThere(String),
}

/// Who is told how much was fetched.
pub trait FetchProgress: Sync {
    /// So many more bytes of what `label` names.
    fn bytes(&self, label: &str, bytes: u64);
}

/// What was fetched.
pub(crate) enum Fetched {
    New {
        bytes: Vec<u8>,
        etag: Option<String>,
    },
    /// The server says that nothing changed.
    Same,
}

/// Fetches from one place.
pub(crate) struct Fetcher {
    from: From,
    agent: Option<ureq::Agent>,
}

impl Fetcher {
    pub(crate) fn new(from: From) -> Self {
        let agent = matches!(from, From::Url(_)).then(|| {
            ureq::Agent::config_builder()
                .timeout_connect(Some(Duration::from_secs(10)))
                .timeout_recv_response(Some(Duration::from_secs(60)))
                .timeout_recv_body(Some(Duration::from_secs(1800)))
                .http_status_as_error(false)
                .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
                .build()
                .new_agent()
        });
        Fetcher { from, agent }
    }

    /// What the index says of the place.
    pub(crate) fn name(&self) -> String {
        match &self.from {
            From::Dir(dir) => dir.display().to_string(),
            From::Url(url) => url.clone(),
        }
    }

    pub(crate) fn dir(&self) -> Option<&Path> {
        match &self.from {
            From::Dir(dir) => Some(dir),
            From::Url(_) => None,
        }
    }

    /// A file by its name below the place; `None` when it is not there.
    pub(crate) fn get(
        &self,
        name: &str,
        etag: Option<&str>,
        progress: &dyn FetchProgress,
    ) -> Result<Option<Fetched>, FetchError> {
        match (&self.from, &self.agent) {
            (From::Url(url), Some(agent)) => {
                let url = format!("{url}/{}", escape(name));
                http(agent, &url, name, etag, progress)
            }
            (From::Dir(dir), _) => {
                let path = dir.join(name);
                match fs::read(&path) {
                    Ok(bytes) => Ok(Some(Fetched::New { bytes, etag: None })),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(cause) => Err(FetchError::Read { path, cause }),
                }
            }
            (From::Url(url), None) => Err(FetchError::NotThere(url.clone())),
        }
    }
}

/// Names of ecosystems have spaces and colons.
fn escape(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
        out
    })
}

fn http(
    agent: &ureq::Agent,
    url: &str,
    label: &str,
    etag: Option<&str>,
    progress: &dyn FetchProgress,
) -> Result<Option<Fetched>, FetchError> {
    let failed = |cause| FetchError::Http {
        url: url.to_owned(),
        cause: Box::new(cause),
    };
    let mut request = agent.get(url);
    if let Some(etag) = etag {
        request = request.header("If-None-Match", etag);
    }
    let mut response = request.call().map_err(failed)?;
    match response.status().as_u16() {
        200 => {}
        304 => return Ok(Some(Fetched::Same)),
        404 => return Ok(None),
        status => return Err(failed(ureq::Error::StatusCode(status))),
    }
    let etag = response
        .headers()
        .get("etag")
        .and_then(|etag| etag.to_str().ok().map(str::to_owned));
    let body = |cause| FetchError::Body {
        url: url.to_owned(),
        cause,
    };
    let mut reader = response
        .body_mut()
        .with_config()
        .limit(DOWNLOAD_LIMIT)
        .reader();
    let mut bytes = Vec::new();
    let mut piece = vec![0; 256 << 10];
    loop {
        let read = match io::Read::read(&mut reader, &mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(body(error)),
        };
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        progress.bytes(label, read as u64);
    }
    Ok(Some(Fetched::New { bytes, etag }))
}
