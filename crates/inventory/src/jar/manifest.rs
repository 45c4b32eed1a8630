//! META-INF/MANIFEST.MF (Java, "JAR File Specification") and pom.properties
//! (Java, `java.util.Properties`).

use std::collections::HashMap;

/// The main attributes of a manifest, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Manifest(HashMap<String, String>);

impl Manifest {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut all: HashMap<String, String> = HashMap::new();
        let mut last: Option<String> = None;
        for line in text.lines() {
            if line.is_empty() {
                // Behind it come the attributes of single entries.
                if all.is_empty() {
                    continue;
                }
                break;
            }
            if let Some(more) = line.strip_prefix(' ') {
                if let Some(value) = last.as_ref().and_then(|name| all.get_mut(name)) {
                    value.push_str(more);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                let name = name.to_ascii_lowercase();
                let value = value.strip_prefix(' ').unwrap_or(value);
                all.insert(name.clone(), value.to_owned());
                last = Some(name);
            }
        }
        Manifest(all)
    }

    /// The value of an attribute, whose name is given in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }
}

/// Group, artifact and version, where all of them are there.
pub(super) fn properties(bytes: &[u8]) -> Option<[String; 3]> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = [None, None, None];
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with(['#', '!']) {
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let slot = match key.trim() {
            "groupId" => 0,
            "artifactId" => 1,
            "version" => 2,
            _ => continue,
        };
        if let Some(slot) = found.get_mut(slot) {
            *slot = Some(value.trim().replace('\\', ""));
        }
    }
    let [Some(group), Some(artifact), Some(version)] = found else {
        return None;
    };
    let all = [group, artifact, version];
    let is_said = |one: &String| !one.is_empty() && !one.contains("${") && !one.contains('@');
    all.iter().all(is_said).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_go_on_and_single_entries_do_not_count() {
        let text = b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.a\r\n .b\r\n\r\n\
            Name: x/\r\nImplementation-Version: 9\r\n";
        let manifest = Manifest::parse(text);
        assert_eq!(manifest.get("bundle-symbolicname"), Some("org.a.b"));
        assert_eq!(manifest.get("implementation-version"), None);
    }

    #[test]
    fn properties_are_all_three_or_none() {
        let all = properties(b"#Created by Apache Maven\nversion=1.0\ngroupId = a.b\nartifactId=c");
        assert_eq!(all.unwrap(), ["a.b", "c", "1.0"]);
        assert_eq!(properties(b"version=${v}\ngroupId=a\nartifactId=c"), None);
    }
}
