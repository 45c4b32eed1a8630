//! Secrets of Kubernetes that hold credentials: manifests, in JSON or YAML, of
//! the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`.
//! The decoded content by itself is what Docker has.

use base64::Engine;
use granit_parser::{Event, Options, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::entries::{BASE64, Entries};

/// How deep a manifest may nest, and how many values it may hold.
const MOST_LEVELS: usize = 32;
const MOST_VALUES: usize = 100_000;

/// The keys of a Secret's data, and whether the content is of the old shape.
const KEYS: [(&str, bool); 2] = [(".dockerconfigjson", false), (".dockercfg", true)];

/// Whether this is a manifest.
pub(super) fn is_manifest(value: &Value) -> bool {
    value.get("kind").is_some_and(Value::is_string) && value.get("apiVersion").is_some()
}

/// Whether a text that is no JSON may be manifests in YAML.
pub(super) fn is_yaml(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("kind:") || line.starts_with("apiVersion:"))
}

/// The credentials of all Secrets among manifests. Everything else of a
/// folder's worth of manifests is passed over.
pub(super) fn entries(manifests: &[Value]) -> Result<Entries, String> {
    let mut all = Entries::default();
    let mut is_any = false;
    for manifest in manifests {
        let items = manifest.get("items").and_then(Value::as_array);
        let own = std::slice::from_ref(manifest);
        for secret in items.map_or(own, Vec::as_slice) {
            for entries in of_secret(secret)? {
                is_any = true;
                all.add(entries);
            }
        }
    }
    if !is_any {
        return Err("no Secret in it has `.dockerconfigjson` or `.dockercfg`".to_owned());
    }
    Ok(all.of_kubernetes())
}

fn of_secret(secret: &Value) -> Result<Vec<Entries>, String> {
    if secret.get("kind").and_then(Value::as_str) != Some("Secret") {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (key, is_old) in KEYS {
        let within = |map: &str| secret.get(map).and_then(|map| map.get(key)?.as_str());
        // `stringData` is written over `data` when a Secret is applied.
        let plain = match (within("stringData"), within("data")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(text)) => {
                let packed: String = text.split_ascii_whitespace().collect();
                BASE64
                    .decode(packed)
                    .map_err(|_| format!("`data[\"{key}\"]` is no base64"))?
            }
            (None, None) => continue,
        };
        let json = serde_json::from_slice(&plain)
            .map_err(|_| format!("`{key}` of the Secret holds no JSON"))?;
        found.push(Entries::read(&json, is_old)?);
    }
    Ok(found)
}

/// The documents of a YAML file, where scalars are texts. Aliases, which
/// manifests do not have, are refused.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_nesting_limit = MOST_LEVELS;
    options.flow_nesting_limit = MOST_LEVELS;
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        // The parser's words may hold what stands there.
        let (event, _) = event.map_err(|error| {
            let marker = error.marker();
            format!("it is no YAML at {}:{}", marker.line(), marker.col() + 1)
        })?;
        builder.take(event)?;
    }
    Ok(builder.documents)
}

enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Value>,
    open: Vec<Open>,
    values: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, ..) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                let value = match is_null {
                    true => Value::Null,
                    false => Value::String(text.into_owned()),
                };
                self.add(value)
            }
            Event::SequenceStart(..) => self.begin(Open::List(Vec::new())),
            Event::MappingStart(..) => self.begin(Open::Map(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(list)) => self.add(Value::Array(list)),
                Some(Open::Map(map, _)) => self.add(Value::Object(map)),
                None => Ok(()),
            },
            Event::Alias(..) => Err("it has a YAML alias, which no manifest needs".to_owned()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        if self.open.len() >= MOST_LEVELS {
            return Err(format!("it is nested more than {MOST_LEVELS} levels deep"));
        }
        self.open.push(open);
        Ok(())
    }

    fn add(&mut self, value: Value) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("it has more than {MOST_VALUES} values"));
        }
        match self.open.last_mut() {
            None => self.documents.push(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map(map, key)) => match (key.take(), value) {
                (Some(key), value) => {
                    map.insert(key, value);
                }
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return Err("a key in it is no text".to_owned()),
            },
        }
        Ok(())
    }
}
