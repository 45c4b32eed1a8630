//! Which credentials belong to a registry, and where they are kept.
//!
//! The first source that has some for a registry is believed:
//!
//! 1. the environment, for the one registry that it names (`environment`);
//! 2. the files that the user named, by flag or setting; when there are any,
//!    the usual ones below are not read;
//! 3. `REGISTRY_AUTH_FILE`, likewise alone;
//! 4. Podman's files (`podman`), then Docker's (`docker`).
//!
//! A file may hold credentials itself (`entries`) or name a program that keeps
//! them (`helper`). Files are read when the first registry asks for credentials.

mod docker;
mod entries;
mod environment;
mod helper;
mod keys;
mod kubernetes;
mod podman;

use std::{io, path::PathBuf, sync::OnceLock};

use entries::Entries;

use crate::{
    Repository, Secret,
    machine::{self, Machine},
};

/// Bytes of a file. A Secret of Kubernetes has at most 1 MiB, which base64
/// makes a third longer.
const FILE_LIMIT: u64 = 4 << 20;

/// What a registry takes instead of a name and a face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// For Basic (RFC 7617), and for a token server that wants Basic.
    Password {
        /// The account.
        user: String,
        /// Its password, or a token in its place.
        password: Secret,
    },
    /// An OAuth 2 refresh token, which a token server changes into others
    /// (`identitytoken` in Docker's words).
    Identity {
        /// The account, where it is known.
        user: Option<String>,
        /// The token.
        token: Secret,
    },
    /// A token for the registry itself (`registrytoken` in Docker's words).
    Bearer(Secret),
}

/// Credentials and where they came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The credentials.
    pub credential: Credential,
    /// As a message can say it: ``the key `ghcr.io` of `/root/.docker/config.json` ``.
    pub from: String,
}

/// What was found, and what has to be known when nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The credentials, if there are any.
    pub found: Option<Found>,
    /// Programs that failed to give theirs.
    pub notes: Vec<String>,
}

/// Why nobody can say which credentials belong to a registry.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file is there and cannot be read, or was named and is not there.
    #[error("cannot read credentials from `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file holds something else. What stands there is never shown.
    #[error("`{}` holds no credentials as it should: {what}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the field's name.
        what: String,
    },
    /// The environment says half of it.
    #[error("{0}")]
    Environment(String),
}

/// All sources of credentials of one run; threads may share it.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Where programs are run.
    machine: Machine,
    environment: Option<(String, Found)>,
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// Whether the user named it: then it has to be there.
    is_named: bool,
    is_old: bool,
    content: OnceLock<Option<Entries>>,
}

impl File {
    fn usual(path: PathBuf) -> Self {
        File {
            path,
            is_named: false,
            is_old: false,
            content: OnceLock::new(),
        }
    }

    fn named(path: PathBuf) -> Self {
        File {
            is_named: true,
            ..File::usual(path)
        }
    }

    /// What it holds; `None` when it is not there.
    fn entries(&self) -> Result<Option<&Entries>, CredentialError> {
        if let Some(content) = self.content.get() {
            return Ok(content.as_ref());
        }
        let bytes = if self.is_named {
            machine::read_named(&self.path, FILE_LIMIT).map(Some)
        } else {
            machine::read(&self.path, FILE_LIMIT)
        };
        let bytes = bytes.map_err(|cause| CredentialError::Unreadable {
            path: self.path.clone(),
            cause,
        })?;
        let entries = bytes.map(|bytes| parse(&bytes, self.is_old)).transpose();
        let entries = entries.map_err(|what| CredentialError::Malformed {
            path: self.path.clone(),
            what,
        })?;
        Ok(self.content.get_or_init(|| entries).as_ref())
    }
}

impl Credentials {
    /// Those of `files`, else the machine's own.
    ///
    /// # Errors
    /// When the environment says half of it.
    pub fn new(machine: &Machine, files: &[PathBuf]) -> Result<Self, CredentialError> {
        let environment = environment::read(machine)?;
        let named = if files.is_empty() {
            podman::named(machine).into_iter().collect()
        } else {
            files.to_vec()
        };
        let files = if named.is_empty() {
            let all = podman::files(machine).into_iter();
            all.chain(docker::files(machine)).collect()
        } else {
            named.into_iter().map(File::named).collect()
        };
        Ok(Credentials {
            machine: machine.clone(),
            environment,
            files,
        })
    }

    /// What belongs to a repository.
    ///
    /// # Errors
    /// When a file cannot be read, or its part about this registry not
    /// understood.
    pub fn find(&self, repository: &Repository) -> Result<Lookup, CredentialError> {
        let mut lookup = Lookup::default();
        if let Some((host, found)) = &self.environment
            && keys::same_host(host, repository.host())
        {
            lookup.found = Some(found.clone());
            return Ok(lookup);
        }
        for file in &self.files {
            let Some(entries) = file.entries()? else {
                continue;
            };
            let found = entries.find(repository, &file.path, &self.machine, &mut lookup.notes);
            lookup.found = found.map_err(|what| CredentialError::Malformed {
                path: file.path.clone(),
                what,
            })?;
            if lookup.found.is_some() {
                break;
            }
        }
        Ok(lookup)
    }
}

/// Understands a file in any of its shapes; errors name no secret.
fn parse(bytes: &[u8], is_old: bool) -> Result<Entries, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    let json: Result<serde_json::Value, _> = serde_json::from_str(text);
    match json {
        Ok(json) if kubernetes::is_manifest(&json) => kubernetes::entries(&[json]),
        Ok(json) => Entries::read(&json, is_old),
        // A manifest in YAML says its kind, JSON begins with a brace.
        Err(_) if kubernetes::is_yaml(text) => kubernetes::entries(&kubernetes::documents(text)?),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(format!("it is no JSON at {line}:{column}"))
        }
    }
}

/// For tests with hostile input: reads a file and looks for a repository in it,
/// without running a program.
pub fn hostile(bytes: &[u8], repository: &Repository) -> bool {
    parse(bytes, false).is_ok_and(|entries| entries.direct(repository).is_ok())
}
