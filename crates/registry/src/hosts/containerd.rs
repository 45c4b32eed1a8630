//! containerd's `certs.d/HOST/hosts.toml` (docs/hosts.md): mirrors and
//! certificates of a registry.

use std::path::{Path, PathBuf};

use toml_span::{Value, value::ValueInner};

use super::{Identity, Way, certificates::Certificates, mirror_of, text};
use crate::{Machine, Repository};

/// One file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Of the registry itself.
    pub(super) certificates: Certificates,
    /// Addresses of mirrors.
    mirrors: Vec<String>,
    path: PathBuf,
}

/// The file about a registry, by one of the names that its folder may have, or
/// about itself as somebody's mirror. One that cannot be understood says
/// nothing.
pub(super) fn read(machine: &Machine, name: &str) -> Option<File> {
    if name.contains('/') || name.starts_with('.') {
        return None;
    }
    let folder = machine.system("etc/containerd/certs.d");
    let escaped = name
        .split_once(':')
        .map(|(host, port)| format!("{host}_{port}_"));
    // `_default` is passed over: a mirror of everything has to be told which
    // registry is meant, in containerd's own way.
    let names = [Some(name.to_owned()), escaped];
    let mut paths = names.into_iter().flatten();
    let path = paths.find_map(|name| {
        let path = folder.join(name).join("hosts.toml");
        path.is_file().then_some(path)
    })?;
    let text = text(&path).ok().flatten()?;
    let mut value = toml_span::parse(&text).ok()?;
    file(&mut value, path)
}

fn file(value: &mut Value<'_>, path: PathBuf) -> Option<File> {
    let base = path.parent().map(Path::to_owned)?;
    let table = value.as_table()?;
    let mut file = File {
        certificates: certificates(value, &base),
        path,
        ..File::default()
    };
    let Some(ValueInner::Table(hosts)) = table.get("host").map(Value::as_ref) else {
        return Some(file);
    };
    let mut hosts: Vec<_> = hosts.iter().collect();
    // Their order in the file is their order.
    hosts.sort_by_key(|(address, _)| address.span.start);
    for (address, host) in hosts {
        // Mirrors that want another path or headers of their own are asked by
        // containerd alone.
        let is_strange = ["override_path", "header"]
            .iter()
            .any(|key| host.as_table().is_some_and(|host| host.contains_key(*key)));
        let able = host.as_table().and_then(|host| host.get("capabilities"));
        let able = able.and_then(Value::as_array).map(Vec::as_slice);
        let is_able = able.is_none_or(|able| {
            let has = |word| able.iter().any(|one| one.as_str() == Some(word));
            has("pull") && has("resolve")
        });
        if !is_strange && is_able {
            file.mirrors.push(address.name.to_string());
        }
    }
    Some(file)
}

/// `ca` and `client`: one path or several; a client's certificate alone has its
/// key in the same file.
fn certificates(value: &Value<'_>, base: &Path) -> Certificates {
    let table = value.as_table();
    let field = |name: &str| table.and_then(|table| table.get(name));
    let paths = |value: &Value<'_>| -> Vec<PathBuf> {
        let one = value.as_str().map(|path| base.join(path));
        let many = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let many = many
            .iter()
            .filter_map(Value::as_str)
            .map(|path| base.join(path));
        one.into_iter().chain(many).collect()
    };
    let authorities = field("ca").map(paths).unwrap_or_default();
    let identity = field("client").and_then(|value| {
        let pair = value.as_array().and_then(|all| all.first());
        let pair = pair.filter(|first| first.as_array().is_some());
        let files = paths(pair.unwrap_or(value));
        let certificate = files.first()?.clone();
        // `["a.pem", "b.pem"]` are two certificates, `[["a.cert", "a.key"]]` is
        // one pair.
        let key = match pair {
            Some(_) => files.get(1).filter(|key| !key.as_os_str().is_empty()),
            None => None,
        };
        let key = key.unwrap_or(&certificate).clone();
        Some(Identity { certificate, key })
    });
    Certificates {
        authorities,
        identity,
    }
}

impl File {
    /// The mirrors; an address that is none is containerd's business.
    pub(super) fn mirrors(&self, repository: &Repository) -> Vec<Way> {
        let mirrors = self.mirrors.iter();
        mirrors
            .filter_map(|mirror| mirror_of(mirror, repository).ok())
            .filter(|way| way.repository.host() != repository.host())
            .map(|way| Way {
                from: Some(self.path.clone()),
                ..way
            })
            .collect()
    }
}
