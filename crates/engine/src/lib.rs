//! A small synchronous client of Docker's and Podman's Unix socket, and a reader
//! of containerd's files.
//!
//! A scan inspects an image and exports it as a stream, and asks which other
//! images are there to tell its base. The client speaks HTTP/1.1 (RFC 9112) over the socket, bounds
//! what it buffers, and ends a wait with an error that names the socket.

mod connect;
pub mod containerd;
mod http;

use std::{
    env,
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub use http::parse_response_head;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Docker.
    Docker,
    /// Podman, through its Docker-compatible interface.
    Podman,
}

impl Kind {
    /// The name used as a scheme.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Docker => "docker",
            Kind::Podman => "podman",
        }
    }
}

/// What went wrong between us and an engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket does not let us in.
    #[error("cannot connect to `{}`", .socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The engine said nothing for too long.
    #[error("`{}` did not answer within {} s", .socket.display(), .wait.as_secs())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited for.
        wait: Duration,
    },
    /// The engine stopped in the middle of an image.
    #[error("`{}` stopped in the middle of the image and said nothing for {} s", .socket.display(), .wait.as_secs())]
    Stalled {
        /// The socket.
        socket: PathBuf,
        /// How long it was waited for.
        wait: Duration,
    },
    /// The engine ended an image before its end.
    #[error("`{}` hung up in the middle of the image", .socket.display())]
    HungUp {
        /// The socket.
        socket: PathBuf,
    },
    /// The connection broke.
    #[error("the connection to `{}` broke", .socket.display())]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// What came is no HTTP, or beyond a bound.
    #[error("`{}` does not speak HTTP as expected: {what}", .socket.display())]
    Protocol {
        /// The socket.
        socket: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// There is no such image.
    #[error("there is no image `{name}` at `{}`", .socket.display())]
    NoImage {
        /// The image.
        name: String,
        /// The socket.
        socket: PathBuf,
    },
    /// The engine refused.
    #[error("`{}` refused with status {status}: {message}", .socket.display())]
    Refused {
        /// The socket.
        socket: PathBuf,
        /// HTTP status.
        status: u16,
        /// What the engine says.
        message: String,
    },
}

/// How long an engine may take.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For the whole answer to a small question.
    pub answer: Duration,
    /// For the head of an export: the engine gathers layers first.
    pub first: Duration,
    /// Between two pieces of an export.
    pub next: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Waits {
            answer: Duration::from_secs(15),
            first: Duration::from_secs(300),
            next: Duration::from_secs(60),
        }
    }
}

/// What an engine knows of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Digest of the image's configuration.
    pub id: String,
    /// `RepoTags`.
    pub tags: Vec<String>,
    /// `RootFS.Layers`: the diff ids, lowest first.
    pub diff_ids: Vec<String>,
    /// The whole answer.
    pub raw: serde_json::Value,
}

/// A client of one socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    waits: Waits,
}

/// Bytes of an answer that is no stream.
const ANSWER_LIMIT: u64 = 16 << 20;

impl Client {
    /// A client of the engine behind `socket`.
    pub fn new(socket: impl Into<PathBuf>, waits: Waits) -> Self {
        Client {
            socket: socket.into(),
            waits,
        }
    }

    /// What the engine knows of the image `name`.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer properly.
    pub fn inspect(&self, name: &str) -> Result<Inspected, Error> {
        let path = format!("/images/{}/json", escape(name));
        let raw = self.ask(&path, name)?;
        let protocol = |what| Error::Protocol {
            socket: self.socket.clone(),
            what,
        };
        let texts = |value: &serde_json::Value| -> Vec<String> {
            let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let id = raw.get("Id").and_then(|id| id.as_str());
        let id = id.ok_or_else(|| protocol("an image's description has no Id"))?;
        // Podman writes the id without its algorithm.
        let id = if id.contains(':') {
            id.to_owned()
        } else {
            format!("sha256:{id}")
        };
        let null = serde_json::Value::Null;
        let layers = raw
            .get("RootFS")
            .and_then(|root| root.get("Layers"))
            .unwrap_or(&null);
        Ok(Inspected {
            id,
            tags: texts(raw.get("RepoTags").unwrap_or(&null)),
            diff_ids: texts(layers),
            raw,
        })
    }

    /// The image as a docker-archive, as it comes. A read fails with an
    /// [`enum@Error`] inside when the engine stops or hangs up before the end.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer properly.
    pub fn export(&self, name: &str) -> Result<impl Read + Send + 'static, Error> {
        let path = format!("/images/{}/get", escape(name));
        let mut response = self.get(&path, name, self.waits.first)?;
        let wait = self.waits.next;
        let set = response.allow_pauses(wait);
        set.map_err(|cause| self.transport(cause, wait))?;
        Ok(Export {
            response,
            socket: self.socket.clone(),
            wait,
        })
    }

    /// The images that bear a name, each once: at most the first `most`. Their
    /// order is the engine's.
    ///
    /// # Errors
    /// When the engine does not answer, or not as expected. An image that goes
    /// meanwhile is left out.
    pub fn images(&self, most: usize) -> Result<Vec<Inspected>, Error> {
        let raw = self.ask("/images/json", "json")?;
        let all = raw.as_array().map(Vec::as_slice).unwrap_or_default();
        let ids = all.iter().filter_map(|one| {
            let tags = one.get("RepoTags")?.as_array()?;
            let named = tags.iter().any(|tag| {
                tag.as_str()
                    .is_some_and(|tag| !tag.is_empty() && tag != "<none>:<none>")
            });
            one.get("Id")?.as_str().filter(|_| named)
        });
        let mut images = Vec::new();
        for id in ids.take(most) {
            match self.inspect(id) {
                Ok(image) => images.push(image),
                Err(Error::NoImage { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }

    /// The JSON behind a path, about the image `name`.
    fn ask(&self, path: &str, name: &str) -> Result<serde_json::Value, Error> {
        let mut body = Vec::new();
        let response = self.get(path, name, self.waits.answer)?;
        let read = response.take(ANSWER_LIMIT + 1).read_to_end(&mut body);
        read.map_err(|cause| self.transport(cause, self.waits.answer))?;
        let protocol = |what| Error::Protocol {
            socket: self.socket.clone(),
            what,
        };
        if body.len() as u64 > ANSWER_LIMIT {
            return Err(protocol("an image's description has no end"));
        }
        serde_json::from_slice(&body).map_err(|_| protocol("an image's description is no JSON"))
    }

    fn get(&self, path: &str, image: &str, wait: Duration) -> Result<http::Response, Error> {
        // Servers tidy such a path up and answer something else.
        if image.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(self.no_image(image));
        }
        let stream = connect::connect(&self.socket, self.waits.answer).map_err(|cause| {
            if is_timeout(&cause) {
                return self.transport(cause, self.waits.answer);
            }
            Error::Connect {
                socket: self.socket.clone(),
                cause,
            }
        })?;
        let response =
            http::get(stream, path, Instant::now() + wait).map_err(|failure| match failure {
                http::Failure::Io(cause) => self.transport(cause, wait),
                http::Failure::Protocol(what) => Error::Protocol {
                    socket: self.socket.clone(),
                    what,
                },
            })?;
        match response.status() {
            200 => Ok(response),
            404 => Err(self.no_image(image)),
            status => {
                let mut body = Vec::new();
                // The status alone says enough when the body does not come.
                let _ = response.take(64 << 10).read_to_end(&mut body);
                Err(Error::Refused {
                    socket: self.socket.clone(),
                    status,
                    message: message(&body),
                })
            }
        }
    }

    fn no_image(&self, name: &str) -> Error {
        Error::NoImage {
            name: name.to_owned(),
            socket: self.socket.clone(),
        }
    }

    fn transport(&self, cause: io::Error, wait: Duration) -> Error {
        let socket = self.socket.clone();
        if is_timeout(&cause) {
            Error::Silent { socket, wait }
        } else {
            Error::Broken { socket, cause }
        }
    }
}

/// A timeout of a socket shows as either.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// An image on its way, whose errors say what the engine did.
struct Export {
    response: http::Response,
    socket: PathBuf,
    wait: Duration,
}

impl Read for Export {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.response.read(buffer).map_err(|cause| {
            let (socket, wait) = (self.socket.clone(), self.wait);
            match cause.kind() {
                _ if is_timeout(&cause) => {
                    io::Error::new(io::ErrorKind::TimedOut, Error::Stalled { socket, wait })
                }
                kind @ io::ErrorKind::UnexpectedEof => {
                    io::Error::new(kind, Error::HungUp { socket })
                }
                _ => cause,
            }
        })
    }
}

/// `{"message": …}` as both engines write it, else the text itself.
fn message(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(|json| json.get("message")?.as_str());
    let text = said.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    text.chars()
        .take(500)
        .filter(|letter| !letter.is_control())
        .collect()
}

/// Percent-encodes what cannot stand in a path; slashes stay, as the engines
/// expect.
fn escape(name: &str) -> String {
    utf8_percent_encode(name, NOT_IN_PATH).to_string()
}

/// All but unreserved characters (RFC 3986, 2.3) and what separates the parts
/// of an image's name.
const NOT_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// The socket of an engine, if there is one: what the environment names, else
/// the usual places.
pub fn find(kind: Kind) -> Option<PathBuf> {
    let (variable, usual): (_, &[&str]) = match kind {
        Kind::Docker => ("DOCKER_HOST", &["/var/run/docker.sock", "/run/docker.sock"]),
        Kind::Podman => ("CONTAINER_HOST", &["/run/podman/podman.sock"]),
    };
    if let Some(host) = env::var(variable).ok().filter(|host| !host.is_empty()) {
        // Only sockets on this machine are spoken to.
        return host.strip_prefix("unix://").map(PathBuf::from);
    }
    let own = env::var_os("XDG_RUNTIME_DIR").map(|dir| match kind {
        Kind::Docker => Path::new(&dir).join("docker.sock"),
        Kind::Podman => Path::new(&dir).join("podman/podman.sock"),
    });
    own.into_iter()
        .chain(usual.iter().map(PathBuf::from))
        .find(|socket| socket.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_slashes() {
        assert_eq!(escape("a/b:1@sha256:0"), "a/b:1@sha256:0");
        assert_eq!(escape("a b?c#d\r\n"), "a%20b%3Fc%23d%0D%0A");
    }

    #[test]
    fn what_the_engine_says_is_shown_on_one_line() {
        assert_eq!(
            message(br#"{"message":"no such image\n"}"#),
            "no such image"
        );
        assert_eq!(message(b"plain"), "plain");
    }
}
