//! OpenVEX 0.2.0, written: a new document, or statements added to one that is
//! there, of which every other byte stays.

use std::{borrow::Cow, fmt};

use seawall_model::{Fingerprint, Hash, HashAlgorithm, vex::VexStatus};
use serde::{
    Deserialize, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";
/// The name space that OpenVEX offers to documents without one of their own
/// (OpenVEX 0.2.0, "Document Identifiers").
const PUBLIC: &str = "https://openvex.dev/docs/public/vex-";

/// What a new document says of itself.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    /// Its IRI; made from its content without one.
    pub id: Option<&'a str>,
    /// Who answers for it.
    pub author: &'a str,
    /// The author's role.
    pub role: Option<&'a str>,
    /// What made it.
    pub tooling: &'a str,
    /// Now, RFC 3339.
    pub time: &'a str,
}

/// A statement to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The flaw's id.
    pub vulnerability: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// What it is said of: ids, package URLs mostly, with the digest of each
    /// where it is known.
    pub products: Vec<(String, Option<Hash>)>,
    /// The parts of each that are meant; all of it when empty.
    pub parts: Vec<String>,
    /// Whether they are affected.
    pub status: VexStatus,
    /// Why not, one of [`seawall_model::vex::JUSTIFICATIONS`].
    pub justification: Option<String>,
    /// Why not, in prose.
    pub impact: Option<String>,
    /// What to do.
    pub action: Option<String>,
}

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The document to add to is none.
    #[error("the document cannot be read")]
    Read(#[from] super::Error),
    /// The document to add to is of another format or version.
    #[error("statements can be added to an OpenVEX 0.2.0 document alone")]
    Format,
    /// A statement lacks what its status asks for.
    #[error("{0}")]
    Draft(&'static str),
    /// A value has no JSON form; this is our bug.
    #[error("the document cannot be written")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct WireDocument<'a> {
    #[serde(rename = "@context")]
    context: &'a str,
    #[serde(rename = "@id")]
    id: &'a str,
    author: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    timestamp: &'a str,
    version: u64,
    tooling: &'a str,
    statements: &'a [WireStatement<'a>],
}

#[derive(Serialize)]
struct WireStatement<'a> {
    vulnerability: WireVulnerability<'a>,
    timestamp: &'a str,
    products: Vec<WireProduct<'a>>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_notes: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_statement: Option<&'a str>,
}

#[derive(Serialize)]
struct WireVulnerability<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    aliases: &'a [String],
}

#[derive(Serialize)]
struct WireProduct<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifiers: Option<Identifiers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<std::collections::BTreeMap<&'static str, &'a str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcomponents: Vec<WireProduct<'a>>,
}

#[derive(Serialize)]
struct Identifiers<'a> {
    purl: &'a str,
}

impl Draft {
    /// What its status asks for (OpenVEX 0.2.0, "Status Labels").
    fn check(&self) -> Result<(), WriteError> {
        let is_not = self.status == VexStatus::NotAffected;
        if is_not && self.justification.is_none() && self.impact.is_none() {
            return Err(WriteError::Draft(
                "`not_affected` needs a justification or an impact statement",
            ));
        }
        if !is_not && (self.justification.is_some() || self.impact.is_some()) {
            return Err(WriteError::Draft(
                "a justification and an impact statement belong to `not_affected`",
            ));
        }
        let is_affected = self.status == VexStatus::Affected;
        if is_affected && self.action.is_none() {
            return Err(WriteError::Draft("`affected` needs an action statement"));
        }
        if !is_affected && self.action.is_some() {
            return Err(WriteError::Draft(
                "an action statement belongs to `affected`",
            ));
        }
        if self.products.is_empty() {
            return Err(WriteError::Draft("a statement needs a product"));
        }
        Ok(())
    }

    fn wire<'a>(&'a self, time: &'a str) -> WireStatement<'a> {
        let part = |id: &'a String| component(id, None, Vec::new());
        let product = |(id, hash): &'a (String, Option<Hash>)| {
            component(id, hash.as_ref(), self.parts.iter().map(part).collect())
        };
        // The published schema takes one of the two: beside a justification,
        // prose is a note on how the status was determined.
        let (impact, notes) = match (&self.justification, &self.impact) {
            (Some(_), impact) => (None, impact.as_deref()),
            (None, impact) => (impact.as_deref(), None),
        };
        WireStatement {
            vulnerability: WireVulnerability {
                name: &self.vulnerability,
                aliases: &self.aliases,
            },
            timestamp: time,
            products: self.products.iter().map(product).collect(),
            status: self.status.as_str(),
            status_notes: notes,
            justification: self.justification.as_deref(),
            impact_statement: impact,
            action_statement: self.action.as_deref(),
        }
    }
}

fn component<'a>(
    id: &'a str,
    hash: Option<&'a Hash>,
    subcomponents: Vec<WireProduct<'a>>,
) -> WireProduct<'a> {
    let hashes = hash.map(|hash| [(hash_name(hash.algorithm), hash.hex.as_str())].into());
    WireProduct {
        id,
        identifiers: id.starts_with("pkg:").then_some(Identifiers { purl: id }),
        hashes,
        subcomponents,
    }
}

/// OpenVEX's names of algorithms (IANA, "Named Information Hash Algorithm").
fn hash_name(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "md5",
        HashAlgorithm::Sha1 => "sha1",
        HashAlgorithm::Sha256 => "sha-256",
        HashAlgorithm::Sha384 => "sha-384",
        HashAlgorithm::Sha512 => "sha-512",
    }
}

/// A new document.
///
/// # Errors
/// When a statement lacks what its status asks for.
pub fn create(header: &Header<'_>, drafts: &[Draft]) -> Result<String, WriteError> {
    let drafts = once(drafts);
    drafts.iter().try_for_each(|one| one.check())?;
    let statements: Vec<WireStatement<'_>> =
        drafts.iter().map(|one| one.wire(header.time)).collect();
    let content = serde_json::to_string(&statements)?;
    let print = Fingerprint::of(&[header.author, header.time, &content]);
    let id = match header.id {
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(format!("{PUBLIC}{print}")),
    };
    let text = serde_json::to_string_pretty(&WireDocument {
        context: CONTEXT,
        id: &id,
        author: header.author,
        role: header.role,
        timestamp: header.time,
        version: 1,
        tooling: header.tooling,
        statements: &statements,
    })?;
    Ok(text + "\n")
}

/// Each statement once, in its order.
fn once(drafts: &[Draft]) -> Vec<&Draft> {
    let mut all: Vec<&Draft> = Vec::new();
    for draft in drafts {
        if !all.contains(&draft) {
            all.push(draft);
        }
    }
    all
}

/// The fields of an object, in their order, each with its text.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((Cow::Owned(key), value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl<'a> Fields<'a> {
    fn get(&self, key: &str) -> Option<&'a RawValue> {
        let mut all = self.0.iter();
        all.find(|(own, _)| own == key).map(|(_, value)| *value)
    }
}

/// Adds statements to the document in `text`: what it says already is left
/// out, the version is raised, nothing else changes. `None` when there is
/// nothing to add.
///
/// # Errors
/// When `text` is no OpenVEX 0.2.0 document, or a statement lacks what its
/// status asks for.
pub fn append(text: &str, time: &str, drafts: &[Draft]) -> Result<Option<String>, WriteError> {
    super::read(text.as_bytes(), "")?;
    let fields: Fields<'_> = serde_json::from_str(text)?;
    let context = fields
        .get("@context")
        .map(|raw| serde_json::from_str::<String>(raw.get()));
    if !matches!(context, Some(Ok(context)) if context == CONTEXT) {
        return Err(WriteError::Format);
    }
    let (Some(version), Some(list)) = (fields.get("version"), fields.get("statements")) else {
        return Err(WriteError::Format);
    };
    let number: u64 = serde_json::from_str(version.get())?;
    let known: Vec<&RawValue> = serde_json::from_str(list.get())?;
    let drafts: Vec<&Draft> = once(drafts)
        .into_iter()
        .filter(|one| !says(&known, one))
        .collect();
    drafts.iter().try_for_each(|one| one.check())?;
    if drafts.is_empty() {
        return Ok(None);
    }
    let mut added = Vec::new();
    for draft in drafts {
        added.push(serde_json::to_string_pretty(&draft.wire(time))?);
    }
    let mut edits = Vec::new();
    let behind = known
        .last()
        .map(|last| offset(text, last) + last.get().len());
    match (behind, known.last()) {
        (Some(behind), Some(last)) => {
            let indent = indent(text, offset(text, last));
            let more = added.iter().map(|one| format!(",{}", below(one, indent)));
            edits.push((behind..behind, more.collect::<String>()));
        }
        _ => {
            let start = offset(text, list);
            let indent = indent(text, start);
            let inner = indent.map(|own| format!("{own}  "));
            let all: Vec<String> = added
                .iter()
                .map(|one| below(one, inner.as_deref()))
                .collect();
            let end = indent.map(|own| format!("\n{own}")).unwrap_or_default();
            edits.push((
                start..start + list.get().len(),
                format!("[{}{end}]", all.join(",")),
            ));
        }
    }
    let start = offset(text, version);
    let end = start + version.get().len();
    edits.push((start..end, (number + 1).to_string()));
    let quoted = serde_json::to_string(time)?;
    match fields.get("last_updated") {
        Some(raw) => {
            let start = offset(text, raw);
            edits.push((start..start + raw.get().len(), quoted));
        }
        None => {
            let field = format!("\"last_updated\": {quoted}");
            edits.push((end..end, format!(",{}", below(&field, indent(text, start)))));
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = text.to_owned();
    for (range, with) in edits.into_iter().rev() {
        out.replace_range(range, &with);
    }
    Ok(Some(out))
}

/// Where a value of `text` starts.
fn offset(text: &str, raw: &RawValue) -> usize {
    (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The white space before the line that holds the byte at `at`; `None` in a
/// document without lines.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let line = text.get(before.rfind('\n')? + 1..)?;
    let letters = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - letters.len())
}

/// `text` on lines of its own, indented; behind a space where there are no
/// lines.
fn below(text: &str, indent: Option<&str>) -> String {
    match indent {
        None => {
            let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
            format!(" {}", lines.join(" "))
        }
        Some(indent) => text
            .lines()
            .map(|line| format!("\n{indent}{line}"))
            .collect(),
    }
}

/// Whether the last statement of `known` about the draft's flaw and products
/// says the same.
fn says(known: &[&RawValue], draft: &Draft) -> bool {
    let Ok(own) = serde_json::to_value(draft.wire("")) else {
        return false;
    };
    let same = |a: &serde_json::Value, b: &serde_json::Value, keys: &[&str]| {
        keys.iter().all(|key| a.get(key) == b.get(key))
    };
    let all = known.iter().rev();
    let mut all = all.filter_map(|raw| serde_json::from_str(raw.get()).ok());
    let last = all.find(|one: &serde_json::Value| {
        let name = |of: &serde_json::Value| of.pointer("/vulnerability/name").cloned();
        name(one) == name(&own) && same(one, &own, &["products"])
    });
    let said = [
        "status",
        "status_notes",
        "justification",
        "impact_statement",
        "action_statement",
    ];
    last.is_some_and(|last| same(&last, &own, &said))
}
