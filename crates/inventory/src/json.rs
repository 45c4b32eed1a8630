//! JSON as tools write it: lock files with spans, one entry at a time (one that
//! is damaged does not hide the others, and what comes before the end of a
//! truncated file is read), and the few wanted fields of a record.

use std::{borrow::Cow, fmt};

use seawall_model::Span;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_json::value::RawValue;

use crate::declared::{Declarations, span_of};

/// Entries of one file: four times as many as there may be packages, since
/// many of them may name one.
const MOST_ENTRIES: usize = 1_000_000;

/// One entry: the section that it stands in (its place in the list of those
/// that were wanted), its key (none in arrays) and its text.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) section: usize,
    /// The key that it stands below in a section of groups; empty elsewhere.
    pub(crate) group: Cow<'a, str>,
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: &'a RawValue,
}

/// What a document's sections hold, in its order.
#[derive(Debug, Default)]
pub(crate) struct Sections<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    /// Which of the wanted keys are there.
    pub(crate) found: Vec<usize>,
    /// The keys that are there, where all are wanted.
    pub(crate) names: Vec<Cow<'a, str>>,
    /// The value under `number`, when it is one or the text of one.
    pub(crate) number: Option<u64>,
    is_over: bool,
}

/// Reads the objects and arrays under the keys `wanted` of a document (under all
/// where none is named), and the number under `number`. A key with `/*` behind it
/// holds groups: objects and arrays whose entries are those of the section. What
/// came before an error is kept, and the error is
/// said; an error of this function is that not even a beginning could be read.
pub(crate) fn sections<'a>(
    text: &'a str,
    tool: &str,
    wanted: &[&str],
    number: &str,
    out: &mut Declarations<'_>,
) -> Result<Sections<'a>, String> {
    let mut sections = Sections::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let top = Top {
        wanted,
        number,
        sections: &mut sections,
    };
    let done = top.deserialize(&mut json).and_then(|()| json.end());
    if let Err(error) = done {
        let reason = format!("it is no lock file of {tool}: {error}");
        if sections.found.is_empty() {
            return Err(reason);
        }
        out.gap(seawall_model::GapKind::Damaged, &reason);
    }
    if sections.is_over {
        let reason = format!("there are more than {MOST_ENTRIES} entries");
        out.gap(seawall_model::GapKind::Limit, &reason);
    }
    Ok(sections)
}

/// The place of an entry: that of its key, or of its value when the key has
/// escapes.
pub(crate) fn place(text: &str, key: &str, value: &RawValue) -> Span {
    span_of(text, key)
        .or_else(|| span_of(text, value.get()))
        .unwrap_or_default()
}

/// Reads one entry, or says what is wrong with it.
pub(crate) fn entry<'a, T: Deserialize<'a>>(
    text: &str,
    value: &'a RawValue,
    out: &mut Declarations<'_>,
) -> Option<T> {
    let start = span_of(text, value.get()).unwrap_or_default().start;
    // An array would do for serde: its items for the fields in their order.
    if !value.get().starts_with('{') {
        out.problem(start, "an entry is no object");
        return None;
    }
    match serde_json::from_str(value.get()) {
        Ok(entry) => Some(entry),
        Err(error) => {
            // The place that serde_json adds is one in the entry.
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            out.problem(start, &format!("an entry is damaged: {what}"));
            None
        }
    }
}

struct Top<'s, 'w, 'a> {
    wanted: &'w [&'w str],
    number: &'w str,
    sections: &'s mut Sections<'a>,
}

impl<'a> DeserializeSeed<'a> for Top<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Top<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if key == self.number {
                let value: &RawValue = map.next_value()?;
                // Deno writes it as a text.
                self.sections.number = value.get().trim_matches('"').parse().ok();
                continue;
            }
            let names = &mut self.sections.names;
            let is = |name: &&str| name.strip_suffix("/*").unwrap_or(name) == key;
            let section = match self.wanted {
                [] => names.iter().position(|name| *name == key).or_else(|| {
                    names.push(key.clone());
                    Some(names.len() - 1)
                }),
                wanted => wanted.iter().position(is),
            };
            let Some(section) = section else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            // Of two of one name a tool takes the last, and another one does
            // not: neither list is what is installed.
            if self.sections.found.contains(&section) {
                return Err(A::Error::custom(format!("`{key}` is there twice")));
            }
            self.sections.found.push(section);
            let has_groups = self
                .wanted
                .get(section)
                .is_some_and(|it| it.ends_with("/*"));
            map.next_value_seed(Section {
                section,
                has_groups,
                group: Cow::Borrowed(""),
                sections: &mut *self.sections,
            })?;
        }
        Ok(())
    }
}

struct Section<'s, 'a> {
    section: usize,
    has_groups: bool,
    group: Cow<'a, str>,
    sections: &'s mut Sections<'a>,
}

impl<'a> Section<'_, 'a> {
    /// What is neither an object nor an array may stand between groups.
    fn scalar<E: Error>(&self, value: Unexpected<'_>) -> Result<(), E> {
        match self.group.as_ref() {
            "" => Err(E::invalid_type(value, self)),
            _ => Ok(()),
        }
    }

    fn push(&mut self, key: Cow<'a, str>, value: &'a RawValue) {
        if self.sections.entries.len() >= MOST_ENTRIES {
            self.sections.is_over = true;
            return;
        }
        self.sections.entries.push(Entry {
            section: self.section,
            group: self.group.clone(),
            key,
            value,
        });
    }
}

impl<'a> DeserializeSeed<'a> for Section<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Section<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    /// `null`, which Composer writes for what is not there.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Unexpected::Bool(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Unexpected::Str(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Unexpected::Unsigned(value))
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.has_groups {
            while let Some(Key(group)) = map.next_key()? {
                map.next_value_seed(Section {
                    section: self.section,
                    has_groups: false,
                    group,
                    sections: &mut *self.sections,
                })?;
            }
            return Ok(());
        }
        while let Some((Key(key), value)) = map.next_entry()? {
            self.push(key, value);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element()? {
            self.push(Cow::default(), value);
        }
        Ok(())
    }
}

/// A key or a text that lies in the file where it has no escapes, so that it
/// has a place.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl AsRef<str> for Key<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A text, or the texts of a list.
pub(crate) fn texts(value: &RawValue) -> Vec<String> {
    let one = serde_json::from_str::<String>(value.get()).map(|one| vec![one]);
    let all = one.or_else(|_| serde_json::from_str(value.get()));
    all.unwrap_or_default()
}

/// The keys of an object.
#[derive(Debug, Default)]
pub(crate) struct Keys<'a>(pub(crate) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Keys<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = pairs::<_, Key<'_>, IgnoredAny>(deserializer)?;
        Ok(Keys(pairs.into_iter().map(|(key, _)| key.0).collect()))
    }
}

/// Names and versions, as an object has them; values of other kinds count as
/// empty.
#[derive(Debug, Default)]
pub(crate) struct Versions<'a>(pub(crate) Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Versions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = pairs::<_, Key<'_>, &RawValue>(deserializer)?;
        let text = |value: &'a RawValue| match serde_json::from_str::<Key<'a>>(value.get()) {
            Ok(text) => text.0,
            Err(_) => Cow::Borrowed(""),
        };
        let pairs = pairs.into_iter().map(|(key, value)| (key.0, text(value)));
        Ok(Versions(pairs.collect()))
    }
}

/// The entries of an object, in its order.
pub(crate) fn pairs<'de, D, K, V>(deserializer: D) -> Result<Vec<(K, V)>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de>,
    V: Deserialize<'de>,
{
    struct Pairs<K, V>(std::marker::PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
        type Value = Vec<(K, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(pair) = map.next_entry()? {
                all.push(pair);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_map(Pairs(std::marker::PhantomData))
}

/// The values under the keys `wanted` of a document that is an object, each at
/// the place of its key. Of several under one key the last counts, as it does
/// for every tool that reads such files.
pub(crate) fn fields<'a, const N: usize>(
    text: &'a str,
    wanted: [&str; N],
) -> Result<[Option<&'a RawValue>; N], String> {
    struct Fields<'w, const N: usize>([&'w str; N]);

    impl<'a, const N: usize> Visitor<'a> for Fields<'_, N> {
        type Value = [Option<&'a RawValue>; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = [None; N];
            while let Some(Key(key)) = map.next_key()? {
                let mut places = self.0.iter().zip(&mut values);
                match places.find(|(name, _)| **name == key) {
                    Some((_, place)) => *place = Some(map.next_value()?),
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(values)
        }
    }

    let mut json = serde_json::Deserializer::from_str(text);
    let found = json.deserialize_map(Fields(wanted));
    let found = found.and_then(|found| json.end().map(|()| found));
    found.map_err(|error| format!("it is no JSON of its kind: {error}"))
}

/// The value under one key of an object; none when the value is something else.
pub(crate) fn field<'a>(value: Option<&'a RawValue>, key: &str) -> Option<&'a RawValue> {
    let [found] = fields(value?.get(), [key]).ok()?;
    found
}

/// The text that a value is; none when it is something else.
pub(crate) fn string<'a>(value: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    let value = value?.get();
    // A quick look saves the error that other values would cost.
    value.starts_with('"').then_some(())?;
    serde_json::from_str::<Key<'_>>(value).ok().map(|key| key.0)
}

/// The items of a list; none when the value is something else.
pub(crate) fn items(value: Option<&RawValue>) -> Vec<&RawValue> {
    let list = value
        .map(RawValue::get)
        .filter(|list| list.starts_with('['));
    list.and_then(|list| serde_json::from_str(list).ok())
        .unwrap_or_default()
}

/// The texts of a list; of a text alone that one.
pub(crate) fn strings<'a>(value: Option<&'a RawValue>) -> Vec<Cow<'a, str>> {
    match string(value) {
        Some(one) => vec![one],
        None => items(value)
            .into_iter()
            .filter_map(|item| string(Some(item)))
            .collect(),
    }
}

/// The keys of an object; none when the value is something else.
pub(crate) fn keys<'a>(value: Option<&'a RawValue>) -> Vec<Cow<'a, str>> {
    let object = value.map(RawValue::get).filter(|it| it.starts_with('{'));
    object
        .and_then(|object| serde_json::from_str::<Keys<'_>>(object).ok())
        .map(|keys| keys.0)
        .unwrap_or_default()
}

/// The entries of an object, in its order; none when the value is something
/// else.
pub(crate) fn entries<'a>(value: Option<&'a RawValue>) -> Vec<(Cow<'a, str>, &'a RawValue)> {
    let object = value.map(RawValue::get).filter(|it| it.starts_with('{'));
    let Some(object) = object else {
        return Vec::new();
    };
    let mut json = serde_json::Deserializer::from_str(object);
    let all: Vec<(Key<'_>, &RawValue)> = pairs(&mut json).unwrap_or_default();
    all.into_iter()
        .map(|(Key(key), value)| (key, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_whatever_they_are() {
        let text = r#" {"a":1,"b":["x",2,"\u00e9"],"a":"y","c":{"k":0,"l":[]}} "#;
        let [a, b, c, d] = fields(text, ["a", "b", "c", "d"]).unwrap();
        assert_eq!(string(a).as_deref(), Some("y"));
        assert_eq!(string(a).as_deref(), Some("y"));
        let texts: Vec<_> = items(b).into_iter().map(|it| string(Some(it))).collect();
        assert_eq!(texts, [Some("x".into()), None, Some("é".into())]);
        assert_eq!(keys(c), ["k", "l"]);
        assert_eq!(
            (string(b), keys(b), items(c).len(), d.is_none()),
            (None, vec![], 0, true)
        );
        for text in ["", "[]", "{\"a\":1", "{} x", "{\"a\":}"] {
            assert!(fields(text, ["a"]).is_err(), "{text}");
        }
    }
}
