//! Who we are, to registries that ask.
//!
//! Nothing is shown before a registry asks for it. What it asks for is
//! remembered, so that the next repository's token is fetched without being
//! refused first; a token serves until shortly before its end, and one that is
//! refused in the middle of a pull is changed for a new one. However many
//! threads wait for the same token, one fetches it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

use ureq::http::{HeaderMap, HeaderValue};

use crate::{
    Address, Credential, Credentials, Error, Hosts, Repository, Secret, Settings,
    challenge::{self, Challenge, ParseChallengeError},
    credentials::Lookup,
    error::spoken,
    http::{Http, Trust},
    lock::lock,
    realm::{self, RealmError},
    tokens::{self, Question, Token},
};

/// What is to be done with a repository (distribution's token scope).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    repository: String,
    actions: &'static str,
}

impl Scope {
    /// Reading of a repository.
    pub fn pull(repository: &Repository) -> Self {
        Scope {
            repository: repository.path().to_owned(),
            actions: "pull",
        }
    }

    /// Reading of it and writing to it.
    pub fn push(repository: &Repository) -> Self {
        Scope {
            repository: repository.path().to_owned(),
            actions: "pull,push",
        }
    }

    /// The repository's name below its registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `pull` or `pull,push`.
    pub fn actions(&self) -> &'static str {
        self.actions
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repository:{}:{}", self.repository, self.actions)
    }
}

/// Why nothing can be shown to a registry.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The registry's question cannot be understood.
    #[error("`{host}` asks for credentials in a damaged way")]
    Challenge {
        /// The registry.
        host: String,
        /// What is wrong.
        #[source]
        cause: ParseChallengeError,
    },
    /// The registry asks for what nobody here can do.
    #[error("`{host}` asks for {schemes}, only Basic and Bearer are known")]
    Schemes {
        /// The registry.
        host: String,
        /// Their names.
        schemes: String,
    },
    /// The registry asks for credentials, and there are none.
    #[error("`{host}` asks for credentials, and there are none for it{notes}")]
    None {
        /// The registry.
        host: String,
        /// What went wrong on the way, to be read on.
        notes: String,
    },
    /// What was shown is not enough for what is asked.
    #[error("`{url}` is refused with status {status} {with}{}", spoken(.said))]
    Denied {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
        /// With which credentials, to be read on.
        with: String,
        /// The registry's own words; empty where it has none.
        said: String,
    },
    /// A token server that is not asked.
    #[error("`{host}` wants a token of `{realm}`, which is not asked: {cause}")]
    Realm {
        /// The registry.
        host: String,
        /// The token server.
        realm: String,
        /// Why, in one sentence with the rest.
        cause: RealmError,
    },
    /// A token server that gives none.
    #[error("the token server `{realm}` refuses with status {status}")]
    TokenRefused {
        /// The token server.
        realm: String,
        /// HTTP status.
        status: u16,
    },
    /// The token server gave none to this registry's question.
    #[error("there is no token for `{host}` {with}")]
    Token {
        /// The registry.
        host: String,
        /// With which credentials, to be read on.
        with: String,
        /// Why.
        #[source]
        cause: Box<Error>,
    },
    /// All threads that waited for the same have failed with it.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// Credentials that the registry's way of asking has no place for.
    #[error("{0} cannot be shown to a registry")]
    Unfit(&'static str),
}

/// Knows what registries want to be shown; threads share it.
pub struct Authority {
    credentials: Arc<Credentials>,
    hosts: Hosts,
    /// By origin.
    registries: Mutex<HashMap<String, Arc<Registry>>>,
    /// What was not told yet of where credentials came from and of what else
    /// users may want to know, and all that was.
    notes: Mutex<(Vec<String>, HashSet<String>)>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// What is known of one registry.
#[derive(Default)]
struct Registry {
    wants: Mutex<Option<Wants>>,
    /// By what is to be done there.
    slots: Mutex<HashMap<BTreeSet<Scope>, Arc<Mutex<Slot>>>>,
}

/// What a registry asks for.
#[derive(Clone)]
enum Wants {
    Basic,
    Bearer {
        realm: Address,
        service: Option<String>,
    },
}

/// What is shown for some scopes. Whoever renews it holds the lock.
#[derive(Default)]
struct Slot {
    shown: Option<Shown>,
    /// An identity token that the server gave in the place of the stored one.
    identity: Option<Secret>,
    failed: Option<(Instant, Arc<Error>)>,
}

struct Shown {
    header: String,
    /// Where the credentials came from, to be read on.
    with: String,
    /// When it is changed for a new one, and when it is worth nothing.
    times: Option<(Instant, Instant)>,
}

impl Shown {
    fn is_fresh(&self) -> bool {
        self.times.is_none_or(|(renew, _)| Instant::now() < renew)
    }

    fn is_valid(&self) -> bool {
        self.times.is_none_or(|(_, end)| Instant::now() < end)
    }
}

impl Authority {
    /// One that knows what the settings say.
    pub(crate) fn new(settings: &Settings) -> Self {
        Authority {
            credentials: Arc::clone(&settings.credentials),
            hosts: settings.hosts.clone(),
            registries: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// The `Authorization` to begin with, where what the registry wants is
    /// known already. A token that ends soon is changed for a new one first.
    pub(crate) fn header(
        &self,
        http: &Http,
        at: &Address,
        scopes: &[Scope],
    ) -> Result<Option<String>, Error> {
        let registry = self.registry(at);
        let Some(wants) = lock(&registry.wants).clone() else {
            return Ok(None);
        };
        let slot = registry.slot(scopes);
        let asked = Instant::now();
        let mut slot = lock(&slot);
        if let Some(shown) = slot.shown.as_ref().filter(|shown| shown.is_fresh()) {
            return Ok(Some(shown.header.clone()));
        }
        match self.renew(http, at, scopes, &wants, &mut slot, asked) {
            Ok(header) => Ok(Some(header)),
            // Perhaps this repository is open to everybody.
            Err(error) if is_none(&error) => Ok(None),
            Err(error) => match slot.shown.as_ref().filter(|shown| shown.is_valid()) {
                Some(shown) => Ok(Some(shown.header.clone())),
                None => Err(error),
            },
        }
    }

    /// The `Authorization` to try once more with, after a 401 with these
    /// headers to a request that had shown `shown`; `None` where there is none
    /// to show. Only the registry's own answer counts, not that of a store
    /// which it redirects to.
    pub(crate) fn challenged(
        &self,
        http: &Http,
        at: &Address,
        headers: &HeaderMap,
        scopes: &[Scope],
        shown: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let host = at.authority();
        let fields = headers.get_all("www-authenticate").iter();
        let challenges = challenge::parse(fields.map(HeaderValue::as_bytes));
        let challenges = challenges.map_err(|cause| AuthError::Challenge {
            host: host.clone(),
            cause,
        })?;
        if challenges.is_empty() {
            return Ok(None);
        }
        let wants = wants(&challenges, &host)?;
        let registry = self.registry(at);
        *lock(&registry.wants) = Some(wants.clone());
        let slot = registry.slot(scopes);
        let asked = Instant::now();
        let mut slot = lock(&slot);
        if let Some(known) = &slot.shown {
            // Another thread has changed it meanwhile.
            if shown != Some(known.header.as_str()) {
                return Ok(Some(known.header.clone()));
            }
            let before = slot.shown.take();
            let header = self.renew(http, at, scopes, &wants, &mut slot, asked)?;
            // The same again: it is not its age that the registry minds.
            if before.is_some_and(|before| before.header == header) {
                return Ok(None);
            }
            return Ok(Some(header));
        }
        let header = self.renew(http, at, scopes, &wants, &mut slot, asked)?;
        Ok(Some(header))
    }

    /// With which credentials requests for these scopes are made, to be read
    /// on: `with the credentials from …`, `without credentials …`.
    pub(crate) fn explain(&self, at: &Address, scopes: &[Scope]) -> String {
        let slot = self.registry(at).slot(scopes);
        let with = lock(&slot).shown.as_ref().map(|shown| shown.with.clone());
        match with.filter(|with| !with.is_empty()) {
            Some(with) => format!("with the credentials from {with}"),
            None => "without credentials".to_owned(),
        }
    }

    /// What was noted, each once, since this was asked last.
    pub(crate) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes).0)
    }

    pub(crate) fn note(&self, text: String) {
        let (new, all) = &mut *lock(&self.notes);
        if all.insert(text.clone()) {
            new.push(text);
        }
    }

    /// Makes what is shown anew. Whoever waited for the same while it failed
    /// fails likewise, instead of asking again one after the other.
    fn renew(
        &self,
        http: &Http,
        at: &Address,
        scopes: &[Scope],
        wants: &Wants,
        slot: &mut Slot,
        asked: Instant,
    ) -> Result<String, Error> {
        if let Some((_, why)) = slot.failed.as_ref().filter(|(at, _)| *at > asked) {
            return Err(AuthError::Shared(Arc::clone(why)).into());
        }
        match self.obtain(http, at, scopes, wants, slot) {
            Ok(shown) => {
                slot.failed = None;
                Ok(slot.shown.insert(shown).header.clone())
            }
            Err(error) => {
                let error = Arc::new(error);
                slot.failed = Some((Instant::now(), Arc::clone(&error)));
                Err(AuthError::Shared(error).into())
            }
        }
    }

    fn obtain(
        &self,
        http: &Http,
        at: &Address,
        scopes: &[Scope],
        wants: &Wants,
        slot: &mut Slot,
    ) -> Result<Shown, Error> {
        let host = at.authority();
        let path = scopes.first().map_or("", Scope::repository);
        let Lookup { found, notes } =
            (self.credentials).find(&Repository::served_by(host.clone(), path))?;
        let (mut credential, with) = match found {
            Some(found) => (Some(found.credential), found.from),
            None => (None, String::new()),
        };
        self.note(match with.is_empty() {
            true => format!("there are no credentials for `{host}`"),
            false => format!("`{host}` gets the credentials from {with}"),
        });
        let notes: String = notes.iter().map(|note| format!("; {note}")).collect();
        match (wants, &mut credential) {
            // A token for the registry needs no token server.
            (_, Some(Credential::Bearer(token))) => Ok(Shown {
                header: tokens::bearer(token)?,
                with,
                times: None,
            }),
            (Wants::Basic, Some(Credential::Password { user, password })) => Ok(Shown {
                header: tokens::basic(user, password)?,
                with,
                times: None,
            }),
            (Wants::Basic, Some(Credential::Identity { .. })) => {
                Err(AuthError::Unfit("an identity token, where a password is asked for,").into())
            }
            (Wants::Basic, None) => Err(AuthError::None { host, notes }.into()),
            (Wants::Bearer { realm, service }, credential) => {
                let set = self.hosts.of(&host).token_servers;
                let is_set = set.iter().any(|name| *name == realm.authority());
                let checked = realm::check(at, realm, credential.is_some(), is_set);
                checked.map_err(|cause| AuthError::Realm {
                    host: host.clone(),
                    realm: realm.to_string(),
                    cause,
                })?;
                let trust = match realm.host() == at.host() || is_set {
                    true => Trust::Named,
                    false if at.is_loopback() => Trust::Local,
                    false => Trust::Foreign,
                };
                let question = Question {
                    registry: at,
                    realm,
                    service: service.as_deref(),
                    scopes,
                    trust,
                };
                if let (Some(Credential::Identity { token, .. }), Some(newer)) =
                    (credential.as_mut(), &slot.identity)
                {
                    *token = newer.clone();
                }
                let asked = Instant::now();
                let answer = question.ask(http, credential.as_ref());
                let Token {
                    token,
                    life,
                    refresh,
                } = answer.map_err(|cause| AuthError::Token {
                    host,
                    with: match with.is_empty() {
                        true => format!("without credentials{notes}"),
                        false => format!("with the credentials from {with}"),
                    },
                    cause: Box::new(cause),
                })?;
                if refresh.is_some() {
                    slot.identity = refresh;
                }
                Ok(Shown {
                    header: tokens::bearer(&token)?,
                    with,
                    times: Some((asked + life - life / 10, asked + life)),
                })
            }
        }
    }

    fn registry(&self, at: &Address) -> Arc<Registry> {
        let mut registries = lock(&self.registries);
        Arc::clone(registries.entry(at.origin()).or_default())
    }
}

impl Registry {
    fn slot(&self, scopes: &[Scope]) -> Arc<Mutex<Slot>> {
        let mut slots = lock(&self.slots);
        let key = scopes.iter().cloned().collect();
        Arc::clone(slots.entry(key).or_default())
    }
}

/// Whether there are simply no credentials.
fn is_none(error: &Error) -> bool {
    match error {
        Error::Auth(AuthError::None { .. }) => true,
        Error::Auth(AuthError::Shared(inner)) => is_none(inner),
        _ => false,
    }
}

/// The first of the challenges that can be met. What it says of scopes is
/// passed over: no more is asked for than is needed.
fn wants(challenges: &[Challenge], host: &str) -> Result<Wants, Error> {
    for challenge in challenges {
        match challenge.scheme.as_str() {
            "basic" => return Ok(Wants::Basic),
            "bearer" => {
                let Some(realm) = challenge.parameter("realm") else {
                    continue;
                };
                let service = challenge.parameter("service");
                return Ok(Wants::Bearer {
                    realm: Address::parse(realm)?,
                    service: service.filter(|text| !text.is_empty()).map(str::to_owned),
                });
            }
            _ => {}
        }
    }
    let names = challenges
        .iter()
        .map(|challenge| match challenge.scheme.as_str() {
            "bearer" => "`bearer` without a realm".to_owned(),
            scheme => format!("`{}`", crate::address::plain(scheme, 40)),
        });
    Err(AuthError::Schemes {
        host: host.to_owned(),
        schemes: names.collect::<Vec<_>>().join(" or "),
    }
    .into())
}
