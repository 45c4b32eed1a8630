//! Requests with all that belongs to them: credentials, redirects, retries.

use std::io::{self, Read};

use ureq::{
    Body,
    http::{Method, Response, StatusCode},
};

use crate::{
    Address, AuthError, Authority, Error, Scope, Settings,
    address::shown as target_shown,
    answers::refusal_words,
    http::{Call, Http, LocalAddress, Pace, Paced, Trust, header, is_here},
    retry::{self, Tries},
};

/// Redirects of one request.
const REDIRECTS: usize = 10;
/// Bytes that are read of the body of a refusal.
const REFUSAL_LIMIT: u64 = 64 << 10;
/// Bytes of an answer that are read so that a connection can be used again; to
/// read more takes longer than to open another.
const DRAINED: u64 = 8 << 10;

/// A request to a registry.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Whose credentials are shown, and to nobody else.
    pub(crate) registry: &'a Address,
    pub(crate) at: &'a Address,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) scopes: &'a [Scope],
}

/// An answer, and the address that it came from in the end.
pub(crate) struct Got {
    pub(crate) answer: Response<Body>,
    pub(crate) at: Address,
    pub(crate) pace: Pace,
}

impl Got {
    pub(crate) fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(self.answer.headers(), name)
    }

    /// Reads what is left of a short answer, so that its connection serves the
    /// next request; gives the address that it came from.
    pub(crate) fn drain(self) -> Address {
        let length = self.answer.body().content_length();
        if length.is_some_and(|length| length <= DRAINED) {
            let mut reader = Paced::new(self.answer.into_body().into_reader(), self.pace);
            drop(io::copy(&mut reader, &mut io::sink()));
        }
        self.at
    }

    /// The error that an answer of an unexpected status is.
    pub(crate) fn refused(self) -> Error {
        let status = self.status();
        let mut body = Vec::new();
        let reader = Paced::new(self.answer.into_body().into_reader(), self.pace);
        // What cannot be read does not change that it is a refusal.
        drop(reader.take(REFUSAL_LIMIT).read_to_end(&mut body));
        Error::Refused {
            url: self.at.to_string(),
            status,
            said: refusal_words(&body),
        }
    }
}

/// Asks registries; threads share it.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) http: Http,
    authority: Authority,
    pub(crate) settings: Settings,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Self {
        Transport {
            http: Http::new(settings),
            authority: Authority::new(settings),
            settings: settings.clone(),
        }
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.authority.notes()
    }

    pub(crate) fn note(&self, text: String) {
        self.authority.note(text);
    }

    /// Asks until there is an answer that another try would not change.
    pub(crate) fn ask(&self, ask: &Ask<'_>, tries: &mut Tries) -> Result<Got, Error> {
        loop {
            match self.follow(ask) {
                Ok(got) if retry::is_passing(got.status()) => {
                    if !tries.wait(retry::retry_after(got.answer.headers())) {
                        return Err(got.refused());
                    }
                    got.drain();
                }
                Ok(got) if matches!(got.status(), 401 | 403) => return Err(self.denied(ask, got)),
                Ok(got) => return Ok(got),
                Err(error) => {
                    if !is_passing(&error) || !tries.wait(None) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Who was refused, by the registry itself.
    fn denied(&self, ask: &Ask<'_>, got: Got) -> Error {
        let is_own = got.at.is_same_origin(ask.registry);
        match got.refused() {
            Error::Refused { url, status, said } if is_own => AuthError::Denied {
                url,
                status,
                with: self.authority.explain(ask.registry, ask.scopes),
                said,
            }
            .into(),
            error => error,
        }
    }

    /// Asks, and goes where the answer leads.
    fn follow(&self, ask: &Ask<'_>) -> Result<Got, Error> {
        let mut at = ask.at.clone();
        let mut is_challenged = false;
        let mut redirects = 0;
        let mut challenged = None;
        let mut is_own = true;
        loop {
            // What was made for the registry is shown to nobody else, and not
            // where somebody else leads back to it.
            is_own = is_own && at.is_same_origin(ask.registry);
            let shown = match (is_own, &challenged) {
                (false, _) => None,
                (true, Some(value)) => Some(String::clone(value)),
                (true, None) => self
                    .authority
                    .header(&self.http, ask.registry, ask.scopes)?,
            };
            let got = Got {
                answer: self.send(ask, &at, shown.as_deref())?,
                at,
                pace: Pace::of(&self.settings),
            };
            let status = got.answer.status();
            if status == StatusCode::UNAUTHORIZED && is_own && !is_challenged {
                is_challenged = true;
                challenged = self.authority.challenged(
                    &self.http,
                    ask.registry,
                    got.answer.headers(),
                    ask.scopes,
                    shown.as_deref(),
                )?;
                if challenged.is_some() {
                    at = got.drain();
                    continue;
                }
            }
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(got);
            }
            let next = redirect(ask, &got)?;
            redirects += 1;
            if redirects > REDIRECTS {
                return Err(Error::Redirect {
                    from: ask.at.to_string(),
                    to: next.to_string(),
                    why: format!("there were {REDIRECTS} redirects before it"),
                });
            }
            got.drain();
            at = next;
        }
    }

    fn send(
        &self,
        ask: &Ask<'_>,
        at: &Address,
        shown: Option<&str>,
    ) -> Result<Response<Body>, Error> {
        let mut headers = ask.headers.to_vec();
        headers.extend(shown.map(|value| ("authorization", value.to_owned())));
        let mut call = Call {
            method: ask.method.clone(),
            at,
            headers: &headers,
            body: ask.body,
            trust: Trust::Named,
            registry: None,
        };
        if at.host() == ask.registry.host() {
            return self.http.send(&call);
        }
        call.trust = if ask.registry.is_loopback() {
            Trust::Local
        } else {
            Trust::Foreign
        };
        let mut sent = self.http.send(&call);
        if sent.as_ref().is_err_and(|error| local(error).is_some())
            && call.trust == Trust::Foreign
            && is_here(ask.registry)
        {
            // A registry on this machine by another name of it.
            call.trust = Trust::Local;
            sent = self.http.send(&call);
        }
        sent.map_err(|error| match local(&error) {
            Some(why) => Error::Redirect {
                from: ask.at.to_string(),
                to: at.to_string(),
                why,
            },
            None => error,
        })
    }
}

/// Where a redirect leads, if that is followed.
fn redirect(ask: &Ask<'_>, got: &Got) -> Result<Address, Error> {
    let refused = |to: String, why: &str| Error::Redirect {
        from: got.at.to_string(),
        to,
        why: why.to_owned(),
    };
    let Some(target) = got.header("location") else {
        return Err(Error::Malformed {
            url: got.at.to_string(),
            reason: "it redirects without saying where".to_owned(),
        });
    };
    let next = got.at.join(target);
    let next = next.map_err(|error| refused(target_shown(target), &error.to_string()))?;
    if next.is_plain() && !got.at.is_plain() {
        return Err(refused(next.to_string(), "it gives TLS up"));
    }
    let is_reading = matches!(ask.method, Method::GET | Method::HEAD);
    let is_kept = next.is_same_origin(ask.registry) && matches!(got.status(), 307 | 308);
    if !is_reading && !is_kept {
        return Err(refused(
            next.to_string(),
            "what is pushed is not handed to somebody else",
        ));
    }
    Ok(next)
}

/// Why an address was not connected to, if that was because of where it leads.
fn local(error: &Error) -> Option<String> {
    let Error::Http { cause, .. } = error else {
        return None;
    };
    match &**cause {
        ureq::Error::Other(other) => other.downcast_ref().map(LocalAddress::to_string),
        _ => None,
    }
}

/// Whether the same request may succeed the next time.
fn is_passing(error: &Error) -> bool {
    use std::io::ErrorKind;
    match error {
        Error::Auth(AuthError::Shared(inner)) => return is_passing(inner),
        Error::Auth(AuthError::Token { cause, .. }) => return is_passing(cause),
        Error::Auth(AuthError::TokenRefused { status, .. }) => return retry::is_passing(*status),
        _ => {}
    }
    let Error::Http { cause, .. } = error else {
        return false;
    };
    match &**cause {
        // Nothing listens: it will not in a second either.
        ureq::Error::Io(error) => !matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::PermissionDenied | ErrorKind::NotFound
        ),
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}
