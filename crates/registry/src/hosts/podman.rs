//! `registries.conf`, version 2, of Podman, Buildah, Skopeo and CRI-O
//! (containers-registries.conf(5)). Aliases of short names are passed over: a
//! name without a registry is Docker Hub's, on every machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml_span::{Value, value};

use super::{HostsError, Way, text};
use crate::{Repository, machine::Machine};

/// Files of one folder of additions.
const MOST: usize = 1000;

/// The `[[registry]]` tables of all files by prefix: the last one counts.
#[derive(Debug, Default)]
pub(super) struct Registries {
    by_prefix: BTreeMap<String, Table>,
}

#[derive(Debug)]
struct Table {
    location: String,
    is_insecure: bool,
    is_blocked: bool,
    is_digest_only: bool,
    mirrors: Vec<Mirror>,
    path: PathBuf,
}

#[derive(Debug)]
struct Mirror {
    location: String,
    is_insecure: bool,
    /// `all`, `digest-only` or `tag-only`.
    pull: Option<String>,
}

/// What the files say of one repository.
pub(super) struct Entry {
    /// Where it really is.
    pub(super) location: Repository,
    /// Whether that is somewhere else.
    pub(super) is_moved: bool,
    pub(super) mirrors: Vec<Way>,
    pub(super) path: PathBuf,
}

/// Reads the file and its additions, where there are any.
pub(super) fn read(machine: &Machine) -> Result<Registries, HostsError> {
    let home = machine.config_home().map(|home| home.join("containers"));
    let own = home.as_ref().map(|home| home.join("registries.conf"));
    let own = own.filter(|path| path.is_file());
    let named = machine.variable("CONTAINERS_REGISTRIES_CONF");
    let main = match (named, own) {
        (Some(path), _) => path.into(),
        (None, Some(path)) => path,
        (None, None) => machine.system("etc/containers/registries.conf"),
    };
    let mut paths = vec![main];
    let folders = [
        Some(machine.system("etc/containers/registries.conf.d")),
        home.map(|home| home.join("registries.conf.d")),
    ];
    for folder in folders.into_iter().flatten() {
        let files = fs::read_dir(folder).into_iter().flatten().take(MOST);
        let files = files.flatten().map(|file| file.path());
        let mut files: Vec<PathBuf> = files
            .filter(|path| path.extension().is_some_and(|end| end == "conf"))
            .collect();
        files.sort();
        paths.extend(files);
    }
    let mut registries = Registries::default();
    for path in paths {
        if let Some(text) = text(&path)? {
            let added = registries.add(&text, &path);
            added.map_err(|what| HostsError::File { path, what })?;
        }
    }
    Ok(registries)
}

impl Registries {
    fn add(&mut self, text: &str, path: &Path) -> Result<(), String> {
        let value = toml_span::parse(text).map_err(|error| error.to_string())?;
        let root = value.as_table().ok_or("it is no table")?;
        for one in tables(root, "registry")? {
            let location = text_of(one, "location")?;
            let prefix = text_of(one, "prefix")?;
            let Some(own) = location.clone().or_else(|| prefix.clone()) else {
                return Err("a `[[registry]]` has neither `prefix` nor `location`".to_owned());
            };
            let mut table = Table {
                location: own.clone(),
                is_insecure: flag_of(one, "insecure")?,
                is_blocked: flag_of(one, "blocked")?,
                is_digest_only: flag_of(one, "mirror-by-digest-only")?,
                mirrors: Vec::new(),
                path: path.to_owned(),
            };
            for one in tables(one, "mirror")? {
                table.mirrors.push(Mirror {
                    location: text_of(one, "location")?.ok_or("a mirror has no `location`")?,
                    is_insecure: flag_of(one, "insecure")?,
                    pull: text_of(one, "pull-from-mirror")?,
                });
            }
            self.by_prefix.insert(prefix.unwrap_or(own), table);
        }
        Ok(())
    }

    /// The entry with the longest prefix of a repository's name.
    pub(super) fn entry(&self, repository: &Repository) -> Result<Option<Entry>, HostsError> {
        let name = repository.to_string();
        let mut found: Option<(usize, &str, &Table)> = None;
        for (prefix, table) in &self.by_prefix {
            let length = matched(prefix, &name);
            let is_longer = |length| found.is_none_or(|(other, ..)| other < length);
            if let Some(length) = length.filter(|length| is_longer(*length)) {
                found = Some((length, prefix, table));
            }
        }
        let Some((length, prefix, table)) = found else {
            return Ok(None);
        };
        if table.is_blocked {
            return Err(HostsError::Blocked {
                name,
                prefix: prefix.to_owned(),
                path: table.path.clone(),
            });
        }
        let rest = name.get(length..).unwrap_or_default();
        let at = |location: &str| {
            let there = format!("{location}{rest}");
            let (host, path) = there.split_once('/')?;
            Repository::new(host, path)
        };
        let is_moved = !table.location.is_empty() && table.location != prefix;
        let location = match is_moved {
            true => at(&table.location).ok_or_else(|| HostsError::File {
                path: table.path.clone(),
                what: format!("`{}` is no place for `{name}`", table.location),
            })?,
            false => repository.clone(),
        };
        // A tag may be behind on a mirror that is for digests alone; whoever
        // asks here may ask for either.
        let mirrors = table.mirrors.iter().filter(|mirror| match &mirror.pull {
            Some(pull) => pull == "all",
            None => !table.is_digest_only,
        });
        let mirrors = mirrors.filter_map(|mirror| {
            Some(Way {
                repository: at(&mirror.location)?,
                is_plain: mirror.is_insecure.then_some(true),
                is_mirror: true,
                from: Some(table.path.clone()),
            })
        });
        Ok(Some(Entry {
            location,
            is_moved,
            mirrors: mirrors.collect(),
            path: table.path.clone(),
        }))
    }

    /// The file that lets others do without TLS at this registry.
    pub(super) fn insecure(&self, host: &str) -> Option<PathBuf> {
        let tables = self.by_prefix.values().filter(|table| table.is_insecure);
        let is_at = |location: &str| location.split('/').next() == Some(host);
        let mut named = tables.filter(|table| is_at(&table.location));
        named.next().map(|table| table.path.clone())
    }
}

/// How much of a name a prefix covers: a whole registry or parts of a path;
/// `*.example.com` covers what is below a domain.
fn matched(prefix: &str, name: &str) -> Option<usize> {
    let length = match prefix.strip_prefix("*.") {
        None => name.starts_with(prefix).then_some(prefix.len())?,
        Some(domain) => {
            let host = name.split('/').next().unwrap_or_default();
            let rest = host.strip_suffix(domain)?;
            (rest.len() > 1 && rest.ends_with('.')).then_some(host.len())?
        }
    };
    let rest = name.get(length..)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(length)
}

/// The tables of a list of tables.
fn tables<'v, 'de>(
    table: &'v value::Table<'de>,
    key: &str,
) -> Result<Vec<&'v value::Table<'de>>, String> {
    let Some(value) = table.get(key) else {
        return Ok(Vec::new());
    };
    let list = value.as_array().map(Vec::as_slice);
    let tables = list.and_then(|list| list.iter().map(Value::as_table).collect());
    tables.ok_or_else(|| format!("`{key}` is no list of tables"))
}

fn text_of(table: &value::Table<'_>, key: &str) -> Result<Option<String>, String> {
    let text = |value: &Value<'_>| value.as_str().map(str::to_owned);
    let value = table.get(key).map(text);
    let value = value.map(|text| text.ok_or_else(|| format!("`{key}` is no text")));
    Ok(value.transpose()?.filter(|text| !text.is_empty()))
}

fn flag_of(table: &value::Table<'_>, key: &str) -> Result<bool, String> {
    let flag = |value: &Value<'_>| value.as_bool();
    let value = table.get(key).map(flag);
    let value = value.map(|flag| flag.ok_or_else(|| format!("`{key}` is neither true nor false")));
    Ok(value.transpose()?.unwrap_or(false))
}
