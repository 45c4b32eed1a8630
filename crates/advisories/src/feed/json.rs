//! JSON as a stream: large objects and arrays are walked, their small parts
//! taken out one by one, so that no document is held as a whole. How deep it
//! may nest is `serde_json`'s limit of 128.

use std::{fmt, io::Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::metered::Meter;

/// Bytes between the ends of two parts: what is held at once.
const PART_LIMIT: u64 = 32 << 20;

/// Takes one part after the other; an error ends the walk.
type Each<'f> = dyn FnMut(Part<'_>) -> Result<(), String> + 'f;

/// A part of a document.
pub(crate) enum Part<'k> {
    /// An entry of an object within an object: both keys and the value.
    Entry(&'k str, &'k str, Value),
    /// An element of the array that was asked for.
    Item(Value),
}

/// Walks an object of objects.
///
/// # Errors
/// When the document is no such object, is cut off, or goes on behind its end.
pub(crate) fn entries(input: impl Read, each: &mut Each<'_>) -> Result<(), String> {
    walk(input, each, Shape::Entries)
}

/// Walks the array `field` of an object.
///
/// # Errors
/// When the document is no such object, is cut off, or goes on behind its end.
pub(crate) fn items(input: impl Read, field: &str, each: &mut Each<'_>) -> Result<(), String> {
    walk(input, each, Shape::Items { field })
}

fn walk(input: impl Read, each: &mut Each<'_>, shape: Shape<'_>) -> Result<(), String> {
    let meter = Meter::new(PART_LIMIT);
    let mut deserializer = serde_json::Deserializer::from_reader(meter.of(input));
    let mut each = |part: Part<'_>| {
        meter.next();
        each(part)
    };
    let outer = Outer {
        shape,
        each: &mut each,
    };
    let done = outer.deserialize(&mut deserializer);
    done.and_then(|()| deserializer.end())
        .map_err(|error| error.to_string())
}

#[derive(Clone, Copy)]
enum Shape<'s> {
    Entries,
    Items { field: &'s str },
}

/// The outer object.
struct Outer<'s, 'f> {
    shape: Shape<'s>,
    each: &'f mut Each<'f>,
}

impl<'de> DeserializeSeed<'de> for Outer<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Outer<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_field = false;
        while let Some(key) = map.next_key::<String>()? {
            match self.shape {
                Shape::Entries => map.next_value_seed(Inner {
                    key: &key,
                    each: &mut *self.each,
                })?,
                Shape::Items { field } if field == key => {
                    has_field = true;
                    map.next_value_seed(Elements(&mut *self.each))?;
                }
                Shape::Items { .. } => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match self.shape {
            Shape::Items { field } if !has_field => {
                Err(Error::custom(format!("missing field `{field}`")))
            }
            _ => Ok(()),
        }
    }
}

/// An object within.
struct Inner<'k, 'f, 'e> {
    key: &'k str,
    each: &'f mut Each<'e>,
}

impl<'de> DeserializeSeed<'de> for Inner<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object as `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            (self.each)(Part::Entry(self.key, &key, value)).map_err(Error::custom)?;
        }
        Ok(())
    }
}

/// The array within.
struct Elements<'f, 'e>(&'f mut Each<'e>);

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(value) = sequence.next_element::<Value>()? {
            (self.0)(Part::Item(value)).map_err(Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str) -> (Vec<String>, Result<(), String>) {
        let mut seen = Vec::new();
        let result = entries(text.as_bytes(), &mut |part| {
            if let Part::Entry(outer, inner, value) = part {
                seen.push(format!("{outer}.{inner}={value}"));
            }
            Ok(())
        });
        (seen, result)
    }

    #[test]
    fn parts_come_one_by_one_and_what_is_wrong_has_its_place() {
        let (seen, result) = walked("{\"a\":{\"x\":1,\"y\":[2]},\"b\":{}}");
        assert_eq!((seen.join(" ").as_str(), result), ("a.x=1 a.y=[2]", Ok(())));
        for (text, want) in [
            ("{\"a\":{\"x\":1,\n\"y\"", "EOF while parsing"),
            ("{\"a\":{\"x\":1}} x", "trailing characters at line 1"),
            ("{\"a\":\n7}", "an object as `a` at line 2"),
            ("[]", "expected an object"),
            ("", "EOF while parsing"),
        ] {
            let error = walked(text).1.unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
        let deep = format!("{{\"a\":{{\"x\":{}", "[".repeat(100_000));
        assert!(walked(&deep).1.unwrap_err().contains("recursion limit"));
    }

    #[test]
    fn elements_come_one_by_one_and_other_members_are_passed_over() {
        let mut seen = Vec::new();
        let text = "{\"v\":\"1\",\"u\":{\"big\":[]},\"list\":[1,{\"a\":2}],\"w\":3}";
        let result = items(text.as_bytes(), "list", &mut |part| {
            if let Part::Item(value) = part {
                seen.push(value.to_string());
            }
            Ok(())
        });
        assert_eq!(result, Ok(()));
        assert_eq!(seen, ["1", "{\"a\":2}"]);
        let missing = items(&b"{}"[..], "list", &mut |_| Ok(())).unwrap_err();
        assert!(missing.contains("missing field `list`"), "{missing}");
    }

    #[test]
    fn a_part_that_does_not_end_is_refused() {
        let endless = Read::chain(&b"{\"a\":{\"x\":\""[..], std::io::repeat(b'x'));
        let error = entries(endless, &mut |_| Ok(())).unwrap_err();
        assert!(error.contains("a part has more than"), "{error}");
    }
}
