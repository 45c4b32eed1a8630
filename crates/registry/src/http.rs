//! HTTP, one exchange at a time: no redirect is followed, nothing is tried
//! again, no credential is added.

use std::{
    collections::HashMap,
    fmt,
    io::Read,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use ureq::{
    Agent, Body, SendBody,
    config::Config,
    http::{HeaderMap, Method, Request, Response, Uri},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use crate::{Address, Error, Settings};

/// Bytes of an answer's headers, and of what is read of the body of a refusal.
const HEADERS_LIMIT: usize = 64 << 10;

/// Connections that are kept for the next request, in all and to one host. As
/// many as layers are fetched at once.
const IDLE: usize = 32;

/// A request.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) at: &'a Address,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Option<&'a [u8]>,
    /// Whether the address came from outside, so that it must not lead to
    /// this machine or its neighbours.
    pub(crate) is_guarded: bool,
}

/// Sends requests over connections that threads share.
pub(crate) struct Http {
    settings: Settings,
    agents: Mutex<HashMap<Kind, Agent>>,
}

/// What an agent is for: connections of one kind never serve another.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    /// The registry, where something of TLS is set for it alone.
    host: Option<String>,
    is_guarded: bool,
    /// Whether it goes without the proxy.
    is_direct: bool,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Self {
        Http {
            settings: settings.clone(),
            agents: Mutex::default(),
        }
    }

    /// Sends a request, and gives the answer of any status.
    pub(crate) fn send(&self, call: &Call<'_>) -> Result<Response<Body>, Error> {
        let agent = self.agent(call)?;
        let uri = format!("{}{}", call.at.origin(), call.at.path());
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        let failed = |cause| Error::Http {
            url: call.at.to_string(),
            cause: Box::new(cause),
        };
        let built = |error| failed(ureq::Error::Http(error));
        let answer = match call.body {
            None => agent.run(request.body(SendBody::none()).map_err(built)?),
            Some(body) => agent.run(request.body(body).map_err(built)?),
        };
        answer.map_err(failed)
    }

    fn agent(&self, call: &Call<'_>) -> Result<Agent, Error> {
        let kind = Kind {
            host: None,
            is_guarded: call.is_guarded,
            is_direct: call.at.is_loopback(),
        };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&kind) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent(&kind);
        agents.insert(kind, agent.clone());
        Ok(agent)
    }

    fn new_agent(&self, kind: &Kind) -> Agent {
        let settings = &self.settings;
        let mut config = Agent::config_builder()
            .timeout_resolve(Some(settings.connect))
            .timeout_connect(Some(settings.connect))
            .timeout_per_read(Some(settings.silence))
            .timeout_per_write(Some(settings.silence))
            .timeout_recv_response(Some(settings.silence))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(HEADERS_LIMIT)
            .max_idle_connections(IDLE)
            .max_idle_connections_per_host(IDLE)
            // A digest is of the bytes as they are stored.
            .accept_encoding("identity")
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")));
        if kind.is_direct {
            config = config.proxy(None);
        }
        let resolver = Guard {
            is_guarded: kind.is_guarded,
            resolver: DefaultResolver::default(),
        };
        Agent::with_parts(config.build(), DefaultConnector::new(), resolver)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// Looks names up, and refuses what a public registry has no business to point
/// to. It stands here, not before the look-up, so that a name that resolves
/// differently the second time gains nothing.
#[derive(Debug)]
struct Guard {
    is_guarded: bool,
    resolver: DefaultResolver,
}

/// An address of this machine or of its link, such as a cloud's metadata.
#[derive(Debug, thiserror::Error)]
#[error("it leads to {0}, which only this machine or its neighbours can reach")]
pub(crate) struct LocalAddress(IpAddr);

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.resolver.resolve(uri, config, timeout)?;
        let local = addresses.iter().map(SocketAddr::ip).find(is_local);
        match local.filter(|_| self.is_guarded) {
            Some(local) => Err(ureq::Error::Other(Box::new(LocalAddress(local)))),
            None => Ok(addresses),
        }
    }
}

/// Whether an address is of this machine or of its link. Private networks are
/// not: a registry inside one keeps its blobs there.
fn is_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
        }
        IpAddr::V6(address) => {
            let inner = Ipv6Addr::to_ipv4_mapped(address).map(IpAddr::V4);
            inner.is_some_and(|inner| is_local(&inner))
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_multicast()
        }
    }
}

/// A header as text; `None` where it is not there or is no text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A small body, to its end.
pub(crate) fn whole(answer: Response<Body>, at: &Address, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut body = answer.into_body().into_reader().take(limit + 1);
    let read = body.read_to_end(&mut bytes);
    read.map_err(|cause| Error::Body {
        url: at.to_string(),
        cause,
    })?;
    if bytes.len() as u64 > limit {
        let what = format!("the size of `{at}`");
        return Err(Error::Limit { what, limit });
    }
    Ok(bytes)
}
