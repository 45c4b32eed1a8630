//! Dumps from a folder or over HTTP.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// OSV's public bucket.
pub const PUBLIC_BUCKET: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Who publishes the facts that OSV's bucket does not have, by the name that
/// the file has beside dumps elsewhere.
const PUBLISHERS: &[(&str, &str)] = &[
    (
        "kev.json",
        "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
    ),
    (
        "epss.csv.gz",
        "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
    ),
    (
        "endoflife.json",
        "https://endoflife.date/api/v1/products/full",
    ),
];

/// How long a server may be silent before it is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of one download.
const DOWNLOAD_LIMIT: u64 = 4 << 30;
/// Bytes read at once, and pieces that may wait to be written.
const PIECE: usize = 256 << 10;
/// Connections that are kept for the next file.
const AT_ONCE: usize = 8;
const WAITING: usize = 4;

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
    /// What was fetched cannot be kept.
    #[error("cannot keep what was fetched of `{url}` in `{}`", .dir.display())]
    Keep {
        /// The address.
        url: String,
        /// The database's folder.
        dir: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// Who is told how much was fetched.
pub trait FetchProgress: Sync {
    /// So many more bytes of what `label` names.
    fn bytes(&self, label: &str, bytes: u64);
}

/// What was fetched.
pub(crate) enum Fetched {
    /// A file, to be read from its beginning.
    New { file: File, etag: Option<String> },
    /// The server says that nothing changed.
    Same,
}

/// What caches on the way may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caches {
    /// Answer themselves.
    Used,
    /// Answer after they have asked the place.
    Asked,
}

/// Fetches from one place.
pub(crate) struct Fetcher<'a> {
    from: From,
    agent: ureq::Agent,
    patience: Duration,
    /// Where downloads are kept while they are read: they may be large, and
    /// this disk has to have room for what is made of them anyway.
    dir: &'a Path,
    progress: &'a dyn FetchProgress,
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(
        from: From,
        dir: &'a Path,
        patience: Duration,
        progress: &'a dyn FetchProgress,
    ) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(patience.min(Duration::from_secs(10))))
            .timeout_recv_response(Some(patience))
            .timeout_recv_body(Some(patience * 60))
            .http_status_as_error(false)
            .max_idle_connections_per_host(AT_ONCE)
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Fetcher {
            from,
            agent,
            patience,
            dir,
            progress,
        }
    }

    /// What the index says of the place.
    pub(crate) fn name(&self) -> String {
        match &self.from {
            From::Dir(dir) => dir.display().to_string(),
            From::Url(url) => url.clone(),
        }
    }

    /// Whether it is OSV's own bucket.
    pub(crate) fn is_public_bucket(&self) -> bool {
        matches!(&self.from, From::Url(url) if url == PUBLIC_BUCKET)
    }

    pub(crate) fn dir(&self) -> Option<&Path> {
        match &self.from {
            From::Dir(dir) => Some(dir),
            From::Url(_) => None,
        }
    }

    /// A dump by its name below the place; `None` when it is not there.
    pub(crate) fn dump(
        &self,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Option<Fetched>, FetchError> {
        match &self.from {
            From::Dir(dir) => {
                let path = dir.join(name);
                let opened = read(&path).map_err(|cause| FetchError::Read { path, cause })?;
                Ok(opened.map(|(file, length)| {
                    self.progress.bytes(name, length);
                    Fetched::New { file, etag: None }
                }))
            }
            From::Url(url) => {
                let url = format!("{url}/{}", escape(name));
                self.http(&url, name, etag, DOWNLOAD_LIMIT, Caches::Used)
            }
        }
    }

    /// The beginning of a file, at most so many bytes; `None` when it is not
    /// there.
    pub(crate) fn head(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, FetchError> {
        let (place, file) = match &self.from {
            From::Dir(dir) => {
                let path = dir.join(name);
                let opened = read(&path).map_err(|cause| FetchError::Read {
                    path: path.clone(),
                    cause,
                })?;
                (path, opened.map(|(file, _)| file))
            }
            From::Url(url) => {
                let url = format!("{url}/{}", escape(name));
                let failed = |cause| FetchError::Http {
                    url: url.clone(),
                    cause: Box::new(cause),
                };
                let last = most.saturating_sub(1);
                let asked = self
                    .agent
                    .get(&url)
                    .header("Range", format!("bytes=0-{last}"));
                let response = asked.call().map_err(failed)?;
                let file = match response.status().as_u16() {
                    // Not every server knows of ranges.
                    200 | 206 => {
                        let body = response.into_body().into_with_config();
                        let body = body.limit(DOWNLOAD_LIMIT).reader().take(most);
                        Some(self.keep(&url, name, body)?)
                    }
                    404 => None,
                    status => return Err(failed(ureq::Error::StatusCode(status))),
                };
                (PathBuf::from(url), file)
            }
        };
        let Some(file) = file else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(most).read_to_end(&mut bytes);
        read.map_err(|cause| FetchError::Read { path: place, cause })?;
        Ok(Some(bytes))
    }

    /// A file that is used in memory, and may have so many bytes; `None` when
    /// it is not there.
    pub(crate) fn bytes(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FetchError> {
        self.in_memory(name, limit, Caches::Used)
    }

    /// The same of a file that is replaced in its place, as it is now.
    pub(crate) fn current(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FetchError> {
        self.in_memory(name, limit, Caches::Asked)
    }

    fn in_memory(
        &self,
        name: &str,
        limit: u64,
        caches: Caches,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let (place, opened) = match &self.from {
            From::Dir(dir) => {
                let path = dir.join(name);
                let opened = read(&path).map_err(|cause| FetchError::Read {
                    path: path.clone(),
                    cause,
                })?;
                let opened = opened.map(|(file, length)| {
                    self.progress.bytes(name, length);
                    file
                });
                (path, opened)
            }
            From::Url(url) => {
                let url = format!("{url}/{}", escape(name));
                let opened = match self.http(&url, name, None, limit, caches)? {
                    Some(Fetched::New { file, .. }) => Some(file),
                    Some(Fetched::Same) | None => None,
                };
                (PathBuf::from(url), opened)
            }
        };
        let Some(file) = opened else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(limit + 1).read_to_end(&mut bytes);
        let too_long = || io::Error::other(format!("it has more than {limit} bytes"));
        match read {
            Ok(read) if read as u64 <= limit => Ok(Some(bytes)),
            read => Err(FetchError::Read {
                path: place,
                cause: read.err().unwrap_or_else(too_long),
            }),
        }
    }

    /// A file of facts by its name; `None` when it is not there.
    pub(crate) fn facts(
        &self,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Option<Fetched>, FetchError> {
        match &self.from {
            From::Url(_) if self.is_public_bucket() => match publisher(name) {
                Some(address) => self.http(address, name, etag, DOWNLOAD_LIMIT, Caches::Used),
                None => Ok(None),
            },
            _ => self.dump(name, etag),
        }
    }

    fn http(
        &self,
        url: &str,
        label: &str,
        etag: Option<&str>,
        limit: u64,
        caches: Caches,
    ) -> Result<Option<Fetched>, FetchError> {
        let failed = |cause| FetchError::Http {
            url: url.to_owned(),
            cause: Box::new(cause),
        };
        let mut request = self.agent.get(url);
        if let Some(etag) = etag {
            request = request.header("If-None-Match", etag);
        }
        if caches == Caches::Asked {
            request = request.header("Cache-Control", "no-cache");
        }
        let response = request.call().map_err(failed)?;
        match response.status().as_u16() {
            200 => {}
            304 if etag.is_some() => return Ok(Some(Fetched::Same)),
            404 => return Ok(None),
            status => return Err(failed(ureq::Error::StatusCode(status))),
        }
        let etag = response
            .headers()
            .get("etag")
            .and_then(|etag| etag.to_str().ok().map(str::to_owned));
        let body = response.into_body().into_with_config().limit(limit);
        let file = self.keep(url, label, body.reader())?;
        Ok(Some(Fetched::New { file, etag }))
    }

    /// Writes a body to a file without a name, which goes with the process.
    fn keep(
        &self,
        url: &str,
        label: &str,
        body: impl Read + Send + 'static,
    ) -> Result<File, FetchError> {
        let broken = |cause| FetchError::Body {
            url: url.to_owned(),
            cause,
        };
        let keeping = |cause| FetchError::Keep {
            url: url.to_owned(),
            dir: self.dir.to_owned(),
            cause,
        };
        let mut file = tempfile::tempfile_in(self.dir).map_err(keeping)?;
        // A thread of its own, so that a server that falls silent is noticed.
        // It ends with the connection, or with the process.
        let (sender, pieces) = mpsc::sync_channel(WAITING);
        thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || read_pieces(body, &sender))
            .map_err(broken)?;
        loop {
            let piece: Vec<u8> = match pieces.recv_timeout(self.patience) {
                Ok(piece) => piece.map_err(broken)?,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let silent = format!("nothing came for {} seconds", self.patience.as_secs());
                    return Err(broken(io::Error::new(io::ErrorKind::TimedOut, silent)));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(broken(io::ErrorKind::UnexpectedEof.into()));
                }
            };
            if piece.is_empty() {
                break;
            }
            file.write_all(&piece).map_err(keeping)?;
            self.progress.bytes(label, piece.len() as u64);
        }
        file.rewind().map_err(keeping)?;
        Ok(file)
    }
}

/// Sends a body in pieces, the last of which is empty.
fn read_pieces(mut body: impl Read, pieces: &mpsc::SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match body.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(read) => {
                piece.truncate(read);
                Ok(piece)
            }
            Err(error) => Err(error),
        };
        let is_last = read.as_ref().map_or(true, Vec::is_empty);
        // Nobody listens any more once the download was given up.
        if pieces.send(read).is_err() || is_last {
            return;
        }
    }
}

/// A file and its length; `None` when it is not there.
fn read(path: &Path) -> io::Result<Option<(File, u64)>> {
    match fs::metadata(path) {
        // A pipe would be waited for without end.
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("it is no file")),
        Ok(metadata) => Ok(Some((File::open(path)?, metadata.len()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn publisher(name: &str) -> Option<&'static str> {
    let found = PUBLISHERS.iter().find(|(file, _)| *file == name);
    found.map(|(_, address)| *address)
}

/// Names of ecosystems have spaces and colons.
fn escape(name: &str) -> String {
    utf8_percent_encode(name, NOT_IN_PATH).to_string()
}

/// All but unreserved characters (RFC 3986, 2.3) and slashes.
const NOT_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FactKind;

    #[test]
    fn every_fact_of_the_public_bucket_has_a_publisher_or_none_at_all() {
        let of = |kind: FactKind| {
            kind.files()
                .iter()
                .filter(|file| publisher(file).is_some())
                .count()
        };
        assert_eq!(FactKind::ALL.map(of), [1, 1, 0, 1]);
        for (name, address) in PUBLISHERS {
            assert!(address.starts_with("https://"), "{address}");
            assert!(
                FactKind::ALL.iter().any(|kind| kind.files().contains(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn names_of_ecosystems_are_escaped() {
        assert_eq!(escape("Rocky Linux/all.zip"), "Rocky%20Linux/all.zip");
        assert_eq!(escape("crates.io/all.zip"), "crates.io/all.zip");
    }

    #[test]
    fn an_address_is_told_from_a_folder() {
        assert_eq!(
            From::parse("https://x.example/osv/"),
            From::Url("https://x.example/osv".into())
        );
        assert_eq!(From::parse("/srv/osv"), From::Dir("/srv/osv".into()));
    }
}
