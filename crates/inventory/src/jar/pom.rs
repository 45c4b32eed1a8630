//! The pom.xml in an archive, as far as it says what the archive is (Maven,
//! "POM Reference"). Parents are elsewhere, so nothing is put in for
//! properties.

use quick_xml::{Reader, events::Event};

/// What it says.
#[derive(Debug, Default)]
pub(super) struct Said {
    own: [String; 3],
    parent: [String; 3],
    pub(super) licenses: Vec<String>,
}

impl Said {
    /// Group, artifact and version; the first and the last may be the parent's.
    pub(super) fn coordinates(&self) -> Option<[String; 3]> {
        let [group, artifact, version] = &self.own;
        let [parent_group, _, parent_version] = &self.parent;
        let or = |own: &String, parent: &String| match own.as_str() {
            "" => parent.clone(),
            _ => own.clone(),
        };
        let all = [
            or(group, parent_group),
            artifact.clone(),
            or(version, parent_version),
        ];
        let is_said = |one: &String| !one.is_empty() && !one.contains("${");
        all.iter().all(is_said).then_some(all)
    }
}

pub(super) fn parse(text: &str) -> Said {
    const DEEP: usize = 64;
    let mut said = Said::default();
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.local_name();
                open.push(name.as_ref().to_owned());
                value.clear();
                if open.len() > DEEP {
                    return said;
                }
            }
            Ok(Event::Text(part)) => value.push_str(&part),
            Ok(Event::CData(part)) => value.push_str(&part),
            Ok(Event::GeneralRef(part)) => value.push_str(match part.as_ref() {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => "",
            }),
            Ok(Event::End(_)) => {
                said.take(&open, &value);
                value.clear();
                open.pop();
            }
            // What came before the damage counts.
            Ok(Event::Eof) | Err(_) => return said,
            Ok(_) => {}
        }
    }
}

impl Said {
    fn take(&mut self, open: &[String], value: &str) {
        let open: Vec<&str> = open.iter().map(String::as_str).collect();
        let (target, name) = match open.as_slice() {
            ["project", "licenses", "license", "name"] => {
                let name = value.split_whitespace().collect::<Vec<_>>().join(" ");
                if !name.is_empty() {
                    self.licenses.push(name);
                }
                return;
            }
            ["project", "parent", name] => (&mut self.parent, name),
            ["project", name] => (&mut self.own, name),
            _ => return,
        };
        let [group, artifact, version] = target;
        let slot = match *name {
            "groupId" => group,
            "artifactId" => artifact,
            "version" => version,
            _ => return,
        };
        *slot = value.trim().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_lends_group_and_version() {
        let said = parse(
            "<?xml version=\"1.0\"?><project><parent><groupId>a.b</groupId>\
             <artifactId>p</artifactId><version>3</version></parent><artifactId>c</artifactId>\
             <licenses><license><name>Apache &amp; Co\n 2.0</name></license></licenses>\
             <dependencies><dependency><groupId>x</groupId></dependency></dependencies></project>",
        );
        assert_eq!(said.coordinates().unwrap(), ["a.b", "c", "3"]);
        assert_eq!(said.licenses, ["Apache & Co 2.0"]);
        let said = parse("<project><version>${revision}</version><artifactId>c</artifactId>");
        assert_eq!(said.coordinates(), None);
    }
}
