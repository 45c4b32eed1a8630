//! Package URLs (ECMA-427, "Package-URL specification").

/// A package URL in the making.
#[derive(Clone, Debug)]
pub struct Purl<'a> {
    kind: &'a str,
    namespace: Vec<String>,
    name: String,
    version: &'a str,
    qualifiers: Vec<(&'a str, String)>,
    subpath: String,
}

impl<'a> Purl<'a> {
    /// A package of a type that puts no namespace into its names, or whose
    /// namespace is given with [`Purl::namespace`].
    pub fn new(kind: &'a str, name: &str, version: &'a str) -> Self {
        let mut purl = Purl {
            kind,
            namespace: Vec::new(),
            name: name.to_owned(),
            version,
            qualifiers: Vec::new(),
            subpath: String::new(),
        };
        match kind {
            // The namespace is what stands before the last slash.
            "npm" | "jsr" | "hex" | "golang" | "composer" | "github" | "githubactions"
            | "swift" | "pear" | "wordpress" => {
                if let Some((namespace, name)) = name.rsplit_once('/') {
                    purl.namespace = namespace.split('/').map(str::to_owned).collect();
                    purl.name = name.to_owned();
                }
            }
            "maven" => {
                if let Some((group, artifact)) = name.split_once(':') {
                    purl.namespace = vec![group.to_owned()];
                    purl.name = artifact.to_owned();
                }
            }
            // A part of a pod is a path in it.
            "cocoapods" => {
                if let Some((name, part)) = name.split_once('/') {
                    purl.name = name.to_owned();
                    purl.subpath = part.to_owned();
                }
            }
            "pypi" => purl.name = name.to_lowercase().replace('_', "-"),
            _ => {}
        }
        if matches!(kind, "composer" | "github" | "deb" | "apk") {
            purl.name = purl.name.to_lowercase();
            purl.namespace
                .iter_mut()
                .for_each(|part| *part = part.to_lowercase());
        }
        purl
    }

    /// The namespace: a distribution's id.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = vec![namespace.to_lowercase()];
        self
    }

    /// A qualifier; an empty value is left out.
    pub fn qualifier(mut self, key: &'a str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.qualifiers.push((key, value));
        }
        self
    }

    /// The package URL in its canonical form.
    pub fn build(mut self) -> String {
        let mut out = format!("pkg:{}/", self.kind);
        for part in self.namespace.iter().filter(|part| !part.is_empty()) {
            encode(part, &mut out);
            out.push('/');
        }
        encode(&self.name, &mut out);
        if !self.version.is_empty() {
            out.push('@');
            encode(self.version, &mut out);
        }
        self.qualifiers.sort_by(|a, b| a.0.cmp(b.0));
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            out.push_str(key);
            out.push('=');
            encode(value, &mut out);
        }
        for (index, part) in self.subpath.split('/').enumerate() {
            if !part.is_empty() {
                out.push(if index == 0 { '#' } else { '/' });
                encode(part, &mut out);
            }
        }
        out
    }
}

/// Percent-encodes all but unreserved characters and the colon, as the
/// specification has it.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(nibble.into(), 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the specification and its test suite.
    #[test]
    fn known_purls() {
        let deb = Purl::new("deb", "curl", "7.50.3-1").namespace("debian");
        let deb = deb
            .qualifier("distro", "jessie")
            .qualifier("arch", "i386")
            .build();
        assert_eq!(deb, "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie");
        assert_eq!(
            Purl::new("npm", "@angular/animation", "12.3.1").build(),
            "pkg:npm/%40angular/animation@12.3.1"
        );
        assert_eq!(
            Purl::new("golang", "google.golang.org/genproto", "abcdedf").build(),
            "pkg:golang/google.golang.org/genproto@abcdedf"
        );
        assert_eq!(
            Purl::new("pypi", "Django_package", "1.11.1.dev1").build(),
            "pkg:pypi/django-package@1.11.1.dev1"
        );
        assert_eq!(
            Purl::new("deb", "g++", "1:2+b1~x")
                .namespace("debian")
                .build(),
            "pkg:deb/debian/g%2B%2B@1:2%2Bb1~x"
        );
        assert_eq!(
            Purl::new("cocoapods", "ShareKit/Twitter", "2.0").build(),
            "pkg:cocoapods/ShareKit@2.0#Twitter"
        );
        assert_eq!(
            Purl::new("composer", "Laravel/Laravel", "5.5.0").build(),
            "pkg:composer/laravel/laravel@5.5.0"
        );
    }
}
