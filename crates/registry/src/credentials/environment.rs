//! Credentials in the environment, as CI systems have them.

use super::{Credential, CredentialError, Found};
use crate::{Secret, machine::Machine};

/// The registry that the others are for.
const HOST: &str = "SEAWALL_REGISTRY";
const USER: &str = "SEAWALL_REGISTRY_USERNAME";
const PASSWORD: &str = "SEAWALL_REGISTRY_PASSWORD";
const TOKEN: &str = "SEAWALL_REGISTRY_TOKEN";

/// The registry that is named, and its credentials. Without a name they belong
/// to nobody: they must not go to whichever registry comes first.
pub(super) fn read(machine: &Machine) -> Result<Option<(String, Found)>, CredentialError> {
    let text = |name| match machine.variable(name).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Some(text)) => Ok(Some(text.to_owned())),
        Some(None) => Err(wrong(format!("`{name}` is no UTF-8"))),
    };
    let (host, user) = (text(HOST)?, text(USER)?);
    let (password, token) = (text(PASSWORD)?, text(TOKEN)?);
    let (credential, from) = match (user, password, token) {
        (None, None, None) => return Ok(None),
        (None, None, Some(token)) => (Credential::Bearer(Secret::new(token)), TOKEN),
        (Some(user), Some(password), None) => {
            let password = Secret::new(password);
            (Credential::Password { user, password }, PASSWORD)
        }
        (_, _, Some(_)) => {
            let what = format!("`{TOKEN}` stands beside `{USER}` or `{PASSWORD}`: set either");
            return Err(wrong(what));
        }
        (Some(_), None, None) => {
            return Err(wrong(format!("`{USER}` is set, `{PASSWORD}` is not")));
        }
        (None, Some(_), None) => {
            return Err(wrong(format!("`{PASSWORD}` is set, `{USER}` is not")));
        }
    };
    let host = host.ok_or_else(|| {
        wrong(format!(
            "`{from}` is set, but `{HOST}` does not say for which registry"
        ))
    })?;
    let from = format!("`{from}` in the environment");
    Ok(Some((host, Found { credential, from })))
}

fn wrong(what: String) -> CredentialError {
    CredentialError::Environment(what)
}
