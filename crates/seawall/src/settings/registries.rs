//! `[registries]` and `[[registry]]`

use std::path::PathBuf;

use seawall_registry::{Host, Identity};
use toml_span::{DeserError, Value, de_helpers::TableHelper, value::ValueInner};

use super::custom;
use crate::registry::{File, host};

/// `[registries]`: what is said of all.
pub(super) fn all(value: &mut Value<'_>, file: &mut File) -> Result<(), DeserError> {
    let mut table = TableHelper::new(value)?;
    file.auth = paths(&mut table, "auth");
    table.finalize(None)
}

/// `[[registry]]`: what is said of single ones.
pub(super) fn each(value: &mut Value<'_>, file: &mut File) -> Result<(), DeserError> {
    let span = Value::with_span(ValueInner::Boolean(true), value.span);
    let ValueInner::Array(list) = value.take() else {
        let text = "`registry` is a list: write `[[registry]]`";
        return Err(custom(&span, text.to_owned()));
    };
    for mut one in list {
        let span = Value::with_span(ValueInner::Boolean(true), one.span);
        let mut table = TableHelper::new(&mut one)?;
        let name: String = table.required("host")?;
        let certificate: Option<String> = table.optional("cert");
        let key: Option<String> = table.optional("key");
        let set = Host {
            plain_http: table.optional("plain-http").unwrap_or_default(),
            authorities: paths(&mut table, "ca"),
            identity: certificate.as_ref().map(|certificate| Identity {
                certificate: certificate.into(),
                // One file may hold both.
                key: key.as_ref().unwrap_or(certificate).into(),
            }),
            token_servers: table.optional("token-servers").unwrap_or_default(),
            mirrors: table.optional("mirrors").unwrap_or_default(),
        };
        table.finalize(None)?;
        if key.is_some() && certificate.is_none() {
            return Err(custom(&span, "a `key` needs a `cert`".to_owned()));
        }
        let name = host(&name).map_err(|why| custom(&span, why))?;
        if file.hosts.insert(name.clone(), set).is_some() {
            return Err(custom(&span, format!("`{name}` stands there twice")));
        }
    }
    Ok(())
}

fn paths(table: &mut TableHelper<'_>, key: &'static str) -> Vec<PathBuf> {
    let texts: Vec<String> = table.optional(key).unwrap_or_default();
    texts.into_iter().map(PathBuf::from).collect()
}
