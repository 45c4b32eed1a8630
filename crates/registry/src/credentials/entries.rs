//! The shape that all files of credentials share (docker/cli,
//! cli/config/configfile; containers-auth.json(5)): keys of registries with
//! credentials, and the names of programs that keep some.

use std::path::Path;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

use super::{Credential, Found, helper, keys};
use crate::{Machine, Repository, Secret};

/// Base64 with or without its padding, as files are found.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The user's name in the place of which an identity token stands.
const TOKEN_USER: &str = "<token>";

/// What a file says of registries.
#[derive(Default)]
pub(super) struct Entries {
    /// `auths`: keys and their credentials, which are understood when they are
    /// needed.
    direct: Vec<(String, Value)>,
    /// `credHelpers`: keys and the program that knows them.
    helpers: Vec<(String, String)>,
    /// `credsStore`: the program that knows all.
    store: Option<String>,
    /// Whether an address with a path is about that path alone.
    keeps_path: bool,
}

/// Entries hold secrets.
impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&str> = self.direct.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Entries")
            .field("direct", &keys)
            .field("helpers", &self.helpers)
            .field("store", &self.store)
            .finish()
    }
}

impl Entries {
    /// Reads a whole file; in an old one the keys stand at the top.
    pub(super) fn read(json: &Value, is_old: bool) -> Result<Self, String> {
        let root = json.as_object().ok_or("it is no JSON object")?;
        let mut entries = Entries::default();
        let auths = match root.get("auths") {
            // `.dockercfg`, also under another name: nothing but registries.
            None if is_old || is_keyed(root) => Some(root),
            None | Some(Value::Null) => None,
            Some(auths) => Some(auths.as_object().ok_or("`auths` is no object")?),
        };
        let auths = auths.into_iter().flatten();
        entries.direct = auths
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(helpers) = root.get("credHelpers").filter(|value| !value.is_null()) {
            let helpers = helpers.as_object().ok_or("`credHelpers` is no object")?;
            for (key, name) in helpers {
                let name = name
                    .as_str()
                    .ok_or_else(|| format!("`credHelpers.{key}` is no text"))?;
                entries.helpers.push((key.clone(), name.to_owned()));
            }
        }
        if let Some(store) = root.get("credsStore").filter(|value| !value.is_null()) {
            let store = store.as_str().ok_or("`credsStore` is no text")?;
            entries.store = (!store.is_empty()).then(|| store.to_owned());
        }
        Ok(entries)
    }

    /// Adds the registries of another file.
    pub(super) fn add(&mut self, other: Entries) {
        self.direct.extend(other.direct);
    }

    /// Reads keys as Kubernetes does.
    pub(super) fn of_kubernetes(mut self) -> Self {
        self.keeps_path = true;
        // A Secret's content runs no programs on this machine.
        self.helpers.clear();
        self.store = None;
        self
    }

    /// What belongs to a repository: a program that is named for its registry,
    /// then the one for all, then what the file holds itself, which is Docker's
    /// order. A program that fails is noted and passed over: a public image can
    /// be read without it.
    pub(super) fn find(
        &self,
        repository: &Repository,
        path: &Path,
        machine: &Machine,
        notes: &mut Vec<String>,
    ) -> Result<Option<Found>, String> {
        let fits = self.helpers.iter().filter_map(|(key, name)| {
            let fit = keys::fit(key, repository, self.keeps_path)?;
            Some((fit, (name, format!("`credHelpers.{key}`"))))
        });
        let named = fits.max_by_key(|(fit, _)| *fit).map(|(_, named)| named);
        // An empty name says that no program is to be asked.
        let (program, field) = match (named, &self.store) {
            (Some((name, field)), _) => (Some(name), field),
            (None, store) => (store.as_ref(), "`credsStore`".to_owned()),
        };
        for name in program.into_iter().filter(|name| !name.is_empty()) {
            let place = format!("{field} of `{}`", path.display());
            if !helper::is_name(name) {
                return Err(format!("{field} is no name of a program"));
            }
            match helper::get(name, repository.host(), machine) {
                Ok(None) => {}
                Ok(Some(credential)) => {
                    let from = format!("`{}` by {place}", helper::program(name));
                    return Ok(Some(Found { credential, from }));
                }
                Err(error) => notes.push(format!(
                    "`{}`, which {place} names, {error}",
                    helper::program(name)
                )),
            }
        }
        let found = self.direct(repository)?;
        Ok(found.map(|(key, credential)| Found {
            credential,
            from: format!("`auths.{key}` of `{}`", path.display()),
        }))
    }

    /// What the file itself holds for a repository, with its key.
    pub(super) fn direct(
        &self,
        repository: &Repository,
    ) -> Result<Option<(&str, Credential)>, String> {
        let fits = self.direct.iter().filter_map(|(key, value)| {
            Some((keys::fit(key, repository, self.keeps_path)?, key, value))
        });
        let mut fits: Vec<_> = fits.collect();
        fits.sort_by_key(|(fit, ..)| std::cmp::Reverse(*fit));
        // An empty entry says that a program keeps the credentials.
        for (_, key, value) in fits {
            if let Some(credential) = credential(key, value)? {
                return Ok(Some((key, credential)));
            }
        }
        Ok(None)
    }
}

/// Whether every value is an object that has credentials.
fn is_keyed(root: &Map<String, Value>) -> bool {
    !root.is_empty()
        && root
            .values()
            .all(|value| value.get("auth").is_some() || value.get("username").is_some())
}

/// One entry; `None` where it is empty.
fn credential(key: &str, value: &Value) -> Result<Option<Credential>, String> {
    let value = match value {
        Value::Null => return Ok(None),
        Value::Object(value) => value,
        _ => return Err(format!("`auths.{key}` is no object")),
    };
    let text = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`auths.{key}.{name}` is no text")),
    };
    if let Some(token) = text("registrytoken")? {
        return Ok(Some(Credential::Bearer(Secret::new(token))));
    }
    let pair = match text("auth")? {
        Some(auth) => Some(decode(auth).map_err(|what| format!("`auths.{key}.auth` {what}"))?),
        None => match (text("username")?, text("password")?) {
            (Some(user), Some(password)) => Some((user.to_owned(), Secret::new(password))),
            (user, None) => user.map(|user| (user.to_owned(), Secret::new(""))),
            (None, Some(_)) => {
                return Err(format!("`auths.{key}` has a password and no username"));
            }
        },
    };
    if let Some(token) = text("identitytoken")? {
        return Ok(Some(Credential::Identity {
            user: pair.map(|(user, _)| user),
            token: Secret::new(token),
        }));
    }
    match pair {
        Some((_, password)) if password.expose().is_empty() => {
            Err(format!("`auths.{key}` has a username and no password"))
        }
        pair => Ok(pair.map(|(user, password)| password_or_token(user, password))),
    }
}

/// A password, or what stands in its place under the name `<token>`.
pub(super) fn password_or_token(user: String, password: Secret) -> Credential {
    if user == TOKEN_USER {
        let (user, token) = (None, password);
        Credential::Identity { user, token }
    } else {
        Credential::Password { user, password }
    }
}

/// `base64(user ":" password)`.
fn decode(auth: &str) -> Result<(String, Secret), &'static str> {
    let bytes = BASE64.decode(auth.trim()).map_err(|_| "is no base64")?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let text = std::str::from_utf8(&bytes).map_err(|_| "holds no UTF-8")?;
    let (user, password) = text.split_once(':').ok_or("holds no `:`")?;
    // Docker's own fixed-length field left zeros behind.
    let password = password.trim_end_matches('\0');
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err("holds control characters");
    }
    Ok((user.to_owned(), Secret::new(password)))
}
