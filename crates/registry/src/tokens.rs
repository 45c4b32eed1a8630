//! Token servers (distribution, docs/spec/auth/token.md and oauth.md): what
//! they are asked, and what they answer.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::Method;
use zeroize::Zeroizing;

use crate::{
    Address, AuthError, Credential, Error, Scope, Secret,
    http::{Call, Http, Trust},
};

/// Bytes of an answer. Tokens for many scopes have some 20 KiB.
const ANSWER_LIMIT: u64 = 256 << 10;
/// Seconds that a token lives when nobody says (token.md, `expires_in`).
const USUAL_LIFE: u64 = 60;
/// Longest life that is believed.
const LONGEST_LIFE: u64 = 24 * 60 * 60;
/// Our name among a token server's clients (oauth.md, `client_id`).
const CLIENT: &str = "seawall";

/// A token as it came.
pub(crate) struct Token {
    pub(crate) token: Secret,
    /// From when it was asked for.
    pub(crate) life: Duration,
    /// An identity token in the place of the one that was used.
    pub(crate) refresh: Option<Secret>,
}

/// One question to a token server.
pub(crate) struct Question<'a> {
    pub(crate) registry: &'a Address,
    pub(crate) realm: &'a Address,
    pub(crate) service: Option<&'a str>,
    pub(crate) scopes: &'a [Scope],
    /// Whether the server must not be this machine or its link.
    pub(crate) trust: Trust,
}

/// What a server said instead of a token, or why nothing can be understood.
enum Refusal {
    Status(u16),
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Other(error)
    }
}

impl Question<'_> {
    /// Asks, in the way that belongs to the credential, then in the other one
    /// where the server does not know the first: old servers know no POST (404,
    /// 405; Artifactory says 401), new ones may know no GET.
    pub(crate) fn ask(&self, http: &Http, credential: Option<&Credential>) -> Result<Token, Error> {
        let said = match credential {
            None => self.get(http, None),
            Some(Credential::Password { user, password }) => {
                match self.get(http, Some((user, password))) {
                    Err(Refusal::Status(404 | 405)) => {
                        let form = [
                            ("grant_type", "password"),
                            ("username", user),
                            ("password", password.expose()),
                        ];
                        self.post(http, &form)
                    }
                    said => said,
                }
            }
            Some(Credential::Identity { user, token }) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.expose()),
                ];
                match (self.post(http, &form), user) {
                    (Err(Refusal::Status(401 | 404 | 405)), Some(user)) => {
                        self.get(http, Some((user, token)))
                    }
                    (said, _) => said,
                }
            }
            // Such a token is for the registry itself: nobody has to be asked.
            Some(Credential::Bearer(token)) => Ok(Token {
                token: token.clone(),
                life: Duration::from_secs(LONGEST_LIFE),
                refresh: None,
            }),
        };
        said.map_err(|refusal| match refusal {
            Refusal::Other(error) => error,
            Refusal::Status(status) => AuthError::TokenRefused {
                realm: self.realm.to_string(),
                status,
            }
            .into(),
        })
    }

    fn get(&self, http: &Http, basic_of: Option<(&str, &Secret)>) -> Result<Token, Refusal> {
        let mut pairs = Vec::new();
        pairs.extend(self.service.map(|service| ("service", service.to_owned())));
        let scopes = self.scopes.iter();
        pairs.extend(scopes.map(|scope| ("scope", scope.to_string())));
        pairs.extend(basic_of.map(|(user, _)| ("account", user.to_owned())));
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
        let query = encode(pairs);
        let separator = if self.realm.path().contains('?') {
            '&'
        } else {
            '?'
        };
        let (origin, path) = (self.realm.origin(), self.realm.path());
        let at = match query.is_empty() {
            true => self.realm.clone(),
            false => Address::parse(&format!("{origin}{path}{separator}{}", *query))
                .map_err(Error::from)?,
        };
        let mut headers = vec![("accept", "application/json".to_owned())];
        if let Some((user, password)) = basic_of {
            headers.push(("authorization", basic(user, password)?));
        }
        self.send(http, Method::GET, &at, &headers, None)
    }

    fn post(&self, http: &Http, form: &[(&str, &str)]) -> Result<Token, Refusal> {
        let scopes: Vec<String> = self.scopes.iter().map(Scope::to_string).collect();
        let scopes = scopes.join(" ");
        let mut pairs = form.to_vec();
        pairs.push(("client_id", CLIENT));
        pairs.extend(self.service.map(|service| ("service", service)));
        if !scopes.is_empty() {
            pairs.push(("scope", &scopes));
        }
        let body = encode(pairs.into_iter());
        let headers = [
            ("accept", "application/json".to_owned()),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        let body = Some(body.as_bytes());
        self.send(http, Method::POST, self.realm, &headers, body)
    }

    fn send(
        &self,
        http: &Http,
        method: Method,
        at: &Address,
        headers: &[(&'static str, String)],
        body: Option<&[u8]>,
    ) -> Result<Token, Refusal> {
        let answer = http.send(&Call {
            method,
            at,
            headers,
            body,
            trust: self.trust,
            registry: Some(self.registry),
        })?;
        match answer.status().as_u16() {
            200 => {
                let bytes = Zeroizing::new(http.token(answer, self.realm, ANSWER_LIMIT)?);
                Ok(read(&bytes).map_err(|reason| Error::Malformed {
                    url: self.realm.to_string(),
                    reason: reason.to_owned(),
                })?)
            }
            status => Err(Refusal::Status(status)),
        }
    }
}

/// `Basic …` (RFC 7617).
pub(crate) fn basic(user: &str, password: &Secret) -> Result<String, Error> {
    // The first colon would end the name somewhere else.
    if user.contains(':') {
        return Err(AuthError::Unfit("a user name with a `:`").into());
    }
    let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
    Ok(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
}

/// `Bearer …` (RFC 6750).
pub(crate) fn bearer(token: &Secret) -> Result<String, Error> {
    if !is_token(token.expose()) {
        return Err(AuthError::Unfit("a token with strange characters").into());
    }
    Ok(format!("Bearer {}", token.expose()))
}

/// Names and values as forms and queries have them.
fn encode<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    text
}

/// Reads a token server's answer; the reason of a failure shows nothing of it.
fn read(bytes: &[u8]) -> Result<Token, &'static str> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        token: Option<Zeroizing<String>>,
        #[serde(default)]
        access_token: Option<Zeroizing<String>>,
        #[serde(default)]
        expires_in: Option<serde_json::Number>,
        #[serde(default)]
        refresh_token: Option<Zeroizing<String>>,
    }
    let answer: Answer =
        serde_json::from_slice(bytes).map_err(|_| "its answer is no token in JSON")?;
    let some = |token: &Zeroizing<String>| (!token.is_empty()).then(|| Secret::new(token.as_str()));
    // Either is right, and where both are there they are the same (token.md).
    let token = answer.token.as_ref().and_then(some);
    let token = token.or_else(|| answer.access_token.as_ref().and_then(some));
    let token = token.ok_or("its answer has neither `token` nor `access_token`")?;
    if !is_token(token.expose()) {
        return Err("its token has strange characters");
    }
    // `issued_at` is passed over: the two clocks need not agree.
    let life = answer.expires_in.and_then(|seconds| seconds.as_u64());
    let life = life.filter(|seconds| *seconds > 0).unwrap_or(USUAL_LIFE);
    Ok(Token {
        token,
        life: Duration::from_secs(life.min(LONGEST_LIFE)),
        refresh: answer.refresh_token.as_ref().and_then(some),
    })
}

/// Whether a text can stand in a header: servers write more than RFC 6750's
/// alphabet, but nothing that is invisible.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_token_servers() {
        // token.md's and oauth.md's own examples, shortened.
        let old = br#"{"token": "eyJhbGci.x-_", "expires_in": 3600, "issued_at": "2009-11-10T23:00:00Z"}"#;
        let token = read(old).unwrap();
        assert_eq!(token.token.expose(), "eyJhbGci.x-_");
        assert_eq!(token.life.as_secs(), 3600);
        assert!(token.refresh.is_none());
        let new = br#"{"refresh_token":"kas9Da81Dfa8","access_token":"eyJhbGci","expires_in":"900","scope":""}"#;
        assert!(read(new).is_err());
        let new =
            br#"{"refresh_token":"kas9Da81Dfa8","access_token":"eyJhbGci","scope":"","token":""}"#;
        let token = read(new).unwrap();
        assert_eq!(token.token.expose(), "eyJhbGci");
        assert_eq!(token.life.as_secs(), 60);
        assert_eq!(token.refresh.unwrap().expose(), "kas9Da81Dfa8");
        for (life, seconds) in [
            ("0", 60),
            ("-5", 60),
            ("1e9", 60),
            ("1", 1),
            ("99999999999", 86400),
        ] {
            let answer = format!(r#"{{"token":"x","expires_in":{life}}}"#);
            assert_eq!(read(answer.as_bytes()).unwrap().life.as_secs(), seconds);
        }
    }

    #[test]
    fn what_is_no_token_is_not_sent_nor_shown() {
        for answer in [
            "",
            "[]",
            "{}",
            r#"{"token":null}"#,
            r#"{"token":7}"#,
            r#"{"token":"hunter2\r\nHost: evil"}"#,
            r#"{"token":"hunter 2"}"#,
            r#"{"token":"hunter2ä"}"#,
        ] {
            let why = read(answer.as_bytes()).err().unwrap();
            assert!(!why.contains("hunter"), "{why}");
        }
        assert!(bearer(&Secret::new("a\r\nb")).is_err());
        assert!(basic("a:b", &Secret::new("c")).is_err());
        // RFC 7617, section 2.
        let aladdin = basic("Aladdin", &Secret::new("open sesame")).unwrap();
        assert_eq!(aladdin, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
