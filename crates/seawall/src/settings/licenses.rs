//! `[licenses]`

use seawall_licenses::{List, Policy, normalise};
use seawall_scan::{LicenseException, LicensePolicy, Strictness};
use toml_span::{DeserError, Deserialize, Value, de_helpers::TableHelper, value::ValueInner};

use super::custom;

pub(super) fn read(value: &mut Value<'_>) -> Result<LicensePolicy, DeserError> {
    let span = Value::with_span(ValueInner::Boolean(true), value.span);
    let mut table = TableHelper::new(value)?;
    let lists = Policy {
        allow: list(&mut table, "allow", &span)?.unwrap_or_default(),
        warn: list(&mut table, "warn", &span)?.unwrap_or_default(),
        deny: list(&mut table, "deny", &span)?.unwrap_or_default(),
    };
    // Whoever lists what may be there means that nothing else may.
    let unlisted = match table.optional::<Word>("unlisted") {
        Some(Word(word)) => word,
        None if lists.allow.is_empty() => Strictness::Allow,
        None => Strictness::Deny,
    };
    let unknown = table.optional::<Word>("unknown");
    let mut policy = LicensePolicy {
        lists,
        unlisted,
        unknown: unknown.map_or(Strictness::Warn, |Word(word)| word),
        exceptions: Vec::new(),
    };
    if let Some((_, mut exceptions)) = table.take("exception") {
        let ValueInner::Array(all) = exceptions.take() else {
            let text = "`exception` is a list: write `[[licenses.exception]]`";
            return Err(custom(&span, text.to_owned()));
        };
        for mut one in all {
            policy.exceptions.push(exception(&mut one)?);
        }
    }
    table.finalize(None)?;
    Ok(policy)
}

fn list(
    table: &mut TableHelper<'_>,
    key: &'static str,
    span: &Value<'_>,
) -> Result<Option<List>, DeserError> {
    let words: Option<Vec<String>> = table.optional(key);
    let list = words.map(List::new).transpose();
    list.map_err(|error| custom(span, format!("{key}: {error}")))
}

fn exception(value: &mut Value<'_>) -> Result<LicenseException, DeserError> {
    let span = Value::with_span(ValueInner::Boolean(true), value.span);
    let mut table = TableHelper::new(value)?;
    let package: String = table.required("package")?;
    let license: Option<String> = table.optional("license");
    let allow = list(&mut table, "allow", &span)?;
    // Why it is so is for those who read the file.
    let _: Option<String> = table.optional("reason");
    table.finalize(None)?;
    let license = match license {
        None => None,
        Some(text) => Some(
            normalise(&text)
                .ok_or_else(|| custom(&span, format!("`{text}` is no SPDX expression")))?,
        ),
    };
    Ok(LicenseException {
        package,
        license,
        is_limited: allow.is_some(),
        allow: Policy {
            allow: allow.unwrap_or_default(),
            ..Policy::default()
        },
    })
}

/// `allow`, `warn` or `deny`.
struct Word(Strictness);

impl<'de> Deserialize<'de> for Word {
    fn deserialize(value: &mut Value<'de>) -> Result<Self, DeserError> {
        let word = value.take_string(Some("`allow`, `warn` or `deny`"))?;
        match word.as_ref() {
            "allow" => Ok(Word(Strictness::Allow)),
            "warn" => Ok(Word(Strictness::Warn)),
            "deny" => Ok(Word(Strictness::Deny)),
            other => Err(custom(
                value,
                format!("`{other}` is neither `allow`, `warn` nor `deny`"),
            )),
        }
    }
}
