//! Stanzas of `Field: value` lines, as dpkg writes them (deb-control(5)).

/// Every stanza as its fields; continuation lines keep their leading space.
pub(crate) fn stanzas(text: &str) -> impl Iterator<Item = Stanza<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(['\n', '\r']);
            if rest.is_empty() {
                return None;
            }
            let end = stanza_end(rest);
            let (stanza, after) = rest.split_at_checked(end)?;
            rest = after;
            let stanza = Stanza(stanza);
            if stanza.fields().next().is_some() {
                return Some(stanza);
            }
        }
    })
}

/// The fields before a message's text (RFC 5322, 2.1), which begins behind the
/// first empty line; a line of spaces alone belongs to the field above it.
pub(crate) fn header(text: &str) -> Stanza<'_> {
    let text = text.trim_start_matches(['\n', '\r']);
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if matches!(line, "\n" | "\r\n") {
            break;
        }
        end += line.len();
    }
    Stanza(text.get(..end).unwrap_or(text))
}

/// All fields of a text whose empty lines are between them.
pub(crate) fn whole(text: &str) -> Stanza<'_> {
    Stanza(text)
}

/// Where the first empty line begins. A line of spaces alone ends a stanza
/// too, as it does for dpkg.
fn stanza_end(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            return at.max(line.len());
        }
        at += line.len();
    }
    text.len()
}

/// One stanza.
#[derive(Clone, Copy)]
pub(crate) struct Stanza<'a>(&'a str);

impl<'a> Stanza<'a> {
    /// Name and value of each field, in order; a value may have several lines,
    /// the first of them empty.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
                if rest.is_empty() {
                    return None;
                }
                let Some((name, _)) = line
                    .split_once(':')
                    .filter(|(name, _)| !name.is_empty() && !name.starts_with([' ', '\t', '#']))
                else {
                    rest = after;
                    continue;
                };
                // Lines that start with a space belong to the value.
                let mut end = line.len();
                let mut left = after;
                while left.starts_with([' ', '\t']) {
                    let (more, after) = left.split_once('\n').unwrap_or((left, ""));
                    end += 1 + more.len();
                    left = after;
                }
                let value = rest.get(name.len() + 1..end).unwrap_or_default();
                rest = left;
                return Some((name, value.trim_start_matches([' ', '\t']).trim_end()));
            }
        })
    }

    /// The value of the first field with this name; names have no case.
    pub(crate) fn get(self, wanted: &str) -> Option<&'a str> {
        self.fields()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_on_in_indented_lines() {
        let text = "Package: a\nDescription: x\n more\n .\nVersion: 1\n\n\nPackage: b\r\n";
        let all: Vec<_> = stanzas(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].get("description"), Some("x\n more\n ."));
        assert_eq!(all[0].get("Version"), Some("1"));
        assert_eq!(stanzas("A:\n b\n").next().unwrap().get("A"), Some("\n b"));
        assert_eq!(all[1].get("Package"), Some("b"));
    }

    #[test]
    fn a_header_ends_at_an_empty_line() {
        let header = header("\nName: a\nLicense: x\n  \n  y\nb: c\r\n\r\nVersion: 1\n");
        let names: Vec<_> = header.fields().map(|(name, _)| name).collect();
        assert_eq!(names, ["Name", "License", "b"]);
    }

    #[test]
    fn rubbish_is_no_stanza() {
        assert_eq!(stanzas("\n \nno colon\n: x\n").count(), 0);
        assert_eq!(stanzas("").count(), 0);
    }
}
