//! What a registry wants to see before it answers: `WWW-Authenticate`
//! (RFC 9110, sections 11.2 to 11.6.1).

/// Bytes of all fields together. Registries write some hundred; scopes make
/// them long.
const FIELDS_LIMIT: usize = 16 << 10;
/// Challenges of one answer.
const CHALLENGES_LIMIT: usize = 16;
/// Parameters of one challenge.
const PARAMETERS_LIMIT: usize = 32;

/// One challenge: a scheme with either a `token68` or parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case: schemes are compared without case.
    pub scheme: String,
    /// `TlRMTVNTUAAB…`, as Negotiate has it.
    pub token: Option<String>,
    /// Names in lower case, each once, in their order; values without quotes
    /// and escapes.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A parameter, by its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        all.find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why fields hold no challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`WWW-Authenticate` cannot be understood: {0}")]
pub struct ParseChallengeError(&'static str);

/// The challenges of all `WWW-Authenticate` fields of an answer, in order.
/// Fields are strict lists: whoever sends a damaged one gets no credentials.
///
/// # Errors
/// When a field does not follow the grammar, or there is too much.
pub fn parse<'a>(
    fields: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Challenge>, ParseChallengeError> {
    let mut challenges = Vec::new();
    let mut left = FIELDS_LIMIT;
    for field in fields {
        left = left
            .checked_sub(field.len())
            .ok_or(ParseChallengeError("it is longer than 16 KiB"))?;
        let text = std::str::from_utf8(field);
        let text = text.map_err(|_| ParseChallengeError("it is no UTF-8"))?;
        Cursor { rest: text }.list(&mut challenges)?;
    }
    Ok(challenges)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// `#challenge`, where the commas of the list and those between parameters
    /// are the same: a word with `=` behind it is a parameter, every other one
    /// begins a challenge.
    fn list(&mut self, challenges: &mut Vec<Challenge>) -> Result<(), ParseChallengeError> {
        let first_of_field = challenges.len();
        loop {
            // Empty elements are allowed (section 5.6.1.2).
            self.skip(|c| matches!(c, ' ' | '\t' | ','));
            if self.rest.is_empty() {
                return Ok(());
            }
            let word = self.token("a scheme or a parameter is expected")?;
            if let Some(value) = self.value()? {
                let is_of_field = challenges.len() > first_of_field;
                let challenge = challenges.last_mut().filter(|_| is_of_field);
                let challenge = challenge.ok_or(ParseChallengeError(
                    "a parameter stands before the first scheme",
                ))?;
                add(challenge, word, value)?;
            } else {
                let challenge = self.challenge(word)?;
                if challenges.len() == CHALLENGES_LIMIT {
                    return Err(ParseChallengeError("there are more than 16 challenges"));
                }
                challenges.push(challenge);
            }
            self.skip(is_space);
            if !self.rest.is_empty() && !self.rest.starts_with(',') {
                return Err(ParseChallengeError("a comma is missing"));
            }
        }
    }

    /// What follows a scheme on its side of the next comma.
    fn challenge(&mut self, scheme: &str) -> Result<Challenge, ParseChallengeError> {
        let mut challenge = Challenge {
            scheme: scheme.to_ascii_lowercase(),
            token: None,
            parameters: Vec::new(),
        };
        if !self.rest.is_empty() && !self.rest.starts_with([' ', '\t', ',']) {
            return Err(ParseChallengeError("a scheme holds a strange character"));
        }
        self.skip(is_space);
        if self.rest.is_empty() || self.rest.starts_with(',') {
            return Ok(challenge);
        }
        if let Some(token) = self.token68() {
            challenge.token = Some(token.to_owned());
            return Ok(challenge);
        }
        let name = self.token("a parameter is expected")?;
        let value = self
            .value()?
            .ok_or(ParseChallengeError("a parameter has no value"))?;
        add(&mut challenge, name, value)?;
        Ok(challenge)
    }

    /// `token68`, when nothing but a comma or the end follows.
    fn token68(&mut self) -> Option<&'a str> {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
        let padded = self.rest.trim_start_matches(is_inner);
        let behind = padded.trim_start_matches('=');
        let length = self.rest.len() - behind.len();
        let ends = behind.trim_start_matches(is_space);
        if padded.len() == self.rest.len() || !(ends.is_empty() || ends.starts_with(',')) {
            return None;
        }
        let (token, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(token)
    }

    /// `BWS "=" BWS ( token / quoted-string )`; `None` without `=`.
    fn value(&mut self) -> Result<Option<String>, ParseChallengeError> {
        let Some(rest) = self.rest.trim_start_matches(is_space).strip_prefix('=') else {
            return Ok(None);
        };
        self.rest = rest.trim_start_matches(is_space);
        match self.rest.strip_prefix('"') {
            Some(rest) => {
                self.rest = rest;
                self.quoted().map(Some)
            }
            None => {
                let value = self.token("a parameter has no value")?;
                Ok(Some(value.to_owned()))
            }
        }
    }

    /// The rest of a quoted string (section 5.6.4).
    fn quoted(&mut self) -> Result<String, ParseChallengeError> {
        let mut value = String::new();
        let mut letters = self.rest.chars();
        loop {
            let letter = match letters.next() {
                Some('"') => break,
                Some('\\') => letters.next(),
                other => other,
            };
            let letter = letter.ok_or(ParseChallengeError("a quoted text has no end"))?;
            if letter.is_control() && letter != '\t' {
                return Err(ParseChallengeError("it holds a control character"));
            }
            value.push(letter);
        }
        self.rest = letters.as_str();
        Ok(value)
    }

    fn token(&mut self, missing: &'static str) -> Result<&'a str, ParseChallengeError> {
        let behind = self.rest.trim_start_matches(is_token);
        let length = self.rest.len() - behind.len();
        match self.rest.split_at_checked(length) {
            Some((word, rest)) if !word.is_empty() => {
                self.rest = rest;
                Ok(word)
            }
            _ => Err(ParseChallengeError(missing)),
        }
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(is_skipped);
    }
}

fn add(challenge: &mut Challenge, name: &str, value: String) -> Result<(), ParseChallengeError> {
    if challenge.token.is_some() {
        return Err(ParseChallengeError("a parameter follows a token"));
    }
    let name = name.to_ascii_lowercase();
    // Which of two realms would be the right one?
    if challenge.parameter(&name).is_some() {
        return Err(ParseChallengeError("a parameter stands there twice"));
    }
    if challenge.parameters.len() == PARAMETERS_LIMIT {
        return Err(ParseChallengeError("there are more than 32 parameters"));
    }
    challenge.parameters.push((name, value));
    Ok(())
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

/// `tchar` (section 5.6.2).
fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> Result<Vec<Challenge>, &'static str> {
        parse(fields.iter().map(|field| field.as_bytes())).map_err(|error| error.0)
    }

    fn one(scheme: &str, token: Option<&str>, parameters: &[(&str, &str)]) -> Challenge {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Challenge {
            scheme: scheme.to_owned(),
            token: token.map(str::to_owned),
            parameters: parameters.iter().map(owned).collect(),
        }
    }

    #[test]
    fn what_registries_send() {
        // As docker.io, ghcr.io and docker-registry with htpasswd write it.
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull,push",error="insufficient_scope""#;
        let parameters = [
            ("realm", "https://auth.docker.io/token"),
            ("service", "registry.docker.io"),
            ("scope", "repository:library/debian:pull,push"),
            ("error", "insufficient_scope"),
        ];
        assert_eq!(read(&[hub]).unwrap(), [one("bearer", None, &parameters)]);
        let basic = "Basic realm=\"Registry Realm\"";
        let expected = one("basic", None, &[("realm", "Registry Realm")]);
        assert_eq!(read(&[basic]).unwrap(), [expected]);
    }

    #[test]
    fn several_challenges_in_one_field_and_in_many() {
        // RFC 9110, section 11.6.1, and RFC 7616.
        let newauth =
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        let expected = [
            one("basic", None, &[("realm", "simple")]),
            one(
                "newauth",
                None,
                &[
                    ("realm", "apps"),
                    ("type", "1"),
                    ("title", "Login to \"apps\""),
                ],
            ),
        ];
        assert_eq!(read(&[newauth]).unwrap(), expected);
        let fields = [
            "Negotiate",
            "NTLM TlRM+/A==, ,Basic realm = \"a\\\\,b\"",
            "",
            ",",
        ];
        let expected = [
            one("negotiate", None, &[]),
            one("ntlm", Some("TlRM+/A=="), &[]),
            one("basic", None, &[("realm", "a\\,b")]),
        ];
        assert_eq!(read(&fields).unwrap(), expected);
        let expected = [
            one("negotiate", None, &[]),
            one("basic", None, &[("realm", "x")]),
        ];
        assert_eq!(read(&["Negotiate , BASIC REALM=x"]).unwrap(), expected);
        assert_eq!(read(&["X a="]).unwrap(), [one("x", Some("a="), &[])]);
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for (field, why) in [
            ("realm=\"x\"", "a parameter stands before the first scheme"),
            ("Basic realm=\"x", "a quoted text has no end"),
            ("Basic realm=\"x\\", "a quoted text has no end"),
            ("Basic realm=\"x\"y", "a comma is missing"),
            ("Basic realm=\"x\" charset=\"UTF-8\"", "a comma is missing"),
            ("Basic realm=a,realm=b", "a parameter stands there twice"),
            ("Basic realm=a,REALM=b", "a parameter stands there twice"),
            ("X abc, a=b", "a parameter follows a token"),
            ("Bearer realm=\"a\r\nb\"", "it holds a control character"),
            ("Bearer realm=https://x", "a comma is missing"),
            ("Bearer realm=x,service=,a=b", "a parameter has no value"),
            ("Bearer; realm=x", "a scheme holds a strange character"),
            ("Bearer [x]", "a parameter is expected"),
            ("\"x\"", "a scheme or a parameter is expected"),
        ] {
            assert_eq!(read(&[field]), Err(why), "{field}");
        }
        // A field goes on no challenge of the field before.
        assert!(read(&["Basic realm=x", "charset=y"]).is_err());
        assert!(parse([b"\xff".as_slice()]).is_err());
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let parameters: Vec<_> = (0..33).map(|number| format!("p{number}=x")).collect();
        for field in [
            format!("Basic realm=\"{}\"", "x".repeat(20_000)),
            "Basic,".repeat(17),
            format!("Basic {}", parameters.join(",")),
        ] {
            assert!(read(&[&field]).is_err(), "{}", field.len());
        }
    }
}
