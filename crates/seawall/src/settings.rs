//! Settings: flag, then environment, then `seawall.toml`, then default.
//!
//! clap takes care of the first two; this module reads the file, points at what
//! is wrong in it, and knows where files of our own belong.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use seawall_model::vex::JUSTIFICATIONS;
use seawall_policy::Suppression;
use seawall_scan::LicensePolicy;
use toml_span::{Deserialize, de_helpers::TableHelper, value::ValueInner};

use crate::{errors::hinted, registry};

/// What `seawall.toml` may say.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) format: Option<String>,
    pub(crate) fail_on: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) ignore_unfixed: Option<bool>,
    pub(crate) offline: Option<bool>,
    pub(crate) allow_gaps: Option<bool>,
    pub(crate) platform: Option<String>,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) ignores: Vec<Suppression>,
    pub(crate) vex: Vec<PathBuf>,
    pub(crate) licenses: Option<LicensePolicy>,
    pub(crate) registry: registry::File,
}

/// `[database]`
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) update: Option<Update>,
    pub(crate) from: Option<String>,
    pub(crate) feeds: Vec<String>,
    pub(crate) key: Option<String>,
    pub(crate) max_age: Option<u32>,
}

/// When a scan may fetch advisories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// What is missing, and what is older than a day.
    Auto,
    /// Never.
    Never,
}

/// `[cache]`
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) max_mib: Option<u64>,
}

/// What the cache of layers may take where nothing else is said, in MiB.
pub(crate) const CACHE_MIB: u64 = 1024;

/// Bytes of a settings file.
const FILE_LIMIT: u64 = 1 << 20;

/// The settings file that was named, or `seawall.toml` here if there is one.
pub(crate) fn read(named: Option<&Path>) -> Result<File> {
    let path = match named {
        Some(path) => path,
        None => Path::new("seawall.toml"),
    };
    let text = match fs::metadata(path).and_then(|metadata| {
        if metadata.len() > FILE_LIMIT {
            return Err(io::Error::other(format!(
                "it has more than {FILE_LIMIT} bytes"
            )));
        }
        fs::read_to_string(path)
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            return ignore_file(File::default());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let name = path.display().to_string();
    let file = parse(&text, &name)?;
    ignore_file(file)
}

pub(crate) fn parse(text: &str, name: &str) -> Result<File> {
    let failed = |error: &toml_span::Error| {
        // A key that nobody knows has a place of its own, the error only the
        // table's.
        let (at, what) = match &error.kind {
            toml_span::ErrorKind::UnexpectedKeys { keys, expected } => match keys.first() {
                Some((key, span)) => {
                    let known = expected.join("`, `");
                    (
                        span.start,
                        format!("there is no setting `{key}` here, only `{known}`"),
                    )
                }
                None => (error.span.start, error.to_string()),
            },
            _ => (error.span.start, error.to_string()),
        };
        let (line, column) = place(text, at);
        hinted(
            format!("{name}:{line}:{column}: {what}"),
            "docs/settings.md lists every setting",
        )
    };
    let mut value = toml_span::parse(text).map_err(|error| failed(&error))?;
    File::read(&mut value, text, name).map_err(|error| match error.errors.first() {
        Some(first) => failed(first),
        None => hinted(
            format!("{name} cannot be read"),
            "docs/settings.md lists every setting",
        ),
    })
}

fn place(text: &str, offset: usize) -> (u32, u32) {
    let index = seawall_model::LineIndex::new(text.as_bytes());
    let at = index.line_column(offset);
    (at.line, at.column)
}

impl File {
    fn read(
        value: &mut toml_span::Value<'_>,
        text: &str,
        name: &str,
    ) -> Result<Self, toml_span::DeserError> {
        let mut root = TableHelper::new(value)?;
        let mut file = File::default();
        if let Some(mut scan) = root.take("scan").map(|(_, value)| value) {
            let mut table = TableHelper::new(&mut scan)?;
            file.format = table.optional("format");
            file.fail_on = table.optional("fail-on");
            file.severity = table.optional("severity");
            file.ignore_unfixed = table.optional("ignore-unfixed");
            file.offline = table.optional("offline");
            file.allow_gaps = table.optional("allow-gaps");
            file.platform = table.optional("platform");
            file.baseline = table.optional::<String>("baseline").map(PathBuf::from);
            table.finalize(None)?;
        }
        if let Some(mut database) = root.take("database").map(|(_, value)| value) {
            let mut table = TableHelper::new(&mut database)?;
            file.database.dir = table.optional::<String>("dir").map(PathBuf::from);
            file.database.from = table.optional("from");
            file.database.feeds = table.optional("feeds").unwrap_or_default();
            file.database.key = table.optional("key");
            file.database.max_age = table.optional("max-age");
            file.database.update = table.optional::<Update>("update");
            table.finalize(None)?;
        }
        if let Some(mut cache) = root.take("cache").map(|(_, value)| value) {
            let mut table = TableHelper::new(&mut cache)?;
            file.cache.dir = table.optional::<String>("dir").map(PathBuf::from);
            file.cache.max_mib = table.optional("max-mib");
            table.finalize(None)?;
        }
        if let Some((_, mut ignores)) = root.take("ignore") {
            let ValueInner::Array(list) = ignores.take() else {
                return Err(toml_span::Error::from((
                    toml_span::ErrorKind::Custom("`ignore` is a list: write `[[ignore]]`".into()),
                    ignores.span,
                ))
                .into());
            };
            for mut one in list {
                file.ignores.push(suppression(&mut one, text, name)?);
            }
        }
        if let Some((_, mut table)) = root.take("registries") {
            registries::all(&mut table, &mut file.registry)?;
        }
        if let Some((_, mut list)) = root.take("registry") {
            registries::each(&mut list, &mut file.registry)?;
        }
        if let Some((_, mut table)) = root.take("licenses") {
            file.licenses = Some(licenses::read(&mut table)?);
        }
        if let Some((_, mut list)) = root.take("vex") {
            file.vex = vex(&mut list)?;
        }
        root.finalize(None)?;
        Ok(file)
    }
}

impl<'de> Deserialize<'de> for Update {
    fn deserialize(value: &mut toml_span::Value<'de>) -> Result<Self, toml_span::DeserError> {
        let word = value.take_string(Some("`auto` or `never`"))?;
        match word.as_ref() {
            "auto" => Ok(Update::Auto),
            "never" => Ok(Update::Never),
            other => Err(custom(
                value,
                format!("`{other}` is neither `auto` nor `never`"),
            )),
        }
    }
}

fn custom(value: &toml_span::Value<'_>, text: String) -> toml_span::DeserError {
    toml_span::Error::from((toml_span::ErrorKind::Custom(text.into()), value.span)).into()
}

mod licenses;
mod registries;

/// `vex = ["FILE", …]`, or `[[vex]]` with a `path` each.
fn vex(value: &mut toml_span::Value<'_>) -> Result<Vec<PathBuf>, toml_span::DeserError> {
    const SHAPE: &str = "`vex` is a list of files and folders, or `[[vex]]` with a `path`";
    let shape = toml_span::Value::with_span(ValueInner::Boolean(true), value.span);
    let ValueInner::Array(list) = value.take() else {
        return Err(custom(&shape, SHAPE.to_owned()));
    };
    let mut paths = Vec::new();
    for mut one in list {
        if let Some(text) = one.as_str() {
            paths.push(PathBuf::from(text));
            continue;
        }
        let mut table = TableHelper::new(&mut one)?;
        let path: String = table.required("path")?;
        table.finalize(None)?;
        paths.push(PathBuf::from(path));
    }
    Ok(paths)
}

fn suppression(
    value: &mut toml_span::Value<'_>,
    text: &str,
    name: &str,
) -> Result<Suppression, toml_span::DeserError> {
    let (line, _) = place(text, value.span.start);
    let span = toml_span::Value::with_span(ValueInner::Boolean(true), value.span);
    let mut table = TableHelper::new(value)?;
    let id: Option<String> = table.optional("rule");
    let path: Option<String> = table.optional("path");
    let package: Option<String> = table.optional("package");
    let reason: Option<String> = table.optional("reason");
    let justification: Option<String> = table.optional("justification");
    let expires: Option<String> = table.optional("expires");
    table.finalize(None)?;
    if id.is_none() && path.is_none() && package.is_none() {
        let text = "`[[ignore]]` needs a `rule`, a `path` or a `package`: without one it would hide everything";
        return Err(custom(&span, text.to_owned()));
    }
    if let Some(day) = expires
        .as_deref()
        .filter(|day| day.parse::<jiff::civil::Date>().is_err())
    {
        return Err(custom(
            &span,
            format!("`{day}` is no date: write YYYY-MM-DD"),
        ));
    }
    if let Some(word) = justification
        .as_deref()
        .filter(|word| !JUSTIFICATIONS.contains(word))
    {
        let known = JUSTIFICATIONS.join("`, `");
        let text = format!("`{word}` is no justification: use one of `{known}`");
        return Err(custom(&span, text));
    }
    let place = format!("{name}:{line}");
    let mut one = Suppression::new(id, path.as_deref(), package, place)
        .map_err(|error| custom(&span, error.to_string()))?;
    one.reason = reason.unwrap_or_default();
    one.justification = justification;
    one.expires = expires;
    Ok(one)
}

/// `.seawallignore`: an id on each line, perhaps a path pattern behind it; `#`
/// starts a comment.
fn ignore_file(mut file: File) -> Result<File> {
    const NAME: &str = ".seawallignore";
    let text = match fs::read_to_string(NAME) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(file),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{NAME}`")),
    };
    for (index, line) in text.lines().enumerate() {
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = code.split_whitespace();
        let Some(id) = words.next() else { continue };
        let place = format!("{NAME}:{}", index + 1);
        let mut one = Suppression::new(Some(id.to_owned()), words.next(), None, place.clone())
            .with_context(|| format!("cannot understand {place}"))?;
        one.reason = comment.trim().to_owned();
        file.ignores.push(one);
    }
    Ok(file)
}

/// A folder for files of ours that can be made again, by the XDG Base Directory
/// Specification.
pub(crate) fn cache_home() -> PathBuf {
    xdg("XDG_CACHE_HOME", ".cache").join("seawall")
}

/// The advisory database's usual folder.
pub(crate) fn database_home() -> PathBuf {
    xdg("XDG_DATA_HOME", ".local/share")
        .join("seawall")
        .join("db")
}

fn xdg(variable: &str, below_home: &str) -> PathBuf {
    // The specification has relative paths ignored.
    let set = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    set.unwrap_or_else(|| match env::var_os("HOME") {
        Some(home) => PathBuf::from(home).join(below_home),
        None => env::temp_dir().join("seawall-home").join(below_home),
    })
}

/// Today, `YYYY-MM-DD` in UTC, and now in seconds since 1970.
/// `SOURCE_DATE_EPOCH` (reproducible-builds.org) stands in for the clock.
pub(crate) fn today() -> (String, u64) {
    let fixed = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    let now = fixed
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or_else(jiff::Timestamp::now);
    let day = jiff::tz::Offset::UTC.to_datetime(now).date().to_string();
    (day, u64::try_from(now.as_second()).unwrap_or(0))
}

/// When a document says that it was made: at `SOURCE_DATE_EPOCH`, else when
/// what it describes was, so that two runs write the same.
pub(crate) fn created(of_target: Option<&str>) -> Option<String> {
    let fixed = env::var("SOURCE_DATE_EPOCH").is_ok_and(|text| text.parse::<i64>().is_ok());
    let fixed = fixed.then(now);
    fixed.or_else(|| {
        let time: jiff::Timestamp = of_target?.parse().ok()?;
        whole_seconds(time)
    })
}

/// Now, RFC 3339 in UTC.
pub(crate) fn now() -> String {
    let (_, seconds) = today();
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.and_then(whole_seconds).unwrap_or_default()
}

/// SPDX 2 has no fractions of a second, and years of four digits.
fn whole_seconds(time: jiff::Timestamp) -> Option<String> {
    let time = jiff::Timestamp::from_second(time.as_second()).ok()?;
    let text = time.to_string();
    (text.len() == 20).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_say_all_of_it() {
        let file = parse(
            "[scan]\nfail-on = \"high\"\nignore-unfixed = true\n[database]\nupdate = \"never\"\n\
             max-age = 7\n[cache]\nmax-mib = 100\n[[ignore]]\nrule = \"CVE-1\"\nexpires = \"2027-01-01\"\n",
            "x.toml",
        )
        .unwrap();
        assert_eq!(file.fail_on.as_deref(), Some("high"));
        assert_eq!(file.database.update, Some(Update::Never));
        assert_eq!(file.ignores[0].place, "x.toml:9");
        for text in [
            "vex = [\"a.json\", \"b\"]\n",
            "[[vex]]\npath = \"a.json\"\n[[vex]]\npath = \"b\"\n",
        ] {
            let file = parse(text, "x.toml").unwrap();
            assert_eq!(file.vex, ["a.json", "b"].map(PathBuf::from));
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, want) in [
            (
                "[scan]\nfial-on = \"high\"\n",
                "x.toml:2:1: there is no setting `fial-on` here",
            ),
            (
                "[database]\nupdate = \"daily\"\n",
                "`daily` is neither `auto` nor `never`",
            ),
            ("[[ignore]]\nreason = \"x\"\n", "would hide everything"),
            (
                "[licenses]\nallow = [\"MIT\", \"my own\"]\n",
                "`my own` is neither an SPDX expression nor a category",
            ),
            (
                "[licenses]\nunknown = \"maybe\"\n",
                "`maybe` is neither `allow`, `warn` nor `deny`",
            ),
            ("[licenses]\nalow = []\n", "there is no setting `alow` here"),
            ("[[licenses.exception]]\nlicense = \"MIT\"\n", "x.toml:1"),
            ("[[registry]]\nhost = \"a b\"\n", "`a b` is no `HOST`"),
            (
                "[[registry]]\nhost = \"a.io\"\nkey = \"x\"\n",
                "a `key` needs a `cert`",
            ),
            ("registry = 7\n", "`registry` is a list"),
            ("vex = 7\n", "`vex` is a list of files and folders"),
            (
                "[[ignore]]\nrule = \"x\"\njustification = \"none\"\n",
                "`none` is no justification",
            ),
            (
                "[[ignore]]\nrule = \"x\"\nexpires = \"soon\"\n",
                "`soon` is no date",
            ),
            ("[scan\n", "x.toml:1:"),
        ] {
            let error = parse(text, "x.toml").unwrap_err().to_string();
            assert!(error.contains(want), "{text:?}: {error}");
        }
    }
}
