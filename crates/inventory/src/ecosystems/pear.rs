//! Packages of PEAR and PECL: `.registry/*.reg` of the folder of PHP's
//! libraries, an array as PHP's `serialize` writes it (PEAR, `PEAR_Registry`).

use crate::{
    found::{Finds, Found, records},
    requires::folder,
};

records!(
    "pear",
    [Interest::Suffix(".reg")],
    |path: &str| {
        let parent = folder(path);
        let name = |path: &str| path.rsplit('/').next() == Some(".registry");
        name(parent) || (parent.contains("/.channel.") && name(folder(parent)))
    },
    // Values take many times the room of their text.
    4 << 20,
    parse,
    folder
);

/// A value that PHP wrote.
#[derive(Debug)]
enum Value<'a> {
    Text(&'a str),
    /// Keys and values, in their order.
    Array(Vec<(Value<'a>, Value<'a>)>),
    Other,
}

/// How deep arrays may lie in each other.
const MOST_LEVELS: usize = 64;

impl<'a> Value<'a> {
    /// Reads one value; `rest` is what follows it.
    fn read(rest: &mut &'a str, level: usize) -> Option<Self> {
        let (kind, after) = rest.split_at_checked(1)?;
        match kind {
            "N" => {
                *rest = after.strip_prefix(';')?;
                Some(Value::Other)
            }
            "b" | "i" | "d" => {
                let (_, after) = after.split_once(';')?;
                *rest = after;
                Some(Value::Other)
            }
            "s" => {
                let (length, after) = after.strip_prefix(':')?.split_once(':')?;
                let after = after.strip_prefix('"')?;
                let (text, after) = after.split_at_checked(length.parse().ok()?)?;
                *rest = after.strip_prefix("\";")?;
                Some(Value::Text(text))
            }
            "a" if level < MOST_LEVELS => {
                let (count, after) = after.strip_prefix(':')?.split_once(':')?;
                let count: usize = count.parse().ok()?;
                *rest = after.strip_prefix('{')?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    let key = Value::read(rest, level + 1)?;
                    entries.push((key, Value::read(rest, level + 1)?));
                }
                *rest = rest.strip_prefix('}')?;
                Some(Value::Array(entries))
            }
            _ => None,
        }
    }

    fn get(&self, wanted: &str) -> Option<&Value<'a>> {
        let Value::Array(entries) = self else {
            return None;
        };
        let is_it = |key: &Value<'_>| matches!(key, Value::Text(text) if *text == wanted);
        let found = entries.iter().find(|(key, _)| is_it(key));
        found.map(|(_, value)| value)
    }

    fn text(&self) -> Option<&'a str> {
        match self {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

fn parse(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let mut rest = text.trim_start();
    let all = Value::read(&mut rest, 0).ok_or("it is no array that PHP wrote")?;
    let of = |key: &str| all.get(key);
    // Version 1 of the format has texts where version 2 has arrays.
    let name = of("name").or_else(|| of("package")).and_then(Value::text);
    let version = of("version").and_then(|it| it.text().or_else(|| it.get("release")?.text()));
    let (Some(name), Some(version)) = (name, version) else {
        return Err("it names no package or no version".to_owned());
    };
    let channel = of("channel")
        .and_then(Value::text)
        .unwrap_or("pear.php.net");
    let license = of("license").or_else(|| of("release_license"));
    let license = license.and_then(|it| it.text().or_else(|| it.get("_content")?.text()));
    let files = match of("filelist") {
        Some(Value::Array(entries)) => entries.as_slice(),
        _ => &[],
    };
    let files = files
        .iter()
        .filter_map(|(_, file)| file.get("installed_as")?.text());
    out.push(&Found {
        kind: "pear",
        name: format!("{channel}/{name}"),
        version: version.to_owned(),
        licenses: license.map(str::to_owned).into_iter().collect(),
        files: files
            .map(|path| path.trim_start_matches('/').to_owned())
            .collect(),
        ..Found::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_php_says() {
        let mut text = "a:2:{s:1:\"a\";a:1:{i:0;s:2:\"é\";}s:1:\"b\";N;}x";
        let value = Value::read(&mut text, 0).unwrap();
        let inner = value.get("a").unwrap();
        assert!(
            matches!(inner, Value::Array(one) if one.len() == 1),
            "{inner:?}"
        );
        assert_eq!(text, "x");
        for damaged in [
            "",
            "a:9:{",
            "s:5:\"a\";",
            "s:1:\"é\";",
            "a:1:{i:0;N;",
            "O:1:\"x\"",
        ] {
            assert!(Value::read(&mut &*damaged, 0).is_none(), "{damaged}");
        }
        let deep = "a:1:{i:0;".repeat(100_000);
        assert!(Value::read(&mut deep.as_str(), 0).is_none());
    }
}
