//! How registries are reached, from flags, `seawall.toml` and the machine's own
//! files.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::Result;
use clap::Args;
use seawall_registry::{Credentials, Host, Hosts, Identity, Machine, Repository, Settings};

use crate::errors::hinted;

/// How registries are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct Flags {
    /// Credentials in place of the usual files: of Docker, Podman or Kubernetes (a Secret's
    /// manifest too).
    #[arg(
        long,
        value_name = "FILE",
        env = "SEAWALL_REGISTRY_AUTH",
        value_delimiter = ','
    )]
    registry_auth: Vec<PathBuf>,
    /// Trust this certificate authority (PEM) too, for one registry or for all.
    #[arg(
        long,
        value_name = "[HOST=]FILE",
        env = "SEAWALL_REGISTRY_CA",
        value_delimiter = ',',
        value_parser = of_any
    )]
    registry_ca: Vec<(Option<String>, String)>,
    /// Show a registry this certificate of ours (PEM).
    #[arg(
        long,
        value_name = "HOST=FILE",
        env = "SEAWALL_REGISTRY_CERT",
        value_delimiter = ',',
        value_parser = of_host
    )]
    registry_cert: Vec<(String, String)>,
    /// The private key of that certificate; the same file without.
    #[arg(
        long,
        value_name = "HOST=FILE",
        env = "SEAWALL_REGISTRY_KEY",
        value_delimiter = ',',
        value_parser = of_host
    )]
    registry_key: Vec<(String, String)>,
    /// Ask this mirror before the registry.
    #[arg(
        long,
        value_name = "HOST=MIRROR",
        env = "SEAWALL_REGISTRY_MIRROR",
        value_delimiter = ',',
        value_parser = of_host
    )]
    registry_mirror: Vec<(String, String)>,
    /// Speak to this registry without TLS: whoever is between can read and change everything.
    #[arg(
        long,
        value_name = "HOST",
        env = "SEAWALL_PLAIN_HTTP",
        value_delimiter = ',',
        value_parser = host
    )]
    plain_http: Vec<String>,
}

/// How a client reaches registries: what a flag says stands before what the
/// settings file says, and both before the machine's files.
pub(crate) fn settings(flags: &Flags, file: &File) -> Result<Settings> {
    let machine = Machine::this();
    let mut hosts = Hosts::of_machine(&machine);
    let mut by_name: BTreeMap<String, Host> = file.hosts.clone();
    let mut of = |name: &String, change: &dyn Fn(&mut Host)| {
        change(by_name.entry(name.clone()).or_default());
    };
    for (name, path) in &flags.registry_ca {
        match name {
            Some(name) => of(name, &|host| host.authorities.push(path.into())),
            None => hosts.trust(path),
        }
    }
    for (name, path) in &flags.registry_cert {
        let mut keys = flags.registry_key.iter().rev();
        let key = keys.find(|(other, _)| other == name);
        let key = key.map_or(path, |(_, key)| key);
        let identity = Identity {
            certificate: path.into(),
            key: key.into(),
        };
        of(name, &|host| host.identity = Some(identity.clone()));
    }
    let without = flags.registry_key.iter().find(|(name, _)| {
        let mut certificates = flags.registry_cert.iter();
        !certificates.any(|(other, _)| other == name)
    });
    if let Some((name, _)) = without {
        return Err(hinted(
            format!("`--registry-key` has a key for `{name}`, and there is no certificate"),
            format!("name the certificate with `--registry-cert {name}=FILE`"),
        ));
    }
    // The flags' mirrors are in the place of the file's.
    for (name, _) in &flags.registry_mirror {
        of(name, &|host| host.mirrors.clear());
    }
    for (name, mirror) in &flags.registry_mirror {
        of(name, &|host| host.mirrors.push(mirror.clone()));
    }
    for name in &flags.plain_http {
        of(name, &|host| host.plain_http = true);
    }
    for (name, host) in by_name {
        hosts.set(&name, host);
    }
    let auth = match flags.registry_auth.as_slice() {
        [] => &file.auth,
        given => given,
    };
    Ok(Settings {
        credentials: Arc::new(Credentials::new(&machine, auth)?),
        hosts,
        ..Settings::default()
    })
}

/// What `seawall.toml` says of registries.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// `registries.auth`: files of credentials in place of the usual ones.
    pub(crate) auth: Vec<PathBuf>,
    /// `[[registry]]` by `host`.
    pub(crate) hosts: BTreeMap<String, Host>,
}

/// A registry's name, as it is compared.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let repository = Repository::new(text, "x");
    let repository = repository.ok_or_else(|| format!("`{text}` is no `HOST` or `HOST:PORT`"))?;
    Ok(match repository.host() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    })
}

fn of_host(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !value.is_empty() => Ok((host(name)?, value.to_owned())),
        _ => Err("a registry, `=` and a value are expected".to_owned()),
    }
}

fn of_any(text: &str) -> Result<(Option<String>, String), String> {
    if text.contains('=') {
        let (name, value) = of_host(text)?;
        return Ok((Some(name), value));
    }
    Ok((None, text.to_owned()))
}
