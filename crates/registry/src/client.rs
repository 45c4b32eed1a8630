//! The client: a place for everything that is asked of registries.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use seawall_model::{Digest, in_full};
use ureq::http::{HeaderMap, Method};

use crate::{
    Address, Error, Repository, Scope, Settings,
    http::header,
    lock::lock,
    places::Place,
    retry::Tries,
    transport::{Ask, Got, Transport},
};

/// Bytes of a manifest (OCI distribution-spec 1.1, "Pushing manifests": at
/// least 4 MiB should be taken), and of a page of a list.
pub(crate) const MANIFEST_LIMIT: u64 = 4 << 20;

/// A client of any number of registries; threads may share it, and share its
/// connections then.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transport: Transport,
    /// Mirrors that did not answer: they are not asked again.
    silent: Mutex<HashSet<String>>,
    /// Registries that do not take a blob in one request.
    pub(crate) two_steps: Mutex<HashSet<String>>,
    /// Held while a list under a tag is changed: most registries know no
    /// conditions, so threads must not do that at once.
    pub(crate) lists: Mutex<()>,
}

/// A small answer.
pub(crate) struct Small {
    pub(crate) at: Address,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Small {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl Client {
    /// A client.
    pub fn new(settings: &Settings) -> Self {
        Client {
            shared: Arc::new(Shared {
                transport: Transport::new(settings),
                silent: Mutex::default(),
                two_steps: Mutex::default(),
                lists: Mutex::default(),
            }),
        }
    }
}

impl Client {
    /// Where the credentials came from that registries were shown, which
    /// mirrors answered in their place and why others did not, each once, since
    /// this was asked last.
    pub fn notes(&self) -> Vec<String> {
        self.shared.transport.notes()
    }
}

impl Shared {
    pub(crate) fn settings(&self) -> &Settings {
        &self.transport.settings
    }

    /// The registry itself.
    pub(crate) fn registry(&self, repository: &Repository) -> Result<Place, Error> {
        Place::registry(repository, &self.settings().hosts)
    }

    /// Where to ask for content, the best place first.
    pub(crate) fn places(&self, repository: &Repository) -> Result<Vec<Place>, Error> {
        let mut places = Place::all(repository, &self.settings().hosts)?;
        let silent = lock(&self.silent);
        places.retain(|place| !place.is_mirror || !silent.contains(place.host()));
        Ok(places)
    }

    /// Tries for a request to a place: few where others are behind it.
    pub(crate) fn tries(&self, place: &Place) -> Tries {
        if place.is_mirror {
            Tries::few(self.settings())
        } else {
            Tries::new(self.settings())
        }
    }

    /// Remembers a mirror that does not work, as opposed to one that lacks
    /// what it was asked for.
    pub(crate) fn missed(&self, place: &Place, error: &Error) {
        if place.is_mirror {
            let why = in_full(error);
            self.transport.note(format!(
                "the mirror `{}` does not serve: {why}",
                place.host()
            ));
        }
        let is_lacking = matches!(error, Error::NotThere(_));
        if place.is_mirror && !is_lacking {
            let mut silent = lock(&self.silent);
            silent.insert(place.host().to_owned());
        }
    }

    /// Leaves a mirror alone that sent other bytes than those of the digest.
    pub(crate) fn distrust(&self, mirror: &str, digest: &Digest) {
        let mut silent = lock(&self.silent);
        silent.insert(mirror.to_owned());
        self.transport.note(format!(
            "the mirror `{mirror}` is left alone: what it sends for {digest} has another digest"
        ));
    }

    /// Tells of a mirror that answers in its registry's place.
    pub(crate) fn served(&self, place: &Place, registry: &str) {
        if place.is_mirror {
            let mirror = place.host();
            self.transport.note(format!(
                "the mirror `{mirror}` answers in the place of `{registry}`"
            ));
        }
    }

    /// A request for reading.
    pub(crate) fn get(
        &self,
        place: &Place,
        at: &Address,
        headers: &[(&'static str, String)],
        tries: &mut Tries,
    ) -> Result<Got, Error> {
        let scopes = place.pull();
        let registry = place.at("")?;
        let ask = Ask {
            method: Method::GET,
            registry: &registry,
            at,
            headers,
            body: None,
            scopes: &scopes,
        };
        self.transport.ask(&ask, tries)
    }

    /// A small answer to its end, also where it breaks off at first; `None`
    /// where there is no such thing.
    pub(crate) fn small(
        &self,
        place: &Place,
        at: &Address,
        accept: &str,
        tries: &mut Tries,
    ) -> Result<Option<Small>, Error> {
        let headers = [("accept", accept.to_owned())];
        tries.within(self.settings().small);
        loop {
            let got = self.get(place, at, &headers, tries)?;
            match got.status() {
                200 => {}
                404 => {
                    got.drain();
                    return Ok(None);
                }
                _ => return Err(got.refused()),
            }
            no_encoding(&got)?;
            let (headers, at) = (got.answer.headers().clone(), got.at);
            let http = &self.transport.http;
            match http.whole(got.answer, &at, MANIFEST_LIMIT, tries.time()) {
                Ok(bytes) => return Ok(Some(Small { at, headers, bytes })),
                Err(Error::Body { .. }) if tries.wait(None) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether something is there.
    pub(crate) fn head(
        &self,
        place: &Place,
        at: &Address,
        accept: &str,
        scopes: &[Scope],
    ) -> Result<Option<Got>, Error> {
        self.head_with(place, at, accept, scopes, &mut self.tries(place))
    }

    /// The same with so many tries.
    pub(crate) fn head_with(
        &self,
        place: &Place,
        at: &Address,
        accept: &str,
        scopes: &[Scope],
        tries: &mut Tries,
    ) -> Result<Option<Got>, Error> {
        let registry = place.at("")?;
        let headers = [("accept", accept.to_owned())];
        let ask = Ask {
            method: Method::HEAD,
            registry: &registry,
            at,
            headers: &headers,
            body: None,
            scopes,
        };
        let got = self.transport.ask(&ask, tries)?;
        match got.status() {
            200 => Ok(Some(got)),
            404 => Ok(None),
            _ => Err(got.refused()),
        }
    }
}

/// A digest is of the bytes as they are stored: an encoding on the way, which
/// nobody asked for, is not taken off. (What says `gzip` is inflated before it
/// comes here, and then is what its digest says or not.)
pub(crate) fn no_encoding(got: &Got) -> Result<(), Error> {
    match got.header("content-encoding") {
        None | Some("" | "identity") => Ok(()),
        Some(other) => Err(Error::Malformed {
            url: got.at.to_string(),
            reason: format!(
                "it encodes its answer as `{}`, which was not asked for",
                crate::address::plain(other, 40)
            ),
        }),
    }
}
