//! HTTP, one exchange at a time: no redirect is followed, nothing is tried
//! again, no credential is added.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read},
    net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Mutex,
    time::{Duration, Instant},
};

use ureq::{
    Agent, Body, Proxy, ProxyProtocol, SendBody,
    config::Config,
    http::{HeaderMap, Method, Request, Response, Uri},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use crate::{Address, Error, Host, Settings, lock::lock, tls};

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
    pub(crate) trust: Trust,
    /// The registry that a token server is asked for, where it is one: whoever
    /// is believed there is believed here too.
    pub(crate) registry: Option<&'a Address>,
}

/// Where an address may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// Anywhere: the user named the host.
    Named,
    /// Not to this machine's link: a registry on this machine pointed to it.
    Local,
    /// Neither there nor to this machine: some other registry did.
    Foreign,
}

/// Sends requests over connections that threads share.
pub(crate) struct Http {
    settings: Settings,
    /// The proxy that the environment names.
    proxy: Option<Proxy>,
    agents: Mutex<HashMap<Kind, Agent>>,
}

/// What an agent is for: connections of one kind never serve another.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    /// The host, where something of TLS is set for it alone, and the registry
    /// that it is a token server of.
    hosts: Option<Vec<String>>,
    trust: Trust,
    /// Whether it goes without the proxy.
    is_direct: bool,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Self {
        Http {
            settings: settings.clone(),
            proxy: Proxy::try_from_env(),
            agents: Mutex::default(),
        }
    }

    /// Sends a request, and gives the answer of any status.
    pub(crate) fn send(&self, call: &Call<'_>) -> Result<Response<Body>, Error> {
        let uri = format!("{}{}", call.at.origin(), call.at.path());
        let is_direct = call.at.is_loopback()
            || match (&self.proxy, uri.parse::<Uri>()) {
                (Some(proxy), Ok(uri)) => proxy.is_no_proxy(&uri),
                _ => true,
            };
        // Names are the proxy's to look up; what is no name can be seen here.
        let mut written = addresses(call.at).into_iter();
        if let Some(local) = written.find(|address| !is_direct && !call.trust.allows(address)) {
            let cause = ureq::Error::Other(Box::new(LocalAddress(local)));
            return Err(self.failure(cause, call.at));
        }
        let agent = self.agent(call, is_direct)?;
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        for (name, value) in call.headers {
            request = request.header(*name, value);
        }
        let failed = |cause| self.failure(cause, call.at);
        let built = |error| failed(ureq::Error::Http(error));
        let answer = match call.body {
            None => agent.run(request.body(SendBody::none()).map_err(built)?),
            Some(body) => agent.run(request.body(body).map_err(built)?),
        };
        answer.map_err(failed)
    }

    /// Why an exchange failed.
    fn failure(&self, cause: ureq::Error, at: &Address) -> Error {
        let url = at.to_string();
        let Some(error) = tls::reason(&cause) else {
            let cause = Box::new(cause);
            return Error::Http { url, cause };
        };
        let (mut reason, hint) = tls::explain(error, &at.authority());
        let other = self.settings.hosts.insecure_for_others(&at.authority());
        if let Some(path) = other {
            let path = path.display();
            reason.push_str(&format!("; `{path}` lets others do without"));
        }
        Error::Tls { url, reason, hint }
    }

    /// A token server's answer, to its end.
    pub(crate) fn token(
        &self,
        answer: Response<Body>,
        at: &Address,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        self.whole(answer, at, limit, self.settings.small)
    }

    /// A small body, to its end, which has to come within `time`.
    pub(crate) fn whole(
        &self,
        answer: Response<Body>,
        at: &Address,
        limit: u64,
        time: Duration,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let pace = Pace::of(&self.settings);
        let body = Paced {
            left: time,
            ..Paced::new(answer.into_body().into_reader(), pace)
        };
        let read = body.take(limit + 1).read_to_end(&mut bytes);
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

    fn agent(&self, call: &Call<'_>, is_direct: bool) -> Result<Agent, Error> {
        let name = call.at.authority();
        let mut host = self.settings.hosts.of(&name);
        let mut names = vec![name];
        if let Some(registry) = call.registry.filter(|at| !at.is_same_origin(call.at)) {
            let name = registry.authority();
            let own = self.settings.hosts.of(&name);
            host.authorities.extend(own.authorities);
            // Who we are is told to the same host alone.
            let is_same = registry.host() == call.at.host();
            host.identity = host.identity.or(own.identity.filter(|_| is_same));
            names.push(name);
        }
        let has_own = !host.authorities.is_empty() || host.identity.is_some();
        let kind = Kind {
            hosts: has_own.then_some(names),
            trust: call.trust,
            is_direct,
        };
        let mut agents = lock(&self.agents);
        if let Some(agent) = agents.get(&kind) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent(&kind, &host)?;
        agents.insert(kind, agent.clone());
        Ok(agent)
    }

    fn new_agent(&self, kind: &Kind, host: &Host) -> Result<Agent, Error> {
        let settings = &self.settings;
        let mut config = Agent::config_builder()
            .timeout_resolve(Some(settings.connect))
            .timeout_connect(Some(settings.connect))
            .timeout_per_read(Some(settings.silence))
            .timeout_per_write(Some(settings.silence))
            .timeout_recv_response(Some(settings.silence))
            .tls_config(tls::config(host)?)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(HEADERS_LIMIT)
            .max_idle_connections(IDLE)
            .max_idle_connections_per_host(IDLE)
            // A digest is of the bytes as they are stored.
            .accept_encoding("identity")
            .user_agent(concat!("seawall/", env!("CARGO_PKG_VERSION")));
        let proxy = self.proxy.as_ref().filter(|_| !kind.is_direct);
        config = config.proxy(proxy.cloned());
        // One of SOCKS has the target looked up here.
        let is_ours = |protocol| matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https);
        let resolver = Guard {
            trust: kind.trust,
            proxy: proxy.filter(|proxy| is_ours(proxy.protocol())).cloned(),
            resolver: DefaultResolver::default(),
        };
        let connector = DefaultConnector::new();
        Ok(Agent::with_parts(config.build(), connector, resolver))
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
    trust: Trust,
    /// The user named it, wherever it is.
    proxy: Option<Proxy>,
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
        let is_proxy = |proxy: &Proxy| uri.authority() == proxy.uri().authority();
        if self.proxy.as_ref().is_some_and(is_proxy) {
            return Ok(addresses);
        }
        let mut addresses_in = addresses.iter().map(SocketAddr::ip);
        match addresses_in.find(|address| !self.trust.allows(address)) {
            Some(local) => Err(ureq::Error::Other(Box::new(LocalAddress(local)))),
            None => Ok(addresses),
        }
    }
}

impl Trust {
    /// Whether an address may be gone to. Those of private networks may: a
    /// registry inside one keeps its blobs there.
    fn allows(self, address: &IpAddr) -> bool {
        let inner = match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(address) => Ipv6Addr::to_ipv4_mapped(address),
        };
        let address = inner.map_or(*address, IpAddr::V4);
        let is_link = match address {
            IpAddr::V4(address) => {
                address.is_link_local() || address.is_broadcast() || address.is_multicast()
            }
            IpAddr::V6(address) => address.is_unicast_link_local() || address.is_multicast(),
        };
        match self {
            Trust::Named => true,
            Trust::Local => !is_link,
            Trust::Foreign => !is_link && !address.is_loopback() && !address.is_unspecified(),
        }
    }
}

/// The addresses that a host is written as, in whatever way the system reads
/// them (`127.1`, `0x7f000001`); none of a name.
fn addresses(at: &Address) -> Vec<IpAddr> {
    let host = at.host().trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    let host = host.trim_end_matches('.');
    // No name ends in a number (WHATWG URL, "ends in a number checker").
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Vec::new();
    }
    let found = (host, at.port()).to_socket_addrs();
    found
        .into_iter()
        .flatten()
        .map(|found| found.ip())
        .collect()
}

/// Whether a host, by name or address, is this machine.
pub(crate) fn is_here(at: &Address) -> bool {
    at.is_loopback() || {
        let host = at.host().trim_start_matches('[').trim_end_matches(']');
        let found = (host, at.port()).to_socket_addrs();
        found.is_ok_and(|mut found| found.all(|address| address.ip().is_loopback()))
    }
}

/// A header as text; `None` where it is not there or is no text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// How fast a body has to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    window: Duration,
    /// Bytes in that time.
    least: u64,
}

impl Pace {
    pub(crate) fn of(settings: &Settings) -> Self {
        Pace {
            window: settings.silence,
            least: settings.slowest.saturating_mul(settings.silence.as_secs()),
        }
    }
}

/// A body that must not trickle. Only the time that is spent waiting for it
/// counts: whoever reads may take theirs.
pub(crate) struct Paced<R> {
    body: R,
    pace: Pace,
    waited: Duration,
    came: u64,
    /// How much longer it may be waited for in all.
    left: Duration,
}

impl<R: Read> Paced<R> {
    pub(crate) fn new(body: R, pace: Pace) -> Self {
        Paced {
            body,
            pace,
            waited: Duration::ZERO,
            came: 0,
            left: Duration::MAX,
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = Instant::now();
        let read = self.body.read(buffer)?;
        let waited = start.elapsed();
        self.waited += waited;
        self.came += read as u64;
        self.left = self.left.saturating_sub(waited);
        if self.left.is_zero() && read > 0 {
            let late = "the answer is not there in its time";
            return Err(io::Error::new(io::ErrorKind::TimedOut, late));
        }
        if self.waited > self.pace.window {
            if self.came < self.pace.least {
                let came = self.came;
                let seconds = self.waited.as_secs();
                let slow = format!("{came} bytes came in {seconds} seconds");
                return Err(io::Error::new(io::ErrorKind::TimedOut, slow));
            }
            self.waited = Duration::ZERO;
            self.came = 0;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_points_to_stays_away_from_this_machine_and_its_link() {
        for (address, local, foreign) in [
            ("8.8.8.8", true, true),
            ("10.0.0.1", true, true),
            ("192.168.1.1", true, true),
            ("2001:db8::1", true, true),
            ("fd00::1", true, true),
            ("127.0.0.1", true, false),
            ("127.8.8.8", true, false),
            ("0.0.0.0", true, false),
            ("::1", true, false),
            ("::", true, false),
            ("::ffff:127.0.0.1", true, false),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("255.255.255.255", false, false),
            ("224.0.0.1", false, false),
            ("ff02::1", false, false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert!(Trust::Named.allows(&ip), "{address}");
            assert_eq!(Trust::Local.allows(&ip), local, "{address}");
            assert_eq!(Trust::Foreign.allows(&ip), foreign, "{address}");
        }
    }

    #[test]
    fn addresses_are_seen_in_all_ways_of_writing_them() {
        for (host, address) in [
            ("169.254.169.254", Some("169.254.169.254")),
            ("169.254.169.254.", Some("169.254.169.254")),
            ("[::1]", Some("::1")),
            ("2852039166", Some("169.254.169.254")),
            ("0xa9fea9fe", Some("169.254.169.254")),
            ("169.254.43518", Some("169.254.169.254")),
            ("example.com", None),
            ("169.254.169.254.example", None),
        ] {
            let at = Address::parse(&format!("https://{host}/x")).unwrap();
            let found = addresses(&at).first().map(ToString::to_string);
            assert_eq!(found.as_deref(), address, "{host}");
        }
    }

    #[test]
    fn a_body_that_trickles_is_given_up() {
        struct Trickle;
        impl Read for Trickle {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                std::thread::sleep(Duration::from_millis(2));
                buffer[0] = 0;
                Ok(1)
            }
        }
        let settings = Settings {
            silence: Duration::from_secs(1),
            slowest: 1 << 20,
            ..Settings::default()
        };
        let error = Paced::new(Trickle, Pace::of(&settings)).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
